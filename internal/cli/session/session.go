// Package session is what the commands that speak to an API share: which API is
// asked, how things are named and listed, how a log is followed and an end waited
// for, and what is printed of it.
package session

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Session is a command's connection to an API.
type Session struct {
	*cmdkit.Factory
	connection cmdkit.Connection
	client     *client.Client
}

// New makes a session; nothing is opened yet.
func New(f *cmdkit.Factory) *Session { return &Session{Factory: f} }

// Group makes cmd a command that holds others, which take --api-url and --token.
func (s *Session) Group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd = cmdkit.Group(cmd)
	s.connection.AddFlags(cmd.PersistentFlags())
	cmd.AddCommand(commands...)
	return cmd
}

// Alone gives a command that is in no group --api-url and --token.
func (s *Session) Alone(cmd *cobra.Command) *cobra.Command {
	s.connection.AddFlags(cmd.Flags())
	return cmd
}

// Client is the API that flags, environment and login name.
func (s *Session) Client() (*client.Client, error) {
	if s.client == nil {
		opened, err := s.connection.Open(s.Factory)
		if err != nil {
			return nil, err
		}
		s.client = opened
	}
	return s.client, nil
}

// Public is the API for what it tells anybody, with a token when there is one.
func (s *Session) Public() (*client.Client, error) { return s.connection.OpenPublic(s.Factory) }

// Do makes a command's function: the expression of --jq is compiled first, then
// the API is chosen, and do's errors get the hints that fit.
func (s *Session) Do(output *jq.Output, do func(ctx context.Context, c *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if output != nil {
			if err := output.Prepare(); err != nil {
				return err
			}
		}
		c, err := s.Client()
		if err != nil {
			return err
		}
		return Reached(do(cmd.Context(), c, args))
	}
}

// Reached gives errors about an API that does not answer or does not know the
// caller the hint that fits these commands.
func Reached(err error) error {
	switch fault.CodeOf(err) {
	case fault.Unavailable:
		if hint := fault.HintOf(err); hint != "" && !strings.Contains(hint, "APIFY_API_BASE_URL") {
			return err
		}
		return fault.New(fault.Unavailable, "%w", err).
			WithHint("check that it runs and that --api-url or APIFY_CLIENT_BASE_URL names it")
	case fault.Unauthenticated:
		return fault.New(fault.Unauthenticated, "%w", err).
			WithHint("give a token that this API knows with --token or APIFY_TOKEN, or log in with apify login")
	}
	return err
}

// Note tells people something that is no data.
func (s *Session) Note(format string, args ...any) {
	fmt.Fprintln(s.IO.Err, "apify: "+cmdkit.Printable(fmt.Sprintf(format, args...)))
}

// AddYes adds the flag that answers the question before something is deleted.
func AddYes(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}

// Actor asks the API for the Actor that ref names by its id, as USERNAME/NAME, or
// by its name alone when it is the caller's; none is fault.NotFound.
func (s *Session) Actor(ctx context.Context, c *client.Client, ref string) (client.Answer[api.Actor], error) {
	return found(ctx, c, ref, "actor", func(ref string) (client.Answer[api.Actor], error) { return c.Actor(ref).Get(ctx) })
}

// Task asks the API for the task that ref names, as an Actor is named.
func (s *Session) Task(ctx context.Context, c *client.Client, ref string) (client.Answer[api.Task], error) {
	return found(ctx, c, ref, "task", func(ref string) (client.Answer[api.Task], error) { return c.Task(ref).Get(ctx) })
}

func found[T any](ctx context.Context, c *client.Client, ref, noun string, get func(ref string) (client.Answer[T], error)) (client.Answer[T], error) {
	if strings.Trim(ref, "/~") == "" {
		return client.Answer[T]{}, fault.New(fault.Usage, "%q names no %s", ref, noun)
	}
	answer, err := get(ref)
	if !fault.Is(err, fault.NotFound) {
		return answer, err
	}
	if !strings.ContainsAny(ref, "/~") {
		me, meErr := c.Me(ctx)
		if meErr != nil {
			return answer, meErr
		}
		if answer, err = get(me.Value.Username + "/" + strings.ToLower(ref)); !fault.Is(err, fault.NotFound) {
			return answer, err
		}
	}
	return answer, Missing(c, noun, ref, noun+"s")
}

// Missing is the error that something is not there; group has the command that
// lists what is.
func Missing(c *client.Client, noun, ref, group string) error {
	return fault.New(fault.NotFound, "%s %q was not found at %s", noun, ref, c.BaseURL()).
		WithHint("apify %s ls lists those that are there", group)
}

// Named replaces the API's answer that something is not there by one that says
// what and where.
func Named(c *client.Client, err error, noun, ref, group string) error {
	if fault.Is(err, fault.NotFound) {
		return Missing(c, noun, ref, group)
	}
	return err
}

// Link is where a browser shows a thing: in the console that APIFY_CONSOLE_URL
// names, or the cloud's own; for another API it is the address of the API itself.
// Place is a path of the console such as "actors/ID", operation one of the API.
func (s *Session) Link(c *client.Client, place, operation string) string {
	if console := s.Getenv("APIFY_CONSOLE_URL"); console != "" {
		return strings.TrimRight(console, "/") + "/" + place
	}
	if base, err := url.Parse(c.BaseURL()); err == nil && base.Host == "api.apify.com" {
		return "https://console.apify.com/" + place
	}
	return c.BaseURL() + "/v2/" + operation
}
