package webserver

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// references is what the document refers to and can be referred to.
type references struct {
	// anchors are the $anchor and $dynamicAnchor of schemas, ids their $id.
	anchors, ids map[string]*jsonc.Value
	targets      map[*jsonc.Value]*jsonc.Value // by the object that has the $ref
	used         []found                       // objects with a $ref that leads somewhere
	// base is what a reference without a file name is about: the innermost
	// schema with an $id around it, nil for the document.
	base *jsonc.Value
	// members indexes objects that references lead through: they may be large,
	// and the references many.
	members map[*jsonc.Value]map[string]*jsonc.Value
}

// member gives the member of an object by name, nil when there is none.
func (r *references) member(v *jsonc.Value, name string) *jsonc.Value {
	index, ok := r.members[v]
	if !ok {
		index = make(map[string]*jsonc.Value, len(v.Members))
		for _, m := range v.Members {
			index[m.Name] = m.Value
		}
		r.members[v] = index
	}
	return index[name]
}

// collect finds anchors and ids, wherever they stand.
func (r *references) collect(v *jsonc.Value) {
	r.members = map[*jsonc.Value]map[string]*jsonc.Value{}
	r.anchors, r.ids, r.targets = map[string]*jsonc.Value{}, map[string]*jsonc.Value{}, map[*jsonc.Value]*jsonc.Value{}
	var walk func(v *jsonc.Value)
	walk = func(v *jsonc.Value) {
		for _, item := range v.Items {
			walk(item)
		}
		for _, m := range v.Members {
			if m.Value.Kind == jsonc.String {
				switch m.Name {
				case "$anchor", "$dynamicAnchor":
					r.anchors[m.Value.Text] = v
				case "$id":
					r.ids[m.Value.Text] = v
				}
			}
			walk(m.Value)
		}
	}
	walk(v)
}

// reference judges a Reference Object that stands for an object of a kind. In 3.1 a
// summary and a description may stand beside $ref; anything else is ignored by
// readers, and so it is here.
func (c *checker) reference(kind string, v *jsonc.Value, at *place) {
	c.referenceText(kind, v.Get("$ref"), at.in("$ref"))
	for _, name := range []string{"summary", "description"} {
		if beside := v.Get(name); c.v31 && beside != nil {
			text(c, beside, at.in(name))
		}
	}
}

// referenceText judges the text of a $ref.
func (c *checker) referenceText(kind string, ref *jsonc.Value, at *place) {
	if ref.Kind != jsonc.String {
		// Not a fault of the schema alone: no reader can go on from here.
		c.fault(ruleReference, ref, at, "%s must be a string, found %s", at, describe(ref))
		return
	}
	before := len(c.list)
	link(c, ref, at)
	if len(c.list) > before {
		return
	}
	target, remote := c.resolve(ref.Text)
	switch {
	case remote:
		c.warn(ruleRemote, ref, at, "%s leads out of the document to %s, which was not looked at", at, describe(ref))
		return
	case target == nil:
		c.fault(ruleReference, ref, at, "%s leads to %s, which does not exist", at, describe(ref))
		return
	}
	owner := at.up
	c.references.targets[ref] = target
	c.references.used = append(c.references.used, found{ref, owner})
	if section, ok := strings.CutPrefix(ref.Text, "#/components/"); ok {
		name, rest, _ := strings.Cut(section, "/")
		if holds, ok := sections[name]; ok && holds != kind && !strings.Contains(rest, "/") {
			c.fault(ruleReferenceKind, ref, at, "%s must lead to %s, found %s", at, c.objects[kind].noun, describe(ref))
		}
	}
}

var unescapes = strings.NewReplacer("~1", "/", "~0", "~")

// resolve finds what a reference leads to; remote says that it is elsewhere.
func (c *checker) resolve(ref string) (target *jsonc.Value, remote bool) {
	resource, fragment, _ := strings.Cut(ref, "#")
	base := c.root
	if c.references.base != nil {
		base = c.references.base
	}
	if resource != "" {
		if base = c.references.ids[resource]; base == nil {
			return nil, true
		}
	}
	fragment, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, false
	}
	if fragment == "" {
		return base, false
	}
	if !strings.HasPrefix(fragment, "/") {
		return c.references.anchors[fragment], false
	}
	for name := range strings.SplitSeq(fragment[1:], "/") {
		name = unescapes.Replace(name)
		switch base.Kind {
		case jsonc.Array:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(base.Items) || strconv.Itoa(i) != name {
				return nil, false
			}
			base = base.Items[i]
		default:
			if base = c.references.member(base, name); base == nil {
				return nil, false
			}
		}
	}
	return base, false
}

// inPlace are the keywords of a schema that judge the same value as the schema
// itself: a way back through them alone never ends.
var inPlace = []string{"allOf", "anyOf", "oneOf", "not", "if", "then", "else"}

// loops reports references that lead back to themselves without getting
// anywhere. A schema that contains itself as a property is no such loop.
func (c *checker) loops() {
	const visiting, done = 1, 2
	state := map[*jsonc.Value]int{}
	var endless func(v *jsonc.Value) bool
	endless = func(v *jsonc.Value) bool {
		switch state[v] {
		case visiting:
			return true
		case done:
			return false
		}
		state[v] = visiting
		loop := false
		for _, m := range v.Members {
			if m.Name == "$ref" {
				if target := c.references.targets[m.Value]; target != nil && endless(target) {
					loop = true
				}
				continue
			}
			for _, keyword := range inPlace {
				if m.Name != keyword {
					continue
				}
				if m.Value.Kind == jsonc.Object && endless(m.Value) {
					loop = true
				}
				for _, item := range m.Value.Items {
					if endless(item) {
						loop = true
					}
				}
			}
		}
		state[v] = done
		return loop
	}
	for _, use := range c.references.used {
		target := c.references.targets[use.value]
		if state[target] == 0 && endless(target) {
			c.fault(ruleReferenceLoop, use.value, use.at.in("$ref"), "%s leads to %s and from there back to itself, without end", use.at.in("$ref"), describe(use.value))
		}
	}
}

// follow gives what a possible reference stands for, nil when that cannot be
// told.
func (c *checker) follow(v *jsonc.Value) *jsonc.Value {
	for range 100 {
		ref := v.Get("$ref")
		if ref == nil {
			return v
		}
		if v = c.references.targets[ref]; v == nil {
			if !ref.Is(jsonc.String) {
				return nil
			}
			if v, _ = c.resolve(ref.Text); v == nil {
				return nil
			}
		}
	}
	return nil
}
