package grammar

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// metaText is the platform's published schema of input schemas, draft 2019-09,
// without patternKey and patternValue, which the platform refuses by now.
//
//go:embed meta.json
var metaText []byte

// metaSchema is metaText, taken apart as the platform's validator does.
type metaSchema struct {
	// structure is what it says of an input schema without looking into its fields.
	structure *definition
	// fields define the sorts of top-level fields, subFields those below.
	fields, subFields []*definition
}

// definition is a part of the meta-schema that something is judged by.
type definition struct {
	// root is what the platform judges by.
	root func() *jsonc.Value
	// shallow is root without what it says of the fields below, which are judged
	// on their own: it is what lists all faults of a field, and would take a time
	// exponential in the nesting if it looked below.
	shallow *jsonc.Value
	// components are the named parts that shallow refers to.
	components *jsonc.Value
	// first evaluates root and stops at the first fault, as the platform does; all
	// lists the faults that shallow sees.
	first, all func() *jsonschema.Schema
}

// meta is read at the first use, and its parts are compiled at theirs.
var meta = sync.OnceValue(func() *metaSchema {
	shallow := parseMeta()
	prune(shallow.Root)
	full := sync.OnceValue(parseMeta)
	components := shallow.Root.Get("definitions")
	define := func(shallowRoot *jsonc.Value, root func() *jsonc.Value) *definition {
		d := &definition{shallow: with(shallowRoot, components), components: components}
		d.root = sync.OnceValue(func() *jsonc.Value { return with(root(), full().Root.Get("definitions")) })
		d.first = sync.OnceValue(func() *jsonschema.Schema { return mustCompile(full(), d.root(), false) })
		d.all = sync.OnceValue(func() *jsonschema.Schema { return mustCompile(shallow, d.shallow, true) })
		return d
	}
	m := &metaSchema{structure: define(shallow.Root, func() *jsonc.Value {
		return replaced(full().Root, "properties", shallow.Root.Get("properties"))
	})}
	for _, member := range components.Members {
		title := member.Value.Get("title").Text
		if strings.HasPrefix(title, "Utils:") || strings.HasPrefix(title, "Component:") {
			continue
		}
		d := define(member.Value, func() *jsonc.Value { return full().Root.Get("definitions").Get(member.Name) })
		if strings.HasPrefix(title, "Sub-schema:") {
			m.subFields = append(m.subFields, d)
		} else {
			m.fields = append(m.fields, d)
		}
	}
	return m
})

// parseMeta reads the text, which is our own and has no faults.
func parseMeta() *jsonc.Document {
	doc, err := jsonc.ParseStrict("meta.json", metaText)
	if err != nil {
		panic(err)
	}
	return doc
}

func mustCompile(doc *jsonc.Document, root *jsonc.Value, all bool) *jsonschema.Schema {
	s, faults := jsonschema.Compile(doc, root, jsonschema.Options{Draft: jsonschema.Draft201909, AllErrors: all})
	if err := faults.Err("the schema of input schemas"); err != nil {
		panic(err)
	}
	return s
}

// with gives a schema those of the components that it refers to, however many
// steps away.
func with(schema, components *jsonc.Value) *jsonc.Value {
	needed := &jsonc.Value{Kind: jsonc.Object}
	var collect func(v *jsonc.Value)
	collect = func(v *jsonc.Value) {
		if ref := v.Get("$ref"); ref.Is(jsonc.String) {
			name := strings.TrimPrefix(ref.Text, definitions)
			if needed.Get(name) == nil {
				needed.Members = append(needed.Members, jsonc.Member{Name: name, Value: components.Get(name)})
				collect(components.Get(name))
			}
		}
		for _, m := range v.Members {
			if m.Name != "definitions" {
				collect(m.Value)
			}
		}
		for _, item := range v.Items {
			collect(item)
		}
	}
	collect(schema)
	return replaced(schema, "definitions", needed)
}

// definitions is what a reference to a component begins with.
const definitions = "#/definitions/"

// prune takes away what a schema says of objects whose members have any name:
// these are the fields of an object.
func prune(v *jsonc.Value) {
	if v.Get("patternProperties") != nil {
		v.Members = slices.DeleteFunc(v.Members, func(m jsonc.Member) bool {
			return m.Name == "patternProperties" || m.Name == "additionalProperties"
		})
	}
	for _, m := range v.Members {
		prune(m.Value)
	}
	for _, item := range v.Items {
		prune(item)
	}
}

// replaced is an object with one member set, the others as they are.
func replaced(v *jsonc.Value, name string, value *jsonc.Value) *jsonc.Value {
	out := *v
	out.Members = slices.Clone(v.Members)
	for i, m := range out.Members {
		if m.Name == name {
			out.Members[i].Value = value
			return &out
		}
	}
	out.Members = append(out.Members, jsonc.Member{Name: name, Value: value})
	return &out
}

// find gives the definition for a field of that type, nil when there is none for
// the type. A field with an enum or a resourceType has a definition of its own.
// says is what the platform says, without looking further, of an enum where the
// type allows none.
func (m *metaSchema) find(field *jsonc.Value, sub bool) (d *definition, says string) {
	list := m.fields
	if sub {
		list = m.subFields
	}
	typ := field.Get("type")
	var plain, enum, resource, last *definition
	matching := 0
	for _, d := range list {
		properties := d.shallow.Get("properties")
		if name := properties.Get("type").Get("enum"); name == nil {
			if !typ.Is(jsonc.Array) {
				continue
			}
		} else if !typ.Is(jsonc.String) || name.Items[0].Text != typ.Text {
			continue
		}
		matching++
		last = d
		switch {
		case properties.Get("enum") != nil:
			enum = d
		case properties.Get("resourceType") != nil:
			resource = d
		default:
			plain = d
		}
	}
	switch {
	case matching < 2:
		return last, ""
	case jsvalue.Truthy(field.Get("enum")) && enum == nil:
		return plain, `Input schema validation failed to find "enum property" definition`
	case jsvalue.Truthy(field.Get("enum")):
		return enum, ""
	case jsvalue.Truthy(field.Get("resourceType")):
		return resource, ""
	}
	return plain, ""
}
