// Package checkout brings the source of an Actor's version into a directory of
// this machine: its files, an archive from a URL, or a Git repository. What comes
// from outside never reaches anything outside that directory, and never more than
// its limits.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Limits bound what a source may come to, whatever an archive says of itself.
type Limits struct {
	Download int64 // bytes of an archive
	Total    int64 // bytes of all files together
	Files    int   // files, folders and links
}

// DefaultLimits are those of a source that no Actor has a reason to exceed.
var DefaultLimits = Limits{Download: 1 << 30, Total: 4 << 30, Files: 200_000}

// Checkout brings sources in.
type Checkout struct {
	Limits Limits
	// Own opens what a URL of this server itself names; ok is false for any other
	// URL. Nil knows none.
	Own func(ctx context.Context, url string) (body io.ReadCloser, ok bool, err error)
}

// Into brings the source of a version into dir, an empty directory, and gives the
// directory in it that is the Actor's. Progress goes to log. A source that cannot
// be had or is malformed is fault.InvalidInput.
func (c Checkout) Into(ctx context.Context, v api.ActorVersion, dir string, log io.Writer) (root string, err error) {
	switch v.SourceType {
	case api.SourceFiles:
		fmt.Fprintf(log, "Writing %d source files\n", len(v.SourceFiles))
		return dir, c.files(dir, v.SourceFiles)
	case api.SourceTarball:
		fmt.Fprintf(log, "Downloading %s\n", withoutQuery(v.TarballURL))
		if err := c.archive(ctx, dir, v.TarballURL); err != nil {
			return "", err
		}
		return onlyFolder(dir), nil
	case api.SourceGitRepo:
		return clone(ctx, dir, v.GitRepoURL, log)
	case api.SourceGitHubGist:
		return clone(ctx, dir, v.GitHubGistURL, log)
	}
	return "", fault.New(fault.InvalidInput, "sources of the type %q cannot be built", v.SourceType)
}

// files writes source files.
func (c Checkout) files(dir string, files []api.SourceFile) error {
	w, err := newWriter(dir, c.Limits)
	if err != nil {
		return err
	}
	defer w.close()
	for _, f := range files {
		name, err := catalog.CleanName(f.Name)
		if err != nil {
			return err
		}
		if f.Folder {
			if err := w.folder(name); err != nil {
				return err
			}
			continue
		}
		var content []byte
		if f.Content != nil {
			content = []byte(*f.Content)
			if f.Format == "BASE64" {
				if content, err = catalog.DecodeBase64(*f.Content); err != nil {
					return fault.New(fault.InvalidInput, "%s is not valid base64: %w", name, err)
				}
			}
		}
		// The platform keeps no permissions: what begins with #! is a program.
		mode := fs.FileMode(0o644)
		if len(content) > 2 && content[0] == '#' && content[1] == '!' {
			mode = 0o755
		}
		if err := w.write(name, mode, content); err != nil {
			return err
		}
	}
	return nil
}

// writer writes below a directory and nowhere else: os.Root follows no link that
// leads out of it.
type writer struct {
	root   *os.Root
	limits Limits
	count  int
	bytes  int64
}

func newWriter(dir string, limits Limits) (*writer, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the source cannot be written")
	}
	return &writer{root: root, limits: limits}, nil
}

func (w *writer) close() { _ = w.root.Close() }

func (w *writer) entry() error {
	if w.count++; w.count > w.limits.Files {
		return fault.New(fault.InvalidInput, "the source has more than %d files", w.limits.Files)
	}
	return nil
}

func (w *writer) folder(name string) error {
	if err := w.entry(); err != nil {
		return err
	}
	return w.failure(name, w.root.MkdirAll(name, 0o755))
}

func (w *writer) write(name string, mode fs.FileMode, content []byte) error {
	return w.copy(name, mode, func(to io.Writer) error {
		_, err := to.Write(content)
		return err
	})
}

// copy makes a file of what fill writes.
func (w *writer) copy(name string, mode fs.FileMode, fill func(io.Writer) error) (err error) {
	if err := w.entry(); err != nil {
		return err
	}
	if dir := path.Dir(name); dir != "." {
		if err := w.root.MkdirAll(dir, 0o755); err != nil {
			return w.failure(name, err)
		}
	}
	if info, err := w.root.Lstat(name); err == nil && !info.IsDir() {
		// A link is replaced, not followed.
		if err := w.root.Remove(name); err != nil {
			return w.failure(name, err)
		}
	}
	file, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return w.failure(name, err)
	}
	err = fill(&limited{file, w})
	if closing := file.Close(); err == nil {
		err = closing
	}
	return w.failure(name, err)
}

// limited writes until the source has come to its limit.
type limited struct {
	to io.Writer
	w  *writer
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.w.bytes += int64(len(p)); l.w.bytes > l.w.limits.Total {
		return 0, fault.New(fault.InvalidInput, "the source has more than %d bytes", l.w.limits.Total)
	}
	return l.to.Write(p)
}

// link makes a symbolic link that leads to something in the directory.
func (w *writer) link(name, target string) error {
	if err := w.entry(); err != nil {
		return err
	}
	if path.IsAbs(target) || !filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(name), target))) {
		return fault.New(fault.InvalidInput, "the link %s leads out of the source, to %.200q", name, target)
	}
	if dir := path.Dir(name); dir != "." {
		if err := w.root.MkdirAll(dir, 0o755); err != nil {
			return w.failure(name, err)
		}
	}
	return w.failure(name, w.root.Symlink(filepath.FromSlash(target), name))
}

// failure says which file could not be written. What is wrong with the source
// itself says so already.
func (w *writer) failure(name string, err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fault.New(fault.InvalidInput, "%.200q of the source cannot be written: %w", name, plain(err))
}

// plain leaves out the path that an error of the system names.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// onlyFolder gives the one folder that an archive consists of, as those of code
// hosts do, else dir itself.
func onlyFolder(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || !entries[0].IsDir() || entries[0].Name() == ".actor" {
		return dir
	}
	return filepath.Join(dir, entries[0].Name())
}
