package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The model works on values in memory, and is as simple as the documentation of
// the parameters: what it makes of items must be what Write writes.

// pair is a property of an object; a value is nil, bool, json.Number, string,
// []any or []pair.
type pair struct {
	key   string
	value any
}

func valueOf(object []pair, key string) (any, bool) {
	for _, p := range object {
		if p.key == key {
			return p.value, true
		}
	}
	return nil, false
}

// with sets a property: in its place, or at the end.
func with(object []pair, key string, value any) []pair {
	object = slices.Clone(object)
	for i := range object {
		if object[i].key == key {
			object[i].value = value
			return object
		}
	}
	return append(object, pair{key, value})
}

func without(object []pair, keys ...string) (rest []pair) {
	for _, p := range object {
		if !slices.Contains(keys, p.key) {
			rest = append(rest, p)
		}
	}
	return rest
}

func model(items [][]pair, o Options) (result [][]pair) {
	if o.SkipFailed {
		items = slices.DeleteFunc(slices.Clone(items), func(item []pair) bool {
			failed, ok := valueOf(item, "errorInfo")
			return ok && failed != nil
		})
	}
	for _, field := range o.Unwind {
		var next [][]pair
		for _, item := range items {
			value, _ := valueOf(item, field)
			elements, isArray := value.([]any)
			if object, ok := value.([]pair); ok {
				elements, isArray = []any{object}, true
			}
			if !isArray {
				next = append(next, item)
			}
			for _, element := range elements {
				object, ok := element.([]pair)
				if !ok {
					next = append(next, with(item, field, element))
					continue
				}
				merged := without(item, field)
				for _, p := range object {
					merged = with(merged, p.key, p.value)
				}
				next = append(next, merged)
			}
		}
		items = next
	}
	for _, item := range items {
		for _, field := range o.Flatten {
			object, ok := valueOf(item, field)
			if _, isObject := object.([]pair); !ok || !isObject {
				continue
			}
			var flat []pair
			for _, p := range item {
				if p.key != field {
					flat = with(flat, p.key, p.value)
					continue
				}
				for _, dotted := range dottedOf(field, object) {
					flat = with(flat, dotted.key, dotted.value)
				}
			}
			item = flat
		}
		item = without(item, o.Omit...)
		if o.SkipHidden {
			item = slices.DeleteFunc(item, func(p pair) bool { return strings.HasPrefix(p.key, "#") })
		}
		if len(o.Fields) > 0 {
			var picked []pair
			for i, field := range o.Fields {
				name := field
				if len(o.OutputFields) > 0 {
					name = o.OutputFields[i]
				}
				if value, ok := valueOf(item, field); ok {
					picked = with(picked, name, value)
				}
			}
			item = picked
		}
		if len(item) > 0 || !o.SkipEmpty {
			result = append(result, item)
		}
	}
	return result
}

func dottedOf(prefix string, value any) (flat []pair) {
	object, ok := value.([]pair)
	if !ok || len(object) == 0 {
		return []pair{{prefix, value}}
	}
	for _, p := range object {
		flat = append(flat, dottedOf(prefix+"."+p.key, p.value)...)
	}
	return flat
}

// cellsOf spreads an item over columns.
func cellsOf(prefix string, value any) (cells []pair) {
	switch v := value.(type) {
	case []pair:
		for _, p := range v {
			cells = append(cells, cellsOf(prefix+"/"+p.key, p.value)...)
		}
		return cells
	case []any:
		for i, element := range v {
			cells = append(cells, cellsOf(prefix+"/"+strconv.Itoa(i), element)...)
		}
		return cells
	case nil:
		return []pair{{prefix, ""}}
	}
	return []pair{{prefix, fmt.Sprint(value)}}
}

func tableOf(items [][]pair, fields []string) (columns []string, rows [][]string) {
	add := func(name string) {
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	var spread [][]pair
	for _, item := range items {
		var row []pair
		for _, p := range item {
			row = append(row, cellsOf(p.key, p.value)...)
		}
		spread = append(spread, row)
	}
	if fields == nil {
		for _, row := range spread {
			for _, cell := range row {
				add(cell.key)
			}
		}
	}
	for _, field := range fields {
		before := len(columns)
		for _, item := range items {
			if value, ok := valueOf(item, field); ok {
				for _, cell := range cellsOf(field, value) {
					add(cell.key)
				}
			}
		}
		if len(columns) == before {
			add(field)
		}
	}
	for _, cells := range spread {
		row := make([]string, len(columns))
		for _, cell := range cells {
			row[slices.Index(columns, cell.key)] = cell.value.(string)
		}
		rows = append(rows, row)
	}
	return columns, rows
}

func encode(b *bytes.Buffer, value any) {
	switch v := value.(type) {
	case []pair:
		b.WriteByte('{')
		for i, p := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, p.key)
			b.WriteByte(':')
			encode(b, p.value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, element)
		}
		b.WriteByte(']')
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
}

var modelKeys = []string{"a", "b", "c", "#h", "errorInfo", "a.b"}

func randomValue(r *rand.Rand, depth int) any {
	n := r.IntN(9)
	if depth == 0 {
		n = r.IntN(5)
	}
	switch n {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return json.Number([]string{"0", "-1.50", "12345678901234567890", "1e3"}[r.IntN(4)])
	case 3, 4:
		return []string{"", "x", "é,\"\n", "<&>"}[r.IntN(4)]
	case 5, 6:
		array := make([]any, r.IntN(4))
		for i := range array {
			array[i] = randomValue(r, depth-1)
		}
		return array
	}
	return randomObject(r, depth-1)
}

func randomObject(r *rand.Rand, depth int) (object []pair) {
	for range r.IntN(4) {
		object = with(object, modelKeys[r.IntN(len(modelKeys))], randomValue(r, depth))
	}
	return object
}

func randomOptions(r *rand.Rand) Options {
	keys := func(odds int) (list []string) {
		if r.IntN(odds) > 0 {
			return nil
		}
		for range 1 + r.IntN(3) {
			list = append(list, append(modelKeys, "a.c", "missing")[r.IntN(len(modelKeys)+2)])
		}
		return list
	}
	o := Options{
		Fields: keys(2), Omit: keys(3), Unwind: keys(2), Flatten: keys(2),
		SkipHidden: r.IntN(3) == 0, SkipEmpty: r.IntN(3) == 0, SkipFailed: r.IntN(4) == 0,
	}
	if r.IntN(2) == 0 {
		for range o.Fields {
			o.OutputFields = append(o.OutputFields, []string{"p", "q", "#r"}[r.IntN(3)])
		}
	}
	return o
}

func TestWriteDoesWhatTheModelDoes(t *testing.T) {
	count := 20_000
	if testing.Short() || raced {
		count = 2_000
	}
	r := rand.New(rand.NewPCG(4, 3))
	for range count {
		items := make([][]pair, r.IntN(4))
		var texts []string
		for i := range items {
			items[i] = randomObject(r, 3)
			var b bytes.Buffer
			encode(&b, items[i])
			texts = append(texts, b.String())
		}
		o := randomOptions(r)
		result := model(items, o)
		objects := make([]any, len(result))
		for i := range result {
			objects[i] = result[i]
		}
		var want bytes.Buffer
		encode(&want, objects)
		check := func(o Options, want string) {
			t.Helper()
			var got bytes.Buffer
			if err := Write(t.Context(), &got, itemsOf(texts...), o); err != nil {
				t.Fatalf("%s with %+v: %v", texts, o, err)
			}
			if decoded(got.String()) != decoded(want) {
				t.Fatalf("%s with %+v:\ngot  %s\nwant %s", texts, o, got.String(), want)
			}
		}
		check(o, want.String())

		var fields []string
		for i, field := range o.Fields {
			if slices.Contains(o.Omit, field) || o.SkipHidden && strings.HasPrefix(field, "#") {
				continue
			}
			if o.OutputFields != nil {
				field = o.OutputFields[i]
			}
			if !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
		if len(o.Fields) > 0 && fields == nil {
			fields = []string{}
		}
		columns, rows := tableOf(result, fields)
		var table strings.Builder
		table.WriteString("<table>")
		line := func(element string, cells []string) {
			table.WriteString("<tr>")
			for _, cell := range cells {
				cell = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", `"`, "&#34;", "\n", "&#xA;").Replace(cell)
				table.WriteString("<" + element + ">" + cell + "</" + element + ">")
			}
			table.WriteString("</tr>")
		}
		if len(columns) > 0 {
			line("th", columns)
		}
		for _, row := range rows {
			table.WriteString("\n")
			line("td", row)
		}
		table.WriteString("</table>\n")
		o.Format = HTML
		check(o, table.String())
	}
}

// decoded makes JSON strings comparable: encoding/json escapes what Write does
// not.
func decoded(text string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(text)
}
