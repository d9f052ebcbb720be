// Package openapi is the `apify openapi` command: it prints the OpenAPI document
// of an Actor.
package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/openapi"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Prints an OpenAPI 3.1 document of the Actor in PATH (the current directory by
default): how to start it over HTTP, with its input schema as the request body,
and what comes back, with the fields of its dataset. Tools make clients, tests
and documentation of it.

--actor names the Actor as the API does, user~name or an id; without it the paths
hold ~NAME, which means the Actor of that name of whoever calls.

Exit codes:
  0    the document is printed or written
  1    it cannot be written, or the command is wrong
  5    the definition is invalid
  250  PATH does not exist`

const example = `  apify openapi
  apify openapi ./my-actor --actor jane~my-actor -o openapi.json
  apify openapi --api-url http://localhost:8010 | jq '.paths | keys'`

// Options are what the command line says.
type Options struct {
	factory *cmdkit.Factory

	Path   string
	Output string
	Actor  string
	APIURL string
}

// New makes the command. runF, when not nil, is called instead of printing, with
// what was parsed.
func New(f *cmdkit.Factory, runF func(*Options) error) *cobra.Command {
	o := &Options{factory: f}
	cmd := &cobra.Command{
		Use:     "openapi [PATH]",
		Short:   "Print the OpenAPI document of an Actor",
		Long:    long,
		Example: example,
		Args:    cmdkit.Args(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Path = "."
			if len(args) == 1 {
				o.Path = args[0]
			}
			o.APIURL = cmp.Or(o.APIURL, f.Getenv("APIFY_CLIENT_BASE_URL"), openapi.PlatformURL)
			if runF != nil {
				return runF(o)
			}
			return o.run()
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.Output, "output", "o", "", "write to `file` instead of standard output")
	flags.StringVar(&o.Actor, "actor", "", "the Actor's `name` in the API: user~name or an id")
	flags.StringVar(&o.APIURL, "api-url", "", "origin of the API (default $APIFY_CLIENT_BASE_URL or "+openapi.PlatformURL+")")
	return cmd
}

func (o *Options) run() error {
	actor, err := definition.Load(o.Path)
	if err != nil {
		return err
	}
	document, err := openapi.Generate(actor, openapi.Options{BaseURL: o.APIURL, Actor: o.Actor})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, document, "", "  "); err != nil {
		return err
	}
	text.WriteByte('\n')
	if o.Output == "" {
		_, err := o.factory.IO.Out.Write(text.Bytes())
		return err
	}
	return write(o.Output, text.Bytes())
}

// write puts a file in place once all of it is there.
func write(path string, data []byte) error {
	temporary := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d.tmp", filepath.Base(path), os.Getpid()))
	err := os.WriteFile(temporary, data, 0o666)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary) // it may not have come to be
		return fault.Wrap(fault.Internal, err, "cannot write the document")
	}
	return nil
}
