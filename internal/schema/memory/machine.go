package memory

import (
	"maps"
	"slices"
	"strconv"
)

// An expression has no loops but recursive functions. Both limits are far beyond
// what memory is calculated with.
const (
	maxSteps = 500_000
	maxDepth = 2_000
)

// machine evaluates one expression once.
type machine struct {
	scope *object
	steps int // that are left
	depth int
}

// frame is what surrounds a part of an expression while it is evaluated.
type frame struct {
	args *arguments
	// chain is the chain of accessors that the part begins, nil when it begins
	// none.
	chain *chain
}

// arguments are those of a function, and of the ones it is defined in.
type arguments struct {
	names  []string
	values []value
	outer  *arguments
}

// chain remembers that a?.b found nothing, so that .c after it is not looked at.
type chain struct{ cut bool }

func (a *arguments) lookup(name string) (value, bool) {
	for ; a != nil; a = a.outer {
		if i := slices.Index(a.names, name); i >= 0 {
			return a.values[i], true
		}
	}
	return nil, false
}

func (m *machine) eval(n node, f frame) (value, error) {
	if err := m.spend(1); err != nil {
		return nil, err
	}
	return n.eval(m, f)
}

func (m *machine) spend(steps int) error {
	if m.steps -= steps; m.steps < 0 {
		return failure("The defaultMemoryMbytes expression takes too many steps to evaluate.")
	}
	return nil
}

func (m *machine) evalAll(nodes []node, f frame) ([]value, error) {
	values := make([]value, len(nodes))
	for i, n := range nodes {
		var err error
		if values[i], err = m.eval(n, f); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// global finds a name outside functions' arguments: what the expression or its
// variables define, or a function of the language.
func (m *machine) global(name string) (v value, known bool, err error) {
	if slices.Contains(prototype, name) {
		return nil, false, noAccess(nil, name)
	}
	if v, ok := m.scope.fields[name]; ok {
		return v, true, nil
	}
	if _, ok := builtins[name]; ok {
		return builtin(name), true, nil
	}
	return nil, false, nil
}

func (n *constant) eval(*machine, frame) (value, error) { return n.value, nil }

func (n *symbol) eval(m *machine, f frame) (value, error) {
	if v, ok := f.args.lookup(n.name); ok {
		return v, nil
	}
	v, known, err := m.global(n.name)
	if err == nil && !known {
		err = failure("Undefined symbol " + n.name)
	}
	return v, err
}

func (n *parenthesis) eval(m *machine, f frame) (value, error) { return m.eval(n.content, f) }

func (n *operator) eval(m *machine, f frame) (value, error) {
	args, err := m.evalAll(n.args, f)
	if err != nil {
		return nil, err
	}
	return builtins[n.function](m, args)
}

func (n *relation) eval(m *machine, f frame) (value, error) {
	right, err := m.eval(n.operands[0], f)
	if err != nil {
		return nil, err
	}
	for i, name := range n.functions {
		left := right
		if right, err = m.eval(n.operands[i+1], f); err != nil {
			return nil, err
		}
		compare, ok := builtins[name]
		if !ok {
			return nil, failure("condFn is not a function")
		}
		holds, err := compare(m, []value{left, right})
		if err != nil {
			return nil, err
		}
		if holds != true {
			return false, nil
		}
	}
	return true, nil
}

func (n *conditional) eval(m *machine, f frame) (value, error) {
	condition, err := m.eval(n.condition, f)
	if err != nil {
		return nil, err
	}
	yes := false
	switch v := condition.(type) {
	case nil, undefined:
	case bool:
		yes = v
	case float64:
		yes = truthy(v)
	case string:
		yes = v != ""
	default:
		return nil, failure(`Unsupported type of condition "` + typeOf(v) + `"`)
	}
	if yes {
		return m.eval(n.yes, f)
	}
	return m.eval(n.no, f)
}

func (n *list) eval(m *machine, f frame) (value, error) {
	items, err := m.evalAll(n.items, f)
	if err != nil {
		return nil, err
	}
	return newMatrix(items)
}

func (n *objectLiteral) eval(m *machine, f frame) (value, error) {
	o := newObject()
	for _, key := range n.keys {
		v, err := m.eval(n.values[key], f)
		if err != nil {
			return nil, err
		}
		o.set(key, v)
	}
	return o, nil
}

func (n *span) eval(m *machine, f frame) (value, error) {
	if _, err := m.evalAll(n.parts, f); err != nil {
		return nil, err
	}
	return nil, failure("range is not a function")
}

func (n *assignment) eval(m *machine, f frame) (value, error) {
	v, err := m.eval(n.value, f)
	if err != nil {
		return nil, err
	}
	return v, m.define(n.name, v)
}

func (m *machine) define(name string, v value) error {
	if slices.Contains(prototype, name) {
		return failure(`No access to property "` + name + `"`)
	}
	m.scope.set(name, v)
	return nil
}

func (n *propertyAssignment) eval(m *machine, f frame) (value, error) {
	name, isProperty := n.target.property()
	object, err := m.eval(n.target.object, f)
	if err != nil {
		return nil, err
	}
	if !isProperty {
		if _, err := m.evalAll(n.target.index, frame{args: f.args}); err != nil {
			return nil, err
		}
		return nil, errIndex
	}
	v, err := m.eval(n.value, f)
	if err != nil {
		return nil, err
	}
	return v, setProperty(object, name, v)
}

func (n *definition) eval(m *machine, f frame) (value, error) {
	fn := &function{name: n.name, params: n.params, body: n.body, outer: f.args}
	return fn, m.define(n.name, fn)
}

// invoke calls a function that the expression defines.
func (m *machine) invoke(fn *function, args []value) (value, error) {
	count := strconv.Itoa(len(args))
	switch {
	case len(args) < len(fn.params):
		return nil, failure("Too few arguments in function " + fn.name + " (expected: any, index: " + count + ")")
	case len(args) > len(fn.params):
		return nil, failure("Too many arguments in function " + fn.name + " (expected: " + strconv.Itoa(len(fn.params)) + ", actual: " + count + ")")
	}
	if m.depth++; m.depth > maxDepth {
		return nil, failure("Maximum call stack size exceeded")
	}
	defer func() { m.depth-- }()
	return m.eval(fn.body, frame{args: &arguments{fn.params, args, fn.outer}})
}

func (m *machine) apply(fn value, args []value) (value, error) {
	switch fn := fn.(type) {
	case *function:
		return m.invoke(fn, args)
	case builtin:
		return builtins[string(fn)](m, args)
	}
	return nil, failure("fn is not a function")
}

func (n *block) eval(m *machine, f frame) (value, error) {
	r := &results{}
	for _, s := range n.statements {
		v, err := m.eval(s.node, f)
		if err != nil {
			return nil, err
		}
		if s.visible {
			r.entries = append(r.entries, v)
		}
	}
	return r, nil
}

var errIndex = failure("index is not a function")

func (n *accessor) eval(m *machine, f frame) (value, error) {
	if f.chain == nil {
		f.chain = &chain{}
	}
	object, err := m.eval(n.object, f)
	if err != nil {
		return nil, err
	}
	if n.optional && isNothing(object) {
		f.chain.cut = true
		return undefined{}, nil
	}
	if inner, ok := n.object.(*accessor); ok && inner.optional && f.chain.cut {
		return undefined{}, nil
	}
	if name, ok := n.property(); ok {
		return getProperty(object, name)
	}
	for _, index := range n.index {
		if mentionsEnd(index) {
			if err := checkEnd(object); err != nil {
				return nil, err
			}
			f.args = &arguments{[]string{"end"}, []value{0.0}, f.args}
		}
		if _, err := m.eval(index, frame{args: f.args}); err != nil {
			return nil, err
		}
	}
	return nil, errIndex
}

func (n *call) eval(m *machine, f frame) (value, error) {
	inner, isAccessor := n.fn.(*accessor)
	optional := n.optional || isAccessor && inner.optional
	switch fn := n.fn.(type) {
	case *symbol:
		v, err := n.resolve(fn.name, m, f, optional)
		if err != nil || optional && v == (undefined{}) {
			return v, err
		}
		args, err := m.evalAll(n.args, f)
		if err != nil {
			return nil, err
		}
		return m.apply(v, args)
	case *accessor:
		if name, ok := fn.property(); ok {
			return n.method(fn.object, name, m, f, optional)
		}
	}
	v, err := m.eval(n.fn, f)
	if err != nil || optional && v == (undefined{}) {
		return v, err
	}
	if !isFunction(v) {
		return nil, failure("Expression did not evaluate to a function; value is:\n  " + format(v, 78))
	}
	args, err := m.evalAll(n.args, f)
	if err != nil {
		return nil, err
	}
	return m.apply(v, args)
}

// resolve finds the function of a name.
func (n *call) resolve(name string, m *machine, f frame, optional bool) (value, error) {
	if v, ok := f.args.lookup(name); ok {
		if !isFunction(v) && (!optional || v != (undefined{})) {
			return nil, failure("Argument '" + name + "' was not a function; received: " + format(v, 78))
		}
		return v, nil
	}
	v, known, err := m.global(name)
	switch {
	case err != nil:
		return nil, err
	case !known && optional:
		return undefined{}, nil
	case !known:
		return nil, failure("Undefined function " + name)
	case isFunction(v), optional && v == (undefined{}):
		return v, nil
	}
	return nil, failure("'" + name + "' is not a function; its value is:\n  " + format(v, 78))
}

// method calls a function that is a property: one of a text or a list, or one
// that the expression has put into an object.
func (n *call) method(of node, name string, m *machine, f frame, optional bool) (value, error) {
	receiver, err := m.eval(of, f)
	if err != nil {
		return nil, err
	}
	if optional {
		if isNothing(receiver) {
			return undefined{}, nil
		}
		if o, ok := receiver.(*object); ok && !slices.Contains(prototype, name) {
			if v, ok := o.fields[name]; !ok || v == (undefined{}) {
				return undefined{}, nil
			}
		}
	}
	if o, ok := receiver.(*object); ok {
		if v, ok := o.fields[name]; ok && isFunction(v) && !slices.Contains(prototype, name) {
			args, err := m.evalAll(n.args, f)
			if err != nil {
				return nil, err
			}
			return m.apply(v, args)
		}
	}
	if !hasMethod(receiver, name) {
		if optional && !slices.Contains(prototype, name) {
			return undefined{}, nil
		}
		return nil, failure(`No access to method "` + name + `"`)
	}
	args, err := m.evalAll(n.args, f)
	if err != nil {
		return nil, err
	}
	return callMethod(receiver, name, args)
}

// mentionsEnd reports whether a part of an expression uses "end", the length of
// what is indexed.
func mentionsEnd(n node) bool {
	switch n := n.(type) {
	case *symbol:
		return n.name == "end"
	case *parenthesis:
		return mentionsEnd(n.content)
	case *operator:
		return slices.ContainsFunc(n.args, mentionsEnd)
	case *relation:
		return slices.ContainsFunc(n.operands, mentionsEnd)
	case *conditional:
		return mentionsEnd(n.condition) || mentionsEnd(n.yes) || mentionsEnd(n.no)
	case *call:
		return mentionsEnd(n.fn) || slices.ContainsFunc(n.args, mentionsEnd)
	case *accessor:
		return mentionsEnd(n.object) || slices.ContainsFunc(n.index, mentionsEnd)
	case *list:
		return slices.ContainsFunc(n.items, mentionsEnd)
	case *objectLiteral:
		return slices.ContainsFunc(slices.Collect(maps.Values(n.values)), mentionsEnd)
	case *span:
		return slices.ContainsFunc(n.parts, mentionsEnd)
	case *assignment:
		return mentionsEnd(n.value)
	case *propertyAssignment:
		return mentionsEnd(n.target) || mentionsEnd(n.value)
	case *definition:
		return mentionsEnd(n.body)
	}
	return false
}

func checkEnd(object value) error {
	switch object.(type) {
	case *array, *matrix, string:
		return nil
	}
	return failure(`Cannot resolve "end": context must be a Matrix, Array, or string but is ` + typeOf(object))
}
