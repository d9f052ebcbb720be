package actor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// newRun hands `actor run` over to the apify program: the small actor binary
// links no engine.
func newRun(f *cmdkit.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "run [DIR] [key=value …]",
		Short: "Run an Actor from its directory (apify run)",
		Long: `Does what apify run does, by handing over to the apify program beside this one or
on the PATH. All arguments are its own: see apify run --help.

Exit codes: those of apify run; 1 when there is no apify program.`,
		Example:            "  actor run -o -s",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			program, err := findApify()
			if err != nil {
				return fault.New(fault.Unavailable, "%s needs the apify program, which is neither beside this one nor on the PATH", cmd.CommandPath()).
					WithHint("put apify into the same directory, or onto the PATH")
			}
			return replaceProcess(program, append([]string{"apify", "run"}, args...), f.IO)
		},
	}
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
