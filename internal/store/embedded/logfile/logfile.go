// Package logfile keeps logs as files that are only ever added to.
package logfile

import (
	"context"
	"encoding/base32"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/disk"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/keyed"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Dir is a folder with a file per log. It is a store.Logs.
type Dir struct {
	path    string
	relaxed bool
	locks   keyed.Locks
}

var _ store.Logs = (*Dir)(nil)

// New gives the logs in a folder that exists. Relaxed ones do not wait for the
// disk.
func New(path string, relaxed bool) *Dir { return &Dir{path: path, relaxed: relaxed} }

// encoding makes names of files from ids, which differ by case and file systems
// may not.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (l *Dir) file(id string) string {
	return filepath.Join(l.path, encoding.EncodeToString([]byte(id))+".log")
}

// Append adds p to a log. What a failed write left is cut off again.
func (l *Dir) Append(ctx context.Context, id string, p []byte) error {
	if !database.ValidID(id) {
		return fault.New(fault.InvalidRequest, "%q cannot be the id of a log", id)
	}
	if err := database.Live(ctx); err != nil {
		return err
	}
	defer l.locks.Lock(id)()
	return database.Failed(l.add(l.file(id), p), "write the log of %q", id)
}

func (l *Dir) add(path string, p []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	created := errors.Is(err, fs.ErrNotExist)
	if created {
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	if err == nil && !l.relaxed {
		err = f.Sync()
		if err == nil && created {
			err = disk.SyncFolder(l.path)
		}
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(end))
	}
	return err
}

// Open reads a log from an offset to its present end.
func (l *Dir) Open(ctx context.Context, id string, offset int64) (io.ReadCloser, error) {
	if err := database.Live(ctx); err != nil {
		return nil, err
	}
	empty := io.NopCloser(strings.NewReader(""))
	if !database.ValidID(id) {
		return empty, nil
	}
	// An append that is under way is not to be seen in part.
	defer l.locks.Lock(id)()
	f, err := os.Open(l.file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return nil, database.Failed(err, "read the log of %q", id)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, database.Failed(err, "read the log of %q", id)
	}
	offset = max(offset, 0)
	return logReader{io.NewSectionReader(f, offset, max(info.Size()-offset, 0)), f}, nil
}

// Cut leaves the bytes between two offsets.
func (l *Dir) Cut(ctx context.Context, id string, from, to int64) error {
	if err := database.Live(ctx); err != nil {
		return err
	}
	if !database.ValidID(id) {
		return nil
	}
	defer l.locks.Lock(id)()
	err := l.cut(l.file(id), max(from, 0), to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return database.Failed(err, "cut the log of %q", id)
}

func (l *Dir) cut(path string, from, to int64) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	to = max(from, min(to, info.Size()))
	if from > 0 && from < info.Size() {
		return l.keep(f, path, from, to)
	}
	if from >= info.Size() {
		to = 0
	}
	if err = f.Truncate(to); err == nil && !l.relaxed {
		err = f.Sync()
	}
	return err
}

// keep writes what is to stay into a file of its own, which takes the place of
// the log: a reader that has the log open reads on in the old one.
func (l *Dir) keep(f *os.File, path string, from, to int64) error {
	next, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(next, io.NewSectionReader(f, from, to-from))
	if err == nil && !l.relaxed {
		err = next.Sync()
	}
	if err = errors.Join(err, next.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil && !l.relaxed {
		err = disk.SyncFolder(l.path)
	}
	return err
}

type logReader struct {
	io.Reader
	io.Closer
}

// Delete removes a log; one that nobody added to is not there to remove.
func (l *Dir) Delete(ctx context.Context, id string) error {
	if err := database.Live(ctx); err != nil {
		return err
	}
	if !database.ValidID(id) {
		return nil
	}
	defer l.locks.Lock(id)()
	if err := os.Remove(l.file(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return database.Failed(err, "delete the log of %q", id)
	}
	return nil
}
