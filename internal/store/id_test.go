package store

import (
	"strings"
	"testing"
)

func TestRequestIDMatchesThePlatform(t *testing.T) {
	for key, want := range map[string]string{
		"http://example.com":     "8OamqXBCpPHxyH9",
		"http://example.com/a/b": "ZJAoqlRijenMQIn",
		"https://apify.com/?q=1": "vAXdrpyfS828tBF",
	} {
		if got := RequestID(key); got != want {
			t.Errorf("RequestID(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestNewIDsAreDistinctAndWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if len(id) != 17 || !ValidName(id) || seen[id] {
			t.Fatalf("bad id %q", id)
		}
		seen[id] = true
	}
}

func TestNamesAndKeys(t *testing.T) {
	for s, want := range map[string]struct{ key, name bool }{
		"":                       {false, false},
		"a":                      {true, true},
		"a-b":                    {true, true},
		"-a":                     {true, false},
		"a-":                     {true, false},
		"-":                      {true, false},
		"a.b":                    {true, false},
		"a/b":                    {false, false},
		"a b":                    {false, false},
		"é":                      {false, false},
		"A!-_.'()9":              {true, false},
		"a\n":                    {false, false},
		strings.Repeat("x", 63):  {true, true},
		strings.Repeat("x", 64):  {true, false},
		strings.Repeat("x", 256): {true, false},
		strings.Repeat("x", 257): {false, false},
	} {
		if ValidKey(s) != want.key || ValidName(s) != want.name {
			t.Errorf("%q: key %v, name %v, want %+v", s, ValidKey(s), ValidName(s), want)
		}
	}
}
