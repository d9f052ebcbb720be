package app

import (
	"bytes"
	"compress/gzip"
	"io"
	"path/filepath"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
)

// TestArchiveOfSourcesThatIsKeptCompressed opens a record as builds do: clients
// compress what they upload, and the store keeps it so.
func TestArchiveOfSourcesThatIsKeptCompressed(t *testing.T) {
	root, err := embedded.Open(filepath.Join(t.TempDir(), "data"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	kvs, _, err := root.KeyValueStores().Create(t.Context(), store.CreateOptions{Name: "sources"})
	if err != nil {
		t.Fatal(err)
	}
	var squeezed bytes.Buffer
	w := gzip.NewWriter(&squeezed)
	if _, err := io.WriteString(w, "an archive"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = kvs.(store.Compressing).PutCompressed(t.Context(), "source.zip", "application/zip", store.Compressed{
		Encoding: "gzip", Reader: &squeezed, Size: func() int64 { return int64(len("an archive")) },
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{store: root, reach: reach{url: "http://127.0.0.1:3333"}}
	body, ok, err := d.ownRecord(t.Context(), "http://127.0.0.1:3333/v2/key-value-stores/sources/records/source.zip")
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	defer body.Close()
	if text, err := io.ReadAll(body); err != nil || string(text) != "an archive" {
		t.Errorf("got %q, %v", text, err)
	}
}
