package command

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place puts binary into dir as actor.exe, as a link where the disk is
// the same.
func Place(binary, dir string) error {
	to := filepath.Join(dir, "actor.exe")
	if os.Link(binary, to) == nil {
		return nil
	}
	in, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// sameName says whether two environment variables are the same.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// executable says under which name file can be executed: its own, or with one
// of the extensions of programs.
func executable(file string) (string, error) {
	extensions := os.Getenv("PATHEXT")
	if extensions == "" {
		extensions = ".COM;.EXE;.BAT;.CMD"
	}
	for extension := range strings.SplitSeq(extensions, ";") {
		if strings.EqualFold(filepath.Ext(file), extension) && isFile(file) {
			return file, nil
		}
		if extension != "" && isFile(file+extension) {
			return file + extension, nil
		}
	}
	return "", fs.ErrNotExist
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}
