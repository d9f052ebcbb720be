//go:build unix && !linux && !darwin

package localdir

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameExclusive does not exist here; the caller links instead.
func renameExclusive(int, string, int, string) error { return unix.ENOSYS }

// replaceFile renames a file over whatever has the other name.
func replaceFile(from, to string) error { return os.Rename(from, to) }
