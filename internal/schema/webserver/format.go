package webserver

import (
	"encoding/json"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
)

// formats are the formats of JSON Schema that OpenAPI asks of its own fields.
var formats = sync.OnceValue(func() map[string]*jsonschema.Schema {
	out := map[string]*jsonschema.Schema{}
	for _, name := range []string{"uri-reference", "uri", "email"} {
		text, err := json.Marshal(map[string]string{"format": name})
		if err != nil {
			continue // strings always marshal
		}
		doc, err := jsonc.Parse(name, text)
		if err != nil {
			continue // what was marshalled can be read
		}
		out[name], _ = jsonschema.Compile(doc, doc.Root, jsonschema.Options{Formats: true})
	}
	return out
})

// format is a string of a format; noun says it in words.
func format(name, noun string) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Kind != jsonc.String {
			c.wrongType(v, at, noun)
			return
		}
		if s := formats()[name]; s != nil && len(s.Validate(v)) > 0 {
			c.fault(ruleValue, v, at, "%s must be %s, found %s", at, noun, describe(v))
		}
	}
}

var (
	link  = format("uri-reference", "a URL")
	uri   = format("uri", "a full URL")
	email = format("email", "an email address")
)

// pattern is a regular expression of JavaScript.
func pattern(c *checker, v *jsonc.Value, at *place) {
	if v.Kind != jsonc.String {
		c.wrongType(v, at, "a regular expression")
		return
	}
	if _, err := ecma.Compile(v.Text); err != nil {
		c.fault(ruleValue, v, at, "%s is not a regular expression: %s", at, err)
	}
}
