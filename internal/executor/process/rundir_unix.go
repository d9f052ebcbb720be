//go:build !windows

package process

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/executor/process/group"
)

// The files in the directory of a run that outlives its server. What they hold
// stays readable to later versions: they may take over what an earlier one has
// started.
const (
	lockFile    = "lock"         // locked for as long as the supervisor lives
	readerFile  = "reader"       // locked for as long as somebody takes the output
	wakeFile    = "wake"         // a pipe; a byte says that there is something new
	orderFile   = "order.json"   // what to start; gone once that has happened
	startedFile = "started.json" // what was started
	exitFile    = "exit.json"    // how it has ended
)

// beginning is what a supervisor has started.
type beginning struct {
	RunID string    `json:"runId"`
	Mark  string    `json:"mark"`
	Boot  string    `json:"boot"`
	At    time.Time `json:"at"`
	group.ID
}

// ending is how it has ended.
type ending struct {
	Code int `json:"code"`
}

// answer is what a supervisor says about the start, once.
type answer struct {
	Errno   int    `json:"errno,omitempty"`
	Failure string `json:"failure,omitempty"`
}

// writeFile writes a file so that it is there as a whole or not at all,
// whatever happens to us or to the machine.
func writeFile(dir, name string, content any) error {
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, name+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func readFile(dir, name string, content any) error {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, content)
}

// lock locks a file of a run's directory until the result is closed.
func lock(dir, name string, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// held says whether somebody has locked a file.
func held(dir, name string) bool {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}
