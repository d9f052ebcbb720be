// Package ecma matches text against ECMAScript regular expressions, which is
// what the patterns in input schemas are: with lookaround, back references and
// \u{…} escapes that Go's regexp does not know, and with JavaScript's meaning of
// \s, \w, dot and dollar.
//
// Expressions are read as with JavaScript's u flag, so a character is a code
// point. Where that flag is stricter than the language without it (an escaped
// character that needs no escape, a brace that opens no quantifier), the looser
// reading holds, because both sorts of pattern are in use.
package ecma

import (
	"errors"
	"regexp"
)

// ErrTooComplex says that a match was given up because it backtracks too much.
var ErrTooComplex = errors.New("the regular expression takes too long on this value")

// Regexp is a compiled expression, safe for concurrent use.
type Regexp struct {
	// linear does the work when the expression is a regular one in the strict
	// sense; program does when it is not.
	linear  *regexp.Regexp
	program matcher
	groups  int
	// budget is how many steps a match may take.
	budget int
}

// Compile reads an expression, without slashes and flags.
func Compile(pattern string) (*Regexp, error) { return compilePattern(pattern, false) }

// CompileStrict is Compile that refuses what JavaScript refuses with the u flag.
func CompileStrict(pattern string) (*Regexp, error) { return compilePattern(pattern, true) }

func compilePattern(pattern string, strict bool) (*Regexp, error) {
	p := &parser{src: []rune(pattern), strict: strict}
	tree, err := p.parse()
	if err != nil {
		return nil, err
	}
	re := &Regexp{groups: p.groups, budget: maxSteps}
	if text, ok := appendLinear(nil, tree); ok {
		// What fails here (a repetition of more than 1000) is left to the
		// other way of matching.
		if linear, err := regexp.Compile(string(text)); err == nil {
			re.linear = linear
			return re, nil
		}
	}
	re.program = compile(tree, forward)
	return re, nil
}

// Match reports whether the text contains a match. The error is ErrTooComplex
// or nil.
func (re *Regexp) Match(text string) (bool, error) {
	ok, _, err := re.MatchWithin(text, re.budget)
	return ok, err
}

// MatchWithin is Match with at most so many steps of work, for callers that
// match more than once within a bound. It also gives how many steps it took,
// about one for a character that is looked at.
func (re *Regexp) MatchWithin(text string, steps int) (bool, int, error) {
	if re.linear != nil {
		return re.linear.MatchString(text), len(text), nil
	}
	m := &machine{text: []rune(text), budget: min(steps, re.budget), captures: make([]span, re.groups+1)}
	for at := range len(m.text) + 1 {
		for i := range m.captures {
			m.captures[i] = none
		}
		if re.program(m, at, func(int) bool { return !m.exhausted }) {
			return true, m.steps, nil
		}
		if m.exhausted {
			return false, m.steps, ErrTooComplex
		}
	}
	return false, m.steps, nil
}
