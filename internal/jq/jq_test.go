package jq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestWrite(t *testing.T) {
	for _, test := range []struct{ expression, data, want string }{
		{".", `{"b":1,"a":"<&>"}`, `{"a":"<&>","b":1}` + "\n"},
		{".[]", `["a\nb",null,true,1.5,{}]`, "a\nb\nnull\ntrue\n1.5\n{}\n"},
		{".n", `{"n":12345678901234567890123}`, "12345678901234567890123\n"},
		{"empty", `1`, ""},
		{"1, halt, 2", `1`, "1\n"},
		{"env | length", `1`, "0\n"},
		{`map(select(.x > 1)) | length`, `[{"x":1},{"x":2}]`, "1\n"},
	} {
		var out bytes.Buffer
		query, err := Parse(test.expression)
		if err == nil {
			err = query.Write(t.Context(), &out, []byte(test.data))
		}
		if err != nil || out.String() != test.want {
			t.Errorf("%s of %s gives %q, %v, want %q", test.expression, test.data, out.String(), err, test.want)
		}
	}
}

func TestWrongExpressions(t *testing.T) {
	for expression, want := range map[string]string{
		".[":                  "line 1, column 3: unexpected EOF",
		".a ] .b":             `line 1, column 4: unexpected token "]"`,
		"é | .a ]":            "line 1, column 1: ",
		"\"é\" | .a ]":        `line 1, column 10: unexpected token "]"`,
		".a\n| .b\n| )":       `line 3, column 3: unexpected token ")"`,
		".a\n| nosuch(1)":     "line 2, column 3: function not defined: nosuch/1",
		".nosuch | nosuch":    "line 1, column 11: function not defined",
		". as $x | $y":        "line 1, column 11: variable not defined: $y",
		`"abc`:                "line 1, column 5: unterminated string",
		"":                    "missing query",
		`include "x"; .`:      "jq expression is wrong",
		"1 | input":           "line 1, column 5: input",
		"$ENV.HOME | strings": "",
	} {
		_, err := Parse(expression)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", expression, err)
			}
			continue
		}
		if !fault.Is(err, fault.Usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", expression, err, want)
		}
	}
}

func TestWhatCannotBeApplied(t *testing.T) {
	for expression, want := range map[string]string{
		".a": "expected an object", "error({a:1})": `{"a":1}`, "@nosuch": "format not defined", "halt_error": "halted: ", `{a:"x"}|halt_error(1)`: `halted: {"a":"x"}`,
	} {
		query, err := Parse(expression)
		if err != nil {
			t.Fatal(err)
		}
		if err := query.Write(t.Context(), &bytes.Buffer{}, []byte(`"text"`)); !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
	query, err := Parse(".")
	if err != nil {
		t.Fatal(err)
	}
	if err := query.Write(t.Context(), &bytes.Buffer{}, []byte("{")); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("no JSON: %v", err)
	}
}

func TestEndlessExpressionsEndWithTheContext(t *testing.T) {
	query, err := Parse("def f: f; f")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := query.Write(ctx, &bytes.Buffer{}, []byte("1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestPrint(t *testing.T) {
	for _, test := range []struct {
		output Output
		value  any
		want   string
	}{
		{Output{JSON: true}, json.RawMessage(`{"b":1.0,"a":"<"}`), "{\n  \"b\": 1.0,\n  \"a\": \"<\"\n}\n"},
		{Output{JSON: true}, map[string]string{"a": "<"}, "{\n  \"a\": \"<\"\n}\n"},
		{Output{Expression: ".a"}, json.RawMessage(`{"a":"<"}`), "<\n"},
		{Output{Expression: ".a", JSON: true}, map[string]int{"a": 1}, "1\n"},
	} {
		var out bytes.Buffer
		if err := test.output.Print(t.Context(), &cmdkit.IO{Out: &out}, test.value); err != nil || out.String() != test.want {
			t.Errorf("%+v: %q, %v", test.output, out.String(), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{".", ".a[1:2]", "é ]", "\"\\(1 + ", "$x", "@csv", "def f: f; f", "nosuch", "..a", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if _, err := Parse(expression); err != nil && !fault.Is(err, fault.Usage) {
			t.Errorf("%q: %v", expression, err)
		}
	})
}
