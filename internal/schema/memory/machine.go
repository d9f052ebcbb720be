package memory

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/syntax"
	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

// An expression has no loops but recursive functions. Both limits are far beyond
// what memory is calculated with.
const (
	maxSteps = 500_000
	maxDepth = 2_000
)

// machine evaluates one expression once.
type machine struct {
	scope *value.Object
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

// function is one that the expression defines.
type function struct {
	name   string
	params []string
	body   syntax.Node
	outer  *arguments
}

// Syntax gives the function's left hand side.
func (f *function) Syntax() string { return f.name + "(" + strings.Join(f.params, ", ") + ")" }

// builtin is a function of the language, by its name.
type builtin string

// Syntax gives what is shown of all functions of the language.
func (builtin) Syntax() string { return "function" }

// arguments are those of a function, and of the ones it is defined in.
type arguments struct {
	names  []string
	values []value.Value
	outer  *arguments
}

// chain remembers that a?.b found nothing, so that .c after it is not looked at.
type chain struct{ cut bool }

func (a *arguments) lookup(name string) (value.Value, bool) {
	for ; a != nil; a = a.outer {
		if i := slices.Index(a.names, name); i >= 0 {
			return a.values[i], true
		}
	}
	return nil, false
}

// eval gives what a part of an expression comes to.
func (m *machine) eval(n syntax.Node, f frame) (value.Value, error) {
	if err := m.spend(1); err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *syntax.Constant:
		return n.Value, nil
	case *syntax.Symbol:
		return m.symbol(n, f)
	case *syntax.Parenthesis:
		return m.eval(n.Content, f)
	case *syntax.Operator:
		return m.operator(n, f)
	case *syntax.Relation:
		return m.relation(n, f)
	case *syntax.Conditional:
		return m.conditional(n, f)
	case *syntax.Call:
		return m.call(n, f)
	case *syntax.Accessor:
		return m.accessor(n, f)
	case *syntax.List:
		return m.list(n, f)
	case *syntax.ObjectLiteral:
		return m.objectLiteral(n, f)
	case *syntax.Span:
		return m.span(n, f)
	case *syntax.Assignment:
		return m.assignment(n, f)
	case *syntax.PropertyAssignment:
		return m.propertyAssignment(n, f)
	case *syntax.Definition:
		return m.definition(n, f)
	case *syntax.Block:
		return m.block(n, f)
	}
	panic("a part of an expression that nobody evaluates") // the list above is whole
}

func (m *machine) spend(steps int) error {
	if m.steps -= steps; m.steps < 0 {
		return value.Failure("The defaultMemoryMbytes expression takes too many steps to evaluate.")
	}
	return nil
}

func (m *machine) evalAll(nodes []syntax.Node, f frame) ([]value.Value, error) {
	values := make([]value.Value, len(nodes))
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
func (m *machine) global(name string) (v value.Value, known bool, err error) {
	if slices.Contains(value.Prototype, name) {
		return nil, false, value.NoAccess(nil, name)
	}
	if v, ok := m.scope.Fields[name]; ok {
		return v, true, nil
	}
	if _, ok := builtins[name]; ok {
		return builtin(name), true, nil
	}
	return nil, false, nil
}

func (m *machine) symbol(n *syntax.Symbol, f frame) (value.Value, error) {
	if v, ok := f.args.lookup(n.Name); ok {
		return v, nil
	}
	v, known, err := m.global(n.Name)
	if err == nil && !known {
		err = value.Failure("Undefined symbol " + n.Name)
	}
	return v, err
}

func (m *machine) operator(n *syntax.Operator, f frame) (value.Value, error) {
	args, err := m.evalAll(n.Args, f)
	if err != nil {
		return nil, err
	}
	return builtins[n.Function](m, args)
}

func (m *machine) relation(n *syntax.Relation, f frame) (value.Value, error) {
	right, err := m.eval(n.Operands[0], f)
	if err != nil {
		return nil, err
	}
	for i, name := range n.Functions {
		left := right
		if right, err = m.eval(n.Operands[i+1], f); err != nil {
			return nil, err
		}
		compare, ok := builtins[name]
		if !ok {
			return nil, value.Failure("condFn is not a function")
		}
		holds, err := compare(m, []value.Value{left, right})
		if err != nil {
			return nil, err
		}
		if holds != true {
			return false, nil
		}
	}
	return true, nil
}

func (m *machine) conditional(n *syntax.Conditional, f frame) (value.Value, error) {
	condition, err := m.eval(n.Condition, f)
	if err != nil {
		return nil, err
	}
	yes := false
	switch v := condition.(type) {
	case nil, value.Undefined:
	case bool:
		yes = v
	case float64:
		yes = value.Truthy(v)
	case string:
		yes = v != ""
	default:
		return nil, value.Failure(`Unsupported type of condition "` + value.TypeOf(v) + `"`)
	}
	if yes {
		return m.eval(n.Yes, f)
	}
	return m.eval(n.No, f)
}

func (m *machine) list(n *syntax.List, f frame) (value.Value, error) {
	items, err := m.evalAll(n.Items, f)
	if err != nil {
		return nil, err
	}
	return value.NewMatrix(items)
}

func (m *machine) objectLiteral(n *syntax.ObjectLiteral, f frame) (value.Value, error) {
	o := value.NewObject()
	for _, key := range n.Keys {
		v, err := m.eval(n.Values[key], f)
		if err != nil {
			return nil, err
		}
		o.Set(key, v)
	}
	return o, nil
}

func (m *machine) span(n *syntax.Span, f frame) (value.Value, error) {
	if _, err := m.evalAll(n.Parts, f); err != nil {
		return nil, err
	}
	return nil, value.Failure("range is not a function")
}

func (m *machine) assignment(n *syntax.Assignment, f frame) (value.Value, error) {
	v, err := m.eval(n.Value, f)
	if err != nil {
		return nil, err
	}
	return v, m.define(n.Name, v)
}

func (m *machine) define(name string, v value.Value) error {
	if slices.Contains(value.Prototype, name) {
		return value.Failure(`No access to property "` + name + `"`)
	}
	m.scope.Set(name, v)
	return nil
}

func (m *machine) propertyAssignment(n *syntax.PropertyAssignment, f frame) (value.Value, error) {
	name, isProperty := n.Target.Property()
	object, err := m.eval(n.Target.Object, f)
	if err != nil {
		return nil, err
	}
	if !isProperty {
		if _, err := m.evalAll(n.Target.Index, frame{args: f.args}); err != nil {
			return nil, err
		}
		return nil, errIndex
	}
	v, err := m.eval(n.Value, f)
	if err != nil {
		return nil, err
	}
	return v, value.SetProperty(object, name, v)
}

func (m *machine) definition(n *syntax.Definition, f frame) (value.Value, error) {
	fn := &function{name: n.Name, params: n.Params, body: n.Body, outer: f.args}
	return fn, m.define(n.Name, fn)
}

// invoke calls a function that the expression defines.
func (m *machine) invoke(fn *function, args []value.Value) (value.Value, error) {
	count := strconv.Itoa(len(args))
	switch {
	case len(args) < len(fn.params):
		return nil, value.Failure("Too few arguments in function " + fn.name + " (expected: any, index: " + count + ")")
	case len(args) > len(fn.params):
		return nil, value.Failure("Too many arguments in function " + fn.name + " (expected: " + strconv.Itoa(len(fn.params)) + ", actual: " + count + ")")
	}
	if m.depth++; m.depth > maxDepth {
		return nil, value.Failure("Maximum call stack size exceeded")
	}
	defer func() { m.depth-- }()
	return m.eval(fn.body, frame{args: &arguments{fn.params, args, fn.outer}})
}

func (m *machine) apply(fn value.Value, args []value.Value) (value.Value, error) {
	switch fn := fn.(type) {
	case *function:
		return m.invoke(fn, args)
	case builtin:
		return builtins[string(fn)](m, args)
	}
	return nil, value.Failure("fn is not a function")
}

func (m *machine) block(n *syntax.Block, f frame) (value.Value, error) {
	r := &value.Results{}
	for _, s := range n.Statements {
		v, err := m.eval(s.Node, f)
		if err != nil {
			return nil, err
		}
		if s.Visible {
			r.Entries = append(r.Entries, v)
		}
	}
	return r, nil
}

var errIndex = value.Failure("index is not a function")

func (m *machine) accessor(n *syntax.Accessor, f frame) (value.Value, error) {
	if f.chain == nil {
		f.chain = &chain{}
	}
	object, err := m.eval(n.Object, f)
	if err != nil {
		return nil, err
	}
	if n.Optional && value.IsNothing(object) {
		f.chain.cut = true
		return value.Undefined{}, nil
	}
	if inner, ok := n.Object.(*syntax.Accessor); ok && inner.Optional && f.chain.cut {
		return value.Undefined{}, nil
	}
	if name, ok := n.Property(); ok {
		return value.Property(object, name)
	}
	for _, index := range n.Index {
		if mentionsEnd(index) {
			if err := checkEnd(object); err != nil {
				return nil, err
			}
			f.args = &arguments{[]string{"end"}, []value.Value{0.0}, f.args}
		}
		if _, err := m.eval(index, frame{args: f.args}); err != nil {
			return nil, err
		}
	}
	return nil, errIndex
}

func (m *machine) call(n *syntax.Call, f frame) (value.Value, error) {
	inner, isAccessor := n.Fn.(*syntax.Accessor)
	optional := n.Optional || isAccessor && inner.Optional
	switch fn := n.Fn.(type) {
	case *syntax.Symbol:
		v, err := m.resolve(n, fn.Name, f, optional)
		if err != nil || optional && v == (value.Undefined{}) {
			return v, err
		}
		args, err := m.evalAll(n.Args, f)
		if err != nil {
			return nil, err
		}
		return m.apply(v, args)
	case *syntax.Accessor:
		if name, ok := fn.Property(); ok {
			return m.method(n, fn.Object, name, f, optional)
		}
	}
	v, err := m.eval(n.Fn, f)
	if err != nil || optional && v == (value.Undefined{}) {
		return v, err
	}
	if !value.IsFunction(v) {
		return nil, value.Failure("Expression did not evaluate to a function; value is:\n  " + value.Format(v, 78))
	}
	args, err := m.evalAll(n.Args, f)
	if err != nil {
		return nil, err
	}
	return m.apply(v, args)
}

// resolve finds the function of a name.
func (m *machine) resolve(n *syntax.Call, name string, f frame, optional bool) (value.Value, error) {
	if v, ok := f.args.lookup(name); ok {
		if !value.IsFunction(v) && (!optional || v != (value.Undefined{})) {
			return nil, value.Failure("Argument '" + name + "' was not a function; received: " + value.Format(v, 78))
		}
		return v, nil
	}
	v, known, err := m.global(name)
	switch {
	case err != nil:
		return nil, err
	case !known && optional:
		return value.Undefined{}, nil
	case !known:
		return nil, value.Failure("Undefined function " + name)
	case value.IsFunction(v), optional && v == (value.Undefined{}):
		return v, nil
	}
	return nil, value.Failure("'" + name + "' is not a function; its value is:\n  " + value.Format(v, 78))
}

// method calls a function that is a property: one of a text or a list, or one
// that the expression has put into an object.
func (m *machine) method(n *syntax.Call, of syntax.Node, name string, f frame, optional bool) (value.Value, error) {
	receiver, err := m.eval(of, f)
	if err != nil {
		return nil, err
	}
	if optional {
		if value.IsNothing(receiver) {
			return value.Undefined{}, nil
		}
		if o, ok := receiver.(*value.Object); ok && !slices.Contains(value.Prototype, name) {
			if v, ok := o.Fields[name]; !ok || v == (value.Undefined{}) {
				return value.Undefined{}, nil
			}
		}
	}
	if o, ok := receiver.(*value.Object); ok {
		if v, ok := o.Fields[name]; ok && value.IsFunction(v) && !slices.Contains(value.Prototype, name) {
			args, err := m.evalAll(n.Args, f)
			if err != nil {
				return nil, err
			}
			return m.apply(v, args)
		}
	}
	if !value.HasMethod(receiver, name) {
		if optional && !slices.Contains(value.Prototype, name) {
			return value.Undefined{}, nil
		}
		return nil, value.Failure(`No access to method "` + name + `"`)
	}
	args, err := m.evalAll(n.Args, f)
	if err != nil {
		return nil, err
	}
	return callMethod(receiver, name, args)
}

// mentionsEnd reports whether a part of an expression uses "end", the length of
// what is indexed.
func mentionsEnd(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Symbol:
		return n.Name == "end"
	case *syntax.Parenthesis:
		return mentionsEnd(n.Content)
	case *syntax.Operator:
		return slices.ContainsFunc(n.Args, mentionsEnd)
	case *syntax.Relation:
		return slices.ContainsFunc(n.Operands, mentionsEnd)
	case *syntax.Conditional:
		return mentionsEnd(n.Condition) || mentionsEnd(n.Yes) || mentionsEnd(n.No)
	case *syntax.Call:
		return mentionsEnd(n.Fn) || slices.ContainsFunc(n.Args, mentionsEnd)
	case *syntax.Accessor:
		return mentionsEnd(n.Object) || slices.ContainsFunc(n.Index, mentionsEnd)
	case *syntax.List:
		return slices.ContainsFunc(n.Items, mentionsEnd)
	case *syntax.ObjectLiteral:
		return slices.ContainsFunc(slices.Collect(maps.Values(n.Values)), mentionsEnd)
	case *syntax.Span:
		return slices.ContainsFunc(n.Parts, mentionsEnd)
	case *syntax.Assignment:
		return mentionsEnd(n.Value)
	case *syntax.PropertyAssignment:
		return mentionsEnd(n.Target) || mentionsEnd(n.Value)
	case *syntax.Definition:
		return mentionsEnd(n.Body)
	}
	return false
}

func checkEnd(object value.Value) error {
	switch object.(type) {
	case *value.Array, *value.Matrix, string:
		return nil
	}
	return value.Failure(`Cannot resolve "end": context must be a Matrix, Array, or string but is ` + value.TypeOf(object))
}
