package input

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// object is a JSON object that keeps its order.
type object struct{ members []member }

type member struct {
	name  string
	value any
}

func (o *object) MarshalJSON() ([]byte, error) {
	var out strings.Builder
	out.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return []byte(out.String()), nil
}

func (o *object) set(name string, value any) *object {
	for i, m := range o.members {
		if m.name == name {
			o.members[i].value = value
			return o
		}
	}
	o.members = append(o.members, member{name, value})
	return o
}

func (o *object) get(name string) any {
	for _, m := range o.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// generator makes input schemas and inputs from a seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func (g generator) maybe(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g generator, list ...T) T { return list[g.IntN(len(list))] }

var (
	patterns = []string{"^a", "^[a-z]+$", "(?<!x)b", "^(a|b)*$", `^\d{2,}$`, "é", `[\w-]+\.`, `^https?:\/\/`, "]", "}", "x{1", "a{,2}", `\-a`, `(?<n>a)\k<n>`, `\1a`, `(a)\1`,
		`[\d-x]`, `\cA`, `^.{0,2}$`, `\bab\b`, `[^]`, `[]`, "", `\u0061`, `\x61`, "^$|^a$", `(?:)`, `a|`, `\S\s?`}
	badRegexp = []string{"[", "(", "a{2,1}", "*a", "(?<n", "[z-a]", `\`, ")", "a**", "(?<n>a)(?<n>b)", `(?<n>a)\k<m>`, "(?a)", "+", "^*", "a{1}{2}"}
	words     = []string{"a", "b", "ab", "abc", "12", "123", "", "žluť", "x y", "http://a.b", "https://example.com/x?y=1"}
	keywords  = []string{"title", "description", "type", "editor", "default", "prefill", "example", "nullable", "errorMessage", "sectionCaption",
		"sectionDescription", "pattern", "minLength", "maxLength", "isSecret", "dateType", "enum", "enumTitles", "enumSuggestedValues",
		"minimum", "maximum", "unit", "groupCaption", "groupDescription", "properties", "required", "additionalProperties", "minProperties",
		"maxProperties", "items", "minItems", "maxItems", "uniqueItems", "placeholderKey", "placeholderValue", "resourceType",
		"resourcePermissions", "mcpServers", "patternKey", "patternValue", "format", "const", "bogus"}
	editors = []string{"textfield", "textarea", "javascript", "python", "select", "datepicker", "fileupload", "hidden", "checkbox", "number",
		"json", "proxy", "schemaBased", "requestListSources", "pseudoUrls", "globs", "keyValue", "stringList", "resourcePicker", "url"}
	allTypes = []string{"string", "boolean", "integer", "number", "object", "array"}
)

// schema makes an input schema that is valid but for what chance brings.
func (g generator) schema() *object {
	s := new(object).set("title", "t").set("type", "object").set("schemaVersion", 1)
	if g.maybe(20) {
		s.set("description", "d")
	}
	fields := new(object)
	names := g.names(1+g.IntN(4), "a")
	for _, name := range names {
		fields.set(name, g.field(2, false))
	}
	s.set("properties", fields)
	if g.maybe(40) {
		required := []any{}
		for _, name := range names {
			if g.maybe(50) {
				required = append(required, name)
			}
		}
		s.set("required", required)
	}
	if g.maybe(20) {
		s.set("additionalProperties", g.maybe(50))
	}
	return s
}

func (g generator) names(n int, prefix string) (names []string) {
	for i := range n {
		name := fmt.Sprint(prefix, i)
		if g.maybe(4) {
			name = pick(g, "sl/ash", "til~de", "do.t", "sp ace", "ž", "10", "9", "", "a/", "/", "%41", "$ref", "properties", "title")
		}
		names = append(names, name)
	}
	return names
}

// field makes a field; depth is how many levels it may have below.
func (g generator) field(depth int, sub bool) *object {
	f := new(object)
	typ := pick(g, "string", "string", "string", "boolean", "integer", "number", "object", "object", "array", "array", "array")
	if !sub && g.maybe(4) {
		var list []any
		for _, i := range g.Perm(len(allTypes))[:1+g.IntN(3)] {
			list = append(list, allTypes[i])
		}
		f.set("title", "t").set("type", list).set("description", "d").set("editor", pick(g, "json", "hidden"))
		if g.maybe(30) {
			f.set("default", pick[any](g, "x", 5, true, []any{}))
		}
		g.plain(f, sub)
		return f
	}
	f.set("title", "t").set("type", typ).set("description", "d")
	switch typ {
	case "string":
		g.stringField(f, sub)
	case "boolean":
		g.sometimes(f, 30, "editor", pick(g, "checkbox", "hidden"))
		g.sometimes(f, 30, "default", g.maybe(50))
		g.sometimes(f, 10, "groupCaption", "g")
	case "integer":
		g.sometimes(f, 30, "editor", pick(g, "number", "hidden"))
		g.sometimes(f, 30, "default", g.IntN(20))
		g.sometimes(f, 40, "minimum", g.IntN(10))
		g.sometimes(f, 40, "maximum", g.IntN(30))
		g.sometimes(f, 10, "unit", "MB")
	case "number":
		g.sometimes(f, 30, "editor", pick(g, "number", "hidden"))
		g.sometimes(f, 30, "default", pick(g, 1.5, 3, -2))
		g.sometimes(f, 40, "minimum", pick(g, 1.5, 3, -2, 1e-7))
		g.sometimes(f, 40, "maximum", pick(g, 1.5, 3, 1e21))
	case "object":
		g.objectField(f, depth, sub)
	case "array":
		g.arrayField(f, depth, sub)
	}
	g.plain(f, sub)
	return f
}

// plain adds what any field may have.
func (g generator) plain(f *object, sub bool) {
	if g.maybe(15) {
		f.set("nullable", g.maybe(80))
		if f.get("isSecret") == nil && f.get("resourcePermissions") == nil && f.get("nullable") == true {
			g.sometimes(f, 20, "default", nil)
		}
	}
	if g.maybe(10) {
		messages := new(object)
		for range 1 + g.IntN(2) {
			messages.set(pick(g, "type", "pattern", "minLength", "enum", "minimum", "maximum", "minItems", "uniqueItems", "minProperties"), pick(g, "own text", "another text", ""))
		}
		f.set("errorMessage", messages)
	}
	if !sub {
		g.sometimes(f, 10, "sectionCaption", "s")
	}
}

func (g generator) sometimes(f *object, percent int, name string, value any) {
	if g.maybe(percent) {
		f.set(name, value)
	}
}

func (g generator) limits(f *object, suffix string) {
	g.sometimes(f, 25, "min"+suffix, g.IntN(3))
	g.sometimes(f, 25, "max"+suffix, 1+g.IntN(4))
}

func (g generator) stringField(f *object, sub bool) {
	switch {
	case g.maybe(15):
		f.set("enum", []any{"a", "b"})
		g.sometimes(f, 50, "editor", "select")
		g.sometimes(f, 50, "enumTitles", []any{"A", "B"})
		g.sometimes(f, 30, "default", pick(g, "a", "c"))
	case g.maybe(12):
		f.set("resourceType", pick(g, "dataset", "keyValueStore", "requestQueue"))
		g.sometimes(f, 50, "editor", pick(g, "resourcePicker", "textfield", "hidden"))
		if !sub && g.maybe(40) {
			f.set("resourcePermissions", pick(g, []any{"READ"}, []any{"READ", "WRITE"}))
		}
	case g.maybe(4):
		f.set("resourceType", "mcpConnector").set("mcpServers", []any{new(object).set("url", "https://x")})
	case !sub && g.maybe(15):
		f.set("isSecret", true).set("editor", pick(g, "textfield", "textarea", "hidden"))
		g.sometimes(f, 20, "prefill", "p")
	case g.maybe(15):
		f.set("editor", "select").set("enumSuggestedValues", []any{"a", "b"})
		g.sometimes(f, 30, "default", "c")
	case g.maybe(10):
		f.set("editor", "datepicker")
		g.sometimes(f, 50, "dateType", pick(g, "absolute", "relative", "absoluteOrRelative"))
	default:
		f.set("editor", pick(g, "textfield", "textarea", "javascript", "python", "fileupload", "hidden"))
		g.sometimes(f, 30, "default", pick(g, words...))
		g.sometimes(f, 20, "prefill", pick(g, words...))
		g.sometimes(f, 30, "pattern", pick(g, patterns...))
		g.limits(f, "Length")
	}
}

func (g generator) objectField(f *object, depth int, sub bool) {
	editors := []string{"json", "json", "proxy", "hidden"}
	if !sub {
		editors = append(editors, "schemaBased")
	}
	editor := pick(g, editors...)
	if !sub || g.maybe(50) || editor == "proxy" {
		f.set("editor", editor)
	}
	if editor == "proxy" {
		g.sometimes(f, 30, "default", new(object).set("useApifyProxy", true))
		return
	}
	if !sub && g.maybe(15) {
		f.set("isSecret", true).set("editor", pick(g, "json", "hidden"))
	} else {
		g.sometimes(f, 20, "default", new(object).set("b0", 1))
		g.sometimes(f, 20, "prefill", new(object))
	}
	g.limits(f, "Properties")
	if depth > 0 && g.maybe(60) {
		fields := new(object)
		names := g.names(1+g.IntN(3), "b")
		for _, name := range names {
			fields.set(name, g.field(depth-1, true))
		}
		f.set("properties", fields)
		g.sometimes(f, 40, "required", []any{pick(g, names...)})
		g.sometimes(f, 30, "additionalProperties", g.maybe(40))
	}
}

func (g generator) arrayField(f *object, depth int, sub bool) {
	if g.maybe(10) {
		f.set("resourceType", pick(g, "dataset", "keyValueStore", "requestQueue"))
		g.sometimes(f, 50, "editor", pick(g, "resourcePicker", "hidden"))
		return
	}
	editors := []string{"json", "json", "requestListSources", "pseudoUrls", "globs", "keyValue", "stringList", "fileupload", "select", "hidden"}
	if !sub {
		editors = append(editors, "schemaBased")
	}
	editor := pick(g, editors...)
	if !sub || g.maybe(60) || editor == "select" {
		f.set("editor", editor)
	} else {
		editor = "json"
	}
	secret := !sub && g.maybe(10)
	if secret {
		editor = pick(g, "json", "hidden")
		f.set("isSecret", true).set("editor", editor)
	} else {
		g.sometimes(f, 20, "default", []any{})
		g.sometimes(f, 10, "prefill", []any{"x"})
	}
	g.limits(f, "Items")
	g.sometimes(f, 20, "uniqueItems", g.maybe(80))
	if g.maybe(50) || editor == "select" {
		f.set("items", g.items(editor, depth))
	}
}

// items makes what an array of the editor may have as items.
func (g generator) items(editor string, depth int) *object {
	text := func() *object { return new(object).set("type", "string").set("title", "t").set("description", "d") }
	fields := func(names ...string) *object {
		properties := new(object)
		for _, name := range names {
			if g.maybe(60) {
				properties.set(name, text())
			}
		}
		return new(object).set("type", "object").set("properties", properties)
	}
	switch editor {
	case "select":
		return new(object).set("type", "string").set(pick(g, "enum", "enumSuggestedValues"), []any{"a", "b"})
	case "keyValue":
		return new(object).set("type", "object").set("properties", new(object).set("key", text()).set("value", text()))
	case "stringList", "fileupload":
		items := new(object).set("type", "string")
		g.sometimes(items, 40, "pattern", pick(g, patterns...))
		g.limits(items, "Length")
		return items
	case "globs":
		return fields("glob", "method", "payload")
	case "pseudoUrls":
		return fields("purl", "method")
	case "requestListSources":
		return fields("url", "method")
	}
	typ := pick(g, allTypes...)
	items := new(object).set("type", typ)
	switch {
	case typ == "string":
		g.sometimes(items, 40, "pattern", pick(g, patterns...))
		g.limits(items, "Length")
	case typ == "integer", typ == "number":
		g.sometimes(items, 40, "minimum", g.IntN(10))
		g.sometimes(items, 40, "maximum", g.IntN(30))
	case typ == "object" && depth > 0:
		properties := new(object)
		names := g.names(1+g.IntN(3), "c")
		for _, name := range names {
			properties.set(name, g.field(depth-1, true))
		}
		items.set("properties", properties)
		g.sometimes(items, 40, "required", []any{pick(g, names...)})
		g.sometimes(items, 30, "additionalProperties", false)
	case typ == "array" && depth > 0:
		items.set("items", g.items("json", depth-1))
	}
	return items
}
