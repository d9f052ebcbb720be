package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// contextFS shows BuildKit exactly the files that were hashed. Owners are not
// passed on: what an image holds must not depend on who builds it.
type contextFS struct{ *source }

var _ fsutil.FS = contextFS{}

func (c contextFS) Walk(ctx context.Context, target string, fn fs.WalkDirFunc) error {
	target = strings.Trim(filepath.ToSlash(filepath.Clean(target)), "/")
	if target == "." {
		target = ""
	}
	skip, found := "", target == ""
	for _, e := range c.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !within(e.path, target) || skip != "" && within(e.path, skip) {
			continue
		}
		found = true
		err := fn(filepath.FromSlash(e.path), &fsutil.DirEntryInfo{Stat: e.stat()}, nil)
		switch {
		case errors.Is(err, fs.SkipDir) && e.info.IsDir():
			skip = e.path
		case errors.Is(err, fs.SkipDir):
			skip = e.path[:max(strings.LastIndexByte(e.path, '/'), 0)]
			if skip == "" {
				return nil
			}
		case err != nil:
			return err
		}
	}
	if !found {
		return fn(filepath.FromSlash(target), nil, &fs.PathError{Op: "lstat", Path: target, Err: fs.ErrNotExist})
	}
	return nil
}

// within tells whether a slash path is dir or below it. Everything is below "".
func within(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (dir == "" || rest == "" || rest[0] == '/')
}

func (c contextFS) Open(name string) (io.ReadCloser, error) {
	name = strings.TrimPrefix(filepath.ToSlash(name), "/")
	for _, e := range c.virtual {
		if e.path == name {
			return io.NopCloser(bytes.NewReader(e.data)), nil
		}
	}
	return os.Open(c.hostPath(name))
}

// stat describes an entry to BuildKit, which sends for a file only when its
// size or times differ from those of the last build. The fraction of a second
// in the time of modification therefore says which content it is: a change that
// kept size and time is not missed.
func (e entry) stat() *types.Stat {
	s := &types.Stat{
		Path:     filepath.FromSlash(e.path),
		Mode:     uint32(e.permissions()),
		ModTime:  e.info.ModTime().Truncate(time.Second).UnixNano() + e.fraction(),
		Linkname: e.link,
	}
	if !e.info.IsDir() {
		s.Size = e.info.Size()
	}
	return s
}

// fraction is less than a second, and is made of the content.
func (e entry) fraction() int64 {
	return int64(binary.BigEndian.Uint32(e.sum[:])) % int64(time.Second)
}

// filesFS is a folder of files that exist in memory only, sorted by name.
type filesFS []memoryFile

type memoryFile struct {
	name string
	data []byte
}

var _ fsutil.FS = filesFS{}

func (f filesFS) Walk(_ context.Context, target string, fn fs.WalkDirFunc) error {
	target = strings.Trim(filepath.ToSlash(filepath.Clean(target)), "/")
	found := target == "" || target == "."
	all := found
	for _, file := range f {
		if !all && file.name != target {
			continue
		}
		found = true
		stat := &types.Stat{Path: file.name, Mode: 0o644, Size: int64(len(file.data))}
		if err := fn(file.name, &fsutil.DirEntryInfo{Stat: stat}, nil); errors.Is(err, fs.SkipDir) {
			return nil
		} else if err != nil {
			return err
		}
	}
	if !found {
		return fn(target, nil, &fs.PathError{Op: "lstat", Path: target, Err: fs.ErrNotExist})
	}
	return nil
}

func (f filesFS) Open(name string) (io.ReadCloser, error) {
	name = strings.Trim(filepath.ToSlash(name), "/")
	for _, file := range f {
		if file.name == name {
			return io.NopCloser(bytes.NewReader(file.data)), nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
