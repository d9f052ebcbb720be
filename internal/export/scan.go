package export

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Member is one key of a JSON object with its value exactly as it was written,
// so that number text and key order survive whatever is done to the object.
type Member struct {
	Key   string
	Value json.RawMessage
}

// Members splits a JSON object into its members, in their order. The values
// share memory with object. It only looks as deep as it must: call json.Valid
// first when the text comes from outside. Text that is no object is
// fault.InvalidRequest.
func Members(object []byte) ([]Member, error) {
	return appendMembers(nil, object)
}

func appendMembers(members []Member, object []byte) ([]Member, error) {
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return nil, errNotObject(object)
	}
	i = skipSpace(object, i+1)
	if i < len(object) && object[i] == '}' {
		return members, nil
	}
	for {
		if i >= len(object) || object[i] != '"' {
			return nil, errMalformed(i)
		}
		end, err := skipValue(object, i)
		if err != nil {
			return nil, err
		}
		key, err := unquote(object[i:end])
		if err != nil {
			return nil, err
		}
		i = skipSpace(object, end)
		if i >= len(object) || object[i] != ':' {
			return nil, errMalformed(i)
		}
		i = skipSpace(object, i+1)
		if end, err = skipValue(object, i); err != nil {
			return nil, err
		}
		members = append(members, Member{Key: key, Value: object[i:end:end]})
		i = skipSpace(object, end)
		if i >= len(object) {
			return nil, errMalformed(i)
		}
		switch object[i] {
		case ',':
			i = skipSpace(object, i+1)
		case '}':
			return members, nil
		default:
			return nil, errMalformed(i)
		}
	}
}

// Elements splits a JSON array into its elements, which share memory with it.
// As with Members, validity is the caller's business.
func Elements(array []byte) ([]json.RawMessage, error) {
	var elements []json.RawMessage
	err := eachElement(array, func(element json.RawMessage) error {
		elements = append(elements, element)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return elements, nil
}

// eachElement gives one element of a JSON array after another.
func eachElement(array []byte, yield func(json.RawMessage) error) error {
	i := skipSpace(array, 0)
	if i >= len(array) || array[i] != '[' {
		return fault.New(fault.InvalidRequest, "expected a JSON array, got %s", jsontext.Kind(array))
	}
	i = skipSpace(array, i+1)
	if i < len(array) && array[i] == ']' {
		return nil
	}
	for {
		end, err := skipValue(array, i)
		if err != nil {
			return err
		}
		if err := yield(array[i:end:end]); err != nil {
			return err
		}
		i = skipSpace(array, end)
		if i >= len(array) {
			return errMalformed(i)
		}
		switch array[i] {
		case ',':
			i = skipSpace(array, i+1)
		case ']':
			return nil
		default:
			return errMalformed(i)
		}
	}
}

// AppendString appends s to dst as a JSON string. Only what JSON demands is
// escaped.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xF])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// unquote decodes a JSON string; the common one without escapes is a copy.
func unquote(quoted []byte) (string, error) {
	for _, b := range quoted {
		if b == '\\' || b >= utf8.RuneSelf {
			var s string
			if err := json.Unmarshal(quoted, &s); err != nil {
				return "", fault.New(fault.InvalidRequest, "malformed JSON string %s", quoted)
			}
			return s, nil
		}
	}
	return string(quoted[1 : len(quoted)-1]), nil
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func skipSpace(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i
}

// skipValue gives the index after the value that starts at i. Nesting is
// counted, not followed, so that depth costs no stack.
func skipValue(text []byte, i int) (int, error) {
	start, depth := i, 0
	for i < len(text) {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if i >= len(text) {
				return 0, errMalformed(i)
			}
			i++
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			if depth < 0 {
				return 0, errMalformed(i)
			}
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return 0, errMalformed(i)
			}
			i++
			continue
		default:
			for i < len(text) && !isDelimiter(text[i]) {
				i++
			}
		}
		if depth == 0 {
			return i, nil
		}
	}
	return 0, errMalformed(start)
}

func isDelimiter(b byte) bool {
	switch b {
	case ',', ':', '}', ']', '{', '[', '"':
		return true
	}
	return isSpace(b)
}

func errMalformed(at int) error {
	return fault.New(fault.InvalidRequest, "malformed JSON at byte %d", at)
}

func errNotObject(value []byte) error {
	return fault.New(fault.InvalidRequest, "expected a JSON object, got %s", jsontext.Kind(value))
}
