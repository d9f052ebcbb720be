package export

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
)

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// feedNamespaces are the prefixes that feeds use without anything being said.
var feedNamespaces = []struct{ prefix, uri string }{
	{"atom", "http://www.w3.org/2005/Atom"},
	{"content", "http://purl.org/rss/1.0/modules/content/"},
	{"dc", "http://purl.org/dc/elements/1.1/"},
	{"g", "http://base.google.com/ns/1.0"},
	{"georss", "http://www.georss.org/georss"},
	{"itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"},
	{"media", "http://search.yahoo.com/mrss/"},
}

// writeXML writes an element for each item, with an element for each property:
// arrays repeat it, null leaves it empty. An object's property "@" holds the
// attributes of its element, and "#" its text when it has no child elements.
func (j *job) writeXML() error {
	root, row := j.XMLRoot, j.XMLRow
	if root == "" {
		root = "items"
	}
	if row == "" {
		row = "item"
	}
	j.begin(false)
	j.out.WriteString(xmlHeader + "<" + root + ">\n")
	if err := j.elements(row, nil); err != nil {
		return err
	}
	_, err := j.out.WriteString("</" + root + ">\n")
	return err
}

// writeRSS writes a feed, whose items are like those of XML.
func (j *job) writeRSS() error {
	j.begin(false)
	j.out.WriteString(xmlHeader + `<rss version="2.0"`)
	var declared []string
	for _, space := range feedNamespaces {
		j.out.WriteString(" xmlns:" + space.prefix + `="` + space.uri + `"`)
		declared = append(declared, space.prefix)
	}
	j.out.WriteString("><channel>\n")
	for _, part := range [][2]string{{"title", j.FeedTitle}, {"link", j.FeedLink}, {"description", j.FeedDescription}} {
		j.out.WriteString("<" + part[0] + ">")
		if err := xml.EscapeText(j.out, []byte(part[1])); err != nil {
			return err
		}
		j.out.WriteString("</" + part[0] + ">\n")
	}
	if err := j.elements("item", declared); err != nil {
		return err
	}
	_, err := j.out.WriteString("</channel></rss>\n")
	return err
}

func (j *job) elements(row string, declared []string) error {
	w := &xmlWriter{out: j.out, names: map[string]xmlName{row: {local: row}}}
	return j.records(func(members []Member) error {
		if err := w.object(row, members, declared, maxDepth); err != nil {
			return errBroken(err)
		}
		_, err := io.WriteString(j.out, "\n")
		return err
	})
}

// xmlWriter writes elements.
type xmlWriter struct {
	out interface {
		io.Writer
		io.StringWriter
	}
	names map[string]xmlName
}

// xmlName is what becomes of a key: "a b" is a_b. One with a prefix is used as
// such only where the prefix is declared: "og:title" is title in the namespace
// og, or og_title. Else whoever reads the document would have to refuse it.
type xmlName struct{ prefix, local string }

// in gives the name where the given prefixes are declared.
func (n xmlName) in(declared []string) string {
	switch {
	case n.prefix == "":
		return n.local
	case n.prefix == "xml" || slices.Contains(declared, n.prefix):
		return n.prefix + ":" + n.local
	}
	return n.prefix + "_" + n.local
}

// maxNames is how many names are kept: items may have new ones for ever.
const maxNames = 10_000

// name gives what a key is called.
func (w *xmlWriter) name(key string) xmlName {
	if name, ok := w.names[key]; ok {
		return name
	}
	prefix, local, ok := strings.Cut(key, ":")
	name := xmlName{local: plainName(key)}
	if ok && prefix != "xmlns" && prefix == plainName(prefix) && local == plainName(local) && parses(prefix) && parses(local) {
		name = xmlName{prefix: prefix, local: local}
	} else if !parses(name.local) { // letters that only some parsers know
		name.local = strings.Map(func(r rune) rune {
			if r > unicode.MaxASCII {
				return '_'
			}
			return r
		}, name.local)
	}
	if len(w.names) >= maxNames {
		clear(w.names)
	}
	w.names[key] = name
	return name
}

// plainName makes a name without a prefix out of any text.
func plainName(text string) string {
	var b strings.Builder
	for i, r := range text {
		letter := r == '_' || unicode.IsLetter(r)
		if i == 0 && !letter {
			b.WriteByte('_')
		}
		switch {
		case letter, '0' <= r && r <= '9', r == '-', r == '.':
			b.WriteRune(r)
		case i > 0:
			b.WriteByte('_')
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// parses tells whether a reader takes the text for a name.
func parses(name string) bool {
	token, err := xml.NewDecoder(strings.NewReader("<" + name + "/>")).Token()
	start, ok := token.(xml.StartElement)
	return err == nil && ok && start.Name.Local == name && len(start.Attr) == 0
}

// element writes what a property becomes. What is nested deeper than depth is
// written as JSON.
func (w *xmlWriter) element(key string, value json.RawMessage, declared []string, depth int) error {
	kind := jsontext.Kind(value)
	if depth > 0 && kind == "an object" {
		members, err := Members(value)
		if err != nil {
			return err
		}
		return w.object(key, members, declared, depth-1)
	}
	if depth > 0 && kind == "an array" {
		return eachElement(value, func(element json.RawMessage) error {
			if jsontext.Kind(element) != "an array" {
				return w.element(key, element, declared, depth-1)
			}
			name := w.name(key).in(declared) // an array in an array: its elements have the name too
			w.out.WriteString("<" + name + ">")
			if err := w.element(key, element, declared, depth-1); err != nil {
				return err
			}
			_, err := w.out.WriteString("</" + name + ">")
			return err
		})
	}
	name := w.name(key).in(declared)
	if kind == "null" {
		_, err := w.out.WriteString("<" + name + "/>")
		return err
	}
	w.out.WriteString("<" + name + ">")
	if err := w.text(value); err != nil {
		return err
	}
	_, err := w.out.WriteString("</" + name + ">")
	return err
}

// object writes an element with attributes and children.
func (w *xmlWriter) object(key string, members []Member, declared []string, depth int) error {
	var text, attributes json.RawMessage
	children := false
	for _, m := range members {
		switch {
		case m.Key == "@" && jsontext.Kind(m.Value) == "an object":
			attributes = m.Value
		case m.Key == "#":
			text = m.Value
		default:
			children = children || !isEmptyArray(m.Value)
		}
	}
	var written string
	if attributes != nil {
		var err error
		if written, declared, err = w.attributes(attributes, declared); err != nil {
			return err
		}
	}
	name := w.name(key).in(declared)
	w.out.WriteString("<" + name + written)
	if !children && (text == nil || jsontext.Kind(text) == "null") {
		_, err := w.out.WriteString("/>")
		return err
	}
	w.out.WriteString(">")
	if children {
		for _, m := range members {
			if m.Key == "#" || m.Key == "@" && jsontext.Kind(m.Value) == "an object" {
				continue
			}
			if err := w.element(m.Key, m.Value, declared, depth); err != nil {
				return err
			}
		}
	} else if err := w.text(text); err != nil {
		return err
	}
	_, err := w.out.WriteString("</" + name + ">")
	return err
}

func isEmptyArray(value json.RawMessage) bool {
	if jsontext.Kind(value) != "an array" {
		return false
	}
	rest := bytes.TrimSpace(bytes.TrimSpace(value)[1:])
	return len(rest) == 1
}

// reserved are namespaces that no document may declare.
var reserved = map[string]bool{
	"http://www.w3.org/XML/1998/namespace": true,
	"http://www.w3.org/2000/xmlns/":        true,
}

// attributes gives the text of an element's attributes, and which prefixes are
// declared from here on. Of attributes whose names are equal the first counts.
func (w *xmlWriter) attributes(object json.RawMessage, declared []string) (string, []string, error) {
	members, err := Members(object)
	if err != nil {
		return "", nil, err
	}
	members = lastOfEach(members)
	values := make([]string, len(members))
	declares := func(m Member, value string) string {
		prefix, ok := strings.CutPrefix(m.Key, "xmlns:")
		if !ok || value == "" || reserved[value] || strings.HasPrefix(prefix, "xml") || prefix != plainName(prefix) || !parses(prefix) {
			return ""
		}
		return prefix
	}
	declared = slices.Clip(declared)
	for i, m := range members {
		if values[i], err = valueText(m.Value); err != nil {
			return "", nil, err
		}
		if prefix := declares(m, values[i]); prefix != "" {
			declared = append(declared, prefix)
		}
	}
	var b strings.Builder
	used := map[string]bool{}
	for i, m := range members {
		name := m.Key
		if declares(m, values[i]) == "" {
			name = w.name(m.Key).in(declared)
			if name == "xmlns" && reserved[values[i]] {
				continue
			}
		}
		if used[name] {
			continue
		}
		used[name] = true
		b.WriteString(" " + name + `="`)
		if err := xml.EscapeText(&b, []byte(values[i])); err != nil {
			return "", nil, err
		}
		b.WriteByte('"')
	}
	return b.String(), declared, nil
}

// valueText is a value as text: objects and arrays as JSON, null as nothing.
func valueText(value json.RawMessage) (string, error) {
	switch jsontext.Kind(value) {
	case "null":
		return "", nil
	case "a string":
		return unquote(bytes.TrimSpace(value))
	case "an object", "an array":
		var compact bytes.Buffer
		err := json.Compact(&compact, value)
		return compact.String(), err
	}
	return string(value), nil
}

func (w *xmlWriter) text(value json.RawMessage) error {
	text, err := valueText(value)
	if err != nil {
		return err
	}
	return xml.EscapeText(w.out, []byte(text))
}
