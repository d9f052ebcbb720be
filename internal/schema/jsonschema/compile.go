package jsonschema

import (
	"net/url"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// maxNodes bounds what one schema compiles to: a definition counts as often as
// it is referred to.
const maxNodes = 300_000

// function is a schema that is evaluated as one of AJV's functions: the whole,
// or what a $ref refers to if it has references of its own. The errors of a
// function end it, and their paths begin with it.
type function struct {
	resource *resource
	schema   *jsonc.Value
	node     *node
	// members and items are what the function covers, once it is compiled.
	members, items covered
	compiled       bool
	slots, flags   int
	// calls are those to functions for the same instance.
	calls []call
}

// call is a reference from one function to another.
type call struct {
	to *function
	at *jsonc.Value
}

// node is a schema object at its place in a function.
type node struct {
	schema *jsonc.Value
	path   *path
	// never is set for the schema false, top if that is a whole function.
	never *complaint
	top   bool
	types types
	// typeFirst says that the type is judged before all else; otherwise the
	// group of keywords for that type does it.
	typeFirst bool
	wrongType *complaint
	groups    []group
	// members and items are what its keywords cover.
	members, items covered
}

// group are the keywords for one type of instance, or for all.
type group struct {
	kind  jsonc.Kind
	typed bool
	rules []rule
}

// rule judges a value and says whether to go on with the next keyword of the
// group, which is not the same as whether the value is valid.
type rule func(r *run, m mode, v *jsonc.Value) bool

// path is where a node stands, as AJV shows it.
type path struct {
	parent *path
	text   string
}

func (p *path) String() string {
	var parts []string
	for ; p != nil; p = p.parent {
		parts = append(parts, p.text)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "")
}

// fragmentEscapes are what url.PathEscape leaves or escapes unlike JavaScript's
// encodeURIComponent.
var fragmentEscapes = strings.NewReplacer("$", "%24", "&", "%26", "+", "%2B", ":", "%3A", "=", "%3D", "@", "%40",
	"%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

func (p *path) child(keyword string) *path { return &path{p, "/" + keyword} }

func (p *path) grandchild(keyword, name string) *path {
	return &path{p, "/" + keyword + "/" + fragmentEscapes.Replace(url.PathEscape(jsonc.PointerPart(name)))}
}

// compiler turns a schema into functions.
type compiler struct {
	doc       *jsonc.Document
	root      *jsonc.Value
	meta      *resource
	opts      Options
	tracks    bool // something asks for what is not evaluated
	rules     map[string]bool
	functions map[functionKey]*function
	order     []*function
	inlined   map[inlineKey]*node
	refs      map[*jsonc.Value]bool
	anchors   map[anchorKey]*function
	patterns  map[string]*ecma.Regexp
	large     map[*jsonc.Value]map[string]*jsonc.Value
	nodes     int
	list      diagnostic.List
	reported  map[*jsonc.Value]bool
}

type functionKey struct {
	schema *jsonc.Value
	base   string
}

type inlineKey struct {
	schema *jsonc.Value
	ref    string
}

// scope is the place of a schema during compilation.
type scope struct {
	fn   *function
	path *path
	base string
	// below is set once the instance is no longer the function's.
	below bool
}

// builder makes the node of one schema object.
type builder struct {
	*compiler
	scope
	schema *jsonc.Value
	node   *node
}

// function compiles a schema as a function.
func (c *compiler) function(res *resource, schema *jsonc.Value, base string) *function {
	key := functionKey{schema, base}
	if fn := c.functions[key]; fn != nil {
		return fn
	}
	fn := &function{resource: res, schema: schema}
	c.functions[key] = fn
	c.order = append(c.order, fn)
	fn.node = c.compile(scope{fn: fn, path: &path{text: "#"}, base: base}, schema, true)
	fn.members, fn.items, fn.compiled = fn.node.members, fn.node.items, true
	return fn
}

// compile compiles a schema. What is no schema is taken for one that allows
// everything, since the meta-schema has said so.
func (c *compiler) compile(s scope, schema *jsonc.Value, top bool) *node {
	n := &node{schema: schema, path: s.path}
	if c.nodes++; c.nodes > maxNodes {
		if c.nodes == maxNodes+1 {
			c.report(schema, "the schema is too large: its references make it more than %d schemas", maxNodes)
		}
		return n
	}
	if schema.Is(jsonc.Boolean) && !schema.True() {
		n.never = &complaint{n, "false schema", []byte("{}"), "boolean schema is false"}
		n.top = top
	}
	if !schema.Is(jsonc.Object) {
		return n
	}
	if id := schema.Get("$id"); !top && id.Is(jsonc.String) {
		s.base = resolveURI(s.base, id.Text)
	}
	b := &builder{c, s, schema, n}
	b.types()
	for _, g := range c.vocabulary() {
		b.group(g)
	}
	return n
}

// group compiles the keywords of a group.
func (b *builder) group(g vocabulary) {
	used := false
	out := group{kind: g.kind}
	for _, k := range g.keywords {
		value := b.schema.Get(k.name)
		if value == nil {
			continue
		}
		used = true
		if k.build == nil {
			continue
		}
		if r := k.build(b, k.name, value); r != nil {
			out.rules = append(out.rules, r)
		}
	}
	t := b.node.types
	out.typed = used && !b.node.typeFirst && t.single == string(g.kind) && g.kind != ""
	if used { // even without rules: errors so far end the evaluation after it
		b.node.groups = append(b.node.groups, out)
	}
}

// sub compiles a schema below a keyword.
func (b *builder) sub(s scope, schema *jsonc.Value) *node { return b.compile(s, schema, false) }

// here is the scope of a schema for the same instance, inside that for a part.
func (b *builder) here(p *path) scope {
	s := b.scope
	s.path = p
	return s
}

func (b *builder) inside(p *path) scope {
	s := b.here(p)
	s.below = true
	return s
}

// complaint makes the error of a keyword.
func (b *builder) complaint(keyword, params, message string) *complaint {
	return &complaint{b.node, keyword, []byte(params), message}
}

// always reports whether a schema allows everything, which is when it has no
// keyword with a meaning.
func (c *compiler) always(schema *jsonc.Value) bool {
	if !schema.Is(jsonc.Object) {
		return !schema.Is(jsonc.Boolean) || schema.True()
	}
	return !slices.ContainsFunc(schema.Members, func(m jsonc.Member) bool { return c.rules[m.Name] })
}

// cover notes that the node covers something more, and gives what is to be done
// at this point.
func (b *builder) cover(members, items covered, slot bool) action {
	if b.opts.Draft != Draft201909 {
		return nil
	}
	var first, second action
	if b.node.members.how != whole && members.how != unknown {
		b.node.members, first = b.fn.join(members, b.node.members, slot)
	}
	if b.node.items.how != whole && items.how != unknown {
		b.node.items, second = b.fn.join(items, b.node.items, slot)
	}
	if !b.tracks {
		return nil
	}
	return first.then(second)
}

// coverWhole notes that all members, or all items, are covered.
func (b *builder) coverMembers() { b.node.members = covered{how: whole} }
func (b *builder) coverItems()   { b.node.items = covered{how: whole} }

// pattern compiles a regular expression once.
func (c *compiler) pattern(text string, at *jsonc.Value) *ecma.Regexp {
	re, ok := c.patterns[text]
	if !ok {
		read, err := ecma.CompileStrict, error(nil)
		if c.opts.LoosePatterns {
			read = ecma.Compile
		}
		if re, err = read(text); err != nil {
			c.report(at, "the regular expression %q is invalid: %v", text, err)
		}
		c.patterns[text] = re
	}
	return re
}
