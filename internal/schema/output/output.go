// Package output reads output schemas and makes the output object of a run from
// them: links to the places where its results will be, known as soon as it
// starts.
//
// The form is that of the platform's documentation; older forms of the
// whitepaper are understood too.
package output

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// Schema is a parsed output schema. It is safe for concurrent use.
type Schema struct {
	doc        *jsonc.Document
	root       *jsonc.Value
	title      string
	properties []Property
}

// Property is one member of the output object.
type Property struct {
	Name, Title, Description string
	// Template is the text that its value is made from, with variables between
	// double braces, in the form that the platform documents.
	Template string

	at    *jsonc.Value // where its template stands
	parts []part
}

// Check reads an output schema that stands in doc at root. The list holds
// everything there is to say about it; the Schema is nil when that includes
// errors.
func Check(doc *jsonc.Document, root *jsonc.Value) (*Schema, diagnostic.List) {
	r := &reader{Report: shape.Report{Doc: doc, Rule: rule}, schema: &Schema{doc: doc, root: root}}
	if r.Is(root, jsonc.Object) {
		r.read(root)
	}
	if len(r.List.Errors()) > 0 {
		return nil, r.List
	}
	return r.schema, r.List
}

// Parse reads an output schema from a file's content; file is its name in
// messages. Everything that is wrong is one fault.InvalidInput.
func Parse(data []byte, file string) (*Schema, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, list := Check(doc, doc.Root)
	return s, list.Err("the output schema " + file)
}

// JSON gives the schema as standard JSON.
func (s *Schema) JSON() json.RawMessage { return s.root.JSON() }

// Title gives the schema's title, or "".
func (s *Schema) Title() string { return s.title }

// Properties gives the members of the output object in the order written.
func (s *Schema) Properties() []Property { return s.properties }
