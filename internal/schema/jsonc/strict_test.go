package jsonc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts are JSON, and what is nearly so.
var texts = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `1.5e+10`, `-12E-3`, `""`, ` [ 1 , "a" , { "b" : [ ] } ] `,
	`{"a":1,"a":2,"":{"\u0061\n\"\\\/\b\f\r\t":"\ud83d\ude00 \ud800 ž😀"}}`, "\"\x80\xff\"", `[[[[[]]]],{"a":{"a":{}}}]`, "\t\r\n1\n",
	``, ` `, `{`, `[`, `[1,]`, `{"a":1,}`, `{,}`, `[,]`, `{"a"}`, `{"a":}`, `{a:1}`, `01`, `1.`, `.5`, `+1`, `-`, `1e`, `1e+`, `"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`,
	"\"\n\"", "\"\x00\"", `tru`, `nul`, `nullx`, `true false`, `[1 2]`, `{"a":1 "b":2}`, `{"a" 1}`, `// c`, `/* c */ 1`, `[1]]`, `{}}`, `Infinity`, `'a'`, "\xc2\xa01", `[1,2`, `{"a":1`,
	strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth), `[` + strings.Repeat(`{"k":"v","n":1},`, 100) + `0]`,
}

// compareStrict holds the quick way of reading against the other.
func compareStrict(t *testing.T, text string) {
	root, ok := parseStrict([]byte(text))
	if ok != json.Valid([]byte(text)) {
		t.Fatalf("%.80q is read as plain JSON: %t", text, ok)
	}
	if !ok {
		return
	}
	doc, err := Parse("x", []byte(text))
	if err != nil {
		t.Fatalf("%.80q is read as plain JSON, but not as JSON with comments: %v", text, err)
	}
	if diff := cmp.Diff(doc.Root, root, cmp.AllowUnexported(Value{}, Member{})); diff != "" {
		t.Fatalf("%.80q is read otherwise (-with comments +plain):\n%.2000s", text, diff)
	}
}

func TestParseStrictReadsWhatParseReads(t *testing.T) {
	for _, text := range texts {
		if strings.Count(text, "[") > 9000 || strings.Count(text, "{") > 9000 {
			// Too deep to be compared node by node.
			if _, ok := parseStrict([]byte(text)); ok != json.Valid([]byte(text)) {
				t.Errorf("%.80q is read as plain JSON: %t", text, ok)
			}
			continue
		}
		compareStrict(t, text)
	}
}

func TestStrictValuesAreTheirOwn(t *testing.T) {
	data := []byte(`{"a":["b",1]}`)
	doc, err := ParseStrict("x", data)
	if err != nil {
		t.Fatal(err)
	}
	copy(data, strings.Repeat("#", len(data)))
	if got := string(doc.Root.JSON()); got != `{"a":["b",1]}` {
		t.Errorf("values change with what they were read from: %s", got)
	}
}

func FuzzParseStrict(f *testing.F) {
	for _, text := range texts {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 10_000 {
			compareStrict(t, text)
		}
	})
}

func BenchmarkParseStrict(b *testing.B) {
	text := []byte(`[` + strings.Repeat(`{"url":"https://example.com/page","count":12,"flag":true,"names":["a","b"]},`, 20) + `0]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseStrict("x", text); err != nil {
			b.Fatal(err)
		}
	}
}
