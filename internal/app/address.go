package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// addressFile is where in its data directory a server says how it is reached,
// for commands that need the server that has the directory.
const addressFile = "address"

// publishAddress writes the file in one step.
func publishAddress(dir, url string) error {
	temporary, err := os.CreateTemp(dir, "."+addressFile+"-*")
	if err == nil {
		_, err = temporary.WriteString(url + "\n")
		if err = errors.Join(err, temporary.Close()); err == nil {
			err = os.Rename(temporary.Name(), filepath.Join(dir, addressFile))
		}
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}
	return fault.Wrap(fault.Unavailable, err, "say in %s how the server is reached", dir)
}

// withdrawAddress removes the file. One that stays is of no consequence: nobody
// asks for it while no server has the directory.
func withdrawAddress(dir string) { _ = os.Remove(filepath.Join(dir, addressFile)) }

// publishedAddress is how the server is reached that has the directory.
func publishedAddress(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, addressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.New(fault.Unavailable, "another program is using the data directory %s, and it is no server that answers", dir).
			WithHint("try again when the server has started")
	}
	return strings.TrimSpace(string(text)), fault.Wrap(fault.Unavailable, err, "find the server that uses %s", dir)
}
