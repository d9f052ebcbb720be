package embedded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/items"
	"github.com/greenroom-dev/greenroom/internal/store/storetest"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func open(t testing.TB, dir string, o Options) *Root {
	t.Helper()
	r, err := Open(dir, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Root {
		return open(t, dir, Options{})
	}, storetest.Exclusive, storetest.NoDefault)
}

func TestOneServer(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	if _, err := Open(dir, Options{}); !fault.Is(err, fault.Conflict) || fault.HintOf(err) == "" {
		t.Fatalf("a second one: %v", err)
	}
	must(t, r.Close())
	must(t, r.Close())
	if _, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("create after closing: %v", err)
	}
	open(t, dir, Options{})
}

// More datasets than may be open at once keep their items and counts.
func TestManyDatasets(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{Durability: Relaxed})
	const many = items.MostOpen + 40
	for round := range 3 {
		for n := range many {
			d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: fmt.Sprint("d", n)})
			must(t, err)
			must(t, d.Append(t.Context(), []json.RawMessage{fmt.Appendf(nil, `{"round":%d,"n":%d}`, round, n)}))
		}
		if n := r.items.Open(); n > items.MostOpen {
			t.Errorf("%d logs are open", n)
		}
		page, err := r.Datasets().List(t.Context(), store.ListOptions{})
		must(t, err)
		if page.Total != many {
			t.Fatalf("%d datasets", page.Total)
		}
		for _, i := range page.Items {
			if i.ItemCount != round+1 || i.ModifiedAt.Before(i.CreatedAt) {
				t.Fatalf("dataset %s has %d items in round %d, modified %v", i.Name, i.ItemCount, round, i.ModifiedAt)
			}
		}
		if round == 1 {
			must(t, r.Close())
			r = open(t, dir, Options{})
		}
	}
}

// A damaged item is named, and the others are given.
func TestDamagedItem(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "d"})
	must(t, err)
	for n := range 9 {
		must(t, d.Append(t.Context(), []json.RawMessage{fmt.Appendf(nil, `{"n":%d}`, n)}))
	}
	must(t, r.Close())
	path := filepath.Join(ItemsFolder(r.dir, 1), "000000000000.seg")
	data, err := os.ReadFile(path)
	must(t, err)
	data[bytes.Index(data, []byte(`{"n":4}`))] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
	r = open(t, dir, Options{})
	d, err = r.Datasets().Open(t.Context(), "d")
	must(t, err)
	good, bad := 0, 0
	for item, err := range d.Items(t.Context(), 0, -1, false) {
		if err != nil {
			bad++
			if !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "item 4") || !strings.Contains(err.Error(), "000000000000.seg") || !strings.Contains(err.Error(), "byte ") {
				t.Errorf("error %v", err)
			}
		} else if good++; !json.Valid(item) {
			t.Errorf("item %q", item)
		}
	}
	if good != 8 || bad != 1 {
		t.Errorf("%d good and %d bad items", good, bad)
	}
}

// The schema of every version that was released is brought up to the present
// one, with what it holds.
func TestMigrations(t *testing.T) {
	steps := Migrations()
	for from := range steps {
		t.Run(fmt.Sprint("from version ", from), func(t *testing.T) {
			dir := t.TempDir()
			db, err := database.Open(filepath.Join(dir, DatabaseName), database.Options{Migrations: steps[:from]})
			must(t, err)
			if from > 0 {
				must(t, db.Write(t.Context(), func(tx *database.Tx) error {
					_, err := tx.Exec(`INSERT INTO storage (kind, id, name, folded, actor, run, created_at, modified_at, accessed_at)
						VALUES ('dataset', 'old', 'Old', 'old', '', '', 1, 1, 1)`)
					return err
				}))
			}
			must(t, db.Close())
			r := open(t, dir, Options{})
			if from > 0 {
				if _, err := r.Datasets().Open(t.Context(), "old"); err != nil {
					t.Error(err)
				}
			}
			if _, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "new"}); err != nil {
				t.Error(err)
			}
		})
	}
}
