package input

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/schema/input/grammar"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// withFields makes an input schema of the properties and more root keys, both
// given as JSON. It is not checked, so that cases can leave out what does not
// matter to them.
func withFields(t testing.TB, properties, more string) *Schema {
	t.Helper()
	if more != "" {
		more = "," + more
	}
	doc, err := jsonc.Parse("schema.json", fmt.Appendf(nil, `{"title":"t","type":"object","schemaVersion":1,"properties":%s%s}`, properties, more))
	if err != nil {
		t.Fatal(err)
	}
	inputs, faults := jsonschema.Compile(doc, doc.Root, grammar.Options)
	if err := faults.Err("the schema"); err != nil {
		t.Fatal(err)
	}
	return newSchema(doc, doc.Root, inputs)
}

// The texts are what @apify/input_schema 3.29.2 with AJV says of the same schema
// and input, except where the name of a case tells otherwise.
func TestValidateMessages(t *testing.T) {
	const proxy = `{"p":{"type":"object","editor":"proxy"}}`
	const badURL = " has invalid format, it must be socks[4|4a|5|5h]|http[s]://[username[:password]]@hostname:port."
	tests := []struct {
		name, properties, more, input string
		// want are "field: message".
		want []string
	}{
		{"valid", `{"a":{"type":"string"}}`, `"required":["a"]`, `{"a":"x","other":1}`, nil},
		{"required array", `{"a":{"type":"array"}}`, `"required":["a"]`, `{"a":[]}`, []string{"a: Field input.a must NOT have fewer than 1 items"}},
		{"required array with a message", `{"a":{"type":"array","errorMessage":{"minItems":"Give some"}}}`, `"required":["a"]`, `{"a":[]}`, []string{"a: Give some"}},
		{"required array that may be empty", `{"a":{"type":"array","minItems":0}}`, `"required":["a"]`, `{"a":[]}`, nil},
		{"required array that is empty by default", `{"a":{"type":"array","default":[]}}`, `"required":["a"]`, `{"a":[]}`, nil},
		{"array that is not required", `{"a":{"type":"array"}}`, ``, `{"a":[]}`, nil},
		{"no properties at all", `{}`, ``, `{}`, nil},
		{"required", `{"a":{"type":"string"}}`, `"required":["a"]`, `{}`, []string{"a: Field input.a is required"}},
		{"required and null", `{"a":{"type":"string"}}`, `"required":["a"]`, `{"a":null}`, []string{"a: Field input.a must be string"}},
		{"required proxy, told once", proxy, `"required":["p"]`, `{}`, []string{"p: Field input.p is required"}},
		{"string", `{"a":{"type":"string"}}`, ``, `{"a":1}`, []string{"a: Field input.a must be string"}},
		{"integer", `{"a":{"type":"integer"}}`, ``, `{"a":1.2}`, []string{"a: Field input.a must be integer"}},
		{"integer with a fraction of zero", `{"a":{"type":"integer"}}`, ``, `{"a":1.0}`, nil},
		{"integer in exponent form", `{"a":{"type":"integer"}}`, ``, `{"a":1e3}`, nil},
		{"number", `{"a":{"type":"number"}}`, ``, `{"a":"1"}`, []string{"a: Field input.a must be number"}},
		{"boolean", `{"a":{"type":"boolean"}}`, ``, `{"a":"true"}`, []string{"a: Field input.a must be boolean"}},
		{"object", `{"a":{"type":"object"}}`, ``, `{"a":[]}`, []string{"a: Field input.a must be object"}},
		{"array", `{"a":{"type":"array"}}`, ``, `{"a":{}}`, []string{"a: Field input.a must be array"}},
		{"several types", `{"a":{"type":["string","integer"]}}`, ``, `{"a":true}`, []string{"a: Field input.a must be string,integer"}},
		{"one of several types", `{"a":{"type":["string","integer"]}}`, ``, `{"a":3}`, nil},
		{"nullable", `{"a":{"type":"string","nullable":true}}`, ``, `{"a":null}`, nil},
		{"nullable items", `{"a":{"type":"array","items":{"type":"string","nullable":true}}}`, ``, `{"a":[null]}`, nil},
		{"nullable does not reach enum", `{"a":{"type":"string","nullable":true,"enum":["a"]}}`, ``, `{"a":null}`,
			[]string{`a: Field input.a must be equal to one of the allowed values: "a"`}},
		{"enum", `{"a":{"type":"string","enum":["a","b"]}}`, ``, `{"a":"c"}`,
			[]string{`a: Field input.a must be equal to one of the allowed values: "a", "b"`}},
		{"enum of items", `{"a":{"type":"array","editor":"select","items":{"type":"string","enum":["a","b"]}}}`, ``, `{"a":["a","c"]}`,
			[]string{`a.1: Field input.a.1 must be equal to one of the allowed values: "a", "b"`}},
		{"pattern", `{"a":{"type":"string","pattern":"^(?!a)b"}}`, ``, `{"a":"ab"}`, []string{`a: Field input.a must match pattern "^(?!a)b"`}},
		{"minLength counts characters", `{"a":{"type":"string","minLength":3}}`, ``, `{"a":"😀😀"}`,
			[]string{"a: Field input.a must NOT have fewer than 3 characters"}},
		{"maxLength", `{"a":{"type":"string","maxLength":1}}`, ``, `{"a":"xx"}`, []string{"a: Field input.a must NOT have more than 1 characters"}},
		{"all of a string's faults", `{"a":{"type":"string","minLength":3,"maxLength":1,"pattern":"^b","enum":["b"]}}`, ``, `{"a":"xx"}`, []string{
			`a: Field input.a must be equal to one of the allowed values: "b"`,
			"a: Field input.a must NOT have more than 1 characters",
			"a: Field input.a must NOT have fewer than 3 characters",
			`a: Field input.a must match pattern "^b"`,
		}},
		{"minimum", `{"a":{"type":"integer","minimum":1.5}}`, ``, `{"a":1}`, []string{"a: Field input.a must be >= 1.5"}},
		{"maximum", `{"a":{"type":"integer","maximum":10}}`, ``, `{"a":11}`, []string{"a: Field input.a must be <= 10"}},
		{"limits are inclusive", `{"a":{"type":"integer","minimum":1,"maximum":1}}`, ``, `{"a":1}`, nil},
		{"small limit", `{"a":{"type":"number","minimum":1e-7}}`, ``, `{"a":1e-8}`, []string{"a: Field input.a must be >= 1e-7"}},
		{"large limit", `{"a":{"type":"number","maximum":1e21}}`, ``, `{"a":1e22}`, []string{"a: Field input.a must be <= 1e+21"}},
		{"minItems", `{"a":{"type":"array","minItems":2}}`, ``, `{"a":[1]}`, []string{"a: Field input.a must NOT have fewer than 2 items"}},
		{"maxItems", `{"a":{"type":"array","maxItems":0}}`, ``, `{"a":[1]}`, []string{"a: Field input.a must NOT have more than 0 items"}},
		{"minProperties", `{"a":{"type":"object","minProperties":2}}`, ``, `{"a":{}}`, []string{"a: Field input.a must NOT have fewer than 2 properties"}},
		{"maxProperties", `{"a":{"type":"object","maxProperties":0}}`, ``, `{"a":{"b":1}}`, []string{"a: Field input.a must NOT have more than 0 properties"}},
		{"uniqueItems", `{"a":{"type":"array","uniqueItems":true}}`, ``, `{"a":[1,2,1,3,2,3,1]}`,
			[]string{"a: Field input.a must NOT have duplicate items (items ## 2 and 6 are identical)"}},
		{"uniqueItems of scalars", `{"a":{"type":"array","uniqueItems":true,"items":{"type":"integer"}}}`, ``, `{"a":[1,2,1,3,2,3,1]}`,
			[]string{"a: Field input.a must NOT have duplicate items (items ## 5 and 3 are identical)"}},
		{"uniqueItems of two scalar types", `{"a":{"type":"array","uniqueItems":true,"items":{"type":["integer","string"]}}}`, ``, `{"a":[1,"1",1,"1","x"]}`,
			[]string{"a: Field input.a must NOT have duplicate items (items ## 3 and 1 are identical)"}},
		{"uniqueItems of nullable scalars", `{"a":{"type":"array","uniqueItems":true,"items":{"type":"integer","nullable":true}}}`, ``, `{"a":[1,null,null]}`,
			[]string{"a: Field input.a must NOT have duplicate items (items ## 2 and 1 are identical)"}},
		{"uniqueItems passes over items of a wrong type", `{"a":{"type":"array","uniqueItems":true,"items":{"type":"integer"}}}`, ``, `{"a":["a","a",1.0,1]}`, []string{
			"a.0: Field input.a.0 must be integer", "a.1: Field input.a.1 must be integer",
			"a: Field input.a must NOT have duplicate items (items ## 3 and 2 are identical)",
		}},
		{"uniqueItems knows equal objects", `{"a":{"type":"array","uniqueItems":true}}`, ``, `{"a":[{"a":1,"b":2},{"b":2,"a":1.0}]}`,
			[]string{"a: Field input.a must NOT have duplicate items (items ## 0 and 1 are identical)"}},
		{"uniqueItems knows that minus zero is zero", `{"a":{"type":"array","uniqueItems":true}}`, ``, `{"a":[0,-0.0]}`,
			[]string{"a: Field input.a must NOT have duplicate items (items ## 0 and 1 are identical)"}},
		{"additional key", `{"s":{"type":"string"}}`, `"additionalProperties":false`, `{"s":"x","y":1}`, []string{"y: Property input.y is not allowed."}},
		{"additional key below", `{"a":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"k":{"type":"string"}}}}}`, ``, `{"a":[{"z":1,"k":2}]}`,
			[]string{"a.0.z: Property input.a.0.z is not allowed.", "a.0.k: Field input.a.0.k must be string"}},
		{"nested", `{"a":{"type":"object","required":["z"],"additionalProperties":false,"minProperties":5,"properties":{"q":{"type":"integer"}}}}`, ``, `{"a":{"q":"x","w":1}}`, []string{
			"a: Field input.a must NOT have fewer than 5 properties", "a.z: Field input.a.z is required",
			"a.w: Property input.a.w is not allowed.", "a.q: Field input.a.q must be integer",
		}},
		{"required below an absent object", `{"a":{"type":"object","required":["z"]}}`, ``, `{}`, nil},
		{"names with slashes and tildes", `{"a/b":{"type":"string"},"c~d":{"type":"string"},"e.f":{"type":"string"}}`, ``, `{"a/b":1,"c~d":1,"e.f":1}`, []string{
			"a~1b: Field input.a~1b must be string", "c~0d: Field input.c~0d must be string", "e.f: Field input.e.f must be string",
		}},
		{"in the order of the schema, the unknown last", `{"b":{"type":"string"},"a":{"type":"integer"},"c":{"type":"string"}}`,
			`"required":["c","b"],"additionalProperties":false`, `{"z":1,"a":"x"}`, []string{
				"b: Field input.b is required", "a: Field input.a must be integer", "c: Field input.c is required", "z: Property input.z is not allowed.",
			}},

		{"errorMessage", `{"a":{"type":"string","enum":["a"],"errorMessage":{"enum":"bad enum","type":"bad type"}}}`, ``, `{"a":1}`, []string{"a: bad type", "a: bad enum"}},
		{"empty errorMessage", `{"a":{"type":"string","enum":["a"],"errorMessage":{"enum":""}}}`, ``, `{"a":"b"}`,
			[]string{`a: Field input.a must be equal to one of the allowed values: "a"`}},
		{"errorMessage below", `{"a":{"type":"object","properties":{"r":{"type":"integer","minimum":3,"errorMessage":{"minimum":"too small"}}}}}`, ``, `{"a":{"r":1}}`,
			[]string{"a.r: too small"}},
		{"errorMessage of items", `{"a":{"type":"array","items":{"type":"string","errorMessage":{"type":"in item"}},"errorMessage":{"type":"outer"}}}`, ``, `{"a":[1]}`,
			[]string{"a.0: in item"}},
		{"errorMessage for keys", `{"a":{"type":"object","required":["q"],"errorMessage":{"required":"need q","additionalProperties":"nope"},"additionalProperties":false}}`, ``, `{"a":{"b":1}}`,
			[]string{"a: need q", "a: nope"}},

		{"proxy unset", proxy, ``, `{"p":{}}`, nil},
		{"required proxy unset", proxy, `"required":["p"]`, `{"p":{"useApifyProxy":false}}`,
			[]string{"p: Field input.p is required. Please provide custom proxy URLs or use Apify Proxy."}},
		{"required proxy without URLs", proxy, `"required":["p"]`, `{"p":{"proxyUrls":[]}}`,
			[]string{"p: Field input.p is required. Please provide custom proxy URLs or use Apify Proxy."}},
		{"required proxy with a country alone", proxy, `"required":["p"]`, `{"p":{"apifyProxyCountry":"US"}}`,
			[]string{"p: Field input.p is required. Please provide custom proxy URLs or use Apify Proxy."}},
		{"good custom proxies", proxy, `"required":["p"]`,
			`{"p":{"proxyUrls":["http://a.b:1","http://u:p@a.b:1","http://u@a.b:1","http://:p@a.b:1","socks://h.x:9","socks4://h.x:9","socks4a://h.x:9","socks5h://h.x:9","https://1.2.3.4:80"," http://a.b:1 ",""]}}`, nil},
		{"proxies on this machine, which the platform refuses", proxy, ``, `{"p":{"proxyUrls":["http://localhost:8000","http://proxy:8000","http://[::1]:80"]}}`, nil},
		{"bad custom proxy", proxy, ``, `{"p":{"proxyUrls":["http://a.b:1","ftp://x.y:1"]}}`, []string{`p: Proxy URL "ftp://x.y:1"` + badURL}},
		{"bad custom proxies, of which the platform names the last", proxy, ``, `{"p":{"proxyUrls":["a","http://a.b","http://a.b:1/","HTTP://a.b:1","socks3://a.b:1","http://u:p@q@a.b:1",5]}}`,
			[]string{`p: Proxy URL "a"` + badURL + `, Proxy URL "http://a.b"` + badURL + `, Proxy URL "http://a.b:1/"` + badURL + `, Proxy URL "HTTP://a.b:1"` + badURL +
				`, Proxy URL "socks3://a.b:1"` + badURL + `, Proxy URL "http://u:p@q@a.b:1"` + badURL + `, Proxy URL "5"` + badURL}},
		{"custom proxies do not matter beside Apify Proxy", proxy, ``, `{"p":{"useApifyProxy":true,"proxyUrls":["bad"]}}`, nil},
		{"country without Apify Proxy", proxy, ``, `{"p":{"apifyProxyCountry":"XX"}}`,
			[]string{"p: The country for Apify Proxy can be specified only when using Apify Proxy."}},
		{"two complaints of one field", proxy, ``, `{"p":{"apifyProxyCountry":"US","proxyUrls":["bad"]}}`,
			[]string{`p: Proxy URL "bad"` + badURL + ", The country for Apify Proxy can be specified only when using Apify Proxy."}},
		{"country", proxy, ``, `{"p":{"useApifyProxy":true,"apifyProxyCountry":"XK"}}`, nil},
		{"no country", proxy, ``, `{"p":{"useApifyProxy":true,"apifyProxyCountry":""}}`, nil},
		{"bad country", proxy, ``, `{"p":{"useApifyProxy":true,"apifyProxyCountry":"us"}}`,
			[]string{`p: Country code "us" is invalid. Only ISO 3166-1 alpha-2 country codes are supported.`}},
		{"country that is a piece of the list", proxy, ``, `{"p":{"useApifyProxy":true,"apifyProxyCountry":"UM US"}}`,
			[]string{`p: Country code "UM US" is invalid. Only ISO 3166-1 alpha-2 country codes are supported.`}},
		{"bad groups", proxy, ``, `{"p":{"useApifyProxy":true,"apifyProxyGroups":["A",1],"apifyProxyCountry":"XX"}}`,
			[]string{`p: Country code "XX" is invalid. Only ISO 3166-1 alpha-2 country codes are supported., Field input.p.apifyProxyGroups must be an array of strings.`}},
		{"no groups", proxy, ``, `{"p":{"useApifyProxy":true,"apifyProxyGroups":null}}`, nil},
		{"proxy of a wrong type", proxy, ``, `{"p":[]}`, []string{"p: Field input.p must be object"}},

		{"sources", `{"u":{"type":"array","editor":"requestListSources"}}`, ``,
			`{"u":[{"url":"http://a"},{"url":"x"},null,{},{"requestsFromUrl":"HTTPS://q"},{"requestsFromUrl":"x"},"http://a",5,{"url":""},{"url":5},{"url":" http://a"},{"url":"x","requestsFromUrl":"http://a"},{"url":"","requestsFromUrl":"http://a"}]}`,
			[]string{"u: Items in input.u at positions [1,2,3,5,6,7,8,9,10,11] do not contain valid URLs"}},
		{"empty sources", `{"u":{"type":"array","editor":"requestListSources"}}`, ``, `{"u":[]}`, nil},

		{"secret string", `{"s":{"type":"string","isSecret":true}}`, ``, `{"s":"ENCRYPTED_VALUE:aaaa:bbbb"}`, nil},
		{"secret object", `{"s":{"type":"object","isSecret":true,"title":"x","editor":"json"}}`, ``, `{"s":"ENCRYPTED_JSON:5be0c04285:aaaa:bbbb"}`, nil},
		{"secret object without a hash", `{"s":{"type":"object","isSecret":true}}`, ``, `{"s":"ENCRYPTED_JSON:aaaa:bbbb"}`, nil},
		{"secret object in clear", `{"s":{"type":"object","isSecret":true}}`, ``, `{"s":{"a":1}}`, nil},
		{"secret object that is a string", `{"s":{"type":"object","isSecret":true}}`, ``, `{"s":"plain"}`, []string{"s: Field input.s must be object"}},
		{"secret object encrypted as a string", `{"s":{"type":"object","isSecret":true}}`, ``, `{"s":"ENCRYPTED_VALUE:aaaa:bbbb"}`, []string{"s: Field input.s must be object"}},
		{"encrypted value of no secret", `{"s":{"type":"object"}}`, ``, `{"s":"ENCRYPTED_JSON:0123456789:aaaa:bbbb"}`, []string{"s: Field input.s must be object"}},
		{"secret of another schema", `{"s":{"type":"array","isSecret":true}}`, ``, `{"s":"ENCRYPTED_JSON:0123456789:aaaa:bbbb"}`,
			[]string{"s: The field schema.properties.s is a secret field, but its schema has changed. Please update the value in the input editor."}},
		{"secret string of another schema", `{"s":{"type":"string","isSecret":true}}`, ``, `{"s":"ENCRYPTED_VALUE:0123456789:aaaa:bbbb"}`,
			[]string{"s: The field schema.properties.s is a secret field, but its schema has changed. Please update the value in the input editor."}},

		{"an array, spelled without the platform's stray dot", `{}`, ``, `[1]`, []string{": Field input must be object"}},
		{"null", `{}`, ``, `null`, []string{": Field input must be object"}},
		{"no input", `{"a":{"type":"string"}}`, `"required":["a"]`, ``, []string{"a: Field input.a is required"}},
		{"the last of two equal keys counts", `{"a":{"type":"string"}}`, ``, `{"a":1,"a":"x"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			faults, err := withFields(t, tt.properties, tt.more).Validate(json.RawMessage(tt.input))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Field+": "+f.Message)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("messages differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretHash(t *testing.T) {
	// Hashes that the official encryption put into values for these fields.
	for field, want := range map[string]string{
		`{"type":"object","isSecret":true}`:                                "5be0c04285",
		`{"type":"object","isSecret":true,"minProperties":1.0}`:            "7df2c282ba",
		`{"isSecret":true,"type":"object","title":"x","nullable":true}`:    "5be0c04285",
		`{"type":"object","isSecret":true,"editor":"json","prefill":{}}`:   "5be0c04285",
		`{"type":"object","isSecret":true,"sectionCaption":"c" /* why */}`: "5be0c04285",
		`{"type":"array","isSecret":true,"maxItems":3,"errorMessage":{"type":"ž<&"},"items":{"type":"object","required":["b","a"],` +
			`"properties":{"b":{"type":"number","minimum":1e21,"maximum":-0.5},"a":{"type":"string","title":"q"}}}}`: "76ab8d1bb1",
	} {
		in := withFields(t, `{"s":`+field+`}`, "")
		if got := secretHash(in.fields[0].Value); got != want {
			t.Errorf("secretHash(%s) = %s, want %s", field, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	in := withFields(t, `{"a":{"type":"string"},"b":{"type":"integer"}}`, `"required":["a"]`)
	if err := in.Check(json.RawMessage(`{"a":"x"}`)); err != nil {
		t.Errorf("a valid input: %v", err)
	}
	err := in.Check(json.RawMessage(`{"b":"x"}`))
	if !fault.Is(err, fault.InvalidInput) {
		t.Fatalf("got %v, want an invalid input", err)
	}
	want := "the input does not match the Actor's input schema:\n  - Field input.a is required\n  - Field input.b must be integer"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	for _, text := range []string{`{"a":`, `{"a":1,}`, `{} // x`, `x`, `{"a":1}{}`} {
		if err := in.Check(json.RawMessage(text)); !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "input:1:") {
			t.Errorf("Check(%s) = %v, want a position", text, err)
		}
	}
}

func TestHopelessPatternIsAComplaint(t *testing.T) {
	in := withFields(t, `{"a":{"type":"string","pattern":"^(?:(?!x)a|b)*$"}}`, "")
	faults, err := in.Validate(json.RawMessage(`{"a":"` + strings.Repeat("ab", 60_000) + `"}`))
	if err != nil || len(faults) != 1 || faults[0].Field != "a" || !strings.Contains(faults[0].Message, "takes too long") {
		t.Errorf("got %v, %v", faults, err)
	}
}
