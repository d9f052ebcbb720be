// Package adapter connects a program that knows nothing of Actors to a run: the
// input's fields become its arguments and its standard input, and what it prints
// becomes items of a dataset or a record. It is part of the small actor command
// and links nothing heavy.
package adapter

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// A Command is a command line whose words may hold placeholders:
//
//	--depth={{maxDepth}}        the field's value; the word is left out when the
//	                            field is, and repeated for each item of an array
//	{{--verbose verbose}}       the option, when the field is true
//	{{--color|--no-color color}}  the first when it is true, the second when false
//	{{-o format}}               the option and the value, two words; for each item
//	{{--tags... tags}}          the option once, then all values
//	{{@rules}}                  the name of a file that holds the field's text
//	{{proxy.url}}               a field of a field, or of every item of an array
//	{{.}}                       the whole input as JSON
//
// Null, an empty text and an empty array count as a field that is not there.
// Anything else between double braces is no placeholder and stays as it is.
type Command struct {
	Words []string
	// File keeps text for the program and gives the file's path.
	File func(text []byte) (string, error)
}

// Expand gives the words with the placeholders filled from an input, which must
// be a JSON object or empty; anything else is fault.InvalidInput. Values keep
// their spelling: 1.0 and 12345678901234567890 arrive as they were written.
func (c Command) Expand(input []byte) ([]string, error) {
	fields, err := readFields(input)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, word := range c.Words {
		words, err := c.expand(word, fields)
		if err != nil {
			return nil, err
		}
		out = append(out, words...)
	}
	return out, nil
}

// Field gives the text of a field as Expand would: the items of an array one a
// line, "." for the whole input, nothing for a field that is not there.
func Field(name string, input []byte) ([]byte, error) {
	fields, err := readFields(input)
	if err != nil {
		return nil, err
	}
	values := fields.values(name)
	var text []byte
	for _, v := range values {
		text = append(text, v.text...)
		if !bytes.HasSuffix(text, []byte("\n")) {
			text = append(text, '\n')
		}
	}
	if len(values) == 1 && !values[0].item {
		// A single text goes as it is, with or without a line end.
		return []byte(values[0].text), nil
	}
	return text, nil
}

// value is one value of a field, ready to be put into a word.
type value struct {
	text string
	flag bool // a boolean
	item bool // one of an array
}

// fields is an input: its text, and the fields of the object.
type fields struct {
	raw    string
	object map[string]json.RawMessage
}

func readFields(input []byte) (fields, error) {
	input = bytes.TrimSpace(bytes.TrimPrefix(input, []byte("\xef\xbb\xbf")))
	if len(input) == 0 {
		return fields{raw: "{}"}, nil
	}
	f := fields{raw: string(input)}
	if err := json.Unmarshal(input, &f.object); err != nil || f.object == nil {
		return fields{}, fault.New(fault.InvalidInput, "the input is not a JSON object, so it has no fields to make arguments of")
	}
	return f, nil
}

// values gives what a field holds, one by one when it is an array.
func (f fields) values(path string) []value {
	if path == "." {
		return []value{{text: f.raw}}
	}
	return collect(f.object, path, false)
}

// collect follows a dotted path. A field whose own name has dots comes first.
func collect(object map[string]json.RawMessage, path string, item bool) []value {
	if raw, ok := object[path]; ok {
		return spell(raw, item)
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if raw, ok := object[path[:i]]; ok {
			return descend(raw, path[i+1:], item)
		}
	}
	return nil
}

func descend(raw json.RawMessage, path string, item bool) []value {
	switch first(raw) {
	case '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) == nil {
			return collect(object, path, item)
		}
	case '[':
		var array []json.RawMessage
		var all []value
		if json.Unmarshal(raw, &array) == nil {
			for _, element := range array {
				all = append(all, descend(element, path, true)...)
			}
		}
		return all
	}
	return nil
}

// spell writes a value as arguments have it.
func spell(raw json.RawMessage, item bool) []value {
	switch first(raw) {
	case 'n', 0:
		return nil
	case 't', 'f':
		return []value{{text: string(raw), flag: true, item: item}}
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil || s == "" {
			return nil
		}
		return []value{{text: s, item: item}}
	case '[':
		if item {
			break // an array in an array is a value of its own
		}
		var array []json.RawMessage
		var all []value
		if json.Unmarshal(raw, &array) == nil {
			for _, element := range array {
				all = append(all, spell(element, true)...)
			}
		}
		return all
	case '{':
	default:
		return []value{{text: string(raw), item: item}}
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return nil
	}
	return []value{{text: compact.String(), item: item}}
}

func first(raw json.RawMessage) byte {
	if raw = bytes.TrimLeft(raw, " \t\r\n"); len(raw) > 0 {
		return raw[0]
	}
	return 0
}

// placeholder is what stands between double braces.
type placeholder struct {
	on, off string // the options of {{--on|--off field}}
	once    bool   // {{--on... field}}
	file    bool
	field   string
}

// parsePlaceholder reads the text between double braces.
func parsePlaceholder(text string) (placeholder, bool) {
	var p placeholder
	text = strings.TrimSpace(text)
	if option, field, found := strings.Cut(text, " "); found {
		if len(option) < 2 || option[0] != '-' && option[0] != '+' {
			return p, false
		}
		p.on, p.off, _ = strings.Cut(option, "|")
		p.on, p.once = strings.CutSuffix(p.on, "...")
		text = strings.TrimSpace(field)
	}
	p.field, p.file = strings.CutPrefix(text, "@")
	if p.field == "." {
		return p, true
	}
	for i := range len(p.field) {
		c := p.field[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '$', c >= 0x80:
		case (c == '-' || c == '.') && i > 0:
		default:
			return p, false
		}
	}
	return p, p.field != ""
}

func (c Command) expand(word string, fields fields) ([]string, error) {
	before, inner, after, found := cut(word)
	if !found {
		return []string{word}, nil
	}
	p, ok := parsePlaceholder(inner)
	if !ok {
		// Not ours: what follows may be.
		rest, err := c.expand(after, fields)
		for i := range rest {
			rest[i] = before + "{{" + inner + "}}" + rest[i]
		}
		return rest, err
	}
	values := fields.values(p.field)
	if p.file {
		for i := range values {
			name, err := c.File([]byte(values[i].text))
			if err != nil {
				return nil, err
			}
			values[i].text = name
		}
	}
	if p.on != "" {
		if before != "" || after != "" {
			return nil, fault.New(fault.Usage, "the placeholder {{%s}} must be a word of its own", inner)
		}
		return p.options(values), nil
	}
	if _, _, _, more := cut(after); more {
		// Several placeholders make one word: repeating it has no meaning.
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.text
		}
		if len(values) > 1 {
			values = []value{{text: strings.Join(texts, ",")}}
		}
	}
	var out []string
	for _, v := range values {
		rest, err := c.expand(after, fields)
		if err != nil {
			return nil, err
		}
		for _, r := range rest {
			out = append(out, before+v.text+r)
		}
	}
	return out, nil
}

func (p placeholder) options(values []value) (out []string) {
	for i, v := range values {
		switch {
		case p.once && i > 0:
			out = append(out, v.text)
		case !v.flag || p.once:
			out = append(out, p.on, v.text)
		case v.text == "true":
			out = append(out, p.on)
		case p.off != "":
			out = append(out, p.off)
		}
	}
	return out
}

// cut finds the first pair of double braces.
func cut(word string) (before, inner, after string, found bool) {
	before, rest, found := strings.Cut(word, "{{")
	if !found {
		return word, "", "", false
	}
	inner, after, found = strings.Cut(rest, "}}")
	if !found {
		return word, "", "", false
	}
	return before, inner, after, true
}

// Quote writes words as a line of a log, quoted where a shell needs it.
func Quote(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.ContainsAny(w, " \t\n\"'`$&|;<>()*?[]#~!\\{}") {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		if len(w) > 200 {
			quoted[i] = strconv.Quote(w[:200]) + "…"
		}
	}
	return strings.Join(quoted, " ")
}
