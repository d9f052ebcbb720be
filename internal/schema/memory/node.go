package memory

import "slices"

// node is a part of an expression. check finds what can be said before there are
// values, in the order in which the platform finds it.
type node interface {
	check() error
	eval(m *machine, f frame) (value, error)
}

type (
	constant struct{ value value }
	symbol   struct{ name string }
	// parenthesis changes nothing but what may be assigned and called.
	parenthesis struct{ content node }
	operator    struct {
		op, function string
		args         []node
		percentage   bool
	}
	// relation is a chain of comparisons: operands[i] functions[i] operands[i+1].
	relation struct {
		functions []string
		operands  []node
	}
	conditional struct{ condition, yes, no node }
	// call is a function's or a method's.
	call struct {
		fn       node
		args     []node
		optional bool
	}
	accessor struct {
		object   node
		index    []node
		optional bool
	}
	list          struct{ items []node }
	objectLiteral struct {
		keys   []string
		values map[string]node
	}
	span       struct{ parts []node }
	assignment struct {
		name  string
		value node
	}
	propertyAssignment struct {
		target *accessor
		value  node
	}
	definition struct {
		name   string
		params []string
		body   node
	}
	block     struct{ statements []statement }
	statement struct {
		node
		visible bool
	}
)

func newAccessor(object node, index []node, optional bool) node {
	return &accessor{object: object, index: index, optional: optional}
}

// property gives the name that an accessor accesses, when it is one.
func (n *accessor) property() (string, bool) {
	if len(n.index) != 1 {
		return "", false
	}
	c, ok := n.index[0].(*constant)
	if !ok {
		return "", false
	}
	name, ok := c.value.(string)
	return name, ok
}

func checkAll(nodes ...node) error {
	for _, n := range nodes {
		if err := n.check(); err != nil {
			return err
		}
	}
	return nil
}

func (n *constant) check() error    { return nil }
func (n *symbol) check() error      { return nil }
func (n *parenthesis) check() error { return n.content.check() }
func (n *relation) check() error    { return checkAll(n.operands...) }
func (n *conditional) check() error { return checkAll(n.condition, n.yes, n.no) }
func (n *list) check() error        { return checkAll(n.items...) }
func (n *assignment) check() error  { return n.value.check() }
func (n *definition) check() error  { return n.body.check() }

func (n *operator) check() error {
	if _, ok := builtins[n.function]; !ok {
		return failure("Function " + n.function + ` missing in provided namespace "math"`)
	}
	return checkAll(n.args...)
}

func (n *call) check() error {
	if err := checkAll(n.args...); err != nil {
		return err
	}
	switch fn := n.fn.(type) {
	case *symbol:
		return nil
	case *accessor:
		if _, ok := fn.property(); ok {
			return fn.object.check()
		}
	}
	return n.fn.check()
}

func (n *accessor) check() error {
	if err := n.object.check(); err != nil {
		return err
	}
	return checkAll(n.index...)
}

func (n *objectLiteral) check() error {
	for _, key := range n.keys {
		if slices.Contains(prototype, key) {
			return failure(`No access to property "` + key + `"`)
		}
		if err := n.values[key].check(); err != nil {
			return err
		}
	}
	return nil
}

// check goes by start, end and step; they are written start, step, end.
func (n *span) check() error {
	if err := checkAll(n.parts[0], n.parts[len(n.parts)-1]); err != nil || len(n.parts) < 3 {
		return err
	}
	return n.parts[1].check()
}

func (n *propertyAssignment) check() error {
	if err := n.target.check(); err != nil {
		return err
	}
	return n.value.check()
}

func (n *block) check() error {
	for _, s := range n.statements {
		if err := s.node.check(); err != nil {
			return err
		}
	}
	return nil
}
