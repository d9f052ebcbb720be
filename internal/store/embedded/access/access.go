// Package access keeps when storages were last read, and writes that now and
// then: reading should not write each time.
package access

import (
	"context"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// Times are the times that are not written yet.
type Times struct {
	DB *database.DB

	mu    sync.Mutex
	times map[int64]int64
	timer *time.Timer
}

const (
	// Precision is how much later than recorded a storage must be read for that
	// to be recorded too.
	Precision = time.Minute
	delay     = 5 * time.Second
)

// Note says that the storage of a key was read.
func (a *Times) Note(key int64, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times == nil {
		a.times = map[int64]int64{}
	}
	a.times[key] = at.UnixNano()
	if a.timer == nil {
		// What cannot be written now is of no consequence.
		a.timer = time.AfterFunc(delay, func() { a.Flush() })
	}
}

// Flush writes what was noted.
func (a *Times) Flush() error {
	a.mu.Lock()
	times := a.times
	a.times = nil
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	a.mu.Unlock()
	if len(times) == 0 {
		return nil
	}
	return a.DB.Write(context.Background(), func(tx *database.Tx) error {
		for key, at := range times {
			if _, err := tx.Exec("UPDATE storage SET accessed_at = max(accessed_at, ?) WHERE key = ?", at, key); err != nil {
				return err
			}
		}
		return nil
	})
}
