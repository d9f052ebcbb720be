// Package run is the `apify run` command: it takes an Actor from its directory
// to its results.
package run

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const long = `Builds and runs the Actor in DIR (the current directory by default) and keeps
what it produces in ./storage, in the layout that the SDKs read and write.

The Actor runs in a container made from its Dockerfile when a container engine
answers (Docker or Podman), else as a process on this machine. Both see the
environment and the API of the platform.

The input is, in this order: --input, --input-file, key=value arguments, JSON on
standard input, the INPUT record in ./storage, the input schema's prefills and
defaults. key=value takes numbers, booleans and null as such and everything else
as text; key:=JSON takes any JSON. A stored INPUT file is never changed.

The first Ctrl-C aborts the run gracefully: the Actor is told and has 30 seconds.
The second one kills it.

Exit codes:
  0    the run succeeded
  N    the Actor's own exit code, when it failed
  1    the Actor could not be built or started, or the command is wrong
  2    the run passed its --timeout
  3    the run was aborted
  5    the input or a definition file is invalid; nothing was started`

const example = `  apify run
  apify run ./my-actor --input '{"startUrls": [{"url": "https://example.com"}]}'
  apify run maxPages=10 proxy:='{"useApifyProxy": false}'
  apify run --executor process --output | jq '.[].title'
  cat input.json | apify run --silent --json`

// Options are what the command line says.
type Options struct {
	factory *cmdkit.Factory

	Dir   string
	Pairs []string // key=value and key:=JSON

	Executor            string
	Input               string
	HasInput            bool
	InputFile           string
	NoPurge             bool
	Resurrect           bool
	Entrypoint          string
	NoCache             bool
	Rebuild             bool
	NotAtHome           bool
	AllowMissingSecrets bool
	StorageDir          string
	Env                 []string

	MemoryMbytes int
	TimeoutSecs  int

	Output bool
	Silent bool
	JSON   bool
}

// New makes the command. runF, when not nil, is called instead of running, with
// what was parsed.
func New(f *cmdkit.Factory, runF func(context.Context, *Options) error) *cobra.Command {
	o := &Options{factory: f}
	purge := true
	cmd := &cobra.Command{
		Use:     "run [DIR] [key=value …]",
		Short:   "Run an Actor from its directory",
		Long:    long,
		Example: example,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.positional(cmd, args); err != nil {
				return err
			}
			flags := cmd.Flags()
			o.HasInput = flags.Changed("input")
			o.NoPurge = o.NoPurge || !purge
			if err := o.validate(cmd); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Executor, "executor", "auto", "where to run: auto, docker or process")
	flags.StringVarP(&o.Input, "input", "i", "", "input as JSON `text`")
	flags.StringVarP(&o.InputFile, "input-file", "f", "", "`file` with the input as JSON; - for standard input")
	flags.StringVar(&o.InputFile, "if", "", "same as --input-file")
	flags.BoolVarP(&purge, "purge", "p", true, "empty the default storages before the run, but for the input")
	flags.BoolVar(&o.NoPurge, "no-purge", false, "keep what is in the default storages")
	flags.BoolVar(&o.Resurrect, "resurrect", false, "go on with the storages of the last run; same as --no-purge")
	flags.IntVarP(&o.MemoryMbytes, "memory", "m", 0, "memory limit in `MB`, a power of two; one CPU core comes with 4096")
	flags.IntVarP(&o.TimeoutSecs, "timeout", "t", 0, "time limit in `seconds`; 0 for none")
	flags.BoolVarP(&o.Output, "output", "o", false, "print the default dataset's items as JSON when the run has ended")
	flags.BoolVarP(&o.Silent, "silent", "s", false, "do not show the Actor's log")
	flags.BoolVar(&o.JSON, "json", false, "print the final run object as JSON")
	flags.StringVar(&o.Entrypoint, "entrypoint", "", "what to start instead: a file, a Python module, a package.json script or a `command`")
	flags.StringArrayVarP(&o.Env, "env", "e", nil, "environment variable for the Actor, as `NAME=value`; may be repeated")
	flags.BoolVar(&o.NoCache, "no-cache", false, "build every step of the Dockerfile anew")
	flags.BoolVar(&o.Rebuild, "rebuild", false, "build the image even when nothing has changed")
	flags.BoolVar(&o.NotAtHome, "not-at-home", false, "let the SDK read and write ./storage itself, without the API (process executor only)")
	flags.BoolVar(&o.AllowMissingSecrets, "allow-missing-secrets", false, "leave out variables whose @secret does not exist")
	flags.StringVar(&o.StorageDir, "storage-dir", "", "`directory` of the storages (default DIR/storage)")
	if err := flags.MarkHidden("if"); err != nil {
		panic(err) // the flag is defined two lines above
	}
	return cmd
}

// positional takes the arguments apart: a directory at most once, and pairs.
func (o *Options) positional(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		switch {
		case strings.Contains(arg, "="):
			o.Pairs = append(o.Pairs, arg)
		case o.Dir == "":
			o.Dir = arg
		default:
			return cmdkit.UsageError(cmd.CommandPath(), "unexpected argument %q: the directory is %q already, and input is given as key=value", arg, o.Dir)
		}
	}
	return nil
}

func (o *Options) validate(cmd *cobra.Command) error {
	path := cmd.CommandPath()
	flags := cmd.Flags()
	if flags.Changed("purge") && flags.Changed("no-purge") {
		return cmdkit.UsageError(path, "--purge and --no-purge exclude each other")
	}
	if o.Resurrect && flags.Changed("purge") {
		return cmdkit.UsageError(path, "--resurrect and --purge exclude each other")
	}
	if o.Output && o.JSON {
		return cmdkit.UsageError(path, "--output and --json both print JSON to standard output: choose one")
	}
	given := cmdkit.Input{Given: o.HasInput, File: o.InputFile, Pairs: o.Pairs}
	if err := given.Once(path); err != nil {
		return err
	}
	switch o.Executor {
	case "auto", "docker", "process":
	default:
		return cmdkit.UsageError(path, "--executor must be auto, docker or process, got %q", o.Executor)
	}
	if o.Executor == "docker" && o.NotAtHome {
		return cmdkit.UsageError(path, "--not-at-home works with --executor process only: a container cannot see ./storage")
	}
	if o.Executor == "docker" && o.Entrypoint != "" {
		return cmdkit.UsageError(path, "--entrypoint works with --executor process only: in a container, the Dockerfile says what is started")
	}
	for _, pair := range o.Env {
		if name, _, ok := strings.Cut(pair, "="); !ok || name == "" {
			return cmdkit.UsageError(path, "--env %q must have the form NAME=value", pair)
		}
	}
	if o.TimeoutSecs < 0 {
		return cmdkit.UsageError(path, "--timeout must be 0 or a number of seconds, got %d", o.TimeoutSecs)
	}
	return nil
}

// platformOptions says how the platform is to be started.
func (o *Options) platformOptions(view *view) (cmdkit.PlatformOptions, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return cmdkit.PlatformOptions{}, err
	}
	env := map[string]string{}
	for _, pair := range o.Env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return cmdkit.PlatformOptions{
		Dir: dir, StorageDir: o.StorageDir, Executor: o.Executor, NoCache: o.NoCache, Rebuild: o.Rebuild,
		Entrypoint: o.Entrypoint, NotAtHome: o.NotAtHome, AllowMissingSecrets: o.AllowMissingSecrets, Env: env,
		Stdout: view.stdout, Stderr: view.stderr, Build: view.build,
		Notice: view.notice, Changed: view.changed,
	}, nil
}

// view is what the user sees of a run.
type view struct {
	io             *cmdkit.IO
	getenv         func(string) string
	silent         bool
	stdout, stderr io.Writer // the Actor's
	build          io.Writer
	last           api.Run
}

func newView(o *Options) *view {
	v := &view{io: o.factory.IO, getenv: o.factory.Getenv, silent: o.Silent}
	v.stdout, v.stderr, v.build = v.io.Out, v.io.Err, v.io.Err
	if o.Output || o.JSON {
		// Standard output carries the data alone.
		v.stdout = v.io.Err
	}
	if o.Silent {
		v.stdout, v.stderr, v.build = nil, nil, nil
	}
	return v
}

// notice prints a line of our own.
func (v *view) notice(line string) {
	if v.silent {
		return
	}
	_, _ = io.WriteString(v.io.Err, v.paint(color.Faint, "apify:")+" "+line+"\n")
}

// paint colours text for a terminal, unless NO_COLOR is set.
func (v *view) paint(attribute color.Attribute, text string) string {
	c := color.New(attribute)
	if v.io.ErrTTY && v.getenv("NO_COLOR") == "" {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c.Sprint(text)
}

// changed shows status messages as they change.
func (v *view) changed(r api.Run) {
	message := ""
	if r.StatusMessage != nil {
		message = *r.StatusMessage
	}
	before := ""
	if v.last.StatusMessage != nil {
		before = *v.last.StatusMessage
	}
	v.last = r
	if message != "" && message != before && !r.Status.Terminal() {
		v.notice("status: " + message)
	}
}
