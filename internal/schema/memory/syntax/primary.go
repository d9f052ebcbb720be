package syntax

import (
	"math"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

// primary reads what has no operators: a name, text, a list, an object, a number
// or something in parentheses, with what is called or accessed of it.
func (p *parser) primary() (Node, error) {
	var n Node
	var err error
	switch {
	case p.kind == symbolToken || slices.Contains(namedOperators, p.token):
		n, err = p.name()
	case p.token == `"` || p.token == "'":
		var text string
		text, err = p.quoted()
		n = &Constant{text}
	case p.token == "[":
		n, err = p.list()
	case p.token == "{":
		n, err = p.object()
	case p.kind == numberToken:
		text := p.token
		if err := p.next(); err != nil {
			return nil, err
		}
		number, err := value.ParseNumber(text)
		return &Constant{number}, err
	case p.token == "(":
		p.nesting++
		if err := p.next(); err != nil {
			return nil, err
		}
		if n, err = p.assignment(); err == nil {
			n, err = &Parenthesis{n}, p.close(")", "Parenthesis ) expected")
		}
	case p.token == "":
		return nil, p.syntaxError("Unexpected end of expression")
	default:
		return nil, p.syntaxError("Value expected")
	}
	if err != nil {
		return nil, err
	}
	return p.accessors(n)
}

func (p *parser) name() (Node, error) {
	name := p.token
	if err := p.next(); err != nil {
		return nil, err
	}
	switch name {
	case "true":
		return &Constant{true}, nil
	case "false":
		return &Constant{false}, nil
	case "null":
		return &Constant{nil}, nil
	case "undefined":
		return &Constant{value.Undefined{}}, nil
	case "NaN":
		return &Constant{math.NaN()}, nil
	case "Infinity":
		return &Constant{math.Inf(1)}, nil
	}
	return &Symbol{name}, nil
}

// close passes a closing bracket.
func (p *parser) close(bracket, otherwise string) error {
	if p.token != bracket {
		return p.syntaxError(otherwise)
	}
	p.nesting--
	return p.next()
}

// list reads [1, 2] or [1, 2; 3, 4].
func (p *parser) list() (Node, error) {
	p.nesting++
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.token == "]" {
		return &List{}, p.close("]", "")
	}
	row, err := p.row()
	if err != nil {
		return nil, err
	}
	if p.token != ";" {
		return row, p.close("]", "End of matrix ] expected")
	}
	rows := []Node{row}
	for p.token == ";" {
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.token != "]" {
			next, err := p.row()
			if err != nil {
				return nil, err
			}
			rows = append(rows, next)
		}
	}
	if err := p.close("]", "End of matrix ] expected"); err != nil {
		return nil, err
	}
	for _, next := range rows[1:] {
		if got, want := len(next.(*List).Items), len(row.Items); got != want {
			return nil, p.syntaxError("Column dimensions mismatch (" + value.FormatNumber(float64(got)) + " !== " + value.FormatNumber(float64(want)) + ")")
		}
	}
	return &List{rows}, nil
}

func (p *parser) row() (*List, error) {
	n, err := p.assignment()
	if err != nil {
		return nil, err
	}
	row := &List{[]Node{n}}
	for p.token == "," {
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.token != "]" && p.token != ";" {
			if n, err = p.assignment(); err != nil {
				return nil, err
			}
			row.Items = append(row.Items, n)
		}
	}
	return row, nil
}

// object reads {a: 1, "b c": 2}.
func (p *parser) object() (Node, error) {
	p.nesting++
	o := &ObjectLiteral{Values: map[string]Node{}}
	for {
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.token != "}" {
			if err := p.member(o); err != nil {
				return nil, err
			}
		}
		if p.token != "," {
			break
		}
	}
	return o, p.close("}", "Comma , or bracket } expected after object value")
}

func (p *parser) member(o *ObjectLiteral) error {
	var key string
	var err error
	switch {
	case p.token == `"` || p.token == "'":
		key, err = p.quoted()
	case p.kind == symbolToken || slices.Contains(namedOperators, p.token):
		key = p.token
		err = p.next()
	default:
		err = p.syntaxError("Symbol or string expected as object key")
	}
	if err != nil {
		return err
	}
	if p.token != ":" {
		return p.syntaxError("Colon : expected after object key")
	}
	if err := p.next(); err != nil {
		return err
	}
	value, err := p.assignment()
	if _, ok := o.Values[key]; !ok {
		o.Keys = append(o.Keys, key)
	}
	o.Values[key] = value
	return err
}

// accessors reads calls, indexes and properties: f(1), a[1], a.b, a?.b.
func (p *parser) accessors(n Node) (Node, error) {
	for {
		optional := p.token == "?."
		if optional {
			if err := p.next(); err != nil {
				return nil, err
			}
		}
		switch {
		case p.token == "(":
			_, isSymbol := n.(*Symbol)
			_, isAccessor := n.(*Accessor)
			if !optional && !isSymbol && !isAccessor {
				return n, nil // an implicit product
			}
			args, err := p.arguments(")")
			if err != nil {
				return nil, err
			}
			n = &Call{Fn: n, Args: args, Optional: optional}
		case p.token == "[":
			index, err := p.arguments("]")
			if err != nil {
				return nil, err
			}
			n = &Accessor{Object: n, Index: index, Optional: optional}
		case p.token == "." || optional:
			if !optional {
				if err := p.next(); err != nil {
					return nil, err
				}
			}
			if p.kind != symbolToken && !slices.Contains(namedOperators, p.token) {
				if optional {
					return nil, p.syntaxError("Property name expected after optional chain")
				}
				return nil, p.syntaxError("Property name expected after dot")
			}
			n = &Accessor{Object: n, Index: []Node{&Constant{p.token}}, Optional: optional}
			if err := p.next(); err != nil {
				return nil, err
			}
		default:
			return n, nil
		}
	}
}

// arguments reads a list in brackets, the opening one being the token.
func (p *parser) arguments(closing string) ([]Node, error) {
	p.nesting++
	if err := p.next(); err != nil {
		return nil, err
	}
	var args []Node
	if p.token != closing {
		for {
			arg, err := p.assignment()
			if err != nil {
				return nil, err
			}
			args = append(args, arg)
			if p.token != "," {
				break
			}
			if err := p.next(); err != nil {
				return nil, err
			}
		}
	}
	return args, p.close(closing, "Parenthesis "+closing+" expected")
}
