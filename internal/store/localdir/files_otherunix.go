//go:build unix && !linux && !darwin

package localdir

import "golang.org/x/sys/unix"

// renameExclusive does not exist here; the caller links instead.
func renameExclusive(int, string, int, string) error { return unix.ENOSYS }
