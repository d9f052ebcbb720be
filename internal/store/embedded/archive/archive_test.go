package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// contents are the files of a directory, with their times.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		text, err := os.ReadFile(path)
		info, _ := e.Info()
		fmt.Fprintf(&all, "%s %q %v\n", name, text, info.ModTime().UTC())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Whatever byte of a backup changes: what is restored is what was there, or
// nothing is.
func TestEveryByteCounts(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"greenroom.db": "records", "a/1.seg": "items", "empty": ""} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2020, 1, 2, 3, 4, 5, 678_000, time.UTC)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	w := NewWriter(t.Context(), &b, dir)
	for _, name := range []string{"greenroom.db", "empty"} {
		if err := w.Add(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AddFolder(filepath.Join(dir, "a"), ".seg"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := contents(t, dir)
	parent := t.TempDir()
	target := filepath.Join(parent, "data")
	refused := 0
	for i := range b.Len() {
		data := bytes.Clone(b.Bytes())
		data[i] ^= 1 << (i % 8)
		_, err := Verify(t.Context(), bytes.NewReader(data))
		if i%101 != 0 {
			if err != nil {
				refused++
			}
			continue // restoring waits for the disk each time
		}
		_, restored := Extract(t.Context(), bytes.NewReader(data), target)
		if (restored == nil) != (err == nil) {
			t.Fatalf("byte %d: verified %v, restored %v", i, err, restored)
		}
		if err = restored; err == nil {
			if got := contents(t, target); got != want {
				t.Fatalf("byte %d: restored\n%s\nwant\n%s", i, got, want)
			}
			if err := os.RemoveAll(target); err != nil {
				t.Fatal(err)
			}
			continue
		}
		refused++
		if !fault.Is(err, fault.InvalidInput) {
			t.Fatalf("byte %d: %v", i, err)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Fatalf("byte %d left %v", i, left)
		}
	}
	if refused < 1000 {
		t.Errorf("only %d of %d changes were refused", refused, b.Len())
	}
	// Behind the manifest there are only the zeros that a tar ends in.
	end := len(bytes.TrimRight(b.Bytes(), "\x00"))
	for n := range end {
		if _, err := Verify(t.Context(), bytes.NewReader(b.Bytes()[:n])); !fault.Is(err, fault.InvalidInput) {
			t.Fatalf("%d of %d bytes: %v", n, b.Len(), err)
		}
	}
}

// Names that lead out of the directory, and what is no file, are refused.
func TestHostileNames(t *testing.T) {
	for _, header := range []tar.Header{
		{Name: "../out"}, {Name: "/abs"}, {Name: "a/../../out"}, {Name: "a//b"}, {Name: "."},
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, {Name: "folder/", Typeflag: tar.TypeDir},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if header.Typeflag == 0 {
			header.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		w.Close()
		parent := t.TempDir()
		if _, err := Extract(t.Context(), &b, filepath.Join(parent, "data")); err == nil {
			t.Errorf("%q was taken", header.Name)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Errorf("%q left %v", header.Name, left)
		}
	}
}
