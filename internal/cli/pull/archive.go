package pull

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// entry is one file of an archive.
type entry struct {
	name string
	mode fs.FileMode
	open func() (io.ReadCloser, error)
}

// unpack gets an archive and writes what is in it.
func (o *options) unpack(ctx context.Context, c *client.Client, dir, address string) (int, error) {
	file, err := os.CreateTemp("", "greenroom-pull-*")
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "getting the archive")
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := download(ctx, c, address, file); err != nil {
		return 0, fault.New(fault.Unavailable, "the archive %s cannot be read: %w", withoutSecrets(address), err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "opening the directory")
	}
	defer root.Close()
	var magic [4]byte
	if _, err := file.ReadAt(magic[:], 0); err != nil {
		return 0, fault.New(fault.InvalidInput, "the archive is empty")
	}
	switch {
	case bytes.HasPrefix(magic[:], []byte("PK")):
		return unzip(root, file)
	case magic[0] == 0x1f && magic[1] == 0x8b:
		return untar(root, file)
	}
	return 0, fault.New(fault.InvalidInput, "the archive is neither zip nor tar.gz")
}

// download fetches an archive. The token goes to the API alone, whatever address
// a version names.
func download(ctx context.Context, c *client.Client, address string, to io.Writer) error {
	var resp *http.Response
	path, own := strings.CutPrefix(address, c.BaseURL()+"/v2/")
	if own {
		var err error
		if resp, err = c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/" + path}); err != nil {
			return err
		}
	} else {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		if resp, err = http.DefaultClient.Do(req); err != nil {
			var reason *url.Error
			if errors.As(err, &reason) {
				return reason.Err
			}
			return err
		}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err := io.Copy(to, resp.Body)
	return err
}

func withoutSecrets(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

func unzip(root *os.Root, file *os.File) (int, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return 0, fault.New(fault.InvalidInput, "the archive is damaged: %w", err)
	}
	for _, f := range archive.File {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return 0, outside(f.Name)
		}
	}
	n := 0
	for _, f := range archive.File {
		if !f.Mode().IsRegular() {
			continue // folders come with their files; links are not followed
		}
		if err := extract(root, entry{f.Name, f.Mode().Perm(), f.Open}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func untar(root *os.Root, file *os.File) (int, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	plain, err := gzip.NewReader(file)
	if err != nil {
		return 0, fault.New(fault.InvalidInput, "the archive is damaged: %w", err)
	}
	archive := tar.NewReader(plain)
	for n := 0; ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, fault.New(fault.InvalidInput, "the archive is damaged: %w", err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(header.Name)) {
			return n, outside(header.Name)
		}
		err = extract(root, entry{header.Name, header.FileInfo().Mode().Perm(), func() (io.ReadCloser, error) { return io.NopCloser(archive), nil }})
		if err != nil {
			return n, err
		}
		n++
	}
}

func extract(root *os.Root, e entry) error {
	content, err := e.open()
	if err != nil {
		return fault.New(fault.InvalidInput, "the archive is damaged at %s: %w", e.name, err)
	}
	defer content.Close()
	name := filepath.FromSlash(e.name)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fault.Wrap(fault.Unavailable, err, "writing %s", e.name)
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644|e.mode&0o111)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "writing %s", e.name)
	}
	_, err = io.Copy(file, content)
	return fault.Wrap(fault.Unavailable, errors.Join(err, file.Close()), "writing %s", e.name)
}

// clone gets the source from a Git repository: URL#BRANCH-OR-TAG:FOLDER.
func clone(ctx context.Context, dir, address string) (int, error) {
	repository, rest, _ := strings.Cut(address, "#")
	revision, folder, _ := strings.Cut(rest, ":")
	if strings.HasPrefix(repository, "-") || strings.HasPrefix(revision, "-") || folder != "" && !filepath.IsLocal(filepath.FromSlash(folder)) {
		return 0, fault.New(fault.InvalidInput, "%q names no Git repository", address)
	}
	temporary, err := os.MkdirTemp("", "greenroom-pull-*")
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "cloning the repository")
	}
	defer os.RemoveAll(temporary)
	args := []string{"clone", "--quiet", "--depth", "1", "--recurse-submodules"}
	if revision != "" {
		args = append(args, "--branch", revision)
	}
	cmd := exec.CommandContext(ctx, "git", append(args, "--", repository, temporary)...)
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fault.New(fault.Unavailable, "the repository %s cannot be cloned: %w: %s", repository, err, strings.TrimSpace(string(out)))
	}
	from := os.DirFS(filepath.Join(temporary, filepath.FromSlash(folder)))
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "opening the directory")
	}
	defer root.Close()
	n := 0
	err = fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".git":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		n++
		return extract(root, entry{name, info.Mode().Perm(), func() (io.ReadCloser, error) { return from.Open(name) }})
	})
	return n, fault.Wrap(fault.Unavailable, err, "copying the repository")
}
