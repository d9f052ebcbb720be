package jsonschema

import (
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// id is draft-04's, which AJV refuses.
func (b *builder) id(_ string, value *jsonc.Value) rule {
	b.report(value, `NOT SUPPORTED: keyword "id", use "$id" for schema ID`)
	return nil
}

func (b *builder) constant(name string, value *jsonc.Value) rule {
	params := jsvalue.AppendJSON([]byte(`{"allowedValue":`), value)
	wrong := b.complaint(name, string(params)+"}", "must be equal to constant")
	allowed := newChoice([]*jsonc.Value{value})
	return func(r *run, m mode, v *jsonc.Value) bool { return allowed.has(r, v, wrong.node) || r.fail(m, v, wrong) }
}

func (b *builder) enum(name string, value *jsonc.Value) rule {
	if value.Is(jsonc.Array) && len(value.Items) == 0 {
		b.report(value, "enum must have non-empty array")
	}
	params := jsvalue.AppendJSON([]byte(`{"allowedValues":`), value)
	wrong := b.complaint(name, string(params)+"}", "must be equal to one of the allowed values")
	allowed := newChoice(value.Items)
	return func(r *run, m mode, v *jsonc.Value) bool { return allowed.has(r, v, wrong.node) || r.fail(m, v, wrong) }
}

// choice is a set of values.
type choice struct{ texts, others map[string]bool }

func newChoice(values []*jsonc.Value) choice {
	c := choice{map[string]bool{}, map[string]bool{}}
	for _, v := range values {
		if v.Is(jsonc.String) {
			c.texts[v.Text] = true
		} else {
			c.others[string(jsvalue.AppendKey(nil, v))] = true
		}
	}
	return c
}

func (c choice) has(r *run, v *jsonc.Value, n *node) bool {
	if v.Kind == jsonc.String {
		return c.texts[v.Text]
	}
	if len(c.others) == 0 {
		return false
	}
	var buffer [32]byte
	key := jsvalue.AppendKey(buffer[:0], v)
	r.spend(len(key)/16, v, n)
	return c.others[string(key)]
}

func (b *builder) not(name string, value *jsonc.Value) rule {
	wrong := b.complaint(name, "{}", "must NOT be valid")
	if b.always(value) {
		return func(r *run, m mode, v *jsonc.Value) bool { return r.fail(m, v, wrong) }
	}
	n := b.sub(b.here(b.path.child(name)), value)
	return func(r *run, m mode, v *jsonc.Value) bool {
		start := len(r.errors)
		valid := r.eval(n, mode{composite: true, quiet: true}, v)
		if r.left {
			return false
		}
		if valid {
			return r.fail(m, v, wrong)
		}
		r.errors = r.errors[:start]
		return true
	}
}

// branches compiles the schemas of anyOf, oneOf or allOf.
func (b *builder) branch(name string, i int, schema *jsonc.Value) *node {
	return b.sub(b.here(b.path.grandchild(name, strconv.Itoa(i))), schema)
}

func (b *builder) anyOf(name string, value *jsonc.Value) rule {
	if !value.Is(jsonc.Array) {
		return nil
	}
	wrong := b.complaint(name, "{}", "must match a schema in anyOf")
	nodes := make([]*node, len(value.Items))
	merges := make([]action, len(value.Items))
	always := false
	for i, schema := range value.Items {
		always = always || b.always(schema)
		nodes[i] = b.branch(name, i, schema)
		if b.node.members.how != whole || b.node.items.how != whole {
			merges[i] = b.cover(nodes[i].members, nodes[i].items, true)
		}
	}
	if always && !b.tracks {
		return nil
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		start := len(r.errors)
		inner := m
		inner.composite = true
		valid := false
		for i, n := range nodes {
			if valid && !b.tracks {
				break
			}
			if r.eval(n, inner, v) {
				valid = true
				merges[i].do(&r.frame)
			}
			if r.left {
				return false
			}
		}
		if !valid {
			return r.failToo(m, v, wrong)
		}
		r.errors = r.errors[:start]
		return true
	}
}

func (b *builder) oneOf(name string, value *jsonc.Value) rule {
	if !value.Is(jsonc.Array) {
		return nil
	}
	none := b.complaint(name, `{"passingSchemas":null}`, "must match exactly one schema in oneOf")
	nodes := make([]*node, len(value.Items))
	merges := make([]action, len(value.Items))
	for i, schema := range value.Items {
		if !b.always(schema) {
			nodes[i] = b.branch(name, i, schema)
			merges[i] = b.cover(nodes[i].members, nodes[i].items, true)
		}
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		start, first := len(r.errors), -1
		inner := m
		inner.composite = true
		for i, n := range nodes {
			if n != nil && !r.eval(n, inner, v) {
				if r.left {
					return false
				}
				continue
			}
			if first >= 0 {
				both := *none
				both.params = []byte(`{"passingSchemas":[` + strconv.Itoa(first) + "," + strconv.Itoa(i) + `]}`)
				return r.failToo(m, v, &both)
			}
			first = i
			merges[i].do(&r.frame)
		}
		if first < 0 {
			return r.failToo(m, v, none)
		}
		r.errors = r.errors[:start]
		return true
	}
}

func (b *builder) allOf(name string, value *jsonc.Value) rule {
	var nodes []*node
	var merges []action
	for i, schema := range value.Items {
		if b.always(schema) {
			continue
		}
		n := b.branch(name, i, schema)
		nodes = append(nodes, n)
		merges = append(merges, b.cover(n.members, n.items, false))
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		for i, n := range nodes {
			valid := r.eval(n, m, v)
			if r.left || !valid && !m.all {
				return false
			}
			merges[i].do(&r.frame)
		}
		return true
	}
}

// clause is then or else.
type clause struct {
	node  *node
	merge action
	wrong *complaint
}

func (b *builder) clause(name string) *clause {
	schema := b.schema.Get(name)
	if schema == nil || b.always(schema) {
		return nil
	}
	c := &clause{
		node:  b.sub(b.here(b.path.child(name)), schema),
		wrong: b.complaint("if", `{"failingKeyword":"`+name+`"}`, `must match "`+name+`" schema`),
	}
	if b.node.members.how != whole || b.node.items.how != whole {
		c.merge = b.cover(c.node.members, c.node.items, true)
	}
	return c
}

func (b *builder) conditional(name string, value *jsonc.Value) rule {
	used := func(keyword string) bool { s := b.schema.Get(keyword); return s != nil && !b.always(s) }
	if !used("then") && !used("else") {
		return nil
	}
	n := b.sub(b.here(b.path.child(name)), value)
	merge := b.cover(n.members, n.items, false)
	yes, no := b.clause("then"), b.clause("else")
	return func(r *run, m mode, v *jsonc.Value) bool {
		start := len(r.errors)
		valid := r.eval(n, mode{composite: true, quiet: true}, v)
		if r.left {
			return false
		}
		merge.do(&r.frame)
		r.errors = r.errors[:start]
		c := no
		if valid {
			c = yes
		}
		if c == nil {
			return true
		}
		valid = r.eval(c.node, m, v)
		if r.left {
			return false
		}
		if !valid {
			return r.failToo(m, v, c.wrong)
		}
		c.merge.do(&r.frame)
		return true
	}
}
