package cmdkit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Run executes a command tree and returns the exit status. What went wrong is
// printed here, once; commands only return it.
func Run(ctx context.Context, io *IO, root *cobra.Command) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetOut(io.Out)
	root.SetErr(io.Err)
	root.SetIn(io.In)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return UsageError(cmd.CommandPath(), "%s", err)
	})
	return Report(io, root.Name(), root.ExecuteContext(ctx))
}

// Report prints err as "program: error: …" and "program: hint: …" on Err, and
// gives the status to exit with. Nil and ExitError print nothing.
func Report(io *IO, program string, err error) (status int) {
	if err == nil {
		return 0
	}
	var exit *ExitError
	if errors.As(err, &exit) {
		return exit.Status
	}
	fmt.Fprintf(io.Err, "%s: error: %s\n", program, strings.TrimRight(err.Error(), "\n"))
	if hint := fault.HintOf(err); hint != "" {
		fmt.Fprintf(io.Err, "%s: hint: %s\n", program, hint)
	}
	return fault.CodeOf(err).ExitStatus()
}
