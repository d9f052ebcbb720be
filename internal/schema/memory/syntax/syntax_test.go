package syntax_test

import (
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/syntax"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func known(name string) bool { return name == "add" || name == "multiply" || name == "divide" }

func TestFunctionsAreKnown(t *testing.T) {
	for text, want := range map[string]string{
		"1 + 2 * 3":         "",
		"1 - 2":             `Function subtract missing in provided namespace "math"`,
		"f(x) = 1; 2 ^ (3)": `Function pow missing in provided namespace "math"`,
		"[a, {b: c == 1}]":  `Function equal missing in provided namespace "math"`,
	} {
		_, err := syntax.Parse(text, known)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"1 + 2 # note", "f(x) = x ? {a: 1} : [2, 3; 4, 5]", "input?.a[1].b = \"\\u00e9\"", strings.Repeat("1%(-", 200), "a:b:c", "\"", "0x1.8e 1e+",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1000 {
			return // what calls this refuses longer ones
		}
		root, err := syntax.Parse(text, known)
		if err == nil && root == nil || err != nil && !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%q: %v, %v", text, root, err)
		}
	})
}
