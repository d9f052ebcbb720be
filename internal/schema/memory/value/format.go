package value

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// ToString converts a value to text as JavaScript does.
func ToString(v Value) string {
	switch v := v.(type) {
	case Undefined:
		return "undefined"
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return FormatNumber(v)
	case string:
		return v
	case *Array:
		texts := make([]string, len(v.Items))
		for i, item := range v.Items {
			if !IsNothing(item) {
				texts[i] = ToString(item)
			}
		}
		return strings.Join(texts, ",")
	case *Matrix:
		return Format(v, 0)
	case Function:
		return "function"
	}
	return "[object Object]"
}

// FormatNumber writes a number as JavaScript does.
func FormatNumber(n float64) string {
	switch {
	case math.IsNaN(n):
		return "NaN"
	case math.IsInf(n, 0):
		return strings.Replace(strings.TrimPrefix(strconv.FormatFloat(n, 'g', -1, 64), "+"), "Inf", "Infinity", 1)
	case n == 0:
		return "0"
	case math.Abs(n) >= 1e21, math.Abs(n) < 1e-6:
		return exponential(n)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func exponential(n float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(n, 'e', -1, 64), "e")
	return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
}

// Format shows a value in a message: at most limit characters, 0 for no limit.
func Format(v Value, limit int) string {
	var text strings.Builder
	write(&text, v, 0)
	units := utf16.Encode([]rune(text.String()))
	if limit > 0 && len(units) > limit {
		return string(utf16.Decode(units[:limit-3])) + "..."
	}
	return text.String()
}

func write(text *strings.Builder, v Value, depth int) {
	if text.Len() > maxShown || depth > 100 {
		return
	}
	switch v := v.(type) {
	case float64:
		text.WriteString(showNumber(v))
	case string:
		text.WriteByte('"')
		for _, c := range v {
			if i := strings.IndexRune("\"\\\b\f\n\r\t", c); i >= 0 {
				text.WriteByte('\\')
				c = rune(`"\bfnrt`[i])
			}
			text.WriteRune(c)
		}
		text.WriteByte('"')
	case *Array:
		writeItems(text, v.Items, depth)
	case *Matrix:
		writeItems(text, v.Items, depth)
	case *Object:
		text.WriteByte('{')
		for i, key := range v.Keys {
			if i > 0 {
				text.WriteString(", ")
			}
			write(text, key, depth+1)
			text.WriteString(": ")
			write(text, v.Fields[key], depth+1)
		}
		text.WriteByte('}')
	case Function:
		text.WriteString(v.Syntax())
	default:
		text.WriteString(ToString(v))
	}
}

func writeItems(text *strings.Builder, items []Value, depth int) {
	text.WriteByte('[')
	for i, item := range items {
		if text.Len() > maxShown {
			break
		}
		if i > 0 {
			text.WriteString(", ")
		}
		write(text, item, depth+1)
	}
	text.WriteByte(']')
}

// showNumber writes a number with an exponent from 100000 on and below 0.001.
func showNumber(n float64) string {
	if a := math.Abs(n); a == 0 || math.IsNaN(n) || math.IsInf(n, 0) || a >= 1e-3 && a < 1e5 {
		return FormatNumber(n)
	}
	return exponential(n)
}

// ToJSON writes a value as JSON.stringify does, "undefined" for what has no JSON.
func ToJSON(v Value) string {
	switch v.(type) {
	case Undefined, Function:
		return "undefined"
	}
	var text strings.Builder
	writeJSON(&text, v, 0)
	return text.String()
}

func writeJSON(text *strings.Builder, v Value, depth int) {
	if text.Len() > maxShown || depth > 100 {
		return
	}
	switch v := v.(type) {
	case *Object:
		text.WriteByte('{')
		first := true
		for _, key := range v.Keys {
			field := v.Fields[key]
			if field == (Undefined{}) || IsFunction(field) {
				continue
			}
			if !first {
				text.WriteByte(',')
			}
			first = false
			writeJSON(text, key, depth+1)
			text.WriteByte(':')
			writeJSON(text, field, depth+1)
		}
		text.WriteByte('}')
	case *Array:
		text.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				text.WriteByte(',')
			}
			writeJSON(text, item, depth+1)
		}
		text.WriteByte(']')
	case string:
		var quoted bytes.Buffer
		encoder := json.NewEncoder(&quoted)
		encoder.SetEscapeHTML(false)
		if encoder.Encode(v) == nil {
			text.WriteString(strings.TrimSuffix(quoted.String(), "\n"))
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			text.WriteString("null")
			return
		}
		text.WriteString(FormatNumber(v))
	case bool:
		text.WriteString(strconv.FormatBool(v))
	default:
		text.WriteString("null")
	}
}

// maxShown bounds what is made of a value that is only to be shown, in bytes.
const maxShown = 2_000

// shorten cuts a message to a length that people may read.
func shorten(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "..."
}

// Failure is what is wrong with an expression, in the platform's own words.
func Failure(message string) error { return fault.New(fault.InvalidInput, "%s", shorten(message)) }
