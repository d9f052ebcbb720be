package cmdkit

import (
	"strings"

	"github.com/spf13/cobra"
)

// Help gives parent a help command of its own, also where parent is not the root
// of the tree. Cobra's exits 0 for a command that does not exist.
func Help(parent *cobra.Command) {
	help := &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show how a command is used",
		RunE: func(_ *cobra.Command, args []string) error {
			found, rest, err := parent.Find(args)
			if err != nil || found == nil || len(rest) > 0 {
				return UsageError(parent.CommandPath(), "there is no command %q to help with", strings.Join(args, " "))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
	parent.AddCommand(help)
	parent.SetHelpCommand(help)
}
