package process

import (
	"context"
	"time"
)

// waker waits for a supervisor. Named pipes cannot be waited for here without a
// thread for each, so it looks from time to time.
type waker struct{ dir string }

func newWaker(dir string) (*waker, error) { return &waker{dir}, nil }

// wait returns when there may be something new. ended says that the supervisor
// has ended.
func (w *waker) wait(ctx context.Context) (ended bool) {
	const often = 50 * time.Millisecond
	select {
	case <-ctx.Done():
		return false
	case <-time.After(often):
		return !held(w.dir, lockFile)
	}
}

func (w *waker) close() {}
