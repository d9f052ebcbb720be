// Package typegen writes the types of an Actor's schemas in the languages that
// Actors are written in. The TypeScript is that of the official tool, line by
// line but for the comment at the top.
package typegen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Language is one that types are written in.
type Language string

// The languages.
const (
	TypeScript Language = "typescript"
	Python     Language = "python"
	Go         Language = "go"
)

// Languages lists them all, the default first.
func Languages() []Language { return []Language{TypeScript, Python, Go} }

// Options say what the types are like.
type Options struct {
	Language Language
	// Open lets objects have members that the schema does not name, where it
	// does not say whether they may.
	Open bool
	// AllOptional makes every field optional.
	AllOptional bool
	// Package is the package clause of Go files, "schema" when empty.
	Package string
}

// Source is a schema to make a type of. Its functions Input, Dataset, Output and
// KeyValueStore know what the Actor's schemas hold.
type Source struct {
	// File is the stem of the file that the type goes into, Name what the type
	// is called, in any spelling.
	File, Name string
	// Schema is the JSON Schema.
	Schema json.RawMessage
	// DefaultsPresent makes fields with a default required: for the input, the
	// platform fills them in.
	DefaultsPresent bool
}

// File is a generated file, to be written into a folder of its own.
type File struct {
	Name string
	Data []byte
}

// Input is the source for an input schema.
func Input(schema json.RawMessage) []Source {
	return []Source{{File: "input", Name: "input", Schema: schema, DefaultsPresent: true}}
}

// Dataset is the source for the fields of a dataset schema, none when it names
// no fields. The alias is "default" or the name of another dataset of the run.
func Dataset(alias string, fields json.RawMessage) []Source {
	doc, err := jsonc.Parse("fields", fields)
	if err != nil || !doc.Root.Get("properties").Is(jsonc.Object) {
		return nil
	}
	name := "dataset"
	if alias != "default" {
		name += "-" + alias
	}
	return []Source{{File: name, Name: name, Schema: fields}}
}

// Output is the source for an output schema, none when it has no properties.
func Output(schema json.RawMessage) []Source {
	doc, err := jsonc.Parse("output", schema)
	if err != nil || len(ordered(doc.Root.Get("properties"))) == 0 {
		return nil
	}
	// The rest of an output schema is about showing it.
	out := []byte(`{"type":"object","properties":`)
	out = doc.Root.Get("properties").AppendJSON(out)
	if required := doc.Root.Get("required"); required.Is(jsonc.Array) {
		out = required.AppendJSON(append(out, `,"required":`...))
	}
	return []Source{{File: "output", Name: "output", Schema: append(out, '}')}}
}

// KeyValueStore gives a source for each collection of a key-value store schema
// that has a schema for its records.
func KeyValueStore(schema json.RawMessage) (out []Source) {
	doc, err := jsonc.Parse("key-value store", schema)
	if err != nil {
		return nil
	}
	for _, m := range ordered(doc.Root.Get("collections")) {
		record := m.Value.Get("jsonSchema")
		if !record.Is(jsonc.Object) || len(record.Members) == 0 {
			continue
		}
		text := record.JSON()
		if record.Get("type") == nil {
			text = append(text[:len(text)-1], `,"type":"object"}`...)
		}
		name := m.Name
		if dot := strings.LastIndexByte(name, '.'); dot > 0 {
			name = name[:dot] // as the official tool reads it: as the name of a file
		}
		out = append(out, Source{File: "key-value-store", Name: name, Schema: text})
	}
	return out
}

// Generate makes the files. Sources with the same File share it. A schema that
// cannot be expressed, because it is nested too deep or refers to what is not in
// it, is a fault.InvalidInput.
func Generate(sources []Source, opts Options) ([]File, error) {
	taken := names{}
	var stems []string
	types := map[string][]*typ{}
	for _, source := range sources {
		if opts.Language == TypeScript && types[source.File] == nil {
			taken = names{} // files are modules; in the other languages they may meet
		}
		t, err := read(source, opts, taken)
		if err != nil {
			return nil, err
		}
		if types[source.File] == nil {
			stems = append(stems, source.File)
		}
		types[source.File] = append(types[source.File], t)
	}
	var files []File
	for _, stem := range stems {
		file, err := write(stem, types[stem], opts, taken)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

func read(source Source, opts Options, taken names) (*typ, error) {
	doc, err := jsonc.Parse(source.Name, source.Schema)
	if err != nil {
		return nil, err
	}
	if !doc.Root.Is(jsonc.Object) {
		return nil, fault.New(fault.InvalidInput, "the schema of %s must be an object", source.Name)
	}
	p := asWritten
	switch {
	case opts.AllOptional:
		p = allOptional
	case source.DefaultsPresent:
		p = defaultsPresent
	}
	r := &reader{
		root: doc.Root, open: opts.Open, names: taken, facets: facets(),
		named: map[*jsonc.Value]*typ{}, definitions: map[*jsonc.Value]bool{},
	}
	r.collect(doc.Root)
	t := &typ{}
	r.named[doc.Root] = t
	name := taken.unique(safeName(source.Name))
	*t = *r.read(doc.Root, p)
	t.name = name
	if r.err != nil {
		return nil, fmt.Errorf("%s: %w", source.Name, r.err)
	}
	return t, nil
}

// write prints the types of one file.
func write(stem string, types []*typ, opts Options, taken names) (File, error) {
	switch opts.Language {
	case TypeScript:
		var parts []string
		for _, t := range types {
			parts = append(parts, typescript(t))
		}
		return File{stem + ".ts", []byte(typescriptBanner + strings.Join(parts, "\n"))}, nil
	case Python:
		return File{strings.ReplaceAll(stem, "-", "_") + ".py", python(types, taken)}, nil
	case Go:
		data, err := golang(types, taken, opts.Package)
		return File{strings.ReplaceAll(stem, "-", "_") + ".go", data}, err
	}
	return File{}, fault.New(fault.Usage, "there is no language %q", opts.Language).
		WithHint("choose one of %s", strings.Trim(fmt.Sprint(slices.Collect(slices.Values(Languages()))), "[]"))
}
