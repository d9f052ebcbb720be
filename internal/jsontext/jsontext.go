// Package jsontext checks JSON and takes the white space out of it. What it
// accepts is exactly what encoding/json accepts; it is there because everything
// that is pushed to a server passes through it, and is some ten times as fast.
package jsontext

// maxNesting is encoding/json's own limit.
const maxNesting = 10000

// Valid reports whether text is one JSON value, with white space around it at
// most.
func Valid(text []byte) bool {
	_, ok := scan(nil, text, false)
	return ok
}

// AppendCompact appends the JSON value in text to dst, without white space
// outside of strings and otherwise byte for byte. When ok is false text is no
// valid JSON, and what was appended means nothing.
func AppendCompact(dst, text []byte) (_ []byte, ok bool) {
	return scan(dst, text, true)
}

// Kinds of bytes.
const (
	space       = 1 << iota // between tokens
	endsString              // or must be looked at inside of one
	digit                   // 0 to 9
	hexadecimal             // digit of a \u escape
	simpleEscape
)

var kinds = func() (kinds [256]uint8) {
	for _, b := range " \t\r\n" {
		kinds[b] |= space
	}
	for b := range 0x20 {
		kinds[b] |= endsString
	}
	kinds['"'] |= endsString
	kinds['\\'] |= endsString
	for _, b := range "0123456789" {
		kinds[b] |= digit | hexadecimal
	}
	for _, b := range "abcdefABCDEF" {
		kinds[b] |= hexadecimal
	}
	for _, b := range `"\/bfnrt` {
		kinds[b] |= simpleEscape
	}
	return kinds
}()

// scanner is a place in a text. What was read since start has no white space
// that must go, and is not copied yet.
type scanner struct {
	text  []byte
	at    int
	dst   []byte
	start int
	copy  bool
}

func scan(dst, text []byte, copy bool) ([]byte, bool) {
	s := scanner{text: text, dst: dst, copy: copy}
	if !s.value(0) {
		return dst, false
	}
	if s.skip(); s.at < len(text) {
		return dst, false
	}
	s.flush()
	return s.dst, true
}

func (s *scanner) flush() {
	if s.copy {
		s.dst = append(s.dst, s.text[s.start:s.at]...)
	}
	s.start = s.at
}

// skip passes over white space and gives the next byte, 0 at the end.
func (s *scanner) skip() byte {
	if s.at < len(s.text) {
		if b := s.text[s.at]; kinds[b]&space == 0 {
			return b
		}
		s.flush()
		for s.at < len(s.text) && kinds[s.text[s.at]]&space != 0 {
			s.at++
		}
		s.start = s.at
		if s.at < len(s.text) {
			return s.text[s.at]
		}
	}
	return 0
}

// value reads a value, around which some containers are open already. Those
// inside of it are counted here, so that depth costs no stack.
func (s *scanner) value(around int) bool {
	var room [64]byte
	nest := room[:0]
	for {
		switch b := s.skip(); b {
		case '{', '[':
			if len(nest)+around == maxNesting {
				return false
			}
			s.at++
			if b == '{' {
				nest = append(nest, '}')
				if s.skip() != '}' {
					if !s.key() {
						return false
					}
					continue
				}
			} else {
				nest = append(nest, ']')
				if s.skip() != ']' {
					continue
				}
			}
		case '"':
			if !s.str() {
				return false
			}
		default:
			if !s.plain(b) {
				return false
			}
		}
		// A value has ended, or an empty container is about to.
		for more := false; !more; {
			if len(nest) == 0 {
				return true
			}
			closing := nest[len(nest)-1]
			switch b := s.skip(); {
			case b == closing:
				s.at++
				nest = nest[:len(nest)-1]
			case b == ',':
				s.at++
				if closing == '}' && !s.key() {
					return false
				}
				more = true
			default:
				return false
			}
		}
	}
}

// key reads the name of a member and the colon after it.
func (s *scanner) key() bool {
	if s.skip() != '"' || !s.str() || s.skip() != ':' {
		return false
	}
	s.at++
	return true
}

// str reads a string, whose first quotation mark is the present byte.
func (s *scanner) str() bool {
	text, at := s.text, s.at+1
	for {
		for at < len(text) && kinds[text[at]]&endsString == 0 {
			at++
		}
		if at >= len(text) {
			return false
		}
		switch text[at] {
		case '"':
			s.at = at + 1
			return true
		case '\\':
			at++
			switch {
			case at >= len(text):
				return false
			case kinds[text[at]]&simpleEscape != 0:
				at++
			case text[at] == 'u' && at+4 < len(text) && kinds[text[at+1]]&kinds[text[at+2]]&kinds[text[at+3]]&kinds[text[at+4]]&hexadecimal != 0:
				at += 5
			default:
				return false
			}
		default:
			return false // a control character
		}
	}
}

// plain reads a number, true, false or null, which begins with b.
func (s *scanner) plain(b byte) bool {
	switch b {
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	case '-':
		s.at++
	}
	switch first := s.peek(); {
	case first == '0':
		s.at++
	case !s.digits():
		return false
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return false
		}
	}
	if b := s.peek(); b == 'e' || b == 'E' {
		s.at++
		if b := s.peek(); b == '+' || b == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) word(word string) bool {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// peek gives the present byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// digits reads one digit at least.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && kinds[s.text[s.at]]&digit != 0 {
		s.at++
	}
	return s.at > start
}

// Elements splits an array into its elements, which share memory with it. When
// ok is false text is no valid array.
func Elements[T ~[]byte](text []byte) (elements []T, ok bool) {
	s := scanner{text: text}
	if s.skip() != '[' {
		return nil, false
	}
	s.at++
	if s.skip() == ']' {
		s.at++
		s.skip()
		return nil, s.at == len(text)
	}
	for {
		s.skip()
		start := s.at
		// One level is open around the element.
		if !s.value(1) {
			return nil, false
		}
		elements = append(elements, T(text[start:s.at:s.at]))
		switch s.skip() {
		case ',':
			s.at++
		case ']':
			s.at++
			s.skip()
			return elements, s.at == len(text)
		default:
			return nil, false
		}
	}
}
