package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fatih/color"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// run does what the command is for.
func (o *Options) run(ctx context.Context) (err error) {
	if o.factory.StartPlatform == nil {
		return fault.New(fault.Unavailable, "this binary cannot run Actors").
			WithHint("use the apify command of the same release")
	}
	// Before anything is started, a signal just ends the command.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	preparing, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	started, early := make(chan struct{}), make(chan os.Signal, 1)
	go func() {
		defer close(early)
		select {
		case s := <-signals:
			early <- s
			cancel(errInterrupted)
		case <-started:
		case <-preparing.Done():
		}
	}()

	view := newView(o)
	input, err := o.input(preparing, view)
	if err != nil {
		return interrupted(preparing, err)
	}
	options, err := o.platformOptions(view)
	if err != nil {
		return err
	}
	platform, err := o.factory.StartPlatform(preparing, options)
	if err != nil {
		return interrupted(preparing, err)
	}
	defer func() { err = errors.Join(err, platform.Close()) }()

	if err := o.prepare(preparing, platform, input); err != nil {
		return interrupted(preparing, err)
	}
	c, err := client.New(client.Options{
		BaseURL: platform.BaseURL(), Token: platform.Token(), UserAgent: "greenroom/" + o.factory.Version, Origin: "CLI",
	})
	if err != nil {
		return err
	}
	first, err := c.Actor(platform.ActorID()).Start(preparing, client.StartOptions{
		Input: input, ContentType: contentType(input), TimeoutSecs: positive(o.TimeoutSecs), MemoryMbytes: positive(o.MemoryMbytes),
	})
	if err != nil {
		return interrupted(preparing, err)
	}
	close(started)
	abort := &aborter{run: c.Run(first.Value.ID), view: view}
	if s, ok := <-early; ok {
		abort.signal(ctx, s) // it came just as the run was started
	}
	r, err := o.await(ctx, abort, signals)
	if err != nil {
		return err
	}
	return o.report(ctx, c, platform, r, view)
}

// prepare does what must succeed before there is a run. The order matters: a
// mistyped input or a broken Dockerfile must not cost the last run's results.
func (o *Options) prepare(ctx context.Context, platform cmdkit.Platform, input []byte) error {
	if err := platform.CheckInput(ctx, input, contentType(input)); err != nil {
		return err
	}
	if err := platform.Build(ctx); err != nil {
		return err
	}
	if o.NoPurge || o.Resurrect {
		return nil
	}
	return platform.Purge(ctx)
}

// await waits until the run has ended.
func (o *Options) await(ctx context.Context, abort *aborter, signals <-chan os.Signal) (api.Run, error) {
	type answer struct {
		run api.Run
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		r, err := abort.run.Wait(ctx)
		answers <- answer{r.Value, err}
	}()
	for {
		select {
		case a := <-answers:
			return a.run, a.err
		case s := <-signals:
			abort.signal(ctx, s)
		}
	}
}

// aborter ends a run on signals: the first one gracefully, the second one at
// once.
type aborter struct {
	run  client.Run
	view *view
	told bool
}

func (a *aborter) signal(ctx context.Context, s os.Signal) {
	if a.told {
		a.view.notice("killing the run")
	} else {
		a.view.notice(fmt.Sprintf("got %s: aborting the run gracefully, within 30 seconds; repeat to kill it", s))
	}
	go func(gracefully bool) {
		if _, err := a.run.Abort(ctx, gracefully); err != nil {
			a.view.notice("aborting failed: " + err.Error())
		}
	}(!a.told)
	a.told = true
}

// report prints what was asked for, and gives the exit code.
func (o *Options) report(ctx context.Context, c *client.Client, platform cmdkit.Platform, r api.Run, view *view) error {
	switch {
	case o.JSON:
		if err := o.factory.IO.PrintJSON(r); err != nil {
			return err
		}
	case o.Output:
		if err := printItems(ctx, c, r.DefaultDatasetID, o.factory.IO.Out); err != nil {
			return err
		}
	}
	if r.Status != api.StatusSucceeded {
		view.silent = false // a failure is not part of the log
	}
	view.notice(o.summary(ctx, c, platform, r, view))
	if status := exitStatus(r); status != 0 {
		return &cmdkit.ExitError{Status: status}
	}
	return nil
}

func (o *Options) summary(ctx context.Context, c *client.Client, platform cmdkit.Platform, r api.Run, view *view) string {
	hue := color.FgRed
	if r.Status == api.StatusSucceeded {
		hue = color.FgGreen
	}
	line := fmt.Sprintf("%s after %.1f s", view.paint(hue, string(r.Status)), r.Stats.RunTimeSecs)
	if r.StatusMessage != nil && *r.StatusMessage != "" {
		line += ": " + *r.StatusMessage
	}
	if dataset, err := c.Dataset(r.DefaultDatasetID).Get(ctx); err == nil {
		line += fmt.Sprintf(" (%d items in the dataset, storages in %s)", dataset.ItemCount, platform.StorageDir())
	}
	return line
}

// printItems writes a dataset as one JSON array, item by item.
func printItems(ctx context.Context, c *client.Client, id string, w io.Writer) error {
	body, err := c.Dataset(id).Items(ctx, client.ItemsOptions{})
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.Copy(w, body); err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

// exitStatus is what the command ends with: the Actor's own exit code, and for
// what has none the codes of the official CLI.
func exitStatus(r api.Run) int {
	switch r.Status {
	case api.StatusSucceeded:
		return 0
	case api.StatusTimedOut:
		return fault.TimedOut.ExitStatus()
	case api.StatusAborted:
		return fault.Aborted.ExitStatus()
	}
	if r.ExitCode != nil && *r.ExitCode != 0 {
		return *r.ExitCode
	}
	return fault.RunFailed.ExitStatus()
}

var errInterrupted = fault.New(fault.Aborted, "interrupted before the run was started")

// interrupted replaces an error that a signal has caused.
func interrupted(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errInterrupted) {
		return errInterrupted
	}
	return err
}

func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}
