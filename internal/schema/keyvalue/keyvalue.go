// Package keyvalue reads the schemas of key-value stores: which collections the
// keys fall into, and what the records of each must be. They are enforced on
// every write and select keys in listings.
//
// The form is that of the platform's documentation; older forms of the
// whitepaper are understood too.
package keyvalue

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Schema is a parsed schema of a key-value store. It is safe for concurrent use.
type Schema struct {
	root        *jsonc.Value
	collections []Collection
}

// Collection is a group of records: those with one key, or those whose keys
// begin with a prefix. Exactly one of Key and KeyPrefix is set.
type Collection struct {
	Name, Title, Description string
	Key, KeyPrefix           string
	ContentTypes             []string // empty allows every type
}

// Matches reports whether the record of that key belongs to the collection.
func (c Collection) Matches(key string) bool { return false }

// Check reads a schema that stands in doc at root. The list holds everything
// there is to say about it; the Schema is nil when that includes errors.
func Check(doc *jsonc.Document, root *jsonc.Value) (*Schema, diagnostic.List) {
	return &Schema{root: root}, nil
}

// Parse reads a schema from a file's content; file is its name in messages.
// Everything that is wrong is one fault.InvalidInput.
func Parse(data []byte, file string) (*Schema, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s, list := Check(doc, doc.Root)
	return s, list.Err("the key-value store schema")
}

// JSON gives the schema as standard JSON.
func (s *Schema) JSON() json.RawMessage { return s.root.JSON() }

// Collections gives the collections in the order written.
func (s *Schema) Collections() []Collection { return s.collections }

// Collection finds a collection by its name.
func (s *Schema) Collection(name string) (Collection, bool) { return Collection{}, false }

// NeedsBody reports whether CheckRecord must see what is to be stored under the
// key; otherwise the content type is enough.
func (s *Schema) NeedsBody(key string) bool { return false }

// CheckRecord judges a record that is to be stored. It gives nil, or a
// fault.InvalidInput of type schema-validation-failed.
func (s *Schema) CheckRecord(key, contentType string, body []byte) error { return nil }
