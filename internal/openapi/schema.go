package openapi

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// platformOnly are the keywords of input schemas that say how a form looks, and
// those of JSON Schema that would change what the document's own dialect means.
var platformOnly = map[string]bool{
	"schemaVersion": true, "editor": true, "sectionCaption": true, "sectionDescription": true, "dateType": true,
	"placeholderKey": true, "placeholderValue": true, "patternKey": true, "patternValue": true,
	"resourceType": true, "resourcePermissions": true, "errorMessage": true, "allowRelative": true, "allowAbsolute": true,
	"globsKey": true, "enumSuggestedTitles": true, "$schema": true, "$id": true, "id": true,
}

// moved are keywords that stand for others here.
var moved = map[string]bool{
	"nullable": true, "example": true, "examples": true, "prefill": true, "enumSuggestedValues": true, "enumTitles": true,
	"isSecret": true, "unit": true, "type": true, "enum": true,
}

// subschemas are the keywords that hold a schema, a list of them or a map.
var (
	oneSchema   = []string{"additionalProperties", "additionalItems", "contains", "propertyNames", "not", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems"}
	manySchemas = []string{"allOf", "anyOf", "oneOf"}
	mapSchemas  = []string{"properties", "patternProperties", "definitions", "$defs", "dependentSchemas"}
)

// editorItems are what is in the arrays of some editors, where the schema does
// not say.
var editorItems = map[string]object{
	"stringList": {{"type", "string"}},
	"requestListSources": {{"type", "object"}, {"properties", object{
		{"url", object{{"type", "string"}, {"title", "URL of a web page"}, {"format", "uri"}}},
		{"requestsFromUrl", object{{"type", "string"}, {"title", "URL of a list of URLs"}, {"format", "uri"}}},
		{"method", object{{"type", "string"}, {"title", "HTTP method"}}},
		{"payload", object{{"type", "string"}, {"title", "HTTP payload"}}},
		{"headers", object{{"type", "object"}, {"title", "HTTP headers"}}},
		{"userData", object{{"type", "object"}, {"title", "User data"}}},
	}}},
	"globs":      {{"type", "object"}, {"properties", object{{"glob", object{{"type", "string"}, {"title", "Glob pattern"}}}}}},
	"pseudoUrls": {{"type", "object"}, {"properties", object{{"purl", object{{"type", "string"}, {"title", "Pseudo-URL"}}}}}},
	"keyValue": {{"type", "object"}, {"properties", object{
		{"key", object{{"type", "string"}, {"title", "Key"}}}, {"value", object{{"type", "string"}, {"title", "Value"}}},
	}}},
}

// converter turns the schemas of Actors into those of OpenAPI 3.1.
type converter struct {
	// home is where the schema stands in the document, as a reference: those
	// inside of it begin there.
	home string
}

// schema converts one schema.
func (c converter) schema(v *jsonc.Value) any {
	if v.Kind != jsonc.Object {
		return v.JSON() // true and false are schemas as they are
	}
	out := object{}
	if typ := c.types(v); typ != nil {
		out = out.with("type", typ)
	}
	for _, m := range v.Unique() {
		switch name := m.Name; {
		case platformOnly[name] || moved[name]:
		case name == "$ref" && m.Value.Kind == jsonc.String:
			out = out.with(name, c.reference(m.Value.Text))
		case name == "items" && m.Value.Kind == jsonc.Array:
			if len(m.Value.Items) > 0 {
				out = out.with("prefixItems", c.list(m.Value))
			}
		case name == "additionalItems" && v.Get("items").Is(jsonc.Array):
			out = out.with("items", c.schema(m.Value))
		case name == "items" || slices.Contains(oneSchema, name):
			out = out.with(name, c.schema(m.Value))
		case slices.Contains(manySchemas, name) && m.Value.Kind == jsonc.Array:
			out = out.with(name, c.list(m.Value))
		case slices.Contains(mapSchemas, name) && m.Value.Kind == jsonc.Object:
			members := object{}
			for _, property := range m.Value.Unique() {
				members = members.with(property.Name, c.schema(property.Value))
			}
			out = out.with(name, members)
		case (name == "exclusiveMinimum" || name == "exclusiveMaximum") && m.Value.Kind == jsonc.Boolean:
			// The spelling of draft 4, which has no meaning any more.
		default:
			out = out.with(name, m.Value.JSON())
		}
	}
	if editor := v.Get("editor"); editor.Is(jsonc.String) && v.Get("items") == nil && editorItems[editor.Text] != nil {
		out = out.with("items", editorItems[editor.Text])
	}
	return c.annotations(v, out)
}

func (c converter) list(v *jsonc.Value) []any {
	list := []any{}
	for _, item := range v.Items {
		list = append(list, c.schema(item))
	}
	return list
}

// types gives the type with null beside it for what is nullable.
func (c converter) types(v *jsonc.Value) any {
	typ := v.Get("type")
	switch {
	case typ == nil:
		return nil
	case typ.Kind == jsonc.String && v.Get("nullable").True() && typ.Text != "null":
		return []string{typ.Text, "null"}
	}
	return typ.JSON()
}

// annotations adds what the moved keywords say: examples for what people see in
// the form, a password for a secret, and titles of values as descriptions.
func (c converter) annotations(v *jsonc.Value, out object) object {
	if enum := v.Get("enum"); enum.Is(jsonc.Array) && len(enum.Items) > 0 {
		values := []json.RawMessage{}
		null := false
		for _, item := range enum.Items {
			values = append(values, item.JSON())
			null = null || item.Kind == jsonc.Null
		}
		if v.Get("nullable").True() && !null {
			values = append(values, json.RawMessage("null"))
		}
		out = out.with("enum", values)
		if titles := v.Get("enumTitles"); titles.Is(jsonc.Array) && len(titles.Items) == len(enum.Items) {
			described := object{}
			for i, item := range enum.Items {
				described = described.with(item.Text, titles.Items[i].JSON())
			}
			out = out.with("x-enum-descriptions", described)
		}
	}
	var examples []json.RawMessage
	add := func(v *jsonc.Value) {
		text := v.JSON()
		if !slices.ContainsFunc(examples, func(e json.RawMessage) bool { return string(e) == string(text) }) {
			examples = append(examples, text)
		}
	}
	for _, name := range []string{"example", "prefill"} {
		if value := v.Get(name); value != nil {
			add(value)
		}
	}
	for _, name := range []string{"examples", "enumSuggestedValues"} {
		if values := v.Get(name); values.Is(jsonc.Array) {
			for _, value := range values.Items {
				add(value)
			}
		}
	}
	if examples != nil {
		out = out.with("examples", examples)
	}
	if v.Get("isSecret").True() {
		if typ := v.Get("type"); typ.Is(jsonc.String) && typ.Text == "string" && v.Get("format") == nil {
			out = out.with("format", "password")
		}
		out = out.with("writeOnly", true)
	}
	if unit := v.Get("unit"); unit.Is(jsonc.String) {
		out = out.with("x-unit", unit.Text)
	}
	return out
}

// reference moves a reference inside of the schema to where the schema stands.
func (c converter) reference(ref string) string {
	if fragment, ok := strings.CutPrefix(ref, "#"); ok && (fragment == "" || fragment[0] == '/') {
		return c.home + fragment
	}
	return ref
}

// convert reads and converts a schema that stands at home.
func convert(name, home string, schema json.RawMessage) (any, error) {
	doc, err := jsonc.Parse(name, schema)
	if err != nil {
		return nil, err
	}
	return converter{home}.schema(doc.Root), nil
}
