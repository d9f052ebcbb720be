package export

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strconv"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// The platform's limits for tables; a name's is in characters.
const (
	maxColumns    = 2000
	maxColumnName = 200
)

// table is what the first pass over the items found out.
type table struct {
	columns []string
	at      map[string]int // the index of each column
	rows    int            // without that of the header
}

// table goes through the items to learn which columns there are. Objects and
// arrays spread over columns "key/inner" and "key/0". Columns are in the order
// of Fields, each of which has at least one, so that the form of the table does
// not depend on the items; without Fields they are in the order in which they
// first appear.
func (j *job) table() (*table, error) {
	t := &table{at: map[string]int{}}
	// Columns of one field stand together when the fields are given.
	var fields [][]string
	group := map[string]int{}
	for i, field := range j.Fields {
		name := j.outputName(i)
		if _, seen := group[name]; !seen && !j.unwanted(field) {
			group[name] = len(fields)
			fields = append(fields, nil)
		}
	}
	names := make([]string, len(fields))
	for name, i := range group {
		names[i] = name
	}
	if len(j.Fields) == 0 {
		fields = make([][]string, 1)
	}
	known := map[string]bool{}
	in := 0
	add := func(path []byte, _ json.RawMessage) error {
		if known[string(path)] {
			return nil
		}
		if len(known) == maxColumns {
			return fault.New(fault.InvalidRequest, "the items have more than %d columns", maxColumns).
				WithHint("name the ones you need with fields=, or use json, jsonl or xml")
		}
		if utf8.RuneCount(path) > maxColumnName {
			return errLongColumn(path)
		}
		name := string(path)
		known[name] = true
		fields[in] = append(fields[in], name)
		return nil
	}
	var path []byte
	err := j.records(func(members []Member) error {
		t.rows++
		for _, m := range members {
			if len(j.Fields) > 0 {
				in = group[m.Key]
			}
			path = append(path[:0], m.Key...)
			if err := spread(path, m.Value, add); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, columns := range fields {
		if len(columns) == 0 && len(j.Fields) > 0 && !known[names[i]] {
			columns = names[i : i+1]
		}
		for _, column := range columns {
			t.at[column] = len(t.columns)
			t.columns = append(t.columns, column)
		}
	}
	return t, nil
}

func errLongColumn(path []byte) error {
	return fault.New(fault.InvalidRequest, "the items have a column whose name is longer than %d characters: %.60s…", maxColumnName, path).
		WithHint("leave it out with omit=, or use json, jsonl or xml")
}

// rows gives the cells of each item, valid until the next; nil where it has none.
func (j *job) rows(t *table, yield func(cells []json.RawMessage) error) error {
	cells := make([]json.RawMessage, len(t.columns))
	put := func(path []byte, value json.RawMessage) error {
		if at, ok := t.at[string(path)]; ok {
			cells[at] = value
		}
		return nil
	}
	var path []byte
	return j.records(func(members []Member) error {
		clear(cells)
		for _, m := range members {
			path = append(path[:0], m.Key...)
			if err := spread(path, m.Value, put); err != nil {
				return err
			}
		}
		return yield(cells)
	})
}

// spread gives the cells that a value fills; path is the column of the value.
// Empty objects and arrays fill none.
func spread(path []byte, value json.RawMessage, cell func(path []byte, value json.RawMessage) error) error {
	kind := jsontext.Kind(value)
	if kind != "an object" && kind != "an array" {
		return cell(path, value)
	}
	if len(path) > utf8.UTFMax*maxColumnName {
		return errLongColumn(path) // and what is nested deeply goes no deeper
	}
	path = append(path, '/')
	if kind == "an object" {
		children, err := Members(value)
		if err != nil {
			return errBroken(err)
		}
		for _, child := range children {
			if err := spread(append(path, child.Key...), child.Value, cell); err != nil {
				return err
			}
		}
		return nil
	}
	i := 0
	return eachElement(value, func(element json.RawMessage) error {
		err := spread(strconv.AppendInt(path, int64(i), 10), element, cell)
		i++
		return err
	})
}

// cellText is what a cell shows.
func cellText(value json.RawMessage) (string, error) {
	switch jsontext.Kind(value) {
	case "nothing", "null":
		return "", nil
	case "a string":
		text, err := unquote(bytes.TrimSpace(value))
		if err != nil {
			return "", errBroken(err)
		}
		return text, nil
	}
	return string(value), nil
}

// writeHTML writes one table.
func (j *job) writeHTML() error {
	t, err := j.table()
	if err != nil {
		return err
	}
	j.begin(false)
	j.out.WriteString("<table>")
	if len(t.columns) > 0 {
		j.out.WriteString("<tr>")
		for _, column := range t.columns {
			if err := j.htmlCell("th", column); err != nil {
				return err
			}
		}
		j.out.WriteString("</tr>")
	}
	err = j.rows(t, func(cells []json.RawMessage) error {
		j.out.WriteString("\n<tr>")
		for _, cell := range cells {
			text, err := cellText(cell)
			if err != nil {
				return err
			}
			if err := j.htmlCell("td", text); err != nil {
				return err
			}
		}
		_, err := j.out.WriteString("</tr>")
		return err
	})
	if err != nil {
		return err
	}
	_, err = j.out.WriteString("</table>\n")
	return err
}

// htmlCell escapes as for XML, which HTML reads too, so that tables may be read
// as either.
func (j *job) htmlCell(element, text string) error {
	j.out.WriteString("<" + element + ">")
	if err := xml.EscapeText(j.out, []byte(text)); err != nil {
		return err
	}
	_, err := j.out.WriteString("</" + element + ">")
	return err
}
