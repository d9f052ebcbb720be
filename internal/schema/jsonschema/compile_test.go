package jsonschema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

func compileText(t testing.TB, text string, opts Options) *Schema {
	t.Helper()
	doc, err := jsonc.Parse("schema.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, list := Compile(doc, doc.Root, opts)
	if len(list) > 0 {
		t.Fatalf("%s: %v", text, list)
	}
	return s
}

// faults are schemas that AJV refuses too, unless they only loop.
var faults = []struct {
	options, schema string
	want            []string // position, pointer and message
}{
	{"7", `{"type":"strin"}`, []string{`1:9 /type must be equal to one of the allowed values: array, boolean, integer, null, number, object, string, or must be array`}},
	{"7", `{"minLength":-1,"properties":{"a":{"required":"b"}},
 "items":[{"pattern":"("},{"$ref":"#/nowhere"}]}`, []string{
		`1:14 /minLength must be >= 0`, `1:47 /properties/a/required must be array`,
		`2:22 /items/0/pattern the regular expression "(" is invalid: at character 2: missing )`,
		`2:35 /items/1/$ref can't resolve reference #/nowhere`}},
	{"9", `{"enum":[]}`, []string{`1:9 /enum enum must have non-empty array`}},
	{"7", `{"nullable":true}`, []string{`1:13 /nullable "nullable" cannot be used without "type"`}},
	{"7", `{"type":"null","nullable":false}`, []string{`1:27 /nullable type: null contradicts nullable: false`}},
	{"7", `{"id":"x"}`, []string{`1:7 /id NOT SUPPORTED: keyword "id", use "$id" for schema ID`}},
	{"7", `{"allOf":[]}`, []string{`1:10 /allOf must NOT have fewer than 1 items`}},
	{"7", `{"$ref":"http://example.com/x.json"}`, []string{`1:9 /$ref can't resolve reference http://example.com/x.json`}},
	{"7", `{"patternProperties":{"[":{"type":"null"}}}`, []string{`1:27 /patternProperties/[ the regular expression "[" is invalid: at character 2: missing ]`}},
	{"9", `{"dependentRequired":{"a":["b","b"]}}`, []string{`1:27 /dependentRequired/a must NOT have duplicate items (items ## 1 and 0 are identical)`}},
	{"9", `{"$recursiveRef":"x"}`, []string{`1:18 /$recursiveRef "$recursiveRef" only supports hash fragment reference`}},
	{"9", `{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x","type":"null"}}}`, []string{`1:46 /$defs/b/$anchor reference "#x" resolves to more than one schema`}},
	{"7", `3`, []string{`1:1  must be object,boolean`}},
	{"7", `{"$ref":"#"}`, []string{`1:9 /$ref the reference # leads back to itself without going into the value`}},
	{"7", `{"anyOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"not":{"$ref":"#/definitions/a"}}}}`,
		[]string{`1:104 /definitions/b/not/$ref the reference #/definitions/a leads back to itself without going into the value`}},
	{"7", `{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/a"}}}`,
		[]string{`1:54 /definitions/a/$ref the reference #/definitions/a leads back to itself without going into the value`}},
}

func TestCompileFaults(t *testing.T) {
	for _, test := range faults {
		doc, err := jsonc.Parse("schema.json", []byte(test.schema))
		if err != nil {
			t.Fatal(err)
		}
		s, list := Compile(doc, doc.Root, optionsOf(test.options))
		var got []string
		for _, d := range list {
			got = append(got, fmt.Sprintf("%d:%d %s %s", d.Line, d.Column, d.Path, d.Message))
		}
		if s != nil || strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s gives %v and\n %s\nwant\n %s", test.schema, s != nil, strings.Join(got, "\n "), strings.Join(test.want, "\n "))
		}
	}
}

// TestCompileFaultsAgree holds the table against AJV.
func TestCompileFaultsAgree(t *testing.T) {
	var trials []trial
	for _, test := range faults {
		if !strings.Contains(test.want[0], "leads back") {
			c := trial{Draft: 7, Schema: json.RawMessage(test.schema)}
			if test.options == "9" {
				c.Draft = 2019
			}
			trials = append(trials, c)
		}
	}
	for i, v := range ajv(t, trials) {
		if v.Refused == "" {
			t.Errorf("AJV takes %s", trials[i].Schema)
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	s := compileText(t, golden[0].schema, Options{AllErrors: true})
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 200 {
				if errs, err := s.ValidateJSON([]byte("1")); len(errs) != 1 || err != nil {
					t.Error(errs, err)
				}
				compileText(t, `{"$ref":"http://json-schema.org/draft-07/schema#"}`, Options{})
			}
		})
	}
}

// TestInstances holds that errors carry the values they are about.
func TestInstances(t *testing.T) {
	s := compileText(t, `{"properties":{"a":{"type":"string"}}}`, Options{})
	doc, err := jsonc.Parse("value", []byte(`{"a": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	errs := s.Validate(doc.Root)
	if len(errs) != 1 || errs[0].Instance != doc.Root.Get("a") || errs[0].Schema.Get("type").Text != "string" {
		t.Errorf("%+v", errs)
	}
	if _, err := s.ValidateJSON([]byte("{,}")); err == nil {
		t.Error("takes what is no JSON")
	}
}
