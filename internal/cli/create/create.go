// Package create is `apify create` and `apify templates`: it makes the project
// of a new Actor from a template.
package create

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/template"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Makes the project of a new Actor in the directory NAME, from a template that is
part of this program: no network is needed, except to install dependencies.

NAME may be a path; its last part is then the Actor's name. "." is the present
directory. A directory that is there already must be empty, but for .git.

On a terminal, what is not given is asked for. --language and --use-case narrow
the templates down; when one is left, it is taken.

Dependencies are installed with npm or pip where the template has some. When that
fails or the tool is missing, the Actor is there all the same, and what to run
is said. A git repository is made unless the directory is in one.

Exit codes: 0 created, 3 interrupted, 1 anything else; nothing is left behind
then, except that an interrupted installation leaves the finished project.`

const example = `  apify create
  apify create my-actor --template js-cheerio
  apify create scrapers/news --language python --use-case web-scraper
  apify create . -t shell --skip-git-init
  apify create my-actor -t mcp --json | jq -r .dir`

// Options are what the command line says.
type Options struct {
	factory *cmdkit.Factory

	Name     string // name or path; "" to be asked for
	Template string
	UseCase  string
	Language string

	SkipInstall      bool
	SkipGit          bool
	OmitOptionalDeps bool
	List             bool
	JSON             bool

	// has tells whether this program has a command; steps that it cannot take
	// are not proposed.
	has func(args ...string) bool
}

// New makes the create command.
func New(f *cmdkit.Factory) *cobra.Command {
	o := &Options{factory: f}
	cmd := &cobra.Command{
		Use:     "create [NAME]",
		Short:   "Make a new Actor from a template",
		Long:    long,
		Example: example,
		Args:    cmdkit.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if args[0] == "" {
					return cmdkit.UsageError(cmd.CommandPath(), "the Actor's name is empty")
				}
				o.Name = args[0]
			}
			root := cmd.Root()
			o.has = func(args ...string) bool {
				found, _, err := root.Find(args)
				return err == nil && found != root
			}
			if o.List {
				return printTemplates(f.IO, o.JSON)
			}
			return o.run(cmd.Context(), cmd.CommandPath())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.Template, "template", "t", "", "`name` of the template; --list shows them")
	flags.StringVarP(&o.Language, "language", "l", "", "only templates in this `language`: "+strings.Join(template.Languages, ", "))
	flags.StringVarP(&o.UseCase, "use-case", "u", "", "only templates for this `purpose`: "+strings.Join(template.UseCases, ", "))
	flags.BoolVar(&o.SkipInstall, "skip-dependency-install", false, "install no dependencies")
	flags.BoolVar(&o.OmitOptionalDeps, "omit-optional-deps", false, "install no optional npm dependencies")
	flags.BoolVar(&o.OmitOptionalDeps, "no-optional", false, "same as --omit-optional-deps")
	flags.BoolVar(&o.SkipGit, "skip-git-init", false, "make no git repository")
	flags.BoolVar(&o.List, "list", false, "list the templates and create nothing")
	flags.BoolVar(&o.JSON, "json", false, "print what was created as JSON")
	if err := flags.MarkHidden("no-optional"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// NewTemplates makes the command that lists the templates.
func NewTemplates(f *cmdkit.Factory) *cobra.Command {
	group := cmdkit.Group(&cobra.Command{Use: "templates", Short: "See what Actors can be made from"})
	asJSON := false
	ls := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the templates of apify create",
		Args:    cmdkit.Args(0, 0),
		RunE:    func(*cobra.Command, []string) error { return printTemplates(f.IO, asJSON) },
	}
	ls.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	group.AddCommand(ls)
	return group
}

func (o *Options) run(ctx context.Context, command string) error {
	_, _ = ctx, command
	return fault.New(fault.NotImplemented, "not yet")
}

func printTemplates(io *cmdkit.IO, asJSON bool) error {
	list := slices.Clone(template.All())
	if asJSON {
		return io.PrintJSON(list)
	}
	return nil
}
