package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// schemaMembers are the members of a keyword's object in JavaScript's order,
// without the name that AJV leaves out.
func schemaMembers(value *jsonc.Value) []jsonc.Member {
	var out []jsonc.Member
	if value.Is(jsonc.Object) {
		for _, m := range jsvalue.Members(value) {
			if m.Name != "__proto__" {
				out = append(out, m)
			}
		}
	}
	return out
}

// texts are the strings of an array.
func texts(value *jsonc.Value) []string {
	var out []string
	for _, item := range value.Items {
		if item.Is(jsonc.String) {
			out = append(out, item.Text)
		}
	}
	return out
}

func (b *builder) required(name string, value *jsonc.Value) rule {
	if !value.Is(jsonc.Array) {
		return nil
	}
	names := texts(value)
	missing := make([]*complaint, len(names))
	for i, n := range names {
		missing[i] = b.complaint(name, `{"missingProperty":`+string(jsvalue.AppendString(nil, n))+`}`,
			"must have required property '"+n+"'")
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		for i, n := range names {
			if r.get(v, n) == nil && !r.fail(m, v, missing[i]) {
				return false
			}
		}
		return true
	}
}

func (b *builder) propertyNames(name string, value *jsonc.Value) rule {
	if b.always(value) {
		return nil
	}
	n := b.sub(b.inside(b.path.child(name)), value)
	wrong := b.complaint(name, "", "property name must be valid")
	return func(r *run, m mode, v *jsonc.Value) bool {
		inner := m
		inner.composite = true
		for _, member := range r.members(v) {
			inner.name = &member.Name
			text := &jsonc.Value{Kind: jsonc.String, Text: member.Name, Start: member.At, End: member.At + len(member.Literal())}
			valid := r.eval(n, inner, text)
			if r.left {
				return false
			}
			if valid {
				continue
			}
			failed := *wrong
			failed.params = append(jsvalue.AppendString([]byte(`{"propertyName":`), member.Name), '}')
			if !r.failToo(m, v, &failed) {
				return false
			}
		}
		return true
	}
}

// named is a pattern of patternProperties, with a nil node when it allows
// everything.
type named struct {
	text   string
	re     *ecma.Regexp
	node   *node
	schema *jsonc.Value
}

func (b *builder) patterns(value *jsonc.Value) []named {
	var out []named
	for _, m := range schemaMembers(value) {
		if re := b.pattern(m.Name, m.Value); re != nil {
			out = append(out, named{text: m.Name, re: re, schema: m.Value})
		}
	}
	return out
}

func (b *builder) additionalProperties(name string, value *jsonc.Value) rule {
	b.coverMembers()
	if b.always(value) {
		return nil
	}
	known := map[string]bool{}
	for _, m := range schemaMembers(b.schema.Get("properties")) {
		known[m.Name] = true
	}
	patterns := b.patterns(b.schema.Get("patternProperties"))
	wrong := b.complaint(name, "", "must NOT have additional properties")
	judge := b.leftover(name, value, wrong, "additionalProperty")
	return func(r *run, m mode, v *jsonc.Value) bool {
		for _, member := range r.members(v) {
			additional := !known[member.Name]
			for i := 0; additional && i < len(patterns); i++ {
				p := &patterns[i]
				additional = !r.match(p.re, p.text, member.Name, v, wrong.node, name)
				if r.left {
					return false
				}
			}
			if additional && !judge(r, m, v, member) {
				return false
			}
		}
		return true
	}
}

// leftover judges a member that no other keyword has judged, and says whether
// to go on with the next.
func (b *builder) leftover(name string, value *jsonc.Value, wrong *complaint, param string) func(*run, mode, *jsonc.Value, jsonc.Member) bool {
	if value.Is(jsonc.Boolean) {
		return func(r *run, m mode, v *jsonc.Value, member jsonc.Member) bool {
			if m.quiet {
				return r.fail(m, v, wrong)
			}
			failed := *wrong
			failed.params = append(jsvalue.AppendString([]byte(`{"`+param+`":`), member.Name), '}')
			return r.fail(m, v, &failed)
		}
	}
	n := b.sub(b.inside(b.path.child(name)), value)
	return func(r *run, m mode, _ *jsonc.Value, member jsonc.Member) bool {
		valid := r.member(n, m, member.Name, member.Value)
		return !r.left && (valid || m.all)
	}
}

func (b *builder) properties(name string, value *jsonc.Value) rule {
	type property struct {
		name string
		node *node
	}
	members := schemaMembers(value)
	var cover action
	if len(members) > 0 {
		all := covered{how: listed, names: make(map[string]bool, len(members))}
		for _, m := range members {
			all.names[m.Name] = true
		}
		cover = b.cover(all, covered{}, false)
	}
	var properties []property
	for _, m := range members {
		if !b.always(m.Value) {
			properties = append(properties, property{m.Name, b.sub(b.inside(b.path.grandchild(name, m.Name)), m.Value)})
		}
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		cover.do(&r.frame)
		for i := range properties {
			p := &properties[i]
			member := r.get(v, p.name)
			if member == nil {
				continue
			}
			valid := r.member(p.node, m, p.name, member)
			if r.left || !valid && !m.all {
				return false
			}
		}
		return true
	}
}

// patternProperties compiles patternProperties. In 2019-09 AJV goes on after a
// member that is not valid, and only the last member that matches decides about
// the next pattern.
func (b *builder) patternProperties(name string, value *jsonc.Value) rule {
	judged := slices.ContainsFunc(schemaMembers(value), func(m jsonc.Member) bool { return !b.always(m.Value) })
	marks := b.opts.Draft == Draft201909 && b.node.members.how != whole
	if !judged && !marks {
		return nil
	}
	patterns := b.patterns(value)
	if len(patterns) == 0 {
		return nil
	}
	var cover action
	if marks && b.node.members.how != slotted {
		// Unlike a join, this is what is known so far, moved to a slot.
		known := b.node.members.tally()
		known.set = true
		b.node.members = b.fn.newSlot()
		slot := b.node.members.slot
		cover = func(f *frame) { f.slots[slot] = known }
	}
	if !b.tracks {
		cover = nil
	}
	slot := b.node.members.slot
	for i := range patterns {
		if p := &patterns[i]; !b.always(p.schema) {
			p.node = b.sub(b.inside(b.path.grandchild(name, p.text)), p.schema)
		}
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		cover.do(&r.frame)
		for i := range patterns {
			p := &patterns[i]
			last := true
			for _, member := range r.members(v) {
				matches := r.match(p.re, p.text, member.Name, v, b.node, name)
				if r.left {
					return false
				}
				if !matches {
					continue
				}
				if p.node != nil {
					last = r.member(p.node, m, member.Name, member.Value)
				}
				if r.left {
					return false
				}
				if marks && b.tracks {
					r.frame.slots[slot].mark(member.Name)
				}
				if !last && !m.all && !marks {
					break
				}
			}
			if !last && !m.all {
				return false
			}
		}
		return true
	}
}

func (b *builder) dependencies(name string, value *jsonc.Value) rule {
	var lists, schemas []jsonc.Member
	for _, m := range schemaMembers(value) {
		if m.Value.Is(jsonc.Array) {
			lists = append(lists, m)
		} else {
			schemas = append(schemas, m)
		}
	}
	first, second := b.requirements(name, lists), b.conditions(name, schemas)
	return func(r *run, m mode, v *jsonc.Value) bool { return first(r, m, v) && second(r, m, v) }
}

func (b *builder) dependentRequired(name string, value *jsonc.Value) rule {
	return b.requirements(name, jsvalue.Members(value))
}

func (b *builder) dependentSchemas(name string, value *jsonc.Value) rule {
	return b.conditions(name, jsvalue.Members(value))
}

// requirements judges that members have the others they need.
func (b *builder) requirements(name string, lists []jsonc.Member) rule {
	type requirement struct {
		property string
		needs    []string
		missing  []*complaint
	}
	var all []requirement
	for _, list := range lists {
		needs := texts(list.Value)
		noun := "properties"
		if len(needs) == 1 {
			noun = "property"
		}
		joined := strings.Join(needs, ", ")
		one := requirement{list.Name, needs, make([]*complaint, len(needs))}
		for i, need := range needs {
			params := jsvalue.AppendString([]byte(`{"property":`), list.Name)
			params = jsvalue.AppendString(append(params, `,"missingProperty":`...), need)
			params = append(strconv.AppendInt(append(params, `,"depsCount":`...), int64(len(needs)), 10), `,"deps":`...)
			one.missing[i] = b.complaint(name, string(jsvalue.AppendString(params, joined))+"}",
				"must have "+noun+" "+joined+" when property "+list.Name+" is present")
		}
		all = append(all, one)
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		for i := range all {
			one := &all[i]
			if r.get(v, one.property) == nil {
				continue
			}
			for k, need := range one.needs {
				if r.get(v, need) == nil && !r.fail(m, v, one.missing[k]) {
					return false
				}
			}
		}
		return true
	}
}

// conditions judges the instance by the schemas of the members it has.
func (b *builder) conditions(name string, schemas []jsonc.Member) rule {
	type condition struct {
		property string
		node     *node
		merge    action
	}
	var all []condition
	for _, s := range schemas {
		if b.always(s.Value) {
			continue
		}
		one := condition{property: s.Name, node: b.sub(b.here(b.path.grandchild(name, s.Name)), s.Value)}
		if b.node.members.how != whole || b.node.items.how != whole {
			one.merge = b.cover(one.node.members, one.node.items, true)
		}
		all = append(all, one)
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		for i := range all {
			one := &all[i]
			if r.get(v, one.property) == nil {
				continue
			}
			valid := r.eval(one.node, m, v)
			if r.left || !valid && !m.all {
				return false
			}
			if valid {
				one.merge.do(&r.frame)
			}
		}
		return true
	}
}

// unevaluatedProperties compiles unevaluatedProperties.
func (b *builder) unevaluatedProperties(name string, value *jsonc.Value) rule {
	before := b.node.members
	b.coverMembers()
	if before.how == whole || b.always(value) {
		return nil
	}
	wrong := b.complaint(name, "", "must NOT have unevaluated properties")
	judge := b.leftover(name, value, wrong, "unevaluatedProperty")
	return func(r *run, m mode, v *jsonc.Value) bool {
		known := before.names
		if before.how == slotted {
			t := r.frame.slots[before.slot]
			if t.whole {
				return true
			}
			known = t.names
		}
		for _, member := range r.members(v) {
			if !known[member.Name] && !judge(r, m, v, member) {
				return false
			}
		}
		return true
	}
}
