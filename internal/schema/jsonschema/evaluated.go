package jsonschema

import "maps"

// What unevaluatedProperties and unevaluatedItems leave out is, in AJV, partly
// known when a schema is compiled and partly kept in variables of the compiled
// function. Which of the two it is shows in the verdicts (a variable that a
// branch did not get to set knows nothing), so the same two forms are kept here.

// covered is what is known of the members, or of the items, that the keywords
// up to some point of a schema take care of.
type covered struct {
	how   coverage
	names map[string]bool // of members, when listed
	count int             // of items, when listed
	slot  int
}

type coverage int

const (
	unknown coverage = iota // nothing was said
	listed                  // these names, or so many items
	whole                   // all of them
	slotted                 // what the slot holds at that time
)

// tally is the content of a slot. The zero value is JavaScript's undefined.
type tally struct {
	set    bool
	whole  bool
	names  map[string]bool
	count  int
	shared bool // names belong to the schema and must not be written to
}

// action is something to do to the slots while a value is evaluated; it may be
// nil.
type action func(f *frame)

func (a action) do(f *frame) {
	if a != nil {
		a(f)
	}
}

func (a action) then(b action) action {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(f *frame) { a(f); b(f) }
}

func (c covered) tally() tally {
	return tally{set: true, whole: c.how == whole, names: c.names, count: c.count, shared: true}
}

// add joins other to t, unless t is whole already.
func (t *tally) add(other tally) {
	switch {
	case t.whole || !other.set:
	case other.whole:
		*t = tally{set: true, whole: true}
	default:
		if t.names == nil || t.shared {
			names := make(map[string]bool, len(t.names)+len(other.names))
			maps.Copy(names, t.names)
			t.names, t.shared = names, false
		}
		maps.Copy(t.names, other.names)
		t.set, t.count = true, max(t.count, other.count)
	}
}

// mark adds one name.
func (t *tally) mark(name string) {
	t.add(tally{set: true})
	if !t.whole {
		t.names[name] = true
	}
}

// join adds from to to, and gives what is to be done at this point of the
// evaluation. With slot set, what is known goes into a slot even if it could be
// known before.
func (f *function) join(from, to covered, slot bool) (covered, action) {
	var out covered
	var do action
	switch {
	case to.how == unknown:
		out = from
	case to.how == slotted && from.how == slotted:
		out, do = to, func(f *frame) { f.slots[to.slot].add(f.slots[from.slot]) }
	case to.how == slotted:
		known := from.tally()
		out, do = to, func(f *frame) { f.slots[to.slot].add(known) }
	case from.how == slotted:
		known := to.tally()
		out, do = from, func(f *frame) { f.slots[from.slot].add(known) }
	case from.how == whole || to.how == whole:
		out = covered{how: whole}
	default:
		out = covered{how: listed, count: max(from.count, to.count), names: maps.Clone(from.names)}
		if out.names == nil {
			out.names = map[string]bool{}
		}
		maps.Copy(out.names, to.names)
	}
	if slot && out.how != slotted {
		known := out.tally()
		out = f.newSlot()
		at := out.slot
		do = do.then(func(f *frame) { f.slots[at] = known })
	}
	return out, do
}

func (f *function) newSlot() covered {
	f.slots++
	return covered{how: slotted, slot: f.slots - 1}
}

// result gives what a call has covered.
func (c covered) result(f *frame) tally {
	switch c.how {
	case unknown:
		return tally{}
	case slotted:
		return f.slots[c.slot]
	}
	return c.tally()
}
