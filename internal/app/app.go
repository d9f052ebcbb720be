// Package app is the composition root: it decides which personality a process
// has, wires the packages together, prints the error and picks the exit code.
package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	actorcmd "github.com/greenroom-dev/greenroom/internal/cli/actor"
	"github.com/greenroom-dev/greenroom/internal/cli/actors"
	"github.com/greenroom-dev/greenroom/internal/cli/auth"
	"github.com/greenroom-dev/greenroom/internal/cli/backup"
	"github.com/greenroom-dev/greenroom/internal/cli/builds"
	"github.com/greenroom-dev/greenroom/internal/cli/create"
	"github.com/greenroom-dev/greenroom/internal/cli/datasets"
	"github.com/greenroom-dev/greenroom/internal/cli/initialize"
	"github.com/greenroom-dev/greenroom/internal/cli/keyvaluestores"
	"github.com/greenroom-dev/greenroom/internal/cli/memory"
	"github.com/greenroom-dev/greenroom/internal/cli/openapi"
	"github.com/greenroom-dev/greenroom/internal/cli/pull"
	"github.com/greenroom-dev/greenroom/internal/cli/push"
	"github.com/greenroom-dev/greenroom/internal/cli/rawapi"
	"github.com/greenroom-dev/greenroom/internal/cli/requestqueues"
	runcmd "github.com/greenroom-dev/greenroom/internal/cli/run"
	"github.com/greenroom-dev/greenroom/internal/cli/runs"
	"github.com/greenroom-dev/greenroom/internal/cli/schedules"
	"github.com/greenroom-dev/greenroom/internal/cli/schematypes"
	"github.com/greenroom-dev/greenroom/internal/cli/secrets"
	"github.com/greenroom-dev/greenroom/internal/cli/serve"
	"github.com/greenroom-dev/greenroom/internal/cli/tasks"
	"github.com/greenroom-dev/greenroom/internal/cli/token"
	"github.com/greenroom-dev/greenroom/internal/cli/validate"
	"github.com/greenroom-dev/greenroom/internal/cli/webhooks"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/executor/process"
)

// Version is set by the linker; "dev" in a build without it.
var Version = "dev"

// personalities maps the name of the executable to the command tree behind it.
// Any other name is the first one.
var personalities = []struct {
	name string
	root func(*cmdkit.Factory) *cobra.Command
}{
	{"apify", apify},
	{"actor", actor},
}

// supervisorArgument makes this program watch one run of a server, whatever
// becomes of the server. It is no command: only the server calls it.
const supervisorArgument = "__supervise"

// supervisor is the command of a server for that.
func supervisor() ([]string, error) {
	self, err := os.Executable()
	return []string{self, supervisorArgument}, err
}

// Main runs the personality that argv[0] names and returns the exit status.
func Main(argv []string) int {
	f := &cmdkit.Factory{IO: cmdkit.System(), Version: Version, Getenv: os.Getenv, StartPlatform: startPlatform}
	if len(argv) > 1 && argv[1] == supervisorArgument {
		return process.Supervise(argv[2:])
	}
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(argv[0])), ".exe")
	personality := personalities[0]
	for _, p := range personalities {
		if p.name == name {
			personality = p
		}
	}
	root := personality.root(f)
	root.SetArgs(argv[1:])
	return cmdkit.Run(context.Background(), f.IO, root)
}

// apify is the command tree of the person who develops, runs and ships Actors.
func apify(f *cmdkit.Factory) *cobra.Command {
	root := cmdkit.Group(&cobra.Command{
		Use:     "apify",
		Version: f.Version,
		Short:   "Develop, run and ship Actors on your own machine",
		Long: `Greenroom runs Actors on your own machine as the platform would: an Actor is a
program with a Dockerfile that takes a JSON input, works, and leaves its results
in a dataset, a key-value store and a request queue.`,
	})
	root.AddCommand(
		create.New(f), create.NewTemplates(f), initialize.New(f, nil), initialize.NewWrapScrapy(f, nil),
		validate.New(f), validate.NewSchema(f), openapi.New(f, nil), secrets.New(f), runcmd.New(f, nil), actor(f),
		serve.New(f, startServer, keeper{}), backup.New(f, keeper{}), backup.NewRestore(f, keeper{}), token.New(f),
		auth.NewLogin(f), auth.NewLogout(f), auth.New(f), auth.NewInfo(f), rawapi.New(f),
		push.New(f), pull.New(f), actors.NewCall(f),
		actors.New(f, push.NewIn, pull.NewIn), builds.New(f), runs.New(f), tasks.New(f), schedules.New(f), webhooks.New(f),
		datasets.New(f), keyvaluestores.New(f), requestqueues.New(f),
	)
	cmdkit.Help(root)
	return root
}

// actor is the command tree of the code inside a run.
func actor(f *cmdkit.Factory) *cobra.Command {
	return actorcmd.New(f, runcmd.New(f, nil), initialize.New(f, nil), memory.New(f), schematypes.New(f, nil))
}
