package jsonschema

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/oracletest"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// TestFormatsAgree judges texts that nearly fit each format.
func TestFormatsAgree(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(7, 7))}
	var trials []trial
	for _, format := range genFormats {
		c := trial{Draft: 7, Formats: true, Schema: json.RawMessage(`{"format":` + quoteJSON(format) + `}`)}
		for _, other := range genFormats {
			for _, text := range genSamples[other] {
				c.Values = append(c.Values, json.RawMessage(quoteJSON(text)))
			}
		}
		for range 500 {
			c.Values = append(c.Values, json.RawMessage(quoteJSON(g.changed(pick(g, genSamples[format])))))
		}
		for _, n := range append([]string{"2147483647", "2147483648", "-2147483649", "1e999"}, genNumbers...) {
			c.Values = append(c.Values, json.RawMessage(n))
		}
		trials = append(trials, c)
	}
	agree(t, trials)
}

// TestPatternsAgree judges expressions that are made of what means something in
// expressions: whether they are any, and what they match.
func TestPatternsAgree(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(8, 8))}
	parts := strings.Split(`a b 1 - ^ $ . * + ? ( ) (?: (?= (?<! (?<n> [ ] [^ { } {1} {1,} {2,1} {,1} | / \d \W \s \b \B \- \/ \. \k<n> \1 \0 \01 \x \x61 \u \u0061 \u{61} \u{ \cA \c \p{L} \p \q \] , : = \\ ^ a b c`, " ")
	var trials []trial
	for range 3000 {
		var pattern strings.Builder
		for range 1 + g.IntN(5) {
			pattern.WriteString(pick(g, parts))
		}
		c := trial{Draft: 7, Schema: json.RawMessage(`{"pattern":` + quoteJSON(pattern.String()) + `}`)}
		for range 5 {
			c.Values = append(c.Values, json.RawMessage(quoteJSON(g.changed(pick(g, genStrings)))))
		}
		trials = append(trials, c)
	}
	agree(t, trials)
}

// agree compares all trials with AJV.
func agree(t *testing.T, trials []trial) {
	bad, refused := 0, 0
	for i, v := range ajv(t, trials) {
		if v.Refused != "" {
			refused++
		}
		if difference := compare(t, &trials[i], v); difference != "" {
			if bad++; bad <= 15 {
				t.Error(strings.TrimSpace(difference))
			}
		}
	}
	t.Logf("%d of %d differ, AJV refuses %d", bad, len(trials), refused)
}

// TestMetaSchemasAgree judges documents by the platform's schemas: changed ones
// of a schema that is right.
func TestMetaSchemasAgree(t *testing.T) {
	module, err := filepath.Abs(filepath.Join(oracletest.Modules(t), "@apify/json_schemas"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "node", "-p", "JSON.stringify(require("+quoteJSON(module)+"))").Output()
	if err != nil {
		t.Fatal(err)
	}
	var schemas map[string]json.RawMessage
	if err := json.Unmarshal(out, &schemas); err != nil {
		t.Fatal(err)
	}
	var trials []trial
	for name, draft := range map[string]int{"inputSchema": 2019, "datasetSchema": 7, "keyValueStoreSchema": 7, "outputSchema": 7} {
		for _, all := range []bool{false, true} {
			trials = append(trials, trial{Draft: draft, AllErrors: all, Schema: schemas[name], Values: inputSchemas(t)})
		}
	}
	agree(t, trials)
}

const inputSchema = `{"title":"t","type":"object","schemaVersion":1,"required":["text"],"properties":{
 "text":{"title":"t","type":"string","description":"d","editor":"textfield","default":"x","pattern":"^x","minLength":1,"nullable":true},
 "secret":{"title":"t","type":"string","description":"d","editor":"textarea","isSecret":true},
 "choice":{"title":"t","type":"string","description":"d","editor":"select","enum":["a","b"],"enumTitles":["A","B"]},
 "number":{"title":"t","type":"integer","description":"d","editor":"number","minimum":1,"maximum":3,"unit":"s"},
 "flag":{"title":"t","type":"boolean","description":"d","groupCaption":"g"},
 "urls":{"title":"t","type":"array","description":"d","editor":"requestListSources","prefill":[{"url":"http://a"}]},
 "list":{"title":"t","type":"array","description":"d","editor":"stringList","uniqueItems":true,"items":{"type":"string","pattern":"a"}},
 "object":{"title":"t","type":"object","description":"d","editor":"proxy","prefill":{"useApifyProxy":true}},
 "nested":{"title":"t","type":"object","description":"d","editor":"schemaBased","properties":{"a":{"type":"string","title":"t","description":"d","editor":"textfield"}}},
 "dataset":{"title":"t","type":"string","description":"d","resourceType":"dataset","resourcePermissions":["READ"]}}}`

// inputSchemas gives an input schema and what it becomes with a place left out
// or changed.
func inputSchemas(t *testing.T) []json.RawMessage {
	doc, err := jsonc.Parse("input", []byte(inputSchema))
	if err != nil {
		t.Fatal(err)
	}
	out := []json.RawMessage{doc.Root.JSON()}
	text := string(out[0])
	for _, smaller := range reductions(doc.Root) {
		out = append(out, json.RawMessage(smaller))
	}
	for _, change := range [][2]string{{`"d"`, `1`}, {`"t"`, `null`}, {`true`, `false`}, {`1`, `"1"`}, {`"editor"`, `"other"`}, {`"string"`, `"boolean"`},
		{`"textfield"`, `"hidden"`}, {`"title"`, `"x~/y"`}, {`[`, `[0,`}, {`"array"`, `"object"`}, {`"select"`, `"textfield"`}, {`"prefill"`, `"default"`}} {
		for at := range len(text) {
			if strings.HasPrefix(text[at:], change[0]) {
				changed := text[:at] + change[1] + text[at+len(change[0]):]
				if json.Valid([]byte(changed)) {
					out = append(out, json.RawMessage(changed))
				}
			}
		}
	}
	return slices.Clip(out)
}
