package process

import (
	"context"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Capabilities says that nothing is limited.
func (e *Executor) Capabilities(context.Context) (executor.Capabilities, error) {
	return executor.Capabilities{Notices: []string{
		"without a container engine nothing limits the memory, the processor time and the disk space of a run",
	}}, nil
}

// Attach finds nothing: everything ends with us.
func (e *Executor) Attach(_ context.Context, h executor.Handle, _ executor.TakeOver) (executor.Instance, error) {
	return nil, fault.New(fault.NotFound, "process %q cannot be taken over: %w", string(h), executor.LostRemoved)
}

// List finds nothing.
func (e *Executor) List(context.Context) ([]executor.Detached, error) { return nil, nil }

// Remove has nothing to remove.
func (e *Executor) Remove(context.Context, executor.Handle) error { return nil }
