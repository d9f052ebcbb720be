package definition

import (
	"encoding/json"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// LoadSource reads what there is of a definition in an Actor's source, as Load
// does, for building it. The platform insists on nothing there: a source without
// any definition has what lies in it by convention.
func LoadSource(dir string) (*Actor, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot find the directory %s", dir)
	}
	for _, file := range []string{filepath.Join(root, folder, fileName), filepath.Join(root, legacyName)} {
		if isFile(file) {
			return Load(root)
		}
	}
	r := newReader(root, filepath.Join(root, folder, fileName))
	r.docker(nil, nil)
	r.documentation(nil, nil)
	var doc object
	if file := r.findInput(); file != "" {
		r.input(r.schemaFile(KindInput, file))
		if r.inputRoot != nil {
			doc.set("input", r.inputRoot.JSON())
		}
	}
	r.actor.Document = doc.json()
	return r.loaded()
}

// loaded gives the Actor, or what keeps it from being used.
func (r *reader) loaded() (*Actor, error) {
	list := r.diagnostics(running)
	if err := list.Err("the Actor's definition"); err != nil {
		return nil, err
	}
	for _, d := range list.Warnings() {
		r.actor.Warnings = append(r.actor.Warnings, d.Position()+": "+d.Message)
	}
	return r.actor, nil
}

// FromDocument makes a definition of an Actor.Document alone: its schemas, its
// memory, its variables. It has no files, and so nothing that is one.
func FromDocument(document json.RawMessage) (*Actor, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "read a definition that was kept")
	}
	for _, name := range []string{"dockerfile", "dockerContextDir", "readme", "changelog"} {
		delete(fields, name)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "read a definition that was kept")
	}
	root := filepath.Join(string(filepath.Separator), "actor")
	file := filepath.Join(root, folder, fileName)
	r := newReader(root, file)
	// Whatever this machine has there is not the Actor's.
	r.listings[root], r.listings[filepath.Join(root, folder)] = nil, nil
	doc, err := jsonc.Parse(file, text)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, diagnostic.FromError(err, file, "syntax").Err("a definition that was kept"), "read it")
	}
	r.doc = doc
	r.current(doc.Root)
	a, err := r.loaded()
	if err != nil {
		return nil, err
	}
	a.Root, a.File, a.ContextDir, a.Document, a.Warnings = "", "", "", document, nil
	return a, nil
}
