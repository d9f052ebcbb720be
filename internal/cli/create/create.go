// Package create is `apify create` and `apify templates`: it makes the project
// of a new Actor from a template.
package create

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

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
		Long: `Lists the templates that apify create knows. They are part of this program.

Exit codes: 0 listed, 1 the command is wrong.`,
		Args: cmdkit.Args(0, 0),
		RunE: func(*cobra.Command, []string) error { return printTemplates(f.IO, asJSON) },
	}
	ls.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	group.AddCommand(ls)
	return group
}

// run makes the project. Nothing is touched before the name, the directory and
// the template are known to be right.
func (o *Options) run(ctx context.Context, command string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	candidates, err := o.candidates(command)
	if err != nil {
		return err
	}
	if o.Name != "" {
		if _, err := locate(o.Name); err != nil {
			return err
		}
	}
	if (o.Name == "" || len(candidates) > 1) && o.guided() {
		if candidates, err = o.ask(ctx, candidates); err != nil {
			return err
		}
	}
	if err := missing(command, o.Name, candidates); err != nil {
		return err
	}
	at, err := locate(o.Name)
	if err != nil {
		return err
	}
	made, err := o.build(ctx, at, candidates[0])
	if err != nil {
		return err
	}
	return o.tell(made)
}

// missing says what was neither given nor asked for.
func missing(command, name string, candidates []template.Template) error {
	what, given := "the template", name
	switch {
	case name == "" && len(candidates) > 1:
		what, given = "the Actor's name and the template", template.Placeholder
	case name == "":
		what, given = "the Actor's name", template.Placeholder
	case len(candidates) == 1:
		return nil
	}
	return fault.New(fault.Usage, "not known: %s; pass for example %s %s --template %s", what, command, given, candidates[0].Name).
		WithHint("the templates to choose from are\n%s", template.Table(candidates))
}

// guided tells whether there is somebody to ask: never where the answers or the
// questions would go elsewhere than to a terminal.
func (o *Options) guided() bool {
	return o.factory.IO.InTTY && o.factory.IO.ErrTTY && !o.JSON
}

// candidates are the templates that the flags leave, at least one.
func (o *Options) candidates(command string) ([]template.Template, error) {
	language, err := choice(command, "--language", o.Language, template.Languages, languageAliases)
	if err != nil {
		return nil, err
	}
	useCase, err := choice(command, "--use-case", o.UseCase, template.UseCases, nil)
	if err != nil {
		return nil, err
	}
	list := template.All()
	if o.Template != "" {
		t, err := template.Find(o.Template)
		if err != nil {
			return nil, err
		}
		list = []template.Template{t}
	}
	fits := slices.DeleteFunc(slices.Clone(list), func(t template.Template) bool {
		return language != "" && t.Language != language || useCase != "" && t.UseCase != useCase
	})
	if len(fits) > 0 {
		return fits, nil
	}
	if o.Template != "" {
		return nil, cmdkit.UsageError(command, "the template %s is in the language %s and for the use case %s, which is not what the other flags say",
			list[0].Name, list[0].Language, list[0].UseCase)
	}
	return nil, fault.New(fault.Usage, "there is no template in the language %s for the use case %s", language, useCase).
		WithHint("choose one of\n%s", template.Table(slices.DeleteFunc(list, func(t template.Template) bool {
			return t.Language != language && t.UseCase != useCase
		})))
}

// languageAliases are other ways to say a language.
var languageAliases = map[string]string{
	"js": "javascript", "node": "javascript", "nodejs": "javascript", "ts": "typescript", "py": "python",
	"golang": "go", "sh": "shell", "bash": "shell", "docker": "any",
}

// choice checks the value of a flag that has few.
func choice(command, flag, value string, values []string, aliases map[string]string) (string, error) {
	value = strings.ToLower(value)
	if other, ok := aliases[value]; ok {
		value = other
	}
	if value != "" && !slices.Contains(values, value) {
		return "", cmdkit.UsageError(command, "%s must be one of %s, got %q", flag, strings.Join(values, ", "), value)
	}
	return value, nil
}

// made is what there is afterwards; it is what --json prints.
type made struct {
	Name          string `json:"name"`
	Dir           string `json:"dir"` // absolute
	ActorJSONPath string `json:"actorJsonPath"`
	Template      string `json:"template"`
	// NextSteps are commands to go on with, from the present directory.
	NextSteps  []string `json:"nextSteps"`
	PostCreate *string  `json:"postCreate"`

	GitRepositoryInitialized bool `json:"gitRepositoryInitialized"`
	// DependenciesInstalled is true, too, when there are none to install.
	DependenciesInstalled bool     `json:"dependenciesInstalled"`
	Warnings              []string `json:"warnings"`
}

// tell prints what was made.
func (o *Options) tell(m made) error {
	if o.JSON {
		return o.factory.IO.PrintJSON(m)
	}
	out := o.factory.IO.Out
	where := m.Dir
	if shown := fromHere(m.Dir); shown != "." {
		where = shown
	}
	fmt.Fprintf(out, "Created the Actor %s in %s from the template %s.\n", m.Name, where, m.Template)
	if m.PostCreate != nil {
		fmt.Fprintln(out, *m.PostCreate)
	}
	fmt.Fprintf(out, "\nNext:\n")
	for _, step := range m.NextSteps {
		fmt.Fprintf(out, "  %s\n", step)
	}
	return nil
}

// fromHere is a directory as it is best called from the present one.
func fromHere(dir string) string {
	here, err := os.Getwd()
	if err != nil {
		return dir
	}
	if rel, err := filepath.Rel(here, dir); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return dir
}

func (o *Options) notice(format string, args ...any) {
	fmt.Fprintf(o.factory.IO.Err, "apify: "+format+"\n", args...)
}

// printTemplates lists all templates.
func printTemplates(io *cmdkit.IO, asJSON bool) error {
	list := template.All()
	if asJSON {
		return io.PrintJSON(list)
	}
	w := tabwriter.NewWriter(io.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tLANGUAGE\tUSE CASE\tDESCRIPTION")
	for _, t := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, t.Language, t.UseCase, t.Description)
	}
	return w.Flush()
}
