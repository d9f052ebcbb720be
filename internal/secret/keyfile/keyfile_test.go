package keyfile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/internal/secret/keyfile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestKeyStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first := pem(t, dir, "abcDEF12345678901")
	if again := pem(t, dir, "abcDEF12345678901"); again != first {
		t.Error("the Actor got another key")
	}
	if other := pem(t, dir, "other567890123456"); other == first {
		t.Error("two Actors have one key")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("the folder has %d files, want 2: %v", len(entries), entries)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, path := range []string{dir, filepath.Join(dir, "abcDEF12345678901.pem")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
	}
}

// Whoever asks first at the same time, everybody gets the same key.
func TestKeyIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	texts := make([]string, 4)
	for i := range texts {
		wait.Go(func() {
			key, err := keyfile.In(dir).Key("same5678901234567")
			if err == nil {
				texts[i], err = key.PEM()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, text := range texts {
		if text != texts[0] {
			t.Fatal("different keys")
		}
	}
}

func TestDamagedKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "damaged0123456789.pem")
	if err := os.WriteFile(path, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := keyfile.In(dir).Key("damaged0123456789")
	if err == nil || !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
	for _, id := range []string{"", "../x", "a/b", "a.b"} {
		if _, err := keyfile.In(dir).Key(id); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func pem(t *testing.T, dir, id string) string {
	t.Helper()
	var key *secret.PrivateKey
	key, err := keyfile.In(dir).Key(id)
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
