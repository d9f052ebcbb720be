package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	outputschema "github.com/greenroom-dev/greenroom/internal/schema/output"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxMetamorphs is how often a run may become another Actor's.
// Source: the platform's limits.
const maxMetamorphs = 10

// ResurrectRun makes a run that has ended RUNNING again: with the storages it
// has, a new log and a new time limit. Its code starts once there is memory.
func (e *Engine) ResurrectRun(ctx context.Context, id string, req ResurrectRequest) (api.Run, error) {
	r, err := e.stored(ctx, id)
	if err != nil {
		return r, err
	}
	if !r.Status.Terminal() {
		return r, fault.New(fault.InvalidRequest, "Actor run %q has not finished, its status is %s: only a finished one can be resurrected", id, r.Status).
			WithType("operation-not-allowed")
	}
	if a := e.lookup(id); a != nil {
		<-a.done // its end is recorded, and the rest of it follows at once
	}
	p, err := e.programAgain(ctx, r, req.Build)
	if err != nil {
		return r, err
	}
	options := r.Options
	options.Build = cmp.Or(req.Build, options.Build)
	options, err = run.Options(options.Build, cmp.Or(req.TimeoutSecs, &options.TimeoutSecs), cmp.Or(req.MemoryMbytes, &options.MemoryMbytes), 0)
	if err != nil {
		return r, err
	}
	options.MaxItems = cmp.Or(req.MaxItems, r.Options.MaxItems)
	options.MaxTotalChargeUSD = cmp.Or(req.MaxTotalUSD, r.Options.MaxTotalChargeUSD)
	options.RestartOnError = r.Options.RestartOnError
	if req.RestartOnError != nil {
		options.RestartOnError = *req.RestartOnError
	}
	if err := e.checkOptions(p, options, req.MemoryMbytes != nil); err != nil {
		return r, err
	}
	if _, err := e.admit(); err != nil {
		return r, err
	}
	begun := false
	kept := state{
		RunID: id, Limited: !e.cfg.Local || req.MemoryMbytes != nil, Workflow: store.NewID(), InputKey: inputKeyOf(r), PastMillis: r.Stats.DurationMillis,
		Counts: r.ChargedEventCounts, Resurrected: true, Before: r.Usage,
	}
	defer func() {
		if !begun {
			e.unreserve(kept.HostPort)
			e.running.Done()
		}
	}()
	if kept.Permission, err = permission(p, ""); err != nil {
		return r, err
	}
	secrets, err := e.storedSecrets(ctx, p, r, &kept)
	if err != nil {
		return r, err
	}
	if kept.WebPort, kept.HostPort, err = e.ports(p); err != nil {
		return r, err
	}
	if e.states != nil {
		// One that is there already is somebody else's resurrection of the run.
		if err := e.states.Create(ctx, id, kept); err != nil {
			return r, err
		}
	}
	var a *active
	r, err = e.update(ctx, id, func(r *api.Run) error {
		if err := run.Move(r, api.StatusRunning, api.Now()); err != nil {
			return err
		}
		r.Options = options
		if len(r.Metamorphs) == 0 { // else the build is that of what it was at first
			r.BuildID, r.BuildNumber = p.Build.ID, &p.Build.BuildNumber
		}
		r.ExitCode, r.StatusMessage, r.IsStatusMessageTerminal = nil, nil, nil
		r.Stats.ResurrectCount++
		r.ContainerURL = fmt.Sprintf("http://127.0.0.1:%d", kept.HostPort)
		return nil
	})
	if err == nil {
		err = e.cfg.Store.Logs().Delete(ctx, id)
	}
	if err == nil {
		a, err = e.activate(ctx, r, p, kept, secrets, runlog.Mark{})
	}
	if err != nil {
		return r, err
	}
	a.ticket = e.queue.Enter(r.Options.MemoryMbytes)
	begun = true
	e.begin(a, r, func() outcome { return a.live(r, nil) })
	e.tell(EventResurrected, r)
	return r, nil
}

// programAgain gives what a run is to run when it goes on: another build of its
// Actor when one is named, else what it ran last.
func (e *Engine) programAgain(ctx context.Context, r api.Run, build string) (*Program, error) {
	actor, last := r.ActorID, r.BuildID
	if n := len(r.Metamorphs); n > 0 {
		actor, last = r.Metamorphs[n-1].ActorID, r.Metamorphs[n-1].BuildID
	}
	if build != "" {
		return e.cfg.Programs.Program(ctx, actor, build)
	}
	return e.cfg.Programs.ProgramOf(ctx, last)
}

// inputKeyOf is where the input of what a run is now lies.
func inputKeyOf(r api.Run) string {
	if n := len(r.Metamorphs); n > 0 && r.Metamorphs[n-1].InputKey != nil {
		return *r.Metamorphs[n-1].InputKey
	}
	return inputKey
}

// storedSecrets gives what goes with the input that is stored for a run, and
// notes whether it has secret fields.
func (e *Engine) storedSecrets(ctx context.Context, p *Program, r api.Run, kept *state) (inputSecrets, error) {
	if p == nil || p.Definition.Input == nil || len(p.Definition.Input.Secrets()) == 0 || e.cfg.StorageDir != "" {
		return inputSecrets{}, nil
	}
	in, err := e.record(ctx, r.DefaultKeyValueStoreID, kept.InputKey)
	if err != nil || in == nil || !hasSecrets(p, in) {
		return inputSecrets{}, err
	}
	kept.Sealed = true
	return e.unseal(p, in.Body, r.ID)
}

// MetamorphRun makes a running run another Actor's: same run, same storages,
// another program and another input.
func (e *Engine) MetamorphRun(ctx context.Context, id string, req MetamorphRequest) (api.Run, error) {
	a := e.lookup(id)
	r, err := e.stored(ctx, id)
	if err != nil {
		return r, err
	}
	if a == nil || r.Status.Terminal() {
		return r, errNotRunning(r)
	}
	if len(r.Metamorphs) >= maxMetamorphs {
		return r, fault.New(fault.InvalidRequest, "a run can metamorph %d times at most", maxMetamorphs).WithType("max-metamorphs-exceeded")
	}
	p, err := e.cfg.Programs.Program(ctx, req.Actor, req.Build)
	if err != nil {
		return r, err
	}
	if err := a.mayBecome(ctx, r, p); err != nil {
		return r, err
	}
	in := req.Input
	if in == nil {
		in = &Input{ContentType: jsonType, Body: []byte("{}")}
	}
	plain, _, err := e.input(ctx, p, in)
	if err != nil {
		return r, err
	}
	input, secrets, err := e.seal(p, plain, id)
	if err != nil {
		return r, err
	}
	change := func(ctx context.Context) error { return a.morph(ctx, p, input, secrets) }
	return e.command(ctx, id, command{kind: metamorphRun, change: change})
}

// mayBecome reports why a run must not become another Actor's.
func (a *active) mayBecome(ctx context.Context, r api.Run, p *Program) error {
	level, err := permission(p, "")
	if err != nil {
		return err
	}
	if a.state().Permission == api.LimitedPermissions && level != api.LimitedPermissions {
		return fault.New(fault.Forbidden, "a run with limited permissions cannot metamorph into Actor %q, which needs full permissions", p.Actor.Name)
	}
	first, err := a.engine.cfg.Programs.ProgramOf(ctx, r.BuildID)
	if err != nil {
		return err
	}
	return outputschema.Compatible(first.Definition.Output, p.Definition.Output)
}

// morph makes the run that of p. It runs in the supervisor, just before the
// present code is ended.
func (a *active) morph(ctx context.Context, p *Program, in *Input, secrets inputSecrets) error {
	e := a.engine
	r, err := e.stored(ctx, a.id)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s-METAMORPH-%d", inputKey, len(r.Metamorphs)+1)
	kvs, err := e.cfg.Store.KeyValueStores().Open(ctx, r.DefaultKeyValueStoreID)
	if err != nil {
		return err
	}
	if in == nil {
		in = &Input{ContentType: jsonType, Body: []byte("{}")}
	}
	if _, err := kvs.Put(ctx, key, in.ContentType, strings.NewReader(string(in.Body))); err != nil {
		return err
	}
	_, err = e.update(ctx, a.id, func(r *api.Run) error {
		r.Metamorphs = append(slices.Clone(r.Metamorphs), api.Metamorph{CreatedAt: api.Now(), ActorID: p.Actor.ID, BuildID: p.Build.ID, InputKey: &key})
		r.Stats.Metamorph++
		return nil
	})
	if err != nil {
		return err
	}
	// The record says now what the run is; a later engine starts from that.
	a.program, a.secrets = p, secrets
	a.log.Say(fmt.Sprintf("ACTOR: Metamorphing into %s/%s, build %s", p.Actor.Username, p.Actor.Name, p.Build.BuildNumber))
	a.log.Mask(secrets.masks(p.Secrets))
	return a.keep(ctx, func(s *state) { s.InputKey, s.Sealed, s.Again, s.Morphed = key, secrets.env != nil, true, true })
}
