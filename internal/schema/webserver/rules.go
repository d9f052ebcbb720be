package webserver

import (
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

var (
	version   = regexp.MustCompile(`^3\.(0\.[0-9]|1\.[0-9]+)(-.+)?$`)
	mustaches = regexp.MustCompile(`\{([^{}]*)\}`)
)

// document judges everything.
func (c *checker) document() {
	if c.root.Kind != jsonc.Object {
		c.wrongType(c.root, nil, "an OpenAPI document, which is an object")
		return
	}
	if !c.version() {
		return
	}
	c.references.collect(c.root)
	c.operationIDs = map[string]*place{}
	c.object(c.objects["document"], c.root, nil)
	c.loops()
	c.linkedOperations()
	c.requiredSchemes()
}

// version finds out which rules hold, and reports whether there are any.
func (c *checker) version() bool {
	v, at := c.root.Get("openapi"), (*place)(nil).in("openapi")
	switch {
	case v == nil && c.root.Get("swagger") != nil:
		c.fault(ruleVersion, c.root.Get("swagger"), (*place)(nil).in("swagger"),
			"this is a Swagger %s document; a web server schema must be OpenAPI 3.0 or 3.1: convert it first", strings.Trim(describe(c.root.Get("swagger")), `"`))
		return false
	case v == nil:
		c.fault(ruleVersion, c.root, at, `openapi is required: it names the version of OpenAPI, such as "3.1.0"`)
		return false
	case v.Kind != jsonc.String:
		c.fault(ruleVersion, v, at, `openapi must be the version as a string, such as "3.1.0", found %s`, describe(v))
		return false
	case !version.MatchString(v.Text):
		c.fault(ruleVersion, v, at, `openapi must be a version 3.0.x or 3.1.x, such as "3.1.0", found %s`, describe(v))
	}
	switch {
	case strings.HasPrefix(v.Text, "3.0"):
		c.objects = kinds30()
	case strings.HasPrefix(v.Text, "3.1"):
		c.objects, c.v31 = kinds31(), true
	}
	return c.objects != nil
}

func somethingToDescribe(c *checker, v *jsonc.Value, at *place) {
	if v.Get("paths") == nil && v.Get("components") == nil && v.Get("webhooks") == nil {
		c.fault(ruleRequired, v, at, "%s must have paths, components or webhooks", at)
	}
}

func tags(c *checker, v *jsonc.Value, at *place) {
	list(is("tag"))(c, v, at)
	seen := map[string]bool{}
	for _, tag := range v.Items {
		if name := tag.Get("name"); name.Is(jsonc.String) {
			if seen[name.Text] {
				c.fault(ruleTag, name, at, "%s has the tag %q twice", at, name.Text)
			}
			seen[name.Text] = true
		}
	}
}

// serverVariables warns of an address that nobody can fill in. It is no fault:
// the platform replaces the servers.
func serverVariables(c *checker, v *jsonc.Value, at *place) {
	url := v.Get("url")
	if !url.Is(jsonc.String) {
		return
	}
	for _, found := range mustaches.FindAllStringSubmatch(url.Text, -1) {
		if v.Get("variables").Get(found[1]) == nil {
			c.warn(ruleServer, url, at.in("url"), "%s has the variable %q, which is not among the variables", at.in("url"), found[1])
		}
	}
}

func serverDefault(c *checker, v *jsonc.Value, at *place) {
	value, allowed := v.Get("default"), v.Get("enum")
	if value.Is(jsonc.String) && allowed.Is(jsonc.Array) && len(allowed.Items) > 0 &&
		!slices.ContainsFunc(allowed.Items, func(one *jsonc.Value) bool { return one.Text == value.Text }) {
		c.warn(ruleServer, value, at.in("default"), "%s is %s, which is not in the enum", at.in("default"), describe(value))
	}
}

// paths judges path templates and the parameters that they need.
func paths(c *checker, v *jsonc.Value, at *place) {
	shapes := map[string]string{}
	for _, m := range v.Unique() {
		if !strings.HasPrefix(m.Name, "/") {
			continue
		}
		here := at.in(m.Name)
		var wanted []string
		for _, found := range mustaches.FindAllStringSubmatch(m.Name, -1) {
			wanted = append(wanted, found[1])
		}
		if rest := mustaches.ReplaceAllString(m.Name, ""); strings.ContainsAny(rest, "{}") {
			c.faultAt(rulePath, m.At, here, "%s has a brace that is not closed or not opened", here)
			continue
		}
		general := mustaches.ReplaceAllString(m.Name, "{}")
		if other, ok := shapes[general]; ok && other != m.Name {
			c.faultAt(rulePath, m.At, here, "%s and %s are the same path: they differ in the names of parameters only", here, at.in(other))
		}
		shapes[general] = m.Name
		c.pathParameters(m.Value, here, wanted)
	}
}

// pathParameters compares the parameters of a path item and its operations with
// what its template has.
func (c *checker) pathParameters(item *jsonc.Value, at *place, wanted []string) {
	shared, complete := c.declared(item, at, wanted)
	if item.Get("$ref") != nil {
		complete = false // what it refers to may declare them
	}
	for _, method := range methods {
		operation := item.Get(method)
		if !operation.Is(jsonc.Object) {
			continue
		}
		own, all := c.declared(operation, at.in(method), wanted)
		if !complete || !all {
			continue
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(wanted))) {
			if !shared[name] && !own[name] {
				c.fault(rulePathParameter, operation, at.in(method), "%s must declare the path parameter %q", at.in(method), name)
			}
		}
	}
}

// declared gives the path parameters that an operation or path item declares,
// and reports those that the template lacks. complete is false when some lie
// outside of the document or cannot be read.
func (c *checker) declared(v *jsonc.Value, at *place, wanted []string) (names map[string]bool, complete bool) {
	names, complete = map[string]bool{}, true
	list := v.Get("parameters")
	if list != nil && list.Kind != jsonc.Array {
		return names, false
	}
	if list == nil {
		return names, true
	}
	for _, item := range list.Items {
		p := c.follow(item)
		name, in := p.Get("name"), p.Get("in")
		if !name.Is(jsonc.String) || !in.Is(jsonc.String) {
			complete = false
			continue
		}
		if in.Text != "path" {
			continue
		}
		names[name.Text] = true
		if !slices.Contains(wanted, name.Text) {
			c.fault(rulePathParameter, item, at.in("parameters"), "%s has the path parameter %q, which is not in the path: {%s}",
				at.in("parameters"), name.Text, name.Text)
		}
	}
	return names, complete
}

func duplicateParameters(c *checker, v *jsonc.Value, at *place) {
	list := v.Get("parameters")
	if !list.Is(jsonc.Array) {
		return
	}
	seen := map[string]bool{}
	for _, item := range list.Items {
		p := c.follow(item)
		name, in := p.Get("name"), p.Get("in")
		key := string(item.JSON()) // what cannot be followed can still be there twice
		if name.Is(jsonc.String) && in.Is(jsonc.String) {
			key = in.Text + " " + name.Text
		}
		if seen[key] {
			c.fault(ruleDuplicate, item, at.in("parameters"), "%s has a parameter twice: %s", at.in("parameters"), key)
		}
		seen[key] = true
	}
}

// schemaOrContent holds for parameters and headers.
func schemaOrContent(c *checker, v *jsonc.Value, at *place) {
	content := v.Get("content")
	switch {
	case content == nil && v.Get("schema") == nil:
		c.fault(ruleRequired, v, at, "%s must have a schema or a content", at)
	case content != nil:
		for _, name := range []string{"schema", "style", "explode", "allowReserved", "example", "examples"} {
			if v.Get(name) != nil {
				c.fault(ruleExclusive, v.Get(name), at.in(name), "%s must not stand beside content", at.in(name))
			}
		}
		return
	}
	exampleOrExamples(c, v, at)
}

// exampleOrExamples is a fault in 3.0. The published schema of 3.1 lets both
// pass, though the text does not.
func exampleOrExamples(c *checker, v *jsonc.Value, at *place) {
	switch {
	case v.Get("example") == nil || v.Get("examples") == nil:
	case c.v31:
		c.warn(ruleExclusive, v, at, "%s must not have both example and examples", at)
	default:
		c.fault(ruleExclusive, v, at, "%s must not have both example and examples", at)
	}
}

// styles are what a parameter's style may be.
var styles = map[string][]string{
	"path":   {"matrix", "label", "simple"},
	"query":  {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
	"header": {"simple"},
	"cookie": {"form"},
}

func parameterLocation(c *checker, v *jsonc.Value, at *place) {
	in := v.Get("in")
	if !in.Is(jsonc.String) || styles[in.Text] == nil {
		return
	}
	if style := v.Get("style"); style != nil {
		oneOf(styles[in.Text]...)(c, style, at.in("style"))
	}
	if in.Text == "path" && !v.Get("required").True() {
		c.fault(ruleParameter, v, at, "%s is a path parameter and must have required: true", at)
	}
	for _, name := range []string{"allowEmptyValue", "allowReserved"} {
		switch {
		case v.Get(name) == nil || in.Text == "query":
		case c.v31:
			c.fault(ruleUnknown, v.Get(name), at.in(name), "%s is for query parameters only", at.in(name))
		default:
			c.warn(ruleUnknown, v.Get(name), at.in(name), "%s has no effect: it is for query parameters only", at.in(name))
		}
	}
}

func responses(c *checker, v *jsonc.Value, at *place) {
	for _, m := range v.Members {
		if !strings.HasPrefix(m.Name, "x-") {
			return
		}
	}
	c.fault(ruleResponses, v, at, "%s must have at least one response", at)
}

func operationID(c *checker, v *jsonc.Value, at *place) {
	text(c, v, at)
	if v.Kind != jsonc.String {
		return
	}
	if first, ok := c.operationIDs[v.Text]; ok {
		c.fault(ruleOperationID, v, at, "%s is %s, which is the operationId of %s already", at, describe(v), first.up)
		return
	}
	c.operationIDs[v.Text] = at
}

func linkTarget(c *checker, v *jsonc.Value, at *place) {
	id, ref := v.Get("operationId"), v.Get("operationRef")
	switch {
	case id == nil && ref == nil:
		c.fault(ruleLink, v, at, "%s must have operationId or operationRef", at)
	case id != nil && ref != nil:
		c.fault(ruleExclusive, v, at, "%s must not have both operationId and operationRef", at)
	case id.Is(jsonc.String):
		c.links = append(c.links, found{id, at.in("operationId")})
	}
}

// linkedOperations reports links to operations that do not exist.
func (c *checker) linkedOperations() {
	for _, link := range c.links {
		if _, ok := c.operationIDs[link.value.Text]; !ok {
			c.fault(ruleLink, link.value, link.at, "%s is %s, which is the operationId of no operation", link.at, describe(link.value))
		}
	}
}

func exampleValue(c *checker, v *jsonc.Value, at *place) {
	if v.Get("value") != nil && v.Get("externalValue") != nil {
		c.fault(ruleExample, v, at, "%s must not have both value and externalValue", at)
	}
}

// schemeFields are the fields of the types of security scheme: the required
// ones first, then those that may be there.
var schemeFields = map[string][2][]string{
	"apiKey":        {{"name", "in"}, nil},
	"http":          {{"scheme"}, {"bearerFormat"}},
	"oauth2":        {{"flows"}, nil},
	"openIdConnect": {{"openIdConnectUrl"}, nil},
	"mutualTLS":     {},
}

func securityScheme(c *checker, v *jsonc.Value, at *place) {
	typ := v.Get("type")
	fields, ok := schemeFields[textOf(typ)]
	if !ok {
		return
	}
	for _, name := range fields[0] {
		if v.Get(name) == nil {
			c.fault(ruleRequired, v, at.in(name), "%s is required in a security scheme of type %s", at.in(name), typ.Text)
		}
	}
	for _, m := range v.Unique() {
		switch {
		case m.Name == "type" || m.Name == "description" || strings.HasPrefix(m.Name, "x-"):
		case slices.Contains(fields[0], m.Name):
		case !slices.Contains(fields[1], m.Name):
			if c.objects["securityScheme"].fields[m.Name] != nil { // others have been reported
				c.faultAt(ruleUnknown, m.At, at.in(m.Name), "%s is not a field of a security scheme of type %s", at.in(m.Name), typ.Text)
			}
		case m.Name == "bearerFormat" && !strings.EqualFold(textOf(v.Get("scheme")), "bearer"):
			c.faultAt(ruleUnknown, m.At, at.in(m.Name), "%s is for the scheme bearer only", at.in(m.Name))
		}
	}
}

// textOf gives a string's text, "" for anything else.
func textOf(v *jsonc.Value) string {
	if v.Is(jsonc.String) {
		return v.Text
	}
	return ""
}

// requirement is a security requirement; whether its schemes exist is seen when
// all of them are known.
func requirement(c *checker, v *jsonc.Value, at *place) {
	mapOf(list(text))(c, v, at)
	c.requirements = append(c.requirements, found{v, at})
}

func (c *checker) requiredSchemes() {
	schemes := c.root.Get("components").Get("securitySchemes")
	for _, one := range c.requirements {
		for _, m := range one.value.Unique() {
			if schemes.Get(m.Name) == nil {
				c.faultAt(ruleSecurity, m.At, one.at.in(m.Name), "%s: there is no security scheme %q in components.securitySchemes", one.at, m.Name)
			}
		}
	}
}
