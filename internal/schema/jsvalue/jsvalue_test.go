package jsvalue

import (
	"math"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

func parse(t *testing.T, text string) *jsonc.Value {
	t.Helper()
	doc, err := jsonc.ParseStrict("value", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Root
}

func TestTruthy(t *testing.T) {
	for text, want := range map[string]bool{
		`null`: false, `false`: false, `0`: false, `-0.0e5`: false, `""`: false, `true`: true, `1e-400`: false, `0.1`: true, `" "`: true, `[]`: true, `{}`: true,
	} {
		if got := Truthy(parse(t, text)); got != want {
			t.Errorf("Truthy(%s) = %t", text, got)
		}
	}
	if Truthy(nil) {
		t.Error("what is not there counts as true")
	}
}

func TestNumber(t *testing.T) {
	if n := Number(parse(t, `1e400`)); !math.IsInf(n, 1) {
		t.Errorf("1e400 is %v", n)
	}
}

// The texts are what String gives in JavaScript.
func TestNumberText(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1: "1", -1.5: "-1.5", 1e21: "1e+21", 123456789012345680000: "123456789012345680000", 1e-6: "0.000001", 1.5e-7: "1.5e-7",
		-1e-10: "-1e-10", 0.30000000000000004: "0.30000000000000004", 1.7976931348623157e308: "1.7976931348623157e+308", 5e-324: "5e-324",
	} {
		if got := NumberText(f); got != want {
			t.Errorf("NumberText(%g) = %s, want %s", f, got, want)
		}
	}
}

func names(members []jsonc.Member) string {
	var list []string
	for _, m := range members {
		list = append(list, m.Name)
	}
	return strings.Join(list, " ")
}

func TestEntries(t *testing.T) {
	for text, want := range map[string]string{
		`{"b":1,"10":1,"a":1,"9":1,"01":1,"-1":1,"1.5":1,"4294967295":1,"4294967294":1,"0":1}`: "0 9 10 4294967294 b a 01 -1 1.5 4294967295",
		`{"a":1,"b":1,"a":2}`: "a b",
		`["x","y"]`:           "0 1",
		`"text"`:              "",
	} {
		if got := names(Entries(parse(t, text))); got != want {
			t.Errorf("Entries(%s) = %s, want %s", text, got, want)
		}
	}
	if Entries(nil) != nil {
		t.Error("nothing has entries")
	}
}

func TestSorted(t *testing.T) {
	// In UTF-16, a character outside the basic plane comes before U+FF61.
	if got, want := names(Sorted(parse(t, `{"b":1,"｡":1,"😀":1,"a":1,"B":1,"10":1,"9":1}`).Unique())), "10 9 B a b 😀 ｡"; got != want {
		t.Errorf("sorted as %s, want %s", got, want)
	}
}
