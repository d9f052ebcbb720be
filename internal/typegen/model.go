package typegen

// kind is the sort of a type.
type kind int

const (
	unknownType kind = iota
	neverType
	booleanType
	numberType
	stringType
	nullType
	literalType
	arrayType        // elem
	tupleType        // members, then rest any number of times
	recordType       // fields, and index for any other key
	unionType        // members
	intersectionType // members
)

// typ is a type that a schema describes, in no language yet.
type typ struct {
	kind kind
	// name is set when the type is declared on its own and used by name.
	name       string
	doc        string
	deprecated bool
	// integer narrows a number, nullable is the input schema's keyword.
	integer, nullable bool

	literal any // the value: string, json number as float64, bool, nil, []any, object
	elem    *typ
	members []*typ
	rest    *typ
	least   int // how many elements a tuple has at least
	fields  []field
	index   *typ
}

// field is a member of a record.
type field struct {
	name     string
	required bool
	typ      *typ
}

// member is one name and value of an object literal.
type member struct {
	name  string
	value any
}

// commented reports whether there is something to say about the type.
func (t *typ) commented() bool { return t.doc != "" || t.deprecated }

// walk calls visit for t and every type below it, each once, in the order of
// declaration.
func (t *typ) walk(visit func(*typ)) {
	seen := map[*typ]bool{}
	var step func(t *typ)
	step = func(t *typ) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		visit(t)
		for _, f := range t.fields {
			step(f.typ)
		}
		step(t.index)
		step(t.elem)
		for _, m := range t.members {
			step(m)
		}
		step(t.rest)
	}
	step(t)
}

// merged gives the one type that an intersection amounts to in languages that
// have none: objects become one object, and what says nothing is left out. Other
// intersections are unknown.
func merged(t *typ) *typ {
	if t.kind != intersectionType {
		return t
	}
	out := &typ{kind: recordType, doc: t.doc, deprecated: t.deprecated, nullable: t.nullable}
	var other *typ
	at := map[string]int{}
	for _, m := range t.members {
		m = merged(m)
		if m.kind != recordType {
			if other != nil {
				return &typ{kind: unknownType, doc: t.doc, deprecated: t.deprecated}
			}
			other = m
			continue
		}
		for _, f := range m.fields {
			if i, ok := at[f.name]; ok {
				out.fields[i].required = out.fields[i].required || f.required
				continue
			}
			at[f.name] = len(out.fields)
			out.fields = append(out.fields, f)
		}
	}
	switch {
	case other == nil:
		return out
	case len(out.fields) > 0:
		return &typ{kind: unknownType, doc: t.doc, deprecated: t.deprecated}
	}
	only := *other
	only.doc, only.deprecated = t.doc, t.deprecated
	return &only
}

// elements gives a type for every element of a tuple, for languages that do not
// know lists of a fixed form.
func (t *typ) elements() *typ {
	all := &typ{kind: unionType, members: t.members}
	if t.rest != nil {
		all.members = append(all.members[:len(all.members):len(all.members)], t.rest)
	}
	if len(all.members) == 0 {
		return &typ{kind: unknownType}
	}
	simplify(all, map[*typ]bool{})
	return all
}

// flat gives the members of a union with those of the unions inside of it; null
// says that it may be null, which is then left out.
func (t *typ) flat() (members []*typ, null bool) {
	if t.kind != unionType {
		return []*typ{t}, false
	}
	for _, m := range t.members {
		switch {
		case m.name != "":
			members = append(members, m)
		case m.kind == nullType, m.kind == literalType && m.literal == nil:
			null = true
		default:
			more, also := m.flat()
			members, null = append(members, more...), null || also
		}
	}
	return members, null
}
