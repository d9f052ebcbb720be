package localdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// fileLock excludes other processes. Its file is created by the first writer,
// kept open, and never removed: a lock on a removed file excludes nobody.
// Callers exclude the goroutines of their own process themselves.
type fileLock struct {
	path string
	file *os.File
}

// lock waits for the lock, creating its file.
func (l *fileLock) lock() error {
	if l.file == nil {
		f, err := openLockFile(l.path, true)
		if err != nil {
			return internal(err, "open the lock file %s", l.path)
		}
		l.file = f
	}
	if err := lockFile(l.file); err != nil {
		return internal(err, "lock %s", l.path)
	}
	return nil
}

// lockIfThere waits for the lock if its file exists, which it does once anybody
// has written. A reader thus creates nothing.
func (l *fileLock) lockIfThere() (locked bool, err error) {
	if l.file == nil {
		f, err := openLockFile(l.path, false)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if errors.Is(err, fs.ErrPermission) {
			return false, nil // a folder that can only be read has no writers of ours
		}
		if err != nil {
			return false, internal(err, "open the lock file %s", l.path)
		}
		l.file = f
	}
	if err := lockFile(l.file); err != nil {
		return false, internal(err, "lock %s", l.path)
	}
	return true, nil
}

func (l *fileLock) unlock() { unlockFile(l.file) }

func (l *fileLock) close() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

func openLockFile(path string, create bool) (*os.File, error) {
	if !create {
		return os.OpenFile(path, os.O_RDWR, 0)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, err
		}
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	}
	return f, err
}
