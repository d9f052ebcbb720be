package jsonschema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// within fails a test that takes too long.
func within(t *testing.T, limit time.Duration, do func()) {
	t.Helper()
	start := time.Now()
	do()
	if took := time.Since(start); took > limit {
		t.Errorf("took %v", took)
	}
}

// TestHostile judges what is made to take for ever: the answer comes all the
// same, and says so if it could not be found.
func TestHostile(t *testing.T) {
	doubling := `{"anyOf":[{"$ref":"#/definitions/d0"}],"definitions":{`
	for i := range 40 {
		doubling += fmt.Sprintf(`"d%d":{"anyOf":[{"$ref":"#/definitions/d%d"},{"$ref":"#/definitions/d%d"}]},`, i, i+1, i+1)
	}
	doubling += `"d40":{"type":"null","items":{"$ref":"#"}}}}`
	enum := make([]string, 50_000)
	for i := range enum {
		enum[i] = fmt.Sprintf(`{"n":%d}`, i)
	}
	recursive := `{"properties":{"a":{"$ref":"#"}},"items":{"$ref":"#"},"maxItems":1}`
	for name, test := range map[string]struct {
		schema, value, want string
	}{
		"doubling references": {doubling, `1`, "the value takes too long to be judged by this schema"},
		"catastrophic pattern": {`{"not":{"items":{"pattern":"^(a+)+\\1$"}}}`, `["` + strings.Repeat("a", 60) + `b"]`,
			`takes too long to match against pattern "^(a+)+\\1$"`},
		"many slow patterns": {`{"items":{"not":{"pattern":"(?=a*a*a*c)"}}}`, "[" + strings.Repeat(`"`+strings.Repeat("a", 60)+`",`, 1000) + "1]",
			"too long"},
		"deep value":       {recursive, strings.Repeat(`{"a":`, 9_990) + "1" + strings.Repeat("}", 9_990), ""},
		"deep value fails": {recursive, strings.Repeat(`[`, 5_000) + "1,2" + strings.Repeat("]", 5_000), "must NOT have more than 1 items"},
		"huge enum":        {`{"items":{"enum":[` + strings.Join(enum, ",") + `]}}`, "[" + strings.Join(enum, ",") + "]", ""},
		"huge unique":      {`{"uniqueItems":true}`, "[" + strings.Join(enum, ",") + "]", ""},
		"many members": {`{"additionalProperties":false,"properties":{` + strings.ReplaceAll(strings.Join(enum, ","), `{"n":`, `"a`) + "}}",
			`{"z":1}`, "must NOT have additional properties"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "many members" {
				var members []string
				for i := range 20_000 {
					members = append(members, fmt.Sprintf(`"a%d":{"type":"null"}`, i))
				}
				test.schema = `{"additionalProperties":false,"properties":{` + strings.Join(members, ",") + `}}`
				test.value = "{" + strings.ReplaceAll(strings.Join(members, ","), `{"type":"null"}`, "null") + `,"z":1}`
			}
			within(t, time.Minute, func() {
				errs, err := compileText(t, test.schema, Options{AllErrors: true}).ValidateJSON([]byte(test.value))
				if err != nil {
					t.Fatal(err)
				}
				if test.want == "" && errs != nil || test.want != "" && (len(errs) != 1 || !strings.Contains(errs[0].Message, test.want)) {
					t.Errorf("%d errors, %.300v", len(errs), errs)
				}
			})
		})
	}
}

// TestManyDeepErrors holds the size of what is reported.
func TestManyDeepErrors(t *testing.T) {
	deep := strings.Repeat("[", 9_000) + strings.Repeat("1,", 50_000) + "1" + strings.Repeat("]", 9_000)
	s := compileText(t, `{"items":{"$ref":"#"},"not":{"type":"number"}}`, Options{AllErrors: true})
	errs, err := s.ValidateJSON([]byte(deep))
	if err != nil {
		t.Fatal(err)
	}
	if len(errs) != 1 || !strings.Contains(errs[0].Message, "too long") {
		t.Errorf("%d errors", len(errs))
	}
}

// TestHostileSchemas compiles what is made to be large.
func TestHostileSchemas(t *testing.T) {
	large := `{"type":"object","properties":{` + strings.TrimSuffix(strings.Repeat(`"x":{"items":[{"type":"null"}]},`, 1), ",")
	for i := range 2000 {
		large += fmt.Sprintf(`,"p%d":{"items":[{"type":"null"}]}`, i)
	}
	large += "}}"
	references := `{"allOf":[`
	for range 2000 {
		references += `{"$ref":"#/definitions/large"},`
	}
	references += `true],"definitions":{"large":` + large + `}}`
	for name, text := range map[string]string{
		"deep":                 strings.Repeat(`{"not":`, 9_000) + "true" + strings.Repeat("}", 9_000),
		"deep arrays":          `{"enum":[` + strings.Repeat(`[`, 9_000) + strings.Repeat("]", 9_000) + `]}`,
		"large and often used": references,
		"chain":                chain(3000),
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := jsonc.Parse("schema.json", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			within(t, time.Minute, func() {
				s, list := Compile(doc, doc.Root, Options{Draft: Draft201909})
				if name == "large and often used" {
					if len(list) != 1 || !strings.Contains(list[0].Message, "too large") {
						t.Errorf("%.300v", list)
					}
					return
				}
				if s == nil {
					t.Fatalf("%.300v", list)
				}
				s.Validate(doc.Root)
			})
		})
	}
}

// chain is a schema with references that lead from one to the next.
func chain(n int) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/definitions/d0","definitions":{`)
	for i := range n {
		fmt.Fprintf(&b, `"d%d":{"$ref":"#/definitions/d%d"},`, i, i+1)
	}
	fmt.Fprintf(&b, `"d%d":{"type":"null"}}}`, n)
	return b.String()
}

func fuzzSeeds(f *testing.F) {
	for _, test := range golden {
		f.Add(test.schema, test.value, test.options)
	}
	for _, test := range faults {
		f.Add(test.schema, "{}", test.options)
	}
	f.Add(`{"$id":"http://[::1]:x/%zz","$ref":"%zz#/%zz","$defs":{"":{"$id":":"}}}`, `1e99999`, "9")
	f.Add(`{"unevaluatedItems":{"const":1},"oneOf":[{"unevaluatedItems":true}]}`, `[1,2,3]`, "9")
	f.Add(`{"$dynamicAnchor":"a","items":{"$dynamicRef":"#a"},"properties":{"":{"$recursiveRef":"#"}}}`, `[[{"":[]}]]`, "9a")
}

func FuzzCompile(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, schema, _, options string) {
		doc, err := jsonc.Parse("schema.json", []byte(schema))
		if err != nil || options == "" {
			return
		}
		s, list := Compile(doc, doc.Root, optionsOf(options))
		if (s == nil) != (len(list) > 0) {
			t.Fatalf("%v with %v", s, list)
		}
		for _, d := range list {
			if d.Line < 1 || d.Column < 1 || d.Message == "" {
				t.Fatalf("incomplete: %+v", d)
			}
		}
	})
}

func FuzzValidate(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, schema, value, options string) {
		doc, err := jsonc.Parse("schema.json", []byte(schema))
		if err != nil || options == "" {
			return
		}
		s, _ := Compile(doc, doc.Root, optionsOf(options))
		if s == nil {
			return
		}
		errs, err := s.ValidateJSON([]byte(value))
		if err != nil {
			return
		}
		for _, e := range errs {
			if e.Message == "" || !json.Valid(e.Params) || e.Instance == nil {
				t.Fatalf("incomplete: %+v", e)
			}
		}
	})
}
