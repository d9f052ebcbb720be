package token

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTokensExpire(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	start := time.Now()
	secret, made, err := s.Create("", Full, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return start.Add(59 * time.Minute) }
	if _, ok := s.Lookup(secret); !ok || made.Expired(s.now()) {
		t.Error("expired too early")
	}
	s.now = func() time.Time { return start.Add(time.Hour) }
	if _, ok := s.Lookup(secret); ok || !made.Expired(s.now()) {
		t.Error("has not expired")
	}
	if tokens, err := s.List(); err != nil || len(tokens) != 1 {
		t.Errorf("expired tokens are listed until they are revoked: %v, %v", tokens, err)
	}
}

// TestUsesAreNotedRarely counts the writes by the file that each one replaces.
func TestUsesAreNotedRarely(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	secret, _, err := s.Create("", Full, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	used := func(after time.Duration) time.Time {
		t.Helper()
		s.now = func() time.Time { return start.Add(after) }
		for range 100 {
			if _, ok := s.Lookup(secret); !ok {
				t.Fatal("a good token was refused")
			}
		}
		s.uses.Wait()
		tokens, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		return tokens[0].LastUsedAt
	}
	first := used(0)
	file, _ := os.Stat(filepath.Join(dir, tokensFile))
	if second := used(UsePrecision - 2*time.Second); !second.Equal(first) || !first.Equal(stamp(start)) {
		t.Errorf("used at %v, then %v", first, second)
	}
	if same, _ := os.Stat(filepath.Join(dir, tokensFile)); !os.SameFile(file, same) {
		t.Error("a use was written at once")
	}
	if third := used(UsePrecision + time.Second); !third.After(first) {
		t.Errorf("a later use was not noted: %v", third)
	}
}

func TestRandomTextUsesAllLetters(t *testing.T) {
	text := random(20_000)
	for _, letter := range alphabet {
		if n := strings.Count(text, string(letter)); n < 200 || n > 450 { // about 323
			t.Errorf("%c comes %d times", letter, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good, err := encode([]record{{Token{ID: OwnerID, Name: "n", Start: "s", Scope: OneRun("abcdefghij1234567"), CreatedAt: time.Unix(1, 0).UTC()}, hashOf("x")}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(good), "{}", `{"version":1}`, `{"version":1,"tokens":[{"sha256":"00"}]}`, "\xff", `{"version":1,"tokens":[null]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := decode(text)
		if err != nil {
			return
		}
		for _, r := range records {
			if r.Hash == (hash{}) || r.ID == "" {
				t.Fatalf("%q has a token that anybody could have: %+v", text, r)
			}
		}
		once, err := encode(records)
		if err != nil {
			return // times that JSON has no form for
		}
		again, err := decode(once)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", text, once, err)
		}
		if twice, err := encode(again); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q (%v)", once, twice, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"full", "read-only", "run:abcdefghij1234567", "run:", "run:../../etc/passwd", "", Prefix + random(secretLength)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseScope(text); err == nil && string(s) != text {
			t.Fatalf("%q became %q", text, s)
		} else if err == nil && (s.RunID() != "") == (s == Full || s == ReadOnly) {
			t.Fatalf("%q gives run %q", text, s.RunID())
		}
		if WellFormed(text) && (len(text) != 46 || strings.ContainsAny(text, " \n/\"")) {
			t.Fatalf("%q is no token", text)
		}
		if i, err := find([]record{{Token{ID: "abcdefghij1234567", Start: Prefix + "ABCD"}, hashOf("x")}}, text); err == nil && i != 0 {
			t.Fatalf("%q finds %d", text, i)
		}
	})
}

// TestChangesThatLookAlike changes the file twice within what its time of change
// can tell apart, and keeps its size.
func TestChangesThatLookAlike(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	first, _, err := s.Create("", Full, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	s.Lookup(first)
	s.uses.Wait() // its use is noted now, and the file as it will stay
	second := Prefix + random(secretLength)
	path := filepath.Join(dir, tokensFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := time.Now().Add(settled / 2)
	set := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	digits := func(token string) []byte {
		text, _ := hashOf(token).MarshalText()
		return text
	}
	set(text)
	if _, ok := s.Lookup(first); !ok {
		t.Fatal("a good token was refused")
	}
	set(bytes.Replace(text, digits(first), digits(second), 1))
	if _, ok := s.Lookup(first); ok {
		t.Error("a token that was taken out still opens")
	}
	if _, ok := s.Lookup(second); !ok {
		t.Error("a token that was put in opens nothing")
	}
}
