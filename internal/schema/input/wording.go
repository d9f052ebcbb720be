package input

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
)

// worded is an error in the platform's words.
type worded struct {
	// field is the path that the text names, with dots.
	field, text string
	// member is the name of the member that is missing or should not be there.
	member string
}

// word says an error as the platform does; root is the name of the whole
// ("input", "schema.properties.url").
func word(e jsonschema.Error, root string) worded {
	var params struct{ MissingProperty, AdditionalProperty, UnevaluatedProperty string }
	text := e.Message
	switch e.Keyword {
	case "required", "additionalProperties", "unevaluatedProperties":
		// These have nothing else in their params, one of the three.
		_ = json.Unmarshal(e.Params, &params)
		member := params.MissingProperty + params.AdditionalProperty + params.UnevaluatedProperty
		field := dotted(e.InstancePath + "/" + member)
		if e.Keyword == "required" {
			return worded{field, "Field " + root + "." + field + " is required", member}
		}
		return worded{field, "Property " + root + "." + field + " is not allowed.", member}
	case "enum":
		text += allowedValues(e.Schema.Get("enum"))
	}
	field := dotted(e.InstancePath)
	return worded{field, "Field " + root + "." + field + " " + text, ""}
}

// allowedValues is what the platform adds to the message about an enum.
func allowedValues(enum *jsonc.Value) string { return `: "` + strings.Join(texts(enum), `", "`) + `"` }

// dotted makes a path of dots from one of slashes, as the platform does: names
// stay escaped.
func dotted(path string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/", ".")
}

// branch is the place of a rule inside an alternative.
var branch = regexp.MustCompile(`/(?:oneOf|anyOf)/\d+/`)

// best gives the error that the platform tells of: the first that is no matter
// of alternatives.
func best(errors []jsonschema.Error) jsonschema.Error {
	for _, e := range errors {
		if e.Keyword != "oneOf" && e.Keyword != "anyOf" && !branch.MatchString(e.SchemaPath) {
			return e
		}
	}
	return errors[0]
}

// wordBest says the best of the errors that stopped an evaluation by definition.
// Where it is about an enum of one alternative, the platform names the values
// that all alternatives together allow.
func wordBest(definition, v *jsonc.Value, errors []jsonschema.Error, root string) (jsonschema.Error, worded) {
	e := best(errors)
	w := word(e, root)
	name := strings.TrimPrefix(e.InstancePath, "/")
	if e.Keyword != "enum" || !branch.MatchString(e.SchemaPath) || name == "" || strings.Contains(name, "/") {
		return e, w
	}
	enum := definition.Get("properties").Get(name).Get("enum")
	if enum.Is(jsonc.Array) && !contains(enum, v.Get(name)) {
		w.text = "Field " + root + "." + w.field + " " + e.Message + allowedValues(enum)
	}
	return e, w
}

func contains(list, v *jsonc.Value) bool {
	for _, item := range list.Items {
		if v != nil && equal(item, v) {
			return true
		}
	}
	return false
}
