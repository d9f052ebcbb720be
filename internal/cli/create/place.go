package create

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// place is where a project goes. The Actor is called as its directory.
type place struct {
	dir    string // absolute
	name   string
	exists bool // the directory is there, and empty
}

// locate judges a name or path that somebody gave, and changes nothing.
func locate(given string) (place, error) {
	dir, err := filepath.Abs(given)
	if err != nil {
		return place{}, fault.Wrap(fault.Internal, err, "cannot find the directory %s", given)
	}
	at := place{dir: dir, name: filepath.Base(dir)}
	if !definition.ValidName(at.name) {
		return place{}, fault.New(fault.Usage, "%q cannot be an Actor's name: it must have %s", at.name, definition.NameRule).
			WithHint("the last part of the directory's path is the Actor's name")
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return at, nil
	case err != nil:
		return place{}, fault.Wrap(fault.Usage, err, "the Actor cannot be created in %s", dir)
	}
	for _, entry := range entries {
		// A repository that was just made or cloned holds nothing yet.
		if entry.Name() != ".git" {
			return place{}, fault.New(fault.Usage, "the directory %s is not empty: it has %s", dir, entry.Name()).
				WithHint("choose another name, or make an Actor of what is there with: apify init")
		}
	}
	at.exists = true
	return at, nil
}

// fill makes the directory with what write puts into the one that it is given:
// everything, or nothing at all when write or anything else fails, or when ctx
// ends before it is in place.
func (at place) fill(ctx context.Context, write func(dir string) error) (err error) {
	cannot := func(err error) error {
		return fault.Wrap(fault.Unavailable, err, "the Actor cannot be created in %s", at.dir)
	}
	parent := filepath.Dir(at.dir)
	if at.exists {
		parent = at.dir
	}
	made, err := makeAll(parent)
	defer func() {
		if err != nil {
			for _, dir := range made {
				_ = os.Remove(dir) // the innermost first; one that others use stays
			}
		}
	}()
	if err != nil {
		return cannot(err)
	}
	scratch, err := os.MkdirTemp(parent, ".apify-create-")
	if err != nil {
		return cannot(err)
	}
	defer os.RemoveAll(scratch)
	project := filepath.Join(scratch, at.name)
	if err := os.Mkdir(project, 0o777); err != nil {
		return cannot(err)
	}
	if err := write(project); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errInterrupted()
	}
	if at.exists {
		err = moveInto(at.dir, project)
	} else {
		err = os.Rename(project, at.dir)
	}
	if err != nil {
		return cannot(err)
	}
	return nil
}

func errInterrupted() error {
	return fault.New(fault.Aborted, "interrupted: nothing was created")
}

// makeAll makes a directory and its parents, and gives those that were missing,
// the innermost first.
func makeAll(dir string) (made []string, err error) {
	for missing := dir; ; missing = filepath.Dir(missing) {
		if _, err := os.Lstat(missing); !errors.Is(err, fs.ErrNotExist) || missing == filepath.Dir(missing) {
			break
		}
		made = append(made, missing)
	}
	return made, os.MkdirAll(dir, 0o777)
}

// moveInto moves all that one directory holds into another, or nothing.
func moveInto(to, from string) (err error) {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	var moved []string
	defer func() {
		if err != nil {
			for _, path := range moved {
				_ = os.RemoveAll(path)
			}
		}
	}()
	for _, entry := range entries {
		path := filepath.Join(to, entry.Name())
		// Renaming would replace a file that somebody made in the meantime.
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
		}
		if err := os.Rename(filepath.Join(from, entry.Name()), path); err != nil {
			return err
		}
		moved = append(moved, path)
	}
	return nil
}
