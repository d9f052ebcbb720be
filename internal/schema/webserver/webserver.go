// Package webserver judges the description of an Actor's web server, which is an
// OpenAPI document of version 3.0 or 3.1.
//
// The rules are those of the OpenAPI Specification 3.0.4 and 3.1.1: the shape of
// every object, and what JSON Schema cannot say, such as references that lead
// nowhere, path parameters without a declaration and operation ids used twice.
package webserver

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Schema is an OpenAPI document. It is safe for concurrent use.
type Schema struct {
	root *jsonc.Value
}

// Check judges an OpenAPI document that stands in doc at root and lists
// everything that is wrong with it; the Schema is nil when it has errors.
func Check(doc *jsonc.Document, root *jsonc.Value) (*Schema, diagnostic.List) {
	c := &checker{doc: doc, root: root, top: find(doc.Root, root)}
	c.document()
	c.list.Sort()
	if len(c.list.Errors()) > 0 {
		return nil, c.list
	}
	return &Schema{root: root}, c.list
}

// Parse reads an OpenAPI document written as JSON; comments and trailing commas
// are allowed, and file is the name used in messages. Everything that is wrong
// is one fault.InvalidInput.
func Parse(data []byte, file string) (*Schema, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, list := Check(doc, doc.Root)
	if err := list.Err("the web server schema"); err != nil {
		return nil, err
	}
	return s, nil
}

// JSON gives the document as standard JSON, without comments and blanks.
func (s *Schema) JSON() json.RawMessage { return s.root.JSON() }

// Title gives info.title.
func (s *Schema) Title() string { return s.root.Get("info").Get("title").Text }

// WithServer gives the document with url as its only server, in place of those
// it names: the platform shows the address at which the Actor really answers.
func (s *Schema) WithServer(url string) json.RawMessage {
	servers, err := json.Marshal([]map[string]string{{"url": url}})
	if err != nil {
		return s.JSON() // strings always marshal
	}
	var out bytes.Buffer
	out.WriteByte('{')
	replaced := false
	write := func(name, value []byte) {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	for _, m := range s.root.Unique() {
		value := m.Value.JSON()
		if m.Name == "servers" {
			value, replaced = servers, true
		}
		write(m.Literal(), value)
	}
	if !replaced {
		write([]byte(`"servers"`), servers)
	}
	out.WriteByte('}')
	return out.Bytes()
}

// find gives the place of a value in a document, nil when it is the document
// itself or no part of it.
func find(from, wanted *jsonc.Value) *place {
	if from == wanted || from == nil || wanted == nil {
		return nil
	}
	var names []string
	for from != wanted {
		// A value encloses all of its children, so its position leads the way.
		encloses := func(v *jsonc.Value) bool { return v.Start <= wanted.Start && wanted.End <= v.End }
		if i := slices.IndexFunc(from.Items, encloses); i >= 0 {
			names, from = append(names, strconv.Itoa(i)), from.Items[i]
			continue
		}
		i := slices.IndexFunc(from.Members, func(m jsonc.Member) bool { return encloses(m.Value) })
		if i < 0 {
			return nil
		}
		names, from = append(names, from.Members[i].Name), from.Members[i].Value
	}
	var at *place
	for _, name := range names {
		at = at.in(name)
	}
	return at
}
