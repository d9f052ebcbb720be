package definition

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// example is the smallest definition that runs, shown to who has none.
const example = `{
  "actorSpecification": 1,
  "name": "my-actor",
  "version": "0.0"
}`

// Where definitions are, below an Actor's directory.
const (
	folder     = ".actor"
	fileName   = "actor.json"
	legacyName = "apify.json"
)

// maxFileSize bounds every file that is read, in bytes. The platform takes no
// source file of this size.
const maxFileSize = 16 << 20

// Load reads the definition of the Actor in dir for running it: .actor/actor.json,
// else the legacy apify.json, and the schemas they link. Comments and trailing
// commas are allowed in all of them.
//
// What is wrong with the files is a fault.InvalidInput that lists everything
// found, each with its position; so is a directory that holds neither file.
// A directory that is not there is fault.NotFound. What only the platform insists
// on is no error here: see Check.
func Load(dir string) (*Actor, error) {
	r, err := open(dir)
	if err != nil {
		return nil, err
	}
	return r.loaded()
}

// Check reads the definition of the Actor in dir as Load does and tells
// everything there is to say about it, what only the platform insists on
// included. The Actor is nil when that has errors.
func Check(dir string) (*Actor, diagnostic.List) {
	reading := Read(dir)
	return reading.Actor, reading.Diagnostics
}

// open reads the definition of the Actor in dir.
func open(dir string) (*reader, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot find the directory %s", dir)
	}
	switch info, err := os.Stat(root); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "there is no directory %s", root)
	case err != nil:
		return nil, fault.Wrap(fault.InvalidInput, err, "cannot read the Actor's directory")
	case !info.IsDir():
		return nil, fault.New(fault.InvalidInput, "%s is a file, expected the Actor's directory", root)
	}
	for _, source := range []struct {
		file string
		read func(*reader, *jsonc.Value)
	}{
		{filepath.Join(root, folder, fileName), (*reader).current},
		{filepath.Join(root, legacyName), (*reader).legacy},
	} {
		// Opening a pipe would wait for whoever writes to it.
		if info, err := os.Stat(source.file); err == nil && !info.Mode().IsRegular() {
			return nil, fault.New(fault.InvalidInput, "cannot read the Actor's definition: %s is not a file", source.file)
		}
		data, err := readFile(source.file)
		if err == nil {
			return read(root, source.file, data, source.read), nil
		}
		if !missing(err) {
			return nil, fault.Wrap(fault.InvalidInput, err, "cannot read the Actor's definition")
		}
	}
	return nil, fault.New(fault.InvalidInput, "%s is not an Actor: it has neither %s nor %s",
		root, filepath.Join(folder, fileName), legacyName).
		WithHint("run 'apify init' there, or create %s, for example:\n%s", filepath.Join(root, folder, fileName), example)
}

// readFile reads a file that is not unreasonably large.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err == nil && len(data) > maxFileSize {
		return nil, fault.New(fault.InvalidInput, "%s has more than the %d bytes that are read", path, maxFileSize)
	}
	return data, err
}

// missing reports whether a file is not there, be it that its parent is a file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isNotDirectory(err)
}

// newReader makes a reader of a definition in file.
func newReader(root, file string) *reader {
	return &reader{
		actor: &Actor{
			Root: root, File: file,
			Version: DefaultVersion, BuildTag: DefaultBuildTag,
			ContextDir: root, Environment: map[string]string{},
		},
		parts:     []Part{{Kind: KindActor, File: file}},
		documents: map[string]*jsonc.Document{},
		schemas:   map[schemaKey]*linked{},
		inlined:   map[*jsonc.Value]*jsonc.Value{},
		variables: map[string]*jsonc.Value{},
		listings:  map[string][]string{},
	}
}

// read parses one definition file and reads it with fill, then finds what the
// file leaves to convention.
func read(root, file string, data []byte, fill func(*reader, *jsonc.Value)) *reader {
	r := newReader(root, file)
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		r.add(broken, diagnostic.FromError(err, file, "syntax")...)
		return r
	}
	r.doc = doc
	if doc.Root.Kind != jsonc.Object {
		r.wrongType(doc.Root, "an object")
		return r
	}
	fill(r, doc.Root)
	return r
}
