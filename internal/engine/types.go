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
	Input        *Input
	Build        string
	TimeoutSecs  *int
	MemoryMbytes *int
	MaxItems     *int
	MaxTotalUSD  *float64
	Meta         api.RunMeta
	// TaskID is the task that the run is one of; "" for none.
	TaskID string
	// Prepare, when not nil, is called with the run's record before it is stored:
	// what must be there when the run is, such as its webhooks, is kept then. An
	// error of it starts nothing.
	Prepare func(ctx context.Context, r api.Run) error
}
