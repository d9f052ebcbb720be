package jsonc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestParse(t *testing.T) {
	doc, err := Parse("f.json", []byte("\ufeff// first\n{ \"a\": [1.50, /* two */ true,], \"ž\": {\"x\": null},\n \"a\": \"\\u00e9\" } // last"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(doc.Root.JSON()), `{"a":"\u00e9","ž":{"x":null}}`; got != want {
		t.Errorf("JSON gives %s, want %s", got, want)
	}
	if got := doc.Root.Get("a"); got.Text != "é" || doc.Position(got.Start) != "f.json:3:7" {
		t.Errorf("the last a is %q at %s", got.Text, doc.Position(got.Start))
	}
	if got := doc.Root.Get("ž").Get("x"); !got.Is(Null) || doc.Position(got.Start) != "f.json:2:44" {
		t.Errorf("x is %v at %s", got.Kind, doc.Position(got.Start))
	}
	if n := len(doc.Root.Members); n != 3 {
		t.Errorf("%d members, want 3 with the duplicate", n)
	}
	if doc.Root.Get("none").Get("deeper").Is(Object) {
		t.Error("a member of nothing is an object")
	}
}

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "f.json:1:1: the file is empty",
		"\n {\n\"a\" 1}":             "f.json:3:5: invalid character '1'",
		"{\"a\": \"x":                "f.json:1:9: unexpected end of file",
		"{\n\"a\": [1,\n":            "f.json:3:1: unexpected end of file",
		"{'a': 1}":                   `f.json:1:2: invalid character '\''`,
		"{\"a\": tru}":               "f.json:1:7: invalid literal: tru",
		"{\"a\": 01}":                "f.json:1:7: invalid literal: 01",
		"{} {}":                      "f.json:1:4: invalid character '{' after top-level value",
		"/* open":                    "f.json:1:1: unexpected end of file",
		strings.Repeat("[", 200_000): "f.json:1:10001: values are nested more than 10000 deep",
	} {
		_, err := Parse("f.json", []byte(text))
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q gives %v, want %s", text, err, want)
		}
	}
}

func TestParseStrict(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\"a\": 1,\n}": "f.json:3:1: comments and trailing commas are not allowed here",
		"{} // x":         "f.json:1:4: comments and trailing commas are not allowed here",
		"{":               "f.json:1:2: unexpected end of file",
	} {
		_, err := ParseStrict("f.json", []byte(text))
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
	if _, err := ParseStrict("f.json", []byte(` {"//": "[,]"} `)); err != nil {
		t.Error(err)
	}
}

// Brackets and quotation marks in strings and comments are not nesting.
func TestDepthIgnoresText(t *testing.T) {
	text := `{"a": "` + strings.Repeat(`[\"`, 20_000) + `" /*` + strings.Repeat("[", 20_000) + "*/ } //" + strings.Repeat(`"{`, 20_000)
	if _, err := Parse("f.json", []byte(text)); err != nil {
		t.Errorf("%.200s", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"a":[1,/**/2,],} // x`)
	f.Add("{\"a\"\n:\"\\ud800\",\"a\":{}}")
	f.Add(`"\"[`)
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := Parse("f.json", []byte(text))
		if err != nil {
			if !fault.Is(err, fault.InvalidInput) || !strings.HasPrefix(err.Error(), "f.json:") {
				t.Fatalf("%q gives %v", text, err)
			}
			if json.Valid([]byte(text)) {
				t.Fatalf("%q is JSON but gives %v", text, err)
			}
			return
		}
		if out := doc.Root.JSON(); !json.Valid(out) {
			t.Fatalf("%q comes out as %q", text, out)
		}
	})
}
