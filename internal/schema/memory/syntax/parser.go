package syntax

import (
	"slices"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

// parse reads an expression, without its {{braces}}.
func parse(text string) (Node, error) {
	p := &parser{text: utf16.Encode([]rune(text)), state: state{conditional: noLevel}}
	if err := p.next(); err != nil {
		return nil, err
	}
	root, err := p.block()
	switch {
	case err != nil:
		return nil, err
	case p.token == "":
		return root, nil
	case p.kind == delimiterToken:
		return nil, p.syntaxError("Unexpected operator " + p.token)
	}
	return nil, p.syntaxError(`Unexpected part "` + p.token + `"`)
}

// skip reads the next token that is not a line end.
func (p *parser) skip() error {
	for {
		if err := p.next(); err != nil || p.token != "\n" {
			return err
		}
	}
}

// block reads statements, which a semicolon or a line end divides.
func (p *parser) block() (Node, error) {
	var first Node
	var b Block
	var err error
	separates := func() bool { return p.token == "\n" || p.token == ";" }
	if p.token != "" && !separates() {
		if first, err = p.assignment(); err != nil {
			return nil, err
		}
	}
	for separates() {
		if len(b.Statements) == 0 && first != nil {
			b.Statements = append(b.Statements, Statement{first, p.token != ";"})
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.token == "" || separates() {
			continue
		}
		n, err := p.assignment()
		if err != nil {
			return nil, err
		}
		b.Statements = append(b.Statements, Statement{n, p.token != ";"})
	}
	switch {
	case len(b.Statements) > 0:
		return &b, nil
	case first == nil:
		return &Constant{value.Undefined{}}, nil
	}
	return first, nil
}

// assignment reads "a = 1", "a.b = 1", "f(x) = 1", or no assignment.
func (p *parser) assignment() (Node, error) {
	target, err := p.conditionalOperator()
	if err != nil || p.token != "=" {
		return target, err
	}
	read := func() (Node, error) {
		if err := p.skip(); err != nil {
			return nil, err
		}
		return p.assignment()
	}
	switch target := target.(type) {
	case *Symbol:
		to, err := read()
		if err == nil && target.Name == "end" {
			err = value.Failure(`Cannot assign to symbol "end"`)
		}
		return &Assignment{Name: target.Name, Value: to}, err
	case *Accessor:
		if target.Optional {
			return nil, p.syntaxError("Cannot assign to optional chain")
		}
		to, err := read()
		if err != nil {
			return nil, err
		}
		switch object := target.Object.(type) {
		case *Symbol:
			if object.Name == "end" {
				return nil, value.Failure(`Cannot assign to symbol "end"`)
			}
		case *Accessor:
		default:
			return nil, value.Failure(`SymbolNode or AccessorNode expected as "object"`)
		}
		return &PropertyAssignment{Target: target, Value: to}, nil
	case *Call:
		name, ok := target.Fn.(*Symbol)
		if !ok {
			break
		}
		params := make([]string, len(target.Args))
		for i, arg := range target.Args {
			param, isName := arg.(*Symbol)
			if !isName {
				return nil, p.syntaxError("Invalid left hand side of assignment operator =")
			}
			params[i] = param.Name
		}
		body, err := read()
		if err != nil {
			return nil, err
		}
		if name.Name == "end" {
			return nil, value.Failure(`Illegal function name, "end" is a reserved keyword`)
		}
		for i, param := range params {
			if slices.Contains(params[:i], param) {
				return nil, value.Failure(`Duplicate parameter name "` + param + `"`)
			}
		}
		return &Definition{Name: name.Name, Params: params, Body: body}, nil
	}
	return nil, p.syntaxError("Invalid left hand side of assignment operator =")
}

func (p *parser) conditionalOperator() (Node, error) {
	n, err := p.logicalOr()
	for err == nil && p.token == "?" {
		before := p.conditional
		p.conditional = p.nesting
		c := &Conditional{Condition: n}
		if err := p.skip(); err != nil {
			return nil, err
		}
		if c.Yes, err = p.assignment(); err != nil {
			return nil, err
		}
		if p.token != ":" {
			return nil, p.syntaxError("False part of conditional expression expected")
		}
		p.conditional = noLevel
		if err := p.skip(); err != nil {
			return nil, err
		}
		if c.No, err = p.assignment(); err != nil {
			return nil, err
		}
		n = c
		p.conditional = before
	}
	return n, err
}

// binary reads operands that operators of one level join, from left to right.
func (p *parser) binary(operand func() (Node, error), operators map[string]string) (Node, error) {
	n, err := operand()
	for err == nil {
		function, ok := operators[p.token]
		if !ok {
			break
		}
		op := p.token
		if err := p.skip(); err != nil {
			return nil, err
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		n = &Operator{Op: op, Function: function, Args: []Node{n, right}}
	}
	return n, err
}

// The levels of operators that are no more than that, weakest first.
var (
	orOperators       = map[string]string{"or": "or"}
	xorOperators      = map[string]string{"xor": "xor"}
	andOperators      = map[string]string{"and": "and"}
	bitOrOperators    = map[string]string{"|": "bitOr"}
	bitXorOperators   = map[string]string{"^|": "bitXor"}
	bitAndOperators   = map[string]string{"&": "bitAnd"}
	shiftOperators    = map[string]string{"<<": "leftShift", ">>": "rightArithShift", ">>>": "rightLogShift"}
	multiplyOperators = map[string]string{
		"*": "multiply", ".*": "dotMultiply", "/": "divide", "./": "dotDivide", "%": "mod", "mod": "mod",
	}
	nullishOperators = map[string]string{"??": "nullish"}
)

func (p *parser) logicalOr() (Node, error)  { return p.binary(p.logicalXor, orOperators) }
func (p *parser) logicalXor() (Node, error) { return p.binary(p.logicalAnd, xorOperators) }
func (p *parser) logicalAnd() (Node, error) { return p.binary(p.bitOr, andOperators) }
func (p *parser) bitOr() (Node, error)      { return p.binary(p.bitXor, bitOrOperators) }
func (p *parser) bitXor() (Node, error)     { return p.binary(p.bitAnd, bitXorOperators) }
func (p *parser) bitAnd() (Node, error)     { return p.binary(p.relational, bitAndOperators) }
func (p *parser) shift() (Node, error)      { return p.binary(p.conversion, shiftOperators) }
func (p *parser) product() (Node, error)    { return p.binary(p.implicitProduct, multiplyOperators) }

var relations = map[string]string{
	"==": "equal", "!=": "unequal", "<": "smaller", ">": "larger", "<=": "smallerEq", ">=": "largerEq",
}

// relational reads a comparison, or a chain of them: "1 < a < 3".
func (p *parser) relational() (Node, error) {
	n, err := p.shift()
	if err != nil {
		return nil, err
	}
	chain := &Relation{Operands: []Node{n}}
	op := p.token
	for {
		function, ok := relations[p.token]
		if !ok {
			break
		}
		if err := p.skip(); err != nil {
			return nil, err
		}
		if n, err = p.shift(); err != nil {
			return nil, err
		}
		chain.Functions, chain.Operands = append(chain.Functions, function), append(chain.Operands, n)
	}
	switch len(chain.Functions) {
	case 0:
		return n, nil
	case 1:
		return &Operator{Op: op, Function: chain.Functions[0], Args: chain.Operands}, nil
	}
	return chain, nil
}

// conversion reads "a to b". There are no units here, but there is syntax.
func (p *parser) conversion() (Node, error) {
	n, err := p.span()
	for err == nil && (p.token == "to" || p.token == "in") {
		op := p.token
		if err := p.skip(); err != nil {
			return nil, err
		}
		if op == "in" && slices.Contains([]string{"", "]", ")", "}", ",", ";"}, p.token) {
			n = &Operator{Op: "*", Function: "multiply", Args: []Node{n, &Symbol{"in"}}}
			continue
		}
		right, err := p.span()
		if err != nil {
			return nil, err
		}
		n = &Operator{Op: op, Function: "to", Args: []Node{n, right}}
	}
	return n, err
}

// span reads "start:end" or "start:step:end".
func (p *parser) span() (Node, error) {
	var n Node
	var err error
	if p.token == ":" {
		if p.conditional == p.nesting {
			return nil, p.syntaxError("The true-expression of a conditional operator may not be empty")
		}
		n = &Constant{1.0}
	} else if n, err = p.sum(); err != nil {
		return nil, err
	}
	if p.token != ":" || p.conditional == p.nesting {
		return n, nil
	}
	parts := []Node{n}
	for p.token == ":" && len(parts) < 3 {
		if err := p.skip(); err != nil {
			return nil, err
		}
		n = &Symbol{"end"}
		if !slices.Contains([]string{")", "]", ",", ""}, p.token) {
			if n, err = p.sum(); err != nil {
				return nil, err
			}
		}
		parts = append(parts, n)
	}
	return &Span{parts}, nil
}

// sum reads sums and differences. A percentage is one of what stands before it:
// "512 + 50%" is 768.
func (p *parser) sum() (Node, error) {
	n, err := p.product()
	for err == nil && (p.token == "+" || p.token == "-") {
		op := p.token
		if err := p.skip(); err != nil {
			return nil, err
		}
		right, err := p.product()
		if err != nil {
			return nil, err
		}
		if o, ok := right.(*Operator); ok && o.Percentage {
			right = &Operator{Op: "*", Function: "multiply", Args: []Node{n, right}}
		}
		function := "add"
		if op == "-" {
			function = "subtract"
		}
		n = &Operator{Op: op, Function: function, Args: []Node{n, right}}
	}
	return n, err
}

// implicitProduct reads "2a", "(2 + 3)a", "2(3 + 4)".
func (p *parser) implicitProduct() (Node, error) {
	n, err := p.quotientOfNumbers()
	last := n
	for err == nil {
		follows := p.kind == symbolToken || p.token == "(" ||
			p.token == "in" && (isConstant(n) || isNegatedConstant(n)) ||
			p.kind == numberToken && !isConstant(last) && (!isOperator(last) || last.(*Operator).Op == "!")
		if !follows {
			break
		}
		if last, err = p.quotientOfNumbers(); err == nil {
			n = &Operator{Op: "*", Function: "multiply", Args: []Node{n, last}}
		}
	}
	return n, err
}

// quotientOfNumbers reads "1/2" as one factor where a name or a bracket follows:
// "1/2 a" is "(1/2) * a", while "6/a b" is "6 / (a * b)".
func (p *parser) quotientOfNumbers() (Node, error) {
	n, err := p.percentage()
	last := n
	for err == nil && p.token == "/" && isSignedConstant(last) {
		before := p.state
		if err := p.skip(); err != nil {
			return nil, err
		}
		if p.kind != numberToken {
			p.state = before
			break
		}
		number := p.state
		if err := p.skip(); err != nil {
			return nil, err
		}
		if p.kind != symbolToken && p.token != "(" && p.token != "in" {
			p.state = before
			break
		}
		p.state = number
		if last, err = p.percentage(); err == nil {
			n = &Operator{Op: "/", Function: "divide", Args: []Node{n, last}}
		}
	}
	return n, err
}

// percentage reads "50%". Where an operand follows, the sign means the remainder
// of a division; what was read to find that out stays read when it is none.
func (p *parser) percentage() (Node, error) {
	n, err := p.unary()
	if err != nil || p.token != "%" {
		return n, err
	}
	before := p.state
	if err := p.skip(); err != nil {
		return nil, err
	}
	if _, err := p.unary(); err == nil {
		p.state = before
		return n, nil
	}
	return &Operator{Op: "/", Function: "divide", Args: []Node{n, &Constant{100.0}}, Percentage: true}, nil
}

var signs = map[string]string{"-": "unaryMinus", "+": "unaryPlus", "~": "bitNot", "not": "not"}

func (p *parser) unary() (Node, error) {
	function, ok := signs[p.token]
	if !ok {
		return p.power()
	}
	op := p.token
	if err := p.skip(); err != nil {
		return nil, err
	}
	n, err := p.unary()
	return &Operator{Op: op, Function: function, Args: []Node{n}}, err
}

// power reads "a ^ b", from right to left, and its operand.
func (p *parser) power() (Node, error) {
	n, err := p.binary(p.postfix, nullishOperators)
	if err != nil || p.token != "^" && p.token != ".^" {
		return n, err
	}
	op, function := p.token, "pow"
	if op == ".^" {
		function = "dotPow"
	}
	if err := p.skip(); err != nil {
		return nil, err
	}
	exponent, err := p.unary() // as in 2^-3
	return &Operator{Op: op, Function: function, Args: []Node{n, exponent}}, err
}

var postfixes = map[string]string{"!": "factorial", "'": "ctranspose"}

func (p *parser) postfix() (Node, error) {
	n, err := p.primary()
	for err == nil {
		function, ok := postfixes[p.token]
		if !ok {
			break
		}
		n = &Operator{Op: p.token, Function: function, Args: []Node{n}}
		if err = p.next(); err == nil {
			n, err = p.accessors(n)
		}
	}
	return n, err
}

func isConstant(n Node) bool {
	_, ok := n.(*Constant)
	return ok
}

func isOperator(n Node) bool {
	_, ok := n.(*Operator)
	return ok
}

func isNegatedConstant(n Node) bool {
	o, ok := n.(*Operator)
	return ok && o.Function == "unaryMinus" && isConstant(o.Args[0])
}

func isSignedConstant(n Node) bool {
	o, ok := n.(*Operator)
	return isConstant(n) || ok && len(o.Args) == 1 && isConstant(o.Args[0]) && (o.Op == "-" || o.Op == "+" || o.Op == "~")
}
