package push

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxFiles is how many bytes a version may have as single files; the platform
// takes more as an archive only.
const maxFiles = 3 << 20

// source is a version's source: single files, or an archive on disk.
type source struct {
	files   []api.SourceFile
	archive func(w io.Writer) error
}

// written is what a definition says itself, where defaults would hide it.
type written struct {
	BuildTag    string
	Environment bool
}

func fields(d *definition.Actor) written {
	var doc struct {
		BuildTag    string          `json:"buildTag"`
		Environment json.RawMessage `json:"environmentVariables"`
	}
	// A legacy file has other fields; what was read of it counts.
	if err := json.Unmarshal(d.Document, &doc); err != nil || d.Legacy {
		return written{BuildTag: d.BuildTag, Environment: len(d.Environment) > 0}
	}
	return written{doc.BuildTag, doc.Environment != nil}
}

func (o *options) source(p *project) (source, error) {
	root := p.definition.Root
	if p.files.Size() >= maxFiles {
		return source{archive: func(w io.Writer) error { return pack(w, root, p) }}, nil
	}
	var s source
	for _, f := range p.files.Files {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.Name)))
		if err != nil {
			return source{}, fault.Wrap(fault.InvalidInput, err, "reading the source")
		}
		file := api.SourceFile{Name: f.Name, Format: "TEXT"}
		text := string(content)
		if !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
			file.Format, text = "BASE64", base64.StdEncoding.EncodeToString(content)
		}
		file.Content = &text
		s.files = append(s.files, file)
	}
	return s, nil
}

// same tells whether the API has the very files.
func (s source) same(there []api.SourceFile) bool {
	contents := map[string]string{}
	for _, f := range there {
		if f.Content != nil && !f.Folder {
			contents[f.Name] = f.Format + *f.Content
		}
	}
	if len(contents) != len(s.files) {
		return false
	}
	for _, f := range s.files {
		if contents[f.Name] != f.Format+*f.Content {
			return false
		}
	}
	return true
}

// pack writes the files as a zip archive that keeps their modes.
func pack(w io.Writer, root string, p *project) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) })
	for _, f := range p.files.Files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: f.Changed}
		header.SetMode(f.Mode)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		file, err := os.Open(filepath.Join(root, filepath.FromSlash(f.Name)))
		if err != nil {
			return err
		}
		_, err = io.Copy(entry, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return archive.Close()
}

// send makes or replaces the version.
func (o *options) send(ctx context.Context, c *client.Client, p *project, actor string, s source, exists bool) error {
	body := map[string]any{"versionNumber": p.version, "sourceType": api.SourceFiles}
	o.Note("sending %s as version %s", describe(len(p.files.Files), p.files.Size()), p.version)
	if s.archive != nil {
		address, err := upload(ctx, c, "actor-"+actor+"-source", "version-"+p.version+".zip", s.archive)
		if err != nil {
			return err
		}
		body["sourceType"], body["tarballUrl"] = api.SourceTarball, address
	} else {
		body["sourceFiles"] = s.files
	}
	if p.tag != "" {
		body["buildTag"] = p.tag
	}
	if p.env != nil {
		body["envVars"] = p.env
	}
	if exists {
		_, err := c.Actor(actor).Version(p.version).Update(ctx, body)
		return err
	}
	_, err := c.Actor(actor).Versions().Create(ctx, body)
	return err
}

// upload stores an archive in a key-value store, and gives the address under which
// the builder finds it. It goes through a temporary file: a record of unknown
// length could not be sent again.
func upload(ctx context.Context, c *client.Client, store, key string, archive func(io.Writer) error) (string, error) {
	file, err := os.CreateTemp("", "greenroom-push-*.zip")
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "packing the source")
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := archive(file); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "packing the source")
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "packing the source")
	}
	kept, err := c.CreateKeyValueStore(ctx, store)
	if err != nil {
		return "", err
	}
	if err := c.KeyValueStore(kept.ID).Put(ctx, key, "application/zip", file); err != nil {
		return "", err
	}
	address, err := c.KeyValueStore(kept.ID).PublicURL(ctx, key)
	if err != nil {
		return "", err
	}
	// The platform would answer with a redirect that its builder does not follow.
	if strings.Contains(address, "?") {
		return address + "&disableRedirect=true", nil
	}
	return address + "?disableRedirect=true", nil
}

// tailLines is how many lines of a log say why a build has failed.
const tailLines = 10

// tail shows a log and keeps its last lines.
type tail struct {
	to   io.Writer
	last []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.last = append(t.last, p...)
	if len(t.last) > 64<<10 {
		t.last = append([]byte(nil), t.last[len(t.last)-32<<10:]...)
	}
	return t.to.Write(p)
}

func (t *tail) lines() []string {
	text := strings.TrimRight(string(t.last), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-tailLines):]
}
