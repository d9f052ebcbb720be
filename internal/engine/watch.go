package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// ended is what an instance's Wait gave.
type ended struct {
	exit executor.Exit
	err  error
}

// watching is what watch knows about code that runs.
type watching struct {
	*active
	ctx      context.Context
	instance executor.Instance
	status   api.Status
	killed   bool // by us, for whatever reason
	graceEnd <-chan time.Time
}

// watch is the one place where it is decided what happens to running code.
func (a *active) watch(ctx context.Context, instance executor.Instance) (end outcome, again bool) {
	r, err := a.engine.stored(context.WithoutCancel(ctx), a.id)
	if err != nil {
		a.kill(instance)
		return failed(err), false
	}
	w := &watching{active: a, ctx: ctx, instance: instance, status: r.Status}
	over := make(chan ended, 1)
	go func() {
		exit, err := instance.Wait(context.WithoutCancel(ctx))
		over <- ended{exit, err}
	}()
	measuring, stop := context.WithCancel(ctx)
	var measured sync.WaitGroup
	measured.Go(func() { a.measure(measuring, instance) })
	defer measured.Wait()
	defer stop()

	deadline, cancel := w.timer(r)
	defer cancel()
	w.resume()
	for _, c := range a.early {
		c.accepted <- w.obey(c)
	}
	a.early = nil
	killed, leaving := ctx.Done(), a.engine.leaving
	for {
		select {
		case x := <-over:
			if errors.Is(x.err, executor.ErrClosed) {
				return outcome{left: true}, false
			}
			return w.conclude(x)
		case <-leaving:
			if instance.Handle() != "" {
				return outcome{left: true}, false
			}
			leaving = nil // it would end with us, without an end of its own
			w.become(api.StatusAborting)
			w.end()
		case <-killed:
			killed = nil
			w.become(api.StatusAborting)
			w.end()
		case <-deadline:
			deadline = nil
			if w.status == api.StatusRunning && a.state().Exit == nil {
				w.become(api.StatusTimingOut)
				a.log.Say("ACTOR: The run passed its time limit and is being stopped")
				w.end()
			}
		case <-w.graceEnd:
			w.end()
		case c := <-a.commands:
			c.accepted <- w.obey(c)
		}
	}
}

// timer gives what fires when the run's time is over.
func (w *watching) timer(r api.Run) (deadline <-chan time.Time, cancel func()) {
	at, ok := w.active.state().deadline(r)
	if !ok {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(at))
	return timer.C, func() { timer.Stop() }
}

// resume goes on with what an engine before had begun.
func (w *watching) resume() {
	kept := w.active.state()
	switch {
	case w.status == api.StatusTimingOut:
		w.end()
	case w.status == api.StatusAborting && kept.GraceUntil != nil:
		w.graceEnd = time.After(time.Until(kept.GraceUntil.Time))
	case w.status == api.StatusAborting, kept.Exit != nil, kept.Again:
		w.end()
	}
}

// end kills the code.
func (w *watching) end() {
	w.killed = true
	w.active.kill(w.instance)
}

// become moves the run on; a refused or unrecorded step must not leave code
// running that nobody watches.
func (w *watching) become(to api.Status) {
	if w.status == to {
		return
	}
	if _, err := w.active.move(to); err == nil {
		w.status = to
	} else {
		w.engine.cfg.Logger.Error("changing a run's status", "run", w.id, "to", to, "error", err)
	}
}

func (w *watching) obey(c command) error {
	switch c.kind {
	case abortRun:
		return w.abort(c.graceful)
	case rebootRun, metamorphRun:
		return w.again(c)
	case exitRun:
		return w.exit(c.exit)
	}
	return nil
}

func (w *watching) abort(gracefully bool) error {
	switch {
	case w.status != api.StatusAborting:
		if gracefully {
			until := api.TimeOf(time.Now().Add(GracePeriod))
			if err := w.keep(w.ctx, func(s *state) { s.GraceUntil = &until }); err != nil {
				return err
			}
		}
		w.become(api.StatusAborting)
	case gracefully:
		return nil // it was told already
	}
	if !gracefully {
		w.end()
		return nil
	}
	w.graceEnd = time.After(GracePeriod)
	w.log.Say("ACTOR: The run is being aborted gracefully")
	w.askToEnd(w.ctx, w.instance)
	return nil
}

// again ends the code so that it is started anew, perhaps as another Actor's.
func (w *watching) again(c command) error {
	kept := w.active.state()
	switch {
	case w.status != api.StatusRunning || kept.Exit != nil:
		return errEnded
	case kept.Again && c.kind == rebootRun:
		return nil
	case kept.Again:
		return fault.New(fault.InvalidRequest, "the run is being started anew just now").WithType("job-finished")
	}
	if c.kind == metamorphRun {
		if err := c.change(w.ctx); err != nil {
			return err
		}
	} else {
		r, err := w.engine.stored(w.ctx, w.id)
		if err == nil {
			err = w.keep(w.ctx, func(s *state) { s.Again, s.Reboots = true, r.Stats.RebootCount+1 })
		}
		if err != nil {
			return err
		}
		w.log.Say("ACTOR: Rebooting")
	}
	w.end()
	return nil
}

func (w *watching) exit(exit api.RunExit) error {
	kept := w.active.state()
	if w.status != api.StatusRunning || kept.Exit != nil || kept.Again {
		return nil
	}
	if err := w.keep(w.ctx, func(s *state) { s.Exit = &exit }); err != nil {
		return err
	}
	w.announceExit(w.ctx, exit)
	// The caller is part of what is killed; let it have its answer.
	w.killed = true
	time.AfterFunc(exitDelay, func() { w.active.kill(w.instance) })
	return nil
}

// conclude gives the outcome of code that has ended.
func (w *watching) conclude(x ended) (outcome, bool) {
	kept := w.active.state()
	code := x.exit.Code
	if kept.Exit != nil {
		code, x.err = kept.Exit.ExitCode, nil
	}
	switch {
	case w.status == api.StatusAborting:
		return outcome{status: api.StatusAborted, exitCode: exitCodeOf(x), message: "Actor was aborted"}, false
	case w.status == api.StatusTimingOut:
		return outcome{status: api.StatusTimedOut, exitCode: exitCodeOf(x), message: "Actor run timed out"}, false
	case kept.Again && kept.Exit == nil:
		return w.rebooted()
	case x.err != nil:
		return outcome{status: api.StatusFailed, message: lostMessage(x.err), force: true}, false
	}
	end := outcome{status: run.Finish(code), exitCode: &code, message: fmt.Sprintf("Actor finished with exit code %d", code)}
	if kept.Exit == nil && !w.killed {
		if why := causeOf(x.exit); why != "" {
			end = outcome{status: api.StatusFailed, exitCode: &code, force: true, message: why}
		}
	}
	if end.status == api.StatusFailed && kept.Exit == nil {
		return w.restart(end)
	}
	return end, false
}

// causeOf says for people what ended code that has not ended by itself; "" when
// it has, or nobody knows.
func causeOf(exit executor.Exit) string {
	if exit.OOMKilled {
		return "Actor ran out of memory; give it more with a higher memory limit"
	}
	switch exit.Cause {
	case executor.CauseHostMemory:
		return "the machine ran out of memory and ended the Actor; run fewer at once, or give the machine more"
	case executor.CauseEngine:
		return "the container engine was stopped and ended the Actor"
	case executor.CauseOutside:
		return "somebody else ended the Actor's container"
	}
	return ""
}

// rebooted counts what the new start is for; a metamorphosis was counted when it
// was asked for.
func (w *watching) rebooted() (outcome, bool) {
	kept := w.active.state()
	if kept.Morphed {
		return outcome{}, true
	}
	_, err := w.engine.update(w.ctx, w.id, func(r *api.Run) error {
		r.Stats.RebootCount = max(r.Stats.RebootCount, kept.Reboots)
		r.Stats.RestartCount = max(r.Stats.RestartCount, kept.Errors)
		return nil
	})
	if err != nil {
		return failed(err), false
	}
	return outcome{}, true
}

// restart starts code again that has failed, if the run asks for it and that
// does not happen all the time.
func (w *watching) restart(end outcome) (outcome, bool) {
	r, err := w.engine.stored(w.ctx, w.id)
	if err != nil || !r.Options.RestartOnError || w.program == nil {
		return end, false
	}
	restarts, ok := run.MayRestart(w.active.state().Restarts, time.Now())
	if !ok {
		w.log.Say(fmt.Sprintf("ACTOR: %s. It is not started again, because that happened %d times in the last minute", end.message, run.RestartsAllowed))
		return end, false
	}
	if err := w.keep(w.ctx, func(s *state) { s.Restarts, s.Again, s.Errors = restarts, true, r.Stats.RestartCount+1 }); err != nil {
		return failed(err), false
	}
	w.log.Say(fmt.Sprintf("ACTOR: %s. It is started again", end.message))
	return w.rebooted()
}

func exitCodeOf(x ended) *int {
	if x.err != nil {
		return nil
	}
	return &x.exit.Code
}
