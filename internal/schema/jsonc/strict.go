package jsonc

import (
	"bytes"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// parseStrict reads plain JSON in one pass, which takes a small part of the time
// that Parse does: inputs and items are read in great numbers. ok is false for
// all that is not plain JSON; Parse then says why.
func parseStrict(data []byte) (root *Value, ok bool) {
	data = bytes.Clone(data)
	s := &strict{data: data, text: string(data)}
	s.blanks()
	root, ok = s.value(0)
	s.blanks()
	return root, ok && s.at == len(s.data)
}

// strict reads plain JSON.
type strict struct {
	data []byte
	// text is data again: strings are parts of it.
	text string
	at   int
	// free is where the next values come from, to allocate many at once.
	free []Value
	// members and items are of the objects and arrays that are being read.
	members []Member
	items   []*Value
}

// allocated is how many values are allocated at once.
const allocated = 32

func (s *strict) add(kind Kind, start int) *Value {
	if len(s.free) == 0 {
		s.free = make([]Value, allocated)
	}
	v := &s.free[0]
	s.free = s.free[1:]
	v.Kind, v.Start = kind, start
	return v
}

func (s *strict) blanks() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// next skips blanks and reports whether c follows, and passes it.
func (s *strict) next(c byte) bool {
	s.blanks()
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

// value reads the value that begins here. depth counts what it is in.
func (s *strict) value(depth int) (*Value, bool) {
	if s.at >= len(s.data) {
		return nil, false
	}
	start := s.at
	var v *Value
	ok := false
	switch c := s.data[s.at]; c {
	case '{':
		v = s.add(Object, start)
		ok = depth < maxDepth && s.object(v, depth+1)
	case '[':
		v = s.add(Array, start)
		ok = depth < maxDepth && s.array(v, depth+1)
	case '"':
		v = s.add(String, start)
		v.literal, v.Text, ok = s.string()
	case 't':
		v, ok = s.word(Boolean, "true")
	case 'f':
		v, ok = s.word(Boolean, "false")
	case 'n':
		v, ok = s.word(Null, "null")
	default:
		v = s.add(Number, start)
		ok = s.number()
		v.literal, v.Text = s.data[start:s.at:s.at], s.text[start:s.at]
	}
	if !ok {
		return nil, false
	}
	v.End = s.at
	return v, true
}

func (s *strict) word(kind Kind, word string) (*Value, bool) {
	end := s.at + len(word)
	if end > len(s.data) || s.text[s.at:end] != word {
		return nil, false
	}
	v := s.add(kind, s.at)
	v.literal, v.Text = s.data[s.at:end:end], word
	s.at = end
	return v, true
}

func (s *strict) object(v *Value, depth int) bool {
	s.at++
	base := len(s.members)
	for !s.next('}') {
		if len(s.members) > base && !s.next(',') {
			return false
		}
		s.blanks()
		m := Member{At: s.at}
		var ok bool
		if s.at >= len(s.data) || s.data[s.at] != '"' {
			return false
		}
		if m.literal, m.Name, ok = s.string(); !ok || !s.next(':') {
			return false
		}
		s.blanks()
		if m.Value, ok = s.value(depth); !ok {
			return false
		}
		s.members = append(s.members, m)
	}
	if own := s.members[base:]; len(own) > 0 {
		v.Members = append(make([]Member, 0, len(own)), own...)
	}
	s.members = s.members[:base]
	return true
}

func (s *strict) array(v *Value, depth int) bool {
	s.at++
	base := len(s.items)
	for !s.next(']') {
		if len(s.items) > base && !s.next(',') {
			return false
		}
		s.blanks()
		item, ok := s.value(depth)
		if !ok {
			return false
		}
		s.items = append(s.items, item)
	}
	if own := s.items[base:]; len(own) > 0 {
		v.Items = append(make([]*Value, 0, len(own)), own...)
	}
	s.items = s.items[:base]
	return true
}

// string reads a string, and gives it as written and as meant.
func (s *strict) string() (literal []byte, text string, ok bool) {
	start := s.at
	plain := true
	for s.at++; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			literal, text = s.data[start:s.at:s.at], s.text[start+1:s.at-1]
			if !plain && (bytes.IndexByte(literal, '\\') >= 0 || !utf8.ValidString(text)) {
				text = hujson.Literal(literal).String()
			}
			return literal, text, true
		case c == '\\':
			plain = false
			if !s.escape() {
				return nil, "", false
			}
		case c < ' ':
			return nil, "", false
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	return nil, "", false
}

// escape passes an escape sequence but for its last character.
func (s *strict) escape() bool {
	s.at++
	if s.at >= len(s.data) {
		return false
	}
	switch s.data[s.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			s.at++
			if s.at >= len(s.data) || !isHex(s.data[s.at]) {
				return false
			}
		}
		return true
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// number passes a number.
func (s *strict) number() bool {
	if s.data[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.data) && s.data[s.at] == '0' {
		s.at++
	} else if !s.digits() {
		return false
	}
	if s.at < len(s.data) && s.data[s.at] == '.' {
		s.at++
		if !s.digits() {
			return false
		}
	}
	if s.at < len(s.data) && (s.data[s.at] == 'e' || s.data[s.at] == 'E') {
		s.at++
		if s.at < len(s.data) && (s.data[s.at] == '+' || s.data[s.at] == '-') {
			s.at++
		}
		return s.digits()
	}
	return true
}

// digits passes digits and reports whether there was any.
func (s *strict) digits() bool {
	start := s.at
	for s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}
