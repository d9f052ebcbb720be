package input

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// WithDefaults gives the input with the schema's defaults in place of the keys
// it omits, as the platform does before it validates. Keys that are there keep
// their order and bytes; a key that is null is there.
//
// The default of an object that is absent is its own, and those of its fields for
// what its own lacks; its fields' defaults alone bring it into being. An object
// that is there stays as it is. The objects in an array that is there get the
// defaults of the items' fields. An input that is not an object comes back as it
// is. It fails when the input is not JSON, and when the defaults make it larger
// than any input may be.
func (in *Schema) WithDefaults(input json.RawMessage) (json.RawMessage, error) {
	v, err := parseInput(input)
	if err != nil {
		return nil, err
	}
	filled := v
	if v.Kind == jsonc.Object {
		f := &filler{items: in.items}
		filled = f.object(v, in.defaults, in.root, false)
		if f.added > maxDefaults {
			return nil, fault.New(fault.TooLarge, "the defaults of the input schema make %d bytes of an input of %d", f.added, len(input))
		}
	}
	if filled == v && len(input) > 0 {
		return input, nil
	}
	return filled.JSON(), nil
}

// defaultOf gives what takes the place of a field that is absent, nil for nothing.
func defaultOf(field *jsonc.Value) *jsonc.Value {
	own := field.Get("default")
	nested := defaultsBelow(field)
	switch {
	case nested == nil:
		return own
	case own.Is(jsonc.Object):
		return merge(nested, own)
	}
	return nested
}

// defaultsBelow gives an object of the defaults of a field's own fields, nil when
// there are none.
func defaultsBelow(field *jsonc.Value) *jsonc.Value {
	properties := field.Get("properties")
	if !properties.Is(jsonc.Object) {
		return nil
	}
	out := &jsonc.Value{Kind: jsonc.Object, Start: field.Start, End: field.End}
	for _, f := range properties.Unique() {
		if f.Value = defaultOf(f.Value); f.Value != nil {
			out.Members = append(out.Members, f)
		}
	}
	if len(out.Members) == 0 {
		return nil
	}
	return out
}

// merge gives the members of both objects. Where both have one, and not both are
// objects, that of over stands.
func merge(base, over *jsonc.Value) *jsonc.Value {
	out := &jsonc.Value{Kind: jsonc.Object, Start: base.Start, End: base.End + over.End - over.Start, Members: base.Unique()}
	at := make(map[string]int, len(out.Members))
	for i, m := range out.Members {
		at[m.Name] = i
	}
	for _, m := range over.Unique() {
		i, ok := at[m.Name]
		switch {
		case !ok:
			out.Members = append(out.Members, m)
		case m.Value.Kind == jsonc.Object && out.Members[i].Value.Kind == jsonc.Object:
			out.Members[i].Value = merge(out.Members[i].Value, m.Value)
		default:
			out.Members[i].Value = m.Value
		}
	}
	return out
}

// maxDefaults is how many bytes defaults may add to one input: a list of a million
// items may get them a million times.
const maxDefaults = 64 << 20

// filler puts defaults into one input.
type filler struct {
	// items are the defaults of the items of arrays, by the schema of the items.
	items map[*jsonc.Value]*jsonc.Value
	added int
}

// object gives an object with the defaults, an object or nil, for what it lacks; v
// itself when nothing is missing. inItem says that v is an item of an array: the
// platform fills the objects right in it, too, and no others.
func (f *filler) object(v, defaults, field *jsonc.Value, inItem bool) *jsonc.Value {
	properties := field.Get("properties")
	out := *v
	out.Members = v.Unique()
	changed := false
	have := make(map[string]bool, len(out.Members))
	for i, m := range out.Members {
		have[m.Name] = true
		sub := properties.Get(m.Name)
		filled := m.Value
		switch m.Value.Kind {
		case jsonc.Object:
			var nested *jsonc.Value
			if inItem {
				nested = defaults.Get(m.Name)
			}
			filled = f.object(m.Value, nested, sub, false)
		case jsonc.Array:
			filled = f.array(m.Value, sub.Get("items"))
		}
		if filled != m.Value {
			out.Members[i].Value, changed = filled, true
		}
	}
	if defaults.Is(jsonc.Object) && f.added <= maxDefaults {
		for _, m := range defaults.Members {
			if !have[m.Name] {
				out.Members, changed = append(out.Members, m), true
				f.added += len(m.Name) + m.Value.End - m.Value.Start
			}
		}
	}
	if !changed {
		return v
	}
	return &out
}

// array fills the objects in an array, whose fields are those of items.
func (f *filler) array(v, items *jsonc.Value) *jsonc.Value {
	defaults := f.items[items]
	if !defaults.Is(jsonc.Object) {
		return v
	}
	out := *v
	out.Items = make([]*jsonc.Value, len(v.Items))
	changed := false
	for i, item := range v.Items {
		out.Items[i] = item
		if item.Kind == jsonc.Object {
			out.Items[i] = f.object(item, defaults, items, true)
			changed = changed || out.Items[i] != item
		}
	}
	if !changed {
		return v
	}
	return &out
}

// itemDefaults collects the defaults of the items of all arrays below a field.
func itemDefaults(field *jsonc.Value, into map[*jsonc.Value]*jsonc.Value) {
	if items := field.Get("items"); items.Is(jsonc.Object) {
		into[items] = defaultOf(items)
		itemDefaults(items, into)
	}
	if properties := field.Get("properties"); properties.Is(jsonc.Object) {
		for _, f := range properties.Members {
			itemDefaults(f.Value, into)
		}
	}
}

// Prefilled gives the input that a new project starts with: each field's
// prefill, and the default instead where a prefill has no meaning (booleans and
// hidden fields). It is "{}" when no field has either.
func (in *Schema) Prefilled() json.RawMessage {
	out := &jsonc.Value{Kind: jsonc.Object}
	for _, f := range in.fields {
		key := "prefill"
		if typ := f.Value.Get("type"); typ.Is(jsonc.String) && typ.Text == "boolean" {
			key = "default"
		}
		if editor := f.Value.Get("editor"); editor.Is(jsonc.String) && editor.Text == "hidden" {
			key = "default"
		}
		if v := f.Value.Get(key); v != nil {
			f.Value = v
			out.Members = append(out.Members, f)
		}
	}
	return out.JSON()
}
