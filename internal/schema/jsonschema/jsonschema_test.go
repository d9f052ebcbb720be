package jsonschema

import (
	"encoding/json"
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

func TestSmoke(t *testing.T) {
	s := compileText(t, `{"type":"object","required":["a","b"],"properties":{"a":{"type":"string","minLength":3},"c":{"$ref":"#/definitions/x"}},"additionalProperties":false,"definitions":{"x":{"type":"array","items":{"$ref":"#/definitions/y"}},"y":{"enum":[1,2]}}}`, Options{AllErrors: true})
	errs, err := s.ValidateJSON([]byte(`{"a":"x","c":[1,3],"z":1}`))
	out, _ := json.MarshalIndent(errs, "", " ")
	t.Logf("%s %v", out, err)
}
