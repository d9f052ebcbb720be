// Package secrets is the `apify secrets` commands: values that Actors get as
// environment variables without anybody reading them in a file of the project.
// Values are taken, never shown.
package secrets

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/secret/userfile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// New makes the commands.
func New(f *cmdkit.Factory) *cobra.Command {
	group := cmdkit.Group(&cobra.Command{
		Use:   "secrets",
		Short: "Keep secrets for the environment variables of Actors",
		Long: `Secrets are kept in ~/.apify/secrets.json, which the official CLI shares and
nobody else can read. An Actor gets one as an environment variable that its
.actor/actor.json names with an @:

  "environmentVariables": {"DATABASE_PASSWORD": "@db-password"}

Values are masked in the logs of runs.`,
		Example: `  apify secrets add db-password < password.txt
  apify secrets ls
  apify secrets rm db-password`,
	})
	group.AddCommand(newAdd(f), newList(f), newRemove(f))
	return group
}

// home is the user's home directory, "" when there is none.
func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return dir
}

func newAdd(f *cmdkit.Factory) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "add NAME [VALUE|-]",
		Short: "Keep a secret",
		Long: `Keeps a secret under NAME. Without a VALUE, it is read from standard input until
its end, without the last line's end, or asked for on a terminal without showing
what is typed. A VALUE on the command line stays in the shell's history and can
be seen by other users of the machine while the command runs.

A name has at most 100 characters, a value 50,000.

Exit codes: 0 kept, 1 there is one of that name, or anything else.`,
		Example: `  apify secrets add db-password
  pass show database | apify secrets add db-password --force`,
		Args: cmdkit.Args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if stripped, marked := strings.CutPrefix(name, "@"); marked {
				return cmdkit.UsageError(cmd.CommandPath(), "the @ belongs to actor.json, not to the name: use %q", stripped)
			}
			value, err := valueOf(cmd, f.IO, name, args[1:])
			if err != nil {
				return err
			}
			return userfile.Add(home(), name, value, force)
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "replace the secret that has this name")
	return cmd
}

// valueOf gets the value from where it is.
func valueOf(cmd *cobra.Command, streams *cmdkit.IO, name string, args []string) (string, error) {
	switch {
	case len(args) == 1 && args[0] != "-":
		fmt.Fprintf(streams.Err, "note: the value is in the shell's history now; next time leave it out to be asked for it, or pipe it in\n")
		return args[0], nil
	case streams.InTTY:
		return ask(streams, name)
	case len(args) == 0 && !streams.Piped():
		return "", cmdkit.UsageError(cmd.CommandPath(), "the value of %q is missing: give it on standard input", name)
	}
	// Whatever is longer than the longest value is too long.
	text, err := io.ReadAll(io.LimitReader(streams.In, 4*userfile.MaxValueLength+1))
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "read the value from standard input")
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}

// ask reads a line from the terminal without showing it.
func ask(streams *cmdkit.IO, name string) (string, error) {
	file, ok := streams.In.(*os.File)
	if !ok {
		return "", fault.New(fault.Unavailable, "standard input is no terminal")
	}
	terminal := int(file.Fd())
	before, err := term.GetState(terminal)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "ask for the value")
	}
	// A terminal that goes on hiding what is typed would outlive the command.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	fmt.Fprintf(streams.Err, "Value of %s: ", name)
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(terminal)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		fmt.Fprintln(streams.Err)
		if a.err != nil && a.err != io.EOF {
			return "", fault.Wrap(fault.Unavailable, a.err, "read the value")
		}
		return string(a.text), nil
	case <-interrupts:
		fmt.Fprintln(streams.Err)
		if err := term.Restore(terminal, before); err != nil {
			return "", fault.Wrap(fault.Unavailable, err, "restore the terminal")
		}
		return "", &cmdkit.ExitError{Status: 130}
	}
}

func newList(f *cmdkit.Factory) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the names of the secrets",
		Long: `Lists the names of the secrets, never their values. --json prints
{"keys": ["…"]}.

Exit codes: 0 listed, 5 the file of secrets is damaged, 1 anything else.`,
		Example: "  apify secrets ls\n  apify secrets ls --json | jq -r .keys[]",
		Args:    cmdkit.Args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			secrets, err := userfile.Load(home())
			if err != nil {
				return err
			}
			if changed, err := userfile.Protect(home()); err != nil {
				fmt.Fprintf(f.IO.Err, "warning: others may be able to read the secrets: %v\n", err)
			} else if changed {
				fmt.Fprintf(f.IO.Err, "note: others could read %s; now only you can\n", userfile.Path(home()))
			}
			names := slices.Sorted(maps.Keys(secrets))
			if asJSON {
				if names == nil {
					names = []string{}
				}
				return f.IO.PrintJSON(map[string][]string{"keys": names})
			}
			if len(names) == 0 {
				fmt.Fprintln(f.IO.Err, "there are no secrets; apify secrets add NAME keeps one")
				return nil
			}
			_, err = fmt.Fprintf(f.IO.Out, "NAME\n%s\n", strings.Join(names, "\n"))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the names as JSON")
	return cmd
}

func newRemove(*cmdkit.Factory) *cobra.Command {
	return &cobra.Command{
		Use:     "rm NAME",
		Aliases: []string{"remove"},
		Short:   "Forget a secret",
		Long: `Forgets the secret of that name.

Exit codes: 0 forgotten, 1 there is none of that name, or anything else.`,
		Example: "  apify secrets rm db-password",
		Args:    cmdkit.Args(1, 1),
		RunE:    func(_ *cobra.Command, args []string) error { return userfile.Remove(home(), args[0]) },
	}
}
