// Package sheet writes workbooks of one sheet, from front to back, as the format
// Office Open XML has them. It needs memory for a few rows, and no file.
package sheet

import (
	"archive/zip"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

const (
	// MaxRows is how many rows a sheet may have.
	MaxRows = 1 << 20
	// MaxText is how long a cell's text may be, in units of UTF-16; longer ones
	// are cut.
	MaxText = 32_767
)

// What a workbook of one sheet named Data needs beside the sheet.
const (
	types = `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`
	relations = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>`
	book = `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`
	sheetStart = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	sheetEnd   = `</sheetData></worksheet>`
	declared   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

// Writer writes the one sheet of a workbook, which is named Data.
type Writer struct {
	archive *zip.Writer
	w       io.Writer
	columns []string // their names
	row     int      // the number of the last one
	buf     []byte   // what is not written yet
}

// NewWriter begins a workbook whose rows have up to so many columns.
func NewWriter(out io.Writer, columns int) (*Writer, error) {
	s := &Writer{archive: zip.NewWriter(out), columns: make([]string, columns)}
	for i := range s.columns {
		s.columns[i] = columnName(i)
	}
	for _, part := range [][2]string{
		{"[Content_Types].xml", types},
		{"_rels/.rels", fmt.Sprintf(relations, "officeDocument", "xl/workbook.xml")},
		{"xl/workbook.xml", book},
		{"xl/_rels/workbook.xml.rels", fmt.Sprintf(relations, "worksheet", "worksheets/sheet1.xml")},
	} {
		w, err := s.archive.Create(part[0])
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, declared+part[1]); err != nil {
			return nil, err
		}
	}
	var err error
	s.w, err = s.archive.Create("xl/worksheets/sheet1.xml")
	s.buf = append(s.buf, declared+sheetStart...)
	return s, err
}

// Close ends the workbook. It does not close what it was written to.
func (s *Writer) Close() error {
	s.buf = append(s.buf, sheetEnd...)
	if err := s.flush(); err != nil {
		return err
	}
	return s.archive.Close()
}

const bufferSize = 32 << 10

func (s *Writer) flush() error {
	_, err := s.w.Write(s.buf)
	s.buf = s.buf[:0]
	return err
}

// Row adds a row of texts, numbers (float64), truth values and nil, which leaves a
// cell empty.
func (s *Writer) Row(values []any) error {
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
		if len(s.buf) >= bufferSize {
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
		if units > MaxText {
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
