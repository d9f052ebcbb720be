package export

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/export/sheet"
	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxExactDigits is how many digits of a number spreadsheets keep.
const maxExactDigits = 15

// writeXLSX writes a workbook of one sheet, row by row. Texts are cut to the
// 32,767 characters that a cell can hold.
func (j *job) writeXLSX() error {
	t, err := j.table()
	if err != nil {
		return err
	}
	if t.rows >= sheet.MaxRows { // the header's row is one of them
		return fault.New(fault.InvalidRequest, "the items make %d rows and a sheet has %d at most", t.rows+1, sheet.MaxRows).
			WithHint("take them in parts with offset= and limit=, or use csv")
	}
	book, err := sheet.NewWriter(j.out, len(t.columns))
	if err != nil {
		return err
	}
	values := make([]any, len(t.columns))
	for i, column := range t.columns {
		values[i] = column
	}
	if err := book.Row(values); err != nil {
		return err
	}
	err = j.rows(t, func(cells []json.RawMessage) error {
		for i, cell := range cells {
			if values[i], err = cellValue(cell); err != nil {
				return err
			}
		}
		return book.Row(values)
	})
	if err != nil {
		return err
	}
	return book.Close()
}

// cellValue is what a cell of a sheet holds: a number or a truth value as such,
// everything else as text. Whole numbers of more digits than a spreadsheet keeps
// are texts: they are identifiers more often than amounts.
func cellValue(value json.RawMessage) (any, error) {
	switch jsontext.Kind(value) {
	case "nothing", "null":
		return nil, nil
	case "a boolean":
		return value[0] == 't', nil
	case "a number":
		n, err := strconv.ParseFloat(string(value), 64)
		digits := bytes.TrimPrefix(value, []byte("-"))
		if err != nil || len(digits) > maxExactDigits && !bytes.ContainsAny(digits, ".eE") {
			return string(value), nil
		}
		return n, nil
	}
	return cellText(value)
}
