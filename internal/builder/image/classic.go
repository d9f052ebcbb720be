package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/docker/docker/api/types/build"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
)

// classic builds with the engine's first builder: the whole context goes to it
// in one archive.
func (j *job) classic(ctx context.Context, text dockerfile.Text) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	src := j.src.with(text.Files)
	archive, w := io.Pipe()
	name := src.archivedDockerfile()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		w.CloseWithError(src.archive(ctx, w, name, text.Bytes))
	}()
	defer func() {
		archive.Close()
		<-sent
	}()

	options := j.options()
	options.Version = build.BuilderV1
	options.Dockerfile = name
	answer, err := j.cli.ImageBuild(ctx, archive, options)
	if err != nil {
		return refused(err)
	}
	defer answer.Body.Close()

	p := &plainProgress{log: j.log}
	failed, err := messages(answer.Body, func(m message) error {
		p.message(m)
		return nil
	})
	p.flush()
	if err != nil {
		return err
	}
	if failed != "" {
		return &failure{step: p.step, text: failed, tail: p.tail}
	}
	return nil
}

// archivedDockerfile is the Dockerfile's path in the archive. One from outside
// the context, or one that the rules drop, gets a name that nobody else has.
func (s *source) archivedDockerfile() string {
	if s.inContext != "" && s.has(s.inContext) {
		return s.inContext
	}
	return ".dockerfile." + shortHash(string(s.dockerfile), 16)
}

func (s *source) has(name string) bool {
	for _, e := range s.entries {
		if e.path == name {
			return true
		}
	}
	return false
}

// archive writes the context as the classic builder wants it. That builder
// reads .dockerignore again, to drop itself and the Dockerfile after reading
// them: so it gets one that names exactly those that no step may copy.
func (s *source) archive(ctx context.Context, w io.Writer, dockerfile string, text []byte) error {
	t := tar.NewWriter(w)
	written := false
	for _, e := range s.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.path == ".dockerignore" && e.data == nil {
			// Its rules have been applied; applied twice by a builder that
			// reads them differently, they could drop too much.
			continue
		}
		if e.path == dockerfile {
			e.data, written = text, true
		}
		if err := s.archiveEntry(t, e); err != nil {
			return err
		}
	}
	if !written {
		rules := ".dockerignore\n" + dockerfile + "\n"
		for _, extra := range []struct{ name, text string }{{dockerfile, string(text)}, {".dockerignore", rules}} {
			h := &tar.Header{Name: extra.name, Mode: 0o644, Size: int64(len(extra.text)), Typeflag: tar.TypeReg}
			if err := t.WriteHeader(h); err != nil {
				return err
			}
			if _, err := io.WriteString(t, extra.text); err != nil {
				return err
			}
		}
	}
	return t.Close()
}

func (s *source) archiveEntry(t *tar.Writer, e entry) error {
	mode := e.permissions()
	h := &tar.Header{Name: e.path, Mode: int64(mode.Perm()), ModTime: e.info.ModTime(), Format: tar.FormatPAX}
	for bit, flag := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&bit != 0 {
			h.Mode |= flag
		}
	}
	switch {
	case e.data != nil:
		h.Typeflag, h.Size = tar.TypeReg, int64(len(e.data))
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(e.data)
		return err
	case e.info.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, e.path+"/"
		return t.WriteHeader(h)
	case e.link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		return t.WriteHeader(h)
	}
	f, err := os.Open(s.hostPath(e.path))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, info.Size()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	// A file that shrinks while it is read cannot be archived; one that grows
	// is sent as long as it was.
	if _, err := io.CopyN(t, f, info.Size()); err != nil {
		return fmt.Errorf("%s changed while it was sent: %w", e.path, err)
	}
	return nil
}

// plainProgress shows the classic builder's own lines, without those about
// intermediate layers.
type plainProgress struct {
	log     io.Writer
	partial []byte
	step    string
	tail    []string
}

var (
	stepLine  = regexp.MustCompile(`^(?i:STEP) \d+(?:/\d+)? ?: (.+)`)
	noiseLine = regexp.MustCompile(`^ ---> |^Removing intermediate container|^Successfully (built|tagged)|^--> |^\s*$`)
	// colours are those that the engine puts around a step's standard error.
	colours = strings.NewReplacer("\x1b[91m", "", "\x1b[0m", "")
)

func (p *plainProgress) message(m message) {
	if m.Status != "" && len(m.Progress) <= len("{}") {
		fmt.Fprintf(p.log, "  %s\n", strings.TrimSpace(m.Status))
	}
	// The engine's own lines do not continue what a step printed.
	if len(p.partial) > 0 && (noiseLine.MatchString(m.Stream) || stepLine.MatchString(m.Stream)) {
		p.flush()
	}
	p.partial = append(p.partial, m.Stream...)
	for {
		i := bytes.IndexByte(p.partial, '\n')
		if i < 0 {
			return
		}
		p.line(string(p.partial[:i]))
		p.partial = p.partial[i+1:]
	}
}

func (p *plainProgress) line(line string) {
	line = colours.Replace(strings.TrimSuffix(line, "\r"))
	switch {
	case strings.Contains(line, "LABEL "+SourceHashLabel):
	case stepLine.MatchString(line):
		p.step, p.tail = oneLine(line), nil
		fmt.Fprintln(p.log, line)
	case noiseLine.MatchString(line):
	default:
		fmt.Fprintf(p.log, "  %s\n", line)
		if len(p.tail) == tailLines {
			p.tail = p.tail[1:]
		}
		p.tail = append(p.tail, line)
	}
}

func (p *plainProgress) flush() {
	if len(p.partial) > 0 {
		p.line(string(p.partial))
		p.partial = nil
	}
}
