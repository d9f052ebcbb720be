package definition

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// example is the smallest definition that runs, shown to who has none.
const example = `{
  "actorSpecification": 1,
  "name": "my-actor",
  "version": "0.0"
}`

// Load reads the definition of the Actor in dir: .actor/actor.json, else the
// legacy apify.json. Comments and trailing commas are allowed in both.
//
// What is wrong with the files is a fault.InvalidInput that lists everything
// found, each with its position; so is a directory that holds neither file.
// A directory that is not there is fault.NotFound.
func Load(dir string) (*Actor, error) {
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
	file := filepath.Join(root, ".actor", "actor.json")
	legacy := filepath.Join(root, "apify.json")
	data, err := os.ReadFile(file)
	if err == nil {
		return load(root, file, data, (*reader).current)
	}
	if !missing(err) {
		return nil, fault.Wrap(fault.InvalidInput, err, "cannot read the Actor's definition")
	}
	data, err = os.ReadFile(legacy)
	if err == nil {
		return load(root, legacy, data, (*reader).legacy)
	}
	if !missing(err) {
		return nil, fault.Wrap(fault.InvalidInput, err, "cannot read the Actor's definition")
	}
	return nil, fault.New(fault.InvalidInput, "%s is not an Actor: it has neither %s nor %s",
		root, filepath.Join(".actor", "actor.json"), "apify.json").
		WithHint("create %s, for example:\n%s", file, example)
}

// missing reports whether a file is not there, be it that its parent is a file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isNotDirectory(err)
}

// load parses one definition file and reads it with read, then finds what the
// file leaves to convention.
func load(root, file string, data []byte, read func(*reader, *jsonc.Value)) (*Actor, error) {
	doc, err := jsonc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	r := &reader{doc: doc, actor: &Actor{
		Root: root, File: file,
		Version: DefaultVersion, BuildTag: DefaultBuildTag,
		ContextDir: root, Environment: map[string]string{},
	}}
	if doc.Root.Kind != jsonc.Object {
		r.wrongType(doc.Root, "", "an object")
	} else {
		read(r, doc.Root)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return r.actor, nil
}
