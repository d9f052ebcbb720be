package grammar

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// relevance says which parts of a definition speak about a value. A definition
// has alternatives (for secrets, for each editor), and an evaluator that lists
// everything complains in the name of those, too, that were never meant.
type relevance struct {
	components *jsonc.Value
	// rules are the schemas that apply, with the value each applies to.
	rules map[rule]bool
	// objects say which members an object may have.
	objects map[*jsonc.Value]*allowance
	order   []*jsonc.Value
}

type rule struct{ schema, value *jsonc.Value }

// allowance is what is known of an object's members.
type allowance struct {
	// path is the place of the object, as in an evaluator's InstancePath.
	path string
	// names are the known ones; closed says that there may be no others.
	names  []string
	closed bool
	// elsewhere are names that an alternative knows which does not apply.
	elsewhere []string
	// editors are the allowed editors, when the object is a field that has one.
	editors []string
}

// relevant finds what of the definition applies to v.
func (d *definition) relevant(v *jsonc.Value) *relevance {
	r := &relevance{components: d.components, rules: make(map[rule]bool), objects: make(map[*jsonc.Value]*allowance)}
	r.enter(d.shallow, v, "")
	return r
}

// enter notes that the schema applies to v, and goes on with its parts.
func (r *relevance) enter(schema, v *jsonc.Value, path string) {
	if ref := schema.Get("$ref"); ref != nil {
		r.enter(r.components.Get(strings.TrimPrefix(ref.Text, definitions)), v, path)
		return
	}
	if r.rules[rule{schema, v}] {
		return
	}
	r.rules[rule{schema, v}] = true
	if v.Kind == jsonc.Object {
		r.members(schema, v, path)
	}
	if items := schema.Get("items"); items.Is(jsonc.Object) && v.Kind == jsonc.Array {
		for i, item := range v.Items {
			r.enter(items, item, path+"/"+strconv.Itoa(i))
		}
	}
	if all := schema.Get("allOf"); all != nil {
		for _, sub := range all.Items {
			r.enter(sub, v, path)
		}
	}
	if condition := schema.Get("if"); condition != nil {
		branch, other := schema.Get("else"), schema.Get("then")
		if holds(condition, v) {
			branch, other = other, branch
		}
		if branch != nil {
			r.enter(branch, v, path)
		}
		if a := r.objects[v]; a != nil && other != nil {
			a.elsewhere = appendNames(a.elsewhere, other)
		}
	}
	if one := schema.Get("oneOf"); one != nil {
		var chosen []*jsonc.Value
		for _, branch := range one.Items {
			if holds(branch, v) {
				chosen = append(chosen, branch)
			}
		}
		if len(chosen) == 1 {
			r.enter(chosen[0], v, path)
			return
		}
		// What decides is missing, or wrong itself: allow what any of them allows.
		for _, branch := range one.Items {
			r.allow(branch, v, path)
		}
	}
}

// members notes what a schema says of an object's members.
func (r *relevance) members(schema, v *jsonc.Value, path string) {
	a := r.allow(schema, v, path)
	if isFalse(schema.Get("additionalProperties")) || isFalse(schema.Get("unevaluatedProperties")) {
		a.closed = true
	}
	properties := schema.Get("properties")
	if editors := properties.Get("editor").Get("enum"); editors != nil && a.editors == nil {
		a.editors = texts(editors)
	}
	for _, m := range v.Unique() {
		if sub := properties.Get(m.Name); sub.Is(jsonc.Object) {
			r.enter(sub, m.Value, path+"/"+jsonc.PointerPart(m.Name))
		}
	}
}

// allow adds the members that a schema knows to those that v may have.
func (r *relevance) allow(schema, v *jsonc.Value, path string) *allowance {
	a := r.objects[v]
	if a == nil {
		a = &allowance{path: path}
		r.objects[v] = a
		r.order = append(r.order, v)
	}
	if properties := schema.Get("properties"); properties != nil {
		for _, m := range properties.Members {
			if !slices.Contains(a.names, m.Name) {
				a.names = append(a.names, m.Name)
			}
		}
	}
	return a
}

// appendNames appends the names that a schema and its alternatives know.
func appendNames(names []string, schema *jsonc.Value) []string {
	for _, m := range schema.Members {
		switch m.Name {
		case "properties":
			for _, property := range m.Value.Members {
				names = append(names, property.Name)
			}
		case "then", "else":
			names = appendNames(names, m.Value)
		case "allOf", "oneOf":
			for _, sub := range m.Value.Items {
				names = appendNames(names, sub)
			}
		}
	}
	return names
}

// holds evaluates the conditions that the meta-schema has: what members must be
// there, and which constant values they must have. What else stands beside them
// decides nothing.
func holds(condition, v *jsonc.Value) bool {
	if constant := condition.Get("const"); constant != nil && !equal(constant, v) {
		return false
	}
	if enum := condition.Get("enum"); enum != nil && !slices.ContainsFunc(enum.Items, func(e *jsonc.Value) bool { return equal(e, v) }) {
		return false
	}
	if not := condition.Get("not"); not != nil && holds(not, v) {
		return false
	}
	if v.Kind != jsonc.Object {
		return true
	}
	if required := condition.Get("required"); required != nil {
		for _, name := range required.Items {
			if v.Get(name.Text) == nil {
				return false
			}
		}
	}
	if properties := condition.Get("properties"); properties != nil {
		for _, m := range properties.Members {
			if value := v.Get(m.Name); value != nil && !holds(m.Value, value) {
				return false
			}
		}
	}
	return true
}

func isFalse(v *jsonc.Value) bool { return v.Is(jsonc.Boolean) && !v.True() }

// texts gives the texts of a list's items.
func texts(list *jsonc.Value) []string {
	out := make([]string, len(list.Items))
	for i, item := range list.Items {
		out[i] = item.Text
	}
	return out
}
