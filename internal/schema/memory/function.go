package memory

import (
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

// builtins are the functions of the language, those of its operators among them.
var builtins = newBuiltins()

type builtinFunc func(m *machine, args []value.Value) (value.Value, error)

func newBuiltins() map[string]builtinFunc {
	builtins := map[string]builtinFunc{
		"add":       fold("add", "addScalar", scalarSum, func(a, b float64) float64 { return a + b }),
		"multiply":  fold("multiply", "multiplyScalar", scalarProduct, func(a, b float64) float64 { return a * b }),
		"subtract":  subtract,
		"divide":    numbers("divide", quotient, func(n []float64) (value.Value, error) { return n[0] / n[1], nil }),
		"pow":       numbers("pow", exponent, func(n []float64) (value.Value, error) { return power(n[0], n[1]) }),
		"abs":       number("abs", func(n float64) value.Value { return math.Abs(n) }),
		"ceil":      numbers("ceil", wholeRounding, ceil),
		"floor":     numbers("floor", wholeRounding, floor),
		"round":     numbers("round", halfRounding, round),
		"fix":       numbers("fix", zeroRounding, fix),
		"min":       extreme("min", func(a, b float64) bool { return a < b }),
		"max":       extreme("max", func(a, b float64) bool { return a > b }),
		"number":    toNumber,
		"equal":     func(_ *machine, args []value.Value) (value.Value, error) { return equal("equal", args) },
		"smaller":   compare("smaller", func(a, b float64) bool { return a < b }),
		"larger":    compare("larger", func(a, b float64) bool { return a > b }),
		"and":       logic("and", func(a, b bool) bool { return a && b }),
		"or":        logic("or", func(a, b bool) bool { return a || b }),
		"xor":       logic("xor", func(a, b bool) bool { return a != b }),
		"not":       not,
		"nullish":   nullish,
		"isNaN":     number("isNaN", func(n float64) value.Value { return math.IsNaN(n) }),
		"isZero":    number("isZero", func(n float64) value.Value { return nearlyEqual(n, 0) }),
		"isInteger": numbers("isInteger", integerTest, func(n []float64) (value.Value, error) { return isInteger(n[0]), nil }),
		"isBounded": isBounded,
		"isNumeric": isNumeric,
		"unequal": func(_ *machine, args []value.Value) (value.Value, error) {
			same, err := equal("unequal", args)
			return same == false, err
		},
		"unaryMinus":  number("unaryMinus", func(n float64) value.Value { return -n }),
		"compareText": compareText,
		"get":         get,
	}
	for _, name := range []string{"evaluate", "compile", "parse"} {
		builtins[name] = func(*machine, []value.Value) (value.Value, error) {
			return nil, value.Failure("Function " + name + " is disabled.")
		}
	}
	// What the platform's evaluator has by accident: nothing of it ends in an
	// amount of memory without one of the functions above.
	for _, name := range []string{
		"addScalar", "bignumber", "concat", "config", "conj", "deepEqual", "det", "divideScalar", "dot", "equalScalar",
		"flatten", "format", "fraction", "identity", "inv", "matrix", "multiplyScalar", "numeric", "size", "subset",
		"subtractScalar", "typed", "zeros",
	} {
		builtins[name] = func(*machine, []value.Value) (value.Value, error) {
			return nil, value.Failure("Function " + name + " cannot be used to calculate memory")
		}
	}
	return builtins
}

// numbers makes a function of numbers; booleans and texts are converted.
func numbers(name string, s signature, do func([]float64) (value.Value, error)) builtinFunc {
	return func(_ *machine, args []value.Value) (value.Value, error) {
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

func number(name string, do func(float64) value.Value) builtinFunc {
	return numbers(name, unary, func(n []float64) (value.Value, error) { return do(n[0]), nil })
}

func convert(args []value.Value) ([]float64, error) {
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
			n := value.NumberOf(v)
			if math.IsNaN(n) {
				return nil, value.Failure(`Cannot convert "` + v + `" to a number`)
			}
			converted[i] = n
		}
	}
	return converted, nil
}

// fold makes a function of two or more numbers.
func fold(name, scalar string, s signature, do func(a, b float64) float64) builtinFunc {
	two := numbers(scalar, s, func(n []float64) (value.Value, error) { return do(n[0], n[1]), nil })
	return func(m *machine, args []value.Value) (value.Value, error) {
		if err := anyNumber.accept(name, args); err != nil {
			return nil, err
		}
		result := args[0]
		for _, arg := range args[1:] {
			var err error
			if result, err = two(m, []value.Value{result, arg}); err != nil {
				return nil, err
			}
		}
		return result, nil
	}
}

var subtractScalar = numbers("subtractScalar", scalarSum, func(n []float64) (value.Value, error) { return n[0] - n[1], nil })

func subtract(m *machine, args []value.Value) (value.Value, error) {
	if err := anyTwo.accept("subtract", args); err != nil {
		return nil, err
	}
	return subtractScalar(m, args)
}

func compare(name string, do func(a, b float64) bool) builtinFunc {
	return numbers(name, ordering, func(n []float64) (value.Value, error) { return do(n[0], n[1]) && !nearlyEqual(n[0], n[1]), nil })
}

func equal(name string, args []value.Value) (value.Value, error) {
	if err := anyTwo.accept(name, args); err != nil {
		return nil, err
	}
	_, firstIsList := value.ItemsOf(args[0])
	_, secondIsList := value.ItemsOf(args[1])
	if (value.IsNothing(args[0]) || value.IsNothing(args[1])) && !firstIsList && !secondIsList {
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
	return numbers(name, logical, func(n []float64) (value.Value, error) { return do(value.Truthy(n[0]), value.Truthy(n[1])), nil })
}

func not(_ *machine, args []value.Value) (value.Value, error) {
	if err := negation.accept("not", args); err != nil {
		return nil, err
	}
	n, err := convert(args)
	if err != nil {
		return nil, err
	}
	return !value.Truthy(n[0]), nil
}

func nullish(_ *machine, args []value.Value) (value.Value, error) {
	// Only a list in the first place is one to calculate with.
	if len(args) == 2 && value.IsNothing(args[0]) {
		return args[1], nil
	}
	if len(args) == 2 && value.IsScalar(args[0]) {
		return args[0], nil
	}
	return nil, coalescence.accept("nullish", args)
}

func isBounded(_ *machine, args []value.Value) (value.Value, error) {
	if err := finitenessTest.accept("isBounded", args); err != nil {
		return nil, err
	}
	n, err := convert(args)
	return err == nil && !value.IsNothing(args[0]) && !math.IsInf(n[0], 0) && !math.IsNaN(n[0]), err
}

func isNumeric(_ *machine, args []value.Value) (value.Value, error) {
	if err := numericTest.accept("isNumeric", args); err != nil {
		return nil, err
	}
	switch args[0].(type) {
	case bool, float64:
		return true, nil
	}
	return false, nil
}

func toNumber(_ *machine, args []value.Value) (value.Value, error) {
	if err := conversion.accept("number", args); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return 0.0, nil
	}
	if s, ok := args[0].(string); ok {
		return value.ParseNumber(s)
	}
	n, err := convert(args)
	if err != nil {
		return nil, err
	}
	return n[0], nil
}

func compareText(_ *machine, args []value.Value) (value.Value, error) {
	if err := anyTwo.accept("compareText", args); err != nil {
		return nil, err
	}
	texts := make([][]uint16, 2)
	for i, arg := range args {
		s, ok := arg.(string)
		if !ok {
			return nil, value.Failure("Unexpected type of argument in function compareText (expected: string or Array or Matrix, actual: " +
				value.TypeOf(arg) + ", index: " + value.FormatNumber(float64(i)) + ")")
		}
		texts[i] = utf16.Encode([]rune(s))
	}
	return float64(slices.Compare(texts[0], texts[1])), nil
}

// extreme makes min or max: of its arguments, or of one list.
func extreme(name string, better func(a, b float64) bool) builtinFunc {
	return func(m *machine, args []value.Value) (value.Value, error) {
		if len(args) == 0 {
			return nil, value.Failure("Too few arguments in function " + name + " (expected: any, index: 0)")
		}
		values := args
		if items, ok := value.ItemsOf(args[0]); ok {
			if len(args) == 2 && value.IsScalar(args[1]) && !value.IsNothing(args[1]) {
				return nil, value.Failure("Function " + name + " does not take dimensions here")
			}
			if len(args) == 1 {
				values = items
			}
		}
		if len(args) > 1 && slices.ContainsFunc(args, func(v value.Value) bool { _, ok := value.ItemsOf(v); return ok }) {
			return nil, value.Failure("Scalar values expected in function " + name)
		}
		e := &extremum{name: name, better: better, best: value.Undefined{}}
		if err := e.walk(m, values); err != nil {
			return nil, err
		}
		if e.best == (value.Undefined{}) {
			return nil, value.Failure("Cannot calculate " + name + " of an empty array")
		}
		if s, ok := e.best.(string); ok {
			return value.ParseNumber(s)
		}
		return e.best, nil
	}
}

type extremum struct {
	name   string
	better func(a, b float64) bool
	best   value.Value
	number float64
}

// walk goes through lists and the lists within them. One that is no number stays
// the best there is.
func (e *extremum) walk(m *machine, values []value.Value) error {
	if err := m.spend(1 + len(values)/16); err != nil {
		return err
	}
	for _, v := range values {
		if items, ok := value.ItemsOf(v); ok {
			if err := e.walk(m, items); err != nil {
				return err
			}
			continue
		}
		if !value.IsScalar(v) || value.IsNothing(v) {
			return value.Failure("Cannot calculate " + e.name + ", unexpected type of argument (type: " + value.TypeOf(v) + ", value: " + value.ToJSON(v) + ")")
		}
		n, err := convert([]value.Value{v})
		if err != nil {
			return err
		}
		if math.IsNaN(n[0]) || e.best == (value.Undefined{}) || e.better(n[0], e.number) && !nearlyEqual(n[0], e.number) {
			e.best, e.number = v, n[0]
		}
	}
	return nil
}

// get looks up a path: get(input, "a.b.0", 1).
func get(_ *machine, args []value.Value) (value.Value, error) {
	for len(args) < 3 {
		args = append(args, value.Undefined{})
	}
	path, ok := args[1].(string)
	switch {
	case value.IsNothing(args[1]):
		return nil, value.Failure("Cannot read properties of " + value.ToString(args[1]) + " (reading 'split')")
	case !ok:
		return nil, value.Failure("path.split is not a function")
	}
	found := args[0]
	for key := range strings.SplitSeq(path, ".") {
		switch v := found.(type) {
		case *value.Object:
			found = v.Get(key)
		case *value.Array:
			found = value.ItemAt(v, key)
			if key == "length" {
				found = float64(len(v.Items))
			}
		case string:
			units := utf16.Encode([]rune(v))
			items := &value.Array{Items: make([]value.Value, len(units))}
			for i := range units {
				items.Items[i] = string(utf16.Decode(units[i : i+1]))
			}
			found = value.ItemAt(items, key)
			if key == "length" {
				found = float64(len(units))
			}
		default:
			found = value.Undefined{}
		}
	}
	if value.IsNothing(found) {
		return args[2], nil
	}
	return found, nil
}

// callMethod calls the methods that are good for telling inputs apart.
func callMethod(v value.Value, name string, args []value.Value) (value.Value, error) {
	arg := value.Value(value.Undefined{})
	if len(args) > 0 {
		arg = args[0]
	}
	unsupported := value.Failure(`Method "` + name + `" cannot be used to calculate memory`)
	if len(args) > 1 {
		return nil, unsupported
	}
	switch v := v.(type) {
	case string:
		switch name {
		case "includes":
			return strings.Contains(v, value.ToString(arg)), nil
		case "startsWith":
			return strings.HasPrefix(v, value.ToString(arg)), nil
		case "endsWith":
			return strings.HasSuffix(v, value.ToString(arg)), nil
		case "indexOf":
			before, _, found := strings.Cut(v, value.ToString(arg))
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
	case *value.Array:
		if name != "includes" && name != "indexOf" {
			break
		}
		index := slices.IndexFunc(v.Items, func(item value.Value) bool { return value.IsScalar(item) && item == arg })
		if name == "includes" {
			return index >= 0, nil
		}
		return float64(index), nil
	}
	switch {
	case name == "valueOf":
		return v, nil
	case name == "toString" && len(args) == 0:
		return value.ToString(v), nil
	}
	return nil, unsupported
}
