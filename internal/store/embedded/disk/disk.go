// Package disk makes folders and their names last.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeFolder makes a folder and what is missing above it, for good unless
// relaxed.
func MakeFolder(dir string, relaxed bool) error {
	var parents []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		parents = append(parents, filepath.Dir(d))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if relaxed {
		return nil
	}
	for _, parent := range parents {
		if err := SyncFolder(parent); err != nil {
			return err
		}
	}
	return nil
}
