// Package runs is the `apify runs` commands: what runs and ran of Actors.
package runs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

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
		Session: s, Noun: "run", Group: "runs", Of: (*client.Client).Run, Result: s.RunResult,
		State: func(r api.Run) (string, api.Status) { return r.ID, r.Status },
	}
	return s.Group(&cobra.Command{
		Use: "runs", Short: "See, follow and end runs of Actors",
	},
		newList(s), newInfo(j), newLog(j), newTop(s), newWait(j), newAbort(j), newResurrect(j), newReboot(j), newRemove(j))
}

type job = session.Job[api.Run, client.Run]

func newList(s *session.Session) *cobra.Command {
	var compact bool
	var task, status string
	var since time.Duration
	return session.NewList(s, session.List[api.RunShort]{
		Use: "ls [ACTOR]", Short: "List runs", Noun: "runs", Limit: 10, Args: cmdkit.Args(0, 1),
		Long: `Lists the runs of an Actor, of a task, or all of them, the oldest first.`,
		Example: "  apify runs ls --desc\n  apify runs ls my-actor --status FAILED,TIMED-OUT --since 24h\n" +
			"  apify runs ls --jq '.items[] | select(.status == \"RUNNING\") | .id'",
		Flags: func(flags *pflag.FlagSet) {
			flags.BoolVarP(&compact, "compact", "c", false, "show fewer columns")
			flags.StringVar(&task, "task", "", "list the runs of this `task`")
			flags.StringVar(&status, "status", "", "list those of this `status` only; several are parted by commas")
			flags.DurationVar(&since, "since", 0, "list those only that were started in this `time`, such as 12h")
		},
		Page: func(ctx context.Context, c *client.Client, args []string, opts client.ListOptions) (page api.Page[client.Answer[api.RunShort]], err error) {
			opts.Status = strings.ToUpper(status)
			if since > 0 {
				opts.StartedAfter = time.Now().Add(-since)
			}
			switch {
			case task != "" && len(args) > 0:
				return page, fault.New(fault.Usage, "--task and the Actor %q exclude each other", args[0])
			case task != "":
				found, err := s.Task(ctx, c, task)
				if err != nil {
					return page, err
				}
				return c.Task(found.Value.ID).Runs().List(ctx, opts)
			case len(args) > 0:
				found, err := s.Actor(ctx, c, args[0])
				if err != nil {
					return page, err
				}
				return c.Actor(found.Value.ID).Runs().List(ctx, opts)
			}
			return c.Runs().List(ctx, opts)
		},
		Columns: func() []session.Column[api.RunShort] {
			columns := []session.Column[api.RunShort]{
				{Title: "id", Cell: func(r api.RunShort) string { return r.ID }},
				{Title: "status", Cell: func(r api.RunShort) string { return string(r.Status) }},
				{Title: "started", Cell: func(r api.RunShort) string { return session.Moment(&r.StartedAt) }},
				{Title: "took", Cell: func(r api.RunShort) string { return session.Took(r.StartedAt, r.FinishedAt) }},
			}
			if compact {
				return columns
			}
			return append(columns,
				session.Column[api.RunShort]{Title: "actor", Cell: func(r api.RunShort) string { return r.ActorID }},
				session.Column[api.RunShort]{Title: "build", Cell: func(r api.RunShort) string { return session.Text(r.BuildNumber) }},
				session.Column[api.RunShort]{Title: "origin", Cell: func(r api.RunShort) string { return r.Meta.Origin }},
				session.Column[api.RunShort]{Title: "dataset", Cell: func(r api.RunShort) string { return r.DefaultDatasetID }},
			)
		},
	})
}

func newInfo(j job) *cobra.Command {
	s := j.Session
	var output jq.Output
	var verbose bool
	cmd := &cobra.Command{
		Use: "info RUN", Short: "Describe a run", Args: cmdkit.Args(1, 1),
		Long: `Describes a run.

Exit codes: 0 described, 250 there is no such run, 1 anything else.`,
		Example: "  apify runs info RUN --verbose\n  apify runs info RUN --jq .stats.computeUnits",
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			run, err := c.Run(args[0]).Get(ctx, 0)
			if err != nil {
				return j.Named(c, err, args[0])
			}
			if output.Wanted() {
				return output.Print(ctx, s.IO, run)
			}
			return s.IO.Fields(fields(run.Value, verbose))
		}),
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show what it has used too")
	output.AddFlags(cmd.Flags())
	return cmd
}

func fields(r api.Run, verbose bool) [][2]string {
	exit := ""
	if r.ExitCode != nil {
		exit = strconv.Itoa(*r.ExitCode)
	}
	list := [][2]string{
		{"id", r.ID}, {"actor", r.ActorID}, {"task", session.Text(r.ActorTaskID)}, {"status", string(r.Status)},
		{"message", session.Text(r.StatusMessage)}, {"exit code", exit},
		{"build", session.Text(r.BuildNumber)}, {"origin", r.Meta.Origin},
		{"started", session.Moment(&r.StartedAt)}, {"finished", session.Moment(r.FinishedAt)}, {"took", session.Took(r.StartedAt, r.FinishedAt)},
		{"dataset", r.DefaultDatasetID}, {"key-value store", r.DefaultKeyValueStoreID}, {"request queue", r.DefaultRequestQueueID},
		{"live view", r.ContainerURL},
	}
	if !verbose {
		return list
	}
	timeout := "none"
	if r.Options.TimeoutSecs > 0 {
		timeout = session.Span(time.Duration(r.Options.TimeoutSecs) * time.Second)
	}
	return append(list, [][2]string{
		{"memory limit", session.Size(int64(r.Options.MemoryMbytes) << 20)}, {"time limit", timeout},
		{"memory", fmt.Sprintf("%s on average, %s at most", session.Size(int64(r.Stats.MemAvgBytes)), session.Size(r.Stats.MemMaxBytes))},
		{"cpu", fmt.Sprintf("%.0f %% on average, %.0f %% at most", r.Stats.CPUAvgUsage, r.Stats.CPUMaxUsage)},
		{"network", fmt.Sprintf("%s received, %s sent", session.Size(r.Stats.NetRxBytes), session.Size(r.Stats.NetTxBytes))},
		{"compute units", strconv.FormatFloat(r.Stats.ComputeUnits, 'f', 4, 64)},
		{"cost", fmt.Sprintf("$%.4f", r.UsageTotalUSD)},
		{"restarts", strconv.Itoa(r.Stats.RestartCount)}, {"reboots", strconv.Itoa(r.Stats.RebootCount)},
		{"migrations", strconv.Itoa(r.Stats.MigrationCount)}, {"resurrections", strconv.Itoa(r.Stats.ResurrectCount)},
	}...)
}

func newLog(j job) *cobra.Command {
	return j.Log(&cobra.Command{
		Use: "log RUN", Short: "Print a run's log",
		Long: `Prints the log of a run, as it is now, or with --follow until the run has ended.
A connection that breaks is made anew, without gap and repetition. Ctrl-C ends the
following, not the run.

Exit codes: 0 printed, 250 there is no such run, 1 anything else.`,
		Example: "  apify runs log RUN | grep ERROR\n  apify runs log RUN --follow",
	})
}

func newWait(j job) *cobra.Command {
	return j.Wait(&cobra.Command{
		Use: "wait RUN", Short: "Wait until a run has ended",
		Long: `Waits until a run has ended. The API holds its answer back until then, so there is
no interval to choose; --poll-interval is accepted and has no effect. Ctrl-C only
ends the waiting.

Exit codes: 0 it succeeded, N the Actor's own exit code when it failed, 2 it passed
its time limit, 3 it was aborted, 6 it had not ended after --timeout, 250 there is
no such run.`,
		Example: "  apify runs wait RUN --timeout 600",
	})
}

func newAbort(j job) *cobra.Command {
	var force bool
	cmd := j.Verb(&cobra.Command{
		Use: "abort RUN", Short: "End a run",
		Long: `Ends a run gracefully: the Actor is told and has 30 seconds to finish. With --force
it is ended at once. A run that has ended already stays as it is.

Exit codes: 0 it ends or has ended, 250 there is no such run, 1 anything else.`,
	}, func(ctx context.Context, run client.Run) (client.Answer[api.Run], error) {
		return run.Abort(ctx, !force)
	})
	cmd.Flags().BoolVarP(&force, "force", "f", false, "do not give the Actor time to finish")
	return cmd
}

func newResurrect(j job) *cobra.Command {
	var opts client.ResurrectOptions
	var timeout, memory int
	var cmd *cobra.Command
	cmd = j.Verb(&cobra.Command{
		Use: "resurrect RUN", Aliases: []string{"revive"}, Short: "Let a run that has ended go on",
		Long: `Lets a run that has ended go on, with the storages it has. Its time starts anew.

Exit codes: 0 it runs again, 250 there is no such run, 1 it has not ended, or
anything else.`,
		Example: "  apify runs resurrect RUN --timeout 3600",
	}, func(ctx context.Context, run client.Run) (client.Answer[api.Run], error) {
		if cmd.Flags().Changed("timeout") {
			opts.TimeoutSecs = &timeout
		}
		if cmd.Flags().Changed("memory") {
			opts.MemoryMbytes = &memory
		}
		return run.Resurrect(ctx, opts)
	})
	cmd.Flags().StringVarP(&opts.Build, "build", "b", "", "`tag` or number of another build")
	cmd.Flags().IntVarP(&timeout, "timeout", "t", 0, "another time limit in `seconds`; 0 for none")
	cmd.Flags().IntVarP(&memory, "memory", "m", 0, "another memory limit in `MB`")
	return cmd
}

func newReboot(j job) *cobra.Command {
	return j.Verb(&cobra.Command{
		Use: "reboot RUN", Short: "Start the container of a run afresh",
		Long: `Starts the container of a run afresh; the run and its storages stay.

Exit codes: 0 it starts again, 250 there is no such run, 1 it is not running, or
anything else.`,
	}, func(ctx context.Context, run client.Run) (client.Answer[api.Run], error) { return run.Reboot(ctx) })
}

func newRemove(j job) *cobra.Command {
	s := j.Session
	var yes bool
	cmd := &cobra.Command{
		Use: "rm RUN", Aliases: []string{"remove"}, Short: "Delete a run that has ended", Args: cmdkit.Args(1, 1),
		Long: `Deletes a run that has ended, for good. On a terminal it asks first; elsewhere it
needs --yes.

Exit codes: 0 deleted, 250 there is no such run, 3 the answer was no, 1 nobody
could be asked, or anything else.`,
		RunE: s.Do(nil, func(ctx context.Context, c *client.Client, args []string) error {
			run, err := c.Run(args[0]).Get(ctx, 0)
			if err != nil {
				return j.Named(c, err, args[0])
			}
			if !run.Value.Status.Terminal() {
				return fault.New(fault.Conflict, "run %s is %s", run.Value.ID, run.Value.Status).WithHint("end it first with apify runs abort %s", run.Value.ID)
			}
			if !yes {
				if err := s.IO.Confirm(fmt.Sprintf("Delete run %s of Actor %s?", run.Value.ID, run.Value.ActorID)); err != nil {
					return err
				}
			}
			if err := c.Run(run.Value.ID).Delete(ctx); err != nil {
				return err
			}
			s.Note("deleted run %s", run.Value.ID)
			return nil
		}),
	}
	session.AddYes(cmd, &yes)
	return cmd
}
