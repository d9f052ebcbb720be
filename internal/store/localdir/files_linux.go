package localdir

import (
	"os"

	"golang.org/x/sys/unix"
)

func renameExclusive(fromDir int, from string, toDir int, to string) error {
	return unix.Renameat2(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
}

// replaceFile renames a file over whatever has the other name.
//
// ext4 starts to write a file out when it is renamed over another, which costs
// several times what everything else here does. Exchanging the two is as atomic
// and goes without; what was replaced is removed afterwards, and is with the
// unfinished files should the process die in between.
func replaceFile(from, to string) error {
	for range 3 {
		err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
		if err == nil {
			if err = unix.Unlink(from); err == nil {
				return nil
			}
			// A folder has the name; it stays.
			unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
		if err != unix.ENOENT {
			break // not supported here
		}
		if err = renameExclusive(unix.AT_FDCWD, from, unix.AT_FDCWD, to); err == nil {
			return nil
		}
		if err != unix.EEXIST {
			break
		}
	}
	return os.Rename(from, to)
}
