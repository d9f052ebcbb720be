package jsonschema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// golden are AJV's errors, observed with version 8.17.1, one line for each:
// instancePath, schemaPath, params and message.
var golden = []struct {
	name, options, schema, value string
	want                         []string
}{
	{"type", "7", `{"type":"string"}`, `1`, []string{` #/type {"type":"string"} must be string`}},
	{"type list", "7", `{"type":["string","null"]}`, `1`, []string{` #/type {"type":["string","null"]} must be string,null`}},
	{"nullable", "7", `{"type":["string"],"nullable":true}`, `1`, []string{` #/type {"type":["string","null"]} must be string,null`}},
	{"nullable passes", "7", `{"type":"string","nullable":true}`, `null`, nil},
	{"infinity is an integer", "7", `{"type":"integer"}`, `1e999`, nil},
	{"1.0 is an integer", "7", `{"type":"integer"}`, `1.0`, nil},
	{"enum", "7", `{"enum":[1.0,{"b":1,"2":"x"}]}`, `2`, []string{` #/enum {"allowedValues":[1,{"2":"x","b":1}]} must be equal to one of the allowed values`}},
	{"const", "7", `{"const":{"a":[1]}}`, `{"a":[2]}`, []string{` #/const {"allowedValue":{"a":[1]}} must be equal to constant`}},
	{"maximum", "7", `{"maximum":1e21}`, `1e22`, []string{` #/maximum {"comparison":"<=","limit":1e+21} must be <= 1e+21`}},
	{"exclusiveMinimum", "7", `{"exclusiveMinimum":0}`, `0`, []string{` #/exclusiveMinimum {"comparison":">","limit":0} must be > 0`}},
	{"multipleOf", "7", `{"multipleOf":0.1}`, `0.3`, []string{` #/multipleOf {"multipleOf":0.1} must be multiple of 0.1`}},
	{"maxLength counts code points", "7", `{"maxLength":1}`, `"😀😀"`, []string{` #/maxLength {"limit":1} must NOT have more than 1 characters`}},
	{"pattern", "7", `{"pattern":"^\"a"}`, `"b"`, []string{` #/pattern {"pattern":"^\"a"} must match pattern "^"a"`}},
	{"format", "7f", `{"format":"date"}`, `"2021-02-29"`, []string{` #/format {"format":"date"} must match format "date"`}},
	{"format ignored", "7", `{"format":"date"}`, `"x"`, nil},
	{"items", "7a", `{"items":{"type":"string"}}`, `[1,"a",2]`, []string{`/0 #/items/type {"type":"string"} must be string`, `/2 #/items/type {"type":"string"} must be string`}},
	{"first error only", "7", `{"items":{"type":"string"}}`, `[1,"a",2]`, []string{`/0 #/items/type {"type":"string"} must be string`}},
	{"tuple", "7", `{"items":[true,{"type":"string"}],"additionalItems":false}`, `[1,"a",2]`, []string{` #/additionalItems {"limit":2} must NOT have more than 2 items`}},
	{"contains", "7a", `{"contains":{"const":1}}`, `[2]`, []string{`/0 #/contains/const {"allowedValue":1} must be equal to constant`, ` #/contains {"minContains":1} must contain at least 1 valid item(s)`}},
	{"contains forgets", "7", `{"contains":{"const":1}}`, `[2]`, []string{` #/contains {"minContains":1} must contain at least 1 valid item(s)`}},
	{"maxContains", "9", `{"contains":{"const":1},"maxContains":1}`, `[1,1]`, []string{` #/contains {"minContains":1,"maxContains":1} must contain at least 1 and no more than 1 valid item(s)`}},
	{"uniqueItems", "7", `{"uniqueItems":true}`, `[1,2,1,2]`, []string{` #/uniqueItems {"i":3,"j":1} must NOT have duplicate items (items ## 1 and 3 are identical)`}},
	{"uniqueItems of scalars", "7", `{"uniqueItems":true,"items":{"type":"number"}}`, `[1,2,1,2]`, []string{` #/uniqueItems {"i":1,"j":3} must NOT have duplicate items (items ## 3 and 1 are identical)`}},
	{"required", "7a", `{"required":["a","b"]}`, `{}`, []string{` #/required {"missingProperty":"a"} must have required property 'a'`, ` #/required {"missingProperty":"b"} must have required property 'b'`}},
	{"paths", "7a", `{"properties":{"a/b~ c":{"items":false}}}`, `{"a/b~ c":[0]}`, []string{`/a~1b~0 c/0 #/properties/a~1b~0%20c/items/false schema {} boolean schema is false`}},
	{"patternProperties", "7", `{"patternProperties":{"^x":{"type":"null"}}}`, `{"x1":1}`, []string{`/x1 #/patternProperties/%5Ex/type {"type":"null"} must be null`}},
	{"additionalProperties in JavaScript's order", "7a", `{"additionalProperties":false}`, `{"b":1,"10":1,"9":1}`, []string{
		` #/additionalProperties {"additionalProperty":"9"} must NOT have additional properties`,
		` #/additionalProperties {"additionalProperty":"10"} must NOT have additional properties`,
		` #/additionalProperties {"additionalProperty":"b"} must NOT have additional properties`}},
	{"propertyNames", "7", `{"propertyNames":{"maxLength":1}}`, `{"ab":1}`, []string{` #/propertyNames/maxLength {"limit":1} must NOT have more than 1 characters`, ` #/propertyNames {"propertyName":"ab"} property name must be valid`}},
	{"dependencies", "7", `{"dependencies":{"a":["b","c"]}}`, `{"a":1,"b":1}`, []string{` #/dependencies {"property":"a","missingProperty":"c","depsCount":2,"deps":"b, c"} must have properties b, c when property a is present`}},
	{"dependentSchemas", "9", `{"dependentSchemas":{"a":{"maxProperties":1}}}`, `{"a":1,"b":1}`, []string{` #/dependentSchemas/a/maxProperties {"limit":1} must NOT have more than 1 properties`}},
	{"anyOf", "7", `{"anyOf":[{"type":"string"},{"minimum":3}]}`, `1`, []string{` #/anyOf/0/type {"type":"string"} must be string`, ` #/anyOf/1/minimum {"comparison":">=","limit":3} must be >= 3`, ` #/anyOf {} must match a schema in anyOf`}},
	{"oneOf", "7", `{"oneOf":[{"type":"number"},{"minimum":0}]}`, `1`, []string{` #/oneOf {"passingSchemas":[0,1]} must match exactly one schema in oneOf`}},
	{"not", "7", `{"not":{"type":"number"}}`, `1`, []string{` #/not {} must NOT be valid`}},
	{"if", "7a", `{"if":{"type":"number"},"then":{"minimum":2}}`, `1`, []string{` #/then/minimum {"comparison":">=","limit":2} must be >= 2`, ` #/if {"failingKeyword":"then"} must match "then" schema`}},
	{"inlined reference", "7", `{"items":{"$ref":"#/definitions/a"},"definitions":{"a":{"type":"null"}}}`, `[1]`, []string{`/0 #/definitions/a/type {"type":"null"} must be null`}},
	{"called reference", "7", `{"items":{"$ref":"#/definitions/a"},"definitions":{"a":{"items":{"$ref":"#"},"type":"null"}}}`, `[1]`, []string{`/0 #/type {"type":"null"} must be null`}},
	{"reference by id", "7", `{"$id":"http://x/y","items":{"$ref":"z"},"definitions":{"a":{"$id":"z","type":"null"}}}`, `[1]`, []string{`/0 z/type {"type":"null"} must be null`}},
	{"reference to an anchor", "9", `{"items":{"$ref":"#n"},"$defs":{"a":{"$anchor":"n","type":"null"}}}`, `[1]`, []string{`/0 #n/type {"type":"null"} must be null`}},
	{"reference to the meta-schema", "7", `{"items":{"$ref":"http://json-schema.org/draft-07/schema#"}}`, `[{"minLength":-1}]`, []string{`/0/minLength #/definitions/nonNegativeInteger/minimum {"comparison":">=","limit":0} must be >= 0`}},
	{"recursion", "9", `{"$recursiveAnchor":true,"type":"object","additionalProperties":{"$recursiveRef":"#"}}`, `{"a":{"b":1}}`, []string{`/a/b #/type {"type":"object"} must be object`}},
	{"unevaluatedProperties", "9a", `{"properties":{"a":true},"anyOf":[{"properties":{"b":true}},{"required":["c"],"properties":{"c":true}}],"unevaluatedProperties":false}`, `{"a":1,"b":1,"d":1}`, []string{` #/unevaluatedProperties {"unevaluatedProperty":"d"} must NOT have unevaluated properties`}},
	{"unevaluatedItems", "9", `{"items":[true],"unevaluatedItems":false}`, `[1,2]`, []string{` #/unevaluatedItems {"limit":1} must NOT have more than 1 items`}},
	{"duplicate members", "7", `{"minProperties":2,"properties":{"a":{"type":"string"}}}`, `{"a":1,"a":"x"}`, []string{` #/minProperties {"limit":2} must NOT have fewer than 2 properties`}},
	{"false", "7a", `false`, `1`, []string{` #/false schema {} boolean schema is false`}},
	{"unknown in 07", "7", `{"minContains":5,"dependentRequired":{"a":["b"]},"unevaluatedProperties":false}`, `{"a":1}`, nil},
}

// optionsOf reads "7" or "9", then "a" for all errors and "f" for formats.
func optionsOf(text string) Options {
	opts := Options{AllErrors: strings.Contains(text, "a"), Formats: strings.Contains(text, "f")}
	if text[0] == '9' {
		opts.Draft = Draft201909
	}
	return opts
}

func TestKeywords(t *testing.T) {
	for _, test := range golden {
		t.Run(test.name, func(t *testing.T) {
			errs, err := compileText(t, test.schema, optionsOf(test.options)).ValidateJSON([]byte(test.value))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range errs {
				if !strings.HasSuffix(e.SchemaPath, "/"+e.Keyword) || e.Schema == nil || e.Instance == nil || !json.Valid(e.Params) {
					t.Errorf("incomplete: %+v", e)
				}
				got = append(got, e.InstancePath+" "+e.SchemaPath+" "+string(e.Params)+" "+e.Message)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(test.want, "\n "))
			}
		})
	}
}

// TestKeywordsAgree holds the table against AJV itself.
func TestKeywordsAgree(t *testing.T) {
	var trials []trial
	for _, test := range golden {
		opts := optionsOf(test.options)
		c := trial{Draft: 7, Formats: opts.Formats, AllErrors: opts.AllErrors, Schema: json.RawMessage(test.schema), Values: []json.RawMessage{json.RawMessage(test.value)}}
		if opts.Draft == Draft201909 {
			c.Draft = 2019
		}
		trials = append(trials, c)
	}
	for i, v := range ajv(t, trials) {
		if difference := compare(t, &trials[i], v); difference != "" {
			t.Errorf("%s: %s", golden[i].name, difference)
		}
	}
}
