package input

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/input/grammar"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
	"github.com/greenroom-dev/greenroom/internal/secret"
)

// custom makes the checks that JSON Schema has no words for: top-level fields
// with certain editors, and secrets that were encrypted for another schema.
// Complaints about one field are joined.
//
// A required array must also hold something, unless the schema says otherwise
// with a default or minItems. The official library knows nothing of that: the
// platform puts "minItems": 1 into the schema before it asks the library.
func (in *Schema) custom(input *jsonc.Value) (all []found) {
	for _, f := range in.special {
		value := input.Get(f.Name)
		if value == nil {
			continue
		}
		if f.filled && value.Kind == jsonc.Array && len(value.Items) == 0 {
			at := grammar.Dotted("/" + jsonc.PointerPart(f.Name))
			text := cmp.Or(ownMessage(f.Value, "minItems"), "Field input."+at+" must NOT have fewer than 1 items")
			all = append(all, found{FieldError{Field: at, Message: text}, f.Name})
		}
		var texts []string
		switch {
		case f.editor == "proxy":
			texts = checkProxy("input."+f.Name, value, f.required)
		case f.editor == "requestListSources":
			texts = checkSources("input."+f.Name, value)
		}
		if f.secret && value.Kind == jsonc.String && isStale(f.Value, value.Text) {
			texts = append(texts, "The field schema.properties."+f.Name+" is a secret field, but its schema has changed. "+
				"Please update the value in the input editor.")
		}
		if len(texts) > 0 {
			all = append(all, found{FieldError{Field: f.Name, Message: strings.Join(texts, ", ")}, f.Name})
		}
	}
	return all
}

// special is a top-level field for which there is more to judge than JSON Schema
// has words for.
type special struct {
	jsonc.Member
	editor           string
	required, secret bool
	// filled says that an empty array will not do.
	filled bool
}

// specials finds them.
func specials(root *jsonc.Value, fields []jsonc.Member) (list []special) {
	required := make(map[string]bool)
	if names := root.Get("required"); names != nil {
		for _, name := range names.Items {
			required[name.Text] = true
		}
	}
	for _, f := range fields {
		s := special{Member: f, required: required[f.Name], secret: f.Value.Get("isSecret").True()}
		switch editor := f.Value.Get("editor"); {
		case !editor.Is(jsonc.String):
		case editor.Text == "proxy", editor.Text == "requestListSources":
			s.editor = editor.Text
		}
		typ := f.Value.Get("type")
		s.filled = s.required && typ.Is(jsonc.String) && typ.Text == "array" &&
			f.Value.Get("default") == nil && f.Value.Get("minItems") == nil
		if s.editor != "" || s.secret || s.filled {
			list = append(list, s)
		}
	}
	return list
}

// checkSources names the items that are no source of requests.
func checkSources(at string, value *jsonc.Value) []string {
	var bad []string
	for i, item := range value.Items {
		url, from := item.Get("url"), item.Get("requestsFromUrl")
		if !jsvalue.Truthy(url) && !jsvalue.Truthy(from) || jsvalue.Truthy(url) && !isHTTP(url) || jsvalue.Truthy(from) && !isHTTP(from) {
			bad = append(bad, strconv.Itoa(i))
		}
	}
	if bad == nil {
		return nil
	}
	return []string{"Items in " + at + " at positions [" + strings.Join(bad, ",") + "] do not contain valid URLs"}
}

func isHTTP(url *jsonc.Value) bool {
	scheme, _, found := strings.Cut(url.Text, "://")
	return url.Kind == jsonc.String && found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// isStale reports whether a value was encrypted for another schema of the field.
func isStale(field *jsonc.Value, text string) bool {
	v, ok := secret.Read(text)
	if typ := field.Get("type"); ok && !v.JSON && typ.Is(jsonc.String) && typ.Text != "string" {
		return false // no value of this field at all, which its type tells
	}
	return ok && v.SchemaHash != "" && v.SchemaHash != secretHash(field)
}
