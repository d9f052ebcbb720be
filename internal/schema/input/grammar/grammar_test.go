package grammar

import (
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

func TestDefinitionsCompile(t *testing.T) {
	m := meta()
	if len(m.fields) != 10 || len(m.subFields) != 9 {
		t.Errorf("%d definitions of fields, %d of those below", len(m.fields), len(m.subFields))
	}
	for _, d := range append(append([]*definition{m.structure}, m.fields...), m.subFields...) {
		if d.first() == nil || d.all() == nil {
			t.Error("a definition does not compile")
		}
	}
}

// The messages are those of @apify/input_schema 3.29.2 for the same schemas.
func TestOfficialMessage(t *testing.T) {
	const head = `{"title":"t","type":"object","schemaVersion":1,"properties":`
	const f = `"title":"t","description":"d",`
	for schema, want := range map[string]string{
		`5`:                            "Field schema. must be object",
		`{}`:                           "Field schema.title is required",
		head + `{}}`:                   "",
		head + `{},"foo":1}`:           "Property schema.foo is not allowed.",
		head + `{},"required":["zz"]}`: "Field schema.properties.zz does not exist, but it is specified in schema.required. Either define the field or remove it from schema.required.",
		head + `{"f":{}}}`:             "Field schema.properties.f is not matching any input schema type definition. Please make sure that it's type is valid.",
		head + `{"f":{` + f + `"type":"string"}}}`:                                                                             "Field schema.properties.f.editor is required",
		head + `{"f":{` + f + `"type":"string","editor":"bad"}}}`:                                                              `Field schema.properties.f.editor must be equal to one of the allowed values: "javascript", "python", "textfield", "textarea", "select", "fileupload", "hidden"`,
		head + `{"f":{` + f + `"type":"string","editor":"select"}}}`:                                                           "Field schema.properties.f.enumSuggestedValues is required",
		head + `{"f":{` + f + `"type":"array","editor":"json","items":{"type":"bad"}}}}`:                                       `Field schema.properties.f.editor must be equal to one of the allowed values: "select"`,
		head + `{"f":{` + f + `"type":"array","editor":"json","items":{"type":"array","items":{"type":"array","items":{}}}}}}`: "Field schema.properties.f.items.items.items.type is required",
		head + `{"f":{` + f + `"type":"array","editor":"json","enum":["a"]}}}`:                                                 `Input schema validation failed to find "enum property" definition`,
		head + `{"f":{` + f + `"type":"object","editor":"json","properties":{"x":{"type":"zz"}}}}}`:                            "Field schema.properties.f.x is not matching any input schema type definition. Please make sure that it's type is valid.",
		head + `{"b":{` + f + `"type":"integer","x":1},"1":{` + f + `"type":"integer","y":1}}}`:                                "Property schema.properties.1.y is not allowed.",
		head + `{"f":{` + f + `"type":"string","resourceType":"dataset","resourcePermissions":["READ"],"default":"x"}}}`:       "Field schema.properties.f. must NOT be valid",
	} {
		doc, err := jsonc.Parse("schema.json", []byte(schema))
		if err != nil {
			t.Fatal(err)
		}
		verdict := Judge(doc, doc.Root)
		if verdict.Official != want {
			t.Errorf("%s\ngot  %s\nwant %s", schema, verdict.Official, want)
		}
		if (verdict.Inputs == nil) != (want != "") {
			t.Errorf("%s can judge inputs: %t", schema, verdict.Inputs != nil)
		}
		if want != "" && !strings.Contains(verdict.List[0].Message+verdict.List[0].Hint, want) {
			t.Errorf("%s\nis told %q first, want %q", schema, verdict.List[0].Message, want)
		}
	}
}
