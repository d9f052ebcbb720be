//go:build unix

package userfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock excludes other processes, and other callers in this one, until unlock is
// called. The directory itself is locked: the file is replaced at every change.
func lock(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(d.Fd()), unix.LOCK_EX)
		if err == nil {
			return func() { d.Close() }, nil
		}
		if err != unix.EINTR {
			d.Close()
			return nil, err
		}
	}
}
