package keyvaluestores

import (
	"os"
	"testing"
)

func TestTypeOf(t *testing.T) {
	for name, want := range map[string]string{
		"a.JSON": "application/json; charset=utf-8", "a.tar.gz": "application/gzip", "INPUT": unknownType, ".json": "application/json; charset=utf-8", "a.": unknownType, "a.nosuch": unknownType,
	} {
		if got := typeOf(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// FuzzNames writes a file for every key that is let through.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"a", "..", "../a", "a/b", "CON", "(a).b'!", "", "\x00", "a."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if checkNames(map[string]int64{key: 1}) != nil {
			return
		}
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if err := root.WriteFile(key, nil, 0o644); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != key {
			t.Errorf("%q: %v, %v", key, entries, err)
		}
	})
}
