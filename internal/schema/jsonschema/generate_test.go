package jsonschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// generator makes schemas and values that have to do with each other.
type generator struct {
	*rand.Rand
	draft   Draft
	formats bool
	// level is that of the definition being made, 0 for the main schema;
	// below is how often the schema has gone down into the value. Without
	// that only later definitions are referred to, lest there be a loop.
	level, below int
	// keywords, when set, are the only ones to use.
	keywords []string
}

// genProfiles are keywords that act together, to be tried without others.
var genProfiles = [][]string{
	nil, nil,
	{"properties", "patternProperties", "anyOf", "oneOf", "allOf", "if", "$ref", "dependentSchemas", "unevaluatedProperties", "unevaluatedProperties", "not", "additionalProperties"},
	{"items", "contains", "anyOf", "oneOf", "allOf", "if", "$ref", "unevaluatedItems", "unevaluatedItems", "uniqueItems", "not", "minItems"},
	{"type", "required", "properties", "items", "enum", "const", "minLength", "maximum", "pattern", "format", "uniqueItems", "additionalProperties"},
}

var (
	genNames    = []string{"a", "b", "c", "ab", "2", "10", "x~y/z"}
	genPatterns = []string{"^a", "b$", "^[a-c]+$", "\\d", "^(?!a)", ""}
	genStrings  = []string{"", "a", "b", "ab", "abc", "😀", "aé😀", "12", "x/y", "q\"\\\n"}
	genNumbers  = []string{"0", "1", "-1", "2", "2.0", "1.5", "3", "10", "0.1", "0.3", "1e2", "-0", "1e21", "1e-7", "12345678901234567890"}
	genTypes    = []string{"string", "number", "integer", "boolean", "null", "array", "object"}
)

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func quoteJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func (g *generator) list(least, most int, one func() string) string {
	parts := make([]string, least+g.IntN(most-least+1))
	for i := range parts {
		parts[i] = one()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (g *generator) object(least, most int, names []string, one func() string) string {
	order := g.Perm(len(names))
	var parts []string
	for _, i := range order[:min(len(order), least+g.IntN(most-least+1))] {
		parts = append(parts, quoteJSON(names[i])+":"+one())
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (g *generator) value(depth int) string {
	kinds := 7
	if depth <= 0 {
		kinds = 4
	}
	kind := g.IntN(kinds)
	if g.keywords != nil && depth > 1 && kind < 4 {
		kind += g.IntN(4)
	}
	switch kind {
	case 0:
		return quoteJSON(pick(g, genStrings))
	case 1:
		return pick(g, genNumbers)
	case 2:
		return pick(g, []string{"true", "false", "null"})
	case 3:
		if g.formats {
			return quoteJSON(g.formatted())
		}
		return quoteJSON(pick(g, genStrings))
	case 4:
		return g.list(0, 4, func() string { return g.value(depth - 1) })
	}
	return g.object(0, 4, genNames, func() string { return g.value(depth - 1) })
}

func (g *generator) uniqueNames() string {
	var names []string
	for _, i := range g.Perm(len(genNames))[:g.IntN(4)] {
		names = append(names, genNames[i])
	}
	if names == nil {
		return "[]"
	}
	return quoteJSON(names)
}

func (g *generator) schema(depth int) string {
	if depth <= 0 || g.chance(6) {
		leaf := g.IntN(8)
		if g.keywords != nil && g.chance(30) {
			leaf = 0
		}
		switch leaf {
		case 0:
			return "true"
		case 1:
			return "false"
		case 2:
			return "{}"
		case 3:
			return fmt.Sprintf(`{"type":%q}`, pick(g, genTypes))
		case 4:
			return fmt.Sprintf(`{"type":%q,"nullable":true}`, pick(g, genTypes))
		case 5:
			return `{"const":` + g.value(1) + "}"
		case 6:
			return `{"title":"nothing"}`
		}
		return `{"$ref":` + quoteJSON(g.ref()) + "}"
	}
	var parts []string
	used := map[string]bool{}
	for range 1 + g.IntN(4) {
		name, value := g.keyword(depth - 1)
		if used[name] {
			continue
		}
		used[name] = true
		parts = append(parts, quoteJSON(name)+":"+value)
		switch {
		case name == "if":
			if g.chance(80) {
				parts = append(parts, `"then":`+g.schema(depth-1))
			}
			if g.chance(60) {
				parts = append(parts, `"else":`+g.schema(depth-1))
			}
		case name == "contains" && g.chance(50):
			parts = append(parts, `"minContains":`+pick(g, []string{"0", "1", "2"}))
			if g.chance(60) {
				parts = append(parts, `"maxContains":`+pick(g, []string{"0", "1", "2"}))
			}
		case name == "items" && g.chance(30) && !used["additionalItems"]:
			used["additionalItems"] = true
			parts = append(parts, `"additionalItems":`+g.lower(depth-1))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

var genRefs = []string{"#", "#/definitions/d1", "#/definitions/d2", "#/definitions/d3", "#/definitions/d4", "#/definitions/d%35"}

func (g *generator) ref() string {
	if g.below > 0 || g.chance(1) {
		return pick(g, genRefs)
	}
	if g.level == len(genRefs)-1 {
		return "#/definitions/leaf"
	}
	return pick(g, genRefs[g.level+1:])
}

// lower gives a schema for a part of the value.
func (g *generator) lower(depth int) string {
	g.below++
	defer func() { g.below-- }()
	return g.schema(depth)
}

func (g *generator) schemas(depth int) string {
	return g.list(1, 3, func() string { return g.schema(depth) })
}

// keyword gives a keyword and a value for it.
func (g *generator) keyword(depth int) (string, string) {
	one := func() string { return g.schema(depth) }
	lower := func() string { return g.lower(depth) }
	all := []string{"type", "type", "type", "enum", "const", "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum",
		"multipleOf", "maxLength", "minLength", "pattern", "maxItems", "minItems", "items", "items", "items", "contains", "contains", "uniqueItems",
		"maxProperties", "minProperties", "required", "properties", "properties", "properties", "patternProperties", "additionalProperties",
		"propertyNames", "dependencies", "allOf", "anyOf", "oneOf", "not", "if", "$ref", "$ref", "$comment", "unknown"}
	if g.draft == Draft201909 {
		all = append(all, "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedProperties", "unevaluatedProperties", "unevaluatedItems", "unevaluatedItems")
	}
	if g.formats {
		all = append(all, "format", "format")
	}
	if g.keywords != nil {
		all = slices.DeleteFunc(slices.Clone(g.keywords), func(name string) bool { return !slices.Contains(all, name) })
	}
	name := pick(g, all)
	switch name {
	case "type":
		if g.chance(70) {
			return name, quoteJSON(pick(g, genTypes))
		}
		var types []string
		for _, i := range g.Perm(len(genTypes))[:1+g.IntN(3)] {
			types = append(types, genTypes[i])
		}
		return name, quoteJSON(types)
	case "enum":
		seen := map[string]bool{}
		var values []string
		for range 1 + g.IntN(4) {
			v := g.value(1)
			if key := canonical(v); !seen[key] {
				seen[key] = true
				values = append(values, v)
			}
		}
		return name, "[" + strings.Join(values, ",") + "]"
	case "const", "unknown":
		return name, g.value(2)
	case "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum":
		return name, pick(g, genNumbers)
	case "multipleOf":
		return name, pick(g, []string{"1", "2", "0.1", "0.5", "1e-7", "3"})
	case "maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties":
		return name, pick(g, []string{"0", "1", "2", "3", "2.0"})
	case "pattern":
		return name, quoteJSON(pick(g, genPatterns))
	case "format":
		return name, quoteJSON(pick(g, genFormats))
	case "items":
		if g.chance(40) {
			return name, g.list(1, 3, lower)
		}
		return name, lower()
	case "uniqueItems":
		return name, pick(g, []string{"true", "true", "false"})
	case "required":
		return name, g.uniqueNames()
	case "properties":
		return name, g.object(0, 3, genNames, lower)
	case "dependentSchemas":
		return name, g.object(0, 3, genNames, one)
	case "dependentRequired":
		return name, g.object(0, 3, genNames, g.uniqueNames)
	case "dependencies":
		return name, g.object(0, 3, genNames, func() string {
			if g.chance(50) {
				return g.uniqueNames()
			}
			return one()
		})
	case "patternProperties":
		return name, g.object(1, 2, genPatterns, lower)
	case "allOf", "anyOf", "oneOf":
		return name, g.schemas(depth)
	case "$ref":
		return name, quoteJSON(g.ref())
	case "$comment":
		return name, `"c"`
	}
	switch name {
	case "not", "if":
		return name, one()
	}
	return name, lower() // a keyword with one schema for parts
}

// document makes a whole schema, with the definitions that references want.
func (g *generator) document() string {
	body := g.schema(4)
	if !strings.HasPrefix(body, "{") {
		return body
	}
	definitions := []string{`"leaf":{"type":["string","array"]}`}
	for i := range genRefs[1:] {
		g.level = i + 1
		definition := g.schema(1 + i%3)
		if g.level == 4 {
			definition = `{"$ref":"#/definitions/d%35"}`
		}
		definitions = append(definitions, fmt.Sprintf(`"d%d":%s`, g.level, definition))
	}
	sep := ","
	if body == "{}" {
		sep = ""
	}
	return strings.TrimSuffix(body, "}") + sep + `"definitions":{` + strings.Join(definitions, ",") + "}}"
}

func canonical(text string) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return quoteJSON(v)
}

// genFormats are the formats, with texts that fit or nearly do.
var (
	genSamples = map[string][]string{
		"date":                      {"2020-02-29", "2021-02-29", "1900-02-29", "2020-13-01", "0000-01-01", "2020-1-1", "2020-04-31"},
		"time":                      {"12:00:00Z", "12:00:00", "23:59:60Z", "00:59:60+01:00", "24:00:00Z", "12:00:00.5-0130", "12:00:60Z", "12:00:00+24:00"},
		"date-time":                 {"2020-01-01T00:00:00Z", "2020-01-01 00:00:00z", "2020-01-01t00:00:00", "2020-01-01T00:00:00Z ", "2020-01-01TT00:00:00Z"},
		"iso-time":                  {"12:00:00", "12:00"},
		"iso-date-time":             {"2020-01-01T00:00:00", "2020-01-01"},
		"duration":                  {"P1Y", "P", "PT", "P1YT1M", "P1W", "P1W1D", "PT1S", "P1D1Y"},
		"uri":                       {"http://a.b/c?d#e", "urn:x:y", "a/b", "http://[::1]:80/", "http://[v1.x]/", "http://u:p@h/%20", "http://h/%2", "mailto:a@b.c", "x:", "http:///a", "http://[1:2:3:4:5:6:1.2.3.4]"},
		"uri-reference":             {"", "/a", "../a?b", "#x", "//h", "a b", "\\a", "a:b:c", "?%zz"},
		"uri-template":              {"/a/{b}", "/a/{b", "{?x,y*}", "{b:3}", "{b:0}", "{+p}/\"", "é"},
		"url":                       {"http://a.bc", "https://a.b", "ftp://u:p@a.bc:80/x", "http://10.0.0.1", "http://1.2.3.4", "http://1.2.3.0", "http://@a.bc", "http://@@a.bc", "http://x/@a.bc/ y", "http://é.čz", "http://a-b.c-d.ef", "http://a_b.cd", "http://172.15.1.1", "http://172.16.1.1:8080/"},
		"email":                     {"a@b.c", "a.b@c-d.e", "a..b@c.d", "a@b", "A@B.C", "a@-b.c", "é@b.c", "a'b@c.d", "ſ@b.c"},
		"hostname":                  {"a", "a.b", "a..b", "-a", "a-", "a.b.", ".", "", "a.b..", strings.Repeat("a", 64), strings.Repeat("a.", 127), "K.a"},
		"ipv4":                      {"1.2.3.4", "01.2.3.4", "256.1.1.1", "1.2.3", "1.2.3.4.5"},
		"ipv6":                      {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::1:2:3:4:5:6:7", "1::2::3", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "::1.2.3", "12345::", "1:2:3:4:5:6:1.2.3.4", ":1", "1:2:3:4:5:6:7:1.2.3.4"},
		"regex":                     {"a", "[", "(", "a\\Z", "\\Z", "\\\\Z", "*", "(?<=a)b", "a{2,1}"},
		"uuid":                      {"00000000-0000-0000-0000-000000000000", "URN:UUID:00000000-0000-0000-0000-00000000000A", "0000"},
		"json-pointer":              {"", "/", "/a~0", "/a~2", "a", "/a/~1"},
		"json-pointer-uri-fragment": {"#", "#/a%20", "#/a b", "#a", "#/~0", "#/~2"},
		"relative-json-pointer":     {"0", "1#", "01", "1/a", "#", "1/~0"},
		"byte":                      {"", "YQ==", "YQ=", "YWJj", "!", "!\nYQ==", "!\n", "!\r\n!", "a"},
		"int32":                     {"x"}, "int64": {"x"}, "float": {"x"}, "double": {"x"}, "password": {"x"}, "binary": {"x"},
		"nonsense": {"x"},
	}
	genFormats = slices.Sorted(maps.Keys(genSamples))
)

// formatted gives a text for some format, at times with a character changed.
func (g *generator) formatted() string { return g.changed(pick(g, genSamples[pick(g, genFormats)])) }

// changed gives a text with perhaps some characters changed.
func (g *generator) changed(sample string) string {
	text := []rune(sample)
	for len(text) > 0 && g.chance(25) {
		at := g.IntN(len(text))
		switch other := pick(g, []rune("a1Z:/.-@% ~é#?[]{}=\\\n")); g.IntN(3) {
		case 0:
			text[at] = other
		case 1:
			text = slices.Insert(text, at, other)
		case 2:
			text = slices.Delete(text, at, at+1)
		}
	}
	return string(text)
}
