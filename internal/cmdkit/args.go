package cmdkit

import (
	"strconv"

	"github.com/spf13/cobra"
)

// Args accepts between min and max positional arguments (max < 0: any number).
// Surplus arguments are an error that names them: the official CLI drops them
// in silence, and then runs with something else than the user meant.
func Args(min, max int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < min:
			return UsageError(cmd.CommandPath(), "%s needs %s, got %d", cmd.CommandPath(), plural(min, "argument"), len(args))
		case max == 0 && len(args) > 0:
			return UsageError(cmd.CommandPath(), "unexpected argument %q: %s takes no arguments", args[0], cmd.CommandPath())
		case max >= 0 && len(args) > max:
			return UsageError(cmd.CommandPath(), "unexpected argument %q: %s takes at most %s", args[max], cmd.CommandPath(), plural(max, "argument"))
		}
		return nil
	}
}

// Group makes cmd a command that only holds others. Cobra prints help and exits
// 0 for an unknown nested command; this makes it an error.
func Group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		err := UsageError(cmd.CommandPath(), "unknown command %q for %q", args[0], cmd.CommandPath())
		return err
	}
	return cmd
}

func plural(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
