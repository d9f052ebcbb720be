package cmdkit

import (
	"path/filepath"
	"runtime"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// DataDir gives the absolute path of a server's data directory: the one that was
// named, or greenroom where programs keep what is the user's own on this system.
// Nothing is made.
func DataDir(named string, getenv func(string) string) (string, error) {
	if named == "" {
		base, err := userData(runtime.GOOS, getenv)
		if err != nil {
			return "", err
		}
		named = filepath.Join(base, "greenroom")
	}
	dir, err := filepath.Abs(named)
	return dir, fault.Wrap(fault.Internal, err, "cannot find the data directory")
}

// userData is where programs of a system keep a user's data.
func userData(system string, getenv func(string) string) (string, error) {
	switch system {
	case "windows":
		if dir := getenv("LocalAppData"); dir != "" {
			return dir, nil
		}
	case "darwin":
		if home := getenv("HOME"); home != "" {
			return filepath.Join(home, "Library", "Application Support"), nil
		}
	default:
		// The XDG base directory specification ignores relative paths.
		if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
			return dir, nil
		}
		if home := getenv("HOME"); home != "" {
			return filepath.Join(home, ".local", "share"), nil
		}
	}
	return "", fault.New(fault.Usage, "there is no home directory to keep the data in").WithHint("name one with --data-dir")
}
