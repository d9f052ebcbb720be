package memory

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/oracletest"
)

// judged is one question to the platform's own evaluator.
type judged struct {
	Expression string          `json:"expression"`
	Input      json.RawMessage `json:"input"`
	Options    json.RawMessage `json:"options"`
}

func ourAnswer(t *testing.T, q judged) string {
	t.Helper()
	e, err := Parse(q.Expression)
	if err != nil {
		return "! " + err.Error()
	}
	vars := Variables{Input: q.Input}
	if err := json.Unmarshal(q.Options, &vars.Options); err != nil {
		t.Fatal(err)
	}
	mbytes, err := e.Evaluate(vars)
	if err != nil {
		return "! " + err.Error()
	}
	return fmt.Sprint(mbytes)
}

// difference is a way in which we answer differently, on purpose.
type difference struct {
	Official string `json:"official"` // regular expression of the whole answer
	Ours     string `json:"ours"`
	Reason   string `json:"reason"`
	// Example is an expression that shows it.
	Example string `json:"example"`
	// Nearly says that the answers differ in the last digits of a number alone.
	Nearly bool `json:"nearly"`
}

// TestSameAsThePlatform asks the platform's evaluator about many expressions,
// good and bad ones.
func TestSameAsThePlatform(t *testing.T) {
	text, err := os.ReadFile("testdata/differences.json")
	if err != nil {
		t.Fatal(err)
	}
	var differences []difference
	if err := json.Unmarshal(text, &differences); err != nil {
		t.Fatal(err)
	}
	count := 4_000
	if testing.Short() {
		count = 600
	}
	g := &generator{rand.New(rand.NewPCG(11, 7))}
	var questions []judged
	for _, d := range differences {
		questions = append(questions, g.question(d.Example))
	}
	for _, expression := range corpus {
		questions = append(questions, g.question(expression))
	}
	for len(questions) < count {
		questions = append(questions, g.question(g.expression()))
	}
	answers := oracletest.Ask[string](t, questions, filepath.Join("testdata", "judge.cjs"))

	valid, shown, differing := 0, 0, 0
	for i, q := range questions {
		official, ours := answers[i], ourAnswer(t, q)
		if !strings.HasPrefix(official, "!") {
			valid++
		}
		if i < len(differences) {
			if d := differences[i]; official == ours {
				t.Errorf("%q does not differ any more: take it out (%s)", d.Example, d.Reason)
			} else if !d.explains(official, ours) {
				t.Errorf("%q is answered otherwise than listed:\n official %s\n ours     %s", d.Example, official, ours)
			}
			continue
		}
		if official != ours {
			differing++
		}
		explained := official == ours
		for _, d := range differences {
			explained = explained || d.explains(official, ours)
		}
		if !explained {
			if shown++; shown <= 25 {
				t.Errorf("%q\n input    %s\n official %s\n ours     %s", q.Expression, q.Input, official, ours)
			}
		}
	}
	if shown > 25 {
		t.Errorf("and %d more", shown-25)
	}
	// Reasons that explain much explain nothing.
	if differing > len(questions)/25 {
		t.Errorf("%d of %d expressions are answered differently, for known reasons", differing, len(questions))
	}
	// A generator whose expressions are all wrong would prove little.
	if valid < len(questions)/4 || valid > len(questions)*9/10 {
		t.Errorf("%d of %d expressions are valid", valid, len(questions))
	}
}

var numberInText = regexp.MustCompile(`-?[0-9][0-9.]*(?:e[+-]?[0-9]+)?`)

func (d difference) explains(official, ours string) bool {
	if d.Nearly {
		a, _ := strconv.ParseFloat(strings.TrimSuffix(numberInText.FindString(strings.TrimPrefix(official, d.Official)), "."), 64)
		b, _ := strconv.ParseFloat(strings.TrimSuffix(numberInText.FindString(strings.TrimPrefix(ours, d.Ours)), "."), 64)
		return a != 0 && math.Abs(a-b) < 1e-9*math.Abs(a)
	}
	return regexp.MustCompile(`(?s)^(?:`+d.Official+`)$`).MatchString(official) &&
		regexp.MustCompile(`(?s)^(?:`+d.Ours+`)$`).MatchString(ours)
}

// generator makes expressions and inputs.
type generator struct{ *rand.Rand }

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *generator) question(expression string) judged {
	inputs := []string{
		`{"n": 3, "big": 2000, "s": "full detail", "digits": "7", "t": true, "f": false, "z": null, "list": [1, 2, 512], "words": ["a", "b"], "o": {"x": 1.5, "y": {"z": 256}}, "empty": {}, "none": []}`,
		`{"n": 0.1, "big": 1e9, "s": "", "digits": " 12 ", "t": false, "f": true, "z": 5, "list": [], "words": "a", "o": null}`,
		`{"n": -4, "list": [[1, 2], [300, 4]], "entries": [1, 900], "s": "ünï \"q\" 😀"}`,
		`{}`,
	}
	options := []string{
		`{}`,
		`{"build": "latest", "timeoutSecs": 300, "memoryMbytes": 1024, "maxItems": 10, "maxTotalChargeUsd": 2.5, "restartOnError": true}`,
		`{"timeoutSecs": 0, "diskMbytes": 2048}`,
	}
	return judged{expression, json.RawMessage(g.pick(inputs...)), json.RawMessage(g.pick(options...))}
}

// expression makes one, and spoils one in five.
func (g *generator) expression() string {
	var text string
	switch g.IntN(8) {
	case 0:
		text = g.pick("a", "f", "x1", "input", "input.n", "é", "end") + " = " + g.value(3) + g.pick(";", "\n", "; ", "\n\n") + g.pick("a * 100", "a", "x1 + a", "input.n", "f(3)", g.value(3))
	case 1:
		text = g.pick("f(x) = x * ", "f(x, y) = y + ", "f() = ", "g(a) = a ? 512 : ") + g.value(2) + g.pick("; ", "\n") + g.pick("f(2)", "f(2, 300)", "f()", "g(0)", "g(1) + 1", "f")
	case 2:
		text = g.value(4)
	default:
		text = g.amount(4)
	}
	for g.IntN(5) == 0 {
		text = g.spoil(text)
	}
	return text
}

// amount makes an expression that mostly comes to a number.
func (g *generator) amount(depth int) string {
	if depth == 0 {
		return g.pick("2", "512", "1.5", "0x100", "300", "1e3", ".75", "128", "input.n", "input.big", "{{input.n}}", "{{ runOptions.timeoutSecs }}", "get(input, 'n', 3)",
			"get(input, 'o.y.z', 200)", "(input.n ?? 7)", "true", "'64'", "max(input.list)", "input.list.length", "get(runOptions, \"maxItems\", 10)", "3", "4", "700", "2048", "input?.n")
	}
	d := depth - 1
	switch g.IntN(14) {
	case 0, 1, 2, 3:
		return g.amount(d) + g.pick(" + ", "*", " * ", "+", " - ", "/", " / ") + g.amount(d)
	case 4:
		return "(" + g.amount(d) + ")" + g.pick("", "", "^2", " 2", "(3)", "%")
	case 5, 6:
		return "(" + g.amount(d) + g.pick(" == ", " != ", " < ", " > ", " and ", " or ", " xor ") + g.amount(d) + " ? " + g.amount(d) + " : " + g.amount(d) + ")"
	case 7:
		return g.pick("max", "min", "add", "multiply", "nullish") + "(" + g.amount(d) + ", " + g.amount(d) + g.pick("", "", ", 3") + ")"
	case 8:
		return g.pick("ceil", "floor", "round", "abs", "fix", "number") + "(" + g.amount(d) + ")"
	case 9:
		return g.pick("round", "ceil", "floor", "fix") + "(" + g.amount(d) + ", " + g.pick("0", "1", "2", "12", "15") + ")"
	case 10:
		return g.pick("compareText(get(input, 's', ''), 'full detail') == 0", "input.t", "not input.f", "isNumeric(input.n)", "isZero("+g.amount(d)+")") + " ? " + g.amount(d) + " : " + g.amount(d)
	case 11:
		return g.amount(d) + g.pick("^", " ^ ") + g.pick("2", "0.5", "-1", "3", "0")
	}
	return g.amount(0)
}

func (g *generator) value(depth int) string {
	if depth == 0 {
		return g.leaf()
	}
	d := depth - 1
	switch g.IntN(26) {
	case 0, 1, 2, 3, 4:
		return g.value(d) + g.pick(" + ", " - ", "*", " / ", "^", " * ", "+") + g.value(d)
	case 5, 6:
		return g.value(d) + g.pick(" == ", " != ", " < ", " > ", "<", ">=", " <= ") + g.value(d)
	case 7, 8:
		return g.value(d) + " ? " + g.value(d) + g.pick(" : ", ":", "\n:") + g.value(d)
	case 9:
		return g.value(d) + g.pick(" and ", " or ", " xor ", " ?? ", " mod ", " | ", " & ", " << ", " to ", " in ", ":") + g.value(d)
	case 10:
		return g.pick("-", "not ", "+", "~", "--") + g.value(d)
	case 11, 12:
		return "(" + g.value(d) + ")"
	case 13, 14, 15:
		return g.pick("max", "min", "max", "min", "round", "pow", "add", "multiply", "subtract", "divide", "and", "or", "xor", "equal",
			"unequal", "smaller", "larger", "compareText", "nullish", "floor", "ceil", "fix") + "(" + g.value(d) + ", " + g.value(d) + ")"
	case 16, 17:
		return g.pick("ceil", "floor", "round", "fix", "abs", "number", "unaryMinus", "not", "isNaN", "isInteger", "isNumeric", "isZero",
			"isBounded", "max", "min") + "(" + g.value(d) + ")"
	case 18:
		return g.pick("max", "min", "add", "log", "sqrt", "get", "foo", "evaluate", "f") + "(" + g.pick("", g.value(d), g.value(d)+","+g.value(d)+","+g.value(d)) + ")"
	case 19:
		return "get(" + g.pick("input", "runOptions", "input.o", "input.list", g.value(d)) + ", " +
			g.pick(`"n"`, `"o.y.z"`, `"list.2"`, `'s'`, `"s.length"`, `"missing"`, `"o.missing.deep"`, `"list.length"`, g.leaf()) + g.pick("", ", 300", ", "+g.value(d)) + ")"
	case 20:
		return g.value(d) + g.pick("%", "%", "!", "'", "%%")
	case 21:
		return g.pick("2", "0.5 ", "(3)", "1/2 ", "input.n ", "-2") + g.pick("(256)", "input.big", " input.n", "(2)(3)", "2", " a", "^2")
	case 22:
		return g.pick("[1, 2, 512]", "[]", "[[1,2],[3,4]]", "[1,2;3,4]", "{a: 512}.a", `{"a b": 300}`, `{a: {b: 600}}.a.b`, "{}", `{"x": 1, y: 2}["x"]`)
	case 23:
		return g.pick("max", "min") + "(" + g.pick("[1, 2, 512]", "input.list", "[]", "input.none", "[1, true, \"300\"]", "input.words", "[[1,2],[3,400]]") + ")"
	}
	return g.leaf()
}

func (g *generator) leaf() string {
	switch g.IntN(9) {
	case 0, 1:
		return g.pick("0", "1", "2", "3.5", ".5", "1024.", "1e3", "1e-3", "0x200", "0b101", "0o17", "512", "4096", "1e308", "1e400", "0x1.8", "0xffi8", "00012", "1E2", "128", "100000")
	case 2, 3, 4:
		return g.pick("input.n", "input.big", "input.s", "input.digits", "input.t", "input.f", "input.z", "input.list", "input.list.length",
			"input.o.x", "input.o.y.z", "input.o", "input.missing", "input.missing.deep", `input["n"]`, `input["o"]["x"]`, "input.empty",
			"input?.o?.y?.z", "input.o?.y.z", "input.entries", "input.constructor", "input.words.length", `input["list"]["2"]`, "input.toString", "input")
	case 5:
		return g.pick("runOptions.timeoutSecs", "runOptions.memoryMbytes", "runOptions.maxItems", "runOptions.build", "runOptions.maxTotalChargeUsd",
			"runOptions.restartOnError", "runOptions.diskMbytes", "runOptions.nothing")
	case 6:
		return g.pick("{{input.n}}", "{{ input.big }}", "{{runOptions.timeoutSecs}}", "{{runOptions.memory}}", "{{input}}", "{{ input.o.x}}", "{{foo.bar}}", "{{actorRun.input.n}}")
	case 7:
		return g.pick("true", "false", "null", "undefined", "NaN", "Infinity", `"a"`, `'full detail'`, `"12"`, `""`, `"0x10"`, `"\u0041\n"`, `"it's"`, `'1e2'`)
	}
	return g.pick("a", "x", "pi", "e", "i", "end", "or", "to", "max", "f", "é", "π", "toString", "mod")
}

// spoil changes something small, or something that decides.
func (g *generator) spoil(text string) string {
	runes := []rune(text)
	at := g.IntN(len(runes) + 1)
	switch g.IntN(5) {
	case 0:
		if at < len(runes) {
			return string(runes[:at]) + string(runes[at+1:])
		}
	case 1:
		return string(runes[:at])
	case 2:
		return string(runes[:at]) + g.pick(" ", "\n", "\t", "\r", "#", "# note\n", "\u00a0", "  ") + string(runes[at:])
	}
	return string(runes[:at]) + g.pick("(", ")", "[", "]", "{", "}", ",", ";", ":", "?", ".", "?.", "%", "=", "==", "===", "&&", "||", "!", "'", "\"", "\\",
		"@", "1", "e", "E+", ".5", " in ", " to ", "not", "-", "^", "??", "{{", "}}", "$", "é", "😀", "𝐀", "<", ">>>", ".*", "0x", "i8", "..") + string(runes[at:])
}

// corpus are expressions from documentation and those that once were wrong.
var corpus = []string{
	"", " ", ";", "\n", "#", "# only a note", "512 # note", "1;2", "1;2;", "1\n2", "\n\n512\n\n", "a = 512;;",
	"input.n * 128", "input.list.length * 256", "get(input, 'list.length', 1) * 256", "(input.list.length * 64) + runOptions.maxItems",
	"compareText(get(input, 's', ''), 'full detail') == 0 ? 1024 : 512", "max(512, min(4096, input.big * 2))",
	"x = get(input, 'n', 1)\ny = x * 3\ny > 500 ? 4096 : 1024", "runOptions.timeoutSecs > 100 ? 1024 : 256",
	"input.s.includes('full') ? 2048 : 512", `input.words.includes("b") ? 2048 : 512`, `input.words.indexOf("b") + 600`, `"ab".toUpperCase()`,
	"2(256)", "2 input.n", "6/2(3)", "6/2 input.n", "-2^2", "2^3^2", "2^-1*1024", "512 + 50%", "10% + 5", "50% * 1000", "10%%", "3%(2)", "5 % (2 ? 1", "7 %", "(1 + 2)%",
	"1<2<3", "3>2>1", "1 < 2 == true", "1 ? 2 ? 300 : 4 : 5", "0 ? 1 : 0 ? 2 : 300", "a ? : 3", "1 ? 2", "(1:3)", "1:2:3", "input.list[1]", "input.list[end]", "input.s[1]", "input.n[end]",
	"f(x) = x^2; f(30)", "f(x) = x; f()", "f(x) = x; f(1, 2)", "f() = 300; f()", "f(x,x) = 1", "f(1) = 2", "end = 3", "end(x) = 1", "f(x) = g(x); g(y) = y * 100; f(5)",
	"f(x) = (h(y) = x + y); f(1); h(600)", "f(x) = x(3); f(2)", "f(x) = x(300); f(abs)", "max = 3; max(1, 2)", "evaluate('2+2')", "compile('1')", "parse('1')", "evaluate = 512",
	"input.n = 600", "input.o.new = 300; input.o.new", "input?.n = 3", "5 = 3", "f(2).a = 3", "input.list[1] = 5", "{a: 1}.b = 2", "a.b = 1", "toString = 1", "input.toString = 1",
	"constructor", "toString", "toString()", "constructor(1)", "input.constructor", "input.toString()", "input.valueOf()", "input.n.toFixed", "input.s.length", "input.s.trim", "input.list.map",
	"{constructor: 1}", "{a: 1", "{a 1}", "{1: 2}", "{'a': 1, \"b\": 2, }", "{a: 1,}.a", "[1, 2", "[1, 2;", "[1, 2; 3]", "[1,2,]", "max([1, 900, 3])", "max([[1,2],[3,400]])", "max()", "min()", "max([], 1, 2)",
	"max(1, input.list, 2)", "max(null)", "max(1, undefined)", "max({a: 1})", "max(input.o, 3)", "max('a')", "max(f)", "max(NaN, 3)", "max(3, NaN)", "min('300', 400)", "max(true, false)", "max(abs)",
	`"abc`, `'abc"`, `"\q"`, `"\u12"`, `"\u0033" * 100`, `"300"`, `"300" * 1`, `'a' == 'a'`, `"1" == 1`, "null == undefined", "null == null", "undefined == 0",
	"0x", "0b2", "0xg", "0x1.", "0x.8", "0xffi4", "0xffi8 + 513", "1e", "1e+", "1e5.5", "1.2.3", "1..2", "1.e2", "5 6", "(5)6", "(5)(6)", "5(6)7", ".", ".a", "a.", "input.", "input..n", "input.5", "input . n", "input.\nn", "(input.\nn)",
	"1 +\n2", "(1\n+ 2) * 100", "1\r\n2", "1\t+\u00a0700", "@", "😀", "𝐀 = 512", "𝔸", "ℏ = 600; ℏ", "é = 700", "日", "$a = 512", "_ = 512",
	"x and", "and", "and(1, 0)", "or(1, 0) * 512", "not", "not(0) * 512", "mod", "to", "in", "3 in", "3 in 4", "(3 in)", "2 in", "-2 in", "1 +", "* 2", "()", "(", ")", "max(1, 2", "max(1 2)", "f(,)", "1,2",
	"a??b", "null ?? 512", "(input.missing ?? [1, 900]).a", "max(input.missing ?? [1, 900])", "{} ?? 3", "nullish(1)", "nullish({a: 1}, 2)", "nullish()", "nullish(null, 300, 4)", "input.z ?? 300", "input.o ?? 300", "(null ?? undefined) ?? 600", "2^null ?? 3", "get()", "get(input)", "get(input, 3)", "get(input, null)", "get(null, 'a', 300)", "get(input, 's.0')", "get(input, 'entries', 5)",
	"input.entries", "input", "{entries: [1, 512]}", `{entries: "19"}`, "{entries: 5}", "runOptions", "[512]", "[1e6, 0.0001]", "true", "null", `"text"`, "NaN", "Infinity", "-Infinity", "-5", "0", "-0", "1e-7 - 1", "-1e21", "-1e-7", "0 - 123456789012345680000",
	"round(2.5)", "round(-2.5)", "round(0.4999999999999999) + 1", "round(2.675, 2) * 100", "round(1, 16)", "round(1, -1)", "round(1, 1.5)", "round(300.5555, 12)", "round(300.55555555555555, 14)", "floor(2.9999999999999996)", "floor(-0.5) + 300", "ceil(300.0000000000001)", "ceil(300.001)", "floor(300.567, 2)", "floor(1, 16)", "ceil(1, 16)", "ceil(1, 0.5)", "fix(-300.7) + 1000", "fix(300.77, 1)",
	"pow(2, 10)", "pow(2, Infinity)", "pow(1, Infinity)", "0.5^Infinity + 300", "(-1)^Infinity", "(-2)^2", "0^0 * 512", "pow(2, null)", "1e308 * 10", "0.1 + 0.2 == 0.3 ? 1024 : 256", "1 == 1.0000000000001", "1 < 1.00000000000001", "isZero(1e-16) * 512", "isInteger('5') * 300", "isNumeric('5')", "isNumeric(5) * 512", "isBounded(1/0)", "isNaN(0/0) * 300", "number('0x10')", "number('x')", "number(null)", "number()", "number('')", "number(true) * 300", "number('NaN')",
	"{{input.n}} * 100", "{{ input.n}}{{input.n }}", "{{input.}}", "{{runOptions.}}", "{{ input . n }}", "{{}}", "{{{input.n}}}", "{{foo}}", "{{runOptions.memoryMbytes}} * 2", "{{runOptions.foo}} {{bar}}",
	"(input)?.n * 200", "input?.(3)", "input?.foo?.(3) ?? 300", "foo?.(3) ?? 300", "(3)?.(4)", "input?.[1]", "input?.", "a?.5:1", "input.n?.5:300", "input?.missing?.deep?.deeper ?? 512",
	strings.Repeat("1+", 499) + "1", strings.Repeat("1+", 500) + "1", strings.Repeat("(", 400) + "300" + strings.Repeat(")", 400),
}
