package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/greenroom-dev/greenroom/internal/export/sheet"
	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// written gives an export as text.
func written(t testing.TB, o Options, items ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(t.Context(), &out, itemsOf(items...), o); err != nil {
		t.Fatal(err)
	}
	if err := wellFormed(o.Format, out.Bytes(), o); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
	return out.String()
}

func TestElements(t *testing.T) {
	for item, want := range map[string]string{
		`{}`:                             `<item/>`,
		`{"a":[]}`:                       `<item/>`,
		`{"a":[],"#":"text"}`:            `<item>text</item>`,
		`{"#":"text","a":null}`:          `<item><a/></item>`,
		`{"#":""}`:                       `<item></item>`,
		`{"#":null}`:                     `<item/>`,
		`{"#":{"b":[1, 2]}}`:             `<item>{&#34;b&#34;:[1,2]}</item>`,
		`{"@":{"id":7,"x":null}}`:        `<item id="7" x=""/>`,
		`{"@":{"id":{"a": 1}},"b":1}`:    `<item id="{&#34;a&#34;:1}"><b>1</b></item>`,
		`{"@":{"a b":1,"a_b":2}}`:        `<item a_b="1"/>`,
		`{"@":"no object"}`:              `<item><_>no object</_></item>`,
		`{"a":[[1,2],[],3]}`:             `<item><a><a>1</a><a>2</a></a><a></a><a>3</a></item>`,
		`{"a":{"b":{"@":{"c":"d"}}}}`:    `<item><a><b c="d"/></a></item>`,
		`{"1st":1,"a b":2,"":3,"-":4}`:   `<item><_1st>1</_1st><a_b>2</a_b><_>3</_><_->4</_-></item>`,
		`{"og:title":"t"}`:               `<item><og_title>t</og_title></item>`,
		`{"xml:lang":"t"}`:               `<item><xml:lang>t</xml:lang></item>`,
		`{"xmlns:a":"t"}`:                `<item><xmlns_a>t</xmlns_a></item>`,
		`{"a:b:c":1,":":2,"a:":3}`:       `<item><a_b_c>1</a_b_c><_>2</_><a_>3</a_></item>`,
		`{"日本":"語","𠀀":1}`:               `<item><日本>語</日本><_>1</_></item>`,
		`{"a":"\u0000\ud800x\ufffe]]>"}`: "<item><a>\ufffd\ufffdx\ufffd]]&gt;</a></item>",
		`{"@":{"xmlns:og":"urn:og"},"og:title":{"@":{"og:a":1}},"c":{"og:d":1}}`: `<item xmlns:og="urn:og"><og:title og:a="1"/><c><og:d>1</og:d></c></item>`,
		`{"a":{"@":{"xmlns:og":"urn:og"}},"og:title":1}`:                         `<item><a xmlns:og="urn:og"/><og_title>1</og_title></item>`,
		`{"@":{"xmlns:og":"","xmlns:xmlx":"u","og:a":1}}`:                        `<item xmlns_og="" xmlns_xmlx="u" og_a="1"/>`,
		`{"@":{"xmlns":"http://www.w3.org/2000/xmlns/","b":1}}`:                  `<item b="1"/>`,
	} {
		const start, end = xmlHeader + "<items>\n", "\n</items>\n"
		got := written(t, Options{Format: XML}, item)
		if got = strings.TrimSuffix(strings.TrimPrefix(got, start), end); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", item, got, want)
		}
	}
	if got := written(t, Options{Format: RSS}, `{"media:content":{"@":{"url":"u"}},"og:x":1}`); !strings.Contains(got, `<item><media:content url="u"/><og_x>1</og_x></item>`) {
		t.Errorf("feed: %s", got)
	}
}

func TestCells(t *testing.T) {
	long := strings.Repeat("é", 40_000)
	book := written(t, Options{Format: XLSX},
		`{"n":1.5e3,"big":9007199254740993,"exact":123456789012345,"huge":1e999,"neg":-0.25,"yes":true,"no":false,"null":null,"empty":"","formula":"=1+1","space":" x ","escaped":"_x0041_","line":"a\nb\tc","long":"`+long+`"}`)
	text := sheetText(t, []byte(book))
	for _, want := range []string{
		`A2 number "1500"`, `B2 text "9007199254740993"`, `C2 number "123456789012345"`, `D2 text "1e999"`, `E2 number "-0.25"`,
		`F2 bool "1"`, `G2 bool "0"`, `J2 text "=1+1"`, `K2 text " x "`, `L2 text "_x0041_"`, `M2 text "a\nb\tc"`,
		`N2 text "` + long[:2*excelize.TotalCellChars] + `"`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%.60s is missing in\n%.800s", want, text)
		}
	}
	if again := written(t, Options{Format: XLSX}, `{"n":1}`); again != written(t, Options{Format: XLSX}, `{"n":1}`) {
		t.Error("the same items make different workbooks: ranges of bytes would not fit together")
	}
}

func TestNoItems(t *testing.T) {
	for format, want := range map[Format]string{
		JSON: "[]", JSONL: "", CSV: "\ufeff", HTML: "<table></table>\n", XML: xmlHeader + "<items>\n</items>\n",
	} {
		if got := written(t, Options{Format: format}); got != want {
			t.Errorf("%s: %q", format, got)
		}
	}
	if got := sheetText(t, []byte(written(t, Options{Format: XLSX}))); got != "" {
		t.Errorf("a sheet without items has %s", got)
	}
	written(t, Options{Format: RSS})
	for _, format := range formats { // items without any column
		written(t, Options{Format: format}, `{}`, `{"a":[]}`)
	}
	if got := written(t, Options{Format: CSV, Fields: []string{"a"}}, `{}`, `{"a":1}`); got != "\ufeffa\n\"\"\n1\n" {
		t.Errorf("an empty row of one column: %q", got)
	}
}

func TestTablesHaveLimits(t *testing.T) {
	wide := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%d":%d`, i, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	name := func(n int) string { return `{"` + strings.Repeat("é", n) + `":1}` }
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	for _, format := range []Format{CSV, HTML, XLSX} {
		written(t, Options{Format: format}, wide(maxColumns))
		written(t, Options{Format: format}, name(maxColumnName))
		for what, item := range map[string]string{"columns": wide(maxColumns + 1), "a name": name(maxColumnName + 1), "depth": deep} {
			var out bytes.Buffer
			err := Write(t.Context(), &out, itemsOf(`{}`, item), Options{Format: format})
			if !fault.Is(err, fault.InvalidRequest) || out.Len() > 0 {
				t.Errorf("%s with too much of %s: %v, %d bytes", format, what, err, out.Len())
			}
		}
	}
	for _, format := range []Format{JSON, XML, RSS} {
		written(t, Options{Format: format, Flatten: []string{"a"}}, wide(maxColumns+1), name(maxColumnName+1), deep)
		written(t, Options{Format: format}, strings.Repeat(`{"a":[`, 2000)+strings.Repeat("]}", 2000))
	}
	if testing.Short() {
		return
	}
	rows := func(n int) Items {
		return func(yield func(json.RawMessage, error) bool) {
			for range n {
				if !yield(json.RawMessage(`{}`), nil) {
					return
				}
			}
		}
	}
	if err := Write(t.Context(), io.Discard, rows(sheet.MaxRows), Options{Format: XLSX}); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("a sheet of too many rows: %v", err)
	}
}

// TestUnwindingIsBounded unwinds one item to a million times a million records:
// memory must not grow with them, and the caller must be able to leave.
func TestUnwindingIsBounded(t *testing.T) {
	array := "[" + strings.Repeat("1,", 999) + "1]"
	item := `{"a":` + array + `,"b":` + array + `,"c":` + array + `,"d":` + array + `}`
	for _, format := range formats {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := Write(ctx, io.Discard, itemsOf(item), Options{Format: format, Unwind: []string{"a", "b", "c", "d"}, SkipEmpty: true, Omit: []string{"a", "b", "c", "d"}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// flushes counts what a connection is asked to send.
type flushes struct {
	bytes.Buffer
	n int
}

func (f *flushes) Flush() error { f.n++; return nil }

func TestSlowItemsArrive(t *testing.T) {
	var w flushes
	seen := 0
	items := func(yield func(json.RawMessage, error) bool) {
		for i := range 200 {
			if i == 100 {
				time.Sleep(flushInterval)
			}
			if i == 199 {
				seen = w.Len()
			}
			if !yield(json.RawMessage(`{}`), nil) {
				return
			}
		}
	}
	if err := Write(t.Context(), &w, items, Options{}); err != nil {
		t.Fatal(err)
	}
	if w.n == 0 || seen == 0 {
		t.Errorf("%d flushes, %d bytes before the end", w.n, seen)
	}
}

func TestSheetsNeedNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	large := `{"text":"` + strings.Repeat("x", 30_000) + `"}`
	items := func(fail bool) Items {
		return func(yield func(json.RawMessage, error) bool) {
			for n := range 600 {
				if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
					t.Errorf("there is %v, %v", left, err)
				}
				if fail && n == 500 {
					yield(nil, io.ErrUnexpectedEOF)
					return
				}
				if !yield(json.RawMessage(large), nil) {
					return
				}
			}
		}
	}
	if err := Write(t.Context(), io.Discard, items(false), Options{Format: XLSX}); err != nil {
		t.Error(err)
	}
	if err := Write(t.Context(), io.Discard, items(true), Options{Format: XLSX}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestCellsHoldAnyText(t *testing.T) {
	texts := []string{"a\r\nb\tc", "_x000D_", "_x00", "__x0041_", "😀", "a & b < c > d \"e\"", "\u2028", "_xZZZZ_"}
	object := map[string]string{}
	for i, text := range texts {
		object[fmt.Sprint("t", i)] = text
	}
	item, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	text := sheetText(t, []byte(written(t, Options{Format: XLSX}, string(item))))
	for i, want := range texts {
		if line := fmt.Sprintf("%s2 text %q\n", string(rune('A'+i)), want); !strings.Contains(text, line) {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
}

// manyItems are like those that a scraper of a shop makes.
func manyItems(n int) Items {
	return func(yield func(json.RawMessage, error) bool) {
		var item []byte
		for i := range n {
			item = fmt.Appendf(item[:0], `{"url":"https://shop.example/products/%d?ref=a&b","title":"Product <%d>","price":%d.50,"inStock":%t,"tags":["new","sale"],"size":{"w":%d,"h":2}}`,
				i, i, i%1000, i%2 == 0, i%77)
			if !yield(item, nil) {
				return
			}
		}
	}
}

// raced is set by the race detector, whose own memory and slowness say nothing
// about an export.
var raced bool

// TestMemoryStaysFlat exports 200,000 items in each format and looks at the heap
// meanwhile.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("exports 200,000 items in each format")
	}
	const most = 80 << 20
	for _, format := range formats {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		peak, err := peakOf(t.Context(), manyItems(200_000), format)
		if err != nil {
			t.Fatal(err)
		}
		grown := int64(peak) - int64(before.HeapAlloc)
		t.Logf("%s: %d MB", format, grown>>20)
		if grown > most {
			t.Errorf("%s: the heap grew by %d MB, at most %d are allowed", format, grown>>20, most>>20)
		}
	}
}

// peakOf exports to nowhere and gives the largest heap that was seen, in bytes.
func peakOf(ctx context.Context, items Items, format Format) (uint64, error) {
	var peak atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapAlloc))
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	err := Write(ctx, io.Discard, items, Options{Format: format})
	close(stop)
	<-stopped
	return peak.Load(), err
}

// BenchmarkExport exports 100,000 items; MB/s are of what is written.
func BenchmarkExport(b *testing.B) {
	for _, format := range formats {
		b.Run(string(format), func(b *testing.B) {
			const n = 100_000
			var peak uint64
			for b.Loop() {
				var err error
				if peak, err = peakOf(b.Context(), manyItems(n), format); err != nil {
					b.Fatal(err)
				}
			}
			counter := &flushes{}
			if err := Write(b.Context(), counter, manyItems(n/100), Options{Format: format}); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(counter.Len()) * 100)
			b.ReportMetric(float64(peak>>20), "MB-peak")
		})
	}
}

func FuzzWrite(f *testing.F) {
	for _, thing := range things {
		f.Add(thing, "name,#note", "t,u", "", "offers,size", "size", "root", ";", byte(7))
	}
	f.Add(`{"@":{"xmlns:a":"u","a:b":1,"xml:b":2,"xmlns":"v"},"a:c":[[]],"#":{}}`, "", "", "x", "a,a", "a,b", "a:b", "\t", byte(0))
	f.Add(`{"a":{"b":{"c":[{"d":1}]}},"a/b":1,"a.b":2}`, "a,a", "x,x", "b", "a", "a", "é", "é", byte(3))
	f.Fuzz(func(t *testing.T, item, fields, outputFields, omit, unwind, flatten, name, delimiter string, flags byte) {
		if len(item) > 1<<16 || !json.Valid([]byte(item)) || jsontext.Kind([]byte(item)) != "an object" {
			return
		}
		list := func(text string) []string {
			if text == "" {
				return nil
			}
			return strings.Split(text, ",")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for _, format := range formats {
			o := Options{
				Format: format, Fields: list(fields), OutputFields: list(outputFields), Omit: list(omit), Unwind: list(unwind), Flatten: list(flatten),
				SkipHidden: flags&1 > 0, SkipEmpty: flags&2 > 0, SkipFailed: flags&4 > 0, SkipHeaderRow: flags&8 > 0,
				XMLRoot: name, XMLRow: name, Delimiter: delimiter, FeedTitle: name, FeedLink: fields, FeedDescription: omit,
			}
			if flags&16 > 0 {
				yes := flags&32 > 0
				o.BOM = &yes
			}
			var out bytes.Buffer
			err := Write(ctx, &out, itemsOf(item, `{"a":1}`), o)
			if fault.Is(err, fault.InvalidRequest) || errors.Is(err, context.DeadlineExceeded) {
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			if err := wellFormed(format, out.Bytes(), o); err != nil {
				t.Fatalf("%s: %v: %q", format, err, out.Bytes())
			}
		}
	})
}

func TestDocument(t *testing.T) {
	for _, format := range formats {
		o := Options{Format: format}
		whole := written(t, o, things...)
		d, err := Open(t.Context(), itemsOf(things...), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(d, []byte(whole)); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(t.Context(), itemsOf("["), Options{}); !fault.Is(err, fault.Internal) {
		t.Errorf("a broken item: %v", err)
	}
}
