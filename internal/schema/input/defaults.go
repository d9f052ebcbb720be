package input

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// WithDefaults gives the input with the schema's defaults in place of the keys
// it omits, as the platform does before it validates. Keys that are there keep
// their order and bytes; a key that is null is there.
//
// A field's own default stands before those of its sub-fields, which fill what
// it lacks. Sub-fields' defaults reach into objects that are there and into the
// objects of arrays that are there; they never bring an absent parent into being.
// An input that is not an object comes back as it is. It fails only when the
// input is not JSON.
func (in *Schema) WithDefaults(input json.RawMessage) (json.RawMessage, error) {
	v, err := parseInput(input)
	if err != nil {
		return nil, err
	}
	filled := fill(in.root, v)
	if filled == v && len(input) > 0 {
		return input, nil
	}
	return filled.JSON(), nil
}

// fill gives v with the defaults below field; v itself when nothing was missing.
func fill(field, v *jsonc.Value) *jsonc.Value {
	switch v.Kind {
	case jsonc.Object:
		return fillObject(field, v)
	case jsonc.Array:
		items := field.Get("items")
		if !items.Is(jsonc.Object) {
			return v
		}
		out := *v
		out.Items = make([]*jsonc.Value, len(v.Items))
		changed := false
		for i, item := range v.Items {
			out.Items[i] = fill(items, item)
			changed = changed || out.Items[i] != item
		}
		if changed {
			return &out
		}
	}
	return v
}

func fillObject(field, v *jsonc.Value) *jsonc.Value {
	properties := field.Get("properties")
	if !properties.Is(jsonc.Object) {
		return v
	}
	fields := properties.Unique()
	out := *v
	out.Members = v.Unique()
	changed := false
	have := make(map[string]bool, len(out.Members))
	for i, m := range out.Members {
		have[m.Name] = true
		sub := properties.Get(m.Name)
		if sub == nil {
			continue
		}
		if filled := fill(sub, m.Value); filled != m.Value {
			out.Members[i].Value, changed = filled, true
		}
	}
	for _, f := range fields {
		byDefault := f.Value.Get("default")
		if have[f.Name] || byDefault == nil {
			continue
		}
		f.Value = fill(f.Value, byDefault)
		out.Members, changed = append(out.Members, f), true
	}
	if !changed {
		return v
	}
	return &out
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
