package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine/broker"
	"github.com/greenroom-dev/greenroom/internal/engine/charging"
	"github.com/greenroom-dev/greenroom/internal/engine/meter"
	"github.com/greenroom-dev/greenroom/internal/engine/queue"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// GracePeriod is how long a run that is aborted gracefully may go on.
// Source: the platform's documentation of aborting.
const GracePeriod = 30 * time.Second

// cleanUpTimeout bounds what happens after a run, whatever became of the
// contexts around it.
const cleanUpTimeout = 20 * time.Second

// lastWords is how long the token of a run that has ended stays good.
const lastWords = 5 * time.Second

// exitDelay is how long the caller of exit may need to read the answer.
const exitDelay = 50 * time.Millisecond

var errEnded = errors.New("the run has ended")

type commandKind int

const (
	abortRun commandKind = iota
	rebootRun
	metamorphRun
	exitRun
)

type command struct {
	kind     commandKind
	graceful bool
	exit     api.RunExit
	change   func(context.Context) error // of metamorphRun: makes the run another Actor's
	accepted chan error
}

// active is a run that has not ended. One goroutine, supervise, decides about
// it; everybody else sends it commands.
type active struct {
	engine  *Engine
	id      string
	dataset string // the default one
	token   string
	pricing charging.Pricing
	ticket  *queue.Ticket
	pass    map[executor.Stream]io.Writer
	log     *runlog.Log
	events  broker.Broker
	usage   *meter.Meter

	// program and secrets are the supervisor's. The program is nil when the run
	// was taken over and its build is gone.
	program *Program
	secrets inputSecrets

	keeping sync.Mutex
	kept    state

	commands chan command
	early    []command     // came while the code was being started
	done     chan struct{} // closed after the terminal status was written
	changing sync.Mutex    // orders OnChange
	charging sync.Mutex
	over     sync.Once // that the run costs more than it may was acted on
}

// send hands a command to the supervisor and waits until it has acted on it.
func (a *active) send(ctx context.Context, c command) error {
	c.accepted = make(chan error, 1)
	select {
	case a.commands <- c:
		return <-c.accepted
	case <-a.done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outcome is how a run ends.
type outcome struct {
	status   api.Status
	exitCode *int
	message  string // for people, unless the code has set a better one
	force    bool   // message replaces whatever there is
	left     bool   // it has not ended: a later engine goes on with it
}

// supervise takes the run to its terminal status; live tells which.
func (a *active) supervise(r api.Run, live func() outcome) {
	end := live()
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTimeout)
	defer cancel()
	if !end.left {
		a.log.Flush()
		if a.engine.cfg.Drain != nil {
			a.engine.cfg.Drain(a.id)
		}
		a.tidy(ctx, r)
		a.log.End()
		a.finish(ctx, end)
	}
	a.leave()
	if a.ticket != nil {
		a.ticket.Leave()
	}
}

// tidy takes back what belongs to the running only.
func (a *active) tidy(ctx context.Context, r api.Run) {
	log := a.engine.cfg.Logger.With("run", a.id)
	if err := a.engine.removeHeldInput(ctx, r, a.state().InputKey); err != nil {
		log.Error("removing the held input", "error", err)
	}
	// What the run had locked would stay invisible to the next one until the
	// locks expire.
	if err := a.engine.unlock(ctx, r); err != nil && !fault.Is(err, fault.NotFound) {
		log.Error("releasing request locks", "error", err)
	}
}

// finish records the end, and then takes away what only its running needed.
func (a *active) finish(ctx context.Context, end outcome) {
	e := a.engine
	now := api.Now()
	r, err := e.update(ctx, a.id, func(r *api.Run) error {
		if err := run.Move(r, end.status, now); err != nil {
			return err
		}
		r.ExitCode = end.exitCode
		a.state().account(r, now.Time)
		a.usage.Fill(r)
		pinned := r.IsStatusMessageTerminal != nil && *r.IsStatusMessageTerminal
		keep := text(r.StatusMessage) != "" && (pinned || end.status == api.StatusSucceeded)
		if end.message != "" && (end.force || !keep) {
			r.StatusMessage = &end.message
		}
		return nil
	})
	if err != nil {
		// What is kept of it stays: a later engine gives it an end.
		e.cfg.Logger.Error("recording the end of a run", "run", a.id, "error", err)
		return
	}
	e.tell(endEvents[end.status], r)
	if err := e.book(ctx, r, a.state().Before); err != nil {
		e.cfg.Logger.Error("adding up usage", "run", a.id, "error", err)
	}
	a.remove(ctx)
	if err := e.forget(ctx, a.id); err != nil {
		e.cfg.Logger.Error("removing what was kept of a run", "run", a.id, "error", err)
	}
}

// remove takes away what the executor has of the run's code.
func (a *active) remove(ctx context.Context) {
	kept := a.state()
	exec := a.engine.executor(kept.Executor, a.program)
	if kept.Handle == "" || exec == nil {
		return
	}
	if err := exec.Remove(ctx, kept.Handle); err != nil {
		a.engine.cfg.Logger.Error("removing what a run has left", "run", a.id, "error", err)
	}
}

// leave makes the run one that nobody supervises.
func (a *active) leave() {
	for _, c := range a.early {
		c.accepted <- errEnded
	}
	a.events.Close()
	e := a.engine
	e.mu.Lock()
	delete(e.active, a.id)
	// SDKs send their last status message and exit: it may arrive after that.
	e.ended[a.id] = true
	time.AfterFunc(lastWords, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.ended, a.id)
	})
	if e.charged[a.dataset] == a {
		delete(e.charged, a.dataset)
	}
	delete(e.taken, a.state().HostPort)
	e.mu.Unlock()
	close(a.done)
}

// live starts the code, again after each reboot, and gives how the run ended.
// Instance is code of it that runs already.
func (a *active) live(r api.Run, instance executor.Instance) outcome {
	ctx := a.engine.kill
	if instance == nil {
		if end, ready := a.await(ctx); !ready {
			return end
		}
	}
	for {
		var end outcome
		var again bool
		if instance == nil {
			var ended bool
			if a.engine.isLeaving() {
				return outcome{left: true} // the next engine starts it
			}
			if instance, end, ended = a.begin(ctx); ended {
				return end
			}
		}
		end, again = a.watch(ctx, instance)
		if !again {
			return end
		}
		instance = nil
		if err := a.renew(ctx, r); err != nil {
			return failed(err)
		}
	}
}

// await waits until there is memory for the run. A run that is RUNNING all the
// same, because it was resurrected, or has become another Actor's, can wait too.
func (a *active) await(ctx context.Context) (end outcome, ready bool) {
	for {
		select {
		case <-a.ticket.Ready():
			return outcome{}, true
		default:
		}
		select {
		case <-a.ticket.Ready():
			return outcome{}, true
		case <-ctx.Done():
			return a.abortedEarly(), false
		case <-a.engine.leaving:
			return outcome{left: true}, false
		case c := <-a.commands:
			if c.kind == abortRun {
				end := a.abortedEarly()
				c.accepted <- nil
				return end, false
			}
			a.early = append(a.early, c)
		}
	}
}

const abortedBefore = "Actor was aborted before it started"

func (a *active) abortedEarly() outcome {
	if _, err := a.move(api.StatusAborting); err != nil && !fault.Is(err, fault.Conflict) {
		a.engine.cfg.Logger.Error("aborting a run", "run", a.id, "error", err)
	}
	return outcome{status: api.StatusAborted, message: abortedBefore}
}

// begin starts the code one time.
func (a *active) begin(ctx context.Context) (instance executor.Instance, end outcome, ended bool) {
	now := api.Now()
	if a.program == nil {
		return nil, failed(errors.New("its build is not there any more")), true
	}
	err := a.keep(ctx, func(s *state) {
		if s.Since == nil {
			s.Since = &now
		}
		s.Executor, s.Again, s.Morphed, s.Begun = a.program.Executor.Name(), false, false, false
	})
	var r api.Run
	if err == nil {
		r, err = a.engine.stored(ctx, a.id)
	}
	var spec executor.Spec
	if err == nil {
		spec, err = a.spec(ctx, r)
	}
	if err != nil {
		return nil, failed(err), true
	}
	a.usage.Began()
	instance, end, err = a.start(ctx, spec)
	switch {
	case end.status != "":
		return nil, end, true
	case err != nil:
		return nil, failed(err), true
	}
	if err = a.started(ctx, r, instance); err != nil {
		a.kill(instance)
		return nil, failed(err), true
	}
	return instance, outcome{}, false
}

// started records that the code runs. The two records are stored at once, so
// that they share the wait for the disk.
func (a *active) started(ctx context.Context, r api.Run, instance executor.Instance) error {
	handled := make(chan error, 1)
	go func() { handled <- a.keep(ctx, func(s *state) { s.Handle, s.Begun = instance.Handle(), true }) }()
	var err error
	if r.Status == api.StatusReady {
		_, err = a.move(api.StatusRunning)
	}
	return errors.Join(<-handled, err)
}

// renew prepares for starting the code anew: the old one has ended, but the
// executor remembers it.
func (a *active) renew(ctx context.Context, r api.Run) error {
	a.remove(ctx)
	a.log.Renew()
	// The new process comes with a new client key, so the locks of the old one
	// would hide its requests.
	if err := a.engine.unlock(ctx, r); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return a.keep(ctx, func(s *state) { s.Handle = "" })
}

// start starts the code. Starting a container can take long on a busy machine,
// so an abort does not wait for it, and end is then that of the run; other
// commands do.
func (a *active) start(ctx context.Context, spec executor.Spec) (instance executor.Instance, end outcome, err error) {
	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	type started struct {
		instance executor.Instance
		err      error
	}
	result := make(chan started, 1)
	go func() {
		instance, err := a.program.Executor.Start(starting, spec)
		result <- started{instance, err}
	}()
	killed, commands, aborted := ctx.Done(), a.commands, false
	for {
		select {
		case s := <-result:
			if aborted {
				end = a.calledOff(context.WithoutCancel(ctx), s.instance, s.err)
			}
			return s.instance, end, s.err
		case <-killed:
			killed = nil
			aborted = a.abortStart(cancel) || aborted
		case c := <-commands:
			if c.kind != abortRun {
				// The code can be running, and asking, before we hear that it
				// was started.
				a.early = append(a.early, c)
				continue
			}
			aborted = a.abortStart(cancel) || aborted
			c.accepted <- nil
			if aborted {
				commands = nil // a second abort finds the run ABORTING
			}
		}
	}
}

// calledOff ends code that was started although the run was aborted meanwhile.
func (a *active) calledOff(ctx context.Context, instance executor.Instance, err error) outcome {
	if err != nil {
		return outcome{status: api.StatusAborted, message: abortedBefore}
	}
	a.kill(instance)
	exit, err := instance.Wait(ctx)
	if err != nil {
		a.engine.cfg.Logger.Error("ending an aborted run", "run", a.id, "error", err)
	}
	if err := a.program.Executor.Remove(ctx, instance.Handle()); err != nil {
		a.engine.cfg.Logger.Error("removing an aborted run", "run", a.id, "error", err)
	}
	return outcome{status: api.StatusAborted, exitCode: exitCodeOf(ended{exit, err}), message: "Actor was aborted"}
}

// abortStart makes a run that is being started ABORTING and stops the starting.
func (a *active) abortStart(cancel context.CancelFunc) bool {
	if _, err := a.move(api.StatusAborting); err != nil && !fault.Is(err, fault.Conflict) {
		a.engine.cfg.Logger.Error("aborting a run", "run", a.id, "error", err)
		return false
	}
	cancel()
	return true
}

// askToEnd tells the code that it is being aborted. Code that listens to no
// events gets the operating system's own request instead.
func (a *active) askToEnd(ctx context.Context, instance executor.Instance) {
	listeners := a.events.Publish("aborting", nil)
	a.events.Publish("persistState", map[string]bool{"isMigrating": false})
	if listeners == 0 {
		if err := instance.Terminate(context.WithoutCancel(ctx)); err != nil {
			a.engine.cfg.Logger.Warn("asking a run to end", "run", a.id, "error", err)
		}
	}
}

func (a *active) announceExit(ctx context.Context, exit api.RunExit) {
	if exit.StatusMessage == "" {
		return
	}
	terminal := true
	_, err := a.engine.UpdateRun(ctx, a.id, api.RunUpdate{StatusMessage: &exit.StatusMessage, IsStatusMessageTerminal: &terminal})
	if err != nil {
		a.engine.cfg.Logger.Error("setting a status message", "run", a.id, "error", err)
	}
}

func (a *active) kill(instance executor.Instance) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTimeout)
	defer cancel()
	if err := instance.Kill(ctx); err != nil {
		a.engine.cfg.Logger.Error("killing a run", "run", a.id, "error", err)
	}
}

// move changes the run's status.
func (a *active) move(to api.Status) (api.Run, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTimeout)
	defer cancel()
	return a.engine.update(ctx, a.id, func(r *api.Run) error { return run.Move(r, to, api.Now()) })
}

func failed(err error) outcome {
	return outcome{status: api.StatusFailed, message: fmt.Sprintf("Actor could not be started: %v", err), force: true}
}
