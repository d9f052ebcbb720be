package embedded

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// copyOf is the directory as a process that dies now leaves it.
func copyOf(t *testing.T, r *Root) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.CopyFS(filepath.Join(dir, "copy"), os.DirFS(r.dir)))
	return filepath.Join(dir, "copy")
}

func statisticsOf(t *testing.T, dir string) (store.Statistics, store.Info) {
	t.Helper()
	r := open(t, dir, Options{})
	d, err := r.Datasets().Open(t.Context(), "d")
	must(t, err)
	s, err := d.Statistics(t.Context())
	must(t, err)
	i, err := d.Info(t.Context())
	must(t, err)
	must(t, r.Close())
	return s, i
}

// What items have in their fields is right after the death of the process, from
// what the database knew or from the items alone.
func TestStatisticsAfterDeath(t *testing.T) {
	r := open(t, t.TempDir(), Options{Durability: Relaxed})
	d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "d"})
	must(t, err)
	large := strings.Repeat("x", 1<<20)
	for n := range 20 { // beyond a checkpoint
		must(t, d.Append(t.Context(), []json.RawMessage{fmt.Appendf(nil, `{"n":%d,"text":"%s"}`, n, large), json.RawMessage(`{"#h":null}`)}))
	}
	var kept int
	must(t, r.db.Get(t.Context(), "SELECT items FROM summary", nil, &kept))
	if kept == 0 || kept >= 40 {
		t.Errorf("the database has the counts of %d items", kept)
	}
	check := func(what, dir string) {
		t.Helper()
		s, i := statisticsOf(t, dir)
		got := fmt.Sprint(s.Items, len(s.Fields), *s.Fields[0].Max, s.Fields[0].Empty, *s.Fields[1].Min, s.Fields[2].Nulls, i.CleanItemCount, i.ItemCount)
		if want := fmt.Sprint(40, 3, 19, 20, float64(1<<20), 20, 20, 40); got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	dead := copyOf(t, r)
	for what, spoil := range map[string]string{
		"as it was":               "",
		"nothing kept":            "DELETE FROM summary",
		"nonsense kept":           "UPDATE summary SET value = '{'",
		"more kept than is there": `UPDATE summary SET items = 99, value = '{"items":99,"clean":99}'`,
	} {
		dir := filepath.Join(t.TempDir(), "copy")
		must(t, os.CopyFS(dir, os.DirFS(dead)))
		if spoil != "" {
			db, err := database.Open(filepath.Join(dir, DatabaseName), database.Options{Migrations: Migrations()})
			must(t, err)
			must(t, db.Write(t.Context(), func(tx *database.Tx) error {
				_, err := tx.Exec(spoil)
				return err
			}))
			must(t, db.Close())
		}
		check(what, dir)
		check(what+", the next time", dir)
	}
	must(t, r.Close())
	check("after a clean end", r.dir)
}
