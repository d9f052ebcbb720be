// Package syntax reads memory expressions: text becomes a tree, or an error that
// says at which character it cannot. What the parts of the tree come to is not its
// business.
package syntax

import (
	"slices"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

// Node is a part of an expression: one of the types below.
type Node interface {
	// check finds what can be said before there are values, in the order in which
	// the platform finds it. known tells the functions of the language.
	check(known func(name string) bool) error
}

// The parts of expressions.
type (
	Constant struct{ Value value.Value }
	Symbol   struct{ Name string }
	// Parenthesis changes nothing but what may be assigned and called.
	Parenthesis struct{ Content Node }
	// Operator calls Function of the language.
	Operator struct {
		Op, Function string
		Args         []Node
		Percentage   bool
	}
	// Relation is a chain of comparisons: Operands[i] Functions[i] Operands[i+1].
	Relation struct {
		Functions []string
		Operands  []Node
	}
	Conditional struct{ Condition, Yes, No Node }
	// Call is a function's or a method's; an Optional one of nothing is nothing.
	Call struct {
		Fn       Node
		Args     []Node
		Optional bool
	}
	// Accessor is a property or an item.
	Accessor struct {
		Object   Node
		Index    []Node
		Optional bool
	}
	List          struct{ Items []Node }
	ObjectLiteral struct {
		Keys   []string // in the order written
		Values map[string]Node
	}
	// Span is a range of numbers: start, end, or start, step, end.
	Span       struct{ Parts []Node }
	Assignment struct {
		Name  string
		Value Node
	}
	PropertyAssignment struct {
		Target *Accessor
		Value  Node
	}
	// Definition is of a function.
	Definition struct {
		Name   string
		Params []string
		Body   Node
	}
	Block     struct{ Statements []Statement }
	Statement struct {
		Node Node
		// Visible statements are results.
		Visible bool
	}
)

// Parse reads an expression whose functions are known. What is wrong with it is a
// fault.InvalidInput with the platform's message.
func Parse(text string, known func(name string) bool) (Node, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	return root, root.check(known)
}

// Property gives the name that an accessor accesses, when it is one.
func (n *Accessor) Property() (name string, ok bool) {
	if len(n.Index) != 1 {
		return "", false
	}
	c, ok := n.Index[0].(*Constant)
	if !ok {
		return "", false
	}
	name, ok = c.Value.(string)
	return name, ok
}

func checkAll(known func(string) bool, nodes ...Node) error {
	for _, n := range nodes {
		if err := n.check(known); err != nil {
			return err
		}
	}
	return nil
}

func (n *Constant) check(func(string) bool) error          { return nil }
func (n *Symbol) check(func(string) bool) error            { return nil }
func (n *Parenthesis) check(known func(string) bool) error { return n.Content.check(known) }
func (n *Relation) check(known func(string) bool) error    { return checkAll(known, n.Operands...) }
func (n *Conditional) check(known func(string) bool) error {
	return checkAll(known, n.Condition, n.Yes, n.No)
}
func (n *List) check(known func(string) bool) error       { return checkAll(known, n.Items...) }
func (n *Assignment) check(known func(string) bool) error { return n.Value.check(known) }
func (n *Definition) check(known func(string) bool) error { return n.Body.check(known) }

func (n *Operator) check(known func(string) bool) error {
	if !known(n.Function) {
		return value.Failure("Function " + n.Function + ` missing in provided namespace "math"`)
	}
	return checkAll(known, n.Args...)
}

func (n *Call) check(known func(string) bool) error {
	if err := checkAll(known, n.Args...); err != nil {
		return err
	}
	switch fn := n.Fn.(type) {
	case *Symbol:
		return nil
	case *Accessor:
		if _, ok := fn.Property(); ok {
			return fn.Object.check(known)
		}
	}
	return n.Fn.check(known)
}

func (n *Accessor) check(known func(string) bool) error {
	if err := n.Object.check(known); err != nil {
		return err
	}
	return checkAll(known, n.Index...)
}

func (n *ObjectLiteral) check(known func(string) bool) error {
	for _, key := range n.Keys {
		if slices.Contains(value.Prototype, key) {
			return value.Failure(`No access to property "` + key + `"`)
		}
		if err := n.Values[key].check(known); err != nil {
			return err
		}
	}
	return nil
}

// check goes by start, end and step; they are written start, step, end.
func (n *Span) check(known func(string) bool) error {
	if err := checkAll(known, n.Parts[0], n.Parts[len(n.Parts)-1]); err != nil || len(n.Parts) < 3 {
		return err
	}
	return n.Parts[1].check(known)
}

func (n *PropertyAssignment) check(known func(string) bool) error {
	if err := n.Target.check(known); err != nil {
		return err
	}
	return n.Value.check(known)
}

func (n *Block) check(known func(string) bool) error {
	for _, s := range n.Statements {
		if err := s.Node.check(known); err != nil {
			return err
		}
	}
	return nil
}
