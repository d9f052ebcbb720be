package embedded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/archive"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// A backup made under load has all that was answered before it began.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{SegmentSize: 300})
	d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "d"})
	must(t, err)
	k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{Name: "k"})
	must(t, err)
	q, _, err := r.RequestQueues().Create(t.Context(), store.CreateOptions{Name: "q"})
	must(t, err)
	must(t, r.Runs().Create(t.Context(), "run", api.Run{ID: "run"}))
	must(t, r.Logs().Append(t.Context(), "run", []byte("hello")))
	large := strings.Repeat("x", 3*smallRecord)
	step := func(n int) {
		must(t, d.Append(t.Context(), []json.RawMessage{fmt.Appendf(nil, `{"n":%d}`, n), []byte(`{}`)}))
		_, err := k.Put(t.Context(), fmt.Sprint("K", n), "a/b", strings.NewReader(large))
		must(t, err)
		_, err = q.Add(t.Context(), []store.Request{{UniqueKey: fmt.Sprint(n), JSON: []byte(`{}`)}}, false, store.Client{})
		must(t, err)
	}
	const before = 30
	for n := range before {
		step(n)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := before; ; n++ {
			select {
			case <-stop:
				return
			default:
				step(n)
				k.DeleteRecord(t.Context(), fmt.Sprint("K", n))
			}
		}
	}()
	must(t, os.WriteFile(filepath.Join(dir, "own"), []byte("a"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "folder", "f"), []byte("b"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "other"), []byte("c"), 0o600))
	var backup bytes.Buffer
	err = r.Backup(t.Context(), &backup, "own", "folder", "missing")
	close(stop)
	<-stopped
	must(t, err)
	if left, _ := filepath.Glob(filepath.Join(dir, "backup-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	target := filepath.Join(t.TempDir(), "new", "data")
	begun := time.Now()
	summary, err := archive.Extract(t.Context(), bytes.NewReader(backup.Bytes()), target)
	must(t, err)
	if verified, err := archive.Verify(t.Context(), bytes.NewReader(backup.Bytes())); err != nil || verified != summary || summary.Files < before {
		t.Errorf("extracted %+v, verified %+v, %v", summary, verified, err)
	}
	for name, want := range map[string]string{"own": "a", "folder/f": "b"} {
		if got, err := os.ReadFile(filepath.Join(target, filepath.FromSlash(name))); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	r = open(t, target, Options{})
	d, err = r.Datasets().Open(t.Context(), "d")
	must(t, err)
	page, err := r.Datasets().List(t.Context(), store.ListOptions{})
	must(t, err)
	if at := page.Items[0].ModifiedAt; at.Before(page.Items[0].CreatedAt) || at.After(begun) {
		t.Errorf("modified at %v, the backup was restored at %v", at, begun)
	}
	items := 0
	for raw, err := range d.Items(t.Context(), 0, -1, false) {
		must(t, err)
		if want := fmt.Sprintf(`{"n":%d}`, items/2); items%2 == 0 && string(raw) != want {
			t.Fatalf("item %d is %s", items, raw)
		}
		items++
	}
	if items < 2*before || items%2 != 0 || page.Items[0].ItemCount != items {
		t.Errorf("%d items, the listing says %d", items, page.Items[0].ItemCount)
	}
	k, err = r.KeyValueStores().Open(t.Context(), "k")
	must(t, err)
	keys, err := k.Keys(t.Context(), store.KeysOptions{})
	must(t, err)
	if len(keys.Items) < before {
		t.Errorf("%d records", len(keys.Items))
	}
	for _, i := range keys.Items {
		record, err := k.Get(t.Context(), i.Key)
		must(t, err)
		value, _ := io.ReadAll(record.Body)
		record.Body.Close()
		if string(value) != large {
			t.Errorf("record %s has %d bytes", i.Key, len(value))
		}
	}
	q, err = r.RequestQueues().Open(t.Context(), "q")
	must(t, err)
	if i, err := q.Info(t.Context()); err != nil || i.TotalRequests < before {
		t.Errorf("%d requests, %v", i.TotalRequests, err)
	}
	if _, err := r.Runs().Get(t.Context(), "run"); err != nil {
		t.Error(err)
	}
	log, err := r.Logs().Open(t.Context(), "run", 0)
	must(t, err)
	text, _ := io.ReadAll(log)
	log.Close()
	if string(text) != "hello" {
		t.Errorf("log %q", text)
	}

	if _, err := archive.Extract(t.Context(), bytes.NewReader(backup.Bytes()), target); !fault.Is(err, fault.Conflict) {
		t.Errorf("restored over a directory in use: %v", err)
	}
	torn := filepath.Join(t.TempDir(), "torn")
	if _, err := archive.Extract(t.Context(), bytes.NewReader(backup.Bytes()[:backup.Len()/2]), torn); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("half a backup was restored: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(torn)); len(left) > 0 {
		t.Errorf("half a backup left %v", left)
	}
}

// What a backup left whose process died is cleared away.
func TestLeftSnapshots(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	must(t, r.Close())
	left := filepath.Join(dir, "backup-1")
	must(t, os.Mkdir(left, 0o700))
	must(t, os.WriteFile(filepath.Join(left, DatabaseName), nil, 0o600))
	open(t, dir, Options{})
	if _, err := os.Stat(left); err == nil {
		t.Error("it is still there")
	}
}
