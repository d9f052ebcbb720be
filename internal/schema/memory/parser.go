package memory

import (
	"slices"
	"unicode/utf16"
)

// parse reads an expression, without its {{braces}}.
func parse(text string) (node, error) {
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
func (p *parser) block() (node, error) {
	var first node
	var b block
	var err error
	separates := func() bool { return p.token == "\n" || p.token == ";" }
	if p.token != "" && !separates() {
		if first, err = p.assignment(); err != nil {
			return nil, err
		}
	}
	for separates() {
		if len(b.statements) == 0 && first != nil {
			b.statements = append(b.statements, statement{first, p.token != ";"})
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
		b.statements = append(b.statements, statement{n, p.token != ";"})
	}
	switch {
	case len(b.statements) > 0:
		return &b, nil
	case first == nil:
		return &constant{undefined{}}, nil
	}
	return first, nil
}

// assignment reads "a = 1", "a.b = 1", "f(x) = 1", or no assignment.
func (p *parser) assignment() (node, error) {
	target, err := p.conditionalOperator()
	if err != nil || p.token != "=" {
		return target, err
	}
	read := func() (node, error) {
		if err := p.skip(); err != nil {
			return nil, err
		}
		return p.assignment()
	}
	switch target := target.(type) {
	case *symbol:
		value, err := read()
		if err == nil && target.name == "end" {
			err = failure(`Cannot assign to symbol "end"`)
		}
		return &assignment{name: target.name, value: value}, err
	case *accessor:
		if target.optional {
			return nil, p.syntaxError("Cannot assign to optional chain")
		}
		value, err := read()
		if err != nil {
			return nil, err
		}
		switch object := target.object.(type) {
		case *symbol:
			if object.name == "end" {
				return nil, failure(`Cannot assign to symbol "end"`)
			}
		case *accessor:
		default:
			return nil, failure(`SymbolNode or AccessorNode expected as "object"`)
		}
		return &propertyAssignment{target: target, value: value}, nil
	case *call:
		name, ok := target.fn.(*symbol)
		if !ok {
			break
		}
		params := make([]string, len(target.args))
		for i, arg := range target.args {
			param, isName := arg.(*symbol)
			if !isName {
				return nil, p.syntaxError("Invalid left hand side of assignment operator =")
			}
			params[i] = param.name
		}
		body, err := read()
		if err != nil {
			return nil, err
		}
		if name.name == "end" {
			return nil, failure(`Illegal function name, "end" is a reserved keyword`)
		}
		for i, param := range params {
			if slices.Contains(params[:i], param) {
				return nil, failure(`Duplicate parameter name "` + param + `"`)
			}
		}
		return &definition{name: name.name, params: params, body: body}, nil
	}
	return nil, p.syntaxError("Invalid left hand side of assignment operator =")
}

func (p *parser) conditionalOperator() (node, error) {
	n, err := p.logicalOr()
	for err == nil && p.token == "?" {
		before := p.conditional
		p.conditional = p.nesting
		c := &conditional{condition: n}
		if err := p.skip(); err != nil {
			return nil, err
		}
		if c.yes, err = p.assignment(); err != nil {
			return nil, err
		}
		if p.token != ":" {
			return nil, p.syntaxError("False part of conditional expression expected")
		}
		p.conditional = noLevel
		if err := p.skip(); err != nil {
			return nil, err
		}
		if c.no, err = p.assignment(); err != nil {
			return nil, err
		}
		n = c
		p.conditional = before
	}
	return n, err
}

// binary reads operands that operators of one level join, from left to right.
func (p *parser) binary(operand func() (node, error), operators map[string]string) (node, error) {
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
		n = &operator{op: op, function: function, args: []node{n, right}}
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

func (p *parser) logicalOr() (node, error)  { return p.binary(p.logicalXor, orOperators) }
func (p *parser) logicalXor() (node, error) { return p.binary(p.logicalAnd, xorOperators) }
func (p *parser) logicalAnd() (node, error) { return p.binary(p.bitOr, andOperators) }
func (p *parser) bitOr() (node, error)      { return p.binary(p.bitXor, bitOrOperators) }
func (p *parser) bitXor() (node, error)     { return p.binary(p.bitAnd, bitXorOperators) }
func (p *parser) bitAnd() (node, error)     { return p.binary(p.relational, bitAndOperators) }
func (p *parser) shift() (node, error)      { return p.binary(p.conversion, shiftOperators) }
func (p *parser) product() (node, error)    { return p.binary(p.implicitProduct, multiplyOperators) }

var relations = map[string]string{
	"==": "equal", "!=": "unequal", "<": "smaller", ">": "larger", "<=": "smallerEq", ">=": "largerEq",
}

// relational reads a comparison, or a chain of them: "1 < a < 3".
func (p *parser) relational() (node, error) {
	n, err := p.shift()
	if err != nil {
		return nil, err
	}
	chain := &relation{operands: []node{n}}
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
		chain.functions, chain.operands = append(chain.functions, function), append(chain.operands, n)
	}
	switch len(chain.functions) {
	case 0:
		return n, nil
	case 1:
		return &operator{op: op, function: chain.functions[0], args: chain.operands}, nil
	}
	return chain, nil
}

// conversion reads "a to b". There are no units here, but there is syntax.
func (p *parser) conversion() (node, error) {
	n, err := p.span()
	for err == nil && (p.token == "to" || p.token == "in") {
		op := p.token
		if err := p.skip(); err != nil {
			return nil, err
		}
		if op == "in" && slices.Contains([]string{"", "]", ")", "}", ",", ";"}, p.token) {
			n = &operator{op: "*", function: "multiply", args: []node{n, &symbol{"in"}}}
			continue
		}
		right, err := p.span()
		if err != nil {
			return nil, err
		}
		n = &operator{op: op, function: "to", args: []node{n, right}}
	}
	return n, err
}

// span reads "start:end" or "start:step:end".
func (p *parser) span() (node, error) {
	var n node
	var err error
	if p.token == ":" {
		if p.conditional == p.nesting {
			return nil, p.syntaxError("The true-expression of a conditional operator may not be empty")
		}
		n = &constant{1.0}
	} else if n, err = p.sum(); err != nil {
		return nil, err
	}
	if p.token != ":" || p.conditional == p.nesting {
		return n, nil
	}
	parts := []node{n}
	for p.token == ":" && len(parts) < 3 {
		if err := p.skip(); err != nil {
			return nil, err
		}
		n = &symbol{"end"}
		if !slices.Contains([]string{")", "]", ",", ""}, p.token) {
			if n, err = p.sum(); err != nil {
				return nil, err
			}
		}
		parts = append(parts, n)
	}
	return &span{parts}, nil
}

// sum reads sums and differences. A percentage is one of what stands before it:
// "512 + 50%" is 768.
func (p *parser) sum() (node, error) {
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
		if o, ok := right.(*operator); ok && o.percentage {
			right = &operator{op: "*", function: "multiply", args: []node{n, right}}
		}
		function := "add"
		if op == "-" {
			function = "subtract"
		}
		n = &operator{op: op, function: function, args: []node{n, right}}
	}
	return n, err
}

// implicitProduct reads "2a", "(2 + 3)a", "2(3 + 4)".
func (p *parser) implicitProduct() (node, error) {
	n, err := p.quotientOfNumbers()
	last := n
	for err == nil {
		follows := p.kind == symbolToken || p.token == "(" ||
			p.token == "in" && (isConstant(n) || isNegatedConstant(n)) ||
			p.kind == numberToken && !isConstant(last) && (!isOperator(last) || last.(*operator).op == "!")
		if !follows {
			break
		}
		if last, err = p.quotientOfNumbers(); err == nil {
			n = &operator{op: "*", function: "multiply", args: []node{n, last}}
		}
	}
	return n, err
}

// quotientOfNumbers reads "1/2" as one factor where a name or a bracket follows:
// "1/2 a" is "(1/2) * a", while "6/a b" is "6 / (a * b)".
func (p *parser) quotientOfNumbers() (node, error) {
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
			n = &operator{op: "/", function: "divide", args: []node{n, last}}
		}
	}
	return n, err
}

// percentage reads "50%". Where an operand follows, the sign means the remainder
// of a division; what was read to find that out stays read when it is none.
func (p *parser) percentage() (node, error) {
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
	return &operator{op: "/", function: "divide", args: []node{n, &constant{100.0}}, percentage: true}, nil
}

var signs = map[string]string{"-": "unaryMinus", "+": "unaryPlus", "~": "bitNot", "not": "not"}

func (p *parser) unary() (node, error) {
	function, ok := signs[p.token]
	if !ok {
		return p.power()
	}
	op := p.token
	if err := p.skip(); err != nil {
		return nil, err
	}
	n, err := p.unary()
	return &operator{op: op, function: function, args: []node{n}}, err
}

// power reads "a ^ b", from right to left, and its operand.
func (p *parser) power() (node, error) {
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
	return &operator{op: op, function: function, args: []node{n, exponent}}, err
}

var postfixes = map[string]string{"!": "factorial", "'": "ctranspose"}

func (p *parser) postfix() (node, error) {
	n, err := p.primary()
	for err == nil {
		function, ok := postfixes[p.token]
		if !ok {
			break
		}
		n = &operator{op: p.token, function: function, args: []node{n}}
		if err = p.next(); err == nil {
			n, err = p.accessors(n)
		}
	}
	return n, err
}

func isConstant(n node) bool {
	_, ok := n.(*constant)
	return ok
}

func isOperator(n node) bool {
	_, ok := n.(*operator)
	return ok
}

func isNegatedConstant(n node) bool {
	o, ok := n.(*operator)
	return ok && o.function == "unaryMinus" && isConstant(o.args[0])
}

func isSignedConstant(n node) bool {
	o, ok := n.(*operator)
	return isConstant(n) || ok && len(o.args) == 1 && isConstant(o.args[0]) && (o.op == "-" || o.op == "+" || o.op == "~")
}
