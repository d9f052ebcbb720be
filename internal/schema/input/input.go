// Package input judges input schemas and the inputs of Actors by them, with the
// platform's own messages, fills in defaults and encrypts secrets.
//
// The rules are those of the platform's documentation and of the schema of input
// schemas that it publishes. Values are judged where they stand in the JSON text:
// nothing is decoded and encoded again, so numbers keep their digits and objects
// their order.
package input

import (
	"encoding/json"
	"fmt"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/input/grammar"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// MaxSize is the largest input schema the platform takes, in bytes.
const MaxSize = grammar.MaxSize

// maxListed is how many complaints a message lists.
const maxListed = 50

// Schema is a parsed input schema. It is safe for concurrent use.
type Schema struct {
	doc  *jsonc.Document
	root *jsonc.Value
	// compiled is the schema as an evaluator of inputs, which lists every error.
	compiled *jsonschema.Schema
	// fields are the top-level ones, special those that have rules of their own.
	fields  []jsonc.Member
	special []special
	// defaults are the fields' defaults, as an object or nil; items are those of
	// the items of arrays, by the schema of the items.
	defaults *jsonc.Value
	items    map[*jsonc.Value]*jsonc.Value
}

// newSchema makes ready what is known to be an input schema.
func newSchema(doc *jsonc.Document, root *jsonc.Value, compiled *jsonschema.Schema) *Schema {
	fields := root.Get("properties").Unique()
	items := make(map[*jsonc.Value]*jsonc.Value)
	itemDefaults(root, items)
	return &Schema{
		doc: doc, root: root, compiled: compiled, fields: fields,
		special: specials(root, fields), defaults: defaultsBelow(root), items: items,
	}
}

// Check judges an input schema by the platform's rules, root being its place in
// doc, and says everything that is wrong with it, in the platform's words. What
// the platform would say, which names one fault only, comes first. The Schema is
// nil when the list has errors; it may have warnings all the same.
func Check(doc *jsonc.Document, root *jsonc.Value) (*Schema, diagnostic.List) {
	verdict := grammar.Judge(doc, root)
	if verdict.Inputs == nil {
		return nil, verdict.List
	}
	return newSchema(doc, root, verdict.Inputs), verdict.List
}

// Parse reads an input schema; comments and trailing commas are allowed,
// and file is the name used in messages. Everything that Check finds wrong is
// reported at once, as one fault.InvalidInput with the position of each fault.
func Parse(data []byte, file string) (*Schema, error) {
	if len(data) > MaxSize {
		return nil, fault.New(fault.InvalidInput, "%s: an input schema may have %d bytes at most, this one has %d", file, MaxSize, len(data))
	}
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	return FromDocument(doc, doc.Root)
}

// FromDocument reads an input schema that is part of a larger file, root being
// its place in doc. It reports what Parse reports.
func FromDocument(doc *jsonc.Document, root *jsonc.Value) (*Schema, error) {
	in, list := Check(doc, root)
	if err := list.Err("the input schema"); err != nil {
		return nil, err
	}
	return in, nil
}

// JSON gives the schema as standard JSON, without comments and blanks.
func (in *Schema) JSON() json.RawMessage { return in.root.JSON() }

// Title gives the schema's title, or "".
func (in *Schema) Title() string {
	if t := in.root.Get("title"); t.Is(jsonc.String) {
		return t.Text
	}
	return ""
}

// Properties gives the names of the top-level fields in the order written.
func (in *Schema) Properties() []string {
	var names []string
	for _, m := range in.fields {
		names = append(names, m.Name)
	}
	return names
}

// parseInput reads an input. None at all counts as the empty object.
func parseInput(input json.RawMessage) (*jsonc.Value, error) {
	if len(input) == 0 {
		return &jsonc.Value{Kind: jsonc.Object}, nil
	}
	doc, err := jsonc.ParseStrict("input", input)
	if err != nil {
		return nil, err
	}
	return doc.Root, nil
}

// FieldError is one complaint about an input. Field is the path of the value
// under the input ("a.0.b", "" for the input itself), Message the official text.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error gives the message.
func (e FieldError) Error() string { return e.Message }

// Check validates the input and lists every complaint in one
// fault.InvalidInput whose Data carries them under "fields". A valid input
// gives nil.
func (in *Schema) Check(input json.RawMessage) error {
	faults, err := in.Validate(input)
	if err != nil || len(faults) == 0 {
		return err
	}
	text := "the input does not match the Actor's input schema:"
	if len(faults) == 1 {
		text += " " + faults[0].Message
	} else {
		for _, f := range faults[:min(len(faults), maxListed)] {
			text += "\n  - " + f.Message
		}
		if more := len(faults) - maxListed; more > 0 {
			text += fmt.Sprintf("\n  and %d more", more)
		}
	}
	problem := fault.New(fault.InvalidInput, "%s", text).WithType("invalid-input").
		WithHint("the schema is %s", in.doc.File)
	problem.Data = map[string]any{"fields": faults}
	return problem
}
