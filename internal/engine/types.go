// Package engine starts, supervises, recovers and ends runs. It owns every
// goroutine that belongs to a run.
package engine

import (
	"context"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Input is what a run is given, as it came from the caller.
type Input struct {
	ContentType string
	Body        []byte
}

// StartRequest asks for a run. Nil options take the Actor's defaults.
type StartRequest struct {
	// Actor is an id, "username~name", "username/name" or a bare name.
	Actor string
	// Input is nil when the caller gave none.
	Input *Input
	// Build is a tag or a number, "" for the Actor's default.
	Build          string
	TimeoutSecs    *int
	MemoryMbytes   *int
	MaxItems       *int
	MaxTotalUSD    *float64
	RestartOnError *bool
	// PermissionLevel is one of api's; "" leaves it to the Actor.
	PermissionLevel string
	// ByLimited says that a run with limited permissions asks: what it starts must
	// have no more.
	ByLimited bool
	Meta      api.RunMeta
	// Storages are the run's default ones where it is not to get new ones.
	Storages Given
	// TaskID is the task that the run is one of; "" for none.
	TaskID string
	// Prepare, when not nil, is called with the run's record before it is stored:
	// what must be there when the run is, such as its webhooks, is kept then. An
	// error of it starts nothing.
	Prepare func(ctx context.Context, r api.Run) error
}

// Given names storages that are there, by ids or names, to be the default ones of
// a run. What is "" is made for the run. Source: the whitepaper on reusing an
// existing storage, which compares it to redirecting standard input.
type Given struct {
	Dataset, KeyValueStore, RequestQueue string
}

// Load is how busy an engine is.
type Load struct {
	UsedMbytes, TotalMbytes int
	Running, Waiting        int
	MaxRuns                 int
}

// ResurrectRequest says what is to be different in a run's new life. Nil options
// stay as they are.
type ResurrectRequest struct {
	Build          string
	TimeoutSecs    *int
	MemoryMbytes   *int
	MaxItems       *int
	MaxTotalUSD    *float64
	RestartOnError *bool
}

// MetamorphRequest says what a run is to become.
type MetamorphRequest struct {
	Actor string // the target, as in StartRequest
	Build string
	Input *Input
}

// Names of the events of runs, as webhooks know them.
const (
	EventCreated     = "ACTOR.RUN.CREATED"
	EventSucceeded   = "ACTOR.RUN.SUCCEEDED"
	EventFailed      = "ACTOR.RUN.FAILED"
	EventAborted     = "ACTOR.RUN.ABORTED"
	EventTimedOut    = "ACTOR.RUN.TIMED_OUT"
	EventResurrected = "ACTOR.RUN.RESURRECTED"
)

var endEvents = map[api.Status]string{
	api.StatusSucceeded: EventSucceeded, api.StatusFailed: EventFailed,
	api.StatusAborted: EventAborted, api.StatusTimedOut: EventTimedOut,
}
