package webserver

import (
	"maps"
	"regexp"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

var (
	statusCode    = regexp.MustCompile(`^[1-5](?:[0-9]{2}|XX)$`)
	componentName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)
)

// sections are the parts of components, with the kind of what they hold.
var sections = map[string]string{
	"schemas": "schema", "responses": "response", "parameters": "parameter", "examples": "example",
	"requestBodies": "requestBody", "headers": "header", "securitySchemes": "securityScheme",
	"links": "link", "callbacks": "callback", "pathItems": "pathItem",
}

// orReference is an object of a kind, or a reference to one.
func orReference(kind string) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Get("$ref") != nil {
			c.reference(kind, v, at)
			return
		}
		c.object(c.objects[kind], v, at)
	}
}

var (
	kinds30 = sync.OnceValue(func() map[string]*object { return kinds(false) })
	kinds31 = sync.OnceValue(func() map[string]*object { return kinds(true) })
)

// kinds gives the objects of a version by name.
func kinds(v31 bool) map[string]*object {
	parameters := list(orReference("parameter"))
	examples := mapOf(orReference("example"))
	headers := mapOf(orReference("header"))
	content := mapOf(is("mediaType"))
	oneContent := both(content, func(c *checker, v *jsonc.Value, at *place) {
		if n := len(v.Unique()); v.Kind == jsonc.Object && n != 1 {
			c.fault(ruleValue, v, at, "%s must have exactly one media type, found %d", at, n)
		}
	})
	scopes := mapOf(text)
	flow := func(noun string, urls ...string) *object {
		o := &object{noun: noun, required: append(urls, "scopes"), fields: map[string]shape{"refreshUrl": link, "scopes": scopes}}
		for _, name := range urls {
			o.fields[name] = link
		}
		return o
	}
	all := map[string]*object{
		"document": {
			noun: "an OpenAPI document", required: []string{"info"},
			fields: map[string]shape{
				"openapi": anything, "info": is("info"), "servers": list(is("server")), "paths": is("paths"),
				"components": is("components"), "security": list(requirement), "tags": tags, "externalDocs": is("externalDocs"),
			},
		},
		"info": {
			noun: "the info object", required: []string{"title", "version"},
			fields: map[string]shape{
				"title": text, "description": text, "termsOfService": link, "contact": is("contact"), "license": is("license"), "version": text,
			},
		},
		"contact": {noun: "a contact", fields: map[string]shape{"name": text, "url": link, "email": email}},
		"license": {noun: "a license", required: []string{"name"}, fields: map[string]shape{"name": text, "url": link}},
		"server": {
			noun: "a server", required: []string{"url"},
			fields: map[string]shape{"url": text, "description": text, "variables": mapOf(is("serverVariable"))},
			rules:  []shape{serverVariables},
		},
		"serverVariable": {
			noun: "a server variable", required: []string{"default"},
			fields: map[string]shape{"enum": list(text), "default": text, "description": text},
			rules:  []shape{serverDefault},
		},
		"components": {noun: "the components object", fields: map[string]shape{}},
		"paths": {
			noun: "the paths object", keys: `paths that begin with "/"`,
			others: func(name string) (shape, bool) { return is("pathItem"), strings.HasPrefix(name, "/") },
			rules:  []shape{paths},
		},
		"pathItem": {
			noun: "a path item",
			fields: map[string]shape{
				"$ref":    func(c *checker, v *jsonc.Value, at *place) { c.referenceText("pathItem", v, at) },
				"summary": text, "description": text, "servers": list(is("server")), "parameters": parameters,
			},
			rules: []shape{duplicateParameters},
		},
		"operation": {
			noun: "an operation",
			fields: map[string]shape{
				"tags": list(text), "summary": text, "description": text, "externalDocs": is("externalDocs"), "operationId": operationID,
				"parameters": parameters, "requestBody": orReference("requestBody"), "responses": is("responses"),
				"callbacks": mapOf(orReference("callback")), "deprecated": boolean, "security": list(requirement), "servers": list(is("server")),
			},
			rules: []shape{duplicateParameters},
		},
		"externalDocs": {noun: "external documentation", required: []string{"url"}, fields: map[string]shape{"description": text, "url": link}},
		"parameter": {
			noun: "a parameter", required: []string{"name", "in"},
			fields: map[string]shape{
				"name": text, "in": oneOf("query", "header", "path", "cookie"), "description": text, "required": boolean, "deprecated": boolean,
				"allowEmptyValue": boolean, "style": text, "explode": boolean, "allowReserved": boolean,
				"schema": schema, "content": oneContent, "example": anything, "examples": examples,
			},
			rules: []shape{schemaOrContent, parameterLocation},
		},
		"header": {
			noun: "a header",
			fields: map[string]shape{
				"description": text, "required": boolean, "deprecated": boolean, "style": oneOf("simple"), "explode": boolean,
				"schema": schema, "content": oneContent, "example": anything, "examples": examples,
			},
			rules: []shape{schemaOrContent},
		},
		"requestBody": {
			noun: "a request body", required: []string{"content"},
			fields: map[string]shape{"description": text, "content": content, "required": boolean},
		},
		"mediaType": {
			noun:   "a media type",
			fields: map[string]shape{"schema": schema, "example": anything, "examples": examples, "encoding": mapOf(is("encoding"))},
			rules:  []shape{exampleOrExamples},
		},
		"encoding": {
			noun: "an encoding",
			fields: map[string]shape{
				"contentType": text, "headers": headers, "style": oneOf("form", "spaceDelimited", "pipeDelimited", "deepObject"),
				"explode": boolean, "allowReserved": boolean,
			},
		},
		"responses": {
			noun: "the responses object", keys: `default and status codes such as "200" or "4XX"`,
			fields: map[string]shape{"default": orReference("response")},
			others: func(name string) (shape, bool) { return orReference("response"), statusCode.MatchString(name) },
			rules:  []shape{responses},
		},
		"response": {
			noun: "a response", required: []string{"description"},
			fields: map[string]shape{"description": text, "headers": headers, "content": content, "links": mapOf(orReference("link"))},
		},
		"callback": {
			noun: "a callback", keys: "expressions",
			others: func(string) (shape, bool) { return is("pathItem"), true },
		},
		"example": {
			noun:   "an example",
			fields: map[string]shape{"summary": text, "description": text, "value": anything, "externalValue": link},
			rules:  []shape{exampleValue},
		},
		"link": {
			noun: "a link",
			fields: map[string]shape{
				"operationRef": link, "operationId": text, "parameters": mapOf(anything), "requestBody": anything,
				"description": text, "server": is("server"),
			},
			rules: []shape{linkTarget},
		},
		"tag": {noun: "a tag", required: []string{"name"}, fields: map[string]shape{"name": text, "description": text, "externalDocs": is("externalDocs")}},
		"securityScheme": {
			noun: "a security scheme", required: []string{"type"},
			fields: map[string]shape{
				"type": oneOf("apiKey", "http", "oauth2", "openIdConnect"), "description": text, "name": text,
				"in": oneOf("query", "header", "cookie"), "scheme": text, "bearerFormat": text, "flows": is("flows"), "openIdConnectUrl": link,
			},
			rules: []shape{securityScheme},
		},
		"flows": {
			noun: "the flows object",
			fields: map[string]shape{
				"implicit": is("implicit"), "password": is("password"), "clientCredentials": is("clientCredentials"), "authorizationCode": is("authorizationCode"),
			},
		},
		"implicit":          flow("an implicit flow", "authorizationUrl"),
		"password":          flow("a password flow", "tokenUrl"),
		"clientCredentials": flow("a client credentials flow", "tokenUrl"),
		"authorizationCode": flow("an authorization code flow", "authorizationUrl", "tokenUrl"),
		"discriminator": {
			noun: "a discriminator", required: []string{"propertyName"}, open: true,
			fields: map[string]shape{"propertyName": text, "mapping": mapOf(text)},
		},
		"xml": {
			noun:   "an xml object",
			fields: map[string]shape{"name": text, "namespace": uri, "prefix": text, "attribute": boolean, "wrapped": boolean},
		},
	}
	for _, method := range methods {
		all["pathItem"].fields[method] = is("operation")
	}
	for section, kind := range sections {
		of := orReference(kind)
		switch kind {
		case "schema":
			of = schema
		case "pathItem":
			of = is(kind)
		}
		all["components"].fields[section] = components(of)
	}
	if v31 {
		kinds31Only(all)
	} else {
		kinds30Only(all)
	}
	return all
}

// kinds30Only makes the objects those of version 3.0.
func kinds30Only(all map[string]*object) {
	all["document"].required = append(all["document"].required, "paths")
	delete(all["components"].fields, "pathItems")
	all["operation"].required = []string{"responses"}
	header := all["header"].fields
	header["allowEmptyValue"], header["allowReserved"] = boolean, boolean
	all["schema"] = schema30()
}

// kinds31Only makes the objects those of version 3.1.
func kinds31Only(all map[string]*object) {
	maps.Copy(all["document"].fields, map[string]shape{"webhooks": mapOf(is("pathItem")), "jsonSchemaDialect": link})
	all["document"].rules = append(all["document"].rules, somethingToDescribe)
	all["info"].fields["summary"] = text
	all["license"].fields["identifier"] = text
	all["license"].rules = append(all["license"].rules, exclusive("identifier", "url"))
	all["serverVariable"].fields["enum"] = filled(list(text))
	all["securityScheme"].fields["type"] = oneOf("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect")
	all["schema"] = schema31()
}

// components is one section of the components object.
func components(of shape) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Kind != jsonc.Object {
			c.wrongType(v, at, "an object")
			return
		}
		for _, m := range v.Unique() {
			if !componentName.MatchString(m.Name) {
				c.faultAt(ruleComponentName, m.At, at.in(m.Name), "%s: the name %q may have letters, digits, dots, hyphens and underscores only", at, m.Name)
				continue
			}
			of(c, m.Value, at.in(m.Name))
		}
	}
}
