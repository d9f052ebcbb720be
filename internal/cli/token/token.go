// Package token is the `apify token` commands: who may call a server of one's
// own, how far that goes, and until when.
package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/internal/token"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// New makes the commands.
func New(f *cmdkit.Factory) *cobra.Command {
	group := cmdkit.Group(&cobra.Command{
		Use:   "token",
		Short: "Make and revoke API tokens of the server on this machine",
		Long: `Every request to a server that apify serve has started needs a token. The owner's
own is printed at every start; the tokens made here are for others: programs,
notebooks, colleagues. They can be limited to reading or to the storages of one
run, can expire, and can be revoked one by one. A running server knows of it at
once.

Tokens are kept as hashes in the data directory of the server, so that no token
can be shown again after it was made.`,
		Example: `  apify token create --name notebook --scope read-only --expires 30d
  apify token ls
  apify token revoke 4fTq`,
	})
	group.AddCommand(newCreate(f), newList(f), newRevoke(f))
	return group
}

// options are what all the commands take.
type options struct {
	factory *cmdkit.Factory
	dataDir string
	output  jq.Output
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.dataDir, "data-dir", "", "`directory` in which the server keeps its data (default: greenroom in the user's data directory)")
	o.output.AddFlags(flags)
}

// with opens the tokens for do. What is wrong with an expression is told before.
func (o *options) with(do func(s *token.Store, dir string) error) error {
	if err := o.output.Prepare(); err != nil {
		return err
	}
	dir, err := cmdkit.DataDir(o.dataDir, o.factory.Getenv)
	if err != nil {
		return err
	}
	s, err := token.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(do(s, dir), s.Close())
}

// description is a token as JSON has it.
type description struct {
	// Token is there when the token has just been made.
	Token      string    `json:"token,omitempty"`
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Start      string    `json:"start"`
	Scope      string    `json:"scope"`
	CreatedAt  api.Time  `json:"createdAt"`
	ExpiresAt  *api.Time `json:"expiresAt"`
	LastUsedAt *api.Time `json:"lastUsedAt"`
	IsExpired  bool      `json:"isExpired"`
}

func describe(t token.Token) description {
	return description{
		ID: t.ID, Name: t.Name, Start: t.Start, Scope: string(t.Scope), CreatedAt: api.TimeOf(t.CreatedAt),
		ExpiresAt: moment(t.ExpiresAt), LastUsedAt: moment(t.LastUsedAt), IsExpired: t.Expired(time.Now()),
	}
}

func moment(t time.Time) *api.Time {
	if t.IsZero() {
		return nil
	}
	at := api.TimeOf(t)
	return &at
}

func newCreate(f *cmdkit.Factory) *cobra.Command {
	o := &options{factory: f}
	var name, scope, expires string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an API token",
		Long: `Makes an API token and prints it. It is the only time that it can be seen.

A scope is one of

  full        everything
  read-only   whatever changes nothing
  run:RUN_ID  the storages of one run: reading and writing, and nothing else

--expires takes a time from now, such as 12h, 30d, 4w or 1y, or a moment, such as
2027-01-31 or 2027-01-31T12:00:00Z. Without it, the token is good until it is
revoked.

--json prints an object with the token and what apify token ls --json prints.

Exit codes: 0 made, 5 the file of tokens is damaged, 1 anything else.`,
		Example: `  apify token create --name notebook --scope read-only --expires 30d
  export APIFY_TOKEN=$(apify token create --name ci)`,
		Args: cmdkit.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			parsed, err := token.ParseScope(scope)
			if err != nil {
				return err
			}
			expiry, err := parseExpiry(expires, time.Now())
			if err != nil {
				return err
			}
			return o.with(func(s *token.Store, _ string) error {
				secret, made, err := s.Create(name, parsed, expiry)
				if err != nil {
					return err
				}
				return o.printCreated(cmd.Context(), secret, made)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "name", "", "what the token is for, to find it in apify token ls")
	flags.StringVar(&scope, "scope", string(token.Full), "what it gives access to: `full`, read-only or run:RUN_ID")
	flags.StringVar(&expires, "expires", "", "`when` it expires, such as 30d or 2027-01-31 (default never)")
	o.addFlags(flags)
	return cmd
}

func (o *options) printCreated(ctx context.Context, secret string, made token.Token) error {
	if o.output.Wanted() {
		d := describe(made)
		d.Token = secret
		return o.output.Print(ctx, o.factory.IO, d)
	}
	fmt.Fprintf(o.factory.IO.Err, "note: this is the only time that the token is shown; apify token revoke %s makes it worthless\n", made.ID)
	_, err := fmt.Fprintln(o.factory.IO.Out, secret)
	return err
}

// parseExpiry reads when a token expires: a time from now or a moment. The zero
// time means never, and so does no text.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "" || text == "never" {
		return time.Time{}, nil
	}
	if span, tooLong, ok := cmdkit.ParseSpan(text); tooLong {
		return time.Time{}, fault.New(fault.Usage, "--expires %.40q is more than 100 years away", text).
			WithHint("leave --expires out for a token that does not expire")
	} else if ok {
		return now.Add(span), nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		at, err = time.Parse(time.RFC3339, text)
	}
	if err == nil && !at.IsZero() { // the first moment of the year 1 is not never
		return at, nil
	}
	return time.Time{}, fault.New(fault.Usage, "--expires %.40q is neither a time nor a moment", text).
		WithHint("give a number with s, m, h, d, w or y such as 30d, or a date such as 2027-01-31")
}

func newList(f *cmdkit.Factory) *cobra.Command {
	o := &options{factory: f}
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the API tokens",
		Long: `Lists the API tokens, the owner's own among them, by their first characters; the
tokens themselves are not kept. Last uses are exact to ten minutes.

--json prints {"tokens": [{"id", "name", "start", "scope", "createdAt",
"expiresAt", "lastUsedAt", "isExpired"}]}.

Exit codes: 0 listed, 5 the file of tokens is damaged, 1 anything else.`,
		Example: "  apify token ls\n  apify token ls --jq '.tokens[] | select(.isExpired) | .id'",
		Args:    cmdkit.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(func(s *token.Store, dir string) error {
				tokens, err := s.List()
				if err != nil {
					return err
				}
				return o.printList(cmd.Context(), tokens, dir)
			})
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func (o *options) printList(ctx context.Context, tokens []token.Token, dir string) error {
	if o.output.Wanted() {
		list := make([]description, len(tokens))
		for i, t := range tokens {
			list[i] = describe(t)
		}
		return o.output.Print(ctx, o.factory.IO, map[string][]description{"tokens": list})
	}
	if len(tokens) == 0 {
		fmt.Fprintf(o.factory.IO.Err, "there are no tokens in %s; apify token create makes one\n", dir)
		return nil
	}
	rows := make([][]string, len(tokens))
	for i, t := range tokens {
		expires := day(t.ExpiresAt, "never")
		if t.Expired(time.Now()) {
			expires += " (expired)"
		}
		rows[i] = []string{t.ID, t.Start + "…", t.Name, string(t.Scope), day(t.CreatedAt, ""), expires, day(t.LastUsedAt, "never")}
	}
	return o.factory.IO.Table([]string{"ID", "TOKEN", "NAME", "SCOPE", "CREATED", "EXPIRES", "LAST USED"}, rows)
}

// day is a moment for people, where they are.
func day(t time.Time, zero string) string {
	if t.IsZero() {
		return zero
	}
	return t.Local().Format("2006-01-02 15:04")
}

func newRevoke(f *cmdkit.Factory) *cobra.Command {
	o := &options{factory: f}
	cmd := &cobra.Command{
		Use:     "revoke TOKEN...",
		Aliases: []string{"rm"},
		Short:   "Make API tokens worthless",
		Long: `Makes API tokens worthless for good, in a running server from its next request on.
A TOKEN is named by its id, by the beginning of its id (at least 4 letters) or of
the token, or by the whole token, for when one was found where it should not be.

The owner's own token has the id owner. Once it is revoked, the next start of the
server makes and prints another one.

--json prints {"revoked": […]} with what apify token ls --json prints.

Exit codes: 0 revoked, 250 there is no such token, 5 the file of tokens is
damaged, 1 anything else. Tokens named before one that fails are revoked.`,
		Example: "  apify token revoke 4fTq\n  apify token revoke owner",
		Args:    cmdkit.Args(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(func(s *token.Store, _ string) error {
				revoked := []description{}
				for _, name := range args {
					t, err := s.Revoke(strings.TrimSpace(name))
					if err != nil {
						return err
					}
					revoked = append(revoked, describe(t))
					fmt.Fprintf(f.IO.Err, "revoked %s (%s…)\n", t.ID, t.Start)
				}
				if !o.output.Wanted() {
					return nil
				}
				return o.output.Print(cmd.Context(), f.IO, map[string][]description{"revoked": revoked})
			})
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}
