package engine

import (
	"context"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// state is what it takes to go on with a run that has not ended after the
// engine that started it was killed. Its record is there before the run's own,
// and goes once everything that follows the run's end is done.
type state struct {
	RunID string `json:"runId"`
	// Executor is the name of the one that started the code, Handle what that
	// finds it by; it is empty while nothing is started.
	Executor string          `json:"executor,omitempty"`
	Handle   executor.Handle `json:"handle,omitempty"`
	// Begun says that the code was started: with no handle it ended with its
	// engine.
	Begun bool `json:"begun,omitempty"`
	// Limited says that the memory is to be enforced.
	Limited    bool   `json:"limited,omitempty"`
	Workflow   string `json:"workflow"`
	InputKey   string `json:"inputKey"`
	Sealed     bool   `json:"sealed,omitempty"` // the input has secret fields
	Permission string `json:"permission,omitempty"`
	WebPort    int    `json:"webPort"`
	HostPort   int    `json:"hostPort"`
	// Since is when the run's memory was there, or its last resurrection: time
	// limits count from then. PastMillis is how long it had run before.
	Since      *api.Time `json:"since,omitempty"`
	PastMillis int64     `json:"pastMillis,omitempty"`
	// GraceUntil is when a run that was asked to end is killed.
	GraceUntil *api.Time `json:"graceUntil,omitempty"`
	// Exit is how the run was told to end, Again that its code is to be started
	// anew once it has.
	Exit  *api.RunExit `json:"exit,omitempty"`
	Again bool         `json:"again,omitempty"`
	// Morphed says that it is then another Actor's. Reboots and Errors are how
	// often the run's record is to say then that it was rebooted, and started
	// again after an error: whoever comes to it, and how often, counts the same.
	Morphed bool `json:"morphed,omitempty"`
	Reboots int  `json:"reboots,omitempty"`
	Errors  int  `json:"errors,omitempty"`
	// Restarts are the latest restarts on errors.
	Restarts []api.Time `json:"restarts,omitempty"`
	// Charges are the idempotency keys of the latest charges; Counts are the
	// events charged with them, which the run's record follows.
	Charges []string       `json:"charges,omitempty"`
	Counts  map[string]int `json:"counts,omitempty"`
	// Before is what the run had used when it was resurrected.
	Before map[string]float64 `json:"before,omitempty"`
	// Resurrected says that the run was, and ended before.
	Resurrected bool `json:"resurrected,omitempty"`
}

var (
	stateKind = store.Kind[state]{Name: "run-state"}
	markKind  = store.Kind[runlog.Mark]{Name: "run-log"}
)

// keep changes what is kept of an active run, and stores it. What an engine
// that dies with its runs keeps stays in memory.
func (a *active) keep(ctx context.Context, change func(*state)) error {
	a.keeping.Lock()
	defer a.keeping.Unlock()
	next := a.kept
	change(&next)
	if a.engine.states != nil {
		_, err := a.engine.states.Update(ctx, a.id, func(s *state) error {
			*s = next
			return nil
		})
		if err != nil {
			return err
		}
	}
	a.kept = next
	return nil
}

// now gives what is kept of the run.
func (a *active) state() state {
	a.keeping.Lock()
	defer a.keeping.Unlock()
	return a.kept
}

// forget removes what was kept of a run.
func (e *Engine) forget(ctx context.Context, id string) error {
	if e.states == nil {
		return nil
	}
	for _, remove := range []func(context.Context, string) error{e.states.Delete, e.marks.Delete} {
		if err := remove(ctx, id); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// deadline is when the run's time is over; ok is false for a run without limit
// or one that has not begun.
func (s state) deadline(r api.Run) (at time.Time, ok bool) {
	if s.Since == nil {
		return time.Time{}, false
	}
	limit, ok := run.TimeoutAt(r.Options, *s.Since)
	return limit.Time, ok
}

// account brings a run's duration and compute units up to date.
func (s state) account(r *api.Run, now time.Time) {
	past := time.Duration(s.PastMillis) * time.Millisecond
	if s.Since != nil {
		past += max(0, now.Sub(s.Since.Time))
	}
	run.Account(r, past)
}
