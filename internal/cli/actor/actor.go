// Package actor is the `actor` command tree: what the code inside a run calls
// to read its input, store results and tell how it is doing, and what a
// developer calls to try that code outside one. It is thin over pkg/actor, and
// opens nothing before it knows what it was asked to do, because a shell loop
// pays for every start.
package actor

import (
	"context"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/actor"
)

const long = `Commands for the code of an Actor: a shell script, a Dockerfile's CMD, or anything
else that can start a program.

In a run they use the platform's API, which the environment names. Outside one
they use the files under ./storage (or $APIFY_LOCAL_STORAGE_DIR), which are
created when missing and laid out as the SDKs do it.

Results go to standard output, everything else to standard error.

Exit codes:
  0    done
  1    the command is wrong, the platform refuses or cannot be reached
  4    there is nothing to push
  5    what should be JSON is not; nothing of it was stored
  250  the named value, dataset or run does not exist`

const example = `  actor get-input | jq -r .startUrl
  actor push-data title="Hello" pages=3
  curl -s https://example.com | actor set-value page -c text/html
  actor set-status-message "12 of 100 pages done"
  actor exit --code 1 --message "The site is down"`

// New makes the command tree. developer are the commands for who writes an Actor
// (run, init, calculate-memory, generate-schema-types) as the composition root
// provides them; one that is missing hands over to the apify program.
func New(f *cmdkit.Factory, developer ...*cobra.Command) *cobra.Command {
	root := cmdkit.Group(&cobra.Command{
		Use:     "actor",
		Short:   "Be an Actor: read input, store results, report status",
		Long:    long,
		Example: example,
		Version: f.Version,
	})
	root.AddCommand(
		newGetInput(f), newGetValue(f), newSetValue(f), newPushData(f),
		newSetStatusMessage(f), newExit(f), newMemory(f), newGetPublicURL(f),
		newExec(f),
	)
	for _, cmd := range root.Commands() {
		cmd.Flags().SetNormalizeFunc(kebab)
	}
	root.AddCommand(developer...)
	root.AddCommand(handovers(f, developer)...)
	cmdkit.Help(root)
	return root
}

// kebab lets camelCase spellings of flags through: --contentType is what the
// platform's documents say, --content-type what its program takes.
func kebab(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if strings.IndexFunc(name, unicode.IsUpper) < 0 {
		return pflag.NormalizedName(name)
	}
	var spelled strings.Builder
	for i, c := range name {
		if unicode.IsUpper(c) && i > 0 {
			spelled.WriteByte('-')
		}
		spelled.WriteRune(unicode.ToLower(c))
	}
	return pflag.NormalizedName(spelled.String())
}

// open makes the Actor of the environment; nothing is read or connected yet.
func open(f *cmdkit.Factory) *actor.Actor {
	config := actor.FromEnv(f.Getenv)
	config.UserAgent = "greenroom-actor/" + f.Version
	return actor.New(config)
}

// with runs do on the environment's Actor and closes it.
func with(ctx context.Context, f *cmdkit.Factory, do func(context.Context, *actor.Actor) error) error {
	a := open(f)
	err := do(ctx, a)
	if closing := a.Close(); err == nil {
		err = closing
	}
	return err
}

// Main is the program of this command tree alone: it runs the process's command
// line and gives the status to exit with.
func Main(version string) int {
	f := &cmdkit.Factory{IO: cmdkit.System(), Version: version, Getenv: os.Getenv}
	root := New(f)
	root.SetArgs(os.Args[1:])
	return cmdkit.Run(context.Background(), f.IO, root)
}
