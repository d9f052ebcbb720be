package definition

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Part is one thing that was judged: the definition or a schema.
type Part struct {
	Kind Kind `json:"kind"`
	// File is where it stands, an absolute path; Path is the JSON Pointer in that
	// file, "" when it is the file's whole content.
	File string `json:"file"`
	Path string `json:"path"`
}

// Reading is what came of reading a definition or a schema.
type Reading struct {
	// Actor is nil when there are errors, and when no definition was read.
	Actor *Actor
	// Diagnostics are sorted by file, the definition's first, and place.
	Diagnostics diagnostic.List
	// Parts are what was judged, in the order of reading.
	Parts []Part

	reader *reader
}

// Read reads the definition of the Actor in dir, or the one in the named file,
// and tells everything there is to say about it. What Load would return as an
// error is among the diagnostics.
func Read(path string) *Reading {
	if isFile(path) {
		return readDefinition(path)
	}
	r, err := open(path)
	if err != nil {
		return &Reading{Diagnostics: diagnostic.FromError(err, path, "definition")}
	}
	return r.reading()
}

// ReadSchema reads a schema of any kind, which is told by its content, and tells
// everything there is to say about it. A definition is read as Read does.
func ReadSchema(file string) *Reading {
	path, doc, list := document(file)
	if doc == nil {
		return &Reading{Diagnostics: list, Parts: []Part{{Kind: kindOf(file, nil), File: path}}}
	}
	kind := kindOf(path, doc.Root)
	if kind == KindActor {
		return readDefinition(path)
	}
	reading := &Reading{Parts: []Part{{Kind: kind, File: path}}}
	_, reading.Diagnostics = judge(kind, doc, doc.Root)
	reading.Diagnostics.Sort()
	return reading
}

// ReadSchemas reads the definition of the Actor in dir and tells what there is to
// say about its schemas alone, links to them included; none at all is an error.
// A directory without a definition may have an input schema all the same.
func ReadSchemas(dir string) *Reading {
	r, err := open(dir)
	if err != nil {
		root, absErr := filepath.Abs(dir)
		if absErr != nil || fault.Is(err, fault.NotFound) || isFile(filepath.Join(root, folder, fileName)) {
			return &Reading{Diagnostics: diagnostic.FromError(err, dir, "definition")}
		}
		r = newReader(root, root)
		r.parts = nil
		if file := r.findInput(); file != "" {
			r.schemaFile(KindInput, file)
		}
	}
	reading := r.reading()
	reading.Parts = slices.DeleteFunc(reading.Parts, func(p Part) bool { return p.Kind == KindActor })
	reading.Diagnostics = slices.DeleteFunc(reading.Diagnostics, func(d diagnostic.Diagnostic) bool {
		return d.File == r.actor.File && d.Rule != "syntax" && !aboutSchemas(d.Path)
	})
	if len(reading.Parts) == 0 && len(reading.Diagnostics) == 0 {
		reading.Diagnostics = diagnostic.List{{
			Severity: diagnostic.Error, File: r.actor.File, Rule: "no-schemas", Message: "no schemas were found",
			Hint: "link or inline one in " + folder + "/" + fileName + ", or put an input schema at " + folder + "/" + inputPlaces[0].name,
		}}
	}
	return reading
}

// aboutSchemas tells whether a place in a definition is that of a schema or of a
// link to one.
func aboutSchemas(path string) bool {
	field, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return slices.Contains(schemaFields, field)
}

// document reads and parses a file; the list says why there is none.
func document(file string) (path string, doc *jsonc.Document, list diagnostic.List) {
	path, err := filepath.Abs(file)
	if err != nil {
		return file, nil, diagnostic.FromError(err, file, "file")
	}
	data, err := readFile(path)
	if err != nil {
		return path, nil, diagnostic.FromError(err, path, "file")
	}
	if doc, err = jsonc.Parse(path, data); err != nil {
		return path, nil, diagnostic.FromError(err, path, "syntax")
	}
	return path, doc, nil
}

// readDefinition reads a definition by the name of its file: the Actor's root is
// the directory that holds .actor, or the file itself.
func readDefinition(file string) *Reading {
	path, err := filepath.Abs(file)
	if err != nil {
		return &Reading{Diagnostics: diagnostic.FromError(err, file, "file")}
	}
	data, err := readFile(path)
	if err != nil {
		return &Reading{Diagnostics: diagnostic.FromError(err, path, "file"), Parts: []Part{{Kind: KindActor, File: path}}}
	}
	root, fill := filepath.Dir(path), (*reader).current
	if filepath.Base(path) == legacyName {
		fill = (*reader).legacy
	}
	if filepath.Base(root) == folder {
		root = filepath.Dir(root)
	}
	return read(root, path, data, fill).reading()
}

func (r *reader) reading() *Reading {
	reading := &Reading{Diagnostics: r.diagnostics(checking), Parts: r.parts, reader: r}
	if len(reading.Diagnostics.Errors()) == 0 {
		reading.Actor = r.actor
	}
	return reading
}

// CheckSecrets warns about environment variables whose @secret is not among the
// given ones. Of the map only the names are used.
func (r *Reading) CheckSecrets(secrets map[string]string) {
	if r.reader == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.reader.variables)) {
		v := r.reader.variables[name]
		secret, isSecret := strings.CutPrefix(v.Text, "@")
		if _, known := secrets[secret]; !isSecret || known {
			continue
		}
		d := r.reader.diagnostic(v, "missing-secret", fmt.Sprintf("the environment variable %s needs the secret %s, which does not exist on this machine", name, secret))
		d.Severity, d.Hint = diagnostic.Warning, "apify secrets add "+secret
		r.Diagnostics = append(r.Diagnostics, d)
	}
	sortByPart(r.Diagnostics, r.Parts)
}

// sortByPart sorts diagnostics by the order in which files were read, then by
// place.
func sortByPart(list diagnostic.List, parts []Part) {
	order := map[string]int{}
	for i, p := range parts {
		if _, ok := order[p.File]; !ok {
			order[p.File] = i
		}
	}
	slices.SortStableFunc(list, func(a, b diagnostic.Diagnostic) int { return order[a.File] - order[b.File] })
	list.Sort()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
