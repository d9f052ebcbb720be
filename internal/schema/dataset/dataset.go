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
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// The rules that diagnostics name.
const (
	rule        = "dataset-schema"
	olderForm   = "older-form"
	unknown     = "unknown-field"
	viewOfField = "view-field"
)

// rootMembers are all that a dataset schema may have: the platform refuses
// others.
var rootMembers = []string{"actorSpecification", "title", "description", "fields", "views", "$schema"}

// Schema is a parsed dataset schema. It is safe for concurrent use.
type Schema struct {
	root  *jsonc.Value
	title string

	fields json.RawMessage    // nil when there are none
	item   *jsonschema.Schema // compiled fields
	names  []string
	views  []View
}

// Check reads a dataset schema that stands in doc at root. The list holds
// everything there is to say about it; the Schema is nil when that includes
// errors.
func Check(doc *jsonc.Document, root *jsonc.Value) (*Schema, diagnostic.List) {
	r := &reader{Report: shape.Report{Doc: doc, Rule: rule}, schema: &Schema{root: root}}
	if r.Is(root, jsonc.Object) {
		r.read(root)
	}
	if len(r.List.Errors()) > 0 {
		return nil, r.List
	}
	return r.schema, r.List
}

// Parse reads a dataset schema from a file's content; file is its name in
// messages. Everything that is wrong is one fault.InvalidInput.
func Parse(data []byte, file string) (*Schema, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, list := Check(doc, doc.Root)
	return s, list.Err("the dataset schema " + file)
}

// JSON gives the schema as standard JSON.
func (s *Schema) JSON() json.RawMessage { return s.root.JSON() }

// Title gives the schema's title, or "".
func (s *Schema) Title() string { return s.title }

// HasFields reports whether the schema says what items look like.
func (s *Schema) HasFields() bool { return s.item != nil }

// Fields gives the JSON Schema (draft-07) of one item, nil when there is none.
func (s *Schema) Fields() json.RawMessage { return s.fields }

// FieldNames gives the names of the fields that the schema of an item lists, in
// the order written: the API's list of a dataset's fields.
func (s *Schema) FieldNames() []string { return s.names }

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

// reader fills a Schema and collects what is wrong.
type reader struct {
	shape.Report
	schema *Schema
	// item is the schema of an item as it stands in the document, nil when it
	// cannot be used.
	item *jsonc.Value
	// listed are the fields of the schemas of objects that were looked at.
	listed map[*jsonc.Value]map[string]*jsonc.Value
}

func (r *reader) read(root *jsonc.Value) {
	for _, m := range shape.Unknown(root, rootMembers) {
		r.ErrorMember(m, "is not a field of a dataset schema: it has actorSpecification, title, description, fields and views%s",
			shape.Meant(m.Name, rootMembers))
	}
	r.Version(root, "actorSpecification")
	r.schema.title = r.Text(root, "title")
	r.Text(root, "description")
	r.Text(root, "$schema")
	fields, views := root.Get("fields"), root.Get("views")
	if fields == nil && views == nil {
		r.Error(root, `needs "fields", the JSON schema of an item, or "views"; both are missing`)
	}
	if fields != nil {
		r.fields(fields)
	}
	if r.Is(views, jsonc.Object) {
		for _, m := range views.Unique() {
			if view, ok := r.view(m); ok {
				r.schema.views = append(r.schema.views, view)
			}
		}
	}
}
