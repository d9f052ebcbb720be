// Package jsonschema evaluates JSON Schema, drafts 07 and 2019-09, and reports
// what AJV reports, which is what the platform judges with: the same verdicts,
// the same errors in the same order, in the same words.
//
// Instances are judged where they stand in the JSON text: nothing is decoded and
// encoded again, so numbers keep their digits and objects their order.
package jsonschema

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

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

	// Instance is the value that was judged, and Schema the schema object that
	// holds the keyword.
	Instance *jsonc.Value `json:"-"`
	Schema   *jsonc.Value `json:"-"`
}
