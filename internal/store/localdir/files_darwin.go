package localdir

import (
	"os"

	"golang.org/x/sys/unix"
)

func renameExclusive(fromDir int, from string, toDir int, to string) error {
	return unix.RenameatxNp(fromDir, from, toDir, to, unix.RENAME_EXCL)
}

// replaceFile renames a file over whatever has the other name.
func replaceFile(from, to string) error { return os.Rename(from, to) }
