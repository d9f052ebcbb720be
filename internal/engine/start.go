package engine

import (
	"context"
	"fmt"
	"io"

	"github.com/greenroom-dev/greenroom/internal/engine/charging"
	"github.com/greenroom-dev/greenroom/internal/engine/meter"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// StartRun writes a run's record and starts the run, once there is memory for
// it. It returns as soon as the record is there; what goes wrong afterwards is
// told by the run's status. An input that the Actor's schema rejects starts
// nothing and is fault.InvalidInput.
func (e *Engine) StartRun(ctx context.Context, req StartRequest) (api.Run, error) {
	p, err := e.cfg.Programs.Program(ctx, req.Actor, req.Build)
	if err != nil {
		return api.Run{}, err
	}
	plain, stored, err := e.input(ctx, p, req.Input)
	if err != nil {
		return api.Run{}, err
	}
	r := api.Run{
		ID: store.NewID(), ActorID: p.Actor.ID, UserID: e.cfg.UserID, StartedAt: api.Now(),
		Status: api.StatusReady, Meta: req.Meta,
		BuildID: p.Build.ID, BuildNumber: &p.Build.BuildNumber, GeneralAccess: "FOLLOW_USER_SETTING",
		PricingInfo: currentPricing(p), PlatformUsageBillingMode: "USER",
	}
	input, secrets, err := e.seal(p, plain, r.ID)
	if err != nil {
		return api.Run{}, err
	}
	var complaint string
	if r.Options, complaint, err = e.options(p, req, plain); err != nil {
		return api.Run{}, err
	}
	kept := state{RunID: r.ID, Limited: !e.cfg.Local || req.MemoryMbytes != nil, Workflow: store.NewID(), Sealed: secrets.env != nil}
	if kept.Permission, err = permission(p, req.PermissionLevel); err != nil {
		return api.Run{}, err
	}
	if req.ByLimited && kept.Permission != api.LimitedPermissions {
		return api.Run{}, fault.New(fault.Forbidden, "a run with limited permissions cannot start Actor %q, which has full permissions", p.Actor.Name)
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
	first, err := e.admit()
	if err != nil {
		return api.Run{}, err
	}
	begun := false
	defer func() {
		if !begun {
			e.unreserve(kept.HostPort)
			e.running.Done()
		}
	}()
	if err := e.openStorages(ctx, p, &r, req.Storages, first); err != nil {
		return api.Run{}, err
	}
	if kept.InputKey, err = e.placeInput(ctx, r, input, stored && first && input == plain, req.Storages.KeyValueStore != ""); err != nil {
		return api.Run{}, err
	}
	if err = e.announce(&r, &kept, p, input); err != nil {
		return api.Run{}, err
	}
	if err = chargeStart(&r, &kept); err != nil {
		return api.Run{}, err
	}
	if req.Prepare != nil {
		if err := req.Prepare(ctx, r); err != nil {
			return api.Run{}, err
		}
	}
	a, err := e.activate(ctx, r, p, kept, secrets, runlog.Mark{})
	if err != nil {
		return api.Run{}, err
	}
	if e.states != nil {
		err = e.states.Create(ctx, r.ID, kept)
	}
	if err == nil {
		err = e.cfg.Store.Runs().Create(ctx, r.ID, r)
	}
	if err != nil {
		return api.Run{}, err
	}
	if complaint != "" {
		a.log.Say(complaint)
	}
	a.ticket = e.queue.Enter(r.Options.MemoryMbytes)
	begun = true
	e.begin(a, r, func() outcome { return a.live(r, nil) })
	e.tell(EventCreated, r)
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

// begin makes an active run known and lets its supervisor go.
func (e *Engine) begin(a *active, r api.Run, live func() outcome) {
	e.mu.Lock()
	e.active[a.id] = a
	if a.pricing.Has(charging.ItemEvent) {
		e.charged[a.dataset] = a
	}
	e.mu.Unlock()
	go func() {
		defer e.running.Done()
		a.supervise(r, live)
	}()
}

// activate makes what a run needs while it has not ended.
func (e *Engine) activate(ctx context.Context, r api.Run, p *Program, kept state, secrets inputSecrets, mark runlog.Mark) (*active, error) {
	pricing, err := charging.Parse(r.PricingInfo)
	if err != nil {
		return nil, err
	}
	a := &active{
		engine: e, program: p, id: r.ID, dataset: r.DefaultDatasetID, token: e.tokens.Of(r.ID), kept: kept, secrets: secrets, pricing: pricing,
		commands: make(chan command), done: make(chan struct{}), usage: meter.Resume(r), pass: map[executor.Stream]io.Writer{},
	}
	if pass := e.cfg.Output; pass != nil {
		a.pass[executor.Stdout], a.pass[executor.Stderr] = pass(r)
	}
	opts := runlog.Options{Logs: e.cfg.Store.Logs(), Logger: e.cfg.Logger}
	if p != nil {
		opts.Secrets = secrets.masks(p.Secrets)
	}
	if e.marks != nil {
		opts.Save = func(ctx context.Context, m runlog.Mark) error { return e.saveMark(ctx, r.ID, m) }
	}
	a.log, err = runlog.Open(ctx, r.ID, mark, opts)
	return a, err
}

func (e *Engine) saveMark(ctx context.Context, id string, m runlog.Mark) error {
	_, err := e.marks.Update(ctx, id, func(old *runlog.Mark) error {
		*old = m
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		err = e.marks.Create(ctx, id, m)
	}
	return err
}

// tell tells about an event.
func (e *Engine) tell(event string, r api.Run) {
	if e.cfg.OnEvent != nil {
		e.cfg.OnEvent(event, r)
	}
}

// announce gives the run what is known about it before its code starts: where
// its web server will be, and the output that its Actor promises.
func (e *Engine) announce(r *api.Run, kept *state, p *Program, in *Input) (err error) {
	if kept.WebPort, kept.HostPort, err = e.ports(p); err != nil {
		return err
	}
	r.ContainerURL = fmt.Sprintf("http://127.0.0.1:%d", kept.HostPort)
	r.Output, err = e.output(*r, p, in)
	return err
}
