package store

import "testing"

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
