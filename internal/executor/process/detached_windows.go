package process

import (
	"context"
	"os"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// canDetach is false: a job, which is how everything of a run is found, ends
// with the process that holds it.
const canDetach = false

// Supervise does nothing: there are no supervisors here.
func Supervise([]string) int { return 2 }

func (e *Executor) startDetached(context.Context, order, executor.Output) (executor.Instance, error) {
	return nil, fault.New(fault.Internal, "nothing can be started detached on Windows")
}

func (e *Executor) lastingCommandDir(string) (string, error) { return "", os.ErrInvalid }

// Attach finds nothing: everything ends with us.
func (e *Executor) Attach(_ context.Context, h executor.Handle, _ executor.TakeOver) (executor.Instance, error) {
	return nil, fault.New(fault.NotFound, "process %q cannot be taken over: %w", string(h), executor.LostRemoved)
}

// List finds nothing.
func (e *Executor) List(context.Context) ([]executor.Detached, error) { return nil, nil }

// Remove has nothing to remove.
func (e *Executor) Remove(context.Context, executor.Handle) error { return nil }
