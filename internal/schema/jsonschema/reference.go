package jsonschema

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// resource is a document that references lead to.
type resource struct {
	root *jsonc.Value
	base string
	// ids are the schemas with an $id or an anchor, by their address.
	ids map[string]*jsonc.Value
}

// normalizeURI takes an empty fragment off.
func normalizeURI(uri string) string {
	return strings.TrimSuffix(strings.TrimSuffix(uri, "/"+"#"), "#")
}

// resolveURI gives the address that ref means within base.
func resolveURI(base, ref string) string {
	ref = strings.TrimSuffix(strings.TrimSuffix(ref, "#/"), "#")
	document, _, _ := strings.Cut(base, "#")
	if document == "" || ref == "" {
		if ref == "" {
			return base
		}
		return ref
	}
	if ref[0] == '#' {
		return document + ref
	}
	b, err := url.Parse(document)
	if err != nil {
		return ref
	}
	r, err := b.Parse(ref)
	if err != nil {
		return ref
	}
	return r.String()
}

var anchorName = regexp.MustCompile(`^(?i:[a-z_][-a-z0-9._]*)$`)

// notSchemas are the keywords whose values are not looked through for schemas.
var notSchemas = map[string]bool{"default": true, "examples": true, "enum": true, "const": true, "required": true,
	"maximum": true, "minimum": true, "exclusiveMaximum": true, "exclusiveMinimum": true, "multipleOf": true,
	"maxLength": true, "minLength": true, "pattern": true, "format": true, "maxItems": true, "minItems": true,
	"uniqueItems": true, "maxProperties": true, "minProperties": true}

// newResource finds the addresses within a document.
func (c *compiler) newResource(root *jsonc.Value) *resource {
	res := &resource{root: root, ids: map[string]*jsonc.Value{}}
	if id := root.Get("$id"); id.Is(jsonc.String) {
		res.base = normalizeURI(id.Text)
	}
	c.findIDs(res, root, res.base)
	return res
}

func (c *compiler) findIDs(res *resource, v *jsonc.Value, base string) {
	add := func(at *jsonc.Value, uri string) {
		if uri == res.base {
			return
		}
		if old := res.ids[uri]; old != nil && old != v {
			c.report(at, "reference %q resolves to more than one schema", uri)
		}
		res.ids[uri] = v
	}
	if v != res.root {
		if id := v.Get("$id"); id.Is(jsonc.String) {
			base = resolveURI(base, id.Text)
			add(id, base)
		}
		for _, keyword := range []string{"$anchor", "$dynamicAnchor"} {
			if a := v.Get(keyword); a.Is(jsonc.String) {
				if !anchorName.MatchString(a.Text) {
					c.report(a, "invalid anchor %q", a.Text)
					continue
				}
				add(a, resolveURI(base, "#"+a.Text))
			}
		}
	}
	for _, m := range v.Members {
		if notSchemas[m.Name] {
			continue
		}
		switch m.Value.Kind {
		case jsonc.Object:
			c.findIDs(res, m.Value, base)
		case jsonc.Array:
			for _, item := range m.Value.Items {
				if item.Is(jsonc.Object) {
					c.findIDs(res, item, base)
				}
			}
		}
	}
}

// target is what a reference leads to.
type target struct {
	resource *resource
	schema   *jsonc.Value
	base     string
}

// resolve follows a reference; false when it leads nowhere.
func (c *compiler) resolve(res *resource, base, ref string, hops int) (target, bool) {
	uri := resolveURI(base, ref)
	if v := res.ids[uri]; v != nil {
		return target{res, v, base}, true
	}
	document, fragment, _ := strings.Cut(uri, "#")
	at := target{res, res.root, res.base}
	if ids := res.ids[document]; document != "" && ids != nil {
		at = target{res, ids, document}
	} else if own, _, _ := strings.Cut(res.base, "#"); document != own {
		meta := c.metaSchema(document)
		if meta == nil {
			return target{}, false
		}
		at = target{meta, meta.root, meta.base}
	}
	if fragment == "" {
		return at, true
	}
	if fragment[0] != '/' {
		return target{}, false
	}
	for part := range strings.SplitSeq(fragment[1:], "/") {
		name, err := url.PathUnescape(part)
		if err != nil {
			return target{}, false
		}
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
		switch at.schema.Kind {
		case jsonc.Object:
			at.schema = c.member(at.schema, name)
		case jsonc.Array:
			i, ok := jsvalue.Index(name)
			if !ok || i >= int64(len(at.schema.Items)) {
				return target{}, false
			}
			at.schema = at.schema.Items[i]
		default:
			return target{}, false
		}
		if at.schema == nil {
			return target{}, false
		}
		if id := at.schema.Get("$id"); id.Is(jsonc.String) && !scopeless[part] {
			at.base = resolveURI(at.base, id.Text)
		}
	}
	// A schema that is but a reference stands for what it refers to.
	if next := at.schema.Get("$ref"); next.Is(jsonc.String) && !c.usesMore(at.schema) && hops < maxHops {
		if end, ok := c.resolve(at.resource, at.base, next.Text, hops+1); ok && end.schema != end.resource.root {
			return end, true
		}
	}
	return at, true
}

// member looks a member up, with an index when there are many.
func (c *compiler) member(object *jsonc.Value, name string) *jsonc.Value {
	if len(object.Members) <= jsvalue.Few {
		return object.Get(name)
	}
	byName := c.large[object]
	if byName == nil {
		byName = make(map[string]*jsonc.Value, len(object.Members))
		for _, m := range object.Members {
			byName[m.Name] = m.Value
		}
		c.large[object] = byName
	}
	return byName[name]
}

// maxHops bounds chains of references; a loop among them is found later on.
const maxHops = 1000

// scopeless are the keywords whose member "$id" is no identifier.
var scopeless = map[string]bool{"properties": true, "patternProperties": true, "enum": true, "dependencies": true, "definitions": true}

// usesMore reports whether a schema has keywords beside $ref.
func (c *compiler) usesMore(schema *jsonc.Value) bool {
	for _, m := range schema.Members {
		if m.Name != "$ref" && c.rules[m.Name] {
			return true
		}
	}
	return false
}

var refKeywords = map[string]bool{"$ref": true, "$recursiveRef": true, "$recursiveAnchor": true, "$dynamicRef": true, "$dynamicAnchor": true}

// hasRef reports whether a schema has a reference anywhere.
func (c *compiler) hasRef(v *jsonc.Value) bool {
	if known, ok := c.refs[v]; ok {
		return known
	}
	found := false
	for _, m := range v.Members {
		found = found || refKeywords[m.Name] || c.hasRef(m.Value)
	}
	for _, item := range v.Items {
		found = found || c.hasRef(item)
	}
	if v.Is(jsonc.Object) || v.Is(jsonc.Array) {
		c.refs[v] = found
	}
	return found
}

func (b *builder) ref(_ string, value *jsonc.Value) rule {
	if !value.Is(jsonc.String) {
		return nil
	}
	res := b.fn.resource
	if (value.Text == "#" || value.Text == "#/") && b.base == res.base {
		return b.call(b.function(res, res.root, res.base), value)
	}
	to, ok := b.resolve(res, b.base, value.Text, 0)
	if !ok {
		b.report(value, "can't resolve reference %s", value.Text)
		return nil
	}
	if !to.schema.Is(jsonc.Object) || !b.hasRef(to.schema) {
		n := b.inline(to.schema, value.Text)
		merge := b.cover(n.members, n.items, false)
		return func(r *run, m mode, v *jsonc.Value) bool {
			valid := r.eval(n, m, v)
			merge.do(&r.frame)
			return !r.left && (valid || m.all)
		}
	}
	return b.call(b.function(to.resource, to.schema, to.base), value)
}

// inline compiles a schema in place of the reference to it, or takes what it
// was compiled to before if that keeps nothing in slots.
func (b *builder) inline(schema *jsonc.Value, ref string) *node {
	key := inlineKey{schema, ref}
	if n := b.inlined[key]; n != nil {
		return n
	}
	slots, flags := b.fn.slots, b.fn.flags
	n := b.sub(b.here(&path{text: ref}), schema)
	if slots == b.fn.slots && flags == b.fn.flags {
		b.inlined[key] = n
	}
	return n
}

// call compiles the call of a function for the same instance.
func (b *builder) call(fn *function, at *jsonc.Value) rule {
	if !b.below {
		b.fn.calls = append(b.fn.calls, call{fn, at})
	}
	if b.opts.Draft != Draft201909 {
		return func(r *run, m mode, v *jsonc.Value) bool { return r.call(fn, m, v) || !r.left && m.all }
	}
	take, merge := b.outcome(fn)
	return func(r *run, m mode, v *jsonc.Value) bool {
		valid, members, items := r.callFor(fn, m, v)
		if valid && b.tracks {
			take(&r.frame, members, items)
			merge.do(&r.frame)
		}
		return !r.left && (valid || m.all)
	}
}

// outcome notes what a function covers: what is known of it now, or what it
// will tell when it was called. A nil function tells then.
func (b *builder) outcome(fn *function) (take func(f *frame, members, items tally), merge action) {
	members, items := covered{}, covered{}
	m, i := -1, -1
	if fn != nil && fn.compiled && fn.members.how != slotted {
		members = fn.members
	} else if b.node.members.how != whole {
		members = b.fn.newSlot()
		m = members.slot
	}
	if fn != nil && fn.compiled && fn.items.how != slotted {
		items = fn.items
	} else if b.node.items.how != whole {
		items = b.fn.newSlot()
		i = items.slot
	}
	merge = b.cover(members, items, false)
	return func(f *frame, members, items tally) {
		if m >= 0 {
			f.slots[m] = members
		}
		if i >= 0 {
			f.slots[i] = items
		}
	}, merge
}

// anchor compiles $recursiveAnchor and $dynamicAnchor: the first that is met is
// what the references of that name lead to.
func (b *builder) anchor(_ string, value *jsonc.Value) rule {
	name := ""
	switch {
	case value.Is(jsonc.String):
		name = value.Text
	case !value.True():
		return nil
	}
	fn := b.fn
	if b.path.parent != nil || b.path.text != "#" {
		fn = b.function(fn.resource, b.schema, fn.resource.base)
	}
	b.anchors[anchorKey{b.fn.resource, name}] = fn
	return func(r *run, _ mode, _ *jsonc.Value) bool {
		if r.anchors[name] == nil {
			if r.anchors == nil {
				r.anchors = map[string]*function{}
			}
			r.anchors[name] = fn
		}
		return true
	}
}

type anchorKey struct {
	resource *resource
	name     string
}

// dynamicRef compiles $recursiveRef and $dynamicRef: a call of the anchor that
// was met first, or else of the function itself.
func (b *builder) dynamicRef(name string, value *jsonc.Value) rule {
	if !value.Is(jsonc.String) {
		return nil
	}
	if !strings.HasPrefix(value.Text, "#") {
		b.report(value, "%q only supports hash fragment reference", name)
		return nil
	}
	anchor, self := value.Text[1:], b.fn
	known := b.anchors[anchorKey{b.fn.resource, anchor}]
	if !b.below {
		b.fn.calls = append(b.fn.calls, call{self, value})
	}
	take, merge := b.outcome(nil)
	otherTake, otherMerge := take, merge
	if known != nil {
		otherTake, otherMerge = b.outcome(nil)
	}
	return func(r *run, m mode, v *jsonc.Value) bool {
		fn, store, join := self, otherTake, otherMerge
		if met := r.anchors[anchor]; known != nil && met != nil {
			fn, store, join = met, take, merge
		}
		valid, members, items := r.callFor(fn, m, v)
		if valid && b.tracks {
			store(&r.frame, members, items)
			join.do(&r.frame)
		}
		return !r.left && (valid || m.all)
	}
}
