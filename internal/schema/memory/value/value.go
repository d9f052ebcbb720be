// Package value is what memory expressions calculate with: the values of JSON and
// undefined, with the conversions, properties and spellings that JavaScript gives
// them.
package value

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Value is what a part of an expression comes to: Undefined, nil for null, bool,
// float64, string, *Object, *Array, *Matrix, a Function or *Results.
type Value any

// The types of values that JSON does not have as Go does.
type (
	Undefined struct{}
	// Object has its keys in the order in which they came.
	Object struct {
		Keys   []string
		Fields map[string]Value
	}
	// Array is a list of the input; Matrix is one that the expression writes.
	// The platform tells them apart, and so do its messages. The lists within
	// either are arrays.
	Array  struct{ Items []Value }
	Matrix struct{ Items []Value }
	// Function is one of the language or of the expression; Syntax is how messages
	// write it.
	Function interface{ Syntax() string }
	// Results are those of several statements.
	Results struct{ Entries []Value }
)

// NewObject makes an empty object.
func NewObject() *Object { return &Object{Fields: map[string]Value{}} }

// Set gives a key a value.
func (o *Object) Set(key string, v Value) {
	if _, ok := o.Fields[key]; !ok {
		o.Keys = append(o.Keys, key)
	}
	o.Fields[key] = v
}

// Decode reads JSON; encoding/json bounds its nesting.
func Decode(text []byte) (Value, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(whole))
	decoder.UseNumber()
	return decodeValue(decoder)
}

func decodeValue(decoder *json.Decoder) (Value, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		return NumberOf(string(token)), nil
	case json.Delim:
		if token == '{' {
			o := NewObject()
			for decoder.More() {
				key, err := decoder.Token()
				if err != nil {
					return nil, err
				}
				v, err := decodeValue(decoder)
				if err != nil {
					return nil, err
				}
				o.Set(key.(string), v)
			}
			_, err := decoder.Token()
			return o, err
		}
		a := &Array{}
		for decoder.More() {
			v, err := decodeValue(decoder)
			if err != nil {
				return nil, err
			}
			a.Items = append(a.Items, v)
		}
		_, err := decoder.Token()
		return a, err
	default:
		return token, nil
	}
}

// NewMatrix makes a list of what an expression writes in brackets: lists within
// must be of the same form.
func NewMatrix(items []Value) (Value, error) {
	m := &Matrix{Items: items}
	for i, item := range items {
		if inner, ok := item.(*Matrix); ok {
			m.Items[i] = &Array{inner.Items}
		}
	}
	sizes := dimensions(m.Items)
	if !regular(m.Items, sizes) {
		return nil, Failure("Dimension mismatch: lists within a list must have the same length")
	}
	return m, nil
}

func dimensions(items []Value) []int {
	sizes := []int{len(items)}
	for len(items) > 0 {
		inner, ok := items[0].(*Array)
		if !ok {
			break
		}
		items = inner.Items
		sizes = append(sizes, len(items))
	}
	return sizes
}

func regular(items []Value, sizes []int) bool {
	if len(items) != sizes[0] {
		return false
	}
	for _, item := range items {
		inner, ok := item.(*Array)
		if ok != (len(sizes) > 1) || ok && !regular(inner.Items, sizes[1:]) {
			return false
		}
	}
	return true
}

// Last gives the last of values, or undefined.
func Last(values []Value) Value {
	if len(values) == 0 {
		return Undefined{}
	}
	return values[len(values)-1]
}

// LastOf gives the last item of a list, or the last character of a text.
func LastOf(v Value) Value {
	switch v := v.(type) {
	case *Array:
		return Last(v.Items)
	case string:
		if units := utf16.Encode([]rune(v)); len(units) > 0 {
			return string(utf16.Decode(units[len(units)-1:]))
		}
	}
	return Undefined{}
}

// IsNothing reports whether a value is null or undefined.
func IsNothing(v Value) bool { return v == nil || v == (Undefined{}) }

// IsScalar reports whether a value holds no others.
func IsScalar(v Value) bool {
	switch v.(type) {
	case Undefined, nil, bool, float64, string:
		return true
	}
	return false
}

// IsFunction reports whether a value can be called.
func IsFunction(v Value) bool {
	switch v.(type) {
	case Function:
		return true
	}
	return false
}

// Truthy reports whether a number counts as true.
func Truthy(number float64) bool { return number != 0 && !math.IsNaN(number) }

// TypeOf names a value's type as the platform's messages do.
func TypeOf(v Value) string {
	switch v.(type) {
	case Undefined:
		return "undefined"
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case *Array:
		return "Array"
	case *Matrix:
		return "DenseMatrix"
	case *Results:
		return "ResultSet"
	case Function:
		return "function"
	}
	return "Object"
}

// ActualType is the type as functions name it that refuse a value: whatever would
// do as a name is one, too.
func ActualType(v Value) string {
	switch v := v.(type) {
	case Undefined, nil, bool:
		return "identifier | " + TypeOf(v)
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
	return TypeOf(v)
}

// Prototype are the names that every object of JavaScript has: nothing of that
// name can be read or set.
var Prototype = []string{
	"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
	"__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__",
}

// safeMethods are those of Prototype that may be called.
var safeMethods = []string{"toString", "valueOf", "toLocaleString"}

// NoAccess is the answer to reading a property that is out of reach.
func NoAccess(v Value, name string) error {
	if HasMethod(v, name) || v == nil && slices.Contains(safeMethods, name) {
		return Failure(`Cannot access method "` + name + `" as a property`)
	}
	return Failure(`No access to property "` + name + `"`)
}

// Property reads a property as the platform lets expressions do.
func Property(v Value, name string) (Value, error) {
	switch v := v.(type) {
	case Undefined, nil:
		return nil, Failure(`Cannot access property "` + name + `": object is ` + ToString(v))
	case *Object:
		if !slices.Contains(Prototype, name) {
			return v.Get(name), nil
		}
	case *Array:
		if name == "length" {
			return float64(len(v.Items)), nil
		}
		if isIndex(name) {
			return ItemAt(v, name), nil
		}
	}
	return nil, NoAccess(v, name)
}

// Get gives the value of a key, or undefined.
func (o *Object) Get(name string) Value {
	if v, ok := o.Fields[name]; ok {
		return v
	}
	return Undefined{}
}

func isIndex(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }

// ItemAt gives the item of an index that is written as text, or undefined.
func ItemAt(a *Array, index string) Value {
	// "01" is a property's name, but no item's.
	if i, err := strconv.Atoi(index); err == nil && i < len(a.Items) && strconv.Itoa(i) == index {
		return a.Items[i]
	}
	return Undefined{}
}

// SetProperty changes a property as the platform lets expressions do, but for what
// would give a list gaps or itself as an item.
func SetProperty(v Value, name string, to Value) error {
	switch v := v.(type) {
	case *Object:
		if !slices.Contains(Prototype, name) {
			v.Set(name, to)
			return nil
		}
	case *Array:
		// Lists are kept free of themselves, so that whoever walks one comes to an
		// end, and without gaps.
		if i, err := strconv.Atoi(name); err == nil && i < len(v.Items) && strconv.Itoa(i) == name && IsScalar(to) {
			v.Items[i] = to
			return nil
		}
		if isIndex(name) || name == "length" {
			return Failure("Cannot change item " + name + " of a list")
		}
	}
	return Failure(`No access to property "` + name + `"`)
}

// ItemsOf gives the items of a list of either sort; ok is false for anything else.
func ItemsOf(v Value) (items []Value, ok bool) {
	switch v := v.(type) {
	case *Array:
		return v.Items, true
	case *Matrix:
		return v.Items, true
	}
	return nil, false
}
