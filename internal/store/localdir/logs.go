package localdir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// logs keeps one file per log, which is only ever added to.
type logs struct{ root *Root }

func (l logs) path(id string) string { return l.root.path(privateFolder, "logs", id+".log") }

func badLogID(id string) error {
	return fault.New(fault.InvalidRequest, "%q cannot be the id of a log", id)
}

// Append adds p to a log in one write.
func (l logs) Append(ctx context.Context, id string, p []byte) error {
	if !safeID(id) {
		return badLogID(id)
	}
	if err := live(ctx); err != nil {
		return err
	}
	path := l.path(id)
	err := appendFile(path, p)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(l.root.path(privateFolder, "logs"), 0o777); err == nil {
			err = appendFile(path, p)
		}
	}
	return fault.Wrap(fault.Internal, err, "write the log of %q", id)
}

// Open reads a log from an offset to its present end.
func (l logs) Open(ctx context.Context, id string, offset int64) (io.ReadCloser, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	empty := io.NopCloser(strings.NewReader(""))
	if !safeID(id) {
		return empty, nil
	}
	f, err := openShared(l.path(id))
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

// Cut leaves the bytes between two offsets.
func (l logs) Cut(ctx context.Context, id string, from, to int64) error {
	log, err := l.Open(ctx, id, from)
	if err != nil {
		return err
	}
	kept, err := io.ReadAll(io.LimitReader(log, max(0, to-max(from, 0))))
	if err = errors.Join(err, log.Close()); err != nil {
		return internal(err, "read the log of %q", id)
	}
	path := l.path(id)
	if _, err := os.Stat(path); !safeID(id) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err = os.WriteFile(path+".new", kept, 0o666)
	if err == nil {
		err = replaceFile(path+".new", path)
	}
	return fault.Wrap(fault.Internal, err, "cut the log of %q", id)
}

type logReader struct {
	io.Reader
	io.Closer
}

// Delete removes a log; one that nobody added to is not there to remove.
func (l logs) Delete(ctx context.Context, id string) error {
	if err := live(ctx); err != nil {
		return err
	}
	if !safeID(id) {
		return nil
	}
	if err := os.Remove(l.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return internal(err, "delete the log of %q", id)
	}
	return nil
}
