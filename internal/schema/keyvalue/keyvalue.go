// Package keyvalue reads the schemas of key-value stores: which collections the
// keys fall into, and what the records of each must be. They are enforced on
// every write and select keys in listings.
//
// The form is that of the platform's documentation; older forms of the
// whitepaper are understood too.
package keyvalue

import (
	"encoding/json"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// Schema is a parsed schema of a key-value store. It is safe for concurrent use.
type Schema struct {
	root        *jsonc.Value
	title       string
	collections []Collection
}

// Collection is a group of records: the one with a key, or those whose keys
// begin with a prefix. Exactly one of Key and KeyPrefix is set.
type Collection struct {
	Name, Title, Description string
	Key, KeyPrefix           string
	// ContentTypes are those that a record may have, such as text/html or
	// image/*; empty allows every type.
	ContentTypes []string

	value *jsonschema.Schema // of a JSON record, nil for any
}

// Matches reports whether the record of that key belongs to the collection.
func (c Collection) Matches(key string) bool {
	if c.Key != "" {
		return key == c.Key
	}
	return strings.HasPrefix(key, c.KeyPrefix)
}

// Check reads a schema that stands in doc at root. The list holds everything
// there is to say about it; the Schema is nil when that includes errors.
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

// Parse reads a schema from a file's content; file is its name in messages.
// Everything that is wrong is one fault.InvalidInput.
func Parse(data []byte, file string) (*Schema, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, list := Check(doc, doc.Root)
	return s, list.Err("the key-value store schema " + file)
}

// JSON gives the schema as standard JSON.
func (s *Schema) JSON() json.RawMessage { return s.root.JSON() }

// Title gives the schema's title, or "".
func (s *Schema) Title() string { return s.title }

// Collections gives the collections in the order written.
func (s *Schema) Collections() []Collection { return s.collections }

// Collection finds a collection by its name.
func (s *Schema) Collection(name string) (Collection, bool) {
	for _, c := range s.collections {
		if c.Name == name {
			return c, true
		}
	}
	return Collection{}, false
}
