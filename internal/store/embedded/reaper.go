package embedded

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// reaper clears away what nothing refers to any more: the content of deleted
// storages, files of replaced records, and, after a process died, files that it
// had not yet referred to. All of it is noted in the database before it is
// removed, so a process that dies while clearing loses nothing.
type reaper struct {
	root   *Root
	kick   chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	// pin keeps files where they are, for as long as it is held for reading.
	pin sync.RWMutex
}

const (
	// reapDelay lets what is to be cleared away gather.
	reapDelay = 200 * time.Millisecond
	// reapRetry is when something that could not be removed is tried again.
	reapRetry = time.Minute
	// reapRows is how many rows go in one transaction: other writes come
	// between.
	reapRows = 500
)

func (p *reaper) start(r *Root, orphans bool) {
	p.root, p.kick, p.done = r, make(chan struct{}, 1), make(chan struct{})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	go p.run(orphans)
}

// wake says that there is something to do.
func (p *reaper) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

func (p *reaper) stop() {
	p.cancel()
	<-p.done
}

func (p *reaper) run(orphans bool) {
	defer close(p.done)
	wait := reapDelay
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-time.After(wait):
		}
		err := p.pass(orphans)
		if err == nil {
			orphans = false
		}
		var retry <-chan time.Time
		if err != nil {
			retry = time.After(reapRetry)
		}
		select {
		case <-p.ctx.Done():
			return
		case <-p.kick:
		case <-retry:
		}
	}
}

// pass clears away what there is.
func (p *reaper) pass(orphans bool) error {
	if orphans {
		if err := p.discardOrphans(); err != nil {
			return err
		}
	}
	return errors.Join(p.storages(), p.files())
}

func (p *reaper) discardOrphans() error {
	db := p.root.db
	files, err := p.root.content.Orphans(p.ctx, func(id string) (used bool, err error) {
		err = db.Get(p.ctx, "SELECT EXISTS (SELECT 1 FROM record WHERE file = ?)", []any{id}, &used)
		return used, err
	})
	if err != nil || len(files) == 0 {
		return err
	}
	return db.Write(p.ctx, func(tx *database.Tx) error {
		for _, file := range files {
			if _, err := tx.Exec("INSERT OR IGNORE INTO trash VALUES (?)", file); err != nil {
				return err
			}
		}
		return nil
	})
}

// storages empties the deleted storages and forgets them.
func (p *reaper) storages() error {
	keys, err := database.All[int64](p.ctx, p.root.db, "SELECT key FROM storage WHERE deleted <> 0")
	if err != nil {
		return err
	}
	var failed error
	for _, key := range keys {
		if err := p.storage(key); err != nil {
			failed = err // the others are cleared all the same
		}
	}
	return failed
}

func (p *reaper) storage(key int64) error {
	p.root.items.Drop(key)
	p.pin.Lock()
	err := os.RemoveAll(ItemsFolder(p.root.dir, key))
	p.pin.Unlock()
	if err != nil {
		return err
	}
	for _, step := range [][]string{
		{
			"INSERT OR IGNORE INTO trash SELECT file FROM (SELECT file FROM record WHERE storage = ? ORDER BY key LIMIT ?) WHERE file IS NOT NULL",
			"DELETE FROM record WHERE storage = ?1 AND key IN (SELECT key FROM record WHERE storage = ?1 ORDER BY key LIMIT ?2)",
		},
		{"DELETE FROM request WHERE num IN (SELECT num FROM request WHERE storage = ? LIMIT ?)"},
	} {
		for left := int64(1); left > 0; {
			err := p.root.db.Write(p.ctx, func(tx *database.Tx) (err error) {
				for _, query := range step {
					if left, err = tx.Exec(query, key, reapRows); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return p.root.db.Write(p.ctx, func(tx *database.Tx) error {
		_, err := tx.Exec("DELETE FROM summary WHERE storage = ?", key)
		if err == nil {
			_, err = tx.Exec("DELETE FROM storage WHERE key = ? AND deleted <> 0", key)
		}
		return err
	})
}

// files removes the files of records that are gone.
func (p *reaper) files() error {
	for {
		files, err := database.All[string](p.ctx, p.root.db, "SELECT file FROM trash LIMIT ?", reapRows)
		if err != nil || len(files) == 0 {
			return err
		}
		p.pin.Lock()
		err = p.root.content.Remove(files...)
		p.pin.Unlock()
		if err != nil {
			return err
		}
		err = p.root.db.Write(p.ctx, func(tx *database.Tx) error {
			for _, file := range files {
				if _, err := tx.Exec("DELETE FROM trash WHERE file = ?", file); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
