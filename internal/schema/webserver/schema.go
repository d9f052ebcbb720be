package webserver

import (
	"math/big"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// schema is a Schema Object: in 3.0 a dialect of its own, or a reference; in 3.1
// a JSON Schema, which may be a boolean and have a reference among its keywords.
func schema(c *checker, v *jsonc.Value, at *place) {
	if c.v31 && v.Kind == jsonc.Boolean {
		return
	}
	if !c.v31 && v.Get("$ref") != nil {
		c.reference("schema", v, at)
		return
	}
	if v.Kind != jsonc.Object {
		if c.v31 && c.schemas == 0 {
			c.wrongType(v, at, "a schema: an object, true or false")
		} else {
			c.wrongType(v, at, "a schema, which is an object")
		}
		return
	}
	outer := c.references.base
	if c.v31 && textOf(v.Get("$id")) != "" {
		c.references.base = v
	}
	c.schemas++
	defer func() { c.schemas--; c.references.base = outer }()
	c.object(c.objects["schema"], v, at)
}

// count is a whole number that is not negative.
func count(c *checker, v *jsonc.Value, at *place) {
	if !isCount(v) {
		c.fault(ruleType, v, at, "%s must be a whole number, 0 or more, found %s", at, describe(v))
	}
}

func isCount(v *jsonc.Value) bool {
	if v.Kind != jsonc.Number || strings.HasPrefix(v.Text, "-") && strings.Trim(v.Text, "-0.") != "" {
		return false
	}
	if !strings.ContainsAny(v.Text, ".eE") {
		return true
	}
	// The exponent may be huge; what does not fit a float is no sensible count.
	f, _, err := big.ParseFloat(v.Text, 10, 64, big.ToNearestEven)
	return err == nil && !f.IsInf() && f.IsInt()
}

func positive(c *checker, v *jsonc.Value, at *place) {
	if v.Kind != jsonc.Number || strings.HasPrefix(v.Text, "-") || strings.Trim(strings.FieldsFunc(v.Text, func(r rune) bool { return r == 'e' || r == 'E' })[0], "0.") == "" {
		c.fault(ruleType, v, at, "%s must be a number above 0, found %s", at, describe(v))
	}
}

// names is a list of names, none of them twice.
func names(c *checker, v *jsonc.Value, at *place) {
	list(text)(c, v, at)
	seen := map[string]bool{}
	for _, item := range v.Items {
		if item.Kind == jsonc.String && seen[item.Text] {
			c.fault(ruleValue, item, at, "%s names %q twice", at, item.Text)
		}
		seen[item.Text] = true
	}
}

// schemaOrBoolean is what additionalProperties takes in 3.0.
func schemaOrBoolean(c *checker, v *jsonc.Value, at *place) {
	if v.Kind != jsonc.Boolean {
		schema(c, v, at)
	}
}

// schema30 is the dialect of version 3.0.
func schema30() *object {
	return &object{
		noun: "a schema of OpenAPI 3.0", keys: "the keywords that it took over from JSON Schema",
		fields: map[string]shape{
			"title": text, "description": text, "format": text, "pattern": pattern,
			"multipleOf": positive, "maximum": number, "minimum": number, "exclusiveMaximum": boolean, "exclusiveMinimum": boolean,
			"maxLength": count, "minLength": count, "maxItems": count, "minItems": count, "maxProperties": count, "minProperties": count,
			"uniqueItems": boolean, "nullable": boolean, "readOnly": boolean, "writeOnly": boolean, "deprecated": boolean,
			"required": filled(names), "enum": filled(list(anything)),
			"type": oneOf("array", "boolean", "integer", "number", "object", "string"),
			"not":  schema, "allOf": list(schema), "oneOf": list(schema), "anyOf": list(schema), "items": schema,
			"properties": mapOf(schema), "additionalProperties": schemaOrBoolean,
			"default": anything, "example": anything, "discriminator": is("discriminator"), "externalDocs": is("externalDocs"), "xml": is("xml"),
		},
		rules: []shape{func(c *checker, v *jsonc.Value, at *place) {
			if typ := v.Get("type"); typ.Is(jsonc.String) && typ.Text == "array" && v.Get("items") == nil {
				c.warn(ruleJSONSchema, v, at, "%s is an array without items, which OpenAPI 3.0 asks for", at)
			}
		}},
	}
}

// jsonTypes are the types of JSON Schema.
var jsonTypes = []string{"array", "boolean", "integer", "null", "number", "object", "string"}

func typeOrTypes(c *checker, v *jsonc.Value, at *place) {
	if v.Kind == jsonc.Array {
		filled(names)(c, v, at)
		for _, item := range v.Items {
			if item.Kind == jsonc.String && !slices.Contains(jsonTypes, item.Text) {
				oneOf(jsonTypes...)(c, item, at)
			}
		}
		return
	}
	oneOf(jsonTypes...)(c, v, at)
}

// schema31 is JSON Schema 2020-12 with the keywords that OpenAPI adds. Keywords
// it does not know are annotations, and anything may stand in them.
func schema31() *object {
	schemas := filled(list(schema))
	return &object{
		noun: "a schema", open: true,
		fields: map[string]shape{
			"$id": link, "$schema": uri, "$anchor": text, "$dynamicAnchor": text, "$dynamicRef": text, "$comment": text,
			"$defs": mapOf(schema), "definitions": mapOf(schema),
			"$ref":  func(c *checker, v *jsonc.Value, at *place) { c.referenceText("schema", v, at) },
			"title": text, "description": text, "format": text, "pattern": pattern,
			"contentEncoding": text, "contentMediaType": text, "contentSchema": schema,
			"multipleOf": positive, "maximum": number, "minimum": number, "exclusiveMaximum": number, "exclusiveMinimum": number,
			"maxLength": count, "minLength": count, "maxItems": count, "minItems": count, "maxProperties": count, "minProperties": count,
			"maxContains": count, "minContains": count,
			"uniqueItems": boolean, "readOnly": boolean, "writeOnly": boolean, "deprecated": boolean,
			"required": names, "enum": list(anything), "const": anything, "type": typeOrTypes,
			"not": schema, "if": schema, "then": schema, "else": schema, "contains": schema, "propertyNames": schema,
			"allOf": schemas, "oneOf": schemas, "anyOf": schemas, "prefixItems": schemas, "items": schema,
			"properties": mapOf(schema), "patternProperties": mapOf(schema), "dependentSchemas": mapOf(schema), "dependentRequired": mapOf(names),
			"additionalProperties": schema, "unevaluatedItems": schema, "unevaluatedProperties": schema,
			"examples": list(anything), "discriminator": is("discriminator"), "externalDocs": is("externalDocs"), "xml": is("xml"),
		},
		rules: []shape{func(c *checker, v *jsonc.Value, at *place) {
			if v.Get("nullable") != nil {
				c.warn(ruleJSONSchema, v, at, `%s: "nullable" has no effect in OpenAPI 3.1, which takes "null" as a type`, at)
			}
		}},
	}
}
