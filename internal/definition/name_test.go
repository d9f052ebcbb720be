package definition

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for given, want := range map[string]string{
		"My Tool!": "my-tool", "_x_": "x-actor", "äöü": "my-actor", "": "my-actor", "a": "a-actor", "@me/pkg": "me-pkg",
		strings.Repeat("ab-", 40): strings.Repeat("ab-", 20) + "ab-"[:2],
	} {
		got := NameFrom(given)
		if !ValidName(got) {
			t.Errorf("%q becomes %q, which is not valid", given, got)
		}
		if len(got) <= 62 && got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
	for _, bad := range []string{"ab", "-abc", "abc-", "a b c", "ä-ctor", strings.Repeat("a", 64)} {
		if ValidName(bad) {
			t.Errorf("%q is taken for a name", bad)
		}
	}
}
