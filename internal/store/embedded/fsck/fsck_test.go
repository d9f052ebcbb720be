package fsck

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, dir string, repair bool, want ...string) {
	t.Helper()
	problems, err := Check(t.Context(), dir, repair)
	must(t, err)
	var all []string
	for _, p := range problems {
		all = append(all, fmt.Sprint(p.Repaired, " ", p.What))
	}
	text := strings.Join(all, "\n")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no word of %q in:\n%s", w, text)
		}
	}
	if len(problems) != len(want) {
		t.Errorf("problems:\n%s\nwant %d", text, len(want))
	}
}

func TestCheck(t *testing.T) {
	if _, err := Check(t.Context(), t.TempDir(), false); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty folder: %v", err)
	}
	dir := t.TempDir()
	r, err := embedded.Open(dir, embedded.Options{SegmentSize: 1})
	must(t, err)
	d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "d"})
	must(t, err)
	for n := range 4 {
		must(t, d.Append(t.Context(), []json.RawMessage{fmt.Appendf(nil, `{"n":%d}`, n)}))
	}
	k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{Name: "k"})
	must(t, err)
	_, err = k.Put(t.Context(), "K", "a/b", strings.NewReader(strings.Repeat("x", 100_000)))
	must(t, err)
	q, _, err := r.RequestQueues().Create(t.Context(), store.CreateOptions{Name: "q"})
	must(t, err)
	_, err = q.Add(t.Context(), []store.Request{{UniqueKey: "a"}}, false, store.Client{})
	must(t, err)
	if _, err := Check(t.Context(), dir, false); !fault.Is(err, fault.Conflict) {
		t.Errorf("while a server runs: %v", err)
	}
	must(t, r.Close())
	check(t, dir, false)

	items := embedded.ItemsFolder(dir, 1)
	must(t, os.WriteFile(filepath.Join(items, "000000000000.idx"), []byte("x"), 0o600))
	segment := filepath.Join(items, "000000000001.seg")
	data, err := os.ReadFile(segment)
	must(t, err)
	data[len(data)-2] ^= 1
	must(t, os.WriteFile(segment, data, 0o600))
	contents, _ := filepath.Glob(filepath.Join(dir, embedded.ContentName, "??", "*"))
	orphan := filepath.Join(filepath.Dir(contents[0]), strings.Repeat("ab", 16))
	must(t, os.Rename(contents[0], orphan))
	must(t, os.MkdirAll(filepath.Join(dir, embedded.ContentName, "ab"), 0o700))
	db, err := database.Open(filepath.Join(dir, embedded.DatabaseName), database.Options{Migrations: embedded.Migrations()})
	must(t, err)
	must(t, db.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec("UPDATE storage SET total = 7 WHERE kind = 'request queue'")
		return err
	}))
	must(t, db.Close())
	must(t, os.Rename(orphan, filepath.Join(dir, embedded.ContentName, "ab", filepath.Base(orphan))))

	damage := " dataset \"" + d.ID() + "\": segment 000000000001.seg is damaged at byte 0 (item 1)"
	index := " dataset \"" + d.ID() + "\": the index 000000000000.idx is wrong"
	check(t, dir, false, "false"+damage, "false"+index, `false key-value store`, "false content abab", `false request queue`)
	problems, err := Check(t.Context(), dir, false)
	must(t, err)
	if p := problems[0]; p.Kind != "dataset" || p.Storage != d.ID() || p.Offset != 0 || filepath.Join(dir, filepath.FromSlash(p.File)) != segment {
		t.Errorf("the damage is %+v", p)
	}
	check(t, dir, true, "true"+damage, "true"+index, `true key-value store`, "true content abab", `true request queue`)
	check(t, dir, false)
	if kept, err := os.ReadFile(strings.TrimSuffix(segment, ".seg") + ".damaged"); err != nil || string(kept) != string(data) {
		t.Errorf("the damaged segment is kept as %q, %v", kept, err)
	}
	r, err = embedded.Open(dir, embedded.Options{})
	must(t, err)
	defer r.Close()
	d, err = r.Datasets().Open(t.Context(), "d")
	must(t, err)
	var left []string
	for item, err := range d.Items(t.Context(), 0, -1, false) {
		must(t, err)
		left = append(left, string(item))
	}
	if got := strings.Join(left, " "); got != `{"n":0} {} {"n":2} {"n":3}` {
		t.Errorf("after the repair the items are %s", got)
	}
}
