package memory

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// toString converts a value to text as JavaScript does.
func toString(v value) string {
	switch v := v.(type) {
	case undefined:
		return "undefined"
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return formatNumber(v)
	case string:
		return v
	case *array:
		texts := make([]string, len(v.items))
		for i, item := range v.items {
			if !isNothing(item) {
				texts[i] = toString(item)
			}
		}
		return strings.Join(texts, ",")
	case *matrix:
		return format(v, 0)
	case *function, builtin:
		return "function"
	}
	return "[object Object]"
}

// formatNumber writes a number as JavaScript does.
func formatNumber(n float64) string {
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

// format shows a value in a message: at most limit characters, 0 for no limit.
func format(v value, limit int) string {
	var text strings.Builder
	write(&text, v, 0)
	units := utf16.Encode([]rune(text.String()))
	if limit > 0 && len(units) > limit {
		return string(utf16.Decode(units[:limit-3])) + "..."
	}
	return text.String()
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

func write(text *strings.Builder, v value, depth int) {
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
	case *array:
		writeItems(text, v.items, depth)
	case *matrix:
		writeItems(text, v.items, depth)
	case *object:
		text.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				text.WriteString(", ")
			}
			write(text, key, depth+1)
			text.WriteString(": ")
			write(text, v.fields[key], depth+1)
		}
		text.WriteByte('}')
	case *function:
		text.WriteString(v.name + "(" + strings.Join(v.params, ", ") + ")")
	default:
		text.WriteString(toString(v))
	}
}

func writeItems(text *strings.Builder, items []value, depth int) {
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
		return formatNumber(n)
	}
	return exponential(n)
}

// toJSON writes a value as JSON.stringify does, "undefined" for what has no JSON.
func toJSON(v value) string {
	switch v.(type) {
	case undefined, *function, builtin:
		return "undefined"
	}
	var text strings.Builder
	writeJSON(&text, v, 0)
	return text.String()
}

func writeJSON(text *strings.Builder, v value, depth int) {
	if text.Len() > maxShown || depth > 100 {
		return
	}
	switch v := v.(type) {
	case *object:
		text.WriteByte('{')
		first := true
		for _, key := range v.keys {
			field := v.fields[key]
			if field == (undefined{}) || isFunction(field) {
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
	case *array:
		text.WriteByte('[')
		for i, item := range v.items {
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
		text.WriteString(formatNumber(v))
	case bool:
		text.WriteString(strconv.FormatBool(v))
	default:
		text.WriteString("null")
	}
}
