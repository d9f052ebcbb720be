package process

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/process/group"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// instance is one command that was started, with everything it has started in
// turn.
type instance struct {
	*child
	record *record
	ended  atomic.Bool // the group may no longer be signalled

	// signals keeps the group from being given up while it is being signalled:
	// its number could be another's by then.
	signals sync.RWMutex

	done chan struct{} // closed when exit and err are set
	exit executor.Exit
	err  error
}

// ID gives the process id.
func (i *instance) ID() string { return strconv.Itoa(i.cmd.Process.Pid) }

// Handle gives none: the process ends with us.
func (i *instance) Handle() executor.Handle { return "" }

func (i *instance) Wait(ctx context.Context) (executor.Exit, error) {
	if err := executor.Await(ctx, i.done); err != nil {
		return executor.Exit{}, err
	}
	return i.exit, i.err
}

// supervise follows the command to its end, and ends what it leaves behind.
func (i *instance) supervise() {
	defer close(i.done)
	i.group.AwaitEnd()
	// The command's exit status is not collected yet where the system allows
	// it, so that the group's number is still ours.
	i.group.Kill()
	i.signals.Lock()
	i.ended.Store(true)
	err := i.cmd.Wait()
	i.signals.Unlock()
	if i.cmd.ProcessState == nil {
		i.err = fault.Wrap(fault.Internal, err, "waiting for process %s", i.ID())
	} else {
		i.exit.Code = group.ExitCode(i.cmd.ProcessState)
	}
	i.group.Release()
	i.stdout.drain()
	i.stderr.drain()
	i.record.remove()
}

func (i *instance) Terminate(context.Context) error {
	return i.signal("asking process %s to end", (*group.Group).Terminate)
}

func (i *instance) Kill(context.Context) error {
	return i.signal("killing process %s", (*group.Group).Kill)
}

func (i *instance) signal(doing string, send func(*group.Group) error) error {
	i.signals.RLock()
	defer i.signals.RUnlock()
	if i.ended.Load() {
		return nil
	}
	return fault.Wrap(fault.Internal, send(i.group), doing, i.ID())
}

// Usage adds up what all processes of the group use. There is no telling what
// of the network is theirs.
func (i *instance) Usage(context.Context) (executor.Usage, bool) {
	i.signals.RLock()
	defer i.signals.RUnlock()
	if i.ended.Load() {
		return executor.Usage{}, false
	}
	return i.group.Usage()
}
