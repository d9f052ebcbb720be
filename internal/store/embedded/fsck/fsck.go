// Package fsck checks the data directory of a server that is not running, and
// repairs what can be repaired.
package fsck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/content"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/dirlock"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/segment"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Problem is something wrong with a directory.
type Problem struct {
	What     string // a sentence without a full stop
	Repaired bool
	// Kind and Storage say what it is about, a kind of storage and an id; "" when
	// it is about no storage.
	Kind, Storage string
	// File is the file, below the directory, that is damaged from Offset on; ""
	// when there is no such place.
	File   string
	Offset int64
}

// checker is one check on its way.
type checker struct {
	ctx      context.Context
	dir      string
	db       *database.DB
	repair   bool
	problems []Problem
}

func (c *checker) add(repaired bool, format string, args ...any) {
	c.problems = append(c.problems, Problem{What: fmt.Sprintf(format, args...), Repaired: repaired})
}

// addTo adds what is wrong with a storage; its kind and id are put before it.
func (c *checker) addTo(kind, id string, repaired bool, format string, args ...any) *Problem {
	c.add(repaired, "%s %q: %s", kind, id, fmt.Sprintf(format, args...))
	p := &c.problems[len(c.problems)-1]
	p.Kind, p.Storage = kind, id
	return p
}

// Check looks at everything in a directory. While a server has it open the
// error is fault.Conflict; what is wrong with the data is no error but a
// problem. With repair, a record whose content is lost is removed, as are
// contents that no record has; counts and indexes are made again; and in the
// place of each item of a dataset that is lost comes an empty one, while the
// segment as it was is kept beside the new one.
func Check(ctx context.Context, dir string, repair bool) ([]Problem, error) {
	path := filepath.Join(dir, embedded.DatabaseName)
	if _, err := os.Stat(path); err != nil {
		return nil, fault.New(fault.NotFound, "%s is not the data directory of a server: %w", dir, err)
	}
	lock, err := dirlock.Take(dir)
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	db, err := database.Open(path, database.Options{Migrations: embedded.Migrations()})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c := &checker{ctx: ctx, dir: dir, db: db, repair: repair}
	faults, err := db.Check(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		c.add(false, "database: %s", f)
	}
	for _, check := range []func() error{c.datasets, c.records, c.orphans, c.queues} {
		if err := check(); err != nil {
			return c.problems, database.Failed(err, "check %s", dir)
		}
	}
	return c.problems, nil
}

// each calls f with every row of a query of a storage's key and id, and more.
func (c *checker) each(query string, f func(key int64, id string, a, b string, n int64)) error {
	rows, err := c.db.Query(c.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, n int64
		var id, a, b string
		if err := rows.Scan(&key, &id, &a, &b, &n); err != nil {
			return err
		}
		f(key, id, a, b, n)
	}
	return rows.Err()
}

func (c *checker) write(query string, args ...any) error {
	return c.db.Write(c.ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}

func (c *checker) datasets() error {
	var failed error
	err := c.each("SELECT key, id, '', '', 0 FROM storage WHERE kind = 'dataset' AND deleted = 0", func(key int64, id, _, _ string, _ int64) {
		folder := embedded.ItemsFolder(c.dir, key)
		r, err := segment.Check(folder, c.repair)
		failed = errors.Join(failed, err)
		for _, d := range r.Damage {
			p := c.addTo("dataset", id, c.repair, "%v", d)
			p.File, p.Offset = c.below(filepath.Join(folder, d.Segment)), d.Offset
		}
		for _, name := range r.Indexes {
			c.addTo("dataset", id, c.repair, "the index %s is wrong", name)
		}
		if r.Torn > 0 {
			c.addTo("dataset", id, c.repair, "%d bytes of an unfinished write are at its end", r.Torn)
		}
	})
	return errors.Join(err, failed)
}

// below is the name of a file below the directory, with slashes.
func (c *checker) below(file string) string {
	name, err := filepath.Rel(c.dir, file)
	if err != nil {
		return file
	}
	return filepath.ToSlash(name)
}

// lost is a record without its content.
type lost struct {
	storage int64
	key     string
}

func (c *checker) records() error {
	files, err := content.Open(filepath.Join(c.dir, embedded.ContentName), false)
	if err != nil {
		return err
	}
	var gone []lost
	var failed error
	err = c.each(`SELECT s.key, s.id, r.key, r.file, r.size FROM record r JOIN storage s ON s.key = r.storage
		WHERE r.file IS NOT NULL AND s.deleted = 0`, func(storage int64, id, key, file string, size int64) {
		path, err := files.Path(file)
		var info fs.FileInfo
		if err == nil {
			info, err = os.Stat(path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.addTo("key-value store", id, c.repair, "the content of record %q is gone", key)
			gone = append(gone, lost{storage, key})
		case err != nil:
			failed = errors.Join(failed, err)
		case info.Size() != size:
			p := c.addTo("key-value store", id, false, "record %q has %d bytes instead of %d", key, info.Size(), size)
			p.File, p.Offset = c.below(path), min(info.Size(), size)
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	for _, l := range gone {
		if !c.repair {
			break
		}
		if err := c.write("DELETE FROM record WHERE storage = ? AND key = ?", l.storage, l.key); err != nil {
			return err
		}
	}
	return c.sizes(len(gone) > 0)
}

// sizes compares the sizes of key-value stores with those of their records.
// Removing lost ones has changed them rightly.
func (c *checker) sizes(changed bool) error {
	const actual = "(SELECT coalesce(sum(size), 0) FROM record r WHERE r.storage = s.key)"
	const wrong = "kind = 'key-value store' AND deleted = 0 AND bytes <> " + actual
	if !changed {
		err := c.each("SELECT key, id, '', '', 0 FROM storage s WHERE "+wrong, func(_ int64, id, _, _ string, _ int64) {
			c.add(c.repair, "key-value store %q: its size is wrong", id)
		})
		if err != nil {
			return err
		}
	}
	if !c.repair {
		return nil
	}
	return c.write("UPDATE storage AS s SET bytes = " + actual + " WHERE " + wrong)
}

func (c *checker) orphans() error {
	files, err := content.Open(filepath.Join(c.dir, embedded.ContentName), false)
	if err != nil {
		return err
	}
	orphans, err := files.Orphans(c.ctx, func(id string) (used bool, err error) {
		err = c.db.Get(c.ctx, "SELECT EXISTS (SELECT 1 FROM record WHERE file = ?1) OR EXISTS (SELECT 1 FROM trash WHERE file = ?1)", []any{id}, &used)
		return used, err
	})
	for _, id := range orphans {
		c.add(c.repair, "content %s belongs to no record", id)
	}
	if err == nil && c.repair {
		err = files.Remove(orphans...)
	}
	return err
}

func (c *checker) queues() error {
	var wrong []int64
	const size = "(SELECT coalesce(sum(length(json)), 0) FROM request r WHERE r.storage = s.key)"
	const actual = "(SELECT count(*) FROM request r WHERE r.storage = s.key)"
	const handled = "(SELECT count(*) FROM request r WHERE r.storage = s.key AND r.place IS NULL)"
	err := c.each("SELECT key, id, '', '', 0 FROM storage s WHERE kind = 'request queue' AND deleted = 0 AND (total <> "+actual+" OR handled <> "+handled+" OR bytes <> "+size+")",
		func(key int64, id, _, _ string, _ int64) {
			c.addTo("request queue", id, c.repair, "its counts are wrong")
			wrong = append(wrong, key)
		})
	if err != nil || !c.repair {
		return err
	}
	for _, key := range wrong {
		if err := c.write("UPDATE storage AS s SET total = "+actual+", handled = "+handled+", bytes = "+size+" WHERE key = ?", key); err != nil {
			return err
		}
	}
	return nil
}
