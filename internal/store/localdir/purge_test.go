package localdir

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/filetype"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestPurge(t *testing.T) {
	dir := t.TempDir()
	check(t, Open(dir).Purge(t.Context())) // nothing there yet
	if files := tree(t, dir); len(files) > 0 {
		t.Errorf("purging created %v", files)
	}
	r := Open(dir)
	ctx := t.Context()
	other := Open(dir) // another process
	defer r.Close()
	defer other.Close()
	d, k, q := defaultDataset(t, r), defaultStore(t, r), defaultQueue(t, r)
	theirs := defaultQueue(t, other)
	fill := func() {
		check(t, d.Append(ctx, []json.RawMessage{[]byte(`{"a":1}`)}))
		for _, put := range [][2]string{{"OUTPUT", "text/x"}, {"INPUT2", "a/b"}, {"data.json", "application/json"}, {"INPUT", "application/json"}} {
			_, err := k.Put(ctx, put[0], put[1], strings.NewReader("{}"))
			check(t, err)
		}
		_, err := q.Add(ctx, []store.Request{{UniqueKey: "u", JSON: []byte(`{}`)}}, false, store.Client{Key: "c"})
		check(t, err)
		i, err := theirs.Info(ctx)
		check(t, err)
		if i.TotalRequests != 1 {
			t.Errorf("%d requests, want 1", i.TotalRequests)
		}
	}
	fill()
	named, _, err := r.Datasets().Create(ctx, store.CreateOptions{Name: "named"})
	check(t, err)
	check(t, named.Append(ctx, []json.RawMessage{[]byte(`{}`)}))
	plant(t, dir, map[string]string{
		"key_value_stores/default/INPUT.weird": "x", "key_value_stores/default/MY.json": "{}",
		"key_value_stores/default/INPUTS.json": "{}", "key_value_stores/default/sub/x": "",
	})
	check(t, r.Purge(ctx, "INPUT", "MY"))
	got := slices.Sorted(maps.Keys(tree(t, dir)))
	want := []string{
		"datasets/named/000000001.json", "datasets/named/__metadata__.json",
		"key_value_stores/default/INPUT.__metadata__.json", "key_value_stores/default/INPUT.json", "key_value_stores/default/INPUT.weird",
		"key_value_stores/default/MY.json", "key_value_stores/default/__metadata__.json",
	}
	if !slices.Equal(got, want) {
		t.Errorf("left %v\nwant %v", got, want)
	}
	if n, err := theirs.Head(ctx, 9, store.Client{Key: "c"}); err != nil || len(n.Items) != 0 {
		t.Errorf("another process still has %v, %v", n.Items, err)
	}
	// Those who have the storages open go on with them.
	id := d.ID()
	fill()
	if got := allItems(t, d); len(got) != 1 || d.ID() != id {
		t.Errorf("items %v of %s, want one of %s", got, d.ID(), id)
	}
	again := defaultDataset(t, Open(dir))
	if again.ID() != id {
		t.Errorf("id %s, want %s", again.ID(), id)
	}
}

func TestInput(t *testing.T) {
	for file, want := range map[string][2]string{
		"INPUT.json":  {`{"a":1}`, "application/json; charset=utf-8"},
		"INPUT.txt":   {"text", "text/plain; charset=utf-8"},
		"INPUT.bin":   {"\x00", filetype.OctetStream},
		"INPUT":       {`{"a":1}`, "application/json; charset=utf-8"},
		"INPUT.other": {"?", filetype.OctetStream},
	} {
		dir := t.TempDir()
		plant(t, dir, map[string]string{"key_value_stores/default/" + file: want[0]})
		before := tree(t, dir)
		rec, err := Open(dir).Input(t.Context(), "")
		check(t, err)
		data := make([]byte, rec.Size)
		_, err = rec.Body.Read(data)
		check(t, err)
		check(t, rec.Body.Close())
		if string(data) != want[0] || rec.ContentType != want[1] {
			t.Errorf("%s: %q as %s", file, data, rec.ContentType)
		}
		if after := tree(t, dir); !maps.Equal(before, after) {
			t.Errorf("%s: reading changed %v to %v", file, before, after)
		}
		_, err = Open(dir).Input(t.Context(), "ELSE")
		if !fault.Is(err, fault.NotFound) || fault.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
	}
}

func TestLockRuns(t *testing.T) {
	dir := t.TempDir()
	lock, err := Open(dir).LockRuns(t.Context())
	check(t, err)
	if _, err := Open(dir).LockRuns(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Errorf("two runs: %v", err)
	}
	check(t, lock.Close())
	lock, err = Open(dir).LockRuns(t.Context())
	check(t, err)
	check(t, lock.Close())
}

func TestDropOldRuns(t *testing.T) {
	r := Open(t.TempDir())
	defer r.Close()
	ctx := t.Context()
	for n, status := range []api.Status{api.StatusRunning, api.StatusSucceeded, api.StatusFailed, api.StatusAborted, api.StatusReady} {
		id := string(rune('a' + n))
		check(t, r.Runs().Create(ctx, id, api.Run{ID: id, Status: status}))
		check(t, r.Logs().Append(ctx, id, []byte("log")))
		time.Sleep(time.Millisecond)
	}
	check(t, r.DropOldRuns(ctx, 3))
	runs, err := r.Runs().List(ctx)
	check(t, err)
	var ids string
	for _, run := range runs {
		ids += run.ID
	}
	if ids != "ade" {
		t.Errorf("left %s, want ade", ids)
	}
	logs, err := os.ReadDir(r.path(privateFolder, "logs"))
	check(t, err)
	if len(logs) != 3 {
		t.Errorf("%d logs", len(logs))
	}
	check(t, r.DropOldRuns(ctx, 0))
	runs, err = r.Runs().List(ctx)
	check(t, err)
	if len(runs) != 2 {
		t.Errorf("%d runs left, want the two that have not ended", len(runs))
	}
}

func TestUnfinishedFilesAreSwept(t *testing.T) {
	dir := t.TempDir()
	tmp := filepath.Join(dir, privateFolder, "tmp")
	plant(t, tmp, map[string]string{"old": "x", "young": "x", "folder/x": "x"})
	past := time.Now().Add(-time.Hour)
	check(t, os.Chtimes(filepath.Join(tmp, "old"), past, past))
	check(t, os.Chtimes(filepath.Join(tmp, "folder"), past, past))
	r := Open(dir)
	check(t, defaultDataset(t, r).Append(t.Context(), []json.RawMessage{[]byte(`{}`)}))
	check(t, r.Close())
	if left := slices.Sorted(maps.Keys(tree(t, tmp))); !slices.Equal(left, []string{"young"}) {
		t.Errorf("left %v", left)
	}
}
