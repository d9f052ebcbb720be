package memory

import (
	"strconv"
)

// What functions expect, as the platform's messages list it.
const (
	numeric   = "number or BigNumber or bigint or Fraction"
	complexes = "number or Complex or BigNumber or bigint or Fraction"
	text      = " or string or boolean"
	lists     = "Array or DenseMatrix or SparseMatrix or Matrix"

	anything   = "any"
	elementary = complexes + " or Unit or Array or Matrix" + text
	rounding   = complexes + " or Array or Matrix or Unit"
)

// second lists what may be the second argument, by what the first one is.
type second struct{ boolean, number, text, other string }

func same(expected string) second { return second{expected, expected, expected, expected} }

// signature says which arguments a function takes. The lists of the platform
// that are no numbers, text or lists (complex numbers, units) are in its messages
// alone.
type signature struct {
	min, max int // max < 0: any number
	first    string
	second   second
	// nothing says that the first argument may be null or undefined.
	null, undefined bool
}

var scalarSum = signature{2, 2, complexes + " or Unit" + text, second{
	numeric + text, complexes + text, complexes + text, "",
}, false, false}

var scalarProduct = signature{2, 2, complexes + " or Unit" + text, second{
	numeric + " or Unit" + text,
	"number or Unit or Complex or BigNumber or bigint or Fraction" + text,
	complexes + " or Unit" + text, "",
}, false, false}

var logical = signature{2, 2, anything, second{
	numeric + text + " or " + lists,
	"number or Complex or BigNumber or bigint or string or boolean or Fraction or " + lists,
	complexes + text + " or " + lists, lists,
}, false, false}

var ordering = signature{2, 2, anything, second{
	"boolean or " + numeric + " or string or " + lists,
	complexes + text + " or " + lists, complexes + text + " or " + lists, lists,
}, false, false}

var unary = signature{1, 1, elementary, second{}, false, false}

var (
	wholeSignature = signature{1, 2, rounding + " or DenseMatrix or SparseMatrix" + text, second{
		"number or BigNumber or Array or Matrix or bigint or Fraction" + text,
		"number or Array or Matrix or BigNumber or bigint or string or boolean or Fraction",
		"number or BigNumber or Array or Matrix or bigint or Fraction" + text, "",
	}, false, false}
	roundSignature = signature{1, 2, rounding + " or DenseMatrix or SparseMatrix" + text,
		same("number or BigNumber or Array or DenseMatrix or SparseMatrix or bigint or Fraction or string or Matrix or boolean"), false, false}
	fixSignature = signature{1, 2, rounding + text,
		same("number or BigNumber or Array or Matrix or bigint or Fraction" + text), false, false}
	powSignature = signature{2, 2, elementary, second{numeric + text, complexes + text, complexes + text, ""}, false, false}

	divideSignature = signature{2, 2, anything, second{
		scalarProduct.second.boolean + " or Array or Matrix", scalarProduct.second.number + " or Array or Matrix",
		scalarProduct.second.text + " or Array or Matrix", "Array or Matrix",
	}, false, false}
	equalScalar = signature{2, 2, complexes + " or Unit or boolean or string", second{
		"boolean or " + numeric + " or string", complexes + text, complexes + text, "",
	}, false, false}
	anyTwo = signature{2, 2, anything, same(anything), false, false}

	numberSignature = signature{0, 1, numeric + " or Unit or string or Array or Matrix or null or boolean", second{}, true, false}
	notSignature    = signature{1, 1, "number or Complex or BigNumber or bigint or Unit or Array or Matrix or null or undefined or Fraction" + text, second{}, true, true}
	integerSign     = signature{1, 1, numeric + " or Array or Matrix" + text, second{}, false, false}
	numericSign     = signature{1, 1, complexes + " or Unit or string or Array or Matrix or boolean or null or undefined or Node", second{}, true, true}
	boundedSign     = signature{1, 1, complexes + " or Unit or Array or Matrix or null or undefined" + text, second{}, true, true}
	nullishSign     = signature{2, 2, lists + " or " + complexes + " or Unit or string or boolean or null or undefined", same(anything), true, true}
)

// accept checks the arguments of a function, one after the other.
func (s signature) accept(name string, args []value) error {
	if s.first != anything || s.second.other != anything {
		for _, arg := range args {
			if _, isList := itemsOf(arg); isList {
				return failure("Function " + name + " does not take lists here")
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
			return failure("Too few arguments in function " + name + " (expected: " + expected + ", index: " + index + ")")
		}
		if expected != anything && !s.takes(i, args[i], expected) {
			return failure("Unexpected type of argument in function " + name + " (expected: " + expected +
				", actual: " + actualType(args[i]) + ", index: " + index + ")")
		}
	}
	if s.max >= 0 && len(args) > s.max {
		return failure("Too many arguments in function " + name + " (expected: " + strconv.Itoa(s.max) + ", actual: " + strconv.Itoa(len(args)) + ")")
	}
	return nil
}

func (s signature) after(first value) string {
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

func (s signature) takes(index int, v value, expected string) bool {
	switch v.(type) {
	case bool, float64, string:
		return expected != lists && expected != "Array or Matrix"
	case nil:
		return index == 0 && s.null
	case undefined:
		return index == 0 && s.undefined
	}
	return false
}
