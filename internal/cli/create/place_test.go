package create

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	for name, fits := range map[string]bool{
		"abc": true, "A-1": true, "0000": true, strings.Repeat("a", 63): true, "a/b/c-d": true,
		"ab": false, strings.Repeat("a", 64): false, "-ab": false, "ab-": false, "a_b": false, "a.b": false,
		"ábc": false, "a b": false, "a/b/..": false, string(filepath.Separator): false,
	} {
		at, err := locate(filepath.Join(dir, filepath.FromSlash(name)))
		if name == string(filepath.Separator) {
			at, err = locate(name)
		}
		if (err == nil) != fits || err != nil && !fault.Is(err, fault.Usage) {
			t.Errorf("%q: %+v, %v", name, at, err)
		}
	}
}

// list gives the names in a directory.
func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func files(names ...string) func(string) error {
	return func(dir string) error {
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestFillIsAllOrNothing(t *testing.T) {
	broken := errors.New("no space left on device")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx   context.Context
		there []string // in the project's directory; nil when it is not there
		write func(string) error
		left  []string // in the project's directory; nil when it is not there
		fails func(error) bool
	}{
		"new":               {t.Context(), nil, files("a", "b"), []string{"a", "b"}, nil},
		"empty":             {t.Context(), []string{}, files("a", "b"), []string{"a", "b"}, nil},
		"new, failing":      {t.Context(), nil, func(dir string) error { return errors.Join(files("a")(dir), broken) }, nil, func(err error) bool { return errors.Is(err, broken) }},
		"empty, failing":    {t.Context(), []string{}, func(dir string) error { return errors.Join(files("a")(dir), broken) }, []string{}, func(err error) bool { return errors.Is(err, broken) }},
		"new, interrupted":  {ended, nil, files("a"), nil, func(err error) bool { return fault.Is(err, fault.Aborted) }},
		"empty, taken late": {t.Context(), []string{}, nil, []string{"b"}, func(err error) bool { return errors.Is(err, fs.ErrExist) }},
		"new, taken late":   {t.Context(), nil, nil, []string{"b"}, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "x", "y", "project")
			if test.there != nil {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			at, err := locate(dir)
			if err != nil {
				t.Fatal(err)
			}
			if test.write == nil { // somebody else is quicker
				test.write = func(scratch string) error {
					return errors.Join(files("a", "b", "c")(scratch), os.MkdirAll(dir, 0o755), files("b")(dir))
				}
			}
			err = at.fill(test.ctx, test.write)
			if (err != nil) != (test.fails != nil) || err != nil && !test.fails(err) {
				t.Errorf("error %v", err)
			}
			if test.left == nil {
				if left := list(t, root); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
				return
			}
			if got := list(t, dir); !slices.Equal(got, test.left) {
				t.Errorf("the project has %q, want %q", got, test.left)
			}
			if got := list(t, filepath.Dir(dir)); !slices.Equal(got, []string{"project"}) {
				t.Errorf("left beside the project: %q", got)
			}
		})
	}
}

func TestFillKeepsTheRepository(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cloned")
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	at, err := locate(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := at.fill(t.Context(), files("a")); err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir); !slices.Equal(got, []string{".git", "a"}) {
		t.Errorf("the project has %q", got)
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{"a/b-c": "a/b-c", "my dir/a": "'my dir/a'", "it's": `'it'\''s'`, "$HOME": "'$HOME'"} {
		if got := quote(path); got != want {
			t.Errorf("quote(%s) = %s, want %s", path, got, want)
		}
	}
}
