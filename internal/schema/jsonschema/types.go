package jsonschema

import (
	"math"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// types are the types a schema allows, in its order; none means all.
type types struct {
	names  []string
	single string // the name when there is just one
}

func (t types) has(v *jsonc.Value) bool {
	for _, name := range t.names {
		if name == string(v.Kind) || name == "integer" && v.Kind == jsonc.Number && isInteger(jsvalue.Number(v)) {
			return true
		}
	}
	return false
}

// isInteger is AJV's test, which lets infinity pass.
func isInteger(f float64) bool { return f == math.Trunc(f) }

// readTypes gives the types of a schema. "nullable" adds null.
func readTypes(schema *jsonc.Value) types {
	var t types
	switch v := schema.Get("type"); {
	case v.Is(jsonc.String):
		t.names = []string{v.Text}
	case v.Is(jsonc.Array):
		for _, item := range v.Items {
			if item.Is(jsonc.String) {
				t.names = append(t.names, item.Text)
			}
		}
	}
	if len(t.names) == 0 {
		return t
	}
	if schema.Get("nullable").True() && !hasName(t.names, "null") {
		t.names = append(t.names, "null")
	}
	if len(t.names) == 1 {
		t.single = t.names[0]
	}
	return t
}

func hasName(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// types compiles the keyword "type".
func (b *builder) types() {
	t := readTypes(b.schema)
	b.node.types = t
	nullable := b.schema.Get("nullable")
	switch {
	case nullable == nil:
	case !nullable.Is(jsonc.Boolean):
		b.report(nullable, "nullable must be a boolean")
	case len(t.names) == 0:
		b.report(nullable, `"nullable" cannot be used without "type"`)
	case nullable.Text == "false" && hasName(t.names, "null"):
		b.report(nullable, "type: null contradicts nullable: false")
	}
	if len(t.names) == 0 {
		return
	}
	b.node.typeFirst = t.single == "" || !b.usesGroup(t.single)
	if b.schema.Get("type").Is(jsonc.String) {
		name := b.schema.Get("type").Text
		b.node.wrongType = b.complaint("type", `{"type":`+string(jsvalue.AppendString(nil, name))+`}`, "must be "+name)
		return
	}
	params := []byte(`{"type":[`)
	for i, name := range t.names {
		if i > 0 {
			params = append(params, ',')
		}
		params = jsvalue.AppendString(params, name)
	}
	b.node.wrongType = b.complaint("type", string(append(params, `]}`...)), "must be "+strings.Join(t.names, ","))
}

// usesGroup reports whether there are keywords for a type.
func (b *builder) usesGroup(kind string) bool {
	for _, g := range b.vocabulary() {
		if string(g.kind) != kind {
			continue
		}
		for _, k := range g.keywords {
			if b.schema.Get(k.name) != nil {
				return true
			}
		}
	}
	return false
}
