package secret_test

import (
	"slices"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/secret"
)

func TestTexts(t *testing.T) {
	const input = `{"open": "visible", "password": "a\"b", "short": "x", "empty": "", "number": 7,
		"pem": "-----BEGIN-----\nabcd\nxy\n", "login": {"type": "GET", "cookies": ["oatmeal", {"deep": "hazelnut"}]}}`
	got := secret.Texts([]byte(input), []string{"password", "short", "empty", "number", "pem", "login", "missing"})
	slices.Sort(got)
	want := []string{
		`-----BEGIN-----`, "-----BEGIN-----\nabcd\nxy\n", `-----BEGIN-----\nabcd\nxy\n`,
		`a"b`, `a\"b`, "abcd", "hazelnut", "oatmeal", "x",
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := secret.Texts([]byte("no JSON"), []string{"password"}); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestHasAny(t *testing.T) {
	for input, want := range map[string]bool{
		`{}`: false, `{"a": null}`: false, `{"a": ""}`: false, `{"b": "x"}`: false, `[]`: false, `{`: false,
		`{"a": "x"}`: true, `{"a": []}`: true, `{"b": 1, "a": {}}`: true,
	} {
		if got := secret.HasAny([]byte(input), []string{"a"}); got != want {
			t.Errorf("%s: %v", input, got)
		}
	}
}
