package input

import (
	"fmt"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// types are the types a field may have.
var types = []string{"array", "boolean", "integer", "number", "object", "string"}

// keywordKinds are the keywords that validation acts on and what each must be.
var keywordKinds = map[string]jsonc.Kind{
	"minLength": jsonc.Number, "maxLength": jsonc.Number, "minItems": jsonc.Number, "maxItems": jsonc.Number,
	"minProperties": jsonc.Number, "maxProperties": jsonc.Number, "minimum": jsonc.Number, "maximum": jsonc.Number,
	"pattern": jsonc.String, "patternKey": jsonc.String, "patternValue": jsonc.String, "editor": jsonc.String,
	"uniqueItems": jsonc.Boolean, "additionalProperties": jsonc.Boolean, "nullable": jsonc.Boolean, "isSecret": jsonc.Boolean,
	"enum": jsonc.Array, "required": jsonc.Array,
	"properties": jsonc.Object, "items": jsonc.Object, "errorMessage": jsonc.Object,
}

// countKeywords must be whole numbers.
var countKeywords = []string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}

// complaints collects what is wrong with a schema, each with its position.
type complaints struct {
	in   *Schema
	list diagnostic.List
}

func (c *complaints) add(at *jsonc.Value, format string, args ...any) {
	line, column := c.in.doc.LineColumn(at.Start)
	c.list = append(c.list, diagnostic.Diagnostic{
		Severity: diagnostic.Error, File: c.in.doc.File, Line: line, Column: column,
		Rule: "input-schema", Message: fmt.Sprintf(format, args...),
	})
}

// checkStructure judges what validation and defaults rely on, in the words the
// platform uses, and compiles the patterns.
func (in *Schema) checkStructure() diagnostic.List {
	c := &complaints{in: in}
	if !in.root.Is(jsonc.Object) {
		c.add(in.root, "Field schema must be object")
	} else {
		c.root()
	}
	return c.list
}

func (c *complaints) root() {
	root := c.in.root
	switch typ := root.Get("type"); {
	case typ == nil:
		c.add(root, "Field schema.type is required")
	case typ.Kind != jsonc.String || typ.Text != "object":
		c.add(typ, `Field schema.type must be equal to one of the allowed values: "object"`)
	}
	if version := root.Get("schemaVersion"); version != nil {
		switch n, ok := number(version); {
		case !ok || !isInteger(version):
			c.add(version, "Field schema.schemaVersion must be integer")
		case n > 1:
			c.add(version, "Field schema.schemaVersion must be <= 1")
		case n < 1:
			c.add(version, "Field schema.schemaVersion must be >= 1")
		}
	}
	switch properties := root.Get("properties"); {
	case properties == nil:
		c.add(root, "Field schema.properties is required")
	case properties.Kind != jsonc.Object:
		c.add(properties, "Field schema.properties must be object")
	default:
		for _, m := range properties.Unique() {
			c.field(m.Value, "schema.properties."+m.Name, true)
		}
		c.required(root, "schema")
	}
	if more := root.Get("additionalProperties"); more != nil && more.Kind != jsonc.Boolean {
		c.add(more, "Field schema.additionalProperties must be boolean")
	}
}

// required judges the list of required names; at the top each must be a field.
func (c *complaints) required(v *jsonc.Value, path string) {
	list := v.Get("required")
	if list == nil {
		return
	}
	if list.Kind != jsonc.Array {
		c.add(list, "Field %s.required must be array", path)
		return
	}
	seen := make(map[string]int)
	for i, name := range list.Items {
		if name.Kind != jsonc.String {
			c.add(name, "Field %s.required.%d must be string", path, i)
			continue
		}
		if first, ok := seen[name.Text]; ok {
			c.add(name, "Field %s.required must NOT have duplicate items (items ## %d and %d are identical)", path, first, i)
		}
		seen[name.Text] = i
		if v == c.in.root && v.Get("properties").Get(name.Text) == nil {
			c.add(name, "Field schema.properties.%s does not exist, but it is specified in schema.required. "+
				"Either define the field or remove it from schema.required.", name.Text)
		}
	}
}

// field judges a field or the items of an array, and what is below it. Fields
// must name their type, items need not.
func (c *complaints) field(v *jsonc.Value, path string, isField bool) {
	if v.Kind != jsonc.Object {
		c.add(v, "Field %s must be object", path)
		return
	}
	if typ := v.Get("type"); typ != nil || isField {
		if !knownType(typ) {
			at := typ
			if at == nil {
				at = v
			}
			c.add(at, "Field %s is not matching any input schema type definition. Please make sure that it's type is valid.", path)
			return
		}
	}
	for _, m := range v.Unique() {
		want, ok := keywordKinds[m.Name]
		switch {
		case !ok, m.Name == "required":
			continue
		case m.Value.Kind != want:
			c.add(m.Value, "Field %s.%s must be %s", path, m.Name, want)
			continue
		case slices.Contains(countKeywords, m.Name) && !isInteger(m.Value):
			c.add(m.Value, "Field %s.%s must be integer", path, m.Name)
			continue
		}
		switch m.Name {
		case "enum":
			if len(m.Value.Items) == 0 {
				c.add(m.Value, "Field %s.enum must NOT have fewer than 1 items", path)
			}
		case "properties":
			for _, sub := range m.Value.Unique() {
				c.field(sub.Value, path+"."+sub.Name, true)
			}
		case "items":
			c.field(m.Value, path+".items", false)
		case "pattern", "patternKey", "patternValue":
			compiled, err := ecma.Compile(m.Value.Text)
			if err != nil {
				c.add(m.Value, `The regular expression "%s" in field %s.%s must be valid.`, m.Value.Text, path, m.Name)
				continue
			}
			c.in.patterns[m.Value] = compiled
		}
	}
	c.required(v, path)
}

func knownType(v *jsonc.Value) bool {
	known := func(v *jsonc.Value) bool { return v.Is(jsonc.String) && slices.Contains(types, v.Text) }
	if v.Is(jsonc.Array) {
		return len(v.Items) > 0 && !slices.ContainsFunc(v.Items, func(item *jsonc.Value) bool { return !known(item) })
	}
	return known(v)
}
