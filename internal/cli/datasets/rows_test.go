package datasets

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

func TestRows(t *testing.T) {
	for _, test := range []struct {
		text       string
		csv        bool
		count      int
		end, first int64
	}{
		{"", false, 0, 0, 0},
		{"{}", false, 0, 0, 0},
		{"{}\n{\"a\":1", false, 1, 3, 3},
		{"{\"q\":\"\\\"\"}\n{}\n", false, 2, 14, 11},
		{"a,b\r\n1,\"x\ny\"\r\n2,", true, 2, 14, 5},
		{"a\n\"x\"\"\ny\"\n", true, 2, 10, 2},
		{"a\n\"open\n1\n", true, 1, 2, 2},
		{"a\n\n\n", true, 3, 4, 2},
	} {
		r := rows{csv: test.csv}
		if _, err := r.Write([]byte(test.text)); err != nil {
			t.Fatal(err)
		}
		if r.count != test.count || r.end != test.end || r.first != test.first || r.pos != int64(len(test.text)) {
			t.Errorf("%q: %+v, want %+v", test.text, r, test)
		}
	}
}

func FuzzRows(f *testing.F) {
	f.Add([]byte("a,b\r\n1,\"x\ny\"\r\n"), 3, true)
	f.Add([]byte("{}\n{}\n"), 1, false)
	f.Add([]byte("a\n\"\"\"\n\"\n"), 2, true)
	f.Fuzz(func(t *testing.T, text []byte, at int, isCSV bool) {
		whole, pieces := rows{csv: isCSV}, rows{csv: isCSV}
		_, _ = whole.Write(text)
		at = min(max(0, at), len(text))
		_, _ = pieces.Write(text[:at])
		_, _ = pieces.Write(text[at:])
		if whole != pieces {
			t.Errorf("%q cut at %d: %+v, whole %+v", text, at, pieces, whole)
		}
		if whole.end > int64(len(text)) || whole.end > 0 && text[whole.end-1] != '\n' {
			t.Errorf("%q: rows end at %d", text, whole.end)
		}
		if !isCSV {
			if want := bytes.Count(text, []byte("\n")); whole.count != want {
				t.Errorf("%q: %d rows, want %d", text, whole.count, want)
			}
			return
		}
		// What encoding/csv can read has as many rows, empty ones not counted.
		records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err == nil && len(text) > 0 && text[len(text)-1] == '\n' && len(records) > whole.count {
			t.Errorf("%q: %d rows, encoding/csv has %d", text, whole.count, len(records))
		}
	})
}

func FuzzItems(f *testing.F) {
	for _, seed := range []string{`[{"a":1},{}]`, "{}\n{}", "\ufeff{}", "[", "[{}", "[]x", "[[", "7", "{}[", "null", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var items []json.RawMessage
		var failed error
		for item, err := range itemsOf(strings.NewReader(text), "the text") {
			if failed != nil {
				t.Fatal("something follows an error")
			}
			if failed = err; err == nil {
				items = append(items, item)
				if !json.Valid(item) || item[0] != '{' {
					t.Errorf("%q gives the item %q", text, item)
				}
			}
		}
		var array []map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &array); err == nil && array != nil {
			if whole := failed == nil && len(items) == len(array); !whole && !strings.Contains(text, "null") {
				t.Errorf("%q gives %d items, want %d: %v", text, len(items), len(array), failed)
			}
		}
	})
}
