package ecma

import (
	"slices"
	"strconv"
)

// direction is the way a matcher reads: lookbehinds read backwards.
type direction int

const (
	forward  direction = 1
	backward direction = -1
)

// Limits of one match: steps bound the time, depth the stack.
const (
	maxSteps = 5_000_000
	maxDepth = 100_000
)

// span is what a group captured, none when nothing.
type span struct{ from, to int }

var none = span{-1, -1}

// machine is one match under way.
type machine struct {
	text      []rune
	captures  []span
	steps     int
	budget    int
	depth     int
	exhausted bool
}

// matcher tries to match at a position and then what comes after it. Once the
// machine is exhausted nothing matches any more.
type matcher func(m *machine, at int, then func(int) bool) bool

// step counts work and reports whether there is some left.
func (m *machine) step() bool {
	if m.steps++; m.steps > m.budget {
		m.exhausted = true
	}
	return !m.exhausted
}

func compile(n node, dir direction) matcher {
	switch n := n.(type) {
	case sequence:
		return compileSequence(n, dir)
	case choice:
		options := make([]matcher, len(n))
		for i, option := range n {
			options[i] = compile(option, dir)
		}
		return func(m *machine, at int, then func(int) bool) bool {
			return slices.ContainsFunc(options, func(option matcher) bool { return option(m, at, then) })
		}
	case group:
		return compileGroup(n, dir)
	case look:
		return compileLook(n)
	case *reference:
		return compileReference(n, dir)
	case repeat:
		return compileRepeat(n, dir)
	case assertion:
		return func(m *machine, at int, then func(int) bool) bool { return n.holds(m.text, at) && then(at) }
	default:
		chars := n.(set)
		return func(m *machine, at int, then func(int) bool) bool {
			next, ok := m.read(chars, at, dir)
			return ok && m.step() && then(next)
		}
	}
}

// read steps over one character of the set.
func (m *machine) read(chars set, at int, dir direction) (int, bool) {
	index := at
	if dir == backward {
		index--
	}
	if index < 0 || index >= len(m.text) || !chars.has(m.text[index]) {
		return at, false
	}
	return at + int(dir), true
}

func (a assertion) holds(text []rune, at int) bool {
	switch a {
	case '^':
		return at == 0
	case '$':
		return at == len(text)
	}
	before := at > 0 && words.has(text[at-1])
	after := at < len(text) && words.has(text[at])
	return (before != after) == (a == 'b')
}

func compileSequence(parts sequence, dir direction) matcher {
	out := func(_ *machine, at int, then func(int) bool) bool { return then(at) }
	ordered := slices.Clone(parts)
	if dir == forward {
		slices.Reverse(ordered)
	}
	for i, part := range ordered {
		first := compile(part, dir)
		if i == 0 {
			out = first
			continue
		}
		rest := out
		out = func(m *machine, at int, then func(int) bool) bool {
			return first(m, at, func(next int) bool { return rest(m, next, then) })
		}
	}
	return out
}

func compileGroup(g group, dir direction) matcher {
	body := compile(g.body, dir)
	if g.index == 0 {
		return body
	}
	return func(m *machine, at int, then func(int) bool) bool {
		return body(m, at, func(end int) bool {
			before := m.captures[g.index]
			m.captures[g.index] = span{min(at, end), max(at, end)}
			if then(end) {
				return true
			}
			m.captures[g.index] = before
			return false
		})
	}
}

func compileLook(l look) matcher {
	dir := forward
	if l.behind {
		dir = backward
	}
	body := compile(l.body, dir)
	return func(m *machine, at int, then func(int) bool) bool {
		if !m.step() {
			return false
		}
		before := slices.Clone(m.captures)
		found := body(m, at, func(int) bool { return true })
		if m.exhausted {
			return false
		}
		if found == l.negated {
			copy(m.captures, before)
			return false
		}
		if l.negated {
			copy(m.captures, before)
		}
		if then(at) {
			return true
		}
		copy(m.captures, before)
		return false
	}
}

func compileReference(ref *reference, dir direction) matcher {
	return func(m *machine, at int, then func(int) bool) bool {
		s := m.captures[ref.index]
		if s == none {
			return then(at)
		}
		length := s.to - s.from
		from, next := at, at+length
		if dir == backward {
			from, next = at-length, at-length
		}
		m.steps += length
		if from < 0 || from+length > len(m.text) || !slices.Equal(m.text[s.from:s.to], m.text[from:from+length]) {
			return false
		}
		return m.step() && then(next)
	}
}

func compileRepeat(r repeat, dir direction) matcher {
	if chars, ok := r.body.(set); ok {
		return compileRun(chars, r, dir)
	}
	body := compile(r.body, dir)
	var loop func(m *machine, at, least, most int, then func(int) bool) bool
	loop = func(m *machine, at, least, most int, then func(int) bool) bool {
		if most == 0 {
			return then(at)
		}
		if m.depth++; m.depth > maxDepth {
			m.exhausted = true
		}
		defer func() { m.depth-- }()
		if !m.step() {
			return false
		}
		again := func(next int) bool {
			if least == 0 && next == at {
				return false // an empty round would go on for ever
			}
			left := most
			if left > 0 {
				left--
			}
			return loop(m, next, max(least-1, 0), left, then)
		}
		round := func() bool {
			var before []span
			if r.first <= r.last {
				inside := m.captures[r.first : r.last+1]
				before = slices.Clone(inside)
				for i := range inside {
					inside[i] = none
				}
			}
			if body(m, at, again) {
				return true
			}
			if before != nil {
				copy(m.captures[r.first:], before)
			}
			return false
		}
		switch {
		case least > 0:
			return round()
		case r.lazy:
			return then(at) || round()
		default:
			return round() || then(at)
		}
	}
	return func(m *machine, at int, then func(int) bool) bool { return loop(m, at, r.min, r.max, then) }
}

// compileRun repeats a set of characters without recursion.
func compileRun(chars set, r repeat, dir direction) matcher {
	return func(m *machine, at int, then func(int) bool) bool {
		end, count := at, 0
		grow := func() bool {
			if r.max >= 0 && count == r.max || !m.step() {
				return false
			}
			next, ok := m.read(chars, end, dir)
			if ok {
				end, count = next, count+1
			}
			return ok
		}
		for count < r.min {
			if !grow() {
				return false
			}
		}
		if r.lazy {
			for {
				if then(end) {
					return true
				}
				if !grow() {
					return false
				}
			}
		}
		for grow() {
		}
		for ; count >= r.min; count-- {
			if m.exhausted {
				return false
			}
			if then(end) {
				return true
			}
			end -= int(dir)
		}
		return false
	}
}

// appendLinear writes the expression in the syntax of Go's regexp, which
// matches in linear time; false when it cannot be said there.
func appendLinear(dst []byte, n node) ([]byte, bool) {
	ok := true
	within := func(open string, body node, shut string) {
		dst = append(dst, open...)
		var fine bool
		dst, fine = appendLinear(dst, body)
		ok = ok && fine
		dst = append(dst, shut...)
	}
	switch n := n.(type) {
	case sequence:
		for _, part := range n {
			within("", part, "")
		}
	case choice:
		for i, option := range n {
			open := "|"
			if i == 0 {
				open = "(?:"
			}
			within(open, option, "")
		}
		dst = append(dst, ')')
	case group:
		within("(?:", n.body, ")")
	case repeat:
		within("(?:", n.body, ")")
		dst = append(dst, '{')
		dst = strconv.AppendInt(dst, int64(n.min), 10)
		if n.max != n.min {
			dst = append(dst, ',')
			if n.max >= 0 {
				dst = strconv.AppendInt(dst, int64(n.max), 10)
			}
		}
		dst = append(dst, '}')
	case assertion:
		dst = append(dst, map[assertion]string{'^': `\A`, '$': `\z`, 'b': `\b`, 'B': `\B`}[n]...)
	case set:
		dst = appendSet(dst, n)
	default:
		return dst, false
	}
	return dst, ok
}

func appendSet(dst []byte, s set) []byte {
	if len(s) == 0 {
		return append(dst, `[^\x{0}-\x{10ffff}]`...)
	}
	hex := func(r rune) {
		dst = append(dst, `\x{`...)
		dst = strconv.AppendInt(dst, int64(r), 16)
		dst = append(dst, '}')
	}
	dst = append(dst, '[')
	for _, r := range s {
		hex(r.lo)
		if r.hi > r.lo {
			dst = append(dst, '-')
			hex(r.hi)
		}
	}
	return append(dst, ']')
}
