package image

import (
	"io/fs"
	"syscall"
)

// changeIdentity is the time of the last change to the file's node, in nanoseconds,
// and the node's number.
func changeIdentity(info fs.FileInfo) (ctime int64, inode uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return st.Ctim.Nano(), st.Ino
}
