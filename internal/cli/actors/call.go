package actors

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
)

// named is the paragraph on which Actor is meant.
const named = `

ACTOR is an id, USERNAME/NAME, or the name of one of yours. Without it, the Actor
that .actor/actor.json in this directory names is meant; when no input is given
then, the INPUT record in ./storage is.`

func newStart(s *session.Session) *cobra.Command {
	var output jq.Output
	var start session.Start
	cmd := &cobra.Command{
		Use: "start [ACTOR] [key=value …]", Short: "Start an Actor and leave it running",
		Long: `Starts a run of an Actor that the API has, and ends as soon as it is started.` + named + session.InputHelp + `

Exit codes: 0 started, 5 the input is invalid, 250 there is no such Actor, 1
anything else.`,
		Example: "  apify actors start apify/hello-world\n  id=$(apify actors start my-actor --input-file input.json --jq .run.id)",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return s.Do(&output, func(ctx context.Context, c *client.Client, _ []string) error {
			run, err := begin(ctx, s, c, cmd, &start, args)
			if err != nil {
				return err
			}
			result := s.RunResult(c, "start", run)
			result.Next = map[string]string{
				"wait": "apify runs wait " + run.ID, "log": "apify runs log --follow " + run.ID, "info": "apify runs info " + run.ID,
			}
			return s.End(ctx, &output, result)
		})(cmd, args)
	}
	cmd.Flags().SortFlags = false
	start.AddFlags(cmd)
	output.AddFlags(cmd.Flags())
	return cmd
}

// begin starts the run that the command line asks for.
func begin(ctx context.Context, s *session.Session, c *client.Client, cmd *cobra.Command, start *session.Start, args []string) (api.Run, error) {
	ref, err := start.Take(cmd, args)
	if err != nil {
		return api.Run{}, err
	}
	// The input is read first: what is wrong with it is told without the API.
	options, err := start.Options(ctx, s, ref == "")
	if err != nil {
		return api.Run{}, err
	}
	actor, err := s.ActorHere(ctx, c, []string{ref})
	if err != nil {
		return api.Run{}, err
	}
	run, err := c.Actor(actor.Value.ID).Start(ctx, options)
	return run.Value, err
}

func newCall(s *session.Session) *cobra.Command {
	return s.Calling(&cobra.Command{
		Use: "call [ACTOR] [key=value …]", Short: "Run an Actor at the API and wait for its results",
		Long: `Starts a run of an Actor that the API has, shows its log on standard error until it
has ended, and prints what came of it: where its results lie, its dataset with
--output-dataset, or a record with --output-record-key.` + named + session.InputHelp + session.CallHelp,
		Example: "  apify call apify/hello-world\n  apify call my-actor maxPages=10 --output-dataset | jq length\n" +
			"  cat input.json | apify call my-actor --memory 1024 --silent --json",
	}, "call", func(ctx context.Context, c *client.Client, cmd *cobra.Command, start *session.Start, args []string) (api.Run, *session.Thing, error) {
		run, err := begin(ctx, s, c, cmd, start, args)
		return run, nil, err
	})
}

// NewCall makes the command `apify call`, which is in no group.
func NewCall(f *cmdkit.Factory) *cobra.Command {
	s := session.New(f)
	return s.Alone(newCall(s))
}
