package hostdir

import (
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// shellCommand runs a line in the system's shell. cmd.exe has quoting rules of
// its own that no argument list can express, so the line goes into a file of
// the user's cache, named after its content.
func shellCommand(line string) ([]string, error) {
	shell := os.Getenv("ComSpec")
	if shell == "" {
		shell = filepath.Join(os.Getenv("SystemRoot"), "System32", "cmd.exe")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "there is no cache directory for the start script")
	}
	dir := filepath.Join(base, "greenroom", "scripts")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the start script cannot be written")
	}
	file := filepath.Join(dir, hashOf(line)+".cmd")
	if !isFile(file) {
		temporary, err := os.CreateTemp(dir, "new-*")
		if err == nil {
			_, err = temporary.WriteString("@echo off\r\n" + line + "\r\n")
			if closeErr := temporary.Close(); err == nil {
				err = closeErr
			}
			if err == nil {
				err = os.Rename(temporary.Name(), file)
			}
		}
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the start script cannot be written")
		}
	}
	return []string{shell, "/d", "/c", file}, nil
}
