// Package builds is the `apify builds` commands: what was built of Actors, and
// building them.
package builds

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// New makes the group.
func New(f *cmdkit.Factory) *cobra.Command {
	s := session.New(f)
	j := job{
		Session: s, Noun: "build", Group: "builds", Of: (*client.Client).Build, Result: s.BuildResult,
		State: func(b api.Build) (string, api.Status) { return b.ID, b.Status },
	}
	return s.Group(&cobra.Command{
		Use: "builds", Aliases: []string{"build"}, Short: "Build Actors, and see what was built",
	}, newList(s), newInfo(j), newLog(j), NewCreate(s, "create"), newWait(j), newAbort(j), newRemove(j), newAddTag(j), newRemoveTag(j))
}

type job = session.Job[api.Build, client.Build]

func newList(s *session.Session) *cobra.Command {
	var compact bool
	return session.NewList(s, session.List[api.BuildShort]{
		Use: "ls [ACTOR]", Short: "List builds", Noun: "builds", Limit: 10, Args: cmdkit.Args(0, 1),
		Long:    "Lists the builds of an Actor, or all of them, the oldest first.",
		Example: "  apify builds ls --desc\n  apify builds ls my-actor --jq '.items[].buildNumber'",
		Flags: func(flags *pflag.FlagSet) {
			flags.BoolVarP(&compact, "compact", "c", false, "show fewer columns")
		},
		Page: func(ctx context.Context, c *client.Client, args []string, opts client.ListOptions) (api.Page[client.Answer[api.BuildShort]], error) {
			if len(args) == 0 {
				return c.Builds().List(ctx, opts)
			}
			actor, err := s.Actor(ctx, c, args[0])
			if err != nil {
				return api.Page[client.Answer[api.BuildShort]]{}, err
			}
			return c.Actor(actor.Value.ID).Builds().List(ctx, opts)
		},
		Columns: func() []session.Column[api.BuildShort] {
			columns := []session.Column[api.BuildShort]{
				{Title: "id", Cell: func(b api.BuildShort) string { return b.ID }},
				{Title: "number", Cell: func(b api.BuildShort) string { return b.BuildNumber }},
				{Title: "status", Cell: func(b api.BuildShort) string { return string(b.Status) }},
			}
			if compact {
				return columns
			}
			return append(columns,
				session.Column[api.BuildShort]{Title: "actor", Cell: func(b api.BuildShort) string { return b.ActorID }},
				session.Column[api.BuildShort]{Title: "started", Cell: func(b api.BuildShort) string { return session.Moment(&b.StartedAt) }},
				session.Column[api.BuildShort]{Title: "took", Cell: func(b api.BuildShort) string { return session.Took(b.StartedAt, b.FinishedAt) }},
			)
		},
	})
}

func newInfo(j job) *cobra.Command {
	s := j.Session
	var output jq.Output
	cmd := &cobra.Command{
		Use: "info BUILD", Short: "Describe a build", Args: cmdkit.Args(1, 1),
		Long: `Describes a build.

Exit codes: 0 described, 250 there is no such build, 1 anything else.`,
		Example: "  apify builds info BUILD\n  apify builds info BUILD --jq .stats.imageSizeBytes",
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			build, err := c.Build(args[0]).Get(ctx, 0)
			if err != nil {
				return j.Named(c, err, args[0])
			}
			if output.Wanted() {
				return output.Print(ctx, s.IO, build)
			}
			b := build.Value
			fields := [][2]string{
				{"id", b.ID}, {"number", b.BuildNumber}, {"actor", b.ActorID}, {"status", string(b.Status)},
				{"started", session.Moment(&b.StartedAt)}, {"finished", session.Moment(b.FinishedAt)},
				{"took", session.Took(b.StartedAt, b.FinishedAt)}, {"origin", b.Meta.Origin},
			}
			if b.Stats.ImageSizeBytes > 0 {
				fields = append(fields, [2]string{"image", session.Size(b.Stats.ImageSizeBytes)})
			}
			return s.IO.Fields(fields)
		}),
	}
	output.AddFlags(cmd.Flags())
	return cmd
}

func newLog(j job) *cobra.Command {
	return j.Log(&cobra.Command{
		Use: "log BUILD", Short: "Print a build's log",
		Long: `Prints the log of a build, as it is now, or with --follow until the build has
ended. A connection that breaks is made anew, without gap and repetition.

Exit codes: 0 printed, 250 there is no such build, 1 anything else.`,
		Example: "  apify builds log BUILD --follow",
	})
}

// NewCreate makes the command that builds an Actor; it is one of Actors too.
func NewCreate(s *session.Session, name string) *cobra.Command {
	var output jq.Output
	var version, tag string
	var log, wait, noCache bool
	cmd := &cobra.Command{
		Use: name + " [ACTOR]", Short: "Build an Actor from its source at the API", Args: cmdkit.Args(0, 1),
		Long: `Starts a build of the source that the API has of an Actor; apify push sends
another one. ACTOR is an id, USERNAME/NAME or the name of one of yours; without
it, the one that .actor/actor.json names.

Without --log and --wait the command ends as soon as the build is started. Ctrl-C
aborts a build that is waited for.

Exit codes: 0 started, or built; 1 the build failed, or anything else; 2 it passed
its time limit, 3 it was aborted, 250 there is no such Actor.`,
		Example: "  apify builds create my-actor --log\n  apify builds create my-actor --version 0.2 --tag beta --wait --json",
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			actor, err := s.ActorHere(ctx, c, args)
			if err != nil {
				return err
			}
			number, err := versionOf(actor.Value, version, tag)
			if err != nil {
				return err
			}
			build, err := c.Actor(actor.Value.ID).Build(ctx, client.BuildOptions{Version: number, Tag: tag, UseCache: !noCache})
			if err != nil {
				return err
			}
			if log || wait {
				var to io.Writer
				if log {
					to = s.IO.Err
				}
				if build, err = s.WatchBuild(ctx, c, build.Value.ID, to, 0); err != nil {
					return err
				}
			}
			result := s.BuildResult(c, "build", build.Value)
			if !log && !wait {
				result.Next = map[string]string{
					"wait": "apify builds wait " + build.Value.ID, "log": "apify builds log --follow " + build.Value.ID, "info": "apify builds info " + build.Value.ID,
				}
			}
			return s.End(ctx, &output, result)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&version, "version", "", "`number` of the version to build, such as 0.1 (default: the newest, or the one whose tag is --tag)")
	flags.StringVar(&tag, "tag", "", "`tag` for the build when it succeeds (default: the version's)")
	flags.BoolVar(&log, "log", false, "show the log until the build has ended")
	flags.BoolVar(&wait, "wait", false, "wait until the build has ended")
	flags.BoolVar(&noCache, "no-cache", false, "build every step anew")
	output.AddFlags(flags)
	return cmd
}

// versionOf chooses the version to build.
func versionOf(actor api.Actor, version, tag string) (string, error) {
	if len(actor.Versions) == 0 {
		return "", fault.New(fault.Usage, "actor %s has no version that could be built", actor.Name).WithHint("send its source with apify push")
	}
	var numbers []string
	for _, v := range actor.Versions {
		if v.VersionNumber == version {
			return version, nil
		}
		numbers = append(numbers, v.VersionNumber)
	}
	if version != "" {
		return "", fault.New(fault.NotFound, "actor %s has no version %s", actor.Name, version).WithHint("it has %s", strings.Join(numbers, ", "))
	}
	var tagged []api.ActorVersion
	for _, v := range actor.Versions {
		if tag != "" && v.BuildTag == tag {
			tagged = append(tagged, v)
		}
	}
	candidates := actor.Versions
	if len(tagged) > 0 {
		candidates = tagged
	}
	return slices.MaxFunc(candidates, func(a, b api.ActorVersion) int { return session.CompareVersions(a.VersionNumber, b.VersionNumber) }).VersionNumber, nil
}

func newWait(j job) *cobra.Command {
	return j.Wait(&cobra.Command{
		Use: "wait BUILD", Short: "Wait until a build has ended",
		Long: `Waits until a build has ended. The API holds its answer back until then, so there
is no interval to choose; --poll-interval is accepted and has no effect. Ctrl-C
only ends the waiting.

Exit codes: 0 it succeeded, 1 it failed, 2 it passed its time limit, 3 it was
aborted, 6 it had not ended after --timeout, 250 there is no such build.`,
		Example: "  apify builds wait BUILD --timeout 600",
	})
}

func newAbort(j job) *cobra.Command {
	return j.Verb(&cobra.Command{
		Use: "abort BUILD", Short: "End a build",
		Long: `Ends a build. One that has ended already stays as it is.

Exit codes: 0 it ends or has ended, 250 there is no such build, 1 anything else.`,
	}, func(ctx context.Context, build client.Build) (client.Answer[api.Build], error) {
		return build.Abort(ctx)
	})
}

func newRemove(j job) *cobra.Command {
	s := j.Session
	var yes bool
	cmd := &cobra.Command{
		Use: "rm BUILD", Aliases: []string{"remove"}, Short: "Delete a build", Args: cmdkit.Args(1, 1),
		Long: `Deletes a build for good. On a terminal it asks first; elsewhere it needs --yes.

Exit codes: 0 deleted, 250 there is no such build, 3 the answer was no, 1 nobody
could be asked, or anything else.`,
		RunE: s.Do(nil, func(ctx context.Context, c *client.Client, args []string) error {
			build, err := c.Build(args[0]).Get(ctx, 0)
			if err != nil {
				return j.Named(c, err, args[0])
			}
			if !yes {
				if err := s.IO.Confirm(fmt.Sprintf("Delete build %s (%s)?", build.Value.BuildNumber, build.Value.ID)); err != nil {
					return err
				}
			}
			if err := c.Build(build.Value.ID).Delete(ctx); err != nil {
				return err
			}
			s.Note("deleted build %s", build.Value.ID)
			return nil
		}),
	}
	session.AddYes(cmd, &yes)
	return cmd
}

func newAddTag(j job) *cobra.Command {
	s := j.Session
	var id, tag string
	cmd := &cobra.Command{
		Use: "add-tag", Short: "Give a build a tag", Args: cmdkit.Args(0, 0),
		Long: `Gives a build a tag, which another build of the Actor loses. Only a build that
has succeeded can have one.

Exit codes: 0 it has the tag, 250 there is no such build, 1 anything else.`,
		Example: "  apify builds add-tag --build BUILD --tag beta",
		RunE: s.Do(nil, func(ctx context.Context, c *client.Client, _ []string) error {
			build, err := c.Build(id).Get(ctx, 0)
			if err != nil {
				return j.Named(c, err, id)
			}
			if build.Value.Status != api.StatusSucceeded {
				return fault.New(fault.Conflict, "build %s is %s: only one that has succeeded can have a tag", id, build.Value.Status)
			}
			if err := setTag(ctx, c, build.Value.ActorID, tag, map[string]string{"buildId": build.Value.ID}); err != nil {
				return err
			}
			s.Note("build %s has the tag %s", build.Value.BuildNumber, tag)
			return nil
		}),
	}
	addTagFlags(cmd, &id, &tag)
	return cmd
}

func newRemoveTag(j job) *cobra.Command {
	s := j.Session
	var id, tag string
	var yes bool
	cmd := &cobra.Command{
		Use: "remove-tag", Short: "Take a tag from a build", Args: cmdkit.Args(0, 0),
		Long: `Takes a tag from a build. On a terminal it asks first; elsewhere it needs --yes.

Exit codes: 0 it is gone, 250 there is no such build or it has not the tag, 3 the
answer was no, 1 nobody could be asked, or anything else.`,
		Example: "  apify builds remove-tag --build BUILD --tag beta --yes",
		RunE: s.Do(nil, func(ctx context.Context, c *client.Client, _ []string) error {
			build, err := c.Build(id).Get(ctx, 0)
			if err != nil {
				return j.Named(c, err, id)
			}
			actor, err := c.Actor(build.Value.ActorID).Get(ctx)
			if err != nil {
				return err
			}
			if t := actor.Value.TaggedBuilds[tag]; t == nil || t.BuildID != build.Value.ID {
				tags := slices.Sorted(maps.Keys(actor.Value.TaggedBuilds))
				return fault.New(fault.NotFound, "build %s has not the tag %s", id, tag).WithHint("tags of the Actor are: %s", strings.Join(tags, ", "))
			}
			if !yes {
				if err := s.IO.Confirm(fmt.Sprintf("Take the tag %s from build %s?", tag, build.Value.BuildNumber)); err != nil {
					return err
				}
			}
			if err := setTag(ctx, c, build.Value.ActorID, tag, nil); err != nil {
				return err
			}
			s.Note("build %s has the tag %s no more", build.Value.BuildNumber, tag)
			return nil
		}),
	}
	addTagFlags(cmd, &id, &tag)
	session.AddYes(cmd, &yes)
	return cmd
}

func addTagFlags(cmd *cobra.Command, id, tag *string) {
	cmd.Flags().StringVarP(id, "build", "b", "", "`id` of the build")
	cmd.Flags().StringVarP(tag, "tag", "t", "", "the `tag`")
	for _, name := range []string{"build", "tag"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // both are defined above
		}
	}
}

// setTag makes a tag of an Actor point to a build; nil takes the tag away.
func setTag(ctx context.Context, c *client.Client, actor, tag string, build map[string]string) error {
	var to any
	if build != nil {
		to = build
	}
	_, err := c.Actor(actor).Update(ctx, map[string]any{"taggedBuilds": map[string]any{tag: to}})
	return err
}
