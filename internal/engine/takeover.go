package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// unfinished selects the runs that have not ended.
var unfinished = store.Query{Where: map[string][]string{store.ByStatus: {
	string(api.StatusReady), string(api.StatusRunning), string(api.StatusTimingOut), string(api.StatusAborting),
}}}

// Recover deals with the runs that an engine which is gone left unfinished, and
// tells how many there were. A local engine gives them a terminal status; any
// other takes them over: those that wait are started, those that run are watched
// on. The caller guarantees that no other engine serves the store.
func (e *Engine) Recover(ctx context.Context) (recovered int, err error) {
	runs, err := e.cfg.Store.Runs().Page(ctx, unfinished)
	if err != nil {
		return 0, err
	}
	if e.cfg.Local {
		for _, r := range runs.Items {
			if err := e.giveUp(ctx, r); err != nil {
				return recovered, err
			}
			recovered++
		}
		return recovered, nil
	}
	found := e.find(ctx)
	for _, r := range runs.Items {
		if err := e.takeOver(ctx, r, found); err != nil {
			return recovered, err
		}
		recovered++
	}
	return recovered, e.clearUp(ctx, found)
}

// giveUp ends a run whose code ended with its engine.
func (e *Engine) giveUp(ctx context.Context, r api.Run) error {
	now := api.Now()
	_, err := e.cfg.Store.Runs().Update(ctx, r.ID, func(r *api.Run) error {
		r.Status = api.StatusRunning // whichever step was next, it failed there
		message := "the engine that ran it ended unexpectedly"
		r.StatusMessage = &message
		run.Account(r, max(0, now.Sub(r.StartedAt.Time)))
		return run.Move(r, api.StatusFailed, now)
	})
	if err == nil {
		// What it had locked would stay invisible until the locks expire.
		err = e.unlock(ctx, r)
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// findings are what executors have of an engine that is gone.
type findings struct {
	things map[string][]finding // by run
	blind  map[string]error     // executors that cannot tell, by name
}

type finding struct {
	executor.Detached
	exec executor.Executor
}

func (e *Engine) find(ctx context.Context) findings {
	f := findings{things: map[string][]finding{}, blind: map[string]error{}}
	for _, exec := range e.cfg.Executors {
		list, err := exec.List(ctx)
		if err != nil {
			f.blind[exec.Name()] = err
			e.cfg.Logger.Error("looking for runs that go on", "executor", exec.Name(), "error", err)
		}
		for _, d := range list {
			f.things[d.RunID] = append(f.things[d.RunID], finding{d, exec})
		}
	}
	return f
}

// executor gives an executor by its name: that of the program, or one of those
// that the engine was made with.
func (e *Engine) executor(name string, p *Program) executor.Executor {
	if p != nil && (name == "" || p.Executor.Name() == name) {
		return p.Executor
	}
	for _, exec := range e.cfg.Executors {
		if exec.Name() == name {
			return exec
		}
	}
	return nil
}

// takeOver goes on with a run.
func (e *Engine) takeOver(ctx context.Context, r api.Run, found findings) error {
	kept, err := e.states.Get(ctx, r.ID)
	if fault.Is(err, fault.NotFound) {
		return e.giveUp(ctx, r) // it was started by an engine that kept nothing
	}
	if err != nil {
		return err
	}
	mark, err := e.marks.Get(ctx, r.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if key := inputKeyOf(r); key != kept.InputKey {
		// It was to become another Actor's just then.
		kept.InputKey, kept.Again, kept.Morphed = key, true, true
	}
	p, err := e.programAgain(ctx, r, "")
	if err != nil {
		e.cfg.Logger.Error("the build of a run that goes on is gone", "run", r.ID, "error", err)
		p = nil
	}
	secrets, err := e.storedSecrets(ctx, p, r, &kept)
	if err != nil {
		e.cfg.Logger.Error("reading the secret inputs of a run", "run", r.ID, "error", err)
	}
	if _, err := e.admit(); err != nil {
		return err
	}
	a, err := e.activate(ctx, r, p, kept, secrets, mark)
	if err != nil {
		e.running.Done()
		return err
	}
	e.reserve(kept.HostPort)
	if kept.Counts != nil && a.pricing.ByEvent() {
		if r, err = e.followCounts(ctx, a); err != nil {
			e.running.Done()
			return err
		}
	}
	instance, end := a.attach(ctx, r, found)
	switch {
	case end != nil:
		e.begin(a, r, func() outcome { return *end })
	case instance != nil:
		a.ticket = e.queue.Occupy(r.Options.MemoryMbytes)
		e.begin(a, r, func() outcome { return a.live(r, instance) })
	default:
		a.ticket = e.queue.Enter(r.Options.MemoryMbytes)
		e.begin(a, r, func() outcome { return a.live(r, nil) })
	}
	// The engine before may not have come to it.
	event := EventCreated
	if kept.Resurrected {
		event = EventResurrected
	}
	e.tell(event, r)
	return nil
}

// followCounts brings the record up to what was charged.
func (e *Engine) followCounts(ctx context.Context, a *active) (api.Run, error) {
	return e.update(ctx, a.id, func(r *api.Run) error {
		r.ChargedEventCounts = a.state().Counts
		return nil
	})
}

// attach finds the run's code again. Without an instance and an end it is to be
// started, for the first time or anew.
func (a *active) attach(ctx context.Context, r api.Run, found findings) (executor.Instance, *outcome) {
	kept := a.state()
	exec := a.engine.executor(kept.Executor, a.program)
	handle := kept.Handle
	if handle == "" {
		var err error
		if handle, err = a.search(ctx, found.things[a.id]); err != nil {
			return nil, lost(r, err)
		}
	}
	switch {
	case handle != "" && exec == nil:
		return nil, lost(r, fmt.Errorf("there is no executor %q here any more", kept.Executor))
	case handle != "":
		return a.attachTo(ctx, r, exec, handle)
	case r.Status == api.StatusAborting:
		return nil, &outcome{status: api.StatusAborted, message: abortedBefore}
	case r.Status == api.StatusTimingOut:
		return nil, lost(r, nil)
	case kept.Begun && !kept.Again:
		return nil, lost(r, errors.New("the server that ran it ended unexpectedly"))
	case found.blind[kept.Executor] != nil && kept.Since != nil:
		return nil, lost(r, found.blind[kept.Executor])
	}
	return nil, nil
}

// search looks among what an executor has of the run for code whose start was
// not recorded any more, and removes starts that were cut off. A start that is
// going on just now, without the engine that wanted it, comes to one or the
// other soon.
func (a *active) search(ctx context.Context, things []finding) (executor.Handle, error) {
	for {
		var starting []executor.Executor
		for _, thing := range things {
			if !thing.Started.IsZero() {
				return thing.Handle, nil
			}
			err := thing.exec.Remove(ctx, thing.Handle)
			if fault.Is(err, fault.Conflict) {
				starting = append(starting, thing.exec)
			} else if err != nil {
				return "", err
			}
		}
		if len(starting) == 0 {
			return "", nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(startingPause):
		}
		things = nil
		for _, exec := range starting {
			list, err := exec.List(ctx)
			if err != nil {
				return "", err
			}
			for _, d := range list {
				if d.RunID == a.id {
					things = append(things, finding{d, exec})
				}
			}
		}
	}
}

// startingPause is between two looks at a start that is going on.
const startingPause = 10 * time.Millisecond

func (a *active) attachTo(ctx context.Context, r api.Run, exec executor.Executor, handle executor.Handle) (executor.Instance, *outcome) {
	instance, err := exec.Attach(ctx, handle, executor.TakeOver{Output: a.take, After: executor.Position(a.log.Position())})
	switch {
	case err == nil:
	case a.state().Again:
		return nil, nil // it was ended to be started anew
	default:
		return nil, lost(r, err)
	}
	now := api.Now()
	err = a.keep(ctx, func(s *state) {
		if s.Since == nil {
			s.Since = &now
		}
		s.Handle, s.Begun, s.Executor = handle, true, exec.Name()
	})
	if err == nil && r.Status == api.StatusReady {
		_, err = a.move(api.StatusRunning)
	}
	if err != nil {
		a.kill(instance)
		return nil, lost(r, err)
	}
	return instance, nil
}

// lost gives the end of a run that nobody can tell the end of.
func lost(r api.Run, err error) *outcome {
	switch r.Status {
	case api.StatusAborting:
		return &outcome{status: api.StatusAborted, message: "Actor was aborted"}
	case api.StatusTimingOut:
		return &outcome{status: api.StatusTimedOut, message: "Actor run timed out"}
	}
	return &outcome{status: api.StatusFailed, message: lostMessage(err), force: true}
}

func lostMessage(err error) string {
	if why, ok := executor.LostOf(err); ok {
		return "the run was lost: " + why.Error()
	}
	return fmt.Sprintf("the run was lost: %v", err)
}

// clearUp removes what belongs to no run that goes on, and does again what may
// not have been done after the end of others.
func (e *Engine) clearUp(ctx context.Context, found findings) error {
	all, err := e.states.List(ctx)
	if err != nil {
		return err
	}
	for _, kept := range all {
		if e.lookup(kept.RunID) != nil {
			continue
		}
		r, err := e.stored(ctx, kept.RunID)
		switch {
		case fault.Is(err, fault.NotFound): // its start was cut off before it had a record
		case err != nil:
			return err
		case !r.Status.Terminal():
			continue // it has just been started
		default:
			e.tell(endEvents[r.Status], r)
		}
		if exec := e.executor(kept.Executor, nil); exec != nil {
			e.discard(ctx, kept.RunID, exec, kept.Handle)
		}
		if err := e.forget(ctx, kept.RunID); err != nil {
			return err
		}
	}
	for id, things := range found.things {
		if e.lookup(id) != nil {
			continue
		}
		for _, thing := range things {
			e.discard(ctx, id, thing.exec, thing.Handle)
		}
	}
	return nil
}

func (e *Engine) discard(ctx context.Context, id string, exec executor.Executor, handle executor.Handle) {
	if err := exec.Remove(ctx, handle); err != nil {
		e.cfg.Logger.Error("removing what a run has left", "run", id, "error", err)
	}
}
