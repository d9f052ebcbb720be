package definition

import (
	"bytes"
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// object is a JSON object that is being written, its members in order.
type object []byte

// set appends a member.
func (o *object) set(name string, value []byte) {
	if len(*o) == 0 {
		*o = append(*o, '{')
	} else {
		*o = append(*o, ',')
	}
	*o = append(append(*o, quote(name)...), ':')
	*o = append(*o, value...)
}

// quote gives a text as a JSON string, with no escapes that JSON does not ask
// for.
func quote(text string) []byte {
	var quoted bytes.Buffer
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // strings always have a JSON form, and buffers take everything
	return bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))
}

// json gives the finished object.
func (o object) json() json.RawMessage {
	if len(o) == 0 {
		return json.RawMessage(`{}`)
	}
	return append(json.RawMessage(o), '}')
}

// document makes Actor.Document of an actor.json. The members that count are
// given by the names that the platform has for them: whoever reads the document
// finds them there, whichever spelling the file has.
func (r *reader) document(root *jsonc.Value, counts map[string]jsonc.Member) {
	var doc object
	names := map[int]string{} // by where the member stands
	taken := map[string]bool{}
	for name, m := range counts {
		if m.Value != nil {
			names[m.At], taken[name] = name, true
		}
	}
	var added object // to storages
	for _, name := range []string{"dataset", "keyValueStore"} {
		if m := counts[name]; m.Value != nil && !memberOf(root.Get("storages"), m) {
			added.set(name, r.withSchemas(m.Value))
		}
	}
	storagesWritten := false
	for _, m := range root.Unique() {
		name, counted := names[m.At]
		switch {
		case counted && (name == "dataset" || name == "keyValueStore"):
		case counted:
			doc.set(name, r.withSchemas(m.Value))
		case m.Name == "storages" && m.Value.Kind == jsonc.Object:
			storagesWritten = true
			storages := object(bytes.Clone(added))
			for _, inner := range m.Value.Unique() {
				storages.set(inner.Name, r.withSchemas(inner.Value))
			}
			doc.set(m.Name, storages.json())
		case !taken[m.Name] || m.Name == "dataset" || m.Name == "keyValueStore":
			doc.set(m.Name, m.Value.JSON())
		}
	}
	if len(added) > 0 && !storagesWritten {
		doc.set("storages", added.json())
	}
	if counts["input"].Value == nil && r.inputRoot != nil {
		doc.set("input", r.inputRoot.JSON())
	}
	r.actor.Document = doc.json()
}

// memberOf tells whether m is a member of object itself.
func memberOf(object *jsonc.Value, m jsonc.Member) bool {
	if object == nil {
		return false
	}
	for _, inner := range object.Members {
		if inner.At == m.At {
			return true
		}
	}
	return false
}

// withSchemas gives v as standard JSON, every schema in the place of its link.
func (r *reader) withSchemas(v *jsonc.Value) json.RawMessage {
	if schema, ok := r.inlined[v]; ok {
		return schema.JSON()
	}
	if v.Kind != jsonc.Object || len(r.inlined) == 0 {
		return v.JSON()
	}
	var out object
	for _, m := range v.Unique() {
		if schema, ok := r.inlined[m.Value]; ok {
			out.set(m.Name, schema.JSON())
		} else {
			out.set(m.Name, m.Value.JSON())
		}
	}
	return out.json()
}
