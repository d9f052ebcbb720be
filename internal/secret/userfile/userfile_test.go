package userfile_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/secret/userfile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestAddAndRemove(t *testing.T) {
	home := t.TempDir()
	for name, value := range map[string]string{"token": "a<b>&\"c\"", "key": "line 1\nline 2"} {
		if err := userfile.Add(home, name, value, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := userfile.Add(home, "token", "other", false); !fault.Is(err, fault.Conflict) || strings.Contains(err.Error(), "other") {
		t.Errorf("a duplicate: %v", err)
	}
	text, err := os.ReadFile(userfile.Path(home))
	if want := "{\n\t\"key\": \"line 1\\nline 2\",\n\t\"token\": \"a<b>&\\\"c\\\"\"\n}\n"; err != nil || string(text) != want {
		t.Errorf("the file is %q, %v", text, err)
	}
	if err := userfile.Add(home, "token", "other", true); err != nil {
		t.Fatal(err)
	}
	if err := userfile.Remove(home, "key"); err != nil {
		t.Fatal(err)
	}
	if err := userfile.Remove(home, "key"); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("a missing one: %v", err)
	}
	expect(t, home, map[string]string{"token": "other"})
	entries, err := os.ReadDir(filepath.Dir(userfile.Path(home)))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "secrets.json" && name != ".secrets.lock" {
			t.Errorf("%s was left behind", name)
		}
	}
}

func expect(t *testing.T, home string, want map[string]string) {
	t.Helper()
	got, err := userfile.Load(home)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the secrets are %v, %v; want %v", got, err, want)
	}
}

func TestLimits(t *testing.T) {
	home := t.TempDir()
	long := strings.Repeat("é", userfile.MaxNameLength)
	for _, c := range []struct{ name, value string }{
		{"", "v"}, {"n", ""}, {long + "x", "v"}, {"n", strings.Repeat("x", userfile.MaxValueLength+1)},
	} {
		if err := userfile.Add(home, c.name, c.value, false); !fault.Is(err, fault.Usage) || len(err.Error()) > 400 {
			t.Errorf("a name of %d and a value of %d bytes: %v", len(c.name), len(c.value), err)
		}
	}
	if _, err := os.Stat(filepath.Dir(userfile.Path(home))); err == nil {
		t.Error("a refused secret made a directory")
	}
	if err := userfile.Add(home, long, strings.Repeat("é", userfile.MaxValueLength), false); err != nil {
		t.Errorf("the longest: %v", err)
	}
	if err := userfile.Add("", "n", "v", false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a home: %v", err)
	}
}

func TestFileIsTheUsersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such modes")
	}
	home := t.TempDir()
	path := userfile.Path(home)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// As the official CLI leaves it.
	if err := os.WriteFile(path, []byte(`{"old": "value"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	mode := func() os.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if changed, err := userfile.Protect(home); err != nil || !changed || mode() != 0o600 {
		t.Errorf("changed %v, %v, mode %o", changed, err, mode())
	}
	if changed, err := userfile.Protect(home); err != nil || changed {
		t.Errorf("changed %v again, %v", changed, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := userfile.Add(home, "new", "value", false); err != nil || mode() != 0o600 {
		t.Errorf("%v, mode %o", err, mode())
	}
	expect(t, home, map[string]string{"old": "value", "new": "value"})
}

func TestLinkStays(t *testing.T) {
	home, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "my-secrets.json")
	if err := os.WriteFile(elsewhere, []byte(`{"old": "value"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(userfile.Path(home)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, userfile.Path(home)); err != nil {
		t.Skip(err)
	}
	if err := userfile.Add(home, "new", "value", false); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(elsewhere)
	if err != nil || !strings.Contains(string(text), "new") {
		t.Errorf("%s, %v", text, err)
	}
}

// Every one of many adders at the same time finds its secret afterwards.
func TestConcurrentAdds(t *testing.T) {
	home := t.TempDir()
	var wait sync.WaitGroup
	const count = 40
	for i := range count {
		wait.Go(func() {
			if err := userfile.Add(home, fmt.Sprint("secret", i), "value", false); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	secrets, err := userfile.Load(home)
	if err != nil || len(secrets) != count {
		t.Errorf("%d secrets, want %d; %v", len(secrets), count, err)
	}
}

func TestBrokenFileStays(t *testing.T) {
	home := t.TempDir()
	path := userfile.Path(home)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{``, `{"token": "hunter2"`, `["hunter2"]`, `null`, `{"token": {"a": "hunter2"}}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := userfile.Load(home)
		for _, err := range []error{err, userfile.Add(home, "new", "value", true), userfile.Remove(home, "token")} {
			if !fault.Is(err, fault.InvalidInput) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", text, err)
			}
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != text {
			t.Errorf("%s became %s, %v", text, after, err)
		}
	}
}

func TestNobodyHasSecrets(t *testing.T) {
	expect(t, "", map[string]string{})
	expect(t, t.TempDir(), map[string]string{})
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".apify"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, home, map[string]string{})
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"a": "b"}`))
	f.Add([]byte(`{"a": 1}`))
	f.Add([]byte(" "))
	home := f.TempDir()
	path := userfile.Path(home)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		secrets, err := userfile.Load(home)
		if err == nil && len(secrets) > 0 && !json.Valid(text) {
			t.Errorf("%q gives %v", text, secrets)
		}
	})
}
