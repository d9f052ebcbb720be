// Package initialize is the `apify init` command: it makes an Actor of an
// existing repository.
package initialize

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

const long = `Makes an Actor of the repository in DIR (the current directory by default), as far
as that can be told from its files: language, packages, what starts it, how it
takes arguments, an existing Dockerfile.

It writes .actor/actor.json, .actor/input_schema.json with a field for each
argument, a Dockerfile when none exists, an INPUT.json to begin with, and what
belongs into .gitignore. An Actor that uses an SDK starts as it is; any other
program is started by "actor exec", which turns the input into arguments and
what the program prints into items. Beside an existing Dockerfile whose program
knows nothing of Actors comes .actor/Dockerfile, the same image with such a start.

The user's code is read and never run, except for the command of --from-help. Its
help text tells more about a program's options than its source does. --from-help
also takes a file with such a text, or - for standard input.

What exists is kept, and the report says so; --force writes it anew. Nothing is
written unless everything can be. An apify.json becomes an .actor/actor.json.

Exit codes:
  0    done, also when some things were not found; the report names them
  1    the command is wrong, a file cannot be written, --from-help fails
  5    the name or an existing definition is invalid; nothing was written`

const example = `  apify init
  apify init my-actor --from-help "python3 main.py --help"
  apify init --from-help "sort --help"
  apify init --dockerfile docker/actor.Dockerfile --dry-run
  apify init --json | jq '.missing'`

// Options are what the command line says.
type Options struct {
	factory *cmdkit.Factory

	Name       string
	Dir        string
	Dockerfile string
	FromHelp   string
	Force      bool
	DryRun     bool
	JSON       bool

	// Scrapy insists on a Scrapy project.
	Scrapy bool
}

// New makes the command. runF, when not nil, is called instead of working, with
// what was parsed.
func New(f *cmdkit.Factory, runF func(context.Context, *Options) error) *cobra.Command {
	o := &Options{factory: f}
	cmd := &cobra.Command{
		Use:     "init [NAME]",
		Aliases: []string{"bootstrap"},
		Short:   "Make an Actor of an existing repository",
		Long:    long,
		Example: example,
		Args:    cmdkit.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.Name = args[0]
			}
			return o.start(cmd, runF)
		},
	}
	o.flags(cmd)
	return cmd
}

// NewWrapScrapy makes `init-wrap-scrapy [DIR]`, the official name of what init
// does in the directory of a Scrapy project.
func NewWrapScrapy(f *cmdkit.Factory, runF func(context.Context, *Options) error) *cobra.Command {
	o := &Options{factory: f, Scrapy: true}
	cmd := &cobra.Command{
		Use:    "init-wrap-scrapy [DIR]",
		Short:  "Make an Actor of a Scrapy project",
		Long:   long,
		Hidden: true,
		Args:   cmdkit.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.Dir = args[0]
			}
			return o.start(cmd, runF)
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *Options) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Dockerfile, "dockerfile", "", "`path` of the Dockerfile to use, or to write when it does not exist")
	flags.StringVar(&o.FromHelp, "from-help", "", "`command` that prints the program's help, a file with it, or -")
	flags.StringVar(&o.Dir, "dir", "", "`directory` of the repository (default: the current one)")
	flags.BoolVar(&o.Force, "force", false, "write files anew that exist")
	flags.BoolVar(&o.DryRun, "dry-run", false, "say what would be done, and write nothing")
	flags.BoolVar(&o.JSON, "json", false, "print what was found and done as JSON")
	flags.BoolP("yes", "y", false, "ask nothing; nothing is asked anyway")
	if err := flags.MarkHidden("yes"); err != nil {
		panic(err) // the flag is defined two lines above
	}
}

func (o *Options) start(cmd *cobra.Command, runF func(context.Context, *Options) error) error {
	if o.FromHelp == "" && cmd.Flags().Changed("from-help") {
		return cmdkit.UsageError(cmd.CommandPath(), "--from-help is empty: it takes a command, a file or -")
	}
	if o.Dockerfile == "" && cmd.Flags().Changed("dockerfile") {
		return cmdkit.UsageError(cmd.CommandPath(), "--dockerfile is empty: it takes a path")
	}
	if runF != nil {
		return runF(cmd.Context(), o)
	}
	return o.run(cmd.Context())
}
