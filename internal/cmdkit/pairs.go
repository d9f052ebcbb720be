package cmdkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ParsePairs makes a JSON object of key=value and key:=JSON arguments, its
// fields in their order. In key=value, numbers, booleans and null count as such
// and keep their text (1.0, 12345678901234567890); everything else is text. In
// key:=JSON the value is any JSON. An argument of neither form, an empty or
// repeated key, bad JSON and bytes that are not UTF-8 are errors that name it.
func ParsePairs(pairs []string) ([]byte, error) {
	object := []byte{'{'}
	keys := make([]string, 0, len(pairs))
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		raw := strings.HasSuffix(key, ":")
		key = strings.TrimSuffix(key, ":")
		switch {
		case !utf8.ValidString(pair):
			return nil, fmt.Errorf("%q is not UTF-8 text", pair)
		case !ok:
			return nil, fmt.Errorf("%q is not of the form key=value", pair)
		case key == "":
			return nil, fmt.Errorf("%q has no key before the =", pair)
		case slices.Contains(keys, key):
			return nil, fmt.Errorf("key %q is given twice", key)
		case raw && !json.Valid([]byte(value)):
			return nil, fmt.Errorf("the value of %s:= is not JSON: %s", key, value)
		}
		if len(keys) > 0 {
			object = append(object, ',')
		}
		keys = append(keys, key)
		object = append(appendText(object, key), ':')
		if raw || scalar(value) {
			object = append(object, strings.TrimSpace(value)...)
		} else {
			object = appendText(object, value)
		}
	}
	return append(object, '}'), nil
}

// scalar tells a number, a boolean or null, as JSON writes them, from text.
func scalar(value string) bool {
	switch value {
	case "":
		return false
	case "true", "false", "null":
		return true
	}
	first := value[0]
	if first != '-' && (first < '0' || first > '9') {
		return false
	}
	last := value[len(value)-1] // JSON allows white space around a value; text keeps it
	return last >= '0' && last <= '9' && json.Valid([]byte(value))
}

// appendText appends s as a JSON string, escaping no more than JSON asks for.
func appendText(dst []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // strings always have a JSON form
	}
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
