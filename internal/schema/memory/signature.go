package memory

import (
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

// What functions expect, as the platform's messages list it.
const (
	numeric   = "number or BigNumber or bigint or Fraction"
	complexes = "number or Complex or BigNumber or bigint or Fraction"
	text      = " or string or boolean"
	lists     = "Array or DenseMatrix or SparseMatrix or Matrix"
	matrices  = "Array or Matrix"

	anything   = "any"
	elementary = complexes + " or Unit or " + matrices + text
	rounding   = complexes + " or " + matrices + " or Unit"
	decimals   = "number or BigNumber or " + matrices + " or bigint or Fraction" + text
)

// second lists what may be the second argument, by what the first one is.
type second struct{ boolean, number, text, other string }

func same(expected string) second { return second{expected, expected, expected, expected} }

// signature says which arguments a function takes. What its messages list besides
// numbers, texts and lists (complex numbers, units) are types of the platform's
// that no memory is calculated with.
type signature struct {
	min, max int // max < 0: any number
	first    string
	second   second
	// null and undefined say that the first argument may be that.
	null, undefined bool
}

// The signatures of functions that share one, or whose own is nobody else's.
var (
	unary     = signature{min: 1, max: 1, first: elementary}
	anyTwo    = signature{min: 2, max: 2, first: anything, second: same(anything)}
	anyNumber = signature{min: 2, max: -1, first: anything, second: same(anything)}

	scalarSum = signature{min: 2, max: 2, first: complexes + " or Unit" + text, second: second{
		boolean: numeric + text, number: complexes + text, text: complexes + text,
	}}
	scalarProduct = signature{min: 2, max: 2, first: complexes + " or Unit" + text, second: second{
		boolean: numeric + " or Unit" + text,
		number:  "number or Unit or Complex or BigNumber or bigint or Fraction" + text,
		text:    complexes + " or Unit" + text,
	}}
	quotient = signature{min: 2, max: 2, first: anything, second: second{
		boolean: scalarProduct.second.boolean + " or " + matrices,
		number:  scalarProduct.second.number + " or " + matrices,
		text:    scalarProduct.second.text + " or " + matrices,
		other:   matrices,
	}}
	exponent = signature{min: 2, max: 2, first: elementary, second: second{
		boolean: numeric + text, number: complexes + text, text: complexes + text,
	}}

	logical = signature{min: 2, max: 2, first: anything, second: second{
		boolean: numeric + text + " or " + lists,
		number:  "number or Complex or BigNumber or bigint or string or boolean or Fraction or " + lists,
		text:    complexes + text + " or " + lists,
		other:   lists,
	}}
	negation = signature{min: 1, max: 1, null: true, undefined: true,
		first: "number or Complex or BigNumber or bigint or Unit or " + matrices + " or null or undefined or Fraction" + text}
	ordering = signature{min: 2, max: 2, first: anything, second: second{
		boolean: "boolean or " + numeric + " or string or " + lists,
		number:  complexes + text + " or " + lists,
		text:    complexes + text + " or " + lists,
		other:   lists,
	}}
	equality = signature{min: 2, max: 2, first: complexes + " or Unit or boolean or string", second: second{
		boolean: "boolean or " + numeric + " or string", number: complexes + text, text: complexes + text,
	}}
	coalescence = signature{min: 2, max: 2, null: true, undefined: true, second: same(anything),
		first: lists + " or " + complexes + " or Unit or string or boolean or null or undefined"}

	wholeRounding = signature{min: 1, max: 2, first: rounding + " or DenseMatrix or SparseMatrix" + text, second: second{
		boolean: decimals, number: "number or Array or Matrix or BigNumber or bigint or string or boolean or Fraction", text: decimals,
	}}
	halfRounding = signature{min: 1, max: 2, first: rounding + " or DenseMatrix or SparseMatrix" + text,
		second: same("number or BigNumber or Array or DenseMatrix or SparseMatrix or bigint or Fraction or string or Matrix or boolean")}
	zeroRounding = signature{min: 1, max: 2, first: rounding + text, second: same(decimals)}

	conversion     = signature{max: 1, null: true, first: numeric + " or Unit or string or " + matrices + " or null or boolean"}
	integerTest    = signature{min: 1, max: 1, first: numeric + " or " + matrices + text}
	numericTest    = signature{min: 1, max: 1, null: true, undefined: true, first: complexes + " or Unit or string or " + matrices + " or boolean or null or undefined or Node"}
	finitenessTest = signature{min: 1, max: 1, null: true, undefined: true, first: complexes + " or Unit or " + matrices + " or null or undefined" + text}
)

// accept checks the arguments of a function, one after the other. Calculating with
// lists is left out.
func (s signature) accept(name string, args []value.Value) error {
	if s.first != anything || s.second.other != anything {
		for _, arg := range args {
			if _, isList := value.ItemsOf(arg); isList {
				return value.Failure("Function " + name + " does not take lists here")
			}
		}
	}
	for i := range max(len(args), s.min) {
		if s.max >= 0 && i >= s.max {
			break
		}
		expected := s.first
		if i > 0 {
			expected = s.after(args[0])
		}
		index := strconv.Itoa(i)
		if i >= len(args) {
			return value.Failure("Too few arguments in function " + name + " (expected: " + expected + ", index: " + index + ")")
		}
		if expected != anything && !s.takes(i, args[i], expected) {
			return value.Failure("Unexpected type of argument in function " + name + " (expected: " + expected +
				", actual: " + value.ActualType(args[i]) + ", index: " + index + ")")
		}
	}
	if s.max >= 0 && len(args) > s.max {
		return value.Failure("Too many arguments in function " + name + " (expected: " + strconv.Itoa(s.max) + ", actual: " + strconv.Itoa(len(args)) + ")")
	}
	return nil
}

// after lists what may follow a first argument.
func (s signature) after(first value.Value) string {
	switch first.(type) {
	case bool:
		return s.second.boolean
	case float64:
		return s.second.number
	case string:
		return s.second.text
	}
	return s.second.other
}

// takes reports whether an argument is one of those expected.
func (s signature) takes(index int, v value.Value, expected string) bool {
	switch v.(type) {
	case bool, float64, string:
		return expected != lists && expected != matrices
	case nil:
		return index == 0 && s.null
	case value.Undefined:
		return index == 0 && s.undefined
	}
	return false
}
