package process

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
	"github.com/greenroom-dev/greenroom/internal/executor/process/group"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// stateDir is where processes of ours note what they have started:
//
//	<user's cache>/greenroom/processes/<owner>/run-*.json   one file a run
//	<user's cache>/greenroom/processes/<owner>/path-*/      what is put on the PATH
//
// The owner in the directory's name tells whether anybody still needs it.
type stateDir struct {
	root string // of all owners
	own  string // of this process
}

// entry is the content of a record.
type entry struct {
	RunID string `json:"runId"`
	Mark  string `json:"mark,omitempty"`
	group.ID
}

func newStateDir() (*stateDir, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		// No home directory: a directory of the user's own among the temporary
		// ones does as well.
		cache = filepath.Join(os.TempDir(), "cache-of-"+userName())
	}
	root := filepath.Join(cache, "greenroom", "processes")
	return &stateDir{root: root, own: filepath.Join(root, dirName(owner.Self()))}, nil
}

func dirName(o owner.Owner) string { return strings.ReplaceAll(o.String(), "/", "_") }

// make makes the directory, for this user alone. What it holds gets executed.
func (d *stateDir) make() error {
	err := os.MkdirAll(d.own, 0o700)
	if err == nil {
		err = isPrivate(d.own)
	}
	if err != nil {
		return fault.New(fault.Internal, "the directory %s, where running processes are noted, cannot be used: %w", d.own, err).
			WithHint("make its parent writable, or set HOME or XDG_CACHE_HOME")
	}
	return nil
}

// newCommandDir makes an empty directory.
func (d *stateDir) newCommandDir() (string, error) {
	if err := d.make(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(d.own, "path-*")
	return dir, fault.Wrap(fault.Internal, err, "making a directory for the actor command")
}

func (d *stateDir) removeIfEmpty() { _ = os.Remove(d.own) }

// record is the note about one run.
type record struct {
	dir  *stateDir
	file string
	entry
}

// record notes that a run is about to be started.
func (d *stateDir) record(runID, mark string) (*record, error) {
	if err := d.make(); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(d.own, "run-*.json")
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "noting that a process is started")
	}
	r := &record{dir: d, file: f.Name(), entry: entry{RunID: runID, Mark: mark}}
	err = json.NewEncoder(f).Encode(r.entry)
	if err = errors.Join(err, f.Close()); err != nil {
		r.remove()
		return nil, fault.Wrap(fault.Internal, err, "noting that a process is started")
	}
	return r, nil
}

// started adds which group it is.
func (r *record) started(id group.ID) error {
	r.ID = id
	data, err := json.Marshal(r.entry)
	if err == nil {
		// A record that is half written counts as none, so the old one must
		// stay until the new one is complete.
		next := strings.TrimSuffix(r.file, ".json") + ".new"
		if err = os.WriteFile(next, data, 0o600); err == nil {
			err = os.Rename(next, r.file)
		}
	}
	return fault.Wrap(fault.Internal, err, "noting which process was started")
}

func (r *record) remove() { _ = os.Remove(r.file) }

// Reap ends the processes of owners that are gone, and removes their notes.
func (e *Executor) Reap(ctx context.Context) ([]executor.Leftover, error) {
	dirs, err := os.ReadDir(e.state.root)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fault.Wrap(fault.Internal, err, "looking for processes that were left behind")
	}
	var (
		left []executor.Leftover
		errs []error
	)
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return left, fault.Wrap(fault.Aborted, err, "looking for processes that were left behind")
		}
		o, ok := owner.Parse(strings.ReplaceAll(dir.Name(), "_", "/"))
		if !ok {
			continue
		}
		switch o.State() {
		case owner.Gone:
			ended, err := reapOwner(filepath.Join(e.state.root, dir.Name()))
			left, errs = append(left, ended...), append(errs, err)
		case owner.Earlier:
			// No process has lived through the boot.
			errs = append(errs, os.RemoveAll(filepath.Join(e.state.root, dir.Name())))
		}
	}
	return left, fault.Wrap(fault.Internal, errors.Join(errs...), "removing what was left behind")
}

// reapOwner ends what one owner left. The notes go last: when this is
// interrupted, the next one finds them.
func reapOwner(dir string) ([]executor.Leftover, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var left []executor.Leftover
	for _, file := range files {
		if filepath.Ext(file.Name()) != ".json" {
			continue
		}
		var r entry
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil || json.Unmarshal(data, &r) != nil {
			continue
		}
		if group.Reap(r.ID, r.Mark) {
			left = append(left, executor.Leftover{RunID: r.RunID, ID: r.Name()})
		}
	}
	return left, os.RemoveAll(dir)
}
