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
	var backup bytes.Buffer
	err = r.Backup(t.Context(), &backup)
	close(stop)
	<-stopped
	must(t, err)
	if left, _ := filepath.Glob(filepath.Join(dir, "backup-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	target := filepath.Join(t.TempDir(), "new", "data")
	must(t, archive.Extract(t.Context(), bytes.NewReader(backup.Bytes()), target))
	r = open(t, target, Options{})
	d, err = r.Datasets().Open(t.Context(), "d")
	must(t, err)
	page, err := r.Datasets().List(t.Context(), store.ListOptions{})
	must(t, err)
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

	if err := archive.Extract(t.Context(), bytes.NewReader(backup.Bytes()), target); !fault.Is(err, fault.Conflict) {
		t.Errorf("restored over a directory in use: %v", err)
	}
	torn := filepath.Join(t.TempDir(), "torn")
	if archive.Extract(t.Context(), bytes.NewReader(backup.Bytes()[:backup.Len()/2]), torn) == nil {
		t.Error("half a backup was restored")
	}
	if left, _ := os.ReadDir(filepath.Dir(torn)); len(left) > 0 {
		t.Errorf("half a backup left %v", left)
	}
}
