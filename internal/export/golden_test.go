package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "write the golden files of what comes out")

var formats = []Format{JSON, JSONL, CSV, HTML, XLSX, XML, RSS}

// things are items with everything that formats differ in.
var things = []string{
	`{"name":"Paul <Newman>","#note":"hidden","price":1.50,"ok":true,"none":null,"tags":["a","b"]}`,
	`{"price":-12345678901234567890,"name":"comma, \"quote\"\nline","size":{"cm":{"w":1,"h":2},"kg":0.5},"list":[]}`,
	`{}`,
	`{"#debug":{"a":1}}`,
	`{"offers":[{"name":"first","n":1},{"n":2},3],"name":"parent","errorInfo":{"why":"x"}}`,
	`{"address":[{"@":{"type":"home"},"street":"21st"},{"@":{"type":"of\"fice"},"#":"un&known"}],"é 1":"\u0000é"}`,
}

func TestGolden(t *testing.T) {
	no, yes := false, true
	for name, o := range map[string]Options{
		"all":               {},
		"fields":            {Fields: []string{"price", "name", "size", "missing"}},
		"output-fields":     {Fields: []string{"name", "size", "#note"}, OutputFields: []string{"title", "dimensions", "note"}},
		"omit":              {Omit: []string{"name", "tags", "offers", "address", "é 1"}},
		"fields-omit":       {Fields: []string{"name", "price"}, Omit: []string{"price"}},
		"unwind-array":      {Unwind: []string{"offers"}, Fields: []string{"name", "n", "offers"}},
		"unwind-object":     {Unwind: []string{"size", "cm"}, Fields: []string{"w", "h", "kg"}, SkipEmpty: true},
		"unwind-several":    {Unwind: []string{"offers", "tags"}, Fields: []string{"name", "n", "tags"}},
		"flatten":           {Flatten: []string{"size"}, Fields: []string{"size.cm.w", "size.kg"}},
		"unwind-flatten":    {Unwind: []string{"size"}, Flatten: []string{"cm"}, SkipEmpty: true, Fields: []string{"cm.h", "kg"}},
		"clean":             {SkipHidden: true, SkipEmpty: true},
		"clean-renamed":     {SkipHidden: true, SkipEmpty: true, Fields: []string{"#note", "ok"}, OutputFields: []string{"note", "fine"}},
		"skip-hidden":       {SkipHidden: true, Omit: []string{"address", "offers"}},
		"skip-empty-fields": {SkipEmpty: true, Fields: []string{"ok"}},
		"skip-failed":       {SkipFailed: true, Fields: []string{"name"}},
		"with-bom":          {BOM: &yes, Fields: []string{"ok"}},
		"without-bom":       {BOM: &no, Fields: []string{"ok"}},
		"table-options":     {BOM: &no, Delimiter: "\t", SkipHeaderRow: true, Fields: []string{"name", "price"}},
		"element-names":     {XMLRoot: "shop", XMLRow: "thing-1", Fields: []string{"ok"}},
	} {
		o.FeedTitle, o.FeedLink, o.FeedDescription = "Dataset <d>", "http://localhost/d?a=1&b=2", `Items in dataset with id "d".`
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, format := range formats {
				o.Format = format
				var out bytes.Buffer
				if err := Write(t.Context(), &out, itemsOf(things...), o); err != nil {
					t.Fatalf("%s: %v", format, err)
				}
				if err := wellFormed(format, out.Bytes(), o); err != nil {
					t.Errorf("%s: %v\n%s", format, err, out.Bytes())
				}
				text := out.String()
				if format == XLSX {
					text = sheetText(t, out.Bytes())
				}
				fmt.Fprintf(&got, "-- %s --\n%s\n", format, strings.ReplaceAll(text, "\ufeff", "<BOM>"))
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if text := strings.ReplaceAll(string(want), "\r\n", "\n"); text != got.String() {
				t.Errorf("got:\n%s\nwant:\n%s", got.String(), text)
			}
		})
	}
}

// wellFormed lets a parser of the format judge a text.
func wellFormed(format Format, text []byte, o Options) error {
	trimmed := bytes.TrimPrefix(text, []byte("\ufeff"))
	switch format {
	case JSON:
		var items []map[string]any
		return json.Unmarshal(trimmed, &items)
	case JSONL:
		for line := range bytes.Lines(trimmed) {
			var item map[string]any
			if err := json.Unmarshal(line, &item); err != nil {
				return err
			}
		}
	case CSV:
		r := csv.NewReader(bytes.NewReader(trimmed))
		if o.Delimiter != "" {
			r.Comma = []rune(o.Delimiter)[0]
		}
		_, err := r.ReadAll() // fails when rows differ in length
		return err
	case XML, RSS, HTML: // our tables are XML too
		d := xml.NewDecoder(bytes.NewReader(trimmed))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			start, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			seen := map[xml.Name]bool{}
			for _, a := range start.Attr {
				if seen[a.Name] {
					return fmt.Errorf("two attributes %v", a.Name)
				}
				seen[a.Name] = true
			}
			// The decoder leaves a prefix that nobody declared in the place of
			// the namespace.
			if format == XML && start.Name.Space != "" && !strings.Contains(start.Name.Space, ":") && !strings.Contains(string(text), `xmlns:`) {
				return fmt.Errorf("nobody declared the prefix of %v", start.Name)
			}
		}
	case XLSX:
		book, err := excelize.OpenReader(bytes.NewReader(text))
		if err != nil {
			return err
		}
		return book.Close()
	}
	return nil
}

// sheetText tells what is in a workbook: a cell's type and what it shows.
func sheetText(t testing.TB, workbook []byte) string {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(workbook))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.GetRows("Data", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[excelize.CellType]string{
		excelize.CellTypeInlineString: "text ", excelize.CellTypeBool: "bool ", excelize.CellTypeNumber: "number ", excelize.CellTypeUnset: "number ",
	}
	var b strings.Builder
	for y, row := range rows {
		for x, text := range row {
			at, _ := excelize.CoordinatesToCellName(x+1, y+1)
			kind, err := book.GetCellType("Data", at)
			if err != nil {
				t.Fatal(err)
			}
			if text != "" {
				fmt.Fprintf(&b, "%s %s%s\n", at, kinds[kind], strconv.Quote(text))
			}
		}
	}
	return b.String()
}
