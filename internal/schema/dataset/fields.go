package dataset

import (
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// draft07 is the only "$schema" that the platform takes.
const draft07 = "http://json-schema.org/draft-07/schema"

// fields reads the JSON Schema of an item.
func (r *reader) fields(v *jsonc.Value) {
	if v.Kind != jsonc.Object && v.Kind != jsonc.Boolean {
		r.Error(v, "must be an object, the JSON schema of one item, found %s", shape.Describe(v))
		return
	}
	item, text := v, v.JSON()
	if isBareMap(v) {
		// The whitepaper's first examples list the fields without the schema
		// around them.
		r.Warn(olderForm, v, `is read as the "properties" of a JSON schema, an older form that the platform does not check: `+
			`write {"type": "object", "properties": {…}}`)
		item = &jsonc.Value{Kind: jsonc.Object, Start: v.Start, End: v.End,
			Members: []jsonc.Member{{Name: "properties", At: v.Start, Value: v}}}
		text = append(append([]byte(`{"properties":`), text...), '}')
	}
	r.itemType(item)
	// AJV with all errors and with formats is what the platform's answers show.
	compiled, list := jsonschema.Compile(r.Doc, item, jsonschema.Options{AllErrors: true, Formats: true})
	if item != v { // its members stand in v itself
		for i := range list {
			list[i].Path = strings.TrimPrefix(list[i].Path, "/properties")
		}
	}
	r.Add(v, list)
	if compiled == nil || len(list.Errors()) > 0 {
		return
	}
	r.item, r.schema.item, r.schema.fields = item, compiled, text
	if properties := item.Get("properties"); properties.Is(jsonc.Object) {
		for _, m := range properties.Unique() {
			r.schema.names = append(r.schema.names, m.Name)
		}
	}
}

// itemType warns about schemas under which no item, or none on the platform,
// can be valid.
func (r *reader) itemType(v *jsonc.Value) {
	if v.Kind == jsonc.Boolean {
		if !v.True() {
			r.Warn(rule, v, "is false, so every item will be rejected")
		}
		return
	}
	if dialect := v.Get("$schema"); dialect.Is(jsonc.String) && strings.TrimSuffix(dialect.Text, "#") != draft07 {
		r.Warn(rule, dialect, "must be %s# or be left out on the platform, found %s; items are checked by draft-07",
			draft07, shape.Describe(dialect))
	}
	typ := v.Get("type")
	switch {
	case typ.Is(jsonc.String) && typ.Text != "object" && slices.Contains(otherTypes, typ.Text):
		r.Warn(rule, typ, `is %s, so every item will be rejected: fields describes one item, which is an object, not the list of them`, shape.Quote(typ.Text))
	case typ.Is(jsonc.Array) && len(typ.Items) > 0 && !slices.ContainsFunc(typ.Items, func(t *jsonc.Value) bool { return t.Is(jsonc.String) && t.Text == "object" }):
		r.Warn(rule, typ, `does not contain "object", so every item will be rejected: fields describes one item, which is an object`)
	}
}

// otherTypes are the types that no item has.
var otherTypes = []string{"array", "boolean", "integer", "null", "number", "string"}

// schemaKeywords are the keywords of draft-07 whose value may be an object.
var schemaKeywords = []string{
	"properties", "patternProperties", "additionalProperties", "propertyNames", "dependencies", "definitions", "$defs",
	"items", "additionalItems", "contains", "not", "if", "then", "else", "const", "default", "example", "examples",
}

// isBareMap tells the fields of an item written down without a schema around
// them from a schema: every member is an object that describes a value, and
// none can be a keyword.
func isBareMap(v *jsonc.Value) bool {
	if v.Kind != jsonc.Object || len(v.Members) == 0 {
		return false
	}
	for _, m := range v.Members {
		if m.Value.Kind != jsonc.Object || slices.Contains(schemaKeywords, m.Name) || m.Value.Get("type") == nil {
			return false
		}
	}
	return true
}

// knowledge is what a schema says about whether a field exists.
type knowledge int

const (
	open    knowledge = iota // it does not say: the field may exist
	missing                  // it lists the fields, and this is not among them
	listed
)

// composed are the keywords with which a schema may list fields elsewhere.
var composed = []string{"$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"}

// lookup says whether a field, whose name may be a dotted path, is in a schema.
// The value is the field's own schema when it is listed.
func (r *reader) lookup(schema *jsonc.Value, name string) (*jsonc.Value, knowledge) {
	properties := r.properties(schema)
	if len(properties) == 0 {
		return nil, open
	}
	if field := properties[name]; field != nil {
		return field, listed
	}
	// A dot may be a part of a name, or lead into an object.
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if inner := properties[name[:i]]; inner != nil {
			return r.lookup(inner, name[i+1:])
		}
	}
	for _, keyword := range composed {
		if schema.Get(keyword) != nil {
			return nil, open
		}
	}
	return nil, missing
}

// properties gives the fields that the schema of an object lists, none when it
// is the schema of something else. It looks through each schema once.
func (r *reader) properties(schema *jsonc.Value) map[string]*jsonc.Value {
	if known, ok := r.listed[schema]; ok {
		return known
	}
	var fields map[string]*jsonc.Value
	if typ := schema.Get("type"); !typ.Is(jsonc.String) || typ.Text != "array" {
		if properties := schema.Get("properties"); properties.Is(jsonc.Object) {
			fields = make(map[string]*jsonc.Value, len(properties.Members))
			for _, m := range properties.Members {
				fields[m.Name] = m.Value
			}
		}
	}
	if r.listed == nil {
		r.listed = map[*jsonc.Value]map[string]*jsonc.Value{}
	}
	r.listed[schema] = fields
	return fields
}

// unwound gives the schema of what is merged into an item when the field is
// unwound: that of an array's elements, or of the object.
func unwound(field *jsonc.Value) *jsonc.Value {
	if items := field.Get("items"); items != nil {
		return items
	}
	return field
}
