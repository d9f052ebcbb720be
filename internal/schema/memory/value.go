package memory

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// value is what a part of an expression comes to: undefined, nil for null, bool,
// float64, string, *object, *array, *matrix, *function, builtin or *results.
type value any

type (
	undefined struct{}
	object    struct {
		keys   []string
		fields map[string]value
	}
	// array is a list of the input; matrix is one that the expression writes.
	// The platform tells them apart, and so do its messages. The lists within
	// either are arrays.
	array    struct{ items []value }
	matrix   struct{ items []value }
	function struct {
		name   string
		params []string
		body   node
		outer  *arguments
	}
	// builtin is a function of the language, by its name.
	builtin string
	// results are those of several statements.
	results struct{ entries []value }
)

func newObject() *object { return &object{fields: map[string]value{}} }

func (o *object) set(key string, v value) {
	if _, ok := o.fields[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.fields[key] = v
}

// newScope gives what an expression finds by name.
func newScope(vars Variables) (*object, error) {
	input := value(newObject())
	if len(bytes.TrimSpace(vars.Input)) > 0 {
		var err error
		if input, err = decode(vars.Input); err != nil {
			return nil, fault.New(fault.InvalidInput, "the input is not valid JSON: %w", err)
		}
	}
	text, err := json.Marshal(vars.Options)
	if err != nil {
		return nil, fault.New(fault.InvalidInput, "the run's options cannot be used: %w", err)
	}
	options, err := decode(text)
	if err != nil {
		return nil, err
	}
	scope := newObject()
	scope.set("input", input)
	scope.set("runOptions", options)
	scope.set("get", builtin("get"))
	return scope, nil
}

// decode reads JSON; encoding/json bounds its nesting.
func decode(text []byte) (value, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(whole))
	decoder.UseNumber()
	return decodeValue(decoder)
}

func decodeValue(decoder *json.Decoder) (value, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		return numberOf(string(token)), nil
	case json.Delim:
		if token == '{' {
			o := newObject()
			for decoder.More() {
				key, err := decoder.Token()
				if err != nil {
					return nil, err
				}
				v, err := decodeValue(decoder)
				if err != nil {
					return nil, err
				}
				o.set(key.(string), v)
			}
			_, err := decoder.Token()
			return o, err
		}
		a := &array{}
		for decoder.More() {
			v, err := decodeValue(decoder)
			if err != nil {
				return nil, err
			}
			a.items = append(a.items, v)
		}
		_, err := decoder.Token()
		return a, err
	default:
		return token, nil
	}
}

// newMatrix makes a list of what an expression writes in brackets: lists within
// must be of the same form.
func newMatrix(items []value) (value, error) {
	m := &matrix{items: items}
	for i, item := range items {
		if inner, ok := item.(*matrix); ok {
			m.items[i] = &array{inner.items}
		}
	}
	sizes := dimensions(m.items)
	if !regular(m.items, sizes) {
		return nil, failure("Dimension mismatch: lists within a list must have the same length")
	}
	return m, nil
}

func dimensions(items []value) []int {
	sizes := []int{len(items)}
	for len(items) > 0 {
		inner, ok := items[0].(*array)
		if !ok {
			break
		}
		items = inner.items
		sizes = append(sizes, len(items))
	}
	return sizes
}

func regular(items []value, sizes []int) bool {
	if len(items) != sizes[0] {
		return false
	}
	for _, item := range items {
		inner, ok := item.(*array)
		if ok != (len(sizes) > 1) || ok && !regular(inner.items, sizes[1:]) {
			return false
		}
	}
	return true
}

func last(values []value) value {
	if len(values) == 0 {
		return undefined{}
	}
	return values[len(values)-1]
}

// lastOf gives the last item of a list, or the last character of a text.
func lastOf(v value) value {
	switch v := v.(type) {
	case *array:
		return last(v.items)
	case string:
		if units := utf16.Encode([]rune(v)); len(units) > 0 {
			return string(utf16.Decode(units[len(units)-1:]))
		}
	}
	return undefined{}
}

func isNothing(v value) bool { return v == nil || v == (undefined{}) }

func isScalar(v value) bool {
	switch v.(type) {
	case undefined, nil, bool, float64, string:
		return true
	}
	return false
}

func isFunction(v value) bool {
	switch v.(type) {
	case *function, builtin:
		return true
	}
	return false
}

func truthy(number float64) bool { return number != 0 && !math.IsNaN(number) }

// typeOf names a value's type as the platform's messages do.
func typeOf(v value) string {
	switch v.(type) {
	case undefined:
		return "undefined"
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case *array:
		return "Array"
	case *matrix:
		return "DenseMatrix"
	case *results:
		return "ResultSet"
	case *function, builtin:
		return "function"
	}
	return "Object"
}

// actualType is the type as functions name it that refuse a value: whatever would
// do as a name is one, too.
func actualType(v value) string {
	switch v := v.(type) {
	case undefined, nil, bool:
		return "identifier | " + typeOf(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 1) {
			return "number | identifier"
		}
	case string:
		for i, c := range v {
			if !unicode.IsLetter(c) && (i == 0 || c < '0' || c > '9') {
				return "string"
			}
		}
		if v != "" {
			return "identifier | string"
		}
	}
	return typeOf(v)
}

// Numbers with a radix: with a fraction, as in 0x1.8, and of a word's size, as in
// 0xffi8. The platform looks for them anywhere in what is to be a number.
var (
	radixFraction = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(0[box])([0-9a-fA-F]*)\.([0-9a-fA-F]*)`) })
	radixWord     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(0[box][0-9a-fA-F]*)i([0-9]*)`) })
)

// parseNumber reads a number as expressions write it.
func parseNumber(text string) (float64, error) {
	if text == "NaN" {
		return math.NaN(), nil
	}
	invalid := failure(`String "` + text + `" is not a valid number`)
	if parts := radixFraction().FindStringSubmatch(text); parts != nil {
		radix := radixes[parts[1][1]]
		number, unit := wholeNumber(leadingDigits(parts[2], radix), radix), 1.0
		for _, c := range parts[3] {
			unit /= float64(radix)
			number += wholeNumber(string(c), radix) * unit
		}
		if math.IsNaN(number) {
			return 0, invalid
		}
		return number, nil
	}
	if parts := radixWord().FindStringSubmatch(text); parts != nil {
		return wordOf(parts[1], numberOf(parts[2]))
	}
	number := numberOf(text)
	if math.IsNaN(number) {
		return 0, invalid
	}
	return number, nil
}

// wordOf reads a number in two's complement.
func wordOf(text string, bits float64) (float64, error) {
	number := numberOf(text)
	switch {
	case math.IsNaN(number):
		return 0, failure(`String "` + text + `" is not a valid number`)
	case number > math.Exp2(bits)-1:
		return 0, failure(`String "` + text + `" is out of range`)
	case number >= math.Exp2(bits-1):
		number -= math.Exp2(bits)
	}
	return number, nil
}

var radixes = map[byte]int{'b': 2, 'o': 8, 'x': 16}

func leadingDigits(text string, radix int) string {
	for i := range len(text) {
		if _, err := strconv.ParseUint(text[i:i+1], radix, 8); err != nil {
			return text[:i]
		}
	}
	return text
}

// numberOf converts text to a number as JavaScript does, NaN when it is none.
func numberOf(text string) float64 {
	text = strings.TrimFunc(text, func(c rune) bool { return unicode.IsSpace(c) && c != 0x85 || c == 0xFEFF })
	switch text {
	case "":
		return 0
	case "Infinity", "+Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	if len(text) > 2 && text[0] == '0' && strings.Contains("boxBOX", text[1:2]) {
		if strings.Contains(text, "_") {
			return math.NaN()
		}
		return wholeNumber(text[2:], radixes[text[1]|0x20])
	}
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return math.NaN() // what Go reads besides: hexadecimal fractions, inf, _
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(number, 0) {
		return math.NaN()
	}
	return number
}

func wholeNumber(digits string, radix int) float64 {
	if len(digits) <= 12 {
		n, err := strconv.ParseUint(digits, radix, 64)
		if err != nil {
			return math.NaN()
		}
		return float64(n)
	}
	number := 0.0
	for _, c := range digits {
		digit, err := strconv.ParseUint(string(c), radix, 8)
		if err != nil {
			return math.NaN()
		}
		number = number*float64(radix) + float64(digit)
	}
	return number
}

// prototype are the names that every object of JavaScript has: nothing of that
// name can be read or set.
var prototype = []string{
	"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
	"__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__",
}

// safeMethods are those of prototype that may be called.
var safeMethods = []string{"toString", "valueOf", "toLocaleString"}

// noAccess is the answer to reading a property that is out of reach.
func noAccess(v value, name string) error {
	if hasMethod(v, name) || v == nil && slices.Contains(safeMethods, name) {
		return failure(`Cannot access method "` + name + `" as a property`)
	}
	return failure(`No access to property "` + name + `"`)
}

func getProperty(v value, name string) (value, error) {
	switch v := v.(type) {
	case undefined, nil:
		return nil, failure(`Cannot access property "` + name + `": object is ` + toString(v))
	case *object:
		if !slices.Contains(prototype, name) {
			return v.get(name), nil
		}
	case *array:
		if name == "length" {
			return float64(len(v.items)), nil
		}
		if isIndex(name) {
			return itemAt(v, name), nil
		}
	}
	return nil, noAccess(v, name)
}

func (o *object) get(name string) value {
	if v, ok := o.fields[name]; ok {
		return v
	}
	return undefined{}
}

func isIndex(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }

func itemAt(a *array, index string) value {
	// "01" is a property's name, but no item's.
	if i, err := strconv.Atoi(index); err == nil && i < len(a.items) && strconv.Itoa(i) == index {
		return a.items[i]
	}
	return undefined{}
}

func setProperty(v value, name string, to value) error {
	switch v := v.(type) {
	case *object:
		if !slices.Contains(prototype, name) {
			v.set(name, to)
			return nil
		}
	case *array:
		// Lists are kept free of themselves, so that whoever walks one comes to an
		// end, and without gaps.
		if i, err := strconv.Atoi(name); err == nil && i < len(v.items) && strconv.Itoa(i) == name && isScalar(to) {
			v.items[i] = to
			return nil
		}
		if isIndex(name) || name == "length" {
			return failure("Cannot change item " + name + " of a list")
		}
	}
	return failure(`No access to property "` + name + `"`)
}
