package input

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/input/grammar"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/secret"
)

// Validate judges an input and returns every complaint: in the order of the
// schema's fields, then as the value is read; what concerns no field of the
// schema comes last. The input should have its defaults already (WithDefaults).
// The error is for what is no JSON at all.
func (in *Schema) Validate(input json.RawMessage) ([]FieldError, error) {
	v, err := parseInput(input)
	if err != nil {
		return nil, err
	}
	if v.Kind != jsonc.Object {
		return []FieldError{{Message: "Field input must be object"}}, nil
	}
	var all []found
	for _, e := range in.compiled.Validate(v) {
		if f := in.complaint(e); !in.isEncrypted(e, f.top) {
			all = append(all, f)
		}
	}
	return in.arrange(append(all, in.custom(v)...)), nil
}

// found is a complaint and the top-level field it belongs to.
type found struct {
	FieldError
	top string
}

// complaint says an error in the platform's words, or in the schema's own: an
// errorMessage for the keyword replaces the text and is about the value as a whole.
func (in *Schema) complaint(e jsonschema.Error) found {
	w := grammar.Say(e, "input")
	f := found{FieldError{Field: w.Field, Message: w.Text}, topOf(e.InstancePath)}
	if f.top == "" {
		f.top = w.Member
	}
	if own := ownMessage(e.Schema, e.Keyword); own != "" {
		f.FieldError = FieldError{Field: grammar.Dotted(e.InstancePath), Message: own}
	}
	return f
}

// ownMessage gives a field's errorMessage for the keyword, or "".
func ownMessage(field *jsonc.Value, keyword string) string {
	if own := field.Get("errorMessage").Get(keyword); own.Is(jsonc.String) {
		return own.Text
	}
	return ""
}

// topOf gives the name of the top-level field that a JSON Pointer leads into.
func topOf(pointer string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return jsonc.PointerName(name)
}

// isEncrypted reports whether an error is about the type of a secret object or
// array, which arrives as one encrypted string.
func (in *Schema) isEncrypted(e jsonschema.Error, top string) bool {
	if e.Keyword != "type" || !e.Instance.Is(jsonc.String) || e.Schema != in.root.Get("properties").Get(top) || !e.Schema.Get("isSecret").True() {
		return false
	}
	v, ok := secret.Read(e.Instance.Text)
	return ok && v.JSON
}

// arrange orders complaints by field and drops those that say the same again.
func (in *Schema) arrange(all []found) []FieldError {
	if len(all) == 0 {
		return nil
	}
	order := make(map[string]int)
	for i, m := range in.fields {
		order[m.Name] = i
	}
	rank := func(f found) int {
		if at, ok := order[f.top]; ok {
			return at
		}
		return len(order)
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(rank(a), rank(b)) })
	var faults []FieldError
	told := make(map[FieldError]bool)
	for _, f := range all {
		if !told[f.FieldError] {
			told[f.FieldError] = true
			faults = append(faults, f.FieldError)
		}
	}
	return faults
}
