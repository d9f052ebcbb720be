package checkout

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// downloadTimeout is how long the server of an archive may take to begin to
// answer.
const downloadTimeout = time.Minute

// archive downloads an archive and unpacks it into dir. The format is told by the
// content: ZIP, or tar, plain or compressed with gzip, bzip2 or Zstandard.
func (c Checkout) archive(ctx context.Context, dir, address string) error {
	body, err := c.open(ctx, address)
	if err != nil {
		return err
	}
	defer body.Close()
	// A ZIP file is read from its end, and so is kept; others could do without.
	file, err := os.CreateTemp("", "greenroom-source-*")
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the archive cannot be kept")
	}
	defer os.Remove(file.Name())
	defer file.Close()
	size, err := io.Copy(file, io.LimitReader(body, c.Limits.Download+1))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fault.New(fault.InvalidInput, "the archive could not be downloaded: %w", err)
	case size > c.Limits.Download:
		return fault.New(fault.InvalidInput, "the archive has more than %d bytes", c.Limits.Download)
	}
	return c.unpack(ctx, dir, file, size)
}

// open opens an archive by its URL.
func (c Checkout) open(ctx context.Context, address string) (io.ReadCloser, error) {
	if c.Own != nil {
		if body, ok, err := c.Own(ctx, address); ok {
			if err != nil {
				return nil, fault.New(fault.InvalidInput, "the archive %s cannot be read: %w", withoutQuery(address), err)
			}
			return body, nil
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.New(fault.InvalidInput, "the URL of the archive is malformed")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = downloadTimeout
	transport.DisableKeepAlives = true
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var failed *url.Error
		if errors.As(err, &failed) { // its text holds the URL, which may hold a signature
			err = failed.Err
		}
		return nil, fault.New(fault.InvalidInput, "the archive could not be downloaded from %s: %w", withoutQuery(address), err)
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fault.New(fault.InvalidInput, "the archive could not be downloaded: %s answered %s", withoutQuery(address), answer.Status)
	}
	return answer.Body, nil
}

// withoutQuery is a URL as logs may have it: queries hold tokens and signatures,
// and so does what is before the host.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the URL"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// unpack unpacks an archive of any known format.
func (c Checkout) unpack(ctx context.Context, dir string, file *os.File, size int64) error {
	w, err := newWriter(dir, c.Limits)
	if err != nil {
		return err
	}
	defer w.close()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fault.Wrap(fault.Internal, err, "the archive cannot be read")
	}
	buffered := bufio.NewReaderSize(file, 64<<10)
	head, _ := buffered.Peek(512)
	broken := func(err error) error {
		var known *fault.Error
		switch {
		case err == nil || errors.As(err, &known):
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		return fault.New(fault.InvalidInput, "the archive cannot be unpacked: %w", err)
	}
	var content io.Reader = buffered
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return broken(unzip(ctx, w, file, size))
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return broken(err)
		}
		content = z
	case bytes.HasPrefix(head, []byte("BZh")):
		content = bzip2.NewReader(buffered)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return broken(err)
		}
		defer z.Close()
		content = z
	case len(head) > 262 && string(head[257:262]) == "ustar":
	default:
		return fault.New(fault.InvalidInput, "what was downloaded is neither a ZIP file nor a tar archive (plain, or compressed with gzip, bzip2 or Zstandard)")
	}
	return broken(untar(ctx, w, content))
}

// entryName gives the slash path of an entry, "" for that of the archive itself.
func entryName(name string) (string, error) {
	slashed := strings.ReplaceAll(name, `\`, "/")
	cleaned := path.Clean(slashed)
	switch {
	case strings.HasPrefix(slashed, "/"), len(slashed) > 1 && slashed[1] == ':',
		cleaned == "..", strings.HasPrefix(cleaned, "../"), strings.ContainsRune(name, 0):
		return "", fault.New(fault.InvalidInput, "the archive has an entry that leads out of it: %.200q", name)
	case cleaned == ".":
		return "", nil
	}
	return cleaned, nil
}

// permissions are those of a file that its owner may change and run.
func permissions(mode fs.FileMode) fs.FileMode {
	if mode&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

func unzip(ctx context.Context, w *writer, file io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(file, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked here
		return err
	}
	for _, f := range archive.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := entryName(f.Name)
		if err != nil {
			return err
		}
		mode := f.Mode()
		switch {
		case name == "":
		case mode.IsDir() || strings.HasSuffix(f.Name, "/"):
			err = w.folder(name)
		case mode&fs.ModeSymlink != 0:
			var target string
			if target, err = zipText(f); err == nil {
				err = w.link(name, target)
			}
		case mode.IsRegular():
			err = w.copy(name, permissions(mode), func(to io.Writer) error {
				from, err := f.Open()
				if err != nil {
					return err
				}
				defer from.Close()
				_, err = io.Copy(to, contextReader{ctx, from})
				return err
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// zipText reads the target of a link.
func zipText(f *zip.File) (string, error) {
	from, err := f.Open()
	if err != nil {
		return "", err
	}
	defer from.Close()
	text, err := io.ReadAll(io.LimitReader(from, 4096))
	return string(text), err
}

func untar(ctx context.Context, w *writer, content io.Reader) error {
	archive := tar.NewReader(contextReader{ctx, content})
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		name, err := entryName(header.Name)
		if err != nil {
			return err
		}
		switch {
		case name == "":
		case header.Typeflag == tar.TypeDir:
			err = w.folder(name)
		case header.Typeflag == tar.TypeSymlink:
			err = w.link(name, header.Linkname)
		case header.Typeflag == tar.TypeLink:
			err = w.hardLink(name, header.Linkname)
		case header.Typeflag == tar.TypeReg:
			err = w.copy(name, permissions(header.FileInfo().Mode()), func(to io.Writer) error {
				_, err := io.Copy(to, archive)
				return err
			})
		}
		if err != nil {
			return err
		}
	}
}

// hardLink copies a file that the archive has already.
func (w *writer) hardLink(name, target string) error {
	from, err := entryName(target)
	if err != nil {
		return err
	}
	info, err := w.root.Lstat(from)
	if err != nil || !info.Mode().IsRegular() {
		return fault.New(fault.InvalidInput, "the archive links %.200q to %.200q, which is no file of it", name, target)
	}
	return w.copy(name, info.Mode().Perm(), func(to io.Writer) error {
		file, err := w.root.Open(from)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(to, file)
		return err
	})
}

// contextReader ends with its context: a bomb takes its time.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
