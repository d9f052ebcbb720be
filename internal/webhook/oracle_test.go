package webhook

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/oracletest"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// judged is one question to the platform's own library.
type judged struct {
	Template    string          `json:"template"`
	Interpolate bool            `json:"interpolate"`
	Variables   json.RawMessage `json:"variables"`
}

func ourAnswer(t *testing.T, q judged) string {
	t.Helper()
	variables, err := jsonc.ParseStrict("variables", q.Variables)
	if err != nil {
		t.Fatal(err)
	}
	value, err := expand("payload", q.Template, q.Interpolate, variables.Root)
	switch {
	case err != nil && strings.Contains(err.Error(), "variable") && !strings.Contains(err.Error(), "filled in"):
		return "! variable"
	case err != nil:
		return "! JSON"
	case value == nil:
		return "undefined"
	}
	return string(jsvalue.AppendJSON(nil, value))
}

// templates are those that the rules are about.
var templates = []string{
	DefaultPayload, `{"a":{{eventData.n}}}`, `{"a":"{{eventData.n}}"}`, `{"a":"x {{eventData}} y"}`, `{"a":"{{ userId }}"}`,
	`{"a":{{bogus}}}`, `{"a":"{{bogus}}"}`, `{{resource}}`, `{{`, ``, `{{}}`, `{{userId`, `{"a":{{{userId}}}}`, `"{{eventData.zz}}"`,
	`["{{eventData.zz}}"]`, `{"a":"{{eventData.zz.zz}}"}`, `{"a":"{{eventData.list}}!"}`, `{"a\\":{{eventType}}}`, `{"a\\\\":{{eventType}}}`,
	`{"a":"\\","b":{{eventType}}}`, `{"a":"\\ {{eventType}}","b":{{eventType}}}`, `{{eventType}}{{eventType}}`, `{"{{userId}}":"{{userId}}"}`,
	`{"b":1,"2":{{userId}},"a":2,"1":3,"b":"{{userId}}"}`, `{"a":"{{userId}}\n"}`, `{"a":"{{globals.dateUnix}}"}`, `{{userId.}}`, `{{.}}`, `{"a":"{{.}}"}`,
	`{"a":"{{eventData.list.length}} {{eventData.list.01}} {{eventData.list.1}}"}`, `{"a":"$& {{eventType}} $1"}`, `{"a":"{{{{userId}}}}"}`,
	`{"a": {{eventType}} , "b": "}}{{ {{resource}}"}`, `"\"{{userId}}`, `{"a":"{{eventData.evil}}", "b": {{eventData.evil}}}`, `{"a":{{eventData.deep}}}`,
}

// universes are what templates are filled with: values that JavaScript takes for
// false, texts that look like templates, names that look like numbers. One thing
// is left out, because we differ on purpose: a text with a variable in it that
// also ends in a backslash. The library looks for variables in what it has
// filled in and then takes the inside of texts for their outside.
var universes = []json.RawMessage{
	json.RawMessage(`{"userId":"u1","createdAt":"2026-01-31T12:00:00.000Z","eventType":"TEST","eventData":{"n":0,"f":false,"t":true,"e":"","z":null,"x":1.50,"big":1e21,"small":1e-7,"neg":-0,"list":[1,null,[2,[3]],{"a":1},"s"],"o":{"b":1,"10":2,"9":3},"evil":"plain","deep":{"a":{"b":{"c":[{"d":"end"}]}}}},"resource":{"id":"r","stats":{"n":12345678901234567890}},"globals":{"dateISO":"d","dateUnix":5}}`),
	json.RawMessage(`{"userId":"u\"1\\","createdAt":"\\\"","eventType":"\\\\","eventData":{"n":-1,"f":true,"t":false,"e":"{{userId}}","z":"\u2028\u0001 ü😀<&>","x":"$&","big":[],"small":{},"neg":[[],[null],{}],"list":[],"o":"text","evil":"\"{{bogus}} {{userId}}\"","deep":{"a":"{{userId}}"}},"resource":"{{","globals":{"dateISO":"}}","dateUnix":0}}`),
	json.RawMessage(`{"userId":null,"createdAt":0,"eventType":false,"eventData":[1,{"x":2},[3]],"resource":[],"globals":{}}`),
}

// TestSameAsThePlatform asks the platform's library about many templates, good
// and bad ones.
func TestSameAsThePlatform(t *testing.T) {
	count := 20_000
	if testing.Short() {
		count = 2_000
	}
	random := rand.New(rand.NewPCG(5, 23))
	var questions []judged
	for _, template := range templates {
		for _, universe := range universes {
			questions = append(questions, judged{template, false, universe}, judged{template, true, universe})
		}
	}
	for len(questions) < count {
		g := generator{random}
		questions = append(questions, judged{g.template(), random.IntN(2) == 0, universes[random.IntN(len(universes))]})
	}
	answers := oracletest.Ask[string](t, questions, filepath.Join("testdata", "judge.cjs"))
	valid, shown := 0, 0
	for i, q := range questions {
		if !strings.HasPrefix(answers[i], "!") {
			valid++
		}
		if ours := ourAnswer(t, q); ours != answers[i] {
			if shown++; shown <= 20 {
				t.Errorf("%q (interpolate: %t) of %s\n official %s\n ours     %s", q.Template, q.Interpolate, q.Variables, answers[i], ours)
			}
		}
	}
	if shown > 20 {
		t.Errorf("and %d more", shown-20)
	}
	// A generator whose templates are all wrong would prove little.
	if valid < len(questions)/4 || valid > len(questions)*9/10 {
		t.Errorf("%d of %d templates are valid", valid, len(questions))
	}
}

// generator makes templates.
type generator struct{ *rand.Rand }

func (g generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g generator) name() string {
	name := g.pick("userId", "createdAt", "eventType", "eventData", "eventData", "eventData", "resource", "globals")
	if g.IntN(40) == 0 {
		name = g.pick("bogus", "", " userId", "userid", ".", "user-Id", "{userId")
	}
	for g.IntN(3) > 0 {
		name += "." + g.pick("n", "f", "t", "e", "z", "x", "big", "small", "neg", "list", "o", "evil", "deep", "a", "b", "c", "d",
			"0", "1", "2", "3", "01", "-1", "length", "10", "id", "stats", "dateUnix", "none", "", "k-x", "é")
	}
	return name
}

func (g generator) variable() string { return "{{" + g.name() + "}}" }

func (g generator) text() string {
	var b strings.Builder
	for g.IntN(3) > 0 {
		b.WriteString(g.pick(g.variable(), g.variable(), g.variable(), "x", " ", "é😀", `\"`, `\\`, `\n`, `\u0041`, "{{", "}}", "{", "}", "$&", ","))
	}
	return `"` + b.String() + `"`
}

func (g generator) template() string {
	text := g.value(0)
	if g.IntN(20) == 0 && text != "" { // broken somewhere
		at := g.IntN(len(text))
		text = text[:at] + g.pick("", `"`, "{", "}", ",", `\`, "{{", "}}", " ", "0") + text[min(len(text), at+g.IntN(2)):]
	}
	return strings.ToValidUTF8(text, "")
}

func (g generator) value(depth int) string {
	blank := g.pick("", "", " ", "\n")
	if depth > 3 || g.IntN(4) == 0 && depth > 0 {
		return blank + g.pick(g.variable(), g.variable(), g.text(), g.text(), "1", "1.50", "-0", "1e30", "true", "null")
	}
	var parts []string
	for range g.IntN(4) {
		parts = append(parts, g.value(depth+1))
	}
	if g.IntN(3) == 0 {
		return "[" + strings.Join(parts, ",") + blank + "]"
	}
	for i, part := range parts {
		parts[i] = g.pick(`"a"`, `"b"`, `"10"`, `"9"`, `""`, g.text()) + ":" + part
	}
	return "{" + strings.Join(parts, ",") + blank + "}"
}
