// Package jsonschema evaluates JSON Schema, drafts 07 and 2019-09, and reports
// what AJV reports, which is what the platform judges with: the same verdicts,
// the same errors in the same order, in the same words.
//
// Instances are judged where they stand in the JSON text: nothing is decoded and
// encoded again, so numbers keep their digits and objects their order.
package jsonschema

import (
	"encoding/json"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Draft is a version of JSON Schema.
type Draft int

// The drafts. The zero value is draft-07.
const (
	Draft07 Draft = iota
	Draft201909
)

// Options say how a schema is read and how much is reported.
type Options struct {
	// Draft is the version the schema is written in; a "$schema" inside of it
	// does not override it.
	Draft Draft
	// Formats makes "format" a rule, judged as ajv-formats does in its full
	// mode. Otherwise it is ignored.
	Formats bool
	// AllErrors reports everything that is wrong; otherwise evaluation stops
	// where AJV stops by default, which is at the first error or, within anyOf
	// and oneOf, at the first of each branch.
	AllErrors bool
	// LoosePatterns takes regular expressions that JavaScript takes without its u
	// flag, as AJV does with unicodeRegExp false: the platform sets it for inputs.
	LoosePatterns bool
	// Root is reserved.
	Root string
}

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	opts Options
	main *function
}

// Compile reads a schema that stands in doc at root. The list says what is wrong
// with the schema itself, all at once: what the draft's meta-schema does not
// allow, regular expressions that are none, and references that lead nowhere or
// in a circle. The Schema is nil when there are errors.
func Compile(doc *jsonc.Document, root *jsonc.Value, opts Options) (*Schema, diagnostic.List) {
	c := newCompiler(doc, opts)
	c.root = root
	c.judge(root)
	s := c.finish(root)
	if len(c.list) > 0 {
		c.list.Sort()
		return nil, c.list
	}
	return s, nil
}

func newCompiler(doc *jsonc.Document, opts Options) *compiler {
	return &compiler{
		doc: doc, opts: opts, rules: keywordNames(opts.Draft),
		functions: map[functionKey]*function{}, inlined: map[inlineKey]*node{}, refs: map[*jsonc.Value]bool{},
		anchors: map[anchorKey]*function{}, patterns: map[string]*ecma.Regexp{}, reported: map[*jsonc.Value]bool{},
		large: map[*jsonc.Value]map[string]*jsonc.Value{},
	}
}

func (c *compiler) finish(root *jsonc.Value) *Schema {
	c.tracks = c.opts.Draft == Draft201909 && mentionsUnevaluated(root)
	res := c.newResource(root)
	main := c.function(res, root, res.base)
	c.loops(c.order)
	return &Schema{opts: c.opts, main: main}
}

func mentionsUnevaluated(v *jsonc.Value) bool {
	for _, m := range v.Members {
		if m.Name == "unevaluatedProperties" || m.Name == "unevaluatedItems" || mentionsUnevaluated(m.Value) {
			return true
		}
	}
	return slices.ContainsFunc(v.Items, mentionsUnevaluated)
}

// Validate judges a value: nil when it is valid. A value that takes too long to
// judge, because of a regular expression or of how the schema refers to itself,
// is not valid; the only error then says so.
func (s *Schema) Validate(v *jsonc.Value) []Error {
	return s.evaluate(v, maxSteps+stepsPerByte*(v.End-v.Start))
}

// ValidateJSON judges a value given as JSON text. The error is for text that is
// no JSON.
func (s *Schema) ValidateJSON(data []byte) ([]Error, error) {
	doc, err := jsonc.ParseStrict("the value", data)
	if err != nil {
		return nil, err
	}
	return s.Validate(doc.Root), nil
}

// Error is one complaint in AJV's form. The JSON form is that of the platform's
// API.
type Error struct {
	// InstancePath is the JSON Pointer of the value, "" for the whole.
	InstancePath string `json:"instancePath"`
	// SchemaPath is where the keyword stands in the schema, as a fragment:
	// "#/properties/price/type".
	SchemaPath string `json:"schemaPath"`
	Keyword    string `json:"keyword"`
	// Params are what the keyword tells about the failure, e.g.
	// {"missingProperty":"a"}; never empty JSON.
	Params json.RawMessage `json:"params"`
	// Message is AJV's text ("must be string").
	Message string `json:"message"`
	// PropertyName is set when it is the name of a property that was judged,
	// not a value.
	PropertyName *string `json:"propertyName,omitempty"`

	// Instance is the value that was judged, and Schema the schema object that
	// holds the keyword.
	Instance *jsonc.Value `json:"-"`
	Schema   *jsonc.Value `json:"-"`
}
