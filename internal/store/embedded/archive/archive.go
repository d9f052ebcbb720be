// Package archive writes a data directory to a stream and back.
package archive

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/disk"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Writer puts files of a directory into a tar stream.
type Writer struct {
	ctx context.Context
	dir string
	tar *tar.Writer
}

// NewWriter begins a stream of files below dir.
func NewWriter(ctx context.Context, w io.Writer, dir string) *Writer {
	return &Writer{ctx, dir, tar.NewWriter(w)}
}

// Add adds a file as it is now, under the name that it has below the directory.
// One that grows meanwhile is cut at its present size, one that shrinks ends in
// zeros.
func (w *Writer) Add(file string) error {
	name, err := filepath.Rel(w.dir, file)
	if err != nil {
		return err
	}
	return w.AddAs(filepath.ToSlash(name), file)
}

// AddAs adds a file under another name.
func (w *Writer) AddAs(name, file string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := w.tar.WriteHeader(header); err != nil {
		return err
	}
	n, err := io.Copy(w.tar, io.LimitReader(f, info.Size()))
	if err == nil && n < info.Size() {
		_, err = io.CopyN(w.tar, zeros{}, info.Size()-n)
	}
	return err
}

// AddFolder adds the files of a folder whose names end in suffix; a folder that
// is not there has none.
func (w *Writer) AddFolder(folder, suffix string) error {
	entries, err := os.ReadDir(folder) // in the order of their names
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), suffix) || !e.Type().IsRegular() {
			continue
		}
		err := w.Add(filepath.Join(folder, e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // removed just now
			return err
		}
	}
	return nil
}

// Close ends the stream.
func (w *Writer) Close() error { return w.tar.Close() }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Extract makes a directory, which must not be there or be empty, from a
// stream. It is there as a whole or not at all.
func Extract(ctx context.Context, r io.Reader, dir string) (err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Internal, err, "restore to %s", dir)
	}
	if len(entries) > 0 {
		return fault.New(fault.Conflict, "the directory %s is not empty", dir).
			WithHint("restore to a directory that does not exist")
	}
	if err := disk.MakeFolder(filepath.Dir(dir), false); err != nil {
		return fault.Wrap(fault.Internal, err, "restore to %s", dir)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fault.Wrap(fault.Internal, err, "restore to %s", dir)
	}
	defer os.RemoveAll(tmp)
	if err := extract(ctx, tar.NewReader(r), tmp); err != nil {
		return fault.Wrap(fault.InvalidInput, err, "restore to %s", dir)
	}
	if len(entries) == 0 {
		os.Remove(dir) // an empty one stands in the way on some systems
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fault.Wrap(fault.Internal, err, "restore to %s", dir)
	}
	return fault.Wrap(fault.Internal, disk.SyncFolder(filepath.Dir(dir)), "restore to %s", dir)
}

func extract(ctx context.Context, files *tar.Reader, dir string) error {
	folders := map[string]bool{dir: true}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg || !filepath.IsLocal(filepath.FromSlash(header.Name)) || path.Clean(header.Name) != header.Name {
			return fault.New(fault.InvalidInput, "%q is not a file of a backup", header.Name)
		}
		name := filepath.Join(dir, filepath.FromSlash(header.Name))
		for folder := filepath.Dir(name); !folders[folder]; folder = filepath.Dir(folder) {
			folders[folder] = true
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, files)
		if err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	for folder := range folders {
		if err := disk.SyncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}
