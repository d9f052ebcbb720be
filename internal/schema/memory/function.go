package memory

import (
	"math"
	"slices"
	"strings"
	"unicode/utf16"
)

// builtins are the functions of the language, those of its operators among them.
var builtins = newBuiltins()

type builtinFunc func(m *machine, args []value) (value, error)

func newBuiltins() map[string]builtinFunc {
	builtins := map[string]builtinFunc{
		"add":       fold("add", "addScalar", scalarSum, func(a, b float64) float64 { return a + b }),
		"multiply":  fold("multiply", "multiplyScalar", scalarProduct, func(a, b float64) float64 { return a * b }),
		"subtract":  subtract,
		"divide":    numbers("divide", quotient, func(n []float64) (value, error) { return n[0] / n[1], nil }),
		"pow":       numbers("pow", exponent, func(n []float64) (value, error) { return power(n[0], n[1]) }),
		"abs":       number("abs", func(n float64) value { return math.Abs(n) }),
		"ceil":      numbers("ceil", wholeRounding, ceil),
		"floor":     numbers("floor", wholeRounding, floor),
		"round":     numbers("round", halfRounding, round),
		"fix":       numbers("fix", zeroRounding, fix),
		"min":       extreme("min", func(a, b float64) bool { return a < b }),
		"max":       extreme("max", func(a, b float64) bool { return a > b }),
		"number":    toNumber,
		"equal":     func(_ *machine, args []value) (value, error) { return equal("equal", args) },
		"smaller":   compare("smaller", func(a, b float64) bool { return a < b }),
		"larger":    compare("larger", func(a, b float64) bool { return a > b }),
		"and":       logic("and", func(a, b bool) bool { return a && b }),
		"or":        logic("or", func(a, b bool) bool { return a || b }),
		"xor":       logic("xor", func(a, b bool) bool { return a != b }),
		"not":       not,
		"nullish":   nullish,
		"isNaN":     number("isNaN", func(n float64) value { return math.IsNaN(n) }),
		"isZero":    number("isZero", func(n float64) value { return nearlyEqual(n, 0) }),
		"isInteger": numbers("isInteger", integerTest, func(n []float64) (value, error) { return isInteger(n[0]), nil }),
		"isBounded": isBounded,
		"isNumeric": isNumeric,
		"unequal": func(_ *machine, args []value) (value, error) {
			same, err := equal("unequal", args)
			return same == false, err
		},
		"unaryMinus":  number("unaryMinus", func(n float64) value { return -n }),
		"compareText": compareText,
		"get":         get,
	}
	for _, name := range []string{"evaluate", "compile", "parse"} {
		builtins[name] = func(*machine, []value) (value, error) { return nil, failure("Function " + name + " is disabled.") }
	}
	// What the platform's evaluator has by accident: nothing of it ends in an
	// amount of memory without one of the functions above.
	for _, name := range []string{
		"addScalar", "bignumber", "concat", "config", "conj", "deepEqual", "det", "divideScalar", "dot", "equalScalar",
		"flatten", "format", "fraction", "identity", "inv", "matrix", "multiplyScalar", "numeric", "size", "subset",
		"subtractScalar", "typed", "zeros",
	} {
		builtins[name] = func(*machine, []value) (value, error) {
			return nil, failure("Function " + name + " cannot be used to calculate memory")
		}
	}
	return builtins
}

// numbers makes a function of numbers; booleans and texts are converted.
func numbers(name string, s signature, do func([]float64) (value, error)) builtinFunc {
	return func(_ *machine, args []value) (value, error) {
		if err := s.accept(name, args); err != nil {
			return nil, err
		}
		converted, err := convert(args)
		if err != nil {
			return nil, err
		}
		return do(converted)
	}
}

func number(name string, do func(float64) value) builtinFunc {
	return numbers(name, unary, func(n []float64) (value, error) { return do(n[0]), nil })
}

func convert(args []value) ([]float64, error) {
	converted := make([]float64, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case bool:
			if v {
				converted[i] = 1
			}
		case float64:
			converted[i] = v
		case string:
			n := numberOf(v)
			if math.IsNaN(n) {
				return nil, failure(`Cannot convert "` + v + `" to a number`)
			}
			converted[i] = n
		}
	}
	return converted, nil
}

// fold makes a function of two or more numbers.
func fold(name, scalar string, s signature, do func(a, b float64) float64) builtinFunc {
	two := numbers(scalar, s, func(n []float64) (value, error) { return do(n[0], n[1]), nil })
	return func(m *machine, args []value) (value, error) {
		if err := anyNumber.accept(name, args); err != nil {
			return nil, err
		}
		result := args[0]
		for _, arg := range args[1:] {
			var err error
			if result, err = two(m, []value{result, arg}); err != nil {
				return nil, err
			}
		}
		return result, nil
	}
}

var subtractScalar = numbers("subtractScalar", scalarSum, func(n []float64) (value, error) { return n[0] - n[1], nil })

func subtract(m *machine, args []value) (value, error) {
	if err := anyTwo.accept("subtract", args); err != nil {
		return nil, err
	}
	return subtractScalar(m, args)
}

func compare(name string, do func(a, b float64) bool) builtinFunc {
	return numbers(name, ordering, func(n []float64) (value, error) { return do(n[0], n[1]) && !nearlyEqual(n[0], n[1]), nil })
}

func equal(name string, args []value) (value, error) {
	if err := anyTwo.accept(name, args); err != nil {
		return nil, err
	}
	_, firstIsList := itemsOf(args[0])
	_, secondIsList := itemsOf(args[1])
	if (isNothing(args[0]) || isNothing(args[1])) && !firstIsList && !secondIsList {
		return args[0] == args[1], nil
	}
	if err := equality.accept("equalScalar", args); err != nil {
		return nil, err
	}
	n, err := convert(args)
	if err != nil {
		return nil, err
	}
	return nearlyEqual(n[0], n[1]), nil
}

func logic(name string, do func(a, b bool) bool) builtinFunc {
	return numbers(name, logical, func(n []float64) (value, error) { return do(truthy(n[0]), truthy(n[1])), nil })
}

func not(_ *machine, args []value) (value, error) {
	if err := negation.accept("not", args); err != nil {
		return nil, err
	}
	n, err := convert(args)
	if err != nil {
		return nil, err
	}
	return !truthy(n[0]), nil
}

func nullish(_ *machine, args []value) (value, error) {
	// Only a list in the first place is one to calculate with.
	if len(args) == 2 && isNothing(args[0]) {
		return args[1], nil
	}
	if len(args) == 2 && isScalar(args[0]) {
		return args[0], nil
	}
	return nil, coalescence.accept("nullish", args)
}

func isBounded(_ *machine, args []value) (value, error) {
	if err := finitenessTest.accept("isBounded", args); err != nil {
		return nil, err
	}
	n, err := convert(args)
	return err == nil && !isNothing(args[0]) && !math.IsInf(n[0], 0) && !math.IsNaN(n[0]), err
}

func isNumeric(_ *machine, args []value) (value, error) {
	if err := numericTest.accept("isNumeric", args); err != nil {
		return nil, err
	}
	switch args[0].(type) {
	case bool, float64:
		return true, nil
	}
	return false, nil
}

func toNumber(_ *machine, args []value) (value, error) {
	if err := conversion.accept("number", args); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return 0.0, nil
	}
	if s, ok := args[0].(string); ok {
		return parseNumber(s)
	}
	n, err := convert(args)
	if err != nil {
		return nil, err
	}
	return n[0], nil
}

func compareText(_ *machine, args []value) (value, error) {
	if err := anyTwo.accept("compareText", args); err != nil {
		return nil, err
	}
	texts := make([][]uint16, 2)
	for i, arg := range args {
		s, ok := arg.(string)
		if !ok {
			return nil, failure("Unexpected type of argument in function compareText (expected: string or Array or Matrix, actual: " +
				typeOf(arg) + ", index: " + formatNumber(float64(i)) + ")")
		}
		texts[i] = utf16.Encode([]rune(s))
	}
	return float64(slices.Compare(texts[0], texts[1])), nil
}

// extreme makes min or max: of its arguments, or of one list.
func extreme(name string, better func(a, b float64) bool) builtinFunc {
	return func(m *machine, args []value) (value, error) {
		if len(args) == 0 {
			return nil, failure("Too few arguments in function " + name + " (expected: any, index: 0)")
		}
		values := args
		if items, ok := itemsOf(args[0]); ok {
			if len(args) == 2 && isScalar(args[1]) && !isNothing(args[1]) {
				return nil, failure("Function " + name + " does not take dimensions here")
			}
			if len(args) == 1 {
				values = items
			}
		}
		if len(args) > 1 && slices.ContainsFunc(args, func(v value) bool { _, ok := itemsOf(v); return ok }) {
			return nil, failure("Scalar values expected in function " + name)
		}
		e := &extremum{name: name, better: better, best: undefined{}}
		if err := e.walk(m, values); err != nil {
			return nil, err
		}
		if e.best == (undefined{}) {
			return nil, failure("Cannot calculate " + name + " of an empty array")
		}
		if s, ok := e.best.(string); ok {
			return parseNumber(s)
		}
		return e.best, nil
	}
}

func itemsOf(v value) ([]value, bool) {
	switch v := v.(type) {
	case *array:
		return v.items, true
	case *matrix:
		return v.items, true
	}
	return nil, false
}

type extremum struct {
	name   string
	better func(a, b float64) bool
	best   value
	number float64
}

// walk goes through lists and the lists within them. One that is no number stays
// the best there is.
func (e *extremum) walk(m *machine, values []value) error {
	if err := m.spend(1 + len(values)/16); err != nil {
		return err
	}
	for _, v := range values {
		if items, ok := itemsOf(v); ok {
			if err := e.walk(m, items); err != nil {
				return err
			}
			continue
		}
		if !isScalar(v) || isNothing(v) {
			return failure("Cannot calculate " + e.name + ", unexpected type of argument (type: " + typeOf(v) + ", value: " + toJSON(v) + ")")
		}
		n, err := convert([]value{v})
		if err != nil {
			return err
		}
		if math.IsNaN(n[0]) || e.best == (undefined{}) || e.better(n[0], e.number) && !nearlyEqual(n[0], e.number) {
			e.best, e.number = v, n[0]
		}
	}
	return nil
}

// get looks up a path: get(input, "a.b.0", 1).
func get(_ *machine, args []value) (value, error) {
	for len(args) < 3 {
		args = append(args, undefined{})
	}
	path, ok := args[1].(string)
	switch {
	case isNothing(args[1]):
		return nil, failure("Cannot read properties of " + toString(args[1]) + " (reading 'split')")
	case !ok:
		return nil, failure("path.split is not a function")
	}
	found := args[0]
	for key := range strings.SplitSeq(path, ".") {
		switch v := found.(type) {
		case *object:
			found = v.get(key)
		case *array:
			found = itemAt(v, key)
			if key == "length" {
				found = float64(len(v.items))
			}
		case string:
			units := utf16.Encode([]rune(v))
			items := &array{make([]value, len(units))}
			for i := range units {
				items.items[i] = string(utf16.Decode(units[i : i+1]))
			}
			found = itemAt(items, key)
			if key == "length" {
				found = float64(len(units))
			}
		default:
			found = undefined{}
		}
	}
	if isNothing(found) {
		return args[2], nil
	}
	return found, nil
}

// Methods of JavaScript's texts and lists. Those of the first two lists can be
// called here.
var (
	textMethods   = []string{"endsWith", "includes", "indexOf", "startsWith", "toLowerCase", "toUpperCase", "trim"}
	listMethods   = []string{"includes", "indexOf"}
	otherOfTexts  = strings.Fields(`at charAt charCodeAt codePointAt concat isWellFormed lastIndexOf localeCompare match matchAll normalize padEnd padStart repeat replace replaceAll search slice split substr substring toLocaleLowerCase toLocaleUpperCase toWellFormed trimEnd trimLeft trimRight trimStart anchor big blink bold fixed fontcolor fontsize italics link small strike sub sup`)
	otherOfLists  = strings.Fields(`at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat flatMap forEach join keys lastIndexOf map pop push reduce reduceRight reverse shift slice some sort splice toReversed toSorted toSpliced unshift values with`)
	otherOfNumber = []string{"toExponential", "toFixed", "toPrecision"}
)

// hasMethod reports whether a value has a method of JavaScript that may be called.
func hasMethod(v value, name string) bool {
	if isNothing(v) {
		return false
	}
	if slices.Contains(safeMethods, name) {
		return true
	}
	switch v.(type) {
	case string:
		return slices.Contains(textMethods, name) || slices.Contains(otherOfTexts, name)
	case *array:
		return slices.Contains(listMethods, name) || slices.Contains(otherOfLists, name)
	case float64:
		return slices.Contains(otherOfNumber, name)
	}
	return false
}

// callMethod calls the methods that are good for telling inputs apart.
func callMethod(v value, name string, args []value) (value, error) {
	arg := value(undefined{})
	if len(args) > 0 {
		arg = args[0]
	}
	unsupported := failure(`Method "` + name + `" cannot be used to calculate memory`)
	if len(args) > 1 {
		return nil, unsupported
	}
	switch v := v.(type) {
	case string:
		switch name {
		case "includes":
			return strings.Contains(v, toString(arg)), nil
		case "startsWith":
			return strings.HasPrefix(v, toString(arg)), nil
		case "endsWith":
			return strings.HasSuffix(v, toString(arg)), nil
		case "indexOf":
			before, _, found := strings.Cut(v, toString(arg))
			if !found {
				return -1.0, nil
			}
			return float64(len(utf16.Encode([]rune(before)))), nil
		case "toLowerCase":
			return strings.ToLower(v), nil
		case "toUpperCase":
			return strings.ToUpper(v), nil
		case "trim":
			return strings.TrimSpace(v), nil
		}
	case *array:
		if name != "includes" && name != "indexOf" {
			break
		}
		index := slices.IndexFunc(v.items, func(item value) bool { return isScalar(item) && item == arg })
		if name == "includes" {
			return index >= 0, nil
		}
		return float64(index), nil
	}
	switch {
	case name == "valueOf":
		return v, nil
	case name == "toString" && len(args) == 0:
		return toString(v), nil
	}
	return nil, unsupported
}
