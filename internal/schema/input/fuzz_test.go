package input

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/schema/input/grammar"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// hostile are schemas made to take long, or to overflow something.
func hostile() map[string]string {
	const head, field = `{"title":"t","type":"object","schemaVersion":1,"properties":`, `{"title":"t","description":"d",`
	nested := func(n int, open, middle, end string) string {
		return head + strings.Repeat(open, n) + middle + strings.Repeat(end, n) + "}"
	}
	var enum, required, unknown, fields []string
	for i := range 30_000 {
		enum = append(enum, fmt.Sprintf(`"v%d"`, i))
	}
	for i := range 5_000 {
		required = append(required, fmt.Sprintf(`"missing%d"`, i))
		unknown = append(unknown, fmt.Sprintf(`"minimum%d":1`, i))
		fields = append(fields, fmt.Sprintf(`"f%d":%s"type":"array","editor":"jsonn"}`, i, field))
	}
	list := func(items []string) string { return "[" + strings.Join(items, ",") + "]" }
	return map[string]string{
		"nested objects":       nested(4_900, `{"a":`+field+`"type":"object","editor":"json","properties":`, "{}", "}}"),
		"nested as allowed":    nested(grammar.MaxNesting, `{"a":`+field+`"type":"object","editor":"json","properties":`, "{}", "}}"),
		"nested arrays":        head + `{"a":` + field + `"type":"array","editor":"json","items":` + strings.Repeat(`{"type":"array","items":`, 9_000) + `{}` + strings.Repeat("}", 9_000) + "}}}",
		"nested array objects": nested(grammar.MaxNesting/2, `{"a":`+field+`"type":"array","editor":"json","items":{"type":"object","properties":`, "{}", "}}}"),
		"nested wrongly":       nested(grammar.MaxNesting, `{"a":`+field+`"type":"object","editor":"jsn","bogus":1,"properties":`, "{}", "}}"),
		"nested values":        head + `{"a":` + field + `"type":"array","editor":"json","default":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "}}}",
		"huge enum":            head + `{"a":` + field + `"type":"string","editor":"select","default":"x","enum":` + list(enum) + "}}}",
		"huge enum with twins": head + `{"a":` + field + `"type":"string","editor":"select","enum":` + list(append(enum, `"v0"`)) + "}}}",
		"many required":        head + `{},"required":` + list(required) + "}",
		"many unknown":         head + `{"a":` + field + `"type":"integer",` + strings.Join(unknown, ",") + "}}}",
		"many bad fields":      head + "{" + strings.Join(fields, ",") + "}}",
		"catastrophic pattern": head + `{"a":` + field + `"type":"string","editor":"textfield","pattern":"^(a+)+(?!b)(a|a)*$","default":"` + strings.Repeat("a", 5_000) + `!"}}}`,
		"long pattern":         head + `{"a":` + field + `"type":"string","editor":"textfield","pattern":"` + strings.Repeat("(a|b", 5_000) + strings.Repeat(")", 5_000) + `"}}}`,
		"repeated pattern":     head + `{"a":` + field + `"type":"string","editor":"textfield","pattern":"((a{1000}){1000}){1000}","default":"a"}}}`,
		"twice the same":       head + "{" + strings.TrimSuffix(strings.Repeat(`"a":{"type":"boolean","title":"t","description":"d"},`, 5_000), ",") + "}}",
	}
}

func TestHostileSchemas(t *testing.T) {
	for name, schema := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if !json.Valid([]byte(schema)) {
				t.Fatal("the case itself is not JSON")
			}
			in, err := Parse([]byte(schema), "s.json")
			if err != nil && !fault.Is(err, fault.InvalidInput) {
				t.Errorf("got %v", err)
			}
			if in != nil {
				if _, err := in.Validate(json.RawMessage(`{"a":{"a":[[["` + strings.Repeat("a", 5_000) + `!"]]]}}`)); err != nil {
					t.Error(err)
				}
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestDefaultsThatExplode(t *testing.T) {
	in := withFields(t, `{"list":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string","default":"`+strings.Repeat("x", 100_000)+`"}}}}}`, "")
	_, err := in.WithDefaults(json.RawMessage(`{"list":[{}` + strings.Repeat(",{}", 200_000) + `]}`))
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v, want that it is too large", err)
	}
}

// seeds are pairs of a schema and an input.
var seeds = [][2]string{
	{`{"title":"t","schemaVersion":1,"type":"object","properties":{"a":{"title":"t","description":"d","editor":"json","type":"object","default":{},"properties":{"b":{"title":"t","description":"d","type":"string","default":"x","pattern":"^(?!y)"}}}},"required":["a"]}`, `{"a":{"c":1}}`},
	{`{"title":"t","schemaVersion":1,"type":"object","properties":{"p":{"title":"t","description":"d","type":"object","editor":"proxy"}}}`, `{"p":{"proxyUrls":["x",1],"useApifyProxy":0}}`},
	{`{"title":"t","schemaVersion":1,"type":"object","properties":{"l":{"title":"t","description":"d","editor":"json","type":"array","uniqueItems":true,"items":{"type":"object","properties":{"x":{"title":"t","description":"d","type":"integer","default":1}}}}}}`, `{"l":[1,1.0,"1",null,{}]}`},
	{`{"title":"t","schemaVersion":1,"type":"object","properties":{"k":{"title":"t","description":"d","type":"array","editor":"requestListSources"}}}`, `{"k":[{"url":1}],"k":5}`},
	{`{"title":"t","schemaVersion":1,"type":"object","properties":{"s":{"title":"t","description":"d","editor":"json","type":"object","isSecret":true}},"additionalProperties":false}`, `{"s":"ENCRYPTED_JSON:a:b:c"}`},
	{`{"title":"t","schemaVersion":1,"type":"object","properties":{"s":{"title":"t","description":"d","editor":"select","type":"string","enum":["a"],"default":"b"},"n":null,"m":[]}}`, `[]`},
	{`{"title":"t","schemaVersion":1,"type":"object","properties":{"a":{"title":"t","description":"d","editor":"select","type":"array","items":{"type":"string","enum":["a"]},"patternKey":"("}}}`, `null`},
}

func FuzzCheck(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed[0])
	}
	for _, schema := range corpusSchemas(f) {
		f.Add(string(schema))
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := jsonc.Parse("s.json", []byte(text))
		if err != nil {
			return
		}
		in, list := Check(doc, doc.Root)
		if (in == nil) != (len(list.Errors()) > 0) {
			t.Fatalf("a schema: %t, with %d errors", in != nil, len(list.Errors()))
		}
		for _, d := range list {
			if d.Line < 1 || d.Column < 1 || d.Message == "" || d.Rule == "" {
				t.Fatalf("a diagnostic without a place or words: %+v", d)
			}
		}
		if in != nil && (!json.Valid(in.JSON()) || !json.Valid(in.Prefilled())) {
			t.Fatalf("%q comes out as %s, prefilled %s", text, in.JSON(), in.Prefilled())
		}
		if _, again := Check(doc, doc.Root); !cmp.Equal(list, again) {
			t.Fatalf("a second look finds something else:\n%s", cmp.Diff(list, again))
		}
	})
}

func FuzzValidate(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, schema, input string) {
		in, err := Parse([]byte(schema), "s.json")
		if err != nil {
			return
		}
		first, err := in.Validate(json.RawMessage(input))
		if (err == nil) != (input == "" || json.Valid([]byte(strings.TrimPrefix(input, "\ufeff")))) {
			t.Fatalf("Validate(%q): %v", input, err)
		}
		if second, _ := in.Validate(json.RawMessage(input)); !cmp.Equal(first, second) {
			t.Fatalf("validation of %s gives %v, then %v", input, first, second)
		}
	})
}

func FuzzWithDefaults(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, schema, input string) {
		in, err := Parse([]byte(schema), "s.json")
		if err != nil {
			return
		}
		filled, err := in.WithDefaults(json.RawMessage(input))
		if err != nil {
			return
		}
		if !json.Valid([]byte(strings.TrimPrefix(string(filled), "\ufeff"))) {
			t.Fatalf("WithDefaults(%q) gives %s", input, filled)
		}
		was, err := parseInput(json.RawMessage(input))
		if err != nil {
			t.Fatal(err)
		}
		is, err := parseInput(filled)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range in.fields {
			had, has := was.Get(m.Name), is.Get(m.Name)
			if was.Kind == jsonc.Object && had == nil && has == nil && m.Value.Get("default") != nil {
				t.Fatalf("%q lacks the default of %q: %s", input, m.Name, filled)
			}
			if had != nil && had.Kind != jsonc.Object && had.Kind != jsonc.Array && string(had.JSON()) != string(has.JSON()) {
				t.Fatalf("%q is changed to %s", had.JSON(), has.JSON())
			}
		}
	})
}
