package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/docker/connect"
	"github.com/greenroom-dev/greenroom/internal/executor/docker/containerlog"
	"github.com/greenroom-dev/greenroom/internal/executor/docker/kernellog"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	// patience is how long an engine may be away, as for an upgrade of it.
	patience = 2 * time.Minute

	// Between two tries to reach an engine that is away.
	shortPause = 100 * time.Millisecond
	longPause  = 2 * time.Second
)

// handle is the content of an executor.Handle.
type handle struct {
	Container string `json:"container"`
	// Unstarted says that List has seen no start of it.
	Unstarted bool `json:"unstarted,omitempty"`
}

func (h handle) String() executor.Handle {
	data, _ := json.Marshal(h)
	return executor.Handle(data)
}

func parseHandle(h executor.Handle) (handle, error) {
	var out handle
	if err := json.Unmarshal([]byte(h), &out); err != nil || out.Container == "" {
		return out, fault.New(fault.NotFound, "%q names no container: %w", string(h), executor.LostRecord)
	}
	return out, nil
}

// detached is a container that outlives us.
type detached struct {
	executor *Executor
	name     string
	limited  bool        // it has a memory limit
	signaled atomic.Bool // by us
	output   executor.Output
	refused  bool // output gets nothing more
	at       executor.Position

	done chan struct{} // closed when exit and err are set
	exit executor.Exit
	err  error
}

// watch follows a container from a position of its log on.
func (e *Executor) watch(name string, limited bool, output executor.Output, after executor.Position) (*detached, error) {
	if e.open.Err() != nil {
		return nil, fault.New(fault.Unavailable, "container %s: %w", name, executor.ErrClosed)
	}
	d := &detached{
		executor: e, name: name, limited: limited,
		output: output, at: after, done: make(chan struct{}),
	}
	go d.supervise(e.open)
	return d, nil
}

// Attach takes a container over.
func (e *Executor) Attach(ctx context.Context, h executor.Handle, t executor.TakeOver) (executor.Instance, error) {
	parsed, err := parseHandle(h)
	if err != nil {
		return nil, err
	}
	limited := true
	c, err := e.cli.ContainerInspect(ctx, parsed.Container)
	switch {
	case err == nil:
		if server := c.Config.Labels[ServerLabel]; e.server == "" || server != e.server {
			return nil, fault.New(fault.Conflict, "container %s belongs to another server", parsed.Container).
				WithHint("start the server with the data directory that the container was started with")
		}
		if c.State.Status == container.StateCreated {
			return nil, fault.New(fault.NotFound, "container %s was never started: %w", parsed.Container, executor.LostRemoved)
		}
		limited = c.HostConfig.Memory > 0
	case errdefs.IsNotFound(err):
		return nil, lostContainer(parsed.Container, fault.NotFound)
	case ctx.Err() != nil || !isAway(err):
		return nil, e.explain(ctx, err, "taking container "+parsed.Container+" over")
	}
	// An engine that is away may come back.
	return e.watch(parsed.Container, limited, executor.Spec{Output: t.Output}.Taker(), t.After)
}

// List tells the containers of this server.
func (e *Executor) List(ctx context.Context) ([]executor.Detached, error) {
	if e.server == "" {
		return nil, nil
	}
	list, err := e.cli.ContainerList(ctx, container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", ServerLabel+"="+e.server)),
	})
	if err != nil {
		return nil, e.explain(ctx, err, "looking for the containers of this server")
	}
	var found []executor.Detached
	for _, c := range list {
		d := executor.Detached{RunID: c.Labels[RunLabel], Handle: handle{nameOf(c), c.State == container.StateCreated}.String()}
		if c.State != container.StateCreated {
			d.Running = c.State != container.StateExited && c.State != container.StateDead
			d.Started = time.Unix(c.Created, 0) // the two are a moment apart
		}
		found = append(found, d)
	}
	return found, nil
}

// Remove ends and removes a container.
func (e *Executor) Remove(ctx context.Context, h executor.Handle) error {
	if h == "" {
		return nil
	}
	parsed, err := parseHandle(h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	if parsed.Unstarted {
		err = e.removeUnstarted(ctx, parsed.Container)
	} else {
		err = e.remove(ctx, parsed.Container)
	}
	if err != nil {
		return e.explain(ctx, err, "removing container "+parsed.Container)
	}
	return nil
}

// removeUnstarted removes a container unless it has been started: the engine
// may be about to do so for a process of ours that is gone. By force it would
// wait for that, and then remove what others may have taken over by now.
func (e *Executor) removeUnstarted(ctx context.Context, name string) error {
	c, err := e.cli.ContainerInspect(ctx, name)
	if err == nil && c.State != nil && c.State.Status == container.StateCreated {
		err = e.cli.ContainerRemove(ctx, name, container.RemoveOptions{RemoveVolumes: true})
		if err == nil || isAway(err) {
			return err
		}
	}
	if errdefs.IsNotFound(err) {
		return nil
	}
	return fault.New(fault.Conflict, "container %s was not removed, for it was started after all", name)
}

// ID gives the container's name.
func (d *detached) ID() string { return d.name }

func (d *detached) Handle() executor.Handle { return handle{Container: d.name}.String() }

func (d *detached) Wait(ctx context.Context) (executor.Exit, error) {
	if err := executor.Await(ctx, d.done); err != nil {
		return executor.Exit{}, err
	}
	return d.exit, d.err
}

func (d *detached) Terminate(ctx context.Context) error { return d.signal(ctx, "SIGTERM") }
func (d *detached) Kill(ctx context.Context) error      { return d.signal(ctx, "SIGKILL") }

func (d *detached) signal(ctx context.Context, name string) error {
	select {
	case <-d.done:
		return nil
	default:
	}
	d.signaled.Store(true)
	return d.executor.signal(ctx, d.name, name)
}

func (d *detached) Usage(ctx context.Context) (executor.Usage, bool) {
	select {
	case <-d.done:
		return executor.Usage{}, false
	default:
	}
	return d.executor.usage(ctx, d.name)
}

// supervise takes the output and finds out how the container ends.
func (d *detached) supervise(ctx context.Context) {
	defer close(d.done)
	following, stop := context.WithCancel(ctx)
	defer stop()
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		d.follow(following)
	}()
	exit, err := d.await(ctx)
	if err == nil {
		// Engines end the stream soon after the container, but not always.
		select {
		case <-followed:
		case <-time.After(drainLimit / 10):
		case <-ctx.Done():
		}
	}
	stop()
	<-followed
	if err == nil {
		err = d.rest(ctx)
	}
	if ctx.Err() != nil {
		err = fault.New(fault.Unavailable, "container %s: %w", d.name, executor.ErrClosed)
	}
	d.exit, d.err = exit, err
}

// follow takes the output as it comes, for as long as the container runs.
func (d *detached) follow(ctx context.Context) {
	for pause := shortPause; ctx.Err() == nil; pause = min(2*pause, longPause) {
		before := d.at
		if err := d.take(ctx, true); err == nil || errdefs.IsNotFound(err) {
			return
		}
		if d.at != before {
			pause = shortPause
		}
		wait(ctx, pause)
	}
}

// rest takes what was printed and not taken until the end.
func (d *detached) rest(ctx context.Context) error {
	for begin, pause := time.Now(), shortPause; ; pause = min(2*pause, longPause) {
		err := d.take(ctx, false)
		switch {
		case err == nil:
			return nil
		case errdefs.IsNotFound(err):
			return lostContainer(d.name, fault.RunFailed)
		case time.Since(begin) > d.executor.patience:
			return d.executor.lost(err)
		}
		if !wait(ctx, pause) {
			return nil
		}
	}
}

// take passes the output on, from where it has got to on.
func (d *detached) take(ctx context.Context, follow bool) error {
	if d.refused {
		return nil
	}
	// The stream must not outlast the context: that is what ends a Next.
	log, err := containerlog.Source{Client: d.executor.cli, Container: d.name}.Open(ctx, d.at, follow)
	if err != nil {
		return err
	}
	defer log.Close()
	for {
		pieces, at, err := log.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.output(pieces, at) != nil {
			d.refused = true
			return nil
		}
		d.at = at
	}
}

// await blocks until the container has ended and says how. It stands an engine
// that goes away, but not for ever.
func (d *detached) await(ctx context.Context) (executor.Exit, error) {
	var (
		away    time.Time // since when the engine is
		wasAway bool
		pause   = shortPause
	)
	for ctx.Err() == nil {
		c, err := d.next(ctx)
		switch {
		case err == nil && c != nil:
			return d.judge(ctx, c, wasAway), nil
		case err == nil:
			away, pause = time.Time{}, shortPause
			continue
		case errdefs.IsNotFound(err):
			return executor.Exit{}, lostContainer(d.name, fault.RunFailed)
		case away.IsZero():
			away, wasAway = time.Now(), true
		case time.Since(away) > d.executor.patience:
			return executor.Exit{}, d.executor.lost(err)
		}
		wait(ctx, pause)
		pause = min(2*pause, longPause)
	}
	return executor.Exit{}, ctx.Err()
}

// next waits for the end of a container that runs. It gives one that has ended,
// and nil after waiting.
func (d *detached) next(ctx context.Context) (*container.InspectResponse, error) {
	ask, cancel := context.WithTimeout(ctx, removeLimit)
	c, err := d.executor.cli.ContainerInspect(ask, d.name)
	cancel()
	if err != nil {
		return nil, err
	}
	if c.ContainerJSONBase == nil || c.State == nil {
		return nil, fault.New(fault.Internal, "the engine tells no state of container %s", d.name)
	}
	if s := c.State; !s.Running && !s.Paused && !s.Restarting {
		return &c, nil
	}
	// Engines have been seen to miss the end of a container; asking now and then
	// costs little.
	waiting, cancel := context.WithTimeout(ctx, lookAgainAfter)
	defer cancel()
	ended, failed := d.executor.cli.ContainerWait(waiting, d.name, container.WaitConditionNotRunning)
	select {
	case <-ended:
		return nil, nil
	case err := <-failed:
		if waiting.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
}

// lookAgainAfter is how long to rely on the engine to tell of an end.
const lookAgainAfter = 30 * time.Second

// judge says how a container has ended.
func (d *detached) judge(ctx context.Context, ended *container.InspectResponse, wasAway bool) executor.Exit {
	s := ended.State
	exit := executor.Exit{Code: s.ExitCode, OOMKilled: s.OOMKilled && s.ExitCode != 0}
	const killed, terminated = 128 + int(syscall.SIGKILL), 128 + int(syscall.SIGTERM)
	if exit.Code == killed && d.limited && !exit.OOMKilled && !d.signaled.Load() {
		// The engine hears of it on another way than of the end.
		for try := range 3 {
			wait(ctx, time.Duration(try+1)*10*time.Millisecond)
			c, err := d.executor.cli.ContainerInspect(ctx, d.name)
			if err != nil || c.ContainerJSONBase == nil || c.State == nil {
				break
			}
			if exit.OOMKilled = c.State.OOMKilled; exit.OOMKilled {
				break
			}
		}
	}
	if exit.OOMKilled || d.signaled.Load() || exit.Code == 0 {
		return exit
	}
	switch {
	case wasAway && slices.Contains([]int{killed, terminated, 255}, exit.Code):
		exit.Cause = executor.CauseEngine
	case exit.Code != killed && exit.Code != terminated:
	case d.executor.wasTold(ctx, d.name, s.StartedAt):
		exit.Cause = executor.CauseOutside
	case exit.Code == killed && connect.Local(d.executor.cli.DaemonHost()) && kernellog.OutOfMemory(kernellog.Path, ended.ID):
		exit.Cause = executor.CauseHostMemory
	}
	return exit
}

// wait waits and says whether ctx lives still.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// isAway says whether err means that the engine is gone, going or coming.
func isAway(err error) bool {
	return isGone(err) || errdefs.IsUnavailable(err) || strings.Contains(err.Error(), "shutting down")
}

func lostContainer(name string, code fault.Code) error {
	return fault.New(code, "container %s is gone: %w", name, executor.LostRemoved).
		WithHint("something else on this machine removes containers, such as `docker rm` or `docker system prune`")
}

func (e *Executor) lost(err error) error {
	return fault.New(fault.Unavailable, "the container engine at %s was not there for %s (%v): %w", e.cli.DaemonHost(), e.patience, err, executor.LostEngine).
		WithHint("see whether the engine was stopped; what still runs in it is removed at the next start of the server")
}
