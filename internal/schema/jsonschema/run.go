package jsonschema

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// Limits of one evaluation. A step is about what a keyword takes; there are so
// many for any value, and some more for each byte of it. The depth is that of
// schemas within schemas, and keeps recursion within a stack's reach.
const (
	maxSteps     = 3_000_000
	stepsPerByte = 10
	stepsOfError = 20
	maxDepth     = 50_000
)

// mode is how the errors of the place being evaluated are dealt with.
type mode struct {
	// composite is set within anyOf, oneOf, not, if, contains and
	// propertyNames, where an error does not end the evaluation.
	composite bool
	// all is set when everything is to be reported.
	all bool
	// quiet is set where errors are only counted.
	quiet bool
	// name is the property's when it is a name that is judged.
	name *string
}

// frame is a call of a function.
type frame struct {
	base  int // how many errors there were before
	slots []tally
	flags []bool
}

// segment is a step of the path through the instance.
type segment struct {
	name  string
	index int // used when not negative
}

// run is one evaluation.
type run struct {
	all         bool
	budget      int
	depth       int
	errors      []Error
	path        []segment
	frame       frame
	anchors     map[string]*function
	directories map[*jsonc.Value]*directory
	// left is set once the function is to be left: what is evaluated returns
	// as soon as it sees it.
	left bool
	// fatal is the error that ended the evaluation early.
	fatal *Error
}

var runs = sync.Pool{New: func() any { return new(run) }}

func (s *Schema) evaluate(v *jsonc.Value, budget int) []Error {
	r := runs.Get().(*run)
	*r = run{all: s.opts.AllErrors, budget: budget, path: r.path[:0]}
	r.call(s.main, mode{}, v)
	errors := r.errors
	if r.fatal != nil {
		errors = []Error{*r.fatal}
	}
	*r = run{path: r.path}
	runs.Put(r)
	if len(errors) == 0 {
		return nil
	}
	return errors
}

// call evaluates a function and reports whether the value is valid.
func (r *run) call(fn *function, m mode, v *jsonc.Value) bool {
	valid, _, _ := r.callFor(fn, m, v)
	return valid
}

// callFor is call with what the function covered.
func (r *run) callFor(fn *function, m mode, v *jsonc.Value) (valid bool, members, items tally) {
	outer := r.frame
	r.frame = frame{base: len(r.errors)}
	if fn.slots > 0 {
		r.frame.slots = make([]tally, fn.slots)
	}
	if fn.flags > 0 {
		r.frame.flags = make([]bool, fn.flags)
	}
	valid = r.eval(fn.node, mode{all: r.all, quiet: m.quiet}, v)
	if valid && fn.slots > 0 {
		members, items = fn.members.result(&r.frame), fn.items.result(&r.frame)
	} else if valid {
		members, items = fn.members.tally(), fn.items.tally()
		members.set, items.set = fn.members.how != unknown, fn.items.how != unknown
	}
	r.frame = outer
	r.left = r.fatal != nil
	return valid, members, items
}

// eval evaluates a node and reports whether the value is valid.
func (r *run) eval(n *node, m mode, v *jsonc.Value) bool {
	if r.depth++; r.depth > maxDepth {
		r.abort(v, n, "", "the value and its schema are nested too deep to be judged")
	}
	r.spend(1, v, n)
	if r.left {
		r.depth--
		return false
	}
	valid := r.evalRules(n, m, v)
	r.depth--
	return valid
}

func (r *run) evalRules(n *node, m mode, v *jsonc.Value) bool {
	start := len(r.errors)
	if n.never != nil {
		if n.top {
			m = mode{} // AJV forgets that all errors are wanted
		}
		r.fail(m, v, n.never)
		return false
	}
	if n.typeFirst && !n.types.has(v) {
		r.fail(m, v, n.wrongType)
	}
	for i := range n.groups {
		if r.left {
			return false
		}
		g := &n.groups[i]
		switch {
		case g.kind == "" || g.kind == v.Kind:
			for _, rule := range g.rules {
				if !rule(r, m, v) {
					break
				}
			}
		case g.typed:
			r.fail(m, v, n.wrongType)
		}
		if !m.all && len(r.errors) != start {
			break
		}
	}
	return !r.left && len(r.errors) == start
}

// member evaluates the value of a member, item that of an item.
func (r *run) member(n *node, m mode, name string, v *jsonc.Value) bool {
	r.path = append(r.path, segment{name, -1})
	valid := r.eval(n, m, v)
	r.path = r.path[:len(r.path)-1]
	return valid
}

func (r *run) item(n *node, m mode, array *jsonc.Value, i int) bool {
	r.path = append(r.path, segment{"", i})
	valid := r.eval(n, m, array.Items[i])
	r.path = r.path[:len(r.path)-1]
	return valid
}

// complaint is an error but for the place in the instance.
type complaint struct {
	node    *node
	keyword string
	params  json.RawMessage
	message string
}

// fail reports an error in place of those that a keyword has collected, and
// says whether to go on with the next keyword.
func (r *run) fail(m mode, v *jsonc.Value, c *complaint) bool {
	if !m.composite && !m.all {
		r.errors = r.errors[:r.frame.base]
	}
	return r.failToo(m, v, c)
}

// failToo is fail but keeps what a keyword has collected.
func (r *run) failToo(m mode, v *jsonc.Value, c *complaint) bool {
	if m.quiet {
		r.spend(1, v, c.node)
		r.errors = append(r.errors, Error{})
	} else {
		e := r.locate(v, c.node, c.keyword)
		e.Params, e.Message, e.PropertyName = c.params, c.message, m.name
		r.spend(stepsOfError+(len(e.InstancePath)+len(e.SchemaPath))/16, v, c.node)
		r.errors = append(r.errors, e)
	}
	r.left = r.left || !m.composite && !m.all
	return m.all && !r.left
}

// locate gives an error its places.
func (r *run) locate(v *jsonc.Value, n *node, keyword string) Error {
	path := n.path.String()
	if keyword != "" {
		path += "/" + keyword
	}
	return Error{
		InstancePath: r.pointer(), SchemaPath: path, Keyword: keyword,
		Instance: v, Schema: n.schema,
	}
}

func (r *run) pointer() string {
	if len(r.path) == 0 {
		return ""
	}
	var out []byte
	for _, s := range r.path {
		out = append(out, '/')
		switch {
		case s.index >= 0:
			out = strconv.AppendInt(out, int64(s.index), 10)
		case strings.ContainsAny(s.name, "~/"):
			out = append(out, jsonc.PointerPart(s.name)...)
		default:
			out = append(out, s.name...)
		}
	}
	return string(out)
}

// spend takes steps from the budget.
func (r *run) spend(steps int, v *jsonc.Value, n *node) {
	if r.budget -= steps; r.budget < 0 {
		r.abort(v, n, "", "the value takes too long to be judged by this schema")
	}
}

// abort ends the evaluation with an error that is not AJV's.
func (r *run) abort(v *jsonc.Value, n *node, keyword, message string) {
	r.left = true
	if r.fatal == nil {
		e := r.locate(v, n, keyword)
		e.Params, e.Message = json.RawMessage("{}"), message
		r.fatal = &e
	}
}

// match matches a pattern; one that takes too long ends the evaluation.
func (r *run) match(re *ecma.Regexp, pattern, text string, v *jsonc.Value, n *node, keyword string) bool {
	ok, steps, err := re.MatchWithin(text, 2*r.budget)
	r.spend(steps/2, v, n)
	if err != nil {
		r.abort(v, n, keyword, fmt.Sprintf("takes too long to match against pattern %q", pattern))
		return false
	}
	return ok
}

// get looks a member up.
func (r *run) get(object *jsonc.Value, name string) *jsonc.Value {
	if len(object.Members) <= jsvalue.Few {
		return object.Get(name)
	}
	return r.directory(object).byName[name]
}

// members gives the members in JavaScript's order.
func (r *run) members(object *jsonc.Value) []jsonc.Member {
	if len(object.Members) <= jsvalue.Few {
		return jsvalue.Members(object)
	}
	return r.directory(object).members
}

// directory is what is kept of a large object while it is judged.
type directory struct {
	byName  map[string]*jsonc.Value
	members []jsonc.Member
}

func (r *run) directory(object *jsonc.Value) *directory {
	d, ok := r.directories[object]
	if !ok {
		d = &directory{byName: make(map[string]*jsonc.Value, len(object.Members)), members: jsvalue.Members(object)}
		for _, m := range d.members {
			d.byName[m.Name] = m.Value
		}
		if r.directories == nil {
			r.directories = make(map[*jsonc.Value]*directory)
		}
		r.directories[object] = d
	}
	return d
}
