//go:build !windows

package process

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// userName tells users apart in the name of a directory.
func userName() string { return strconv.Itoa(os.Getuid()) }

// isPrivate refuses a directory that another user can write to.
func isPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(s.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s belongs to or can be written by somebody else", dir)
	}
	return nil
}
