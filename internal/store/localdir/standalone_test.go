package localdir

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
)

func TestDatasetOfItsOwnFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	if _, err := os.Stat(dir); err == nil {
		t.Fatal("opening must create nothing")
	}
	for n := range 3 {
		// Each time anew, as separate processes do it.
		d := OpenDataset(dir)
		if err := d.Append(t.Context(), []json.RawMessage{json.RawMessage(`{"n":1.0}`)}); err != nil {
			t.Fatal(err)
		}
		info, err := d.Info(t.Context())
		if err != nil || info.ItemCount != n+1 || info.Name != "results" {
			t.Fatalf("%+v, %v", info, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{".greenroom", "000000001.json", "000000002.json", "000000003.json", metafile.Name}
	if !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, ".greenroom", "tmp")); len(left) > 0 {
		t.Errorf("unfinished files are left: %v", left)
	}
}
