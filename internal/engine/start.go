package engine

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// StartRun writes a run's record and starts the run. It returns as soon as the record is there; what goes wrong
// afterwards is told by the run's status. An input that the Actor's schema
// rejects starts nothing and is fault.InvalidInput.
func (e *Engine) StartRun(ctx context.Context, req StartRequest) (api.Run, error) {
	p, err := e.cfg.Programs.Program(ctx, req.Actor, req.Build)
	if err != nil {
		return api.Run{}, err
	}
	plain, stored, err := e.input(ctx, p, req.Input)
	if err != nil {
		return api.Run{}, err
	}
	input, secrets, err := e.seal(p, plain)
	if err != nil {
		return api.Run{}, err
	}
	build := req.Build
	if build == "" {
		build = p.Definition.BuildTag
	}
	memory, complaint := startMemory(p.Definition, req, build, plain)
	options, err := run.Options(build, req.TimeoutSecs, req.MemoryMbytes, memory)
	if err != nil {
		return api.Run{}, err
	}
	options.MaxItems, options.MaxTotalChargeUSD = req.MaxItems, req.MaxTotalUSD

	a := &active{
		engine: e, program: p, token: newToken(), limited: req.MemoryMbytes != nil,
		commands: make(chan command), done: make(chan struct{}), workflow: store.NewID(), secretEnv: secrets.env,
	}
	r := api.Run{
		ID: store.NewID(), ActorID: p.Actor.ID, UserID: e.cfg.UserID, StartedAt: api.Now(),
		Status: api.StatusReady, Meta: req.Meta, Options: options,
		BuildID: p.Build.ID, BuildNumber: &p.Build.BuildNumber, GeneralAccess: "FOLLOW_USER_SETTING",
	}
	if r.Meta.Origin == "" {
		r.Meta.Origin = "DEVELOPMENT"
	}
	if req.TaskID != "" {
		r.ActorTaskID = &req.TaskID
	}
	if input != nil {
		r.Stats.InputBodyLen = len(input.Body)
	}
	a.id = r.ID
	first, err := e.admit()
	if err != nil {
		return api.Run{}, err
	}
	if err := e.openStorages(ctx, p, &r, first); err != nil {
		e.running.Done()
		return api.Run{}, err
	}
	a.inputKey, err = e.placeInput(ctx, r, input, stored && first && input == plain)
	if err == nil {
		err = a.announce(&r, input)
	}
	if err == nil && req.Prepare != nil {
		err = req.Prepare(ctx, r)
	}
	if err == nil {
		err = e.cfg.Store.Runs().Create(ctx, r.ID, r)
	}
	if err != nil {
		e.running.Done()
		return api.Run{}, err
	}
	a.log = newLogState(r.ID, e.cfg.Store.Logs(), secrets.masks(p.Secrets))
	if complaint != "" {
		a.log.append([]byte(complaint))
	}
	e.mu.Lock()
	e.active[r.ID], e.tokens[a.token], e.logs[r.ID] = a, r.ID, a.log
	e.mu.Unlock()
	go func() {
		defer e.running.Done()
		a.supervise(r)
	}()
	return r, nil
}

// admit counts a run in, and tells whether it is the engine's first.
func (e *Engine) admit() (first bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false, fault.New(fault.Unavailable, "the engine is shutting down")
	}
	e.running.Add(1)
	e.started++
	return e.started == 1 && e.cfg.Local, nil
}

// spec says what the executor is to start for a run.
func (a *active) spec(ctx context.Context, r api.Run) (executor.Spec, error) {
	e, p := a.engine, a.program
	endpoint, err := p.Executor.Endpoint(ctx)
	if err != nil {
		return executor.Spec{}, err
	}
	env := run.Environment{
		Run: r, ActorName: p.Actor.Name, Username: e.cfg.Username, BuildTags: []string{p.Definition.BuildTag},
		Token: a.token, InputKey: a.inputKey, WebServerPort: a.webPort, WebServerURL: r.ContainerURL,
		Standby: p.Definition.UsesStandbyMode, DedicatedCPUs: a.cpus(r), ProxyPassword: e.cfg.ProxyPassword,
		WorkflowKey: a.workflow, InheritedNoProxy: e.cfg.InheritedNoProxy,
		NoProxy:    []string{"127.0.0.1", "localhost", "::1", endpoint.Host},
		StorageDir: e.cfg.StorageDir,
	}
	if e.cfg.StorageDir == "" {
		if env.BaseURL, err = e.cfg.APIURL(ctx, endpoint); err != nil {
			return executor.Spec{}, err
		}
		env.EventsURL = fmt.Sprintf("ws%s/v2/actor-runs/%s/events?token=%s", strings.TrimPrefix(env.BaseURL, "http"), r.ID, a.token)
	}
	spec := executor.Spec{
		RunID: r.ID, Image: p.Result.Image, Dir: p.Result.Dir, Command: p.Result.Command,
		Env:           slices.Concat(withoutReserved(p.Result), env.Vars(p.Env), a.secretEnv),
		Labels:        map[string]string{"com.apify.actRunId": r.ID, "com.apify.actBuildId": r.BuildID},
		WebServerPort: a.webPort, HostPort: a.hostPort, ActorBinary: p.ActorBinary,
		Stdout: a.stdout, Stderr: a.stderr,
	}
	if a.limited {
		spec.MemoryMbytes = r.Options.MemoryMbytes
	}
	return spec, nil
}

func withoutReserved(result builder.Result) []string { return run.Scrub(result.Env) }

// cpus is how many cores the code may count on: the share that comes with the
// memory where that is enforced, else the machine's.
func (a *active) cpus(r api.Run) float64 {
	if a.limited && a.program.Result.Image != "" {
		return float64(r.Options.MemoryMbytes) / run.MemoryPerCore
	}
	return float64(runtime.NumCPU())
}
