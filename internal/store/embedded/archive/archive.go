// Package archive writes a data directory to a stream and back.
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
	"path/filepath"
	"strings"
	"time"
)

// manifestName is the last file of a backup. It describes the others, so that a
// backup that is not whole, or not as it was written, is known by it.
const manifestName = "backup.json"

// manifestVersion is that of the format; readers refuse others.
const manifestVersion = 1

type manifest struct {
	Version int     `json:"version"`
	Files   []entry `json:"files"`
}

// entry is what a manifest says of a file.
type entry struct {
	Name     string    `json:"name"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modifiedAt"`
	Sum      string    `json:"sha256"`
}

// Writer puts files of a directory into a tar stream.
type Writer struct {
	ctx      context.Context
	dir      string
	tar      *tar.Writer
	manifest manifest
}

// NewWriter begins a stream of files below dir.
func NewWriter(ctx context.Context, w io.Writer, dir string) *Writer {
	return &Writer{ctx, dir, tar.NewWriter(w), manifest{Version: manifestVersion}}
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
	e := entry{Name: name, Size: info.Size(), Modified: info.ModTime().UTC()}
	if err := w.begin(e); err != nil {
		return err
	}
	sum := sha256.New()
	out := io.MultiWriter(w.tar, sum)
	n, err := io.Copy(out, io.LimitReader(f, e.Size))
	if err == nil && n < e.Size {
		_, err = io.CopyN(out, zeros{}, e.Size-n)
	}
	e.Sum = hex.EncodeToString(sum.Sum(nil))
	w.manifest.Files = append(w.manifest.Files, e)
	return err
}

func (w *Writer) begin(e entry) error {
	return w.tar.WriteHeader(&tar.Header{Name: e.Name, Mode: 0o600, Size: e.Size, ModTime: e.Modified, Format: tar.FormatPAX})
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

// Close ends the stream. Without it, nobody takes the stream for a backup.
func (w *Writer) Close() error {
	text, err := json.MarshalIndent(w.manifest, "", " ")
	if err != nil {
		return err
	}
	if err := w.begin(entry{Name: manifestName, Size: int64(len(text))}); err != nil {
		return err
	}
	if _, err := w.tar.Write(text); err != nil {
		return err
	}
	return w.tar.Close()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
