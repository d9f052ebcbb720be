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

// Type is a type that a schema describes, in no language yet.
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

// hidden reports whether the type says nothing beside a name of its own.
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
