// Package items keeps the datasets' logs of items open, and what their items
// have in their fields counted: each append adds to the counts, which the
// database gets now and then. After the death of a process the items behind
// what the database knows are counted again, which are few.
package items

import (
	"context"
	"errors"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/segment"
	"github.com/greenroom-dev/greenroom/internal/store/summary"
)

// MostOpen is how many datasets are open at once when none of them is in use:
// each may have a file open and an index in memory.
const MostOpen = 128

// Cache has the datasets' logs that are open.
type Cache struct {
	db     *database.DB
	folder func(key int64) string
	o      segment.Options

	mu     sync.Mutex
	open   map[int64]*Log
	clock  int64 // counts uses
	closed bool
}

// Log is a dataset's log that is open, being opened or being closed.
type Log struct {
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

	counts counts
}

// New gives a cache of the logs in the folders of datasets.
func New(db *database.DB, folder func(key int64) string, o segment.Options) *Cache {
	return &Cache{db: db, folder: folder, o: o, open: map[int64]*Log{}}
}

// Open is how many logs are open.
func (c *Cache) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// Acquire gives the log of a dataset; Release ends its use.
func (c *Cache) Acquire(key int64) (*Log, error) {
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
				c.Release(l)
				return nil, l.err
			}
			return l, nil
		}
		l = &Log{key: key, ready: make(chan struct{}), users: 1, used: c.clock}
		c.open[key] = l
		c.mu.Unlock()
		l.log, l.err = segment.Open(c.folder(key), c.o)
		if l.err != nil {
			c.Drop(key) // so that the next one tries again
		}
		close(l.ready)
		if l.err != nil {
			c.Release(l)
			return nil, l.err
		}
		return l, nil
	}
}

// Release ends a use, and closes what was not used for longest when too many
// are open.
func (c *Cache) Release(l *Log) {
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
	var oldest *Log
	if len(c.open) > MostOpen {
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

// put closes a log and tells the database what it has.
func (c *Cache) put(l *Log) error {
	if err := l.log.Close(); err != nil {
		return err
	}
	kept := l.counts.news()
	if !l.marked && kept == nil {
		return nil
	}
	return c.db.Write(context.Background(), func(tx *database.Tx) error {
		if kept != nil {
			if err := kept.write(tx, l.key); err != nil {
				return err
			}
		}
		_, err := tx.Exec("UPDATE storage SET items = ?, clean = ?, bytes = ?, modified_at = max(modified_at, ?) WHERE key = ?",
			l.log.Count(), l.counts.clean(), l.log.Bytes(), l.log.Modified().UnixNano(), l.key)
		return err
	})
}

// Drop forgets the log of a dataset that was deleted.
func (c *Cache) Drop(key int64) {
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

// Append adds items to a log. missing is the error for a dataset that was
// deleted.
func (c *Cache) Append(ctx context.Context, l *Log, items [][]byte, missing func() error) error {
	if err := c.mark(ctx, l, missing); err != nil {
		return err
	}
	part := counted(items)
	if err := l.log.Append(items, func() { l.counts.add(part()) }); err != nil {
		return err
	}
	c.checkpoint(l)
	return nil
}

// counted gives the summary of items. Many are counted while the disk has its
// time with them.
func counted(items [][]byte) func() *summary.Summary {
	if len(items) < 100 {
		part := summary.Of(items)
		return func() *summary.Summary { return part }
	}
	part := make(chan *summary.Summary, 1)
	go func() { part <- summary.Of(items) }()
	return func() *summary.Summary { return <-part }
}

// Segments gives the items of a log.
func (l *Log) Segments() *segment.Log { return l.log }

// mark tells the database, before the first append, that only the log knows how
// many items there are. It fails for a dataset that was deleted.
func (c *Cache) mark(ctx context.Context, l *Log, missing func() error) error {
	l.marking.Lock()
	defer l.marking.Unlock()
	if l.marked {
		return nil
	}
	if err := c.load(ctx, l); err != nil {
		return err
	}
	err := c.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("UPDATE storage SET items = NULL WHERE key = ? AND deleted = 0", l.key)
		if err == nil && n == 0 {
			return missing()
		}
		return err
	})
	l.marked = err == nil
	return err
}

// Complete puts into a dataset's metadata what only its log knows. known says
// that the numbers in them are those of the log when it was last closed.
func (c *Cache) Complete(ctx context.Context, key int64, known bool, i *store.Info) error {
	c.mu.Lock()
	_, open := c.open[key]
	c.mu.Unlock()
	if !open && known {
		return nil
	}
	l, err := c.Acquire(key)
	if err != nil {
		return err
	}
	defer c.Release(l)
	if err := c.loaded(ctx, l); err != nil {
		return err
	}
	i.ItemCount, i.CleanItemCount, i.Stats.Bytes = l.log.Count(), l.counts.clean(), l.log.Bytes()
	if at := l.log.Modified(); at.After(i.ModifiedAt) {
		i.ModifiedAt = at.UTC()
		if at.After(i.AccessedAt) {
			i.AccessedAt = at.UTC()
		}
	}
	return ctx.Err()
}

// Statistics tell what is in the items' fields.
func (c *Cache) Statistics(ctx context.Context, key int64) (store.Statistics, error) {
	l, err := c.Acquire(key)
	if err != nil {
		return store.Statistics{}, err
	}
	defer c.Release(l)
	if err := c.loaded(ctx, l); err != nil {
		return store.Statistics{}, err
	}
	return l.counts.statistics(), nil
}

// Close closes all logs.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	var idle []*Log
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
