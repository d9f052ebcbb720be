package process

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// waker waits for a supervisor.
type waker struct {
	dir  string
	pipe *os.File
	buf  []byte
}

// newWaker listens to the supervisor of a run.
func newWaker(dir string) (*waker, error) {
	f, err := os.OpenFile(filepath.Join(dir, wakeFile), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return &waker{dir, f, make([]byte, 4096)}, nil
}

// wait returns when there may be something new. ended says that the supervisor
// has ended: nobody holds the other end of the pipe.
func (w *waker) wait(ctx context.Context) (ended bool) {
	stop := context.AfterFunc(ctx, func() { _ = w.pipe.SetReadDeadline(time.Now()) })
	defer stop()
	n, err := w.pipe.Read(w.buf)
	if n > 0 || ctx.Err() != nil {
		return false
	}
	if err != nil && !held(w.dir, lockFile) {
		return true
	}
	time.Sleep(20 * time.Millisecond) // it is between two steps
	return false
}

func (w *waker) close() { w.pipe.Close() }
