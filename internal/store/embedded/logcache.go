package embedded

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/segment"
)

// mostLogs is how many datasets are open at once when none of them is in use:
// each may have a file open and an index in memory.
const mostLogs = 128

// logCache has the datasets' logs that are open.
type logCache struct {
	root *Root

	mu     sync.Mutex
	open   map[int64]*openLog
	clock  int64 // counts uses
	closed bool
}

// openLog is a dataset's log that is open, being opened or being closed.
type openLog struct {
	key     int64
	ready   chan struct{} // closed once log and err are set
	log     *segment.Log
	err     error
	users   int
	used    int64         // the last use
	leaving chan struct{} // while it is being closed; closed after that
	dropped bool          // its dataset was deleted: the last user closes it

	// marking guards marked: the database knows that its number of items is
	// not to be believed while this log is written to.
	marking sync.Mutex
	marked  bool
}

func newLogCache(r *Root) *logCache { return &logCache{root: r, open: map[int64]*openLog{}} }

// acquire gives the log of a dataset; release ends its use.
func (c *logCache) acquire(key int64) (*openLog, error) {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return nil, segment.ErrClosed
		}
		l := c.open[key]
		if l != nil && l.leaving != nil {
			c.mu.Unlock()
			<-l.leaving
			continue
		}
		c.clock++
		if l != nil {
			l.users++
			l.used = c.clock
			c.mu.Unlock()
			<-l.ready
			if l.err != nil {
				c.release(l)
				return nil, l.err
			}
			return l, nil
		}
		l = &openLog{key: key, ready: make(chan struct{}), users: 1, used: c.clock}
		c.open[key] = l
		c.mu.Unlock()
		l.log, l.err = segment.Open(ItemsFolder(c.root.dir, key), c.root.segmentOptions())
		if l.err != nil {
			c.drop(key) // so that the next one tries again
		}
		close(l.ready)
		if l.err != nil {
			c.release(l)
			return nil, l.err
		}
		return l, nil
	}
}

// release ends a use, and closes what was not used for longest when too many
// are open.
func (c *logCache) release(l *openLog) {
	c.mu.Lock()
	l.users--
	if l.dropped {
		last := l.users == 0
		c.mu.Unlock()
		if last && l.log != nil {
			l.log.Close()
		}
		return
	}
	var oldest *openLog
	if len(c.open) > mostLogs {
		for _, o := range c.open {
			if o.users == 0 && o.leaving == nil && (oldest == nil || o.used < oldest.used) {
				oldest = o
			}
		}
	}
	if oldest != nil {
		oldest.leaving = make(chan struct{})
	}
	c.mu.Unlock()
	if oldest == nil {
		return
	}
	// What fails here is found out again at the next opening.
	c.put(oldest)
	c.mu.Lock()
	delete(c.open, oldest.key)
	c.mu.Unlock()
	close(oldest.leaving)
}

// put closes a log and tells the database how many items it has.
func (c *logCache) put(l *openLog) error {
	if err := l.log.Close(); err != nil {
		return err
	}
	if !l.marked {
		return nil
	}
	return c.root.db.Write(context.Background(), func(tx *database.Tx) error {
		_, err := tx.Exec("UPDATE storage SET items = ?, bytes = ?, modified_at = max(modified_at, ?) WHERE key = ?",
			l.log.Count(), l.log.Bytes(), l.log.Modified().UnixNano(), l.key)
		return err
	})
}

// drop forgets the log of a dataset that was deleted.
func (c *logCache) drop(key int64) {
	c.mu.Lock()
	l := c.open[key]
	if l == nil || l.leaving != nil {
		c.mu.Unlock()
		return
	}
	l.dropped = true
	delete(c.open, key)
	unused := l.users == 0
	c.mu.Unlock()
	if unused {
		l.log.Close()
	}
}

// mark tells the database, before the first append, that only the log knows how
// many items there are. It fails for a dataset that was deleted.
func (c *logCache) mark(ctx context.Context, l *openLog, s *storage) error {
	l.marking.Lock()
	defer l.marking.Unlock()
	if l.marked {
		return nil
	}
	err := c.root.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("UPDATE storage SET items = NULL WHERE key = ? AND deleted = 0", l.key)
		if err == nil && n == 0 {
			return s.missing()
		}
		return err
	})
	l.marked = err == nil
	return err
}

// count completes the metadata of a dataset with what only its log knows.
func (c *logCache) count(ctx context.Context, s *stored) error {
	c.mu.Lock()
	_, open := c.open[s.key]
	c.mu.Unlock()
	if !open && s.items.Valid {
		return nil
	}
	l, err := c.acquire(s.key)
	if err != nil {
		return err
	}
	defer c.release(l)
	i := &s.info
	i.ItemCount = l.log.Count()
	i.CleanItemCount = i.ItemCount
	i.Stats.Bytes = l.log.Bytes()
	if at := l.log.Modified(); at.After(i.ModifiedAt) {
		i.ModifiedAt = at.UTC()
		if at.After(i.AccessedAt) {
			i.AccessedAt = at.UTC()
		}
	}
	s.items = sql.NullInt64{Int64: int64(i.ItemCount), Valid: true}
	return ctx.Err()
}

// close closes all logs.
func (c *logCache) close() error {
	c.mu.Lock()
	c.closed = true
	var idle []*openLog
	for _, l := range c.open {
		if l.leaving == nil {
			idle = append(idle, l)
		}
	}
	c.mu.Unlock()
	var failed error
	for _, l := range idle {
		<-l.ready
		if l.err == nil {
			failed = errors.Join(failed, c.put(l))
		}
	}
	return failed
}
