// Package access keeps when storages were last read and how often they were
// used, and writes that now and then: reading should not write each time. What
// is not written when the process dies is lost.
package access

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// Log has what is not written yet.
type Log struct {
	DB *database.DB

	mu    sync.Mutex
	news  map[*Use]bool
	timer *time.Timer
}

const (
	// Precision is how much later than recorded a storage must be read for that
	// to be recorded too.
	Precision = time.Minute
	delay     = 5 * time.Second
)

// Use is how much a storage was used, as it is now.
type Use struct {
	log *Log
	key int64

	accessed                            atomic.Int64 // nanoseconds since 1970
	reads, writes, deletes, lists, head atomic.Int64
	noted                               atomic.Bool
}

// Of gives the use of a storage that the database has written so far. There
// must be one for each storage.
func (l *Log) Of(key int64, accessed time.Time, stats store.Stats) *Use {
	u := &Use{log: l, key: key}
	u.accessed.Store(accessed.UnixNano())
	u.reads.Store(int64(stats.Reads))
	u.writes.Store(int64(stats.Writes))
	u.deletes.Store(int64(stats.Deletes))
	u.lists.Store(int64(stats.Lists))
	u.head.Store(int64(stats.HeadReads))
	return u
}

// Touch notes that the storage was read.
func (u *Use) Touch() {
	now, last := time.Now().UnixNano(), u.accessed.Load()
	if now-last > int64(Precision) && u.accessed.CompareAndSwap(last, now) {
		u.note()
	}
}

// Read, Write and the others count n uses.
func (u *Use) Read(n int)     { u.add(&u.reads, n) }
func (u *Use) Write(n int)    { u.add(&u.writes, n) }
func (u *Use) Delete(n int)   { u.add(&u.deletes, n) }
func (u *Use) List(n int)     { u.add(&u.lists, n) }
func (u *Use) ReadHead(n int) { u.add(&u.head, n) }

func (u *Use) add(to *atomic.Int64, n int) {
	if n > 0 {
		to.Add(int64(n))
		u.note()
	}
}

func (u *Use) note() {
	if u.noted.CompareAndSwap(false, true) {
		u.log.note(u)
	}
}

// Complete puts what was counted into the metadata of the storage.
func (u *Use) Complete(i *store.Info) {
	s := &i.Stats
	s.Reads, s.Writes, s.Deletes = int(u.reads.Load()), int(u.writes.Load()), int(u.deletes.Load())
	s.Lists, s.HeadReads = int(u.lists.Load()), int(u.head.Load())
	if at := time.Unix(0, u.accessed.Load()).UTC(); at.After(i.AccessedAt) {
		i.AccessedAt = at
	}
}

func (l *Log) note(u *Use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.news == nil {
		l.news = map[*Use]bool{}
	}
	l.news[u] = true
	if l.timer == nil {
		// What cannot be written now is written with the next news.
		l.timer = time.AfterFunc(delay, func() { _ = l.Flush() })
	}
}

// Flush writes what was noted.
func (l *Log) Flush() error {
	l.mu.Lock()
	news := l.news
	l.news = nil
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.mu.Unlock()
	if len(news) == 0 {
		return nil
	}
	for u := range news {
		u.noted.Store(false) // what is counted from here on is noted anew
	}
	return l.DB.Write(context.Background(), func(tx *database.Tx) error {
		for u := range news {
			_, err := tx.Exec(`UPDATE storage SET accessed_at = max(accessed_at, ?),
				reads = ?, writes = ?, deletes = ?, lists = ?, heads = ? WHERE key = ?`,
				u.accessed.Load(), u.reads.Load(), u.writes.Load(), u.deletes.Load(), u.lists.Load(), u.head.Load(), u.key)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
