package database

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var first = []string{"CREATE TABLE a (n INTEGER PRIMARY KEY); INSERT INTO a VALUES (1);"}

func openDB(t testing.TB, path string, steps []string) *DB {
	t.Helper()
	db, err := Open(path, Options{Migrations: steps})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func count(t testing.TB, db *DB, query string) (n int) {
	t.Helper()
	if err := db.Get(t.Context(), query, nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func insert(n int) func(tx *Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO a VALUES (?)", n)
		return err
	}
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%41.db")
	openDB(t, path, first).Close()
	broken := append(first[:1:1], "CREATE TABLE b (n); INSERT INTO a VALUES (2); SELECT nonsense;")
	if _, err := Open(path, Options{Migrations: broken}); err == nil {
		t.Fatal("a broken step was taken")
	}
	db := openDB(t, path, first)
	if n := count(t, db, "SELECT count(*) FROM a"); n != 1 {
		t.Fatalf("the broken step left %d rows", n)
	}
	db.Close()
	second := append(first[:1:1], "ALTER TABLE a ADD COLUMN m INTEGER NOT NULL DEFAULT 7")
	for range 2 {
		db = openDB(t, path, second)
		if n := count(t, db, "SELECT sum(m) FROM a"); n != 7 {
			t.Fatalf("sum %d", n)
		}
		db.Close()
	}
	if _, err := Open(path, Options{Migrations: first}); !fault.Is(err, fault.Conflict) {
		t.Fatalf("an older program opened it: %v", err)
	}
}

// A write that fails takes nothing with it, and leaves nothing.
func TestWritesShareATransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := openDB(t, path, first)
	refusal := errors.New("no")
	var wg sync.WaitGroup
	for n := 2; n < 302; n++ {
		wg.Go(func() {
			err := db.Write(t.Context(), func(tx *Tx) error {
				if err := insert(n)(tx); err != nil {
					return err
				}
				switch n % 3 {
				case 0:
					return refusal
				case 1:
					panic("no")
				}
				return nil
			})
			if ok := n%3 == 2; ok != (err == nil) || n%3 == 0 && !errors.Is(err, refusal) {
				t.Errorf("write %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Write(cancelled, insert(1000)); err == nil {
		t.Error("a cancelled write was made")
	}
	db.Close()
	if err := db.Write(t.Context(), insert(1001)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("write after closing: %v", err)
	}
	db = openDB(t, path, first)
	if n := count(t, db, "SELECT count(*) FROM a WHERE n > 1 AND n % 3 = 2"); n != 100 {
		t.Errorf("%d writes were made", n)
	}
	if n := count(t, db, "SELECT count(*) FROM a"); n != 101 {
		t.Errorf("%d rows", n)
	}
}

func TestSnapshotAndCheck(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, filepath.Join(dir, "x.db"), first)
	for n := range 50 {
		if err := db.Write(t.Context(), insert(n+2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Snapshot(t.Context(), filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	if n := count(t, openDB(t, filepath.Join(dir, "copy.db"), first), "SELECT count(*) FROM a"); n != 51 {
		t.Errorf("the copy has %d rows", n)
	}
	faults, err := db.Check(t.Context())
	if err != nil || len(faults) > 0 {
		t.Errorf("check: %v, %v", faults, err)
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint(writers, " writers"), func(b *testing.B) {
			db := openDB(b, filepath.Join(b.TempDir(), "x.db"), first)
			b.SetParallelism(writers)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := db.Write(b.Context(), func(tx *Tx) error {
						_, err := tx.Exec("INSERT INTO a DEFAULT VALUES")
						return err
					}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
