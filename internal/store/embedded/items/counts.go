package items

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/segment"
	"github.com/greenroom-dev/greenroom/internal/store/summary"
)

// checkpointBytes is how much a log may grow before the database gets its
// counts: what is behind them must be read again after the death of a process.
const checkpointBytes = 16 << 20

// counts is what a log's items have in their fields. Appends are added in the
// order of the log, so that it is always of the first so many items.
type counts struct {
	mu    sync.Mutex
	whole *summary.Summary // nil until loaded
	kept  int              // how many items the counts in the database are of; -1 when there are none
	bytes int64            // of the log when they were kept

	keeping sync.Mutex
}

// keep is what the database is to keep.
type keep struct {
	items int
	text  []byte
}

func (k *keep) write(tx *database.Tx, key int64) error {
	_, err := tx.Exec("INSERT OR REPLACE INTO summary (storage, items, value) VALUES (?, ?, ?)", key, k.items, k.text)
	return err
}

func (c *counts) add(part *summary.Summary) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole.Merge(part)
}

func (c *counts) clean() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.whole == nil {
		return 0
	}
	return c.whole.Clean()
}

func (c *counts) statistics() store.Statistics {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.whole.Statistics()
}

// news is what the database has not got yet, nil when there is nothing.
func (c *counts) news() *keep {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.whole == nil || c.whole.Items() == c.kept {
		return nil
	}
	return &keep{c.whole.Items(), c.whole.Bytes()}
}

// checkpoint gives the database the counts when the log has grown much. What
// cannot be written now is written another time.
func (c *Cache) checkpoint(l *Log) {
	n := &l.counts
	size := l.log.Bytes()
	n.mu.Lock()
	due := size-n.bytes >= checkpointBytes
	n.mu.Unlock()
	if !due || !n.keeping.TryLock() {
		return
	}
	defer n.keeping.Unlock()
	kept := n.news()
	if kept == nil {
		return
	}
	err := c.db.Write(context.Background(), func(tx *database.Tx) error { return kept.write(tx, l.key) })
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept, n.bytes = kept.items, size
}

// loaded makes sure that the counts of a log are there.
func (c *Cache) loaded(ctx context.Context, l *Log) error {
	l.marking.Lock()
	defer l.marking.Unlock()
	return c.load(ctx, l)
}

// load reads the counts that the database has and adds the items behind them.
// Nobody appends meanwhile: appends begin with it. Items that are damaged count
// as such without fields.
func (c *Cache) load(ctx context.Context, l *Log) error {
	n := &l.counts
	n.mu.Lock()
	there := n.whole != nil
	n.mu.Unlock()
	if there {
		return nil
	}
	whole, kept := &summary.Summary{}, -1
	var text []byte
	err := c.db.Get(ctx, "SELECT value FROM summary WHERE storage = ?", []any{l.key}, &text)
	switch {
	case err == nil:
		// With relaxed durability a power loss may leave more counts than items.
		if s, ok := summary.Parse(text); ok && s.Items() <= l.log.Count() {
			whole, kept = s, s.Items()
		}
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	for item, err := range l.log.Read(ctx, whole.Items(), l.log.Count(), false) {
		var damage *segment.DamageError
		switch {
		case errors.As(err, &damage):
			whole.Skip()
		case err != nil:
			return err
		default:
			whole.Add(item)
		}
	}
	size := l.log.Bytes()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.whole, n.kept, n.bytes = whole, kept, size
	return nil
}
