package signature

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// TestSum uses values that the official libraries gave.
func TestSum(t *testing.T) {
	for _, c := range []struct{ key, text, want string }{
		{"topsecret", "obj", "dC3LmddJbYyMiL8xY7I1"},
		{"hmac-secret", "my-record-key", "qweuo3E7A2wiW24turpL"},
		{"sekret", "a b/c", "mxooDllhRu2gl7h8Ryv3"},
	} {
		if got := Sum(c.key, c.text); got != c.want {
			t.Errorf("Sum(%q, %q) = %s, want %s", c.key, c.text, got, c.want)
		}
		if CheckRecord(c.key, c.text, c.want) != Valid || CheckRecord(c.key, c.text+"x", c.want) != Wrong || CheckRecord(c.key+"x", c.text, c.want) != Wrong {
			t.Errorf("the check of %q is wrong", c.text)
		}
	}
}

// TestContent uses values that the official libraries gave.
func TestContent(t *testing.T) {
	for _, c := range []struct{ key, id, want string }{
		{"topsecret", "abc123", "MC4wLjRXQ2hGMGh5MHVmVmJ1R0lZRGRh"},
		{"secret", "WkzbQMuFYuamGv3YF", "MC4wLm5ua25zbmw4VjJ2T1JmN1haSnVk"},
	} {
		if got := Content(c.key, c.id, time.Time{}); got != c.want {
			t.Errorf("Content(%q, %q) = %s, want %s", c.key, c.id, got, c.want)
		}
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	good := Content("key", "id", now.Add(time.Minute))
	for _, c := range []struct {
		what, signature string
		at              time.Time
		want            Verdict
	}{
		{"in time", good, now, Valid},
		{"at the last moment", good, now.Add(time.Minute), Valid},
		{"late", good, now.Add(time.Minute + time.Millisecond), Expired},
		{"for ever", Content("key", "id", time.Time{}), now.AddDate(100, 0, 0), Valid},
		{"padded as the Python client does", padded(good), now, Valid},
		{"of another storage", Content("key", "other", time.Time{}), now, Wrong},
		{"of another key", Content("other", "id", time.Time{}), now, Wrong},
		{"empty", "", now, Wrong},
		{"no base64", "%%%", now, Wrong},
		{"another version", encoded("1.0." + Sum("key", "1.0.id")), now, Wrong},
		{"no number", encoded("0.x." + Sum("key", "0.x.id")), now, Wrong},
		{"before all time", encoded("0.-1." + Sum("key", "0.-1.id")), now, Wrong},
		{"more parts", encoded("0.0." + Sum("key", "0.0.id") + ".x"), now, Wrong},
		{"later than signed", encoded("0.9999999999999." + strings.Split(decoded(t, good), ".")[2]), now, Wrong},
		{"the signature of a record", Sum("key", "id"), now, Wrong},
	} {
		if got := CheckContent("key", "id", c.signature, c.at); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

func TestKey(t *testing.T) {
	a, b := Key([]byte("secret"), "a"), Key([]byte("secret"), "b")
	if a == b || a == Key([]byte("other"), "a") || a != Key([]byte("secret"), "a") || len(a) < 40 {
		t.Errorf("keys %q, %q", a, b)
	}
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func decoded(t *testing.T, text string) string {
	t.Helper()
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func padded(text string) string { return text + strings.Repeat("=", (4-len(text)%4)%4) }

func FuzzCheckContent(f *testing.F) {
	f.Add("MC4wLjRXQ2hGMGh5MHVmVmJ1R0lZRGRh")
	f.Add("")
	f.Fuzz(func(t *testing.T, signature string) {
		if CheckContent("a key that nobody guesses", "id", signature, time.Now()) != Wrong {
			t.Errorf("%q opens the storage", signature)
		}
	})
}

func TestSeal(t *testing.T) {
	secret, payload := []byte("secret"), `{"a":"<é>","n":1.50}`
	text := Seal(secret, "user", []byte(payload))
	got, user, v, ok := Unseal(secret, text)
	if !ok || v != Valid || user != "user" || string(got) != payload {
		t.Errorf("got %s of %s: %v, %v", got, user, v, ok)
	}
	if _, _, v, ok := Unseal([]byte("other"), text); !ok || v != Wrong {
		t.Errorf("with another secret: %v, %v", v, ok)
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{"1.50", "user\""} {
		changed := strings.Replace(string(plain), change, "2"+change[1:], 1)
		if _, _, v, ok := Unseal(secret, base64.StdEncoding.EncodeToString([]byte(changed))); !ok || v != Wrong {
			t.Errorf("with another %s: %v, %v", change, v, ok)
		}
	}
	for _, nonsense := range []string{"", "%", encoded("[]"), encoded(`{"payload":"{"}`)} {
		if _, _, v, ok := Unseal(secret, nonsense); ok || v == Valid {
			t.Errorf("%q was unsealed", nonsense)
		}
	}
}
