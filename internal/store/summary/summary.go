// Package summary counts what the items of a dataset have in their fields, one
// item at a time, and puts such counts together.
package summary

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// MaxFields is how many fields are counted: the first ones that appear.
const MaxFields = 2000

// Summary is what was counted. The zero Summary is of no items. It is not for
// use by several goroutines at once.
type Summary struct {
	items, clean int
	fields       []field
	byName       map[string]int
}

// field is what was counted of one top-level field.
type field struct {
	name           string
	present, nulls int
	min, max       float64
	measured       bool // min and max have a meaning
	last           int  // the number of the last item that has it, from 1
}

// Of summarises items, each a valid JSON object.
func Of[T ~[]byte](items []T) *Summary {
	s := &Summary{}
	for _, item := range items {
		s.Add(item)
	}
	return s
}

// Items is how many items were counted.
func (s *Summary) Items() int { return s.items }

// Clean is how many of them have a field that is not hidden.
func (s *Summary) Clean() int { return s.clean }

// Skip counts an item that cannot be read.
func (s *Summary) Skip() { s.items++ }

// Add counts an item. What comes of one that is no valid JSON object is of no
// use, but nothing else.
func (s *Summary) Add(item []byte) {
	s.items++
	sc := scanner{data: item}
	if !sc.take('{') {
		return
	}
	visible, guess := false, 0
	for !sc.take('}') {
		name, ok := sc.name()
		if !ok || !sc.take(':') {
			break
		}
		if len(name) == 0 || name[0] != '#' {
			visible = true
		}
		v, ok := sc.value()
		if !ok {
			break
		}
		at := s.find(name, guess)
		guess = at + 1
		if at >= 0 && s.fields[at].last != s.items { // of several, the first counts
			s.fields[at].last = s.items
			s.fields[at].count(v)
		}
		sc.take(',')
	}
	if visible {
		s.clean++
	}
}

// find gives the place of a field, -1 when there are too many. The fields of
// items mostly follow in one order, so that a guess is mostly right.
func (s *Summary) find(name []byte, guess int) int {
	if guess >= 0 && guess < len(s.fields) && s.fields[guess].name == string(name) {
		return guess
	}
	if at, ok := s.byName[string(name)]; ok {
		return at
	}
	return s.add(field{name: string(name)})
}

func (s *Summary) add(f field) int {
	if len(s.fields) == MaxFields {
		return -1
	}
	if s.byName == nil {
		s.byName = map[string]int{}
	}
	s.byName[f.name] = len(s.fields)
	s.fields = append(s.fields, f)
	return len(s.fields) - 1
}

// value is what counts of a field's value.
type value struct {
	null     bool
	size     float64 // the number, or the length of what has one
	measured bool
	boolean  bool
}

func (f *field) count(v value) {
	f.present++
	if v.null {
		f.nulls++
	}
	if v.boolean {
		f.measure(0) // the platform has it that the least of booleans is always 0
	}
	if v.measured {
		f.measure(v.size)
	}
}

func (f *field) measure(n float64) {
	if !f.measured {
		f.measured, f.min, f.max = true, n, n
		return
	}
	f.min, f.max = math.Min(f.min, n), math.Max(f.max, n)
}

// Merge adds what another summary counted, of items that come behind.
func (s *Summary) Merge(other *Summary) {
	s.items += other.items
	s.clean += other.clean
	for i := range other.fields {
		f := &other.fields[i]
		at, ok := s.byName[f.name]
		if !ok {
			if at = s.add(field{name: f.name}); at < 0 {
				continue
			}
		}
		mine := &s.fields[at]
		mine.present += f.present
		mine.nulls += f.nulls
		if f.measured {
			mine.measure(f.min)
			mine.measure(f.max)
		}
	}
}

// Statistics gives what was counted as the store tells it.
func (s *Summary) Statistics() store.Statistics {
	out := store.Statistics{Items: s.items, Fields: make([]store.FieldStatistics, len(s.fields))}
	for i, f := range s.fields {
		out.Fields[i] = store.FieldStatistics{Name: f.name, Nulls: f.nulls, Empty: s.items - f.present}
		if f.measured {
			out.Fields[i].Min, out.Fields[i].Max = &f.min, &f.max
		}
	}
	return out
}

// stored is a summary as it is kept.
type stored struct {
	Items  int           `json:"items"`
	Clean  int           `json:"clean"`
	Fields []storedField `json:"fields,omitempty"`
}

type storedField struct {
	Name    string   `json:"name"`
	Present int      `json:"present"`
	Nulls   int      `json:"nulls,omitempty"`
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
}

// Bytes gives the summary as it is kept.
func (s *Summary) Bytes() []byte {
	out := stored{Items: s.items, Clean: s.clean, Fields: make([]storedField, len(s.fields))}
	for i, f := range s.fields {
		out.Fields[i] = storedField{Name: f.name, Present: f.present, Nulls: f.nulls}
		if f.measured {
			out.Fields[i].Min, out.Fields[i].Max = &f.min, &f.max
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // numbers that come from JSON are finite
	}
	return text
}

// Parse reads what Bytes gave; ok is false for anything else.
func Parse(text []byte) (s *Summary, ok bool) {
	var in stored
	if json.Unmarshal(text, &in) != nil || in.Items < 0 || in.Clean < 0 || in.Clean > in.Items || len(in.Fields) > MaxFields {
		return nil, false
	}
	s = &Summary{items: in.Items, clean: in.Clean}
	for _, f := range in.Fields {
		mine := field{name: f.Name, present: f.Present, nulls: f.Nulls}
		if f.Min != nil && f.Max != nil {
			mine.measured, mine.min, mine.max = true, *f.Min, *f.Max
		}
		s.add(mine)
	}
	return s, true
}

// scanner goes through a JSON text that is valid: it looks for where values end
// and not at what is in them.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) blank() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take passes over a byte if it comes next, or if there is nothing left.
func (s *scanner) take(b byte) bool {
	s.blank()
	if s.pos >= len(s.data) {
		return true
	}
	if s.data[s.pos] == b {
		s.pos++
		return true
	}
	return false
}

// text passes over a string and gives what is between the quotes.
func (s *scanner) text() (raw []byte, escaped, ok bool) {
	s.blank()
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return nil, false, false
	}
	start := s.pos + 1
	for i := start; ; {
		n := bytes.IndexByte(s.data[i:], '"')
		if n < 0 {
			return nil, false, false
		}
		mark := bytes.IndexByte(s.data[i:i+n], '\\')
		if mark < 0 {
			s.pos = i + n + 1
			return s.data[start : i+n], escaped, true
		}
		escaped = true
		if i += mark + 2; i > len(s.data) {
			return nil, false, false
		}
	}
}

// name reads the name of a field.
func (s *scanner) name() ([]byte, bool) {
	start := s.pos
	raw, escaped, ok := s.text()
	if !ok || !escaped {
		return raw, ok
	}
	var plain string
	if json.Unmarshal(s.data[start:s.pos], &plain) != nil {
		return nil, false
	}
	return []byte(plain), true
}

// value passes over a value and measures it.
func (s *scanner) value() (v value, ok bool) {
	s.blank()
	if s.pos >= len(s.data) {
		return v, false
	}
	switch b := s.data[s.pos]; b {
	case '"':
		raw, _, ok := s.text()
		return value{size: float64(length(raw)), measured: true}, ok
	case '{', '[':
		n, ok := s.members()
		return value{size: float64(n), measured: true}, ok
	case 't':
		s.pos += len("true")
		return value{size: 1, measured: true, boolean: true}, true
	case 'f':
		s.pos += len("false")
		return value{size: 0, measured: true, boolean: true}, true
	case 'n':
		s.pos += len("null")
		return value{null: true}, true
	}
	start := s.pos
	for s.pos < len(s.data) && ofNumber(s.data[s.pos]) {
		s.pos++
	}
	n, err := strconv.ParseFloat(string(s.data[start:s.pos]), 64)
	// A number beyond all floats is none to JavaScript, and has no place in JSON.
	return value{size: n, measured: err == nil}, s.pos > start
}

func ofNumber(b byte) bool {
	return b >= '0' && b <= '9' || b == '-' || b == '+' || b == '.' || b == 'e' || b == 'E'
}

// members passes over an array or an object and counts what is in it.
func (s *scanner) members() (n int, ok bool) {
	depth, some := 0, false
	for s.pos < len(s.data) {
		b := s.data[s.pos]
		if depth == 1 && b != '}' && b != ']' && b > ' ' {
			some = true
		}
		switch b {
		case '"':
			if _, _, ok := s.text(); !ok {
				return 0, false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 1 {
				n++
			}
		}
		s.pos++
		if depth == 0 {
			if some {
				n++
			}
			return n, true
		}
	}
	return 0, false
}

// length is what JavaScript says of a string that is written like this in JSON:
// how many UTF-16 units it has.
func length(raw []byte) (n int) {
	for i := 0; i < len(raw); n++ {
		switch b := raw[i]; {
		case b == '\\' && i+1 < len(raw) && raw[i+1] == 'u':
			i += len(`\u0000`)
		case b == '\\':
			i += 2
		case b < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(raw[i:])
			if r > 0xffff {
				n++
			}
			i += size
		}
	}
	return n
}
