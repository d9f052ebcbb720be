package session

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// watched is a run or a build that somebody waits for.
type watched[T any] struct {
	noun string
	// follow writes its log until it has ended; wait returns it once it has; get
	// reads it as it is.
	follow func(ctx context.Context, w io.Writer) error
	wait   func(ctx context.Context) (client.Answer[T], error)
	get    func(ctx context.Context) (client.Answer[T], error)
	// abort ends it, at once when it was asked before.
	abort func(ctx context.Context, atOnce bool) error
	// warning says what a first Ctrl-C has done.
	warning string
}

// errLeft ends a wait when somebody will not even wait for the abort.
var errLeft = errors.New("left")

// watch waits for an end, writing the log unless it is nil. An interrupt aborts
// what is watched, a second one at once, a third one only stops waiting. A limit
// of 0 is none; when it has passed, the thing is given as it is then, without an
// error.
func watch[T any](ctx context.Context, s *Session, thing watched[T], log io.Writer, limit time.Duration) (client.Answer[T], error) {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	waiting := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go s.abortOn(ctx, signals, thing.noun, thing.warning, thing.abort, leave)

	if log != nil {
		err := thing.follow(waiting, log)
		switch {
		case err == nil || waiting.Err() != nil:
		case fault.Is(err, fault.Unavailable):
			return client.Answer[T]{}, err
		default: // one that may be read without its log, or a log that nobody reads any more
			s.Note("warning: the log cannot be followed: %s", err)
		}
	}
	answer, err := thing.wait(waiting)
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(context.Cause(ctx), errLeft):
		return answer, fault.New(fault.Aborted, "left before the %s had ended", thing.noun)
	case ctx.Err() == nil && waiting.Err() != nil:
		return thing.get(ctx)
	}
	return answer, err
}

func (s *Session) abortOn(
	ctx context.Context, signals <-chan os.Signal, noun, warning string,
	abort func(ctx context.Context, atOnce bool) error, leave context.CancelCauseFunc,
) {
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case got := <-signals:
			switch n {
			case 1:
				s.Note("got %s: %s", got, warning)
			case 2:
				s.Note("ending the %s at once", noun)
			default:
				leave(errLeft)
				return
			}
			go func() {
				if err := abort(ctx, n > 1); err != nil && ctx.Err() == nil {
					s.Note("aborting failed: %s", err)
				}
			}()
		}
	}
}

// WatchRun waits until a run has ended, or for the limit.
func (s *Session) WatchRun(ctx context.Context, c *client.Client, id string, log io.Writer, limit time.Duration) (client.Answer[api.Run], error) {
	run := c.Run(id)
	return watch(ctx, s, watched[api.Run]{
		noun:   "run",
		follow: func(ctx context.Context, w io.Writer) error { return run.FollowLog(ctx, w, false) },
		wait:   run.Wait,
		get:    func(ctx context.Context) (client.Answer[api.Run], error) { return run.Get(ctx, 0) },
		abort: func(ctx context.Context, atOnce bool) error {
			_, err := run.Abort(ctx, !atOnce)
			return err
		},
		warning: "aborting the run gracefully, within 30 seconds; repeat to end it at once",
	}, log, limit)
}

// WatchBuild waits until a build has ended, or for the limit.
func (s *Session) WatchBuild(ctx context.Context, c *client.Client, id string, log io.Writer, limit time.Duration) (client.Answer[api.Build], error) {
	build := c.Build(id)
	return watch(ctx, s, watched[api.Build]{
		noun:   "build",
		follow: func(ctx context.Context, w io.Writer) error { return build.FollowLog(ctx, w, false) },
		wait:   build.Wait,
		get:    func(ctx context.Context) (client.Answer[api.Build], error) { return build.Get(ctx, 0) },
		abort: func(ctx context.Context, _ bool) error {
			_, err := build.Abort(ctx)
			return err
		},
		warning: "aborting the build",
	}, log, limit)
}

// ExitStatus is what a command ends with whose run or build has ended so: the
// program's own exit code when it failed, else the codes of the official CLI.
// What has not ended yet is 0.
func ExitStatus(status api.Status, exitCode *int) int {
	switch status {
	case api.StatusTimedOut, api.StatusTimingOut:
		return fault.TimedOut.ExitStatus()
	case api.StatusAborted, api.StatusAborting:
		return fault.Aborted.ExitStatus()
	case api.StatusFailed:
		if exitCode != nil && *exitCode != 0 {
			return *exitCode
		}
		return fault.RunFailed.ExitStatus()
	}
	return 0
}

// Await waits until something has ended, for the limit at most; 0 is none. After
// it, the thing is given as it is then, with gaveUp.
func Await[T any](
	ctx context.Context, limit time.Duration,
	wait func(context.Context) (client.Answer[T], error), get func(context.Context, time.Duration) (client.Answer[T], error),
) (answer client.Answer[T], gaveUp bool, err error) {
	waiting := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	answer, err = wait(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		answer, err = get(ctx, 0)
		return answer, true, err
	}
	return answer, false, err
}

// Waited is the result of a wait that was given up.
func Waited(r Result, gaveUp bool) Result {
	if gaveUp && r.ExitCode == 0 {
		r.OK, r.TimedOut, r.ExitCode = false, true, fault.GaveUpWaiting.ExitStatus()
		r.Error = &Failure{Phase: "wait", Message: "it had not ended when the time to wait was over"}
	}
	return r
}
