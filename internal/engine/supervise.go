package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/hostport"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// GracePeriod is how long a run that is aborted gracefully may go on.
// Source: the platform's documentation of aborting.
const GracePeriod = 30 * time.Second

// cleanUpTimeout bounds what happens after a run, whatever became of the
// contexts around it.
const cleanUpTimeout = 20 * time.Second

// exitDelay is how long the caller of exit may need to read the answer.
const exitDelay = 50 * time.Millisecond

// webServerPort is the platform's port for a run's web server.
const webServerPort = 4321

var errEnded = errors.New("the run has ended")

type commandKind int

const (
	abortRun commandKind = iota
	rebootRun
	exitRun
)

type command struct {
	kind     commandKind
	graceful bool
	exit     api.RunExit
	accepted chan error
}

// active is a run that has not ended. One goroutine, supervise, decides about
// it; everybody else sends it commands.
type active struct {
	engine  *Engine
	program *Program
	id      string
	token   string
	// limited says that the memory was asked for, and is to be enforced.
	limited  bool
	workflow string
	// secretEnv lets the code decrypt its secret inputs.
	secretEnv []string
	inputKey  string

	webPort, hostPort int
	stdout, stderr    *output
	log               *logState
	events            broker
	usage             meter

	commands chan command
	early    []command     // came while the code was being started
	done     chan struct{} // closed after the terminal status was written
	changing sync.Mutex    // orders OnChange
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
}

// supervise takes the run from READY to its terminal status.
func (a *active) supervise(r api.Run) {
	end := a.live(r)

	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTimeout)
	defer cancel()
	if a.stdout != nil {
		a.stdout.flush()
		a.stderr.flush()
	}
	if a.engine.cfg.Drain != nil {
		a.engine.cfg.Drain(a.id)
	}
	a.tidy(ctx, r)
	a.finish(ctx, end)
}

// tidy takes back what belongs to the running only.
func (a *active) tidy(ctx context.Context, r api.Run) {
	log := a.engine.cfg.Logger.With("run", a.id)
	if err := a.engine.removeHeldInput(ctx, r, a.inputKey); err != nil {
		log.Error("removing the held input", "error", err)
	}
	// What the run had locked would stay invisible to the next one until the
	// locks expire.
	if err := a.engine.unlock(ctx, r); err != nil {
		log.Error("releasing request locks", "error", err)
	}
}

func (a *active) finish(ctx context.Context, end outcome) {
	for _, c := range a.early {
		c.accepted <- errEnded
	}
	a.log.end()
	_, err := a.engine.update(ctx, a.id, func(r *api.Run) error {
		if end.status == api.StatusFailed && r.Status == api.StatusReady {
			r.ExitCode = nil
		}
		if err := moveTo(r, end.status); err != nil {
			return err
		}
		r.ExitCode = end.exitCode
		a.usage.fill(&r.Stats)
		pinned := r.IsStatusMessageTerminal != nil && *r.IsStatusMessageTerminal
		keep := text(r.StatusMessage) != "" && (pinned || end.status == api.StatusSucceeded)
		if end.message != "" && (end.force || !keep) {
			r.StatusMessage = &end.message
		}
		return nil
	})
	if err != nil {
		a.engine.cfg.Logger.Error("recording the end of a run", "run", a.id, "error", err)
	}
	a.events.close()
	a.engine.mu.Lock()
	delete(a.engine.active, a.id)
	delete(a.engine.tokens, a.token)
	delete(a.engine.logs, a.id)
	a.engine.mu.Unlock()
	close(a.done)
}

// live starts the code, again after each reboot, and gives how the run ended.
func (a *active) live(r api.Run) outcome {
	ctx := a.engine.kill
	pass := a.engine.cfg.Output
	a.stdout, a.stderr = &output{log: a.log}, &output{log: a.log}
	if pass != nil {
		a.stdout.pass, a.stderr.pass = pass(r)
	}
	var deadline <-chan time.Time
	if at, ok := run.TimeoutAt(r); ok {
		timer := time.NewTimer(time.Until(at.Time))
		defer timer.Stop()
		deadline = timer.C
	}
	for {
		end, reboot := a.once(ctx, deadline)
		if !reboot {
			return end
		}
		if err := a.rebooted(ctx, r); err != nil {
			return failed(err)
		}
	}
}

// rebooted counts a reboot. The new process comes with a new client key, so the
// locks of the old one would hide its requests.
func (a *active) rebooted(ctx context.Context, r api.Run) error {
	a.log.append([]byte("ACTOR: Rebooting"))
	if err := a.engine.unlock(ctx, r); err != nil {
		return err
	}
	_, err := a.engine.update(ctx, a.id, func(r *api.Run) error {
		r.Stats.RebootCount++
		return nil
	})
	return err
}

// ports gives the port of the web server as the code and as the host see it.
func (a *active) ports() (web, host int, err error) {
	if a.program.Result.Image == "" {
		host, err = hostport.Free(webServerPort)
		return host, host, err
	}
	host, err = hostport.Free(0)
	return webServerPort, host, err
}

// once runs the code one time: until it ends, or a reboot is due.
func (a *active) once(ctx context.Context, deadline <-chan time.Time) (end outcome, reboot bool) {
	r, err := a.engine.Run(ctx, a.id)
	if err != nil {
		return failed(err), false
	}
	spec, err := a.spec(ctx, r)
	if err != nil {
		return failed(err), false
	}
	instance, aborted, err := a.start(ctx, spec)
	switch {
	case aborted:
		return outcome{status: api.StatusAborted, message: "Actor was aborted before it started"}, false
	case err != nil:
		return failed(err), false
	}
	if r.Status == api.StatusReady {
		if _, err := a.move(api.StatusRunning); err != nil {
			a.kill(instance)
			return failed(err), false
		}
	}
	return a.watch(ctx, instance, deadline)
}

// start starts the code. Starting a container can take long on a busy machine,
// so an abort does not wait for it; other commands do.
func (a *active) start(ctx context.Context, spec executor.Spec) (instance executor.Instance, aborted bool, err error) {
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
	killed, commands := ctx.Done(), a.commands
	for {
		select {
		case s := <-result:
			if aborted && s.err == nil {
				a.kill(s.instance)
				if _, err := s.instance.Wait(context.WithoutCancel(ctx)); err != nil {
					a.engine.cfg.Logger.Error("ending an aborted run", "run", a.id, "error", err)
				}
			}
			return s.instance, aborted, s.err
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

// abortStart makes a run that is being started ABORTING and stops the starting.
func (a *active) abortStart(cancel context.CancelFunc) bool {
	if _, err := a.move(api.StatusAborting); err != nil && !fault.Is(err, fault.Conflict) {
		a.engine.cfg.Logger.Error("aborting a run", "run", a.id, "error", err)
		return false
	}
	cancel()
	return true
}

// ended is what an instance's Wait gave.
type ended struct {
	exit executor.Exit
	err  error
}

// watch is the one place where it is decided what happens to running code.
func (a *active) watch(ctx context.Context, instance executor.Instance, deadline <-chan time.Time) (end outcome, reboot bool) {
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

	var (
		killed   = ctx.Done()
		graceEnd <-chan time.Time
		status   = api.StatusRunning
		exit     *api.RunExit
	)
	// become moves the run on; a refused or unrecorded step must not leave code
	// running that nobody watches.
	become := func(to api.Status) {
		if _, err := a.move(to); err == nil {
			status = to
		} else {
			a.engine.cfg.Logger.Error("changing a run's status", "run", a.id, "to", to, "error", err)
		}
	}
	obey := func(c command) {
		switch c.kind {
		case abortRun:
			if status != api.StatusAborting {
				become(api.StatusAborting)
			} else if c.graceful {
				break // it was told already
			}
			if c.graceful {
				graceEnd = time.After(GracePeriod)
				a.askToEnd(ctx, instance)
			} else {
				a.kill(instance)
			}
		case rebootRun:
			if status == api.StatusRunning && exit == nil {
				reboot = true
				a.kill(instance)
			}
		case exitRun:
			if status == api.StatusRunning && exit == nil {
				exit = &c.exit
				a.announceExit(ctx, c.exit)
				// The caller is part of what is killed; let it have its answer.
				time.AfterFunc(exitDelay, func() { a.kill(instance) })
			}
		}
		c.accepted <- nil
	}
	for _, c := range a.early {
		obey(c)
	}
	a.early = nil
	for {
		select {
		case x := <-over:
			return a.conclude(x, status, exit, reboot)

		case <-killed:
			killed = nil
			if status != api.StatusAborting {
				become(api.StatusAborting)
			}
			a.kill(instance)

		case <-deadline:
			deadline = nil
			if status == api.StatusRunning && exit == nil {
				become(api.StatusTimingOut)
				a.log.append([]byte("ACTOR: The run passed its time limit and is being stopped"))
				a.kill(instance)
			}

		case <-graceEnd:
			a.kill(instance)

		case c := <-a.commands:
			obey(c)
		}
	}
}

// conclude gives the outcome of code that has ended.
func (a *active) conclude(x ended, status api.Status, exit *api.RunExit, reboot bool) (outcome, bool) {
	code := x.exit.Code
	if exit != nil {
		code = exit.ExitCode
		x.err = nil
	}
	switch {
	case status == api.StatusAborting:
		return outcome{status: api.StatusAborted, exitCode: exitCodeOf(x), message: "Actor was aborted"}, false
	case status == api.StatusTimingOut:
		return outcome{status: api.StatusTimedOut, exitCode: exitCodeOf(x), message: "Actor run timed out"}, false
	case reboot && exit == nil:
		return outcome{}, true
	case x.err != nil:
		return outcome{status: api.StatusFailed, message: "the run was lost: " + x.err.Error(), force: true}, false
	case x.exit.OOMKilled:
		return outcome{status: api.StatusFailed, exitCode: &code, force: true,
			message: "Actor ran out of memory; give it more with a higher memory limit"}, false
	}
	return outcome{status: run.Finish(code), exitCode: &code, message: fmt.Sprintf("Actor finished with exit code %d", code)}, false
}

func exitCodeOf(x ended) *int {
	if x.err != nil {
		return nil
	}
	return &x.exit.Code
}

// askToEnd tells the code that it is being aborted. Code that listens to no
// events gets the operating system's own request instead.
func (a *active) askToEnd(ctx context.Context, instance executor.Instance) {
	a.log.append([]byte("ACTOR: The run is being aborted gracefully"))
	listeners := a.events.publish("aborting", nil)
	a.events.publish("persistState", map[string]bool{"isMigrating": false})
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
	return a.engine.update(ctx, a.id, func(r *api.Run) error { return moveTo(r, to) })
}

func moveTo(r *api.Run, to api.Status) error { return run.Move(r, to, api.Now()) }

func failed(err error) outcome {
	return outcome{status: api.StatusFailed, message: "Actor could not be started: " + err.Error(), force: true}
}
