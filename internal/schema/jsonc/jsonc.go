// Package jsonc reads JSON with comments and trailing commas into a tree in
// which every value knows where it stands, so that whoever judges a value can
// say file, line and column.
package jsonc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxDepth bounds the nesting of arrays and objects: it is what encoding/json
// allows, and keeps recursion over the tree within a stack's reach.
const maxDepth = 10000

// Kind is the JSON type of a value, spelled as JSON Schema spells it.
type Kind string

// The kinds.
const (
	Null    Kind = "null"
	Boolean Kind = "boolean"
	Number  Kind = "number"
	String  Kind = "string"
	Array   Kind = "array"
	Object  Kind = "object"
)

// Document is one file's content.
type Document struct {
	// File is the name to use in messages; it may be a path or a description.
	File string
	Root *Value
	data []byte
}

// Value is one JSON value.
type Value struct {
	Kind Kind
	// Start and End are byte offsets in the document.
	Start, End int
	// Text is a string's decoded text, or the literal as written for numbers,
	// booleans and null. Empty for arrays and objects.
	Text string
	// Members are an object's, in the order written, duplicates included.
	Members []Member
	// Items are an array's.
	Items []*Value

	literal []byte
}

// Member is one name and value of an object.
type Member struct {
	Name string
	// At is the byte offset of the name in the document.
	At      int
	Value   *Value
	literal []byte
}

// Parse reads data. A byte order mark is skipped. A syntax error is a
// fault.InvalidInput that carries file, line, column and what was found.
func Parse(file string, data []byte) (*Document, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, fault.New(fault.InvalidInput, "%s:1:1: the file is encoded in UTF-16", file).
			WithHint("save it as UTF-8")
	}
	doc := &Document{File: file, data: data}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fault.New(fault.InvalidInput, "%s:1:1: the file is empty, expected JSON", file)
	}
	if at := tooDeep(data); at >= 0 {
		return nil, fault.New(fault.InvalidInput, "%s: values are nested more than %d deep", doc.Position(at), maxDepth)
	}
	// The reader wants a line break after a line comment, even the last.
	v, err := hujson.Parse(append(bytes.Clone(data), '\n'))
	if err != nil {
		return nil, doc.syntaxError(err)
	}
	doc.Root = convert(&v)
	return doc, nil
}

// ParseStrict reads plain JSON: comments and trailing commas are errors.
func ParseStrict(file string, data []byte) (*Document, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if root, ok := parseStrict(text); ok {
		return &Document{File: file, Root: root, data: text}, nil
	}
	doc, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	if !json.Valid(doc.data) {
		var probe any
		var syntax *json.SyntaxError
		at := 0
		if errors.As(json.Unmarshal(doc.data, &probe), &syntax) {
			at = max(0, int(syntax.Offset)-1)
		}
		return nil, fault.New(fault.InvalidInput, "%s: comments and trailing commas are not allowed here", doc.Position(at))
	}
	return doc, nil
}

// Position gives "file:line:column" of a byte offset.
func (d *Document) Position(offset int) string {
	line, column := d.LineColumn(offset)
	return fmt.Sprintf("%s:%d:%d", d.File, line, column)
}

// LineColumn gives the line and the column of a byte offset, both counted from 1
// and columns in characters.
func (d *Document) LineColumn(offset int) (line, column int) {
	offset = min(max(offset, 0), len(d.data))
	before := d.data[:offset]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// syntaxError turns the reader's error into ours.
func (d *Document) syntaxError(err error) error {
	var line, column int
	text := err.Error()
	if n, _ := fmt.Sscanf(text, "hujson: line %d, column %d:", &line, &column); n != 2 {
		return fault.Wrap(fault.InvalidInput, err, "%s: not valid JSON", d.File)
	}
	_, text, _ = strings.Cut(text, ": line ")
	_, text, _ = strings.Cut(text, ": ")
	if errors.Is(err, io.ErrUnexpectedEOF) {
		text = "unexpected end of file (" + strings.TrimSuffix(text, ": "+io.ErrUnexpectedEOF.Error()) + ")"
	}
	offset := 0
	for range line - 1 {
		next := bytes.IndexByte(d.data[offset:], '\n')
		if next < 0 { // past the end, at the line break that Parse added
			offset = len(d.data)
			break
		}
		offset += next + 1
	}
	return fault.New(fault.InvalidInput, "%s: %s", d.Position(offset+column-1), text).
		WithHint("the file is JSON; comments and trailing commas are allowed, anything else is not")
}

// tooDeep gives the offset at which nesting passes maxDepth, or -1.
func tooDeep(data []byte) int {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth++; depth > maxDepth {
				return i
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '/':
			if end := commentEnd(data[i:]); end > 0 {
				i += end - 1
			}
		}
	}
	return -1
}

// commentEnd is the length of the comment that data begins with, or 0.
func commentEnd(data []byte) int {
	stop := ""
	switch {
	case bytes.HasPrefix(data, []byte("//")):
		stop = "\n"
	case bytes.HasPrefix(data, []byte("/*")):
		stop = "*/"
	default:
		return 0
	}
	if n := bytes.Index(data[2:], []byte(stop)); n >= 0 {
		return 2 + n + len(stop)
	}
	return len(data)
}

func convert(v *hujson.Value) *Value {
	out := &Value{Start: v.StartOffset, End: v.EndOffset}
	switch t := v.Value.(type) {
	case hujson.Literal:
		out.literal, out.Text = t, decode(t)
		switch t.Kind() {
		case 'n':
			out.Kind = Null
		case 't', 'f':
			out.Kind = Boolean
		case '"':
			out.Kind = String
		default:
			out.Kind = Number
		}
	case *hujson.Array:
		out.Kind = Array
		for i := range t.Elements {
			out.Items = append(out.Items, convert(&t.Elements[i]))
		}
	case *hujson.Object:
		out.Kind = Object
		for i := range t.Members {
			name := t.Members[i].Name.Value.(hujson.Literal)
			out.Members = append(out.Members, Member{
				Name:    decode(name),
				At:      t.Members[i].Name.StartOffset,
				Value:   convert(&t.Members[i].Value),
				literal: name,
			})
		}
	}
	return out
}

// decode gives a string's text; most strings have nothing to decode. Other
// literals come back as written.
func decode(literal hujson.Literal) string {
	if len(literal) > 1 && literal[0] == '"' && bytes.IndexByte(literal, '\\') < 0 && utf8.Valid(literal) {
		return string(literal[1 : len(literal)-1])
	}
	return literal.String()
}

// Get gives the value of an object's member, the last one of that name, or nil
// when there is none, the value is no object, or v is nil.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	for i := len(v.Members) - 1; i >= 0; i-- {
		if v.Members[i].Name == name {
			return v.Members[i].Value
		}
	}
	return nil
}

// Unique yields an object's members without those that a later one of the same
// name replaces, in the order of first mention, as JavaScript reads it.
func (v *Value) Unique() []Member {
	seen := make(map[string]int, len(v.Members))
	out := make([]Member, 0, len(v.Members))
	for _, m := range v.Members {
		if at, ok := seen[m.Name]; ok {
			out[at] = m
			continue
		}
		seen[m.Name] = len(out)
		out = append(out, m)
	}
	return out
}

// Is reports whether v is there and of the kind.
func (v *Value) Is(k Kind) bool { return v != nil && v.Kind == k }

// True reports whether v is the literal true.
func (v *Value) True() bool { return v.Is(Boolean) && v.Text == "true" }

// AppendJSON appends v as standard JSON without blanks. Literals keep their
// bytes as written.
func (v *Value) AppendJSON(dst []byte) []byte {
	switch v.Kind {
	case Array:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.AppendJSON(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v.Unique() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, m.literal...)
			dst = append(dst, ':')
			dst = m.Value.AppendJSON(dst)
		}
		return append(dst, '}')
	default:
		return append(dst, v.literal...)
	}
}

// JSON gives v as standard JSON without blanks.
func (v *Value) JSON() json.RawMessage { return v.AppendJSON(nil) }

// Literal gives a member's name as it was written, quotes included.
func (m Member) Literal() []byte { return m.literal }
