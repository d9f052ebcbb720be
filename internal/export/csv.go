package export

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const byteOrderMark = "\ufeff"

// maxColumns is the platform's limit for tables.
const maxColumns = 2000

// writeCSV writes a header row and one row per item. Columns are the items'
// keys in the order in which they first appear, objects and arrays spread over
// columns "key/inner" and "key/0".
func writeCSV(out *bufio.Writer, items Items, o Options) error {
	columns, index, err := o.columns(items)
	if err != nil {
		return err
	}
	if o.BOM == nil || *o.BOM {
		out.WriteString(byteOrderMark)
	}
	w := csv.NewWriter(out)
	w.Comma, _ = utf8.DecodeRuneInString(o.delimiter())
	if !o.SkipHeaderRow && len(columns) > 0 {
		if err := w.Write(columns); err != nil {
			return err
		}
	}
	row := make([]string, len(columns))
	err = o.eachRecord(items, func(members []Member) error {
		clear(row)
		for _, m := range members {
			err := spread(m.Key, m.Value, func(column, text string) error {
				if at, ok := index[column]; ok {
					row[at] = text
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return w.Write(row)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// columns goes through the items to learn which columns there are.
func (o Options) columns(items Items) ([]string, map[string]int, error) {
	var names []string
	index := map[string]int{}
	err := o.eachRecord(items, func(members []Member) error {
		for _, m := range members {
			err := spread(m.Key, m.Value, func(column, _ string) error {
				if _, seen := index[column]; seen {
					return nil
				}
				if len(names) == maxColumns {
					return fault.New(fault.InvalidRequest, "the items have more than %d columns", maxColumns).
						WithHint("name the ones you need with fields=")
				}
				index[column] = len(names)
				names = append(names, column)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return names, index, err
}

// spread gives the cells that a value fills.
func spread(column string, value json.RawMessage, cell func(column, text string) error) error {
	switch Kind(value) {
	case "an object":
		children, err := Members(value)
		if err != nil {
			return err
		}
		for _, child := range children {
			if err := spread(column+"/"+child.Key, child.Value, cell); err != nil {
				return err
			}
		}
		return nil
	case "an array":
		elements, err := Elements(value)
		if err != nil {
			return err
		}
		for i, element := range elements {
			if err := spread(column+"/"+strconv.Itoa(i), element, cell); err != nil {
				return err
			}
		}
		return nil
	case "a string":
		text, err := unquote(bytes.TrimSpace(value))
		if err != nil {
			return err
		}
		return cell(column, text)
	case "null":
		return cell(column, "")
	}
	return cell(column, string(value))
}
