package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/disk"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxManifest bounds what is read into memory: enough for a million files.
const maxManifest = 256 << 20

// Summary says what a backup holds.
type Summary struct {
	Files int
	Bytes int64 // of all files together
}

// Verify reads a whole stream and writes nothing. One that is not as it was
// written is fault.InvalidInput.
func Verify(ctx context.Context, r io.Reader) (Summary, error) {
	s, err := read(ctx, r, func(entry) (io.WriteCloser, error) { return discard{io.Discard}, nil })
	return s, damaged(err)
}

type discard struct{ io.Writer }

func (discard) Close() error { return nil }

// damaged says that a stream is not a backup, unless it was the disk or the
// caller that did not want to go on.
func damaged(err error) error {
	var f *fault.Error
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Aborted, err, "reading the backup was stopped")
	}
	return fault.New(fault.InvalidInput, "the backup is damaged or not whole: %w", err)
}

// Extract makes a directory, which must not be there or be empty, from a
// stream. It is there as a whole or not at all: a stream that is not as it was
// written is fault.InvalidInput and leaves nothing.
func Extract(ctx context.Context, r io.Reader, dir string) (s Summary, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return s, err
	}
	failed := func(err error) (Summary, error) {
		return Summary{}, fault.Wrap(fault.CodeOf(err), err, "restore to %s", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err)
	}
	if len(entries) > 0 {
		return s, fault.New(fault.Conflict, "the directory %s is not empty", dir).
			WithHint("restore to a directory that does not exist")
	}
	if err := disk.MakeFolder(filepath.Dir(dir), false); err != nil {
		return failed(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(tmp)
	if s, err = extract(ctx, r, tmp); err != nil {
		return failed(err)
	}
	os.Remove(dir) // an empty one stands in the way on some systems
	if err := os.Rename(tmp, dir); err != nil {
		return failed(err)
	}
	if err := disk.SyncFolder(filepath.Dir(dir)); err != nil {
		return failed(err)
	}
	return s, nil
}

// extract writes all files, and makes them and their folders last.
func extract(ctx context.Context, r io.Reader, dir string) (Summary, error) {
	folders := map[string]bool{dir: true}
	s, err := read(ctx, r, func(e entry) (io.WriteCloser, error) {
		name := filepath.Join(dir, filepath.FromSlash(e.Name))
		for folder := filepath.Dir(name); !folders[folder]; folder = filepath.Dir(folder) {
			folders[folder] = true
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "make a folder")
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "make a file")
		}
		return &file{f, e}, nil
	})
	if err != nil {
		return s, damaged(err)
	}
	for folder := range folders {
		if err := disk.SyncFolder(folder); err != nil {
			return s, err
		}
	}
	return s, nil
}

// file is one that is being restored.
type file struct {
	f *os.File
	e entry
}

func (f *file) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	return n, fault.Wrap(fault.Internal, err, "write a file")
}

// Close makes the file last, with the time at which it was written at first: a
// dataset tells from it when it was modified.
func (f *file) Close() error {
	err := errors.Join(f.f.Sync(), f.f.Close())
	if err == nil {
		err = os.Chtimes(f.f.Name(), f.e.Modified, f.e.Modified)
	}
	return fault.Wrap(fault.Internal, err, "write a file")
}

// read gives each file of a stream to what place opens for it, and compares all
// of them with the manifest.
func read(ctx context.Context, r io.Reader, place func(entry) (io.WriteCloser, error)) (s Summary, err error) {
	files := tar.NewReader(r)
	var found []entry
	for {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return s, errors.New("its end is missing")
		}
		if err != nil {
			return s, err
		}
		e := entry{Name: header.Name, Size: header.Size, Modified: header.ModTime.UTC()}
		if e.Name == manifestName {
			return s, compare(files, found)
		}
		if header.Typeflag != tar.TypeReg || !filepath.IsLocal(filepath.FromSlash(e.Name)) || path.Clean(e.Name) != e.Name {
			return s, fault.New(fault.InvalidInput, "%q is not a file of a backup", e.Name)
		}
		if e.Sum, err = take(ctx, files, e, place); err != nil {
			return s, err
		}
		found = append(found, e)
		s.Files++
		s.Bytes += e.Size
	}
}

// take copies one file and gives its checksum.
func take(ctx context.Context, r io.Reader, e entry, place func(entry) (io.WriteCloser, error)) (string, error) {
	w, err := place(e)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(w, sum), disk.Reader(ctx, r))
	if closing := w.Close(); err == nil {
		err = closing
	}
	return hex.EncodeToString(sum.Sum(nil)), err
}

// compare reads the manifest and looks whether it says what was found.
func compare(r io.Reader, found []entry) error {
	text, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	if m.Version != manifestVersion {
		return fault.New(fault.InvalidInput, "the backup has the format %d, which this version does not know", m.Version)
	}
	if len(m.Files) != len(found) {
		return errors.New("files are missing")
	}
	for i, want := range m.Files {
		if got := found[i]; !got.Modified.Equal(want.Modified) || got.Name != want.Name || got.Size != want.Size || got.Sum != want.Sum {
			return errors.New("the file " + want.Name + " is not as it was")
		}
	}
	return nil
}
