package localdir_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/internal/store/storetest"
)

// TestConformanceWithSpares keeps the promises with files made ahead too.
func TestConformanceWithSpares(t *testing.T) {
	var kept sync.Map // one root of a folder keeps spares, the others do without
	storetest.Run(t, func(t *testing.T, dir string) store.Root {
		root := localdir.Open(dir)
		if _, taken := kept.LoadOrStore(dir, true); !taken {
			if err := root.KeepSpares(4); err != nil {
				t.Fatal(err)
			}
		}
		return root
	}, storetest.NoSizes)
}

func TestSparesAreNotLeftBehind(t *testing.T) {
	dir := t.TempDir()
	spare := filepath.Join(dir, ".greenroom", "spare")
	if err := os.MkdirAll(spare, 0o755); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(spare, "left-by-a-killed-process")
	if err := os.WriteFile(left, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	root := localdir.Open(dir)
	if err := root.KeepSpares(4); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("old spare files stay")
	}
	kvs, err := root.KeyValueStores().Open(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	made := func() bool { _, err := os.Stat(spare); return err == nil }
	for deadline := time.Now().Add(10 * time.Second); !made(); {
		if _, err := kvs.Put(t.Context(), "key", "text/plain", strings.NewReader("value")); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("no file is ever made ahead")
		}
	}
	if err := root.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(spare); err == nil {
		t.Error("Close leaves spare files")
	}
}
