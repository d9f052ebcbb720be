package actor

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

var checked = []string{
	``, ` `, `1`, `-`, `-0`, `01`, `1.`, `1.5`, `1e`, `1e+`, `1e+9`, `1E-0`, `.5`, `-1.5e10 `, `+1`,
	`true`, `tru`, `truex`, `null `, `nul`, `falsefalse`, `""`, `"a\n"`, "\"a\n\"", `"\u12aF"`, `"\u12g4"`, `"\x"`, `"\`, `"`,
	`{}`, `{ }`, `{,}`, `{"a"}`, `{"a":}`, `{"a":1}`, `{"a":1,}`, `{"a":1,"b":[{}]}`, `{1:2}`, `{"a" : "b" }`, `{"a":"b"`, `}`,
	`[]`, `[,]`, `[1,]`, `[1 2]`, `[1,2]`, `[[[]]]`, `[[]`, `]`, `[}`, `{]`, `{"a":[}]`, `[1.5e3,-0]`, `[01]`, `[1,"a",null,true]`,
	`1 2`, `{}{}`, `[] x`, "\t\r\n{\n}\t", "\x00", `"é"`, "\xff", `{"a":tru}`,
}

func accepts(text string, cut int) bool {
	var c jsonChecker
	cut = min(max(cut, 0), len(text))
	c.write([]byte(text[:cut]))
	c.write([]byte(text[cut:]))
	return c.end()
}

func TestCheckerAgreesWithTheStandardLibrary(t *testing.T) {
	for _, text := range checked {
		if got, want := accepts(text, len(text)/2), json.Valid([]byte(text)); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	for depth, want := range map[int]bool{maxNesting: true, maxNesting + 1: false} {
		if got := accepts(strings.Repeat("[", depth)+strings.Repeat("]", depth), 7); got != want {
			t.Errorf("%d levels: got %v", depth, got)
		}
	}
}

func FuzzChecker(f *testing.F) {
	for _, text := range checked {
		f.Add(text, 1)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		if got, want := accepts(text, cut), json.Valid([]byte(text)); got != want {
			t.Errorf("%q cut at %d: got %v, want %v", text, cut, got, want)
		}
	})
}

// sniff judges text that arrives in pieces of the given size.
func sniff(text string, size int) (isJSON, isText, isBinary bool) {
	var s sniffer
	for len(text) > 0 {
		n := min(size, len(text))
		s.write([]byte(text[:n]))
		text = text[n:]
	}
	isJSON, isText = s.end()
	return isJSON, isText, !isText
}

func TestSnifferSeesCharactersAcrossChunks(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":"č€😀"}`:          "json",
		`č€😀 and on`:           "text",
		"č€😀"[:8]:              "binary",
		"\xffabc":              "binary",
		"abc\xc3":              "binary",
		"\xc3(":                "binary",
		"\xed\xa0\x80":         "binary", // a surrogate
		"\xf0\x9f\x98":         "binary",
		"a\x00b":               "binary",
		"":                     "text",
		"é" + "\x80":           "binary",
		"\xe2\x82\xe2\x82\xac": "binary",
	} {
		for size := 1; size <= 6; size++ {
			isJSON, isText, _ := sniff(text, size)
			got := "binary"
			if isText {
				got = "text"
			}
			if isJSON {
				got = "json"
			}
			if got != want {
				t.Errorf("%q in pieces of %d: got %s, want %s", text, size, got, want)
			}
		}
	}
}

func FuzzSniffer(f *testing.F) {
	f.Add("č€😀", 1)
	f.Add("\xf0\x9f", 2)
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = max(1, size%8)
		if _, isText, _ := sniff(text, size); isText != (utf8.ValidString(text) && !strings.Contains(text, "\x00")) {
			t.Errorf("%q in pieces of %d: text %v", text, size, isText)
		}
	})
}
