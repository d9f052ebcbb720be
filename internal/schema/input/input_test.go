package input

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestStructureFaults(t *testing.T) {
	const head = `{"title":"t","type":"object","schemaVersion":1,`
	tests := []struct{ name, schema, want string }{
		{"not an object", `[]`, "s.json:1:1: Field schema. must be object"},
		{"no type", `{"properties":{}}`, "s.json:1:1: Field schema.type is required"},
		{"another type", `{"type":"array","properties":{}}`, `s.json:1:9: Field schema.type must be equal to one of the allowed values: "object"`},
		{"no properties", `{"type":"object"}`, "s.json:1:1: Field schema.properties is required"},
		{"properties are a list", head + `"properties":[]}`, "Field schema.properties must be object"},
		{"later version", `{"type":"object","schemaVersion":2,"properties":{}}`, "s.json:1:34: Field schema.schemaVersion must be <= 1"},
		{"earlier version", `{"type":"object","schemaVersion":0,"properties":{}}`, "Field schema.schemaVersion must be >= 1"},
		{"version in words", `{"type":"object","schemaVersion":"1","properties":{}}`, "Field schema.schemaVersion must be integer"},
		{"field is a string", head + `"properties":{"f":"string"}}`, "Field schema.properties.f must be object"},
		{"no type of a field", head + `"properties":{"f":{}}}`, "Field schema.properties.f is not matching any input schema type definition. Please make sure that it's type is valid."},
		{"unknown type", head + "\n" + `"properties":{"f":{"type":"text"}}}`, "s.json:2:27: Field schema.properties.f is not matching any input schema type definition. Please make sure that it's type is valid."},
		{"unknown among types", head + `"properties":{"f":{"type":["string","null"]}}}`, `Field schema.properties.f.type.1 must be equal to one of the allowed values: "object", "array", "string", "integer", "number", "boolean"`},
		{"regular expression", head + `"properties":{"f":{"type":"string","pattern":"["}}}`, `The regular expression "[" in field schema.properties.f.pattern must be valid.`},
		{"regular expression below", head + `"properties":{"f":{"type":"object","properties":{"x":{"type":"string","pattern":"("}}}}}`, `The regular expression "(" in field schema.properties.f.x.pattern must be valid.`},
		{"regular expression of items", head + `"properties":{"f":{"type":"array","title":"t","description":"d","editor":"json","items":{"type":"string","pattern":"("}}}}`, `The regular expression "(" in field schema.properties.f.items.pattern must be valid.`},
		{"required is no list", head + `"properties":{},"required":"a"}`, "Field schema.required must be array"},
		{"required is not a name", head + `"properties":{},"required":[1]}`, "Field schema.required.0 must be string"},
		{"required twice", head + `"properties":{"a":{"type":"string"}},"required":["a","a"]}`, "Field schema.required must NOT have duplicate items (items ## 1 and 0 are identical)"},
		{"required unknown", head + `"properties":{},"required":["zz"]}`, "Field schema.properties.zz does not exist, but it is specified in schema.required. Either define the field or remove it from schema.required."},
		{"limit in words", head + `"properties":{"f":{"type":"string","minLength":"3"}}}`, "Field schema.properties.f.minLength must be integer"},
		{"half a character", head + `"properties":{"f":{"type":"string","minLength":1.5}}}`, "Field schema.properties.f.minLength must be integer"},
		{"empty enum", head + `"properties":{"f":{"type":"string","enum":[]}}}`, "Field schema.properties.f.enum must NOT have fewer than 1 items"},
		{"items are a list", head + `"properties":{"f":{"type":"array","items":[]}}}`, "Field schema.properties.f.items must be object"},
		{"additionalProperties", head + `"properties":{},"additionalProperties":{}}`, "Field schema.additionalProperties must be boolean"},
		{"syntax", "{\n  \"type\": \"object\"\n  \"properties\": {}\n}", "s.json:3:3: invalid character '\"' after object value"},
		{"nothing", "  ", "s.json:1:1: the file is empty"},
		{"size", `{"title":"` + strings.Repeat("x", MaxSize) + `"}`, "512000 bytes at most"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.schema), "s.json")
			if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestStructureFaultsAreToldTogether(t *testing.T) {
	_, err := Parse([]byte("{\n\"type\":\"object\",\n\"properties\":{\"a\":{},\n\"b\":{\"type\":\"string\",\"pattern\":\"[\"}},\"required\":[\"c\"]}"), "s.json")
	if err == nil {
		t.Fatal("the schema was taken")
	}
	for _, want := range []string{"s.json:3:19: ", "s.json:4:32: ", "s.json:4:50: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestCheckOfAnInlinedSchema(t *testing.T) {
	doc, err := jsonc.Parse("actor.json", []byte("{\n\"a/b\": [1, {\"title\": \"t\", \"type\": \"object\", \"schemaVersion\": 1,\n\"properties\": {\"x/y\": {\"type\": \"boolean\", \"title\": \"t\", \"description\": \"d\", \"typo\": 1}}, \"required\": [\"z\"]}]}"))
	if err != nil {
		t.Fatal(err)
	}
	in, got := Check(doc, doc.Root.Get("a/b").Items[1])
	want := diagnostic.List{
		{Severity: diagnostic.Error, File: "actor.json", Line: 3, Column: 77, Path: "/a~1b/1/properties/x~1y/typo", Rule: "unknown-field",
			Message: `Property schema.properties.x/y.typo is not allowed. (did you mean "type"?)`},
		{Severity: diagnostic.Error, File: "actor.json", Line: 3, Column: 103, Path: "/a~1b/1/required/0", Rule: "unknown-field",
			Message: "Field schema.properties.z does not exist, but it is specified in schema.required. Either define the field or remove it from schema.required."},
	}
	if diff := cmp.Diff(want, got); diff != "" || in != nil {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRealisticSchemaIsTaken(t *testing.T) {
	in, err := Parse([]byte("\ufeff"+`{
		// what a developer writes
		"title": "Crawler", "type": "object", "schemaVersion": 1,
		"properties": {
			"startUrls": {"title": "URLs", "type": "array", "description": "d", "editor": "requestListSources", "prefill": [{"url": "https://example.com"}]},
			"proxy": {"title": "Proxy", "type": "object", "description": "d", "editor": "proxy", "default": {"useApifyProxy": false},},
			"any": {"title": "Any", "type": ["string", "object"], "description": "d", "editor": "json"},
		},
		"required": ["startUrls"],
	} // the end`), "s.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"startUrls", "proxy", "any"}, in.Properties()); diff != "" {
		t.Error(diff)
	}
	if in.Title() != "Crawler" || !json.Valid(in.JSON()) {
		t.Errorf("title %q, JSON %s", in.Title(), in.JSON())
	}
}

func TestWithDefaults(t *testing.T) {
	const nested = `{"o":{"type":"object","default":{"b":9},"properties":{"a":{"type":"integer","default":1},"b":{"type":"integer","default":2}}},
		"plain":{"type":"object","properties":{"a":{"type":"integer","default":1},"deep":{"type":"object","properties":{"x":{"type":"string","default":"y"}}}}},
		"list":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string","default":"v"}}}}}`
	tests := []struct{ name, properties, input, want string }{
		{"in the schema's order after what is there", `{"a":{"type":"string","default":"A"},"b":{"type":"integer","default":1.50},"c":{"type":"string"}}`,
			`{"z": 1e2}`, `{"z":1e2,"a":"A","b":1.50}`},
		{"nothing to fill keeps every byte", `{"a":{"type":"string","default":"A"}}`, "{ \"a\" :\t\"\\u0041\" }\n", "{ \"a\" :\t\"\\u0041\" }\n"},
		{"null is there", `{"a":{"type":"string","default":"A"}}`, `{"a":null}`, `{"a":null}`},
		{"a default of null", `{"a":{"type":"string","nullable":true,"default":null}}`, `{}`, `{"a":null}`},
		{"prefill and example are not defaults", `{"a":{"type":"string","prefill":"p","example":"e"}}`, `{}`, `{}`},
		{"no input", `{"a":{"type":"string","default":"A"}}`, ``, `{"a":"A"}`},
		{"no input, no defaults", `{}`, ``, `{}`},
		{"digits and escapes are kept", `{"a":{"type":"string","default":"A"}}`, `{"n":12345678901234567890.10,"s":"\u00e9\/"}`, `{"n":12345678901234567890.10,"s":"\u00e9\/","a":"A"}`},
		{"sub-defaults fill a parent's default", nested, `{"plain":{}}`, `{"plain":{},"o":{"a":1,"b":9}}`},
		{"sub-defaults bring an absent parent into being", nested, `{"o":{}}`, `{"o":{},"plain":{"a":1,"deep":{"x":"y"}}}`},
		{"sub-defaults leave alone what is there", nested, `{"o":{},"plain":{"deep":{}}}`, `{"o":{},"plain":{"deep":{}}}`},
		{"sub-defaults reach items", nested, `{"o":{},"plain":{},"list":[{},{"k":"w"},5]}`, `{"o":{},"plain":{},"list":[{"k":"v"},{"k":"w"},5]}`},
		{"sub-defaults reach items of what is there", `{"o":{"type":"object","properties":{"list":{"type":"array","items":{"type":"object","properties":{"k":{"type":"integer","default":1}}}}}}}`,
			`{"o":{"list":[{}]}}`, `{"o":{"list":[{"k":1}]}}`},
		{"sub-defaults reach objects right in items", `{"list":{"type":"array","items":{"type":"object","properties":{"in":{"type":"object","properties":{` +
			`"k":{"type":"integer","default":1},"deep":{"type":"object","properties":{"x":{"type":"integer","default":2}}}}}}}}}`,
			`{"list":[{},{"in":{}},{"in":{"deep":{}}}]}`, `{"list":[{"in":{"k":1,"deep":{"x":2}}},{"in":{"k":1,"deep":{"x":2}}},{"in":{"deep":{},"k":1}}]}`},
		{"an own default goes deep", `{"o":{"type":"object","default":{"in":{"k":7},"z":0},"properties":{"in":{"type":"object","properties":{"k":{"type":"integer","default":1},"l":{"type":"integer","default":2}}}}}}`,
			`{}`, `{"o":{"in":{"k":7,"l":2},"z":0}}`},
		{"a default of null yields to those below", `{"o":{"type":"object","nullable":true,"default":null,"properties":{"k":{"type":"integer","default":1}}}}`, `{}`, `{"o":{"k":1}}`},
		{"wrong types are left alone", nested, `{"o":[],"plain":"x","list":{}}`, `{"o":[],"plain":"x","list":{}}`},
		{"not an object", nested, `[1]`, `[1]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := withFields(t, tt.properties, "")
			got, err := in.WithDefaults(json.RawMessage(tt.input))
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
			again, err := in.WithDefaults(got)
			if err != nil || string(again) != string(got) {
				t.Errorf("with defaults already, it gives %s, %v", again, err)
			}
		})
	}
	if _, err := withFields(t, `{}`, "").WithDefaults(json.RawMessage(`{"a":`)); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("broken JSON gives %v", err)
	}
}

func TestPrefilled(t *testing.T) {
	in := withFields(t, `{
		"text":{"type":"string","prefill":"p","default":"d"},
		"only default":{"type":"string","default":"d"},
		"flag":{"type":"boolean","default":true,"prefill":false},
		"flag without":{"type":"boolean"},
		"hidden":{"type":"string","editor":"hidden","prefill":"p","default":"d"},
		"list":{"type":"array","prefill":[ {"url": "https://example.com"}, ]},
	}`, "")
	want := `{"text":"p","flag":true,"hidden":"d","list":[{"url":"https://example.com"}]}`
	if got := string(in.Prefilled()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(withFields(t, `{}`, "").Prefilled()); got != "{}" {
		t.Errorf("got %s, want {}", got)
	}
}

// Schemas of sample Actors in this repository must pass.
func TestSampleSchemas(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/actors/*/.actor/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if !strings.EqualFold(filepath.Base(file), "input_schema.json") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(data, file); err != nil {
			t.Error(err)
		}
	}
}
