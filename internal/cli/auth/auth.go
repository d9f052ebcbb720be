// Package auth is the commands that log a user in to an API and out again, and
// tell who that is.
package auth

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// New makes the group; login and logout are commands of their own too.
func New(f *cmdkit.Factory) *cobra.Command {
	cmd := cmdkit.Group(&cobra.Command{Use: "auth", Short: "Log in to an API and out again"})
	cmd.AddCommand(NewLogin(f), NewLogout(f), newToken(f))
	return cmd
}

// NewLogin makes the command `apify login`.
func NewLogin(f *cmdkit.Factory) *cobra.Command {
	var token, apiURL, method string
	cmd := &cobra.Command{
		Use: "login", Short: "Keep a token for the commands that speak to an API", Args: cmdkit.Args(0, 0),
		Long: `Asks an API whether it knows a token, and keeps it in ~/.apify/auth.json with the
account it belongs to and the address of the API, for all commands that speak to
one. The file is the user's alone. The official CLI reads the same file.

Without --token it asks for it on a terminal; --token - reads it from standard
input, which leaves no trace in the history of a shell. A server of your own
prints its token when it starts; the cloud's is in the console, under Settings,
API & Integrations.

Exit codes: 0 logged in, 1 the API does not know the token, or anything else.`,
		Example: "  apify login --token -  < token.txt\n  apify login --api-url http://127.0.0.1:3333 --token \"$APIFY_TOKEN\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch method {
			case "", "manual":
			case "console":
				return fault.New(fault.NotImplemented, "logging in through a browser is not possible").
					WithHint("copy a token from https://console.apify.com/settings/integrations and give it with --token")
			default:
				return cmdkit.UsageError(cmd.CommandPath(), "--method must be console or manual, got %q", method)
			}
			if apiURL == "" {
				apiURL = f.Getenv("APIFY_CLIENT_BASE_URL")
			}
			return login(cmd.Context(), f, apiURL, token)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&token, "token", "t", "", "the `token`; - to read it from standard input")
	flags.StringVar(&apiURL, "api-url", "", "`address` of the API (default $APIFY_CLIENT_BASE_URL, else "+client.DefaultBaseURL+")")
	flags.StringVarP(&method, "method", "m", "", "manual, the one `way` there is")
	return cmd
}

func login(ctx context.Context, f *cmdkit.Factory, apiURL, token string) error {
	c, err := client.New(client.Options{BaseURL: apiURL}) // is it an address at all?
	if err != nil {
		return err
	}
	if token, err = secret(f.IO, c.BaseURL(), token); err != nil {
		return err
	}
	if c, err = client.New(client.Options{BaseURL: apiURL, Token: token, Origin: "CLI", UserAgent: "greenroom/" + f.Version}); err != nil {
		return err
	}
	me, err := c.Me(ctx)
	if fault.Is(err, fault.Unauthenticated) {
		return fault.New(fault.Unauthenticated, "%s does not know this token", c.BaseURL()).WithHint("nothing was kept; give another one")
	}
	if err != nil {
		return session.Reached(err)
	}
	kept := c.BaseURL()
	if kept == client.DefaultBaseURL {
		kept = ""
	}
	if err := cmdkit.SaveProfile(me.Raw, token, kept); err != nil {
		return err
	}
	fmt.Fprintf(f.IO.Err, "apify: logged in to %s as %s\n", c.BaseURL(), cmdkit.Printable(me.Value.Username))
	return nil
}

// secret gives the token, from where it is to be read.
func secret(s *cmdkit.IO, base, token string) (string, error) {
	switch {
	case token == "-":
		line, err := bufio.NewReader(s.In).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fault.Wrap(fault.Internal, err, "reading the token from standard input")
		}
		token = line
	case token == "":
		file, ok := s.In.(*os.File)
		if !s.InTTY || !s.ErrTTY || !ok {
			return "", fault.New(fault.Usage, "there is no token, and no terminal to ask for it").WithHint("give --token")
		}
		fmt.Fprintf(s.Err, "Token for %s: ", base)
		typed, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(s.Err)
		if err != nil {
			return "", fault.Wrap(fault.Internal, err, "reading the token")
		}
		token = string(typed)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", fault.New(fault.Usage, "the token is empty")
	}
	return token, nil
}

// NewLogout makes the command `apify logout`.
func NewLogout(f *cmdkit.Factory) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Forget the token that a login has kept", Args: cmdkit.Args(0, 0),
		Long: `Removes ~/.apify/auth.json. The token itself stays valid at the API.

Exit codes: 0 nobody is logged in any more, 1 the file cannot be removed.`,
		RunE: func(*cobra.Command, []string) error {
			was, err := cmdkit.DropProfile()
			switch {
			case err != nil:
				return err
			case was:
				fmt.Fprintln(f.IO.Err, "apify: logged out")
			default:
				fmt.Fprintln(f.IO.Err, "apify: nobody was logged in")
			}
			return nil
		},
	}
}

func newToken(f *cmdkit.Factory) *cobra.Command {
	return &cobra.Command{
		Use: "token", Short: "Print the token that a login has kept", Args: cmdkit.Args(0, 0),
		Long: `Prints the token that a login has kept in ~/.apify/auth.json.

Exit codes: 0 printed, 1 nobody is logged in.`,
		RunE: func(*cobra.Command, []string) error {
			profile, err := cmdkit.LoadProfile()
			if err != nil {
				return err
			}
			if profile.Token == "" {
				return fault.New(fault.Unauthenticated, "nobody is logged in").WithHint("log in with apify login")
			}
			_, err = fmt.Fprintln(f.IO.Out, profile.Token)
			return err
		},
	}
}

// NewInfo makes the command `apify info`.
func NewInfo(f *cmdkit.Factory) *cobra.Command {
	s := session.New(f)
	var output jq.Output
	cmd := &cobra.Command{
		Use: "info", Short: "Tell which account is used, and which API", Args: cmdkit.Args(0, 0),
		Long: `Tells which account commands use, and which API they speak to.

Exit codes: 0 told, 1 there is no token, or the API does not know it.`,
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, _ []string) error {
			me, err := c.Me(ctx)
			if err != nil {
				return err
			}
			if output.Wanted() {
				return output.Print(ctx, f.IO, me)
			}
			return f.IO.Fields([][2]string{{"username", me.Value.Username}, {"userId", me.Value.ID}, {"api", c.BaseURL()}})
		}),
	}
	output.AddFlags(cmd.Flags())
	return s.Alone(cmd)
}
