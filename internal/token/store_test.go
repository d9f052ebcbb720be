package token_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/token"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func open(t testing.TB, dir string) *token.Store {
	t.Helper()
	s, err := token.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func create(t testing.TB, s *token.Store, scope token.Scope, expiry time.Time) (string, token.Token) {
	t.Helper()
	secret, made, err := s.Create("a token", scope, expiry)
	if err != nil {
		t.Fatal(err)
	}
	return secret, made
}

func TestTokensOpenWhatTheyAreFor(t *testing.T) {
	s := open(t, t.TempDir())
	one := token.OneRun("abcdefghij1234567")
	for _, scope := range []token.Scope{token.Full, token.ReadOnly, one} {
		secret, made := create(t, s, scope, time.Time{})
		if !token.WellFormed(secret) || len(secret) != len("apify_api_")+36 || !strings.HasPrefix(secret, made.Start) {
			t.Errorf("%s does not look like a token that begins with %s", secret, made.Start)
		}
		if id, ok := s.Lookup(secret); !ok || id != (token.Identity{ID: made.ID, Scope: scope}) {
			t.Errorf("%s: %+v, %v", scope, id, ok)
		}
		for _, wrong := range []string{"", secret[:len(secret)-1], secret + "x", strings.ToUpper(secret), token.Prefix + strings.Repeat("a", 36)} {
			if id, ok := s.Lookup(wrong); ok {
				t.Errorf("%q opens %+v", wrong, id)
			}
		}
	}
	if one.RunID() != "abcdefghij1234567" || token.Full.RunID() != "" {
		t.Error("only scopes of runs have a run")
	}
}

func TestNothingReadableIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, dir)
	if entries, err := os.ReadDir(dir); err == nil {
		t.Errorf("opening made %v", entries)
	}
	secret, _ := create(t, s, token.Full, time.Time{})
	owner, err := s.Owner()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), secret) || entry.Name() != "owner-token" && strings.Contains(string(text), owner) {
			t.Errorf("%s holds a token", entry.Name())
		}
		if info, _ := entry.Info(); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", entry.Name(), info.Mode().Perm())
		}
	}
	if fmt.Sprint(names) != "[owner-token tokens.json tokens.lock]" {
		t.Errorf("the files are %v", names)
	}
	if info, _ := os.Stat(dir); runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %o", info.Mode().Perm())
	}
}

func TestOwnersTokenStays(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	first, err := s.Owner()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "owner-token")
	if text, err := os.ReadFile(path); err != nil || string(text) != first+"\n" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := open(t, dir).Owner()
	if err != nil || again != first {
		t.Errorf("%q, then %q, %v", first, again, err)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the owner's token: %o", info.Mode().Perm())
	}
	if id, ok := s.Lookup(first); !ok || id != (token.Identity{ID: token.OwnerID, Scope: token.Full}) {
		t.Errorf("%+v, %v", id, ok)
	}

	// What the file says counts, whoever wrote it.
	own := token.Prefix + strings.Repeat("Own0", 9)
	if err := os.WriteFile(path, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Owner(); err != nil || got != own {
		t.Errorf("got %q, %v", got, err)
	}
	if _, ok := s.Lookup(first); ok {
		t.Error("the replaced token still opens")
	}
	if _, ok := s.Lookup(own); !ok {
		t.Error("the token of the file opens nothing")
	}

	if _, err := s.Revoke("owner"); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Lookup(own); ok {
		t.Error("the revoked token still opens")
	}
	next, err := s.Owner()
	if err != nil || next == own || next == first {
		t.Errorf("after revoking: %q, %v", next, err)
	}
	tokens, err := s.List()
	if err != nil || len(tokens) != 1 || tokens[0].ID != token.OwnerID {
		t.Errorf("%+v, %v", tokens, err)
	}

	if err := os.WriteFile(path, []byte("swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Owner(); !fault.Is(err, fault.InvalidInput) || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	s := open(t, t.TempDir())
	var secrets []string
	var made []token.Token
	for range 4 {
		secret, m := create(t, s, token.Full, time.Time{})
		secrets, made = append(secrets, secret), append(made, m)
	}
	for i, name := range []string{made[0].ID, made[1].ID[:6], secrets[2], made[3].Start} {
		if revoked, err := s.Revoke(name); err != nil || revoked.ID != made[i].ID {
			t.Errorf("%s: %+v, %v", name, revoked, err)
		}
		if _, ok := s.Lookup(secrets[i]); ok {
			t.Errorf("the token revoked by %s still opens", name)
		}
		_, err := s.Revoke(name)
		if !fault.Is(err, fault.NotFound) || strings.Contains(err.Error(), secrets[i]) {
			t.Errorf("the second time: %v", err)
		}
	}
	create(t, s, token.Full, time.Time{})
	create(t, s, token.Full, time.Time{})
	for name, want := range map[string]fault.Code{
		"": fault.NotFound, "apify_api_": fault.NotFound, "own": fault.NotFound, "missing": fault.NotFound,
	} {
		if _, err := s.Revoke(name); !fault.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if tokens, _ := s.List(); len(tokens) != 2 {
		t.Errorf("%d tokens are left", len(tokens))
	}
}

func TestWhatIsNotMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, dir)
	for what, test := range map[string]struct {
		name   string
		scope  token.Scope
		expiry time.Time
	}{
		"long name":  {strings.Repeat("n", 101), token.Full, time.Time{}},
		"line break": {"a\nb", token.Full, time.Time{}},
		"no text":    {"a\xffb", token.Full, time.Time{}},
		"bad scope":  {"a", "everything", time.Time{}},
		"no run":     {"a", "run:", time.Time{}},
		"past":       {"a", token.Full, time.Now().Add(-time.Minute)},
	} {
		if _, _, err := s.Create(test.name, test.scope, test.expiry); !fault.Is(err, fault.Usage) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused token made a directory")
	}
}

func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	secret, _ := create(t, s, token.Full, time.Time{})
	path := filepath.Join(dir, "tokens.json")
	for _, text := range []string{"", "{", "[]", `{"version":2,"tokens":[]}`, `{"version":1,"tokens":[{"id":"owner","scope":"full","name":""}]}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := token.Open(dir); !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
		if _, _, err := s.Create("n", token.Full, time.Time{}); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%q: %v", text, err)
		}
		if _, ok := s.Lookup(secret); !ok {
			t.Errorf("%q: a running server locked everybody out", text)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Lookup(secret); ok {
		t.Error("the file has gone, and its token still opens")
	}
}

// TestMain is also the other process of TestOtherProcesses.
func TestMain(m *testing.M) {
	dir := os.Getenv("GREENROOM_TEST_TOKEN_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := token.Open(dir)
	for i := 0; i < 20 && err == nil; i++ {
		var secret string
		if secret, _, err = s.Create("other", token.ReadOnly, time.Time{}); err == nil {
			fmt.Println(secret)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestOtherProcesses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	mine, kept := create(t, s, token.Full, time.Time{})
	outputs := make([][]byte, 3)
	var wg sync.WaitGroup
	for i := range outputs {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "GREENROOM_TEST_TOKEN_DIR="+dir)
			cmd.Stderr = os.Stderr
			var err error
			if outputs[i], err = cmd.Output(); err != nil {
				t.Error(err)
			}
		})
	}
	for range 20 {
		create(t, s, token.Full, time.Time{})
	}
	wg.Wait()
	others := 0
	for _, output := range outputs {
		for secret := range strings.FieldsSeq(string(output)) {
			others++
			if id, ok := s.Lookup(secret); !ok || id.Scope != token.ReadOnly {
				t.Errorf("the token of another process: %+v, %v", id, ok)
			}
		}
	}
	if tokens, err := s.List(); err != nil || others != 60 || len(tokens) != 81 {
		t.Errorf("%d tokens of others, %d in all, %v", others, len(tokens), err)
	}
	if _, err := open(t, dir).Revoke(kept.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Lookup(mine); ok {
		t.Error("a token that was revoked elsewhere still opens")
	}
}

func TestConcurrentUse(t *testing.T) {
	s := open(t, t.TempDir())
	secret, made := create(t, s, token.Full, time.Time{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if _, ok := s.Lookup(secret); !ok {
					t.Error("a good token was refused")
				}
			}
		})
		wg.Go(func() {
			for range 3 {
				_, m := create(t, s, token.Full, time.Time{})
				if _, err := s.Revoke(m.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s.Close()
	tokens, err := s.List()
	if err != nil || len(tokens) != 1 || tokens[0].ID != made.ID || time.Since(tokens[0].LastUsedAt) > time.Minute {
		t.Errorf("%+v, %v", tokens, err)
	}
}

func BenchmarkLookup(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	secret, _ := create(b, s, token.Full, time.Time{})
	s.Lookup(secret)
	s.Close()
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "tokens.json"), old, old); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := s.Lookup(secret); !ok {
			b.Fatal("a good token was refused")
		}
	}
}
