package session

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Handle is what client.Run and client.Build have in common: something that goes
// on until it has ended, and has a log.
type Handle[T any] interface {
	Get(ctx context.Context, wait time.Duration) (client.Answer[T], error)
	Wait(ctx context.Context) (client.Answer[T], error)
	Log(ctx context.Context, opts client.LogOptions) (io.ReadCloser, error)
	FollowLog(ctx context.Context, w io.Writer, raw bool) error
}

// Job is runs or builds: what is followed, waited for and ended alike.
type Job[T any, H Handle[T]] struct {
	Session *Session
	// Noun and Group are what one is called, and the command of all of them.
	Noun, Group string
	// Of is the job with an id.
	Of func(c *client.Client, id string) H
	// State tells one's id and status.
	State func(T) (id string, status api.Status)
	// Result is what a command that has waited for one prints.
	Result func(c *client.Client, operation string, job T) Result
}

// Named replaces the API's answer that there is no such job by one that says
// which and where.
func (j Job[T, H]) Named(c *client.Client, err error, id string) error {
	return Named(c, err, j.Noun, id, j.Group)
}

// Log makes cmd the command that prints one's log, and follows it.
func (j Job[T, H]) Log(cmd *cobra.Command) *cobra.Command {
	var follow, raw bool
	cmd.Args = cmdkit.Args(1, 1)
	cmd.RunE = j.Session.Do(nil, func(ctx context.Context, c *client.Client, args []string) error {
		job, out := j.Of(c, args[0]), j.Session.IO.Out
		if follow {
			return j.Named(c, job.FollowLog(ctx, out, raw), args[0])
		}
		log, err := job.Log(ctx, client.LogOptions{Raw: raw})
		if err != nil {
			return j.Named(c, err, args[0])
		}
		defer log.Close()
		_, err = io.Copy(out, log)
		return fault.Wrap(fault.Unavailable, err, "reading the log")
	})
	cmd.Flags().BoolVar(&follow, "follow", false, "go on until the "+j.Noun+" has ended")
	cmd.Flags().BoolVar(&raw, "raw", false, "keep escape sequences")
	return cmd
}

// Wait makes cmd the command that waits for one's end.
func (j Job[T, H]) Wait(cmd *cobra.Command) *cobra.Command {
	var output jq.Output
	var timeout, interval int
	cmd.Args = cmdkit.Args(1, 1)
	cmd.RunE = j.Session.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
		job := j.Of(c, args[0])
		ended, gaveUp, err := Await(ctx, time.Duration(timeout)*time.Second, job.Wait, job.Get)
		if err != nil {
			return j.Named(c, err, args[0])
		}
		return j.Session.End(ctx, &output, Waited(j.Result(c, "wait", ended.Value), gaveUp))
	})
	cmd.Flags().IntVarP(&timeout, "timeout", "t", 0, "`seconds` to wait at most; 0 for no limit")
	cmd.Flags().IntVar(&interval, "poll-interval", 2, "`seconds`; has no effect")
	output.AddFlags(cmd.Flags())
	return cmd
}

// Verb makes cmd a command that does something with one and says how it is then.
func (j Job[T, H]) Verb(cmd *cobra.Command, do func(ctx context.Context, job H) (client.Answer[T], error)) *cobra.Command {
	var output jq.Output
	cmd.Args = cmdkit.Args(1, 1)
	cmd.RunE = j.Session.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
		job, err := do(ctx, j.Of(c, args[0]))
		if err != nil {
			return j.Named(c, err, args[0])
		}
		if output.Wanted() {
			return output.Print(ctx, j.Session.IO, job)
		}
		id, status := j.State(job.Value)
		j.Session.Note("%s %s is %s", j.Noun, id, status)
		return nil
	})
	output.AddFlags(cmd.Flags())
	return cmd
}
