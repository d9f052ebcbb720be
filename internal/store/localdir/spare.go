package localdir

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// spares are empty files made ahead of time. Making a file is most of what a
// small write costs on some file systems (0.2 ms where writing and renaming
// take 0.04 ms); a server makes them while its clients think.
type spares struct {
	dir    string
	names  chan string
	wanted atomic.Int32 // how often a file was asked for
	start  sync.Once
	stop   chan struct{}
	done   sync.WaitGroup
}

// KeepSpares keeps n empty files at hand until Close, once half as many have
// been asked for: a run that hardly writes pays nothing. Only the holder of
// LockRuns may call it, once: it removes what a killed holder had left.
func (r *Root) KeepSpares(n int) error {
	dir := r.path(privateFolder, "spare")
	if err := os.RemoveAll(dir); err != nil {
		return internal(err, "remove old spare files")
	}
	r.spare.Store(&spares{dir: dir, names: make(chan string, n), stop: make(chan struct{})})
	return nil
}

// fill makes files whenever there are too few. It gives up when one cannot be
// made: whoever needs a file then makes it, and tells what is wrong.
func (s *spares) fill() {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return
	}
	for {
		path := filepath.Join(s.dir, temporaryName())
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return
		}
		f.Close()
		select {
		case s.names <- path:
		case <-s.stop:
			return
		}
	}
}

// take gives the path of an empty file, if there is one at hand.
func (s *spares) take() (path string, ok bool) {
	if s == nil {
		return "", false
	}
	if int(s.wanted.Add(1)) >= cap(s.names)/2 {
		s.start.Do(func() { s.done.Go(s.fill) })
	}
	select {
	case path = <-s.names:
		return path, true
	default:
		return "", false
	}
}

func (s *spares) close() error {
	if s == nil {
		return nil
	}
	s.start.Do(func() {}) // not any more
	close(s.stop)
	s.done.Wait()
	return os.RemoveAll(s.dir)
}
