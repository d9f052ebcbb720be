package runtoken

import "testing"

func TestTokens(t *testing.T) {
	k, other := New([]byte("one")), New(nil)
	token := k.Of("run")
	if id, ok := New([]byte("one")).RunOf(token); !ok || id != "run" {
		t.Errorf("a later server takes it for that of %q, %v", id, ok)
	}
	for _, text := range []string{"", "run", other.Of("run"), token + "x", token[:len(token)-1], tokenPrefix, tokenPrefix + "run", tokenPrefix + "other" + token[len(tokenPrefix)+3:]} {
		if _, ok := k.RunOf(text); ok {
			t.Errorf("%q is taken for a token", text)
		}
	}
}
