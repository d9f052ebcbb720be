// Package dirlock keeps a folder for one process. The kernel gives the lock
// back when its holder dies, however that happens.
package dirlock

import (
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Name is the file in the folder that the lock is on. It is never removed: a
// lock on a removed file excludes nobody.
const Name = "lock"

// Lock is a lock that is held.
type Lock struct{ file *os.File }

// Take locks an existing folder. While somebody else has the lock, the error is
// fault.Conflict.
func Take(dir string) (*Lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, Name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "lock the data directory %s", dir)
	}
	busy, err := tryLock(f)
	if err != nil {
		f.Close()
		if busy {
			return nil, fault.New(fault.Conflict, "another server is using the data directory %s", dir).
				WithHint("stop it, or give this one a directory of its own")
		}
		return nil, fault.Wrap(fault.Internal, err, "lock the data directory %s", dir)
	}
	return &Lock{f}, nil
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.file.Close() }
