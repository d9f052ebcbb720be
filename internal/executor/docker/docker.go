package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/docker/endpoint"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// The labels of every container made here.
const (
	RunLabel   = "dev.greenroom.run"   // the id of the run
	OwnerLabel = "dev.greenroom.owner" // the process that made it, as owner.Owner.String gives it

	// ServerLabel stands instead of OwnerLabel on what is detached: the id of
	// the server.
	ServerLabel = "dev.greenroom.server"
)

const (
	// giveUpAfter is how long a step that was cancelled may still take. Steps
	// are let finish because only then is it known what there is to remove.
	giveUpAfter = 5 * time.Second

	// removeLimit bounds the removal of one container.
	removeLimit = 20 * time.Second

	// mbytesPerCore is the platform's rule for the CPU share of a run.
	mbytesPerCore = 4096

	// cpuPeriod is the length of a scheduling period in microseconds, the
	// kernel's default; leastQuota is the smallest share of it that it accepts.
	cpuPeriod  = 100_000
	leastQuota = 1_000
)

// Executor runs Actors in containers of one engine.
type Executor struct {
	cli      *client.Client
	commands commandTargets

	// server is the id of the server that containers are detached for, "" when
	// they are not; patience is how long they wait for an engine that is gone.
	server   string
	patience time.Duration
	open     context.Context // ends with Close
	close    context.CancelFunc

	mu       sync.Mutex
	endpoint *endpoint.Endpoint
	refused  refusals
}

// refusals are what the engine was found not to do.
type refusals struct {
	mounts    bool // of files of this machine
	diskLimit bool
	localLogs bool // the log driver "local"
}

var _ executor.Executor = (*Executor)(nil)

// New returns an Executor that uses the engine of cli, see Connect. Close does
// not close the client.
func New(cli *client.Client) *Executor { return NewServer(cli, "") }

// NewServer returns an Executor for a server whose containers outlive it. The
// id is the server's own, see executor.Handle.
func NewServer(cli *client.Client, id string) *Executor {
	e := &Executor{cli: cli, server: id, patience: patience}
	e.refused.mounts = !mountsWork(cli.DaemonHost())
	e.open, e.close = context.WithCancel(context.Background())
	return e
}

// Name gives "docker".
func (e *Executor) Name() string { return "docker" }

// Endpoint finds out once where containers see this machine, see endpoint.Find.
func (e *Executor) Endpoint(ctx context.Context) (executor.Endpoint, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.endpoint == nil {
		found, err := endpoint.Find(ctx, e.cli)
		if err != nil {
			return executor.Endpoint{}, e.explain(ctx, err, "finding the way from containers to this machine")
		}
		e.endpoint = &found
	}
	return e.endpoint.Endpoint, nil
}

func (e *Executor) extraHosts() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.endpoint == nil {
		return nil
	}
	return e.endpoint.ExtraHosts
}

// Close stops watching what is detached. Other containers belong to their
// instances.
func (e *Executor) Close() error {
	e.close()
	return nil
}

// Start starts a container. Errors are fault.NotFound when there is no such
// image, fault.RunFailed when the engine cannot start it, fault.Conflict when
// the port is taken and fault.Unavailable when the engine is gone.
func (e *Executor) Start(ctx context.Context, spec executor.Spec) (executor.Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Aborted, err, "the container was not started")
	}
	work, cancel := reluctant(ctx)
	defer cancel()

	var target string
	if spec.ActorBinary != "" {
		var err error
		if target, err = e.commandTarget(work, spec); err != nil {
			return nil, e.explain(ctx, err, "looking into image "+spec.Image)
		}
	}
	// A name of our own choice finds the container even when the answer to its
	// creation is lost.
	name := "greenroom-" + spec.RunID + "-" + strings.ToLower(rand.Text()[:8])
	if err := e.create(work, name, spec, target); err != nil {
		e.removeQuietly(name)
		return nil, e.explain(ctx, err, "creating a container of image "+spec.Image)
	}
	i, err := e.launch(ctx, work, name, spec)
	if err != nil {
		e.removeQuietly(name)
		return nil, err
	}
	return i, nil
}

// launch starts a container.
func (e *Executor) launch(ctx, work context.Context, name string, spec executor.Spec) (executor.Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, e.explain(ctx, err, "creating a container")
	}
	if e.server != "" {
		err := e.cli.ContainerStart(work, name, container.StartOptions{})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, e.explain(ctx, err, "starting a container of image "+spec.Image)
		}
		return e.watch(name, spec.MemoryMbytes > 0, spec.Taker(), "")
	}
	// Attached first, so that no output can be missed.
	stream, err := e.cli.ContainerAttach(work, name, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		// Podman prepares the container here, and the client drops what it says
		// when that fails; asked to start the container, it says so again.
		if reason := e.cli.ContainerStart(work, name, container.StartOptions{}); reason != nil {
			err = reason
		}
		return nil, e.explain(ctx, err, "starting a container of image "+spec.Image)
	}
	stdout, stderr := spec.Writers()
	output := newOutput(stream, stdout, stderr)
	err = e.cli.ContainerStart(work, name, container.StartOptions{})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		// The container goes before the stream: nothing it may have printed is
		// worth waiting for, and nobody is to write after Start has failed.
		e.removeQuietly(name)
		output.abandon()
		return nil, e.explain(ctx, err, "starting a container of image "+spec.Image)
	}
	i := &instance{
		executor: e, name: name, limited: spec.MemoryMbytes > 0,
		output: output, done: make(chan struct{}),
	}
	go i.supervise()
	return i, nil
}

// create creates a container, without what the engine refuses. What that is, is
// remembered.
func (e *Executor) create(ctx context.Context, name string, spec executor.Spec, target string) error {
	source := ""
	if target != "" {
		var err error
		if source, err = filepath.EvalSymlinks(spec.ActorBinary); err == nil {
			source, err = filepath.Abs(source)
		}
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the actor command cannot be found")
		}
	}
	for {
		e.mu.Lock()
		without := e.refused
		e.mu.Unlock()
		config, host, err := e.describe(spec, without)
		if err != nil {
			return err
		}
		if target != "" && !without.mounts {
			host.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: source, Target: target, ReadOnly: true}}
		}
		_, err = e.cli.ContainerCreate(ctx, config, host, nil, nil, name)
		if err == nil {
			if target == "" || !without.mounts {
				return nil
			}
			return e.copyCommand(ctx, name, spec.ActorBinary, target)
		}
		now := without
		switch {
		case len(host.StorageOpt) > 0 && refusesDiskLimit(err):
			now.diskLimit = true
		case host.LogConfig.Type == localLogs && refusesLogs(err):
			now.localLogs = true
		case len(host.Mounts) > 0 && refusesMount(err):
			// The engine lives on another machine, in a virtual one or in another
			// container, and does not see our files.
			now.mounts = true
		default:
			return err
		}
		e.mu.Lock()
		e.refused = now
		e.mu.Unlock()
		// Some refuse only after the container was made.
		e.removeQuietly(name)
	}
}

// describe says what the engine is to create.
func (e *Executor) describe(spec executor.Spec, without refusals) (*container.Config, *container.HostConfig, error) {
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[RunLabel] = spec.RunID
	if e.server != "" {
		labels[ServerLabel] = e.server
	} else {
		labels[OwnerLabel] = owner.Self().String()
	}
	config := &container.Config{
		Image: spec.Image, Cmd: spec.Command, Env: spec.Env, Labels: labels,
		AttachStdout: true, AttachStderr: true,
	}
	host := &container.HostConfig{
		// The output goes to whoever started the run; a second copy of it on
		// the engine's disk would only grow.
		LogConfig:  container.LogConfig{Type: "none"},
		ExtraHosts: e.extraHosts(),
	}
	if e.server != "" {
		host.LogConfig = keptLogs(without)
	}
	if spec.DiskMbytes > 0 && !without.diskLimit {
		host.StorageOpt = map[string]string{"size": strconv.Itoa(spec.DiskMbytes) + "M"}
	}
	if spec.MemoryMbytes > 0 {
		memory := int64(spec.MemoryMbytes) << 20
		host.Memory, host.MemorySwap = memory, memory
		// The same as NanoCPUs, which engines refuse when it exceeds the number
		// of cores that they have.
		host.CPUPeriod = cpuPeriod
		host.CPUQuota = max(leastQuota, int64(spec.MemoryMbytes)*cpuPeriod/mbytesPerCore)
	}
	if spec.WebServerPort > 0 && spec.HostPort > 0 {
		port, err := nat.NewPort("tcp", strconv.Itoa(spec.WebServerPort))
		if err != nil {
			return nil, nil, fault.Wrap(fault.InvalidInput, err, "the web server port %d is not one", spec.WebServerPort)
		}
		config.ExposedPorts = nat.PortSet{port: {}}
		host.PortBindings = nat.PortMap{port: {{HostIP: "127.0.0.1", HostPort: strconv.Itoa(spec.HostPort)}}}
	}
	return config, host, nil
}

// remove ends a container and takes its anonymous volumes along. That there is
// none is success.
func (e *Executor) remove(ctx context.Context, name string) error {
	for {
		err := e.cli.ContainerRemove(ctx, name, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		// Somebody else is removing it; it is gone when it is no longer found.
		if !strings.Contains(err.Error(), "already in progress") {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// removeQuietly removes a container after something else has gone wrong, which
// is what people must hear of. What it cannot remove, Reap will.
func (e *Executor) removeQuietly(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit)
	defer cancel()
	_ = e.remove(ctx, name)
}

// reluctant gives a context that ends a while after ctx does.
func reluctant(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(giveUpAfter, cancel) })
	return work, func() { stop(); cancel() }
}

// explain makes an error for people of one of the client's.
func (e *Executor) explain(ctx context.Context, err error, doing string) error {
	text := err.Error()
	switch {
	case ctx.Err() != nil:
		return fault.Wrap(fault.Aborted, ctx.Err(), "%s", doing)
	case isFault(err):
		return err
	case isGone(err):
		return e.gone(err)
	case strings.Contains(text, "No such image"), errdefs.IsNotFound(err) && strings.Contains(text, "image"):
		return fault.New(fault.NotFound, "%s: the engine has no such image", doing).
			WithHint("build it again with --rebuild")
	case strings.Contains(text, "port is already allocated"), strings.Contains(text, "address already in use"):
		return fault.New(fault.Conflict, "%s: the port on this machine is taken: %w", doing, err).
			WithHint("try again; another port is chosen then")
	case strings.Contains(text, "OCI"), strings.Contains(text, "executable file"), strings.Contains(text, "no command specified"), strings.Contains(text, "No command specified"):
		return fault.New(fault.RunFailed, "%s: %w", doing, err).
			WithHint("check CMD and ENTRYPOINT of the Dockerfile")
	}
	return fault.Wrap(fault.Internal, err, "%s", doing)
}

func (e *Executor) gone(err error) error {
	return fault.New(fault.Unavailable, "the container engine at %s went away: %w", e.cli.DaemonHost(), err).
		WithHint("see whether the engine was stopped or restarted, and run again")
}

// String names the engine, for logs.
func (e *Executor) String() string { return fmt.Sprintf("docker (%s)", e.cli.DaemonHost()) }
