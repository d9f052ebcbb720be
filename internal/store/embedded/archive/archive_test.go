package archive

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

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
		if err := Extract(t.Context(), &b, filepath.Join(parent, "data")); err == nil {
			t.Errorf("%q was taken", header.Name)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Errorf("%q left %v", header.Name, left)
		}
	}
}
