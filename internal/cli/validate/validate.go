// Package validate is `apify validate` and `apify validate-schema`: they say what
// is wrong with an Actor's definition and its schemas before anything runs or is
// pushed, in a form for people, for editors and for continuous integration.
package validate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Checks the whole definition of the Actor in PATH, the current directory by
default: .actor/actor.json or the older apify.json, every schema they hold or
link, and the files they name. PATH may be an actor.json too.

Everything that is wrong is told at once, each with file, line and column.
Errors are what stops the Actor from running here or from being built on the
platform; the rest are warnings.

In GitHub Actions (GITHUB_ACTIONS=true) annotations are printed besides.

Exit codes:
  0    the definition is valid
  5    it is not
  250  there is no PATH`

const longSchema = `Checks the schema in PATH: of input, output, a dataset, a key-value store or a
web server (OpenAPI). Which one it is shows in its content. Without PATH, or with
a directory, all schemas of the Actor there are checked.

Exit codes:
  0    the schemas are valid
  5    one is not, or there is none
  250  there is no PATH`

// options are what the command line says.
type options struct {
	factory *cmdkit.Factory
	path    string
	json    bool
	strict  bool
}

// New makes the validate command.
func New(f *cmdkit.Factory) *cobra.Command {
	cmd := command(f, func(path string, directory bool) *definition.Reading {
		read := definition.Read
		if !directory {
			read = definition.ReadSchema
		}
		r := read(path)
		// Whether the Actor will find its secrets is a question of this machine.
		if home, err := os.UserHomeDir(); err == nil {
			if secrets, err := definition.LoadSecrets(home); err == nil {
				r.CheckSecrets(secrets)
			}
		}
		return r
	}, func(r *report) { r.definition() })
	cmd.Use = "validate [PATH]"
	cmd.Short = "Check an Actor's definition and all its schemas"
	cmd.Long = long
	cmd.Example = `  apify validate
  apify validate ./my-actor --strict
  apify validate --json | jq '.diagnostics[].message'`
	return cmd
}

// NewSchema makes the validate-schema command.
func NewSchema(f *cmdkit.Factory) *cobra.Command {
	cmd := command(f, func(path string, directory bool) *definition.Reading {
		if directory {
			return definition.ReadSchemas(path)
		}
		return definition.ReadSchema(path)
	}, func(r *report) { r.schemas() })
	cmd.Use = "validate-schema [PATH]"
	cmd.Aliases = []string{"vis"}
	cmd.Short = "Check a schema, or all schemas of an Actor"
	cmd.Long = longSchema
	cmd.Example = `  apify validate-schema
  apify validate-schema .actor/input_schema.json
  apify validate-schema dataset_schema.json --json`
	return cmd
}

// command makes a command that reads PATH, shows what is to be said about it, and
// ends with conclude.
func command(f *cmdkit.Factory, read func(path string, directory bool) *definition.Reading, conclude func(*report)) *cobra.Command {
	o := &options{factory: f}
	cmd := &cobra.Command{
		Args: cmdkit.Args(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			o.path = "."
			if len(args) > 0 {
				o.path = args[0]
			}
			directory, err := o.directory()
			if err != nil {
				return err
			}
			r := newReport(o, read(o.path, directory))
			if err := r.show(conclude); err != nil {
				return err
			}
			if !r.Valid {
				return &cmdkit.ExitError{Status: fault.InvalidInput.ExitStatus()}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&o.strict, "strict", false, "let warnings count as errors")
	flags.BoolVar(&o.json, "json", false, "print what is wrong as JSON")
	return cmd
}

// directory tells whether path is one; the .actor directory stands for the Actor
// that it is part of.
func (o *options) directory() (bool, error) {
	info, err := os.Stat(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, fault.New(fault.NotFound, "there is no file or directory %s", o.path)
	case err != nil:
		return false, fault.Wrap(fault.InvalidInput, err, "cannot read %s", o.path)
	}
	if path, err := filepath.Abs(o.path); err == nil && info.IsDir() && filepath.Base(path) == ".actor" {
		o.path = filepath.Dir(path)
	}
	return info.IsDir(), nil
}
