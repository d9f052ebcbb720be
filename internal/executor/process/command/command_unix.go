//go:build !windows

package command

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Place makes dir/actor lead to binary.
func Place(binary, dir string) error {
	return os.Symlink(binary, filepath.Join(dir, "actor"))
}

// sameName says whether two environment variables are the same.
func sameName(a, b string) bool { return a == b }

// executable says under which name file can be executed.
func executable(file string) (string, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", syscall.EISDIR
	case info.Mode()&0o111 == 0:
		return "", fs.ErrPermission
	}
	return file, nil
}
