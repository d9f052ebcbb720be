package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// instance is one container that was started.
type instance struct {
	executor *Executor
	name     string
	limited  bool // it has a memory limit
	output   *output

	done chan struct{} // closed when exit and err are set
	exit executor.Exit
	err  error
}

// ID gives the container's name.
func (i *instance) ID() string { return i.name }

// Handle gives none: the container ends with us.
func (i *instance) Handle() executor.Handle { return "" }

func (i *instance) Wait(ctx context.Context) (executor.Exit, error) {
	if err := executor.Await(ctx, i.done); err != nil {
		return executor.Exit{}, err
	}
	return i.exit, i.err
}

// supervise follows the container to its end and removes it.
func (i *instance) supervise() {
	defer close(i.done)
	ctx := context.Background()
	i.exit, i.err = i.follow(ctx)
	if i.err != nil && isGone(i.err) {
		i.err = i.executor.gone(i.err)
		i.output.abandon()
		i.removeLater()
		return
	}
	if err := i.output.drain(); err != nil && i.err == nil {
		i.err = fault.Wrap(fault.Unavailable, err, "the output of container %s was cut off", i.name)
	}
	if i.exit.Code != 0 && i.err == nil {
		i.exit.OOMKilled = i.outOfMemory(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	if err := i.executor.remove(ctx, i.name); err != nil && i.err == nil {
		i.err = i.executor.explain(context.Background(), err, "removing container "+i.name)
	}
}

// follow blocks until the container has ended.
func (i *instance) follow(ctx context.Context) (executor.Exit, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended, failed := i.executor.cli.ContainerWait(ctx, i.name, container.WaitConditionNotRunning)
	// Podman keeps waiting when its own clean-up after a container fails. Who
	// has closed its output has most often ended, so that is when to ask.
	silent := i.output.copied
	var look <-chan time.Time
	for {
		select {
		case r := <-ended:
			if r.Error != nil && r.Error.Message != "" {
				return executor.Exit{}, fault.New(fault.Internal, "waiting for container %s: %s", i.name, r.Error.Message)
			}
			return executor.Exit{Code: int(r.StatusCode)}, nil
		case err := <-failed:
			if errdefs.IsNotFound(err) {
				return executor.Exit{}, fault.New(fault.RunFailed, "container %s was removed by somebody else", i.name)
			}
			return executor.Exit{}, err
		case <-silent:
			silent, look = nil, time.After(lookAfter)
		case <-look:
			c, err := i.executor.cli.ContainerInspect(ctx, i.name)
			if err == nil && c.ContainerJSONBase != nil && c.State != nil && !c.State.Running && !c.State.Paused && !c.State.Restarting {
				return executor.Exit{Code: c.State.ExitCode}, nil
			}
			look = time.After(lookAfter)
		}
	}
}

// lookAfter is how long to rely on the engine to tell of the end of a container
// whose output has ended.
const lookAfter = time.Second

// outOfMemory says whether the memory limit ended a container that failed. The
// engine hears of it on another way than of the end, so it is asked again when
// there is reason to believe it.
func (i *instance) outOfMemory(ctx context.Context) bool {
	const killed = 128 + int(syscall.SIGKILL)
	if !i.limited && i.exit.Code != killed {
		return false
	}
	for try := range 3 {
		ctx, cancel := context.WithTimeout(ctx, removeLimit)
		c, err := i.executor.cli.ContainerInspect(ctx, i.name)
		cancel()
		if err != nil || c.ContainerJSONBase == nil || c.State == nil {
			return false
		}
		if c.State.OOMKilled {
			return true
		}
		if !i.limited || i.exit.Code != killed || i.output.killed.Load() {
			return false
		}
		time.Sleep(time.Duration(try+1) * 10 * time.Millisecond)
	}
	return false
}

// removeLater removes the container of an engine that went away, should it come
// back while its clients still remember. What is left then is for Reap.
func (i *instance) removeLater() {
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit/4)
	defer cancel()
	for ctx.Err() == nil {
		if i.executor.remove(ctx, i.name) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (i *instance) Terminate(ctx context.Context) error { return i.signal(ctx, "SIGTERM") }

func (i *instance) Kill(ctx context.Context) error {
	i.output.killed.Store(true)
	return i.signal(ctx, "SIGKILL")
}

func (i *instance) signal(ctx context.Context, name string) error {
	select {
	case <-i.done:
		return nil
	default:
	}
	return i.executor.signal(ctx, i.name, name)
}

// signal sends a signal to a container. That it has ended is no error.
func (e *Executor) signal(ctx context.Context, container, name string) error {
	err := e.cli.ContainerKill(ctx, container, name)
	if err == nil || errdefs.IsNotFound(err) || errdefs.IsConflict(err) || strings.Contains(err.Error(), "is not running") {
		return nil
	}
	return e.explain(ctx, err, "sending "+name+" to container "+container)
}

// Usage asks the engine for one reading.
func (i *instance) Usage(ctx context.Context) (executor.Usage, bool) {
	select {
	case <-i.done:
		return executor.Usage{}, false
	default:
	}
	return i.executor.usage(ctx, i.name)
}

func (e *Executor) usage(ctx context.Context, name string) (executor.Usage, bool) {
	answer, err := e.cli.ContainerStatsOneShot(ctx, name)
	if err != nil {
		return executor.Usage{}, false
	}
	defer answer.Body.Close()
	var s container.StatsResponse
	// What has ended is reported as all zeros.
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil || s.MemoryStats.Usage == 0 {
		return executor.Usage{}, false
	}
	u := executor.Usage{
		MemoryBytes: int64(s.MemoryStats.Usage - min(s.MemoryStats.Usage, cacheOf(s.MemoryStats.Stats))),
		CPUTime:     time.Duration(s.CPUStats.CPUUsage.TotalUsage),
	}
	for _, n := range s.Networks {
		u.NetRxBytes += int64(n.RxBytes)
		u.NetTxBytes += int64(n.TxBytes)
	}
	return u, true
}

// cacheOf is the part of the memory that the kernel takes back at need: file
// pages not used lately. Control groups of version 1 call it
// total_inactive_file, those of version 2 inactive_file.
func cacheOf(stats map[string]uint64) uint64 {
	if n, ok := stats["total_inactive_file"]; ok {
		return n
	}
	return stats["inactive_file"]
}

// isGone says whether err means that the engine, not the request, failed.
func isGone(err error) bool {
	var op *net.OpError
	return client.IsErrConnectionFailed(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &op)
}

func isFault(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}
