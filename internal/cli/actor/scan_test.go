package actor

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// scanned collects what a source gives.
func scanned(from source) (items []string, err error) {
	groups := make(chan group)
	done := make(chan struct{})
	defer close(done)
	go scan(from, groups, done)
	for g := range groups {
		for _, item := range g.items {
			items = append(items, string(item))
		}
		if g.err != nil {
			return items, g.err
		}
	}
	return items, nil
}

func TestScan(t *testing.T) {
	for _, test := range []struct {
		text string
		json bool
		want []string
		err  string
	}{
		{text: ""},
		{text: " \n\t"},
		{text: `{}`, want: []string{`{}`}},
		{text: "\xef\xbb\xbf{\"a\":1}", want: []string{`{"a":1}`}},
		{text: "{\"a\":1}\r\n{\"b\":\"}{\\\"\"}\r\n", want: []string{`{"a":1}`, `{"b":"}{\""}`}},
		{text: `[{"a":1} , {"b":[{}]}][]{"c":3}`, want: []string{`{"a":1}`, `{"b":[{}]}`, `{"c":3}`}},
		{text: "{\n\"a\": [\n{\"b\":1}\n]}", want: []string{"{\n\"a\": [\n{\"b\":1}\n]}"}},
		{text: "a=1\n\n b=x\\ y c='z'", want: []string{`{"a":1}`, `{"b":"x y","c":"z"}`}},
		{text: "a=1", json: true, err: "test, line 1: an item must be a JSON object, got a=1"},
		{text: "{}\n\nnull", err: "test, line 3: an item must be a JSON object, got null", want: []string{"{}"}},
		{text: `[{},]`, err: "test, line 1: an item must be a JSON object, got ]", want: []string{"{}"}},
		{text: `[,]`, err: "test, line 1: an item must be a JSON object, got ,]"},
		{text: `[{} {}]`, err: "test, line 1: expected , or ] after an item of the array, got {}]", want: []string{"{}"}},
		{text: `[[{}]]`, err: "test, line 1: an item must be a JSON object, got [{}]]"},
		{text: `]`, json: true, err: "test, line 1: an item must be a JSON object, got ]"},
		{text: "[{}\n", err: "test, line 2: the array is not closed", want: []string{"{}"}},
		{text: "{}\n{\"a\":1", err: "test, line 2: the item is not JSON: unexpected end of JSON input", want: []string{"{}"}},
		{text: "{\"a\":\"x\n\"}", err: "test, line 1: the item is not JSON: invalid character '\\n' in string literal (on line 2)"},
		{text: "{\"a\":1\n{\"b\":2}", err: "test, line 1: the item is not JSON: invalid character '{' after object key:value pair (on line 2)"},
		{text: "{\"a\":[1}]", err: "test, line 1: the item is not JSON: invalid character '}' after array element"},
		{text: `a="x`, err: `test, line 1: a quote is not closed: a="x`},
		{text: "{\"a\":\"" + strings.Repeat("x", maxItem) + "\"}", err: "test, line 1: an item has more than 9437184 bytes, or never ends"},
	} {
		for name, in := range map[string]io.Reader{
			"whole":         strings.NewReader(test.text),
			"byte by byte":  iotest.OneByteReader(strings.NewReader(test.text)),
			"data with EOF": iotest.DataErrReader(strings.NewReader(test.text)),
		} {
			if len(test.text) > 1000 && name != "whole" {
				continue
			}
			got, err := scanned(source{name: "test", in: in, json: test.json})
			message := ""
			if err != nil {
				message, got = err.Error(), got[:min(len(got), len(test.want))]
			}
			want := test.err
			if name == "byte by byte" {
				message, want = withoutExcerpt(message), withoutExcerpt(want)
			}
			if message != want {
				t.Errorf("%.60q %s: error %.200q, want %q", test.text, name, message, want)
			}
			if err == nil && !slices.Equal(got, test.want) {
				t.Errorf("%.60q %s: got %.200q, want %q", test.text, name, got, test.want)
			}
		}
	}
}

// withoutExcerpt cuts off what of the input an error shows: that is what has
// arrived by then.
func withoutExcerpt(message string) string {
	message, _, _ = strings.Cut(message, ", got ")
	return message
}

func TestScanOfBrokenPipe(t *testing.T) {
	_, err := scanned(source{name: "test", in: iotest.TimeoutReader(strings.NewReader(strings.Repeat("{}\n", 200_000)))})
	if err == nil || !strings.Contains(err.Error(), "read test") {
		t.Errorf("got %v", err)
	}
}

// FuzzScan holds the scanner to the standard library's reading of the same
// stream, in whatever pieces it comes.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		`{"a":1}{"b":2}`, "{}\n{}\n", `[{"a":"]"},{}]`, `[]`, `[{},{"x":[{}]}] {}`, `{"a":1`, "{\"a\":1\n{}", `{"\\":"\""}`, `[[]]`, `{"a":{}`, "x=1", `{"a":1}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, wholeErr := scanned(source{name: "test", in: bytes.NewReader(text), json: true})
		pieces, piecesErr := scanned(source{name: "test", in: iotest.OneByteReader(bytes.NewReader(text)), json: true})
		if (wholeErr == nil) != (piecesErr == nil) || wholeErr != nil && withoutExcerpt(wholeErr.Error()) != withoutExcerpt(piecesErr.Error()) {
			t.Fatalf("errors differ: %v and %v", wholeErr, piecesErr)
		}
		want, ok := standard(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
		if ok != (wholeErr == nil) {
			t.Fatalf("%q: error %v, the standard library accepts: %v", text, wholeErr, ok)
		}
		if ok && (!slices.Equal(whole, want) || !slices.Equal(pieces, want)) {
			t.Fatalf("%q: got %q and %q, want %q", text, whole, pieces, want)
		}
	})
}

// standard reads objects and arrays of objects with encoding/json.
func standard(text []byte) (items []string, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		err := dec.Decode(&value)
		if err == io.EOF {
			return items, true
		}
		if err != nil {
			return nil, false
		}
		list := []json.RawMessage{value}
		if value[0] == '[' && json.Unmarshal(value, &list) != nil {
			return nil, false
		}
		for _, item := range list {
			if item = bytes.TrimSpace(item); len(item) == 0 || item[0] != '{' {
				return nil, false
			}
			items = append(items, string(item))
		}
	}
}

func TestSplitWords(t *testing.T) {
	for line, want := range map[string][]string{
		``:                    nil,
		`a b`:                 {"a", "b"},
		`  a=1   b=2 ` + "\r": {"a=1", "b=2"},
		`a="x y" b='z "w"'`:   {"a=x y", `b=z "w"`},
		`a=x\ y`:              {"a=x y"},
		`a="q\"q\\n\n"`:       {`a=q"q\n\n`},
		`a=#b #c`:             {"a=#b", "#c"},
		`"" a=''`:             {"", "a="},
	} {
		if got, err := splitWords(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q gives %q, %v, want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`a="`, `a='x`, `a\`} {
		if got, err := splitWords(line); err == nil {
			t.Errorf("%q gives %q", line, got)
		}
	}
}
