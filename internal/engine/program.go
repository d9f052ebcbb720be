package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Program is an Actor that the engine can build and run.
type Program struct {
	Definition *definition.Actor
	Builder    builder.Builder
	Executor   executor.Executor
	// Env is the Actor's own environment with its secrets resolved; Secrets are
	// the values that must not reach a log.
	Env     map[string]string
	Secrets []string
	// ActorBinary is the host path of an actor command that runs where the
	// executor runs things; "" when there is none.
	ActorBinary string

	Entrypoint       string
	NoCache, Rebuild bool

	actor api.Actor

	building sync.Mutex
	result   *builder.Result
	build    api.Build
}

// Register makes a program known under an id that depends on its directory
// alone, and returns the Actor.
func (e *Engine) Register(p *Program) api.Actor {
	d := p.Definition
	name := d.Name
	if name == "" {
		name = "actor"
	}
	now := api.Now()
	p.actor = api.Actor{
		ID: stableID("actor", d.Root), UserID: e.cfg.UserID, Name: name, Username: e.cfg.Username,
		Title: optional(d.Title), Description: optional(d.Description),
		CreatedAt: now, ModifiedAt: now,
		Versions: []api.ActorVersion{{VersionNumber: d.Version, SourceType: "SOURCE_FILES", BuildTag: d.BuildTag}},
		DefaultRunOptions: api.DefaultRunOptions{
			Build: d.BuildTag, MemoryMbytes: defaultMemory(d),
		},
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.programs[p.actor.ID] = p
	return p.actor
}

// Actors gives the Actors this engine can run.
func (e *Engine) Actors(context.Context) ([]api.Actor, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	actors := make([]api.Actor, 0, len(e.programs))
	for _, p := range e.programs {
		actors = append(actors, p.actor)
	}
	return actors, nil
}

// Actor finds an Actor by id, "username~name", "~name" or name.
func (e *Engine) Actor(ctx context.Context, ref string) (api.Actor, error) {
	p, err := e.program(ref)
	if err != nil {
		return api.Actor{}, err
	}
	return p.actor, nil
}

func (e *Engine) program(ref string) (*Program, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.programs {
		if sameRef(ref, p.actor) {
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "Actor %q was not found", ref)
}

// BuildActor prepares an Actor once in this engine's life; progress goes to
// log. Later calls return the same build.
func (e *Engine) BuildActor(ctx context.Context, ref string, log io.Writer) (builder.Result, error) {
	p, err := e.program(ref)
	if err != nil {
		return builder.Result{}, err
	}
	return e.prepare(ctx, p, log)
}

func (e *Engine) prepare(ctx context.Context, p *Program, log io.Writer) (builder.Result, error) {
	p.building.Lock()
	defer p.building.Unlock()
	if p.result != nil {
		return *p.result, nil
	}
	started := api.Now()
	if log == nil {
		log = io.Discard
	}
	result, err := p.Builder.Build(ctx, builder.Request{
		Actor: p.Definition, NoCache: p.NoCache, Rebuild: p.Rebuild, Entrypoint: p.Entrypoint, Log: log,
	})
	if err != nil {
		return result, err
	}
	p.build, err = e.recordBuild(ctx, p, result, started)
	if err != nil {
		return result, err
	}
	p.result = &result
	return result, nil
}

// recordBuild keeps a record of what was built. The same result of the same
// Actor is the same build: its id is derived from them.
func (e *Engine) recordBuild(ctx context.Context, p *Program, result builder.Result, started api.Time) (api.Build, error) {
	builds := e.cfg.Store.Builds()
	id := stableID("build", p.actor.ID, p.Definition.Version, result.Image, result.Dir, strings.Join(result.Command, "\x00"))
	if b, err := builds.Get(ctx, id); err == nil {
		return b, nil
	}
	all, err := builds.List(ctx)
	if err != nil {
		return api.Build{}, err
	}
	number := 1
	for _, b := range all {
		if b.ActorID == p.actor.ID && strings.HasPrefix(b.BuildNumber, p.Definition.Version+".") {
			number++
		}
	}
	finished := api.Now()
	b := api.Build{
		ID: id, ActorID: p.actor.ID, UserID: e.cfg.UserID, StartedAt: started, FinishedAt: &finished,
		Status: api.StatusSucceeded, Meta: api.RunMeta{Origin: "DEVELOPMENT"},
		BuildNumber: fmt.Sprintf("%s.%d", p.Definition.Version, number),
		Stats:       api.BuildStats{ImageSizeBytes: result.SizeBytes},
	}
	b.Stats.DurationMillis = finished.Sub(started.Time).Milliseconds()
	b.Stats.RunTimeSecs = float64(b.Stats.DurationMillis) / 1000
	err = builds.Create(ctx, id, b)
	if fault.Is(err, fault.Conflict) {
		return builds.Get(ctx, id)
	}
	return b, err
}

// stableID derives an id of the platform's form from parts, the same each time.
func stableID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	id := make([]byte, store.IDLength)
	a, b := binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])
	for i := range id {
		n := &a
		if i >= 10 { // 62^10 fits in 64 bits, 62^17 does not
			n = &b
		}
		id[i] = alphabet[*n%62]
		*n /= 62
	}
	return string(id)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
