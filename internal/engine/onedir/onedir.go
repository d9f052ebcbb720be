// Package onedir gives the engine programs that lie in directories of this
// machine and are built where they lie, as apify run needs them: one Actor a
// directory, and one build of it, made when it is first asked for.
package onedir

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Source is an Actor's directory, and what it takes to build and run it.
type Source struct {
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
}

// entry is a source with its Actor and, once there is one, its build.
type entry struct {
	Source
	actor api.Actor

	building sync.Mutex
	result   *builder.Result
	build    api.Build
}

// Programs are the Actors of directories. It implements engine.Programs and is
// safe for concurrent use.
type Programs struct {
	builds           store.Records[api.Build]
	userID, username string

	mu      sync.Mutex
	entries []*entry
}

// New gives programs whose builds are kept in builds and belong to the user.
func New(builds store.Records[api.Build], userID, username string) *Programs {
	return &Programs{builds: builds, userID: userID, username: username}
}

// Add makes a source known under an id that depends on its directory alone, and
// gives the Actor.
func (p *Programs) Add(s Source) api.Actor {
	d := s.Definition
	name := d.Name
	if name == "" {
		name = "actor"
	}
	now := api.Now()
	e := &entry{Source: s, actor: api.Actor{
		ID: stableID("actor", d.Root), UserID: p.userID, Name: name, Username: p.username,
		Title: optional(d.Title), Description: optional(d.Description),
		CreatedAt: now, ModifiedAt: now,
		Versions: []api.ActorVersion{{VersionNumber: d.Version, SourceType: api.SourceFiles, BuildTag: d.BuildTag}},
		DefaultRunOptions: api.DefaultRunOptions{
			Build: d.BuildTag, MemoryMbytes: engine.DefaultMemory(d),
		},
	}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = append(p.entries, e)
	return e.actor
}

// Actors gives all Actors in the order in which they were added.
func (p *Programs) Actors(context.Context) ([]api.Actor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	actors := make([]api.Actor, 0, len(p.entries))
	for _, e := range p.entries {
		actors = append(actors, e.actor)
	}
	return actors, nil
}

// Actor finds an Actor by id, "username~name", "username/name", "~name" or name.
func (p *Programs) Actor(_ context.Context, ref string) (api.Actor, error) {
	e, err := p.find(func(e *entry) bool { return sameRef(ref, e.actor) })
	if err != nil {
		return api.Actor{}, fault.New(fault.NotFound, "Actor %q was not found", ref)
	}
	return e.actor, nil
}

func (p *Programs) find(is func(*entry) bool) (*entry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.entries, is); i >= 0 {
		return p.entries[i], nil
	}
	return nil, fault.New(fault.NotFound, "Actor was not found")
}

// Unbuilt gives the program of an Actor without a build: enough to judge an
// input by, and nothing to start.
func (p *Programs) Unbuilt(ref string) (*engine.Program, error) {
	e, err := p.find(func(e *entry) bool { return sameRef(ref, e.actor) })
	if err != nil {
		return nil, fault.New(fault.NotFound, "Actor %q was not found", ref)
	}
	return e.program(), nil
}

func (e *entry) program() *engine.Program {
	return &engine.Program{
		Actor: e.actor, Definition: e.Definition, Executor: e.Executor,
		Env: e.Env, Secrets: e.Secrets, ActorBinary: e.ActorBinary,
	}
}

// Program implements engine.Programs. A directory has one build, whatever tag is
// asked for.
func (p *Programs) Program(ctx context.Context, ref, _ string) (*engine.Program, error) {
	e, err := p.find(func(e *entry) bool { return sameRef(ref, e.actor) })
	if err != nil {
		return nil, fault.New(fault.NotFound, "Actor %q was not found", ref)
	}
	return p.built(ctx, e, nil)
}

// ProgramOf implements engine.Programs.
func (p *Programs) ProgramOf(ctx context.Context, buildID string) (*engine.Program, error) {
	b, err := p.builds.Get(ctx, buildID)
	if err != nil {
		return nil, err
	}
	e, err := p.find(func(e *entry) bool { return e.actor.ID == b.ActorID })
	if err != nil {
		return nil, fault.New(fault.NotFound, "the Actor of build %q was not found", buildID)
	}
	return p.built(ctx, e, nil)
}

// Prepare builds an Actor once in this process; progress goes to log. Later calls
// return the same result.
func (p *Programs) Prepare(ctx context.Context, ref string, log io.Writer) (builder.Result, error) {
	e, err := p.find(func(e *entry) bool { return sameRef(ref, e.actor) })
	if err != nil {
		return builder.Result{}, fault.New(fault.NotFound, "Actor %q was not found", ref)
	}
	built, err := p.built(ctx, e, log)
	if err != nil {
		return builder.Result{}, err
	}
	return built.Result, nil
}

func (p *Programs) built(ctx context.Context, e *entry, log io.Writer) (*engine.Program, error) {
	e.building.Lock()
	defer e.building.Unlock()
	if e.result == nil {
		started := api.Now()
		if log == nil {
			log = io.Discard
		}
		result, err := e.Builder.Build(ctx, builder.Request{
			Actor: e.Definition, NoCache: e.NoCache, Rebuild: e.Rebuild, Entrypoint: e.Entrypoint, Log: log,
		})
		if err != nil {
			return nil, err
		}
		if e.build, err = p.record(ctx, e, result, started); err != nil {
			return nil, err
		}
		e.result = &result
	}
	program := e.program()
	program.Build, program.Result = e.build, *e.result
	return program, nil
}

// record keeps a record of what was built. The same result of the same
// Actor is the same build: its id is derived from them.
func (p *Programs) record(ctx context.Context, e *entry, result builder.Result, started api.Time) (api.Build, error) {
	id := stableID("build", e.actor.ID, e.Definition.Version, result.Image, result.Dir, strings.Join(result.Command, "\x00"))
	if b, err := p.builds.Get(ctx, id); err == nil {
		return b, nil
	}
	others, err := p.builds.Page(ctx, store.Query{Where: map[string][]string{store.ByActor: {e.actor.ID}}})
	if err != nil {
		return api.Build{}, err
	}
	number := 1
	for _, b := range others.Items {
		if strings.HasPrefix(b.BuildNumber, e.Definition.Version+".") {
			number++
		}
	}
	finished := api.Now()
	b := api.Build{
		ID: id, ActorID: e.actor.ID, UserID: p.userID, StartedAt: started, FinishedAt: &finished,
		Status: api.StatusSucceeded, Meta: api.RunMeta{Origin: "DEVELOPMENT"},
		BuildNumber: fmt.Sprintf("%s.%d", e.Definition.Version, number),
		Stats:       api.BuildStats{ImageSizeBytes: result.SizeBytes},
	}
	b.Stats.DurationMillis = finished.Sub(started.Time).Milliseconds()
	b.Stats.RunTimeSecs = float64(b.Stats.DurationMillis) / 1000
	err = p.builds.Create(ctx, id, b)
	if fault.Is(err, fault.Conflict) {
		return p.builds.Get(ctx, id)
	}
	return b, err
}

// Builds gives the builds that q selects.
func (p *Programs) Builds(ctx context.Context, q store.Query) (store.Page[api.Build], error) {
	return p.builds.Page(ctx, q)
}

// Build gives the record of a build.
func (p *Programs) Build(ctx context.Context, id string) (api.Build, error) {
	b, err := p.builds.Get(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return b, fault.New(fault.NotFound, "build %q was not found", id)
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

// sameRef reports whether ref names the Actor: by id, "username~name",
// "username/name", "~name" or the bare name.
func sameRef(ref string, a api.Actor) bool {
	if ref == a.ID {
		return true
	}
	ref = strings.Replace(ref, "/", "~", 1)
	return slices.Contains([]string{a.Name, "~" + a.Name, a.Username + "~" + a.Name}, strings.ToLower(ref))
}
