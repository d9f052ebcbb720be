// Package schematypes is the `actor generate-schema-types` command: it writes the
// types of an Actor's schemas for the code of the Actor to use.
package schematypes

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
	"github.com/greenroom-dev/greenroom/internal/typegen"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Writes the types of an Actor's input, datasets, output and key-value store
records, one file each, from the schemas in its definition: TypeScript
interfaces, Python TypedDicts or Go structs.

PATH is the Actor's directory (the current one by default), or an input schema
file, which is then the only schema read. --output is relative to the Actor's
directory.

Input fields that have a default count as required: the platform fills them in
before the Actor sees them. All schemas are read before anything is written.

Exit codes:
  0    the types are written
  4    there are no schemas to make types of
  5    the definition or a schema is invalid; nothing was written
  250  PATH does not exist`

const example = `  apify actor generate-schema-types
  apify actor generate-schema-types .actor/input_schema.json -o src/types
  apify actor generate-schema-types --language python
  apify actor generate-schema-types --language go --output internal/schema --package schema`

// outputs are where the files go when the command line does not say: a place
// that the tools of the language take for code.
var outputs = map[typegen.Language]string{
	typegen.TypeScript: "src/__generated__/actor",
	typegen.Python:     "src/schema_types",
	typegen.Go:         "internal/schema",
}

// Options are what the command line says.
type Options struct {
	factory *cmdkit.Factory

	Path        string
	Output      string
	Language    string
	Package     string
	Strict      bool
	AllOptional bool
	JSON        bool
}

// New makes the command. runF, when not nil, is called instead of writing, with
// what was parsed.
func New(f *cmdkit.Factory, runF func(*Options) error) *cobra.Command {
	o := &Options{factory: f}
	var notStrict bool
	cmd := &cobra.Command{
		Use:     "generate-schema-types [PATH]",
		Aliases: []string{"generate-types"},
		Short:   "Write the types of the Actor's schemas",
		Long:    long,
		Example: example,
		Args:    cmdkit.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path = "."
			if len(args) == 1 {
				o.Path = args[0]
			}
			o.Strict = o.Strict && !notStrict
			if err := o.validate(cmd.CommandPath()); err != nil {
				return err
			}
			if runF != nil {
				return runF(o)
			}
			return o.run()
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.Output, "output", "o", "", "`directory` for the files (default src/__generated__/actor, for Python src/schema_types, for Go internal/schema)")
	flags.StringVarP(&o.Language, "language", "l", string(typegen.TypeScript), "typescript, python or go")
	flags.BoolVar(&o.Strict, "strict", true, "objects have the members that the schema names and no others, unless it says so")
	flags.BoolVar(&notStrict, "no-strict", false, "same as --strict=false")
	flags.BoolVar(&o.AllOptional, "all-optional", false, "make all fields optional")
	flags.StringVar(&o.Package, "package", "", "package `name` of Go files (default the name of the directory)")
	flags.BoolVar(&o.JSON, "json", false, "print the written files as JSON")
	return cmd
}

func (o *Options) validate(command string) error {
	language := typegen.Language(o.Language)
	if !slices.Contains(typegen.Languages(), language) {
		return cmdkit.UsageError(command, "--language must be typescript, python or go, got %q", o.Language)
	}
	if o.Package != "" && language != typegen.Go {
		return cmdkit.UsageError(command, "--package is for --language go only")
	}
	if o.Package != "" && !isPackage(o.Package) {
		return cmdkit.UsageError(command, "--package %q is not a name that Go takes for a package", o.Package)
	}
	if o.Output == "" {
		o.Output = filepath.FromSlash(outputs[language])
	}
	return nil
}

func isPackage(name string) bool { return token.IsIdentifier(name) && name != "_" }

func (o *Options) run() error {
	dir, sources, err := o.sources()
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return fault.New(fault.NothingToDo, "the Actor in %s has no schema that types can be made of", dir).
			WithHint("add an input schema: .actor/input_schema.json")
	}
	output := o.Output
	if !filepath.IsAbs(output) {
		output = filepath.Join(dir, output)
	}
	if o.Package == "" {
		o.Package = packageOf(output)
	}
	files, err := typegen.Generate(sources, typegen.Options{
		Language: typegen.Language(o.Language), Open: !o.Strict, AllOptional: o.AllOptional, Package: o.Package,
	})
	if err != nil {
		return err
	}
	paths, err := write(output, files)
	if err != nil {
		return err
	}
	if o.JSON {
		return o.factory.IO.PrintJSON(map[string]any{"files": paths})
	}
	for _, path := range paths {
		fmt.Fprintf(o.factory.IO.Err, "wrote %s\n", path)
	}
	return nil
}

// packageOf gives the name of a Go package in a directory.
func packageOf(dir string) string {
	name := strings.ToLower(strings.ReplaceAll(filepath.Base(dir), "-", ""))
	if isPackage(name) {
		return name
	}
	return "schema"
}

// sources reads the schemas: those of the Actor in a directory, or the one in a
// file. dir is what --output is relative to.
func (o *Options) sources() (dir string, sources []typegen.Source, err error) {
	info, err := os.Stat(o.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fault.New(fault.NotFound, "there is no file or directory %s", o.Path)
	case err != nil:
		return "", nil, fault.Wrap(fault.InvalidInput, err, "cannot read %s", o.Path)
	case info.IsDir():
		if dir, err = filepath.Abs(o.Path); err != nil {
			return "", nil, fault.Wrap(fault.Internal, err, "cannot find the directory %s", o.Path)
		}
		sources, err = actorSources(dir)
		return dir, sources, err
	}
	if dir, err = os.Getwd(); err != nil {
		return "", nil, fault.Wrap(fault.Internal, err, "cannot find the current directory")
	}
	data, err := os.ReadFile(o.Path)
	if err != nil {
		return "", nil, fault.Wrap(fault.InvalidInput, err, "cannot read the input schema")
	}
	in, err := inputschema.Parse(data, o.Path)
	if err != nil {
		return "", nil, err
	}
	return dir, typegen.Input(in.JSON()), nil
}

func actorSources(dir string) (sources []typegen.Source, err error) {
	actor, err := definition.Load(dir)
	if err != nil {
		return nil, err
	}
	if actor.Input != nil {
		sources = append(sources, typegen.Input(actor.Input.JSON())...)
	}
	for _, alias := range slices.Sorted(maps.Keys(actor.Datasets)) {
		if schema := actor.Datasets[alias]; schema != nil && schema.HasFields() {
			sources = append(sources, typegen.Dataset(alias, schema.Fields())...)
		}
	}
	if actor.Output != nil {
		sources = append(sources, typegen.Output(actor.Output.JSON())...)
	}
	if actor.KeyValueStore != nil {
		sources = append(sources, typegen.KeyValueStore(actor.KeyValueStore.JSON())...)
	}
	return sources, nil
}

// write puts the files into a directory, which is made when it is missing: all
// of them first beside their places, so that a full disk leaves what was there.
func write(dir string, files []typegen.File) (paths []string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot write the types")
	}
	temporary := make([]string, 0, len(files))
	defer func() {
		for _, name := range temporary {
			_ = os.Remove(name) // what was renamed is not there any more
		}
	}()
	for _, file := range files {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", file.Name, os.Getpid()))
		temporary = append(temporary, name)
		if err := os.WriteFile(name, file.Data, 0o666); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "cannot write the types")
		}
	}
	for i, file := range files {
		path := filepath.Join(dir, file.Name)
		if err := os.Rename(temporary[i], path); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "cannot write the types")
		}
		paths = append(paths, path)
	}
	return paths, nil
}
