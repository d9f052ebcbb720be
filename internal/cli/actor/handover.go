package actor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// developerCommands are for who writes an Actor rather than for its code. They
// need what the small actor program does not link, so there they hand over to
// the apify program: to the command whose words follow.
var developerCommands = []struct {
	name, usage, short string
	aliases            []string
	as                 []string
}{
	{"run", "run [DIR] [key=value …]", "Run an Actor from its directory (apify run)", nil, []string{"run"}},
	{"init", "init [NAME]", "Turn the program in this directory into an Actor", []string{"bootstrap"}, []string{"init"}},
	{"calculate-memory", "calculate-memory", "Tell how much memory a run would get", nil, []string{"actor", "calculate-memory"}},
	{
		"generate-schema-types", "generate-schema-types [PATH]", "Write types for the Actor's schemas",
		[]string{"generate-types"}, []string{"actor", "generate-schema-types"},
	},
}

// handovers makes a command that hands over for each developer command that is
// not among given.
func handovers(f *cmdkit.Factory, given []*cobra.Command) (commands []*cobra.Command) {
	for _, d := range developerCommands {
		if slices.ContainsFunc(given, func(cmd *cobra.Command) bool { return cmd.Name() == d.name }) {
			continue
		}
		program := "apify " + strings.Join(d.as, " ")
		commands = append(commands, &cobra.Command{
			Use:     d.usage,
			Aliases: d.aliases,
			Short:   d.short,
			Long: fmt.Sprintf(`Does what %[1]s does, by handing over to the apify program beside this
one or on the PATH. All arguments are its own: see %[1]s --help.

Exit codes: those of %[1]s; 1 when there is no apify program.`, program),
			Example:            "  actor " + d.name + " --help",
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				apify, err := findApify()
				if err != nil {
					return fault.New(fault.Unavailable, "%s needs the apify program, which is neither beside this one nor on the PATH", cmd.CommandPath()).
						WithHint("put apify into the same directory, or onto the PATH")
				}
				return replaceProcess(apify, slices.Concat([]string{"apify"}, d.as, args), f.IO)
			},
		})
	}
	return commands
}

func findApify() (string, error) {
	name := "apify"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	self, err := os.Executable()
	if err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if found, err := exec.LookPath(beside); err == nil {
			return found, nil
		}
	}
	return exec.LookPath(name)
}

// runChild runs a program with our own streams and takes over its exit status.
func runChild(program string, argv []string, io *cmdkit.IO) error {
	child := &exec.Cmd{Path: program, Args: argv, Stdin: io.In, Stdout: io.Out, Stderr: io.Err}
	err := child.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return &cmdkit.ExitError{Status: max(exit.ExitCode(), 1)}
	}
	return fault.Wrap(fault.Unavailable, err, "start %s", program)
}
