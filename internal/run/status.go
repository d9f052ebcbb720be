// Package run says what a run is: its statuses and their legal transitions,
// its options and the environment its code sees. It does no I/O.
package run

import (
	"slices"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// transitions is the whole life of a run:
//
//	READY → RUNNING → SUCCEEDED | FAILED
//	              ↘ TIMING-OUT → TIMED-OUT
//	READY | RUNNING | TIMING-OUT → ABORTING → ABORTED
//	any terminal status → (resurrect) → RUNNING
//
// READY → FAILED is a run whose container could not be started.
var transitions = map[api.Status][]api.Status{
	api.StatusReady:     {api.StatusRunning, api.StatusAborting, api.StatusFailed},
	api.StatusRunning:   {api.StatusSucceeded, api.StatusFailed, api.StatusTimingOut, api.StatusAborting},
	api.StatusTimingOut: {api.StatusTimedOut, api.StatusAborting},
	api.StatusAborting:  {api.StatusAborted},
	api.StatusSucceeded: {api.StatusRunning},
	api.StatusFailed:    {api.StatusRunning},
	api.StatusTimedOut:  {api.StatusRunning},
	api.StatusAborted:   {api.StatusRunning},
}

// CanMove reports whether a run may go from one status to the other in one step.
func CanMove(from, to api.Status) bool { return slices.Contains(transitions[from], to) }

// Move sets the status of r, and its end time when the status is terminal. An
// illegal step changes nothing and is fault.Conflict.
func Move(r *api.Run, to api.Status, at api.Time) error {
	if !CanMove(r.Status, to) {
		return fault.New(fault.Conflict, "run %s cannot go from %s to %s", r.ID, r.Status, to)
	}
	r.Status = to
	if !to.Terminal() {
		r.FinishedAt = nil
		return nil
	}
	r.FinishedAt = &at
	return nil
}

// Account notes how long a run has run, without the time that it waited for
// memory or had ended, and the compute units that come of it.
func Account(r *api.Run, d time.Duration) {
	r.Stats.DurationMillis = d.Milliseconds()
	r.Stats.RunTimeSecs = float64(r.Stats.DurationMillis) / 1000
	// One compute unit is 1024 MB for an hour.
	r.Stats.ComputeUnits = float64(r.Options.MemoryMbytes) / 1024 * r.Stats.RunTimeSecs / 3600
}

// How often code that fails is started again: fewer than RestartsAllowed times
// within RestartWindow. Source: the platform's constants.
const (
	RestartsAllowed = 3
	RestartWindow   = time.Minute
)

// MayRestart reports whether a run whose code has failed may be started again,
// and gives the restarts that still count with this one among them.
func MayRestart(before []api.Time, now time.Time) (recent []api.Time, ok bool) {
	for _, at := range before {
		if now.Sub(at.Time) < RestartWindow {
			recent = append(recent, at)
		}
	}
	if len(recent) >= RestartsAllowed {
		return recent, false
	}
	return append(recent, api.TimeOf(now)), true
}
