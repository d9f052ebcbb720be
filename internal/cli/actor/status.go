package actor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/actor"
)

var levels = []string{"DEBUG", "INFO", "WARNING", "ERROR"}

func newSetStatusMessage(f *cmdkit.Factory) *cobra.Command {
	var status actor.Status
	var token string
	cmd := &cobra.Command{
		Use:   "set-status-message MESSAGE",
		Short: "Tell the run's user what is going on",
		Long: `Sets the status message of this run, or of the one that --run names. Outside a
run, and without --run, there is nothing to set it on: the message goes to
standard error, so that a script can be tried.

Exit codes: 0 set (or no run to set it on), 250 there is no such run, 1 anything else.`,
		Example: `  actor set-status-message "Crawled 45 of 100 pages"
  actor set-status-message --terminal "All 100 pages are in the dataset"
  actor set-status-message --run=6nC1SwQ7rVxnBcLrR --token=X "Crawled 45 of 100 pages"`,
		Args: cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			status.Level = strings.ToUpper(status.Level)
			if status.Level != "" && !slices.Contains(levels, status.Level) {
				return cmdkit.UsageError(cmd.CommandPath(), "--level must be one of %s, got %q", strings.Join(levels, ", "), status.Level)
			}
			if cmd.Flags().Changed("run") && status.RunID == "" {
				return cmdkit.UsageError(cmd.CommandPath(), "--run is empty: it takes the id of a run")
			}
			named := *f
			if token != "" {
				named.Getenv = func(name string) string {
					if name == "APIFY_TOKEN" {
						return token
					}
					return f.Getenv(name)
				}
			}
			return with(cmd.Context(), &named, func(ctx context.Context, a *actor.Actor) error {
				if !a.InRun() && status.RunID == "" {
					fmt.Fprintf(f.IO.Err, "actor: there is no run to tell: %s\n", args[0])
					return nil
				}
				return a.SetStatusMessage(ctx, args[0], status)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&status.RunID, "run", "", "`id` of the run (default: this one)")
	flags.StringVar(&token, "token", "", "API `token` to use (default: $APIFY_TOKEN)")
	flags.BoolVar(&status.Terminal, "terminal", false, "this is the run's last message: later ones do not replace it")
	flags.StringVar(&status.Level, "level", "", "`level` of the message: DEBUG, INFO, WARNING or ERROR")
	return cmd
}

func newExit(f *cmdkit.Factory) *cobra.Command {
	var code int
	var message string
	cmd := &cobra.Command{
		Use:   "exit",
		Short: "End the run",
		Long: `Ends the run with a code and a final status message, wherever in the script it
is called: nothing after it happens. Code 0 makes the run SUCCEEDED, any other
FAILED.

A platform that cannot end a run this way gets the final status message, and this
command exits with the code; so does it outside a run. To end the script there
too, let it be the last thing that happens: exec actor exit --code 1.

Exit codes: that of --code; 1 when the command is wrong or the platform cannot be
reached.`,
		Example: `  actor exit
  actor exit --message "Email sent"
  exec actor exit --code=1 --message "Couldn't fetch the URL"`,
		Args: cmdkit.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if code < 0 || code > 255 {
				return cmdkit.UsageError(cmd.CommandPath(), "--code must be from 0 to 255, got %d", code)
			}
			err := with(cmd.Context(), f, func(ctx context.Context, a *actor.Actor) error {
				if !a.InRun() && message != "" {
					fmt.Fprintf(f.IO.Err, "actor: %s\n", message)
				}
				return a.Exit(ctx, code, message)
			})
			if err != nil && code != 0 {
				// The message is lost, the code need not be.
				cmdkit.Report(f.IO, cmd.Root().Name(), err)
				err = nil
			}
			if err == nil && code != 0 {
				return &cmdkit.ExitError{Status: code}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&code, "code", 0, "exit code of the run, `0-255`")
	flags.StringVar(&message, "message", "", "final status message")
	return cmd
}

func newMemory(f *cmdkit.Factory) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "memory",
		Short: "Print how much memory there is",
		Long: `Prints the total, used and free memory of the container, or of the machine where
no container limits it. --json prints bytes: {"totalBytes", "usedBytes", "freeBytes"}.

Exit codes: 0 printed, 255 this system does not tell, 1 anything else.`,
		Example: "  actor memory\n  actor memory --json | jq .freeBytes",
		Args:    cmdkit.Args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			memory, err := actor.MemoryInfo()
			if err != nil {
				return err
			}
			if asJSON {
				return f.IO.PrintJSON(memory)
			}
			for _, row := range []struct {
				name  string
				bytes uint64
			}{{"total", memory.TotalBytes}, {"used", memory.UsedBytes}, {"free", memory.FreeBytes}} {
				if _, err := fmt.Fprintf(f.IO.Out, "%-5s %10s  (%d bytes)\n", row.name, size(row.bytes), row.bytes); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print bytes as JSON")
	return cmd
}

// size writes bytes for people, in binary units.
func size(bytes uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(bytes), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
