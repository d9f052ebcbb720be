package grammar

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
)

// Words are an error in the platform's words.
type Words struct {
	// Field is the path that the text names, with dots.
	Field, Text string
	// Member is the name of the member that is missing or should not be there.
	Member string
}

// Say says an error as the platform does; root is the name of the whole
// ("input", "schema.properties.url").
func Say(e jsonschema.Error, root string) Words {
	var params struct{ MissingProperty, AdditionalProperty, UnevaluatedProperty string }
	text := e.Message
	switch e.Keyword {
	case "required", "additionalProperties", "unevaluatedProperties":
		// These have nothing else in their params, one of the three.
		_ = json.Unmarshal(e.Params, &params)
		member := params.MissingProperty + params.AdditionalProperty + params.UnevaluatedProperty
		field := Dotted(e.InstancePath + "/" + member)
		if e.Keyword == "required" {
			return Words{field, "Field " + root + "." + field + " is required", member}
		}
		return Words{field, "Property " + root + "." + field + " is not allowed.", member}
	case "enum":
		text += allowedValues(e.Schema.Get("enum"))
	}
	field := Dotted(e.InstancePath)
	return Words{field, "Field " + root + "." + field + " " + text, ""}
}

// allowedValues is what the platform adds to the message about an enum.
func allowedValues(enum *jsonc.Value) string { return `: "` + strings.Join(texts(enum), `", "`) + `"` }

// Dotted makes a path of dots from one of slashes, as the platform does: names
// stay escaped.
func Dotted(path string) string {
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

// sayBest says the best of the errors that stopped an evaluation by definition.
// Where it is about an enum of one alternative, the platform names the values
// that all alternatives together allow.
func sayBest(definition, v *jsonc.Value, errors []jsonschema.Error, root string) (jsonschema.Error, Words) {
	e := best(errors)
	w := Say(e, root)
	name := strings.TrimPrefix(e.InstancePath, "/")
	if e.Keyword != "enum" || !branch.MatchString(e.SchemaPath) || name == "" || strings.Contains(name, "/") {
		return e, w
	}
	enum := definition.Get("properties").Get(name).Get("enum")
	if enum.Is(jsonc.Array) && !contains(enum, v.Get(name)) {
		w.Text = "Field " + root + "." + w.Field + " " + e.Message + allowedValues(enum)
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
