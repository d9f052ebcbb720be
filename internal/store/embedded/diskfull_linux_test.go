package embedded

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// smallDisk mounts a file system of a few megabytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// TestFullDisk fills the disk, sees each kind of write fail without a trace, and
// goes on when there is space again.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, "6m")
	r := open(t, filepath.Join(disk, "data"), Options{SegmentSize: 100 << 10})
	d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "d"})
	must(t, err)
	k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{Name: "k"})
	must(t, err)
	q, _, err := r.RequestQueues().Create(t.Context(), store.CreateOptions{Name: "q"})
	must(t, err)
	items, requests, records, logged := 0, 0, 0, 0
	pad := strings.Repeat("p", 20<<10)
	step := func(n int) (failed int) {
		if d.Append(t.Context(), []json.RawMessage{fmt.Appendf(nil, `{"n":%d,"p":%q}`, items, pad), []byte(`{}`)}) == nil {
			items += 2
		} else {
			failed++
		}
		if _, err := k.Put(t.Context(), fmt.Sprint("K", records), "a/b", strings.NewReader(pad)); err == nil {
			records++
		} else {
			failed++
		}
		request := store.Request{UniqueKey: fmt.Sprint(n), JSON: fmt.Appendf(nil, `{"p":%q}`, pad)}
		if _, err := q.Add(t.Context(), []store.Request{request}, false, store.Client{}); err == nil {
			requests++
		} else {
			failed++
		}
		if r.Logs().Append(t.Context(), "log", []byte(pad)) == nil {
			logged += len(pad)
		} else {
			failed++
		}
		return failed
	}
	check := func() {
		t.Helper()
		i, err := d.Info(t.Context())
		must(t, err)
		page, err := k.Keys(t.Context(), store.KeysOptions{})
		must(t, err)
		seen := 0
		for _, err := range d.Items(t.Context(), 0, -1, false) {
			must(t, err)
			seen++
		}
		queued, err := q.Info(t.Context())
		must(t, err)
		log, err := r.Logs().Open(t.Context(), "log", 0)
		must(t, err)
		defer log.Close()
		size, err := io.Copy(io.Discard, log)
		must(t, err)
		if i.ItemCount != items || seen != items || len(page.Items) != records || queued.TotalRequests != requests || size != int64(logged) {
			t.Fatalf("%d (%d read), %d, %d, %d; want %d items, %d records, %d requests, %d bytes of log",
				i.ItemCount, seen, len(page.Items), queued.TotalRequests, size, items, records, requests, logged)
		}
	}
	ballast := filepath.Join(disk, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 2<<20), 0o600))
	n := 0
	for full := 0; full < 4; n++ {
		if n > 1000 {
			t.Fatal("the disk is never full")
		}
		full = step(n)
	}
	for range 3 {
		step(n)
		n++
	}
	check()
	must(t, os.Remove(ballast))
	deadline := time.Now().Add(10 * time.Second)
	for step(n) > 0 {
		n++
		if time.Now().After(deadline) {
			t.Fatal("writing does not go on")
		}
	}
	check()
	must(t, r.Close())
	r = open(t, r.dir, Options{})
	d, err = r.Datasets().Open(t.Context(), "d")
	must(t, err)
	k, err = r.KeyValueStores().Open(t.Context(), "k")
	must(t, err)
	q, err = r.RequestQueues().Open(t.Context(), "q")
	must(t, err)
	check()
}

// TestReadOnly says so instead of half-opening.
func TestReadOnly(t *testing.T) {
	disk := smallDisk(t, "4m")
	dir := filepath.Join(disk, "data")
	r := open(t, dir, Options{})
	must(t, r.Close())
	must(t, unix.Mount("none", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("opened on a read-only file system: %v", err)
	}
	must(t, unix.Mount("none", disk, "", unix.MS_REMOUNT, ""))
	open(t, dir, Options{})
}
