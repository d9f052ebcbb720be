package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func itemsOf(texts ...string) Items {
	return func(yield func(json.RawMessage, error) bool) {
		for _, text := range texts {
			if !yield(json.RawMessage(text), nil) {
				return
			}
		}
	}
}

func TestWrite(t *testing.T) {
	no := false
	for name, test := range map[string]struct {
		items []string
		o     Options
		want  string
	}{
		"keeps order and numbers": {
			[]string{"{\n\t\"z\": 1.50,\n\t\"a\": 12345678901234567890,\n\t\"e\": 1E400\n}"}, Options{},
			`[{"z":1.50,"a":12345678901234567890,"e":1E400}]`},
		"no items":     {nil, Options{}, `[]`},
		"jsonl":        {[]string{`{"a": "<é>"}`, `{}`}, Options{Format: JSONL}, "{\"a\":\"<é>\"}\n{}\n"},
		"fields order": {[]string{`{"a":1,"b":2,"c":3}`}, Options{Fields: []string{"c", "x", "a"}}, `[{"c":3,"a":1}]`},
		"output fields": {[]string{`{"a":1,"b":2}`},
			Options{Fields: []string{"b", "a"}, OutputFields: []string{"B", "A"}}, `[{"B":2,"A":1}]`},
		"omit beats fields":    {[]string{`{"a":1,"b":2}`}, Options{Fields: []string{"a", "b"}, Omit: []string{"a"}}, `[{"b":2}]`},
		"omit":                 {[]string{`{"a":1,"b":2}`}, Options{Omit: []string{"a"}}, `[{"b":2}]`},
		"hidden":               {[]string{`{"#a":1,"b":2}`, `{"#c":1}`}, Options{SkipHidden: true}, `[{"b":2},{}]`},
		"hidden and empty":     {[]string{`{"#a":1,"b":2}`, `{"#c":1}`}, Options{SkipHidden: true, SkipEmpty: true}, `[{"b":2}]`},
		"failed":               {[]string{`{"errorInfo":{}}`, `{"errorInfo":null}`}, Options{SkipFailed: true}, `[{"errorInfo":null}]`},
		"unwind object":        {[]string{`{"foo":{"bar":"hello"}}`}, Options{Unwind: []string{"foo"}}, `[{"bar":"hello"}]`},
		"unwind array":         {[]string{`{"p":1,"l":[{"a":1},{"p":2}]}`}, Options{Unwind: []string{"l"}}, `[{"p":1,"a":1},{"p":2}]`},
		"unwind others":        {[]string{`{"l":5}`, `{"x":1}`}, Options{Unwind: []string{"l"}}, `[{"l":5},{"x":1}]`},
		"unwind twice":         {[]string{`{"a":[{"b":[{"c":1},{"c":2}]}]}`}, Options{Unwind: []string{"a", "b"}}, `[{"c":1},{"c":2}]`},
		"flatten":              {[]string{`{"x":0,"a":{"b":{"c":1},"d":[{}]},"y":9}`}, Options{Flatten: []string{"a"}}, `[{"x":0,"a.b.c":1,"a.d":[{}],"y":9}]`},
		"flatten, then fields": {[]string{`{"a":{"b":1}}`}, Options{Flatten: []string{"a"}, Fields: []string{"a.b"}}, `[{"a.b":1}]`},
		"escaped keys":         {[]string{`{"a\"\u0001é":1,"b":2}`}, Options{Omit: []string{"b"}}, "[{\"a\\\"\\u0001é\":1}]"},
		"csv":                  {[]string{`{"a":"x,\"y\"","n":{"k":[1,null]}}`, `{"b":true}`}, Options{Format: CSV}, "\ufeffa,n/k/0,n/k/1,b\n\"x,\"\"y\"\"\",1,,\n,,,true\n"},
		"csv options":          {[]string{`{"a":1,"b":2}`}, Options{Format: CSV, BOM: &no, Delimiter: ";", SkipHeaderRow: true}, "1;2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Write(t.Context(), &out, itemsOf(test.items...), test.o); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("got  %q\nwant %q", out.String(), test.want)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		o    Options
		code fault.Code
	}{
		"output fields of another length": {Options{Fields: []string{"a"}, OutputFields: []string{"a", "b"}}, fault.InvalidRequest},
		"long delimiter":                  {Options{Format: CSV, Delimiter: "ab"}, fault.InvalidRequest},
		"delimiter that is a quote":       {Options{Format: CSV, Delimiter: `"`}, fault.InvalidRequest},
		"delimiter that ends lines":       {Options{Format: CSV, Delimiter: "\n"}, fault.InvalidRequest},
		"delimiter that is no character":  {Options{Format: CSV, Delimiter: "\xff"}, fault.InvalidRequest},
		"root that is no name":            {Options{Format: XML, XMLRoot: "a b"}, fault.InvalidRequest},
		"row that injects":                {Options{Format: XML, XMLRow: "a/><b"}, fault.InvalidRequest},
		"unknown format":                  {Options{Format: "yaml"}, fault.InvalidRequest},
	} {
		if err := Write(t.Context(), &bytes.Buffer{}, itemsOf(`{}`), test.o); !fault.Is(err, test.code) {
			t.Errorf("%s: got %v, want %s", name, err, test.code)
		}
	}
	if _, err := ParseFormat("yaml"); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("unknown format: %v", err)
	}
}

func TestWriteStopsAtAnError(t *testing.T) {
	broken := errors.New("disk on fire")
	items := func(yield func(json.RawMessage, error) bool) {
		_ = yield(json.RawMessage(`{"a":1}`), nil) && yield(nil, broken)
	}
	var out bytes.Buffer
	if err := Write(t.Context(), &out, items, Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if strings.HasSuffix(out.String(), "]") {
		t.Errorf("a broken export looks complete: %s", out.String())
	}
}

func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, ` { "a" : [ 1 , "]" ] , "b\u0061" : { } } `, `{"a"`, `{"a":"\`, `[`, `{"a":}`, `{"a":1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		members, err := Members(text)
		if !json.Valid(text) {
			return // must not panic; the result does not matter
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(text, &want) != nil || jsontext.Kind(text) != "an object" {
			return
		}
		if err != nil {
			t.Fatalf("valid object refused: %v", err)
		}
		got := map[string]json.RawMessage{}
		for _, m := range members {
			got[m.Key] = m.Value
		}
		if len(got) != len(want) {
			t.Fatalf("%d keys, want %d", len(got), len(want))
		}
		for k, v := range want {
			if string(bytes.TrimSpace(v)) != string(got[k]) {
				t.Fatalf("key %q: got %s, want %s", k, got[k], v)
			}
		}
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\x00\u2028é\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); len([]rune(s)) == len([]rune(want)) && back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}
