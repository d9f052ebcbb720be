package userfile

import (
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// lock excludes other processes, and other callers in this one, until unlock is
// called. Directories cannot be locked here, so there is a file for it.
func lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, ".secrets.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, math.MaxUint32, math.MaxUint32, &windows.Overlapped{})
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
