package token

import (
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// lock excludes other processes, and other callers in this one, until unlock is
// called. The file for it is never replaced, as the others are.
func lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
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

// syncDirectory has nothing to do: NTFS writes renames to its journal.
func syncDirectory(string) error { return nil }
