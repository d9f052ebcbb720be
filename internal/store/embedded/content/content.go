// Package content keeps bytes in files that never change: each is written where
// nobody looks, put on the disk and then moved to its place under a name that
// the package makes up.
package content

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/disk"
)

// Dir is a folder of contents.
type Dir struct {
	path    string
	relaxed bool

	mu sync.Mutex
	// fresh are contents in their place that nobody refers to yet.
	fresh map[string]bool
}

// unfinished is the folder, beside the others, of what is being written.
const unfinished = "unfinished"

// Open makes the folder and removes what was left unfinished. A relaxed folder
// does not wait for the disk.
func Open(path string, relaxed bool) (*Dir, error) {
	d := &Dir{path: path, relaxed: relaxed, fresh: map[string]bool{}}
	tmp := filepath.Join(path, unfinished)
	if err := os.RemoveAll(tmp); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, err
	}
	return d, nil
}

// Content is what Write took in. Small content is given back instead of getting
// a file.
type Content struct {
	ID    string // of the file, "" for small content
	Small []byte
	Size  int64
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// Write takes in all that r gives; up to small bytes stay in memory. A file is
// on the disk when Write returns, and the caller calls Settle once it refers to
// it or knows that it will not.
func (d *Dir) Write(ctx context.Context, r io.Reader, small int) (c Content, err error) {
	r = disk.Reader(ctx, r)
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	n := 0
	for n <= small {
		// Not io.ReadFull, to which a content that breaks off looks like one that
		// is short.
		more, err := r.Read((*buf)[n : small+1])
		n += more
		if err == io.EOF {
			return Content{Small: bytes.Clone((*buf)[:n]), Size: int64(n)}, nil
		}
		if err != nil {
			return Content{}, err
		}
	}
	c.ID = newID()
	tmp := filepath.Join(d.path, unfinished, c.ID)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Content{}, err
	}
	_, err = f.Write((*buf)[:n])
	c.Size = int64(n)
	if err == nil {
		var more int64
		more, err = io.CopyBuffer(writer{f}, r, *buf)
		c.Size += more
	}
	if err == nil && !d.relaxed {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		d.mu.Lock()
		d.fresh[c.ID] = true
		d.mu.Unlock()
		if err = d.place(tmp, c.ID); err != nil {
			d.Settle(c.ID)
			os.Remove(d.file(c.ID))
		}
	}
	if err != nil {
		os.Remove(tmp)
		return Content{}, err
	}
	return c, nil
}

// place moves a finished file to its place, for good.
func (d *Dir) place(tmp, id string) error {
	path := d.file(id)
	err := os.Rename(tmp, path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.Mkdir(filepath.Dir(path), 0o700); err == nil && !d.relaxed {
			err = disk.SyncFolder(d.path)
		}
		if err == nil || errors.Is(err, fs.ErrExist) {
			err = os.Rename(tmp, path)
		}
	}
	if err == nil && !d.relaxed {
		err = disk.SyncFolder(filepath.Dir(path))
	}
	return err
}

// Settle ends the time in which a content may have no referrer.
func (d *Dir) Settle(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.fresh, id)
}

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, by its contract
	return hex.EncodeToString(b[:])
}

// file is where a content lies: 256 folders keep each of them short.
func (d *Dir) file(id string) string { return filepath.Join(d.path, id[:2], id) }

func valid(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == 16
}

// Path is the file of a content.
func (d *Dir) Path(id string) (string, error) {
	if !valid(id) {
		return "", &fs.PathError{Op: "open", Path: id, Err: fs.ErrNotExist}
	}
	return d.file(id), nil
}

// Open opens a content.
func (d *Dir) Open(id string) (*os.File, error) {
	path, err := d.Path(id)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// Remove removes contents. One that is not there is no error.
func (d *Dir) Remove(ids ...string) error {
	var failed error
	for _, id := range ids {
		path, err := d.Path(id)
		if err != nil {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
		}
	}
	return failed
}

// Orphans gives the contents that used does not know: a process died between
// writing them and referring to them.
func (d *Dir) Orphans(ctx context.Context, used func(id string) (bool, error)) (orphans []string, err error) {
	folders, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if len(folder.Name()) != 2 || !folder.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(d.path, folder.Name()))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			id := f.Name()
			// Whoever is still about to refer to it must be asked first: it is
			// settled only after used can know.
			if !valid(id) || d.isFresh(id) {
				continue
			}
			switch known, err := used(id); {
			case err != nil:
				return nil, err
			case !known:
				orphans = append(orphans, id)
			}
		}
	}
	return orphans, nil
}

func (d *Dir) isFresh(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fresh[id]
}

// writer hides the file's ReadFrom, which would not use our buffer.
type writer struct{ io.Writer }
