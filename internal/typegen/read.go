package typegen

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxDepth bounds the nesting of schemas, maxTypes how many types they describe
// (alternatives within lists of types multiply), and maxTuple the elements of a
// list that are spelled out: minItems may be any number.
const (
	maxDepth = 100
	maxTypes = 100_000
	maxTuple = 100
)

// presence says which fields of an object count as required. It is inherited by
// the objects that are fields, not by those in lists and alternatives.
type presence int

const (
	asWritten       presence = iota
	defaultsPresent          // also those with a default: the platform fills them in
	allOptional
)

// reader makes types from one schema.
type reader struct {
	root *jsonc.Value
	// open lets objects that do not say otherwise have any other member.
	open bool
	// named are the types of definitions that are referred to.
	named map[*jsonc.Value]*typ
	// definitions are what has a name in the schema already.
	definitions map[*jsonc.Value]bool
	names       names
	facets      []facet
	depth       int
	made        int
	err         error
}

// schema is a schema object with what the rules below make of it.
type schema struct {
	*jsonc.Value
	// types are those of the keyword, in its order; list when it is an array.
	types []string
	list  bool
	enum  []*jsonc.Value
	// constrained says that there is an enum at all, even an empty one.
	constrained bool
}

func (s *schema) has(name string) bool { return s.Get(name) != nil }

// is reports whether the type is this one alone.
func (s *schema) is(name string) bool { return !s.list && len(s.types) == 1 && s.types[0] == name }

func (s *schema) text(name string) string {
	if v := s.Get(name); v.Is(jsonc.String) {
		return v.Text
	}
	return ""
}

// isList reports whether the schema is about arrays, isRecord about objects.
func (s *schema) isList() bool   { return s.has("items") || slices.Contains(s.types, "array") }
func (s *schema) isRecord() bool { return s.has("properties") || slices.Contains(s.types, "object") }

// empty reports whether nothing is said; titles are not looked at.
func (s *schema) empty() bool {
	return !slices.ContainsFunc(s.Members, func(m jsonc.Member) bool { return m.Name != "title" })
}

// doc gives the description, and the bounds that types do not tell.
func (s *schema) doc() string {
	text := strings.ReplaceAll(strings.ReplaceAll(s.text("description"), "*/", "* /"), "\r\n", "\n")
	if !s.isList() {
		return text
	}
	var bounds []string
	for _, name := range []string{"minItems", "maxItems"} {
		if v := s.Get(name); v != nil {
			bounds = append(bounds, "@"+name+" "+v.Text)
		}
	}
	if text != "" && bounds != nil {
		text += "\n\n"
	}
	return text + strings.Join(bounds, "\n")
}

func newSchema(v *jsonc.Value) *schema {
	s := &schema{Value: v}
	if enum := v.Get("enum"); enum.Is(jsonc.Array) {
		s.enum, s.constrained = enum.Items, true
	}
	if value := v.Get("const"); value != nil {
		s.enum, s.constrained = []*jsonc.Value{value}, true
	}
	switch t := v.Get("type"); {
	case t.Is(jsonc.String):
		s.types = []string{t.Text}
	case t.Is(jsonc.Array):
		s.list = true
		for _, item := range t.Items {
			if item.Is(jsonc.String) {
				s.types = append(s.types, item.Text)
			}
		}
		// The values say null already.
		if slices.ContainsFunc(s.enum, func(v *jsonc.Value) bool { return v.Kind == jsonc.Null }) {
			s.types = slices.DeleteFunc(s.types, func(name string) bool { return name == "null" })
		}
		s.list = len(s.types) != 1
	}
	return s
}

// facet is one reading of a schema: JSON Schema lets it be several things at
// once, each a condition of its own.
type facet struct {
	holds func(*reader, *schema) bool
	read  func(*reader, *schema, presence) *typ
}

// facets gives them in the order of the official tool, for it shows in the order
// of intersections.
func facets() []facet {
	return []facet{
		{func(_ *reader, s *schema) bool { return s.empty() || s.is("any") }, simple(unknownType)},
		{func(_ *reader, s *schema) bool { return s.has("anyOf") }, alternatives("anyOf")},
		{scalar("boolean", jsonc.Boolean), simple(booleanType)},
		{func(r *reader, s *schema) bool {
			return s.Value == r.root && (s.has("properties") || s.has("patternProperties"))
		}, (*reader).record},
		{func(_ *reader, s *schema) bool { return s.is("null") }, simple(nullType)},
		{func(r *reader, s *schema) bool {
			return scalar("integer", jsonc.Number)(r, s) || scalar("number", jsonc.Number)(r, s)
		}, simple(numberType)},
		{func(_ *reader, s *schema) bool { return s.has("oneOf") }, alternatives("oneOf")},
		{scalar("string", jsonc.String), simple(stringType)},
		{func(_ *reader, s *schema) bool {
			return s.has("items") && (len(s.types) == 0 && !s.list || s.is("array"))
		}, (*reader).items},
		{func(_ *reader, s *schema) bool { return s.list }, (*reader).severalTypes},
		{func(_ *reader, s *schema) bool {
			return s.constrained && !s.list && (len(s.types) == 0 || slices.Contains([]string{"boolean", "integer", "number", "string"}, s.types[0]))
		}, (*reader).values},
		{func(_ *reader, s *schema) bool { return s.is("array") && !s.has("items") }, (*reader).untyped},
	}
}

// scalar is a type that the schema names, or that its default has.
func scalar(name string, of jsonc.Kind) func(*reader, *schema) bool {
	return func(_ *reader, s *schema) bool {
		if s.constrained {
			return false
		}
		return s.is(name) || s.Get("default").Is(of) && !s.list && !s.has("anyOf") && !s.has("oneOf")
	}
}

func simple(k kind) func(*reader, *schema, presence) *typ {
	return func(_ *reader, s *schema, _ presence) *typ { return &typ{kind: k, integer: s.is("integer")} }
}

// read makes the type of a schema; the presence is for its fields when it is an
// object.
func (r *reader) read(v *jsonc.Value, p presence) *typ {
	switch {
	case v.Is(jsonc.Boolean) && !v.True():
		return &typ{kind: neverType}
	case !v.Is(jsonc.Object):
		return &typ{kind: unknownType}
	}
	if r.depth++; r.depth > maxDepth {
		r.fail("the schema is nested more than %d deep", maxDepth)
		return &typ{kind: unknownType}
	}
	defer func() { r.depth-- }()
	if ref := v.Get("$ref"); ref.Is(jsonc.String) {
		return r.reference(v, ref.Text)
	}
	return r.shape(v, p)
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fault.New(fault.InvalidInput, format, args...)
	}
}

// shape makes the type of a schema object that is no reference.
func (r *reader) shape(v *jsonc.Value, p presence) *typ {
	if r.made++; r.made > maxTypes {
		r.fail("the schema describes more than %d types", maxTypes)
		return &typ{kind: unknownType}
	}
	s := newSchema(v)
	var readings []*typ
	for _, f := range r.facets {
		if f.holds(r, s) {
			readings = append(readings, f.read(r, s, p))
		}
	}
	all := s.Get("allOf")
	if len(readings) == 0 && all == nil {
		readings = append(readings, r.record(s, p))
	}
	t := &typ{kind: intersectionType}
	deprecated := s.Get("deprecated").True()
	if len(readings) == 1 && all == nil {
		t = readings[0]
	} else {
		// The official tool loses it on the way to an intersection of readings.
		deprecated = deprecated && len(readings) == 0
		if all.Is(jsonc.Array) {
			t.members = r.readAll(all, asWritten)
		}
		t.members = append(t.members, readings...)
	}
	t.doc, t.deprecated, t.nullable = s.doc(), deprecated, s.Get("nullable").True()
	return t
}

func (r *reader) readAll(list *jsonc.Value, p presence) (out []*typ) {
	for _, item := range list.Items {
		out = append(out, r.read(item, p))
	}
	return out
}

func alternatives(keyword string) func(*reader, *schema, presence) *typ {
	return func(r *reader, s *schema, _ presence) *typ {
		return &typ{kind: unionType, members: r.readAll(s.Get(keyword), asWritten)}
	}
}

// values makes the type of an enumeration.
func (r *reader) values(s *schema, _ presence) *typ {
	t := &typ{kind: unionType}
	for _, v := range s.enum {
		t.members = append(t.members, &typ{kind: literalType, literal: literal(v)})
	}
	return t
}

// literal gives a value in a form that every language can print.
func literal(v *jsonc.Value) any {
	switch v.Kind {
	case jsonc.String:
		return v.Text
	case jsonc.Number:
		f, err := strconv.ParseFloat(v.Text, 64)
		if err != nil {
			return v.Text // beyond any number of these languages
		}
		return f
	case jsonc.Boolean:
		return v.True()
	case jsonc.Array:
		out := []any{}
		for _, item := range v.Items {
			out = append(out, literal(item))
		}
		return out
	case jsonc.Object:
		out := []member{}
		for _, m := range ordered(v) {
			out = append(out, member{m.Name, literal(m.Value)})
		}
		return out
	}
	return nil
}

// severalTypes makes the union of a list of types: each with what else the
// schema says, but for a default of another type.
func (r *reader) severalTypes(s *schema, p presence) *typ {
	kinds := map[string]jsonc.Kind{"integer": jsonc.Number}
	t := &typ{kind: unionType}
	for _, name := range s.types {
		one := &jsonc.Value{Kind: jsonc.Object, Start: s.Start}
		for _, m := range s.Unique() {
			switch m.Name {
			case "$id", "description", "title", "type", "allOf": // what stands beside the union already
				continue
			case "default":
				if m.Value.Kind != cmp.Or(kinds[name], jsonc.Kind(name)) {
					continue
				}
			}
			one.Members = append(one.Members, m)
		}
		one.Members = append(one.Members, jsonc.Member{Name: "type", Value: &jsonc.Value{Kind: jsonc.String, Text: name}})
		t.members = append(t.members, r.shape(one, p))
	}
	return t
}

// least gives minItems, as far as it can be spelled out.
func (s *schema) least() int {
	n, err := strconv.Atoi(textOf(s.Get("minItems")))
	if err != nil || n < 0 || n > maxTuple {
		return 0
	}
	return n
}

func textOf(v *jsonc.Value) string {
	if v == nil {
		return ""
	}
	return v.Text
}

// items makes the type of an array that says what is in it.
func (r *reader) items(s *schema, _ presence) *typ {
	items, least := s.Get("items"), s.least()
	if !items.Is(jsonc.Array) {
		elem := r.read(items, asWritten)
		if least == 0 {
			return &typ{kind: arrayType, elem: elem}
		}
		return &typ{kind: tupleType, members: slices.Repeat([]*typ{elem}, least), rest: elem, least: least}
	}
	t := &typ{kind: tupleType, members: r.readAll(items, asWritten), least: least}
	if more := s.Get("additionalItems"); more != nil && (more.Kind != jsonc.Boolean || more.True()) {
		t.rest = r.read(more, asWritten)
	} else if least > len(t.members) {
		t.rest = &typ{kind: unknownType}
	}
	return t
}

// untyped makes the type of an array of anything.
func (r *reader) untyped(s *schema, _ presence) *typ {
	elem, least := &typ{kind: unknownType}, s.least()
	if least == 0 {
		return &typ{kind: arrayType, elem: elem}
	}
	return &typ{kind: tupleType, members: slices.Repeat([]*typ{elem}, least), rest: elem, least: least}
}

// record makes the type of an object.
func (r *reader) record(s *schema, p presence) *typ {
	t := &typ{kind: recordType}
	required := map[string]bool{}
	if list := s.Get("required"); list.Is(jsonc.Array) && (p != allOptional) {
		for _, item := range list.Items {
			required[textOf(item)] = true
		}
	}
	for _, m := range ordered(s.Get("properties")) {
		below := asWritten
		if m.Value.Get("properties") != nil && newSchema(m.Value).is("object") && m.Value.Get("type").Is(jsonc.String) {
			below = p
		}
		needed := required[m.Name] || p == defaultsPresent && m.Value.Get("default") != nil
		t.fields = append(t.fields, field{m.Name, needed, r.read(m.Value, below)})
	}
	more, patterns := s.Get("additionalProperties"), ordered(s.Get("patternProperties"))
	switch {
	case more.Is(jsonc.Object):
		t.index = r.read(more, asWritten)
	case len(patterns) == 1 && !more.True():
		t.index = r.pattern(patterns[0])
	case more.Is(jsonc.Boolean) && !more.True():
	case more == nil && s.Get("patternProperties") == nil && s.isRecord() && !r.open:
	default:
		t.index = &typ{kind: unknownType}
	}
	return t
}

// pattern makes the type of the members whose names match an expression.
func (r *reader) pattern(m jsonc.Member) *typ {
	t := *r.read(m.Value, asWritten)
	note := "Keys match the regular expression " + m.Name
	if t.doc != "" {
		note = t.doc + "\n\n" + note
	}
	t.doc = strings.ReplaceAll(note, "*/", "* /")
	return &t
}

// ordered gives the members of an object in the order in which JavaScript lists
// them: names that are array indexes first, by number.
func ordered(v *jsonc.Value) []jsonc.Member {
	if !v.Is(jsonc.Object) {
		return nil
	}
	members := v.Unique()
	slices.SortStableFunc(members, func(a, b jsonc.Member) int {
		i, first := index(a.Name)
		j, second := index(b.Name)
		switch {
		case first && second:
			return cmp.Compare(i, j)
		case first:
			return -1
		case second:
			return 1
		}
		return 0
	})
	return members
}

func index(name string) (uint64, bool) {
	n, err := strconv.ParseUint(name, 10, 32)
	return n, err == nil && n < 1<<32-1 && strconv.FormatUint(n, 10) == name
}
