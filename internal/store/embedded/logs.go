package embedded

import (
	"context"
	"encoding/base32"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// logs keeps one file per log, which is only ever added to.
type logs struct {
	dir     string
	relaxed bool
	locks   keyed
}

// encoding makes names of files from ids, which differ by case and file systems
// may not.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (l *logs) path(id string) string {
	return filepath.Join(l.dir, encoding.EncodeToString([]byte(id))+".log")
}

// Append adds p to a log. What a failed write left is cut off again.
func (l *logs) Append(ctx context.Context, id string, p []byte) error {
	if !validID(id) {
		return fault.New(fault.InvalidRequest, "%q cannot be the id of a log", id)
	}
	if err := live(ctx); err != nil {
		return err
	}
	defer l.locks.lock(id)()
	return internal(l.add(l.path(id), p), "write the log of %q", id)
}

func (l *logs) add(path string, p []byte) (err error) {
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
			err = syncFolder(l.dir)
		}
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(end))
	}
	return err
}

// Open reads a log from an offset to its present end.
func (l *logs) Open(ctx context.Context, id string, offset int64) (io.ReadCloser, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	empty := io.NopCloser(strings.NewReader(""))
	if !validID(id) {
		return empty, nil
	}
	// An append that is under way is not to be seen in part.
	defer l.locks.lock(id)()
	f, err := os.Open(l.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return nil, internal(err, "read the log of %q", id)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, internal(err, "read the log of %q", id)
	}
	offset = max(offset, 0)
	return logReader{io.NewSectionReader(f, offset, max(info.Size()-offset, 0)), f}, nil
}

type logReader struct {
	io.Reader
	io.Closer
}

// Delete removes a log; one that nobody added to is not there to remove.
func (l *logs) Delete(ctx context.Context, id string) error {
	if err := live(ctx); err != nil {
		return err
	}
	if !validID(id) {
		return nil
	}
	defer l.locks.lock(id)()
	if err := os.Remove(l.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return internal(err, "delete the log of %q", id)
	}
	return nil
}
