package ecma

import (
	"fmt"
	"slices"
	"strconv"
	"unicode"
)

// A node is one of the types below.
type node any

type (
	// sequence matches its parts one after the other.
	sequence []node
	// choice matches the first of its parts that leads to a match.
	choice []node
	// group captures when its index is not 0.
	group struct {
		body  node
		index int
	}
	// look is a lookahead or lookbehind.
	look struct {
		body            node
		behind, negated bool
	}
	// reference is a back reference; a name is resolved once all is read.
	reference struct {
		index int
		name  string
	}
	// repeat is a quantified node. The groups from first to last, both
	// included, are inside it. A max below 0 means no bound.
	repeat struct {
		body        node
		min, max    int
		lazy        bool
		first, last int
	}
	// assertion is one of ^ $ b B.
	assertion rune
)

// maxNesting bounds groups within groups.
const maxNesting = 500

// maxCount bounds the numbers in quantifiers; no value is that long.
const maxCount = 1 << 30

type parser struct {
	src []rune
	// strict refuses what the u flag refuses.
	strict bool
	at     int
	depth  int
	groups int
	names  map[string]int
	// references wait for their names and for the number of groups.
	references []*reference
}

func (p *parser) parse() (node, error) {
	p.names = make(map[string]int)
	tree, err := p.choice()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.src) {
		return nil, p.errorf("unmatched )")
	}
	for _, ref := range p.references {
		if ref.name != "" {
			index, ok := p.names[ref.name]
			if !ok {
				return nil, p.errorf("there is no group named %s", ref.name)
			}
			ref.index = index
		}
		if ref.index > p.groups {
			return nil, p.errorf("there is no group %d", ref.index)
		}
	}
	return tree, nil
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("at character %d: "+format, append([]any{p.at + 1}, args...)...)
}

// peek gives the next character, or -1 at the end.
func (p *parser) peek() rune {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return -1
}

// accept steps over text if it comes next.
func (p *parser) accept(text string) bool {
	want := []rune(text)
	if p.at+len(want) > len(p.src) || !slices.Equal(p.src[p.at:p.at+len(want)], want) {
		return false
	}
	p.at += len(want)
	return true
}

func (p *parser) choice() (node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.errorf("groups are nested more than %d deep", maxNesting)
	}
	defer func() { p.depth-- }()
	var options choice
	for {
		var parts sequence
		for p.at < len(p.src) && p.peek() != '|' && p.peek() != ')' {
			part, err := p.term()
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
		}
		options = append(options, parts)
		if !p.accept("|") {
			break
		}
	}
	if len(options) == 1 {
		return options[0], nil
	}
	return options, nil
}

// term reads one part of a sequence with its quantifier.
func (p *parser) term() (node, error) {
	before := p.groups
	atom, err := p.atom()
	if err != nil {
		return nil, err
	}
	out, quantified, err := p.quantifier(atom, before)
	if err != nil || !quantified {
		return atom, err
	}
	switch a := atom.(type) {
	case assertion:
		return nil, p.errorf("nothing to repeat")
	case look:
		if a.behind || p.strict {
			return nil, p.errorf("nothing to repeat")
		}
	}
	return out, nil
}

func (p *parser) quantifier(atom node, before int) (node, bool, error) {
	r := repeat{body: atom, max: -1, first: before + 1, last: p.groups}
	switch {
	case p.accept("*"):
	case p.accept("+"):
		r.min = 1
	case p.accept("?"):
		r.max = 1
	case p.peek() == '{':
		start := p.at
		if !p.counts(&r) {
			if p.strict {
				return nil, false, p.errorf("incomplete quantifier")
			}
			p.at = start // a brace that opens no quantifier stands for itself
			return nil, false, nil
		}
		if r.max >= 0 && r.max < r.min {
			return nil, false, p.errorf("the numbers in the quantifier are out of order")
		}
	default:
		return nil, false, nil
	}
	r.lazy = p.accept("?")
	return r, true, nil
}

// counts reads {n}, {n,} or {n,m}.
func (p *parser) counts(r *repeat) bool {
	p.at++
	var ok bool
	if r.min, ok = p.count(); !ok {
		return false
	}
	r.max = r.min
	if p.accept(",") {
		if r.max, ok = p.count(); !ok {
			r.max = -1
		}
	}
	return p.accept("}")
}

func (p *parser) count() (int, bool) {
	start := p.at
	for p.peek() >= '0' && p.peek() <= '9' {
		p.at++
	}
	if p.at == start {
		return 0, false
	}
	n, err := strconv.Atoi(string(p.src[start:p.at]))
	if err != nil || n > maxCount {
		n = maxCount
	}
	return n, true
}

func (p *parser) atom() (node, error) {
	switch c := p.peek(); c {
	case '^', '$':
		p.at++
		return assertion(c), nil
	case '.':
		p.at++
		return lineEnds.negated(), nil
	case '*', '+', '?':
		return nil, p.errorf("nothing to repeat")
	case '{':
		start := p.at
		if p.counts(&repeat{}) {
			return nil, p.errorf("nothing to repeat")
		}
		if p.at = start + 1; p.strict {
			return nil, p.errorf("lone quantifier bracket")
		}
		return single(c), nil
	case '}', ']':
		if p.at++; p.strict {
			return nil, p.errorf("lone quantifier bracket")
		}
		return single(c), nil
	case '(':
		p.at++
		return p.group()
	case '[':
		p.at++
		return p.class()
	case '\\':
		p.at++
		return p.escape()
	default:
		p.at++
		return single(c), nil
	}
}

func (p *parser) group() (node, error) {
	behind := p.accept("?<=") || p.accept("?<!")
	switch {
	case behind || p.accept("?=") || p.accept("?!"):
		negated := p.src[p.at-1] == '!'
		body, err := p.body()
		return look{body: body, behind: behind, negated: negated}, err
	case p.accept("?:"):
		body, err := p.body()
		return group{body: body}, err
	case p.accept("?<"):
		name, err := p.groupName()
		if err != nil {
			return nil, err
		}
		if _, taken := p.names[name]; taken {
			return nil, p.errorf("there are two groups named %s", name)
		}
		p.names[name] = p.groups + 1
	case p.peek() == '?':
		return nil, p.errorf("invalid group")
	}
	p.groups++
	index := p.groups
	body, err := p.body()
	return group{body: body, index: index}, err
}

// body reads the inside of a group and its closing parenthesis.
func (p *parser) body() (node, error) {
	inner, err := p.choice()
	if err == nil && !p.accept(")") {
		err = p.errorf("missing )")
	}
	return inner, err
}

// groupName reads name>.
func (p *parser) groupName() (string, error) {
	start := p.at
	for p.at < len(p.src) && p.peek() != '>' {
		c := p.peek()
		if c != '$' && c != '_' && !unicode.IsLetter(c) && (p.at == start || !unicode.IsDigit(c)) {
			break
		}
		p.at++
	}
	name := string(p.src[start:p.at])
	if name == "" || !p.accept(">") {
		return "", p.errorf("invalid name of a group")
	}
	return name, nil
}

// escape reads what follows a backslash outside of a class.
func (p *parser) escape() (node, error) {
	switch c := p.peek(); {
	case c == 'b' || c == 'B':
		p.at++
		return assertion(c), nil
	case c >= '1' && c <= '9':
		start := p.at
		if n, _ := p.count(); n <= p.totalGroups() {
			ref := &reference{index: n}
			p.references = append(p.references, ref)
			return ref, nil
		}
		if p.at = start + 1; p.strict {
			return nil, p.errorf("there is no such group")
		}
		return single(c), nil
	case c == 'k' && p.at+1 < len(p.src) && p.src[p.at+1] == '<':
		p.at += 2
		name, err := p.groupName()
		if err != nil {
			return nil, err
		}
		ref := &reference{name: name}
		p.references = append(p.references, ref)
		return ref, nil
	}
	return p.classEscape()
}

// totalGroups counts the capturing groups of the whole expression: a back
// reference may stand before its group.
func (p *parser) totalGroups() int {
	n, inClass := 0, false
	for i := 0; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case c == '\\':
			i++
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		case c == '(' && !inClass:
			rest := p.src[i+1:]
			if len(rest) == 0 || rest[0] != '?' || len(rest) > 2 && rest[1] == '<' && rest[2] != '=' && rest[2] != '!' {
				n++
			}
		}
	}
	return n
}
