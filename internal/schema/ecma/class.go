package ecma

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// set is a set of characters: ranges, sorted, neither touching nor overlapping.
type set []bounds

// bounds are the first and last character of a range.
type bounds struct{ lo, hi rune }

const lastRune = unicode.MaxRune

var (
	digits   = set{{'0', '9'}}
	words    = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	lineEnds = set{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}
	spaces   = newSet([]bounds{{'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a},
		{0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}})
)

func single(r rune) set { return set{{r, r}} }

// newSet sorts and joins ranges.
func newSet(ranges []bounds) set {
	slices.SortFunc(ranges, func(a, b bounds) int { return int(a.lo - b.lo) })
	var out set
	for _, r := range ranges {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func (s set) negated() set {
	out := set{}
	next := rune(0)
	for _, r := range s {
		if r.lo > next {
			out = append(out, bounds{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= lastRune {
		out = append(out, bounds{next, lastRune})
	}
	return out
}

func (s set) has(r rune) bool {
	_, ok := slices.BinarySearchFunc(s, r, func(b bounds, r rune) int {
		switch {
		case b.hi < r:
			return -1
		case b.lo > r:
			return 1
		}
		return 0
	})
	return ok
}

// class reads a character class after its opening bracket.
func (p *parser) class() (node, error) {
	negated := p.accept("^")
	var ranges []bounds
	for {
		if p.at >= len(p.src) {
			return nil, p.errorf("missing ]")
		}
		if p.accept("]") {
			break
		}
		low, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if p.peek() != '-' || p.at+1 >= len(p.src) || p.src[p.at+1] == ']' {
			ranges = append(ranges, low...)
			continue
		}
		p.at++
		high, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if !isSingle(low) || !isSingle(high) {
			if p.strict {
				return nil, p.errorf("invalid range in the character class")
			}
			// A hyphen beside \d and the like stands for itself.
			ranges = append(append(append(ranges, low...), high...), bounds{'-', '-'})
			continue
		}
		if low[0].lo > high[0].lo {
			return nil, p.errorf("the range in the character class is out of order")
		}
		ranges = append(ranges, bounds{low[0].lo, high[0].lo})
	}
	out := newSet(ranges)
	if negated {
		out = out.negated()
	}
	if out == nil {
		out = set{}
	}
	return out, nil
}

func isSingle(s set) bool { return len(s) == 1 && s[0].lo == s[0].hi }

func (p *parser) classAtom() (set, error) {
	c := p.src[p.at]
	p.at++
	if c != '\\' {
		return single(c), nil
	}
	switch p.peek() {
	case 'b':
		p.at++
		return single('\b'), nil
	case '-':
		p.at++
		return single('-'), nil
	}
	return p.classEscape()
}

// classEscape reads what follows a backslash and stands for characters.
func (p *parser) classEscape() (set, error) {
	if p.at >= len(p.src) {
		return nil, p.errorf(`\ at the end`)
	}
	c := p.src[p.at]
	p.at++
	switch c {
	case 'd':
		return digits, nil
	case 'D':
		return digits.negated(), nil
	case 'w':
		return words, nil
	case 'W':
		return words.negated(), nil
	case 's':
		return spaces, nil
	case 'S':
		return spaces.negated(), nil
	case 't':
		return single('\t'), nil
	case 'n':
		return single('\n'), nil
	case 'v':
		return single('\v'), nil
	case 'f':
		return single('\f'), nil
	case 'r':
		return single('\r'), nil
	case '0':
		if next := p.peek(); p.strict && next >= '0' && next <= '9' {
			return nil, p.errorf("octal escapes are not allowed")
		}
		return single(0), nil
	case 'c':
		if l := p.peek(); l >= 'a' && l <= 'z' || l >= 'A' && l <= 'Z' {
			p.at++
			return single(l % 32), nil
		}
		return nil, p.errorf(`\c must be followed by a letter`)
	case 'x':
		if r, ok := p.hex(2); ok {
			return single(r), nil
		}
	case 'u':
		return p.unicodeEscape()
	case 'p', 'P':
		return p.property(c == 'P')
	}
	if p.strict && !strings.ContainsRune(`^$\.*+?()[]{}|/`, c) {
		return nil, p.errorf("invalid escape")
	}
	return single(c), nil
}

// hex reads exactly n hexadecimal digits, or nothing.
func (p *parser) hex(n int) (rune, bool) {
	if p.at+n > len(p.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(p.src[p.at:p.at+n]), 16, 32)
	if err != nil {
		return 0, false
	}
	p.at += n
	return rune(v), true
}

// unicodeEscape reads what follows \u: four digits, a pair of surrogates, or
// digits in braces.
func (p *parser) unicodeEscape() (set, error) {
	if p.accept("{") {
		start := p.at
		for p.at < len(p.src) && p.peek() != '}' {
			p.at++
		}
		v, err := strconv.ParseUint(string(p.src[start:p.at]), 16, 32)
		if err != nil || v > lastRune || !p.accept("}") {
			return nil, p.errorf(`invalid \u escape`)
		}
		return single(rune(v)), nil
	}
	r, ok := p.hex(4)
	if !ok {
		if p.strict {
			return nil, p.errorf(`invalid \u escape`)
		}
		return single('u'), nil
	}
	if r >= 0xd800 && r < 0xdc00 {
		start := p.at
		if p.accept(`\u`) {
			if low, ok := p.hex(4); ok && low >= 0xdc00 && low < 0xe000 {
				return single((r-0xd800)<<10 + (low - 0xdc00) + 0x10000), nil
			}
		}
		p.at = start
	}
	return single(r), nil
}

// property reads {Name} or {Name=Value} after \p.
func (p *parser) property(negated bool) (set, error) {
	if !p.accept("{") {
		return nil, p.errorf(`\p must be followed by the name of a property in braces`)
	}
	start := p.at
	for p.at < len(p.src) && p.peek() != '}' {
		p.at++
	}
	name := string(p.src[start:p.at])
	if !p.accept("}") {
		return nil, p.errorf(`\p{ is not closed`)
	}
	s, ok := lookUp(name)
	if !ok {
		return nil, p.errorf("the Unicode property %s is not known", name)
	}
	if negated {
		s = s.negated()
	}
	return s, nil
}

// lookUp finds a Unicode property: a general category, a script or one of the
// binary properties in Go's tables.
func lookUp(name string) (set, bool) {
	key, value, pair := strings.Cut(name, "=")
	if pair {
		switch key {
		case "Script", "sc", "Script_Extensions", "scx":
			table, ok := unicode.Scripts[value]
			return fromTables(table), ok
		case "General_Category", "gc":
			return category(value)
		}
		return nil, false
	}
	switch name {
	case "Any":
		return set{{0, lastRune}}, true
	case "ASCII":
		return set{{0, 0x7f}}, true
	case "Alphabetic", "Alpha":
		return fromTables(unicode.L, unicode.Nl, unicode.Other_Alphabetic), true
	case "Lowercase", "Lower":
		return fromTables(unicode.Ll, unicode.Other_Lowercase), true
	case "Uppercase", "Upper":
		return fromTables(unicode.Lu, unicode.Other_Uppercase), true
	}
	if s, ok := category(name); ok {
		return s, true
	}
	table, ok := unicode.Properties[name]
	return fromTables(table), ok
}

func category(name string) (set, bool) {
	if short, ok := unicode.CategoryAliases[name]; ok {
		name = short
	}
	table, ok := unicode.Categories[name]
	return fromTables(table), ok
}

func fromTables(tables ...*unicode.RangeTable) set {
	var ranges []bounds
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			ranges = append(ranges, bounds{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			ranges = append(ranges, bounds{r, r})
		}
	}
	for _, t := range tables {
		if t == nil {
			continue
		}
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return newSet(ranges)
}
