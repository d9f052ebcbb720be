package export

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strconv"

	"github.com/xuri/excelize/v2"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	sheetName = "Data"
	// maxSheetRows is the limit of the format, the header's row included.
	maxSheetRows = excelize.TotalRows
	// maxExactDigits is how many digits of a number spreadsheets keep.
	maxExactDigits = 15
)

// writeXLSX writes a workbook of one sheet. A workbook cannot be written from
// front to back: its rows wait in a temporary file, which goes away in any case.
// Texts are cut to the 32,767 characters that a cell can hold.
func (j *job) writeXLSX() (err error) {
	t, err := j.table()
	if err != nil {
		return err
	}
	if t.rows >= maxSheetRows {
		return fault.New(fault.InvalidRequest, "the items make %d rows and a sheet has %d at most", t.rows+1, maxSheetRows).
			WithHint("take them in parts with offset= and limit=, or use csv")
	}
	// The library would keep everything in memory when it cannot write here.
	dir, err := os.MkdirTemp("", "greenroom-xlsx-")
	if err != nil {
		return fault.Wrap(fault.Internal, err, "making a folder for temporary files")
	}
	defer os.RemoveAll(dir)
	book := excelize.NewFile(excelize.Options{TmpDir: dir})
	defer book.Close()
	if err := book.SetSheetName(book.GetSheetName(0), sheetName); err != nil {
		return err
	}
	sheet, err := book.NewStreamWriter(sheetName)
	if err != nil {
		return err
	}
	values := make([]any, len(t.columns))
	row := 0
	put := func() error {
		row++
		at, err := excelize.CoordinatesToCellName(1, row)
		if err != nil {
			return err
		}
		return sheet.SetRow(at, values)
	}
	for i, column := range t.columns {
		values[i] = column
	}
	if err := put(); err != nil {
		return err
	}
	err = j.rows(t, func(cells []json.RawMessage) error {
		for i, cell := range cells {
			if values[i], err = cellValue(cell); err != nil {
				return err
			}
		}
		return put()
	})
	if err != nil {
		return err
	}
	if err := sheet.Flush(); err != nil {
		return err
	}
	// The library collects the archive in memory before it writes it. An archive
	// of our own goes straight to where it belongs, and that memory stays empty.
	book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(j.out) })
	return book.Write(io.Discard)
}

// cellValue is what a cell of a sheet holds: a number or a truth value as such,
// everything else as text. Whole numbers of more digits than a spreadsheet keeps
// are texts: they are identifiers more often than amounts.
func cellValue(value json.RawMessage) (any, error) {
	switch Kind(value) {
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
