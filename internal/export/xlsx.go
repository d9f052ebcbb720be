package export

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	// maxSheetRows is the limit of the format, the header's row included.
	maxSheetRows = 1 << 20
	// maxCellUnits is how long a cell's text may be, in units of UTF-16.
	maxCellUnits = 32_767
	// maxExactDigits is how many digits of a number spreadsheets keep.
	maxExactDigits = 15
)

// What a workbook of one sheet named Data needs beside the sheet.
const (
	xlsxTypes = `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`
	xlsxRelations = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>`
	xlsxBook = `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`
	xlsxSheetStart = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	xlsxSheetEnd   = `</sheetData></worksheet>`
	xlsxDeclared   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

// writeXLSX writes a workbook of one sheet, from front to back, row by row.
// Texts are cut to the 32,767 characters that a cell can hold.
func (j *job) writeXLSX() error {
	t, err := j.table()
	if err != nil {
		return err
	}
	if t.rows >= maxSheetRows {
		return fault.New(fault.InvalidRequest, "the items make %d rows and a sheet has %d at most", t.rows+1, maxSheetRows).
			WithHint("take them in parts with offset= and limit=, or use csv")
	}
	archive := zip.NewWriter(j.out)
	for _, part := range [][2]string{
		{"[Content_Types].xml", xlsxTypes},
		{"_rels/.rels", fmt.Sprintf(xlsxRelations, "officeDocument", "xl/workbook.xml")},
		{"xl/workbook.xml", xlsxBook},
		{"xl/_rels/workbook.xml.rels", fmt.Sprintf(xlsxRelations, "worksheet", "worksheets/sheet1.xml")},
	} {
		w, err := archive.Create(part[0])
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, xlsxDeclared+part[1]); err != nil {
			return err
		}
	}
	w, err := archive.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return err
	}
	sheet := xlsxSheet{w: w, columns: make([]string, len(t.columns))}
	for i := range sheet.columns {
		sheet.columns[i] = columnName(i)
	}
	sheet.buf = append(sheet.buf, xlsxDeclared+xlsxSheetStart...)
	values := make([]any, len(t.columns))
	for i, column := range t.columns {
		values[i] = column
	}
	if err := sheet.put(values); err != nil {
		return err
	}
	err = j.rows(t, func(cells []json.RawMessage) error {
		for i, cell := range cells {
			if values[i], err = cellValue(cell); err != nil {
				return err
			}
		}
		return sheet.put(values)
	})
	if err != nil {
		return err
	}
	sheet.buf = append(sheet.buf, xlsxSheetEnd...)
	if err := sheet.flush(); err != nil {
		return err
	}
	return archive.Close()
}

// xlsxSheet writes rows of cells.
type xlsxSheet struct {
	w       io.Writer
	columns []string // their names
	row     int      // the number of the last one
	buf     []byte   // what is not written yet
}

const xlsxBuffer = 32 << 10

func (s *xlsxSheet) flush() error {
	_, err := s.w.Write(s.buf)
	s.buf = s.buf[:0]
	return err
}

// put writes a row; nil is an empty cell.
func (s *xlsxSheet) put(values []any) error {
	s.row++
	number := strconv.Itoa(s.row)
	s.buf = append(append(append(s.buf, `<row r="`...), number...), `">`...)
	for i, value := range values {
		if value == nil {
			continue
		}
		s.buf = append(append(append(s.buf, `<c r="`...), s.columns[i]...), number...)
		switch v := value.(type) {
		case bool:
			s.buf = append(s.buf, `" t="b"><v>`...)
			if v {
				s.buf = append(s.buf, "1</v></c>"...)
			} else {
				s.buf = append(s.buf, "0</v></c>"...)
			}
		case float64:
			format := byte('f')
			if size := math.Abs(v); size >= 1e21 || size < 1e-7 && size > 0 {
				format = 'E'
			}
			s.buf = append(strconv.AppendFloat(append(s.buf, `"><v>`...), v, format, -1, 64), "</v></c>"...)
		case string:
			s.buf = append(s.buf, `" t="inlineStr"><is><t xml:space="preserve">`...)
			s.buf = append(appendCellText(s.buf, v), "</t></is></c>"...)
		}
		if len(s.buf) >= xlsxBuffer {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	s.buf = append(s.buf, "</row>"...)
	return nil
}

// appendCellText escapes a text as cells have it: what XML would change is written
// as _xHHHH_, and so is what looks like that; what XML cannot hold is lost.
func appendCellText(dst []byte, text string) []byte {
	units := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if units++; r > 0xFFFF {
			units++
		}
		if units > maxCellUnits {
			break
		}
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '_' && looksEscaped(text[i:]):
			dst = append(dst, "_x005F_"...)
		case r == '\r': // XML has it that this is a line feed
			dst = append(dst, "_x000D_"...)
		case r < ' ' && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
		i += size
	}
	return dst
}

// looksEscaped reports whether a text begins as a character written as _xHHHH_.
func looksEscaped(text string) bool {
	if len(text) < 7 || text[1] != 'x' || text[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(text[2:6], 16, 16)
	return err == nil
}

// columnName is what spreadsheets call a column: A to Z, then AA and so on.
func columnName(i int) string {
	var name []byte
	for i++; i > 0; i = (i - 1) / 26 {
		name = append(name, byte('A'+(i-1)%26))
	}
	for a, b := 0, len(name)-1; a < b; a, b = a+1, b-1 {
		name[a], name[b] = name[b], name[a]
	}
	return string(name)
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
