// Package actors is the `apify actors` commands: the Actors that an API has, and
// starting and calling them.
package actors

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cli/builds"
	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// New makes the group; more commands that are about Actors come from elsewhere.
func New(f *cmdkit.Factory, more ...func(*session.Session) *cobra.Command) *cobra.Command {
	s := session.New(f)
	cmd := s.Group(&cobra.Command{
		Use: "actors", Short: "See, build, start and call Actors",
	}, newList(s), newInfo(s), newSearch(s), newStart(s), newCall(s), builds.NewCreate(s, "build"), newRemove(s))
	for _, other := range more {
		cmd.AddCommand(other(s))
	}
	return cmd
}

func newList(s *session.Session) *cobra.Command {
	var mine bool
	var sortBy string
	return session.NewList(s, session.List[api.ActorShort]{
		Use: "ls", Short: "List Actors", Noun: "Actors", Limit: 20,
		Long:    "Lists the Actors that you have made or used, the oldest first.",
		Example: "  apify actors ls --my\n  apify actors ls --jq '.items[].name'",
		Flags: func(flags *pflag.FlagSet) {
			flags.BoolVar(&mine, "my", false, "list your own only")
			flags.StringVar(&sortBy, "sort-by", "", "order by `field`: createdAt or stats.lastRunStartedAt")
		},
		Page: func(ctx context.Context, c *client.Client, _ []string, opts client.ListOptions) (api.Page[client.Answer[api.ActorShort]], error) {
			opts.My, opts.SortBy = mine, sortBy
			return c.Actors().List(ctx, opts)
		},
		Columns: func() []session.Column[api.ActorShort] {
			return []session.Column[api.ActorShort]{
				{Title: "id", Cell: func(a api.ActorShort) string { return a.ID }},
				{Title: "name", Cell: func(a api.ActorShort) string { return a.Username + "/" + a.Name }},
				{Title: "runs", Cell: func(a api.ActorShort) string { return strconv.Itoa(a.Stats.TotalRuns) }},
				{Title: "last run", Cell: func(a api.ActorShort) string { return session.Moment(a.Stats.LastRunStartedAt) }},
				{Title: "modified", Cell: func(a api.ActorShort) string { return session.Moment(&a.ModifiedAt) }},
			}
		},
	})
}

func newInfo(s *session.Session) *cobra.Command {
	var output jq.Output
	var readme, input bool
	cmd := &cobra.Command{
		Use: "info ACTOR", Short: "Describe an Actor", Args: cmdkit.Args(1, 1),
		Long: `Describes an Actor: its id, USERNAME/NAME, or the name of one of yours. --readme
and --input print the README and the input schema of its default build.

Exit codes: 0 described, 250 there is no such Actor, or it has no such thing, 1
anything else.`,
		Example: "  apify actors info apify/hello-world\n  apify actors info my-actor --input | jq .properties",
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			actor, err := s.Actor(ctx, c, args[0])
			if err != nil {
				return err
			}
			switch {
			case readme || input:
				return fromBuild(ctx, s, c, &output, actor.Value, readme)
			case output.Wanted():
				return output.Print(ctx, s.IO, actor)
			}
			return s.IO.Fields(fields(actor.Value))
		}),
	}
	cmd.Flags().BoolVar(&readme, "readme", false, "print the README")
	cmd.Flags().BoolVar(&input, "input", false, "print the input schema")
	cmd.MarkFlagsMutuallyExclusive("readme", "input")
	output.AddFlags(cmd.Flags())
	return cmd
}

func fields(a api.Actor) [][2]string {
	list := [][2]string{
		{"id", a.ID}, {"name", a.Username + "/" + a.Name}, {"title", session.Text(a.Title)}, {"description", session.Text(a.Description)},
		{"public", strconv.FormatBool(a.IsPublic)},
		{"created", session.Moment(&a.CreatedAt)}, {"modified", session.Moment(&a.ModifiedAt)},
		{"runs", strconv.Itoa(a.Stats.TotalRuns)}, {"builds", strconv.Itoa(a.Stats.TotalBuilds)},
		{"last run", session.Moment(a.Stats.LastRunStartedAt)},
	}
	d := a.DefaultRunOptions
	options := "build " + d.Build
	if d.MemoryMbytes > 0 {
		options += fmt.Sprintf(", %d MB", d.MemoryMbytes)
	}
	if d.TimeoutSecs != nil {
		options += fmt.Sprintf(", %d s", *d.TimeoutSecs)
	}
	list = append(list, [2]string{"default run", options})
	for _, v := range a.Versions {
		text := v.SourceType
		if v.BuildTag != "" {
			text += ", builds are tagged " + v.BuildTag
		}
		list = append(list, [2]string{"version " + v.VersionNumber, text})
	}
	for _, tag := range slices.Sorted(maps.Keys(a.TaggedBuilds)) {
		if b := a.TaggedBuilds[tag]; b != nil {
			list = append(list, [2]string{"tag " + tag, strings.TrimSpace(session.Text(b.BuildNumber) + " " + b.BuildID)})
		}
	}
	return list
}

// fromBuild prints what a build has found in an Actor's source.
func fromBuild(ctx context.Context, s *session.Session, c *client.Client, output *jq.Output, actor api.Actor, readme bool) error {
	build, err := c.Actor(actor.ID).DefaultBuild().Get(ctx)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "actor %s/%s has no default build", actor.Username, actor.Name).
			WithHint("build it with apify builds create %s --wait", actor.ID)
	}
	if err != nil {
		return err
	}
	text, what := build.Value.InputSchema, "input schema"
	if readme {
		text, what = build.Value.Readme, "README"
	}
	if text == nil || *text == "" {
		return fault.New(fault.NotFound, "build %s of Actor %s/%s has no %s", build.Value.BuildNumber, actor.Username, actor.Name, what)
	}
	if !readme {
		output.JSON = output.JSON || !output.Wanted()
		return output.Print(ctx, s.IO, json.RawMessage(*text))
	}
	if output.Wanted() {
		return output.Print(ctx, s.IO, map[string]string{"readme": *text})
	}
	_, err = fmt.Fprintln(s.IO.Out, strings.TrimRight(*text, "\n"))
	return err
}

func newSearch(s *session.Session) *cobra.Command {
	var output jq.Output
	var opts client.SearchOptions
	cmd := &cobra.Command{
		Use: "search [QUERY]", Short: "Look for Actors in the store", Args: cmdkit.Args(0, 1),
		Long: `Looks for public Actors in the store of the API. It needs no token. A server of
your own has no store.

Exit codes: 0 searched, 255 the API has no store, 1 anything else.`,
		Example: "  apify actors search 'google maps' --sort-by popularity --limit 5",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := output.Prepare(); err != nil {
				return err
			}
			for flag, choice := range map[string][]string{
				"sort-by":       {"relevance", "popularity", "newest", "lastUpdate"},
				"pricing-model": {"FREE", "FLAT_PRICE_PER_MONTH", "PRICE_PER_DATASET_ITEM", "PAY_PER_EVENT"},
			} {
				if value := cmd.Flag(flag).Value.String(); value != "" && !slices.Contains(choice, value) {
					return cmdkit.UsageError(cmd.CommandPath(), "--%s must be one of %s, got %q", flag, strings.Join(choice, ", "), value)
				}
			}
			if opts.Offset < 0 || opts.Limit < 1 {
				return fault.New(fault.Usage, "--offset must be at least 0 and --limit at least 1")
			}
			c, err := s.Public()
			if err != nil {
				return err
			}
			opts.Search = strings.Join(args, "")
			page, err := c.Search(cmd.Context(), opts)
			if err != nil {
				return session.Reached(err)
			}
			return session.PrintPage(cmd.Context(), s, &output, page, "Actors", []session.Column[api.StoreActor]{
				{Title: "name", Cell: func(a api.StoreActor) string { return a.Username + "/" + a.Name }},
				{Title: "title", Cell: func(a api.StoreActor) string { return a.Title }},
				{Title: "users", Cell: func(a api.StoreActor) string { return strconv.Itoa(a.Stats.TotalUsers) }},
				{Title: "pricing", Cell: func(a api.StoreActor) string {
					if a.CurrentPricingInfo == nil {
						return ""
					}
					return a.CurrentPricingInfo.PricingModel
				}},
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.SortBy, "sort-by", "relevance", "`order`: relevance, popularity, newest or lastUpdate")
	flags.StringVar(&opts.Category, "category", "", "those of this `category` only, such as AI")
	flags.StringVar(&opts.Username, "username", "", "those of this `user` only")
	flags.StringVar(&opts.PricingModel, "pricing-model", "", "those with this `model` only: FREE, FLAT_PRICE_PER_MONTH, PRICE_PER_DATASET_ITEM or PAY_PER_EVENT")
	flags.IntVar(&opts.Limit, "limit", 20, "`number` of Actors to list at most")
	flags.IntVar(&opts.Offset, "offset", 0, "`number` of Actors to leave out at the start")
	output.AddFlags(flags)
	return cmd
}

func newRemove(s *session.Session) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "rm ACTOR", Aliases: []string{"remove"}, Short: "Delete an Actor with its versions and builds", Args: cmdkit.Args(1, 1),
		Long: `Deletes an Actor with its versions and builds, for good. On a terminal it asks
first; elsewhere it needs --yes.

Exit codes: 0 deleted, 250 there is no such Actor, 3 the answer was no, 1 nobody
could be asked, or anything else.`,
		RunE: s.Do(nil, func(ctx context.Context, c *client.Client, args []string) error {
			actor, err := s.Actor(ctx, c, args[0])
			if err != nil {
				return err
			}
			name := actor.Value.Username + "/" + actor.Value.Name
			if !yes {
				if err := s.IO.Confirm(fmt.Sprintf("Delete Actor %s with its %d versions and its builds?", name, len(actor.Value.Versions))); err != nil {
					return err
				}
			}
			if err := c.Actor(actor.Value.ID).Delete(ctx); err != nil {
				return err
			}
			s.Note("deleted Actor %s", name)
			return nil
		}),
	}
	session.AddYes(cmd, &yes)
	return cmd
}
