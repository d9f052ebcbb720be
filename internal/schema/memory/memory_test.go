package memory

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestEvaluate(t *testing.T) {
	timeout, charge, restart := 300, 1.5, true
	vars := Variables{
		Input:   []byte(`{"maxPages": 10, "mode": "full detail", "urls": ["a", "b", "c"]}`),
		Options: RunOptions{Build: "latest", TimeoutSecs: &timeout, MaxTotalChargeUSD: &charge, RestartOnError: &restart},
	}
	for expression, want := range map[string]int{
		// Rounding, as the platform's documentation has it.
		"0.1": 128, "64": 128, "90.5": 128, "181": 128, "182": 256, "362": 256, "363": 512, "724.07": 512, "724.08": 1024,
		"10240": 8192, "13000": 16384, "23170": 16384, "46341": 32768, "100000": 32768, "300": 256, "900": 1024, "3600": 4096,

		"input.maxPages * 30":                                                        256,
		"{{input.maxPages}} * 30":                                                    256,
		"get(input, 'urls.length', 1) * 700":                                         2048,
		"get(input, 'missing', 2) * 256":                                             512,
		"runOptions.timeoutSecs > 100 ? 1024 : 256":                                  1024,
		"compareText(input.mode, 'full detail') == 0 ? 2048 : 512":                   2048,
		"base = 512\nextra = input.urls.length * 256\n# more for more\nbase + extra": 1024,
		"f(x) = x < 2 ? 1 : x * f(x - 1); f(6)":                                      512,
		"runOptions.maxTotalChargeUsd * 512":                                         1024, // rounds up in the middle
	} {
		e, err := Parse(expression)
		if err != nil {
			t.Errorf("%q: %v", expression, err)
			continue
		}
		if got, err := e.Evaluate(vars); err != nil || got != want {
			t.Errorf("%q gives %d, %v; want %d", expression, got, err, want)
		}
	}
}

func TestWithoutInput(t *testing.T) {
	e, err := Parse("input.pages ?? 512")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // an expression is used again
		if got, err := e.Evaluate(Variables{}); err != nil || got != 512 {
			t.Errorf("got %d, %v", got, err)
		}
	}
	if _, err := e.Evaluate(Variables{Input: []byte("{")}); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("an input that is no JSON: %v", err)
	}
}

// An assignment changes what the expression sees, not what the next one sees.
func TestEvaluationsAreApart(t *testing.T) {
	e, err := Parse("input.n = input.n * 2; input.list[\"0\"] = 5; input.n")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := e.Evaluate(Variables{Input: []byte(`{"n": 256, "list": [1]}`)}); err != nil || got != 512 {
			t.Errorf("got %d, %v", got, err)
		}
	}
}

func TestSyntaxErrorsSayWhere(t *testing.T) {
	for expression, want := range map[string]string{
		"input.pages * ":   "Unexpected end of expression (char 15)",
		"max(1, 2":         "Parenthesis ) expected (char 9)",
		"512 +* 3":         "Value expected (char 6)",
		"{{build}}":        "Invalid variable '{{build}}' in expression.",
		"log(3)":           "",
		"input.a >= 3":     `Function largerEq missing in provided namespace "math"`,
		"[1, 2; 3]":        "Column dimensions mismatch (1 !== 2) (char 10)",
		"a = 1\r\na * 512": "Syntax error in part \"\r\na * 512\" (char 6)",
	} {
		_, err := Parse(expression)
		if want == "" && err == nil {
			continue
		}
		if !fault.Is(err, fault.InvalidInput) || err.Error() != want {
			t.Errorf("%q: %v; want %s", expression, err, want)
		}
	}
}

// Whatever an expression does, it comes to an end soon.
func TestHostileExpressions(t *testing.T) {
	input := []byte(`{"list": [` + strings.Repeat("1,", 200_000) + `1], "deep": ` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`)
	for _, expression := range []string{
		"f(x) = f(x + 1); f(0)",
		"f(x) = f(x) + f(x); f(0)",
		"f(x) = x <= 0 ? 1 : f(x - 1) + f(x - 1); f(60)",
		"f(x) = x > 0 ? {a: f(x - 1), b: f(x - 1)} : 1; f(40)",
		"f(x) = max(input.list) + f(x); f(1)",
		strings.Repeat("1%(", 300) + "1" + strings.Repeat(")", 300),
		strings.Repeat("1%-", 330) + "1",
		strings.Repeat("(", 999),
		strings.Repeat("[", 999),
		strings.Repeat("-", 999) + "1",
		strings.Repeat("1?", 333) + "1",
		"9^9^9^9^9^9", "1e308*1e308", "max(input.deep)", "[input.deep]", "input.deep + 1", `input.list["99999999999"] = 1`,
		`input.self = input; max(input)`, `input.list["0"] = input.list; input.list`, `o = {}; o.o = o; o(3)`, `a = {}; a.a = a; max(a)`,
	} {
		start := time.Now()
		e, err := Parse(expression)
		if err == nil {
			_, err = e.Evaluate(Variables{Input: input})
		}
		if err == nil {
			t.Errorf("%.40q was evaluated", expression)
		} else if !fault.Is(err, fault.InvalidInput) || len(err.Error()) > 20_000 {
			t.Errorf("%.40q: %.200v", expression, err)
		}
		// Far more than it takes, also with the race detector on a busy machine, and
		// far less than without a bound.
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%.40q took %v", expression, took)
		}
	}
}

func TestClamp(t *testing.T) {
	for _, c := range []struct{ mbytes, minimum, maximum, want int }{
		{512, 0, 0, 512}, {512, 1024, 0, 1024}, {512, 0, 256, 256}, {512, 256, 1024, 512}, {512, 2048, 1024, 2048},
	} {
		if got := Clamp(c.mbytes, c.minimum, c.maximum); got != c.want {
			t.Errorf("Clamp(%d, %d, %d) = %d, want %d", c.mbytes, c.minimum, c.maximum, got, c.want)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	for _, expression := range corpus {
		f.Add(expression, `{"n": 3, "list": [1, 2], "s": "text", "o": {"x": null}}`)
	}
	f.Fuzz(func(t *testing.T, expression, input string) {
		e, err := Parse(expression)
		if err != nil {
			if !fault.Is(err, fault.InvalidInput) {
				t.Errorf("%v", err)
			}
			return
		}
		mbytes, err := e.Evaluate(Variables{Input: []byte(input)})
		switch {
		case err != nil:
			if !fault.Is(err, fault.InvalidInput) {
				t.Errorf("%v", err)
			}
		case mbytes < MinMbytes || mbytes > MaxMbytes || mbytes&(mbytes-1) != 0:
			t.Errorf("%q gives %d", expression, mbytes)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	e, err := Parse("compareText(get(input, 'mode', ''), 'full') == 0 ? 1024 : max(256, input.pages * 12)")
	if err != nil {
		b.Fatal(err)
	}
	vars := Variables{Input: []byte(`{"mode": "quick", "pages": 40}`)}
	for b.Loop() {
		if _, err := e.Evaluate(vars); err != nil {
			b.Fatal(err)
		}
	}
}

func TestUnknown(t *testing.T) {
	for text, want := range map[string][]string{
		"get(input, 'a.b', 1) * runOptions.memoryMbytes":           nil,
		"get(input, 'a', 1) * foo + bar(1, foo)":                   {"foo", "bar"},
		"f(x) = x * scale; scale = 2; f(input.n)":                  nil,
		"input.a > 1 ? {size: big}.size : [small, input[key]].len": {"big", "small", "key"},
		"a.b = 1; (c)":  {"a", "c"},
		"1 < limit < 3": {"limit"},
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := e.Unknown(); !slices.Equal(got, want) {
			t.Errorf("%s uses %q, want %q", text, got, want)
		}
	}
}
