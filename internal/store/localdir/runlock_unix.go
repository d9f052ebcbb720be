//go:build unix

package localdir

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLockFile takes the lock, or gives errLocked when another process has it.
func tryLockFile(f *os.File) error {
	return retry(func() error {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return errLocked
		}
		return err
	})
}
