package jsonschema

import (
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

func (b *builder) items(name string, value *jsonc.Value) rule {
	if value.Is(jsonc.Array) {
		return b.tuple(name, value)
	}
	b.coverItems()
	if b.always(value) {
		return nil
	}
	return eachItem(b.sub(b.inside(b.path.child(name)), value), 0)
}

// eachItem judges the items from an index on.
func eachItem(n *node, from int) rule {
	return func(r *run, m mode, v *jsonc.Value) bool {
		for i := from; i < len(v.Items); i++ {
			valid := r.item(n, m, v, i)
			if r.left || !valid && !m.all {
				return false
			}
		}
		return true
	}
}

// tuple judges the first items, each with a schema of its own.
//
// AJV remembers the verdict on the last item it judged, and does not set it
// when there is none: the rest of the keywords for arrays is then left out,
// or not if the same place of the schema has judged another array before.
func (b *builder) tuple(name string, value *jsonc.Value) rule {
	cover := b.cover(covered{}, covered{how: listed, count: len(value.Items)}, false)
	if len(value.Items) == 0 {
		cover = nil
	}
	type place struct {
		index int
		node  *node
	}
	var places []place
	for i, schema := range value.Items {
		if !b.always(schema) {
			places = append(places, place{i, b.sub(b.inside(b.path.grandchild(name, strconv.Itoa(i))), schema)})
		}
	}
	flag := b.fn.newFlag()
	return func(r *run, m mode, v *jsonc.Value) bool {
		cover.do(&r.frame)
		for _, p := range places {
			if p.index < len(v.Items) {
				r.frame.flags[flag] = r.item(p.node, m, v, p.index)
				if r.left {
					return false
				}
			}
			if !r.frame.flags[flag] && !m.all {
				return false
			}
		}
		return true
	}
}

func (f *function) newFlag() int {
	f.flags++
	return f.flags - 1
}

func (b *builder) additionalItems(name string, value *jsonc.Value) rule {
	items := b.schema.Get("items")
	if !items.Is(jsonc.Array) {
		return nil
	}
	b.coverItems()
	if b.always(value) {
		return nil
	}
	if value.Is(jsonc.Boolean) {
		return b.atMost(name, len(items.Items))
	}
	return eachItem(b.sub(b.inside(b.path.child(name)), value), len(items.Items))
}

// atMost refuses items from an index on.
func (b *builder) atMost(name string, count int) rule {
	text := strconv.Itoa(count)
	wrong := b.complaint(name, `{"limit":`+text+`}`, "must NOT have more than "+text+" items")
	return func(r *run, m mode, v *jsonc.Value) bool { return len(v.Items) <= count || r.fail(m, v, wrong) }
}

// contains compiles contains, minContains and maxContains.
//
// With neither, AJV remembers the verdict on the last item it judged, and does
// not set it when there is none: an array without items has what another at the
// same place of the schema had.
func (b *builder) contains(name string, value *jsonc.Value) rule {
	least, most := 1.0, -1.0 // a negative bound is none
	if b.opts.Draft == Draft201909 {
		if v := b.schema.Get("minContains"); v.Is(jsonc.Number) {
			least = jsvalue.Number(v)
		}
		if v := b.schema.Get("maxContains"); v.Is(jsonc.Number) {
			most = jsvalue.Number(v)
		}
	}
	wrong := b.complaint(name, `{"minContains":`+jsvalue.NumberText(least)+`}`, "must contain at least "+jsvalue.NumberText(least)+" valid item(s)")
	if most >= 0 {
		wrong = b.complaint(name, `{"minContains":`+jsvalue.NumberText(least)+`,"maxContains":`+jsvalue.NumberText(most)+`}`,
			"must contain at least "+jsvalue.NumberText(least)+" and no more than "+jsvalue.NumberText(most)+" valid item(s)")
	}
	switch {
	case most < 0 && least == 0:
		return nil
	case most >= 0 && least > most:
		return func(r *run, m mode, v *jsonc.Value) bool { return r.fail(m, v, wrong) }
	case b.always(value):
		return func(r *run, m mode, v *jsonc.Value) bool {
			n := float64(len(v.Items))
			return n >= least && (most < 0 || n <= most) || r.fail(m, v, wrong)
		}
	}
	b.coverItems()
	n := b.sub(b.inside(b.path.child(name)), value)
	search := count{n, least, most}.judge
	if most < 0 && least == 1 {
		flag := b.fn.newFlag()
		search = func(r *run, m mode, v *jsonc.Value) bool {
			for i := range v.Items {
				r.frame.flags[flag] = r.item(n, m, v, i)
				if r.left || r.frame.flags[flag] {
					break
				}
			}
			return r.frame.flags[flag]
		}
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		start := len(r.errors)
		inner := m
		inner.composite = true
		valid := search(r, inner, v)
		if r.left {
			return false
		}
		if !valid {
			return r.fail(m, v, wrong)
		}
		r.errors = r.errors[:start]
		return true
	}
}

// count counts the items that are valid; a negative most is no bound.
type count struct {
	node        *node
	least, most float64
}

func (c count) judge(r *run, m mode, v *jsonc.Value) bool {
	valid, n := c.least == 0, 0.0
	for i := range v.Items {
		ok := r.item(c.node, m, v, i)
		if r.left {
			return false
		}
		if !ok {
			continue
		}
		n++
		if c.most >= 0 && n > c.most {
			return false
		}
		if n >= c.least {
			valid = true
			if c.most < 0 {
				break
			}
		}
	}
	return valid
}

// uniqueItems compiles uniqueItems. Which two items AJV names depends on whether
// "items" allows arrays and objects.
func (b *builder) uniqueItems(name string, value *jsonc.Value) rule {
	if !value.True() {
		return nil
	}
	var simple types
	if items := b.schema.Get("items"); items.Is(jsonc.Object) {
		simple = readTypes(items)
	}
	if hasName(simple.names, "array") || hasName(simple.names, "object") {
		simple = types{}
	}
	same := b.complaint(name, "", "")
	return func(r *run, m mode, v *jsonc.Value) bool {
		i, j, found := twins(r, v, simple, same.node)
		if r.left || !found {
			return !r.left
		}
		wrong := *same
		a, z := strconv.Itoa(i), strconv.Itoa(j)
		wrong.params = []byte(`{"i":` + a + `,"j":` + z + `}`)
		wrong.message = "must NOT have duplicate items (items ## " + z + " and " + a + " are identical)"
		return r.fail(m, v, &wrong)
	}
}

// twins finds the equal items that AJV finds first.
func twins(r *run, v *jsonc.Value, simple types, n *node) (i, j int, found bool) {
	if len(v.Items) < 2 {
		return 0, 0, false
	}
	seen := make(map[string]int, len(v.Items))
	var key []byte
	if len(simple.names) > 0 {
		for i := len(v.Items) - 1; i >= 0; i-- {
			if !simple.has(v.Items[i]) {
				continue
			}
			key = jsvalue.AppendKey(key[:0], v.Items[i])
			r.spend(1+len(key)/16, v, n)
			if j, ok := seen[string(key)]; ok {
				return i, j, true
			}
			seen[string(key)] = i
		}
		return 0, 0, false
	}
	for at, item := range v.Items {
		key = jsvalue.AppendKey(key[:0], item)
		r.spend(1+len(key)/16, v, n)
		if before, ok := seen[string(key)]; ok {
			i, j, found = at, before, true
		}
		seen[string(key)] = at
	}
	return i, j, found
}

// unevaluatedItems compiles unevaluatedItems.
func (b *builder) unevaluatedItems(name string, value *jsonc.Value) rule {
	before := b.node.items
	if before.how == whole {
		return nil
	}
	b.coverItems()
	if b.always(value) {
		return nil
	}
	if value.Is(jsonc.Boolean) {
		if before.how != slotted {
			return b.atMost(name, before.count)
		}
		return b.atMostSlot(name, before.slot)
	}
	n := b.sub(b.inside(b.path.child(name)), value)
	if before.how != slotted {
		return eachItem(n, before.count)
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		switch t := r.frame.slots[before.slot]; {
		case !t.set:
			return m.all // nothing is more, or less, than undefined
		case !t.whole:
			return eachItem(n, t.count)(r, m, v)
		case len(v.Items) <= 1:
			return true
		}
		// AJV counts from true: it judges the item of that name, which there
		// is not, and goes on at 2.
		valid := r.member(n, m, "true", undefined)
		if r.left || !valid && !m.all {
			return false
		}
		return eachItem(n, 2)(r, m, v)
	}
}

// undefined is of no type and equal to nothing.
var undefined = &jsonc.Value{Kind: "undefined", Text: "undefined"}

// atMostSlot refuses items beyond what a slot counts. AJV compares with the
// slot as it is: true counts as one, and what was never set as enough.
func (b *builder) atMostSlot(name string, slot int) rule {
	return func(r *run, m mode, v *jsonc.Value) bool {
		t := r.frame.slots[slot]
		count, text := t.count, strconv.Itoa(t.count)
		if t.whole {
			count, text = 1, "true"
		}
		if !t.set || len(v.Items) <= count {
			return true
		}
		return r.fail(m, v, b.complaint(name, `{"limit":`+text+`}`, "must NOT have more than "+text+" items"))
	}
}
