package build

import (
	"context"
	"encoding/json"
	"mime"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/openapi"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var _ engine.Programs = (*Service)(nil)

// maxPrograms is how many builds are kept ready to be run.
const maxPrograms = 200

// prepared is what is the same in every run of a build.
type prepared struct {
	definition *definition.Actor
	detail     detail // without sources and texts
}

// programs remembers what builds come to: reading a definition takes longer than
// starting a run.
type programs struct {
	mu   sync.Mutex
	byID map[string]prepared
}

func (p *programs) get(id string) (prepared, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.byID[id]
	return found, ok
}

func (p *programs) put(id string, what prepared) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil || len(p.byID) >= maxPrograms {
		p.byID = map[string]prepared{}
	}
	p.byID[id] = what
}

func (p *programs) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byID, id)
}

// Actor finds an Actor as engine.Programs asks for it.
func (s *Service) Actor(ctx context.Context, ref string) (api.Actor, error) {
	return s.cfg.Catalog.Actor(ctx, ref)
}

// Actors gives all Actors with their statistics.
func (s *Service) Actors(ctx context.Context) ([]api.Actor, error) {
	page, err := s.cfg.Catalog.List(ctx, 0, 0, false)
	return page.Items, err
}

// Program gives the build that a tag or a number names, and the Actor's default
// build for "". What the platform answers to one that is not there is
// fault.Forbidden.
func (s *Service) Program(ctx context.Context, actorRef, build string) (*engine.Program, error) {
	a, err := s.cfg.Catalog.Actor(ctx, actorRef)
	if err != nil {
		return nil, err
	}
	b, err := s.find(ctx, a, build)
	if err != nil {
		return nil, err
	}
	return s.program(ctx, a, b)
}

// find gives a build that can be run by its tag or number.
func (s *Service) find(ctx context.Context, a api.Actor, build string) (api.Build, error) {
	if build == "" {
		build = catalog.DefaultBuild(a)
	}
	if catalog.IsBuildNumber(build) {
		b, err := s.builds.First(ctx, store.Query{Unique: a.ID + " " + build})
		if fault.Is(err, fault.NotFound) {
			return b, fault.New(fault.Forbidden, "build %s of the Actor was not found", build).WithType("build-not-found")
		}
		if err == nil && b.Status != api.StatusSucceeded {
			err = fault.New(fault.Forbidden, "build %s cannot be run: its status is %s", build, b.Status).WithType("invalid-build")
		}
		return b, err
	}
	missing := fault.New(fault.Forbidden, "build with tag %q was not found; has the Actor been built already?", build).
		WithType("unknown-build-tag")
	tagged := a.TaggedBuilds[build]
	if tagged == nil {
		return api.Build{}, missing
	}
	b, err := s.builds.Get(ctx, tagged.BuildID)
	if fault.Is(err, fault.NotFound) {
		return b, missing
	}
	return b, err
}

// ProgramOf gives the program of a build by its id.
func (s *Service) ProgramOf(ctx context.Context, buildID string) (*engine.Program, error) {
	b, err := s.builds.Get(ctx, buildID)
	if err != nil {
		return nil, notFound(err, buildID)
	}
	a, err := s.cfg.Catalog.Actor(ctx, b.ActorID)
	if err != nil {
		return nil, err
	}
	return s.program(ctx, a, b)
}

// prepare gives what is the same in every run of a build.
func (s *Service) prepare(ctx context.Context, b api.Build) (prepared, error) {
	if p, ok := s.programs.get(b.ID); ok {
		return p, nil
	}
	d, err := s.details.Get(ctx, b.ID)
	if err != nil {
		return prepared{}, notFound(err, b.ID)
	}
	actor, err := definition.FromDocument(d.Definition)
	if err != nil {
		return prepared{}, err
	}
	p := prepared{actor, detail{Sealed: d.Sealed, Target: d.Target, Result: d.Result, Tag: d.Tag}}
	s.programs.put(b.ID, p)
	return p, nil
}

func (s *Service) program(ctx context.Context, a api.Actor, b api.Build) (*engine.Program, error) {
	p, err := s.prepare(ctx, b)
	if err != nil {
		return nil, err
	}
	target, ok := s.cfg.Targets[p.detail.Target]
	if !ok {
		return nil, fault.New(fault.Unavailable, "build %s was made for the executor %s, which this server does not have now", b.BuildNumber, p.detail.Target).
			WithHint("start the container engine and then the server, or build the Actor again")
	}
	env, secrets, err := s.cfg.Catalog.Environment(b.ActorID, p.detail.Sealed)
	if err != nil {
		return nil, err
	}
	return &engine.Program{
		Actor: a, Build: b, Definition: p.definition, Result: p.detail.Result, Executor: target.Executor,
		Env: env, Secrets: secrets, ActorBinary: target.ActorBinary,
	}, nil
}

// DefaultBuild gives the build that runs of an Actor get when nobody says which.
// One that is not there is fault.NotFound.
func (s *Service) DefaultBuild(ctx context.Context, actorRef string) (api.Build, error) {
	a, err := s.cfg.Catalog.Actor(ctx, actorRef)
	if err != nil {
		return api.Build{}, err
	}
	b, err := s.find(ctx, a, "")
	if fault.Is(err, fault.Forbidden) {
		return b, fault.New(fault.NotFound, "the Actor has no default build: %w", err).WithHint("build it")
	}
	if err != nil {
		return b, err
	}
	return s.Build(ctx, b.ID)
}

// OpenAPI gives the OpenAPI document of a build that succeeded.
func (s *Service) OpenAPI(ctx context.Context, buildID, baseURL string) (json.RawMessage, error) {
	b, err := s.builds.Get(ctx, buildID)
	if err != nil {
		return nil, notFound(err, buildID)
	}
	if b.Status != api.StatusSucceeded {
		return nil, fault.New(fault.NotFound, "build %s has no OpenAPI document: its status is %s", b.BuildNumber, b.Status)
	}
	a, err := s.cfg.Catalog.Actor(ctx, b.ActorID)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(ctx, b)
	if err != nil {
		return nil, err
	}
	return openapi.Generate(p.definition, openapi.Options{
		BaseURL: baseURL, Actor: a.Username + "~" + a.Name, BuildID: b.ID, BuildNumber: b.BuildNumber,
	})
}

// CheckInput checks an input against the input schema of a build: that of a tag
// or a number, or the default build. Anything is valid without a schema.
func (s *Service) CheckInput(ctx context.Context, actorRef, build, contentType string, body []byte) error {
	a, err := s.cfg.Catalog.Actor(ctx, actorRef)
	if err != nil {
		return err
	}
	b, err := s.find(ctx, a, build)
	if err != nil {
		return err
	}
	p, err := s.prepare(ctx, b)
	if err != nil || p.definition.Input == nil {
		return err
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	if !json.Valid(body) {
		return fault.New(fault.InvalidInput, "the input is not valid JSON").WithType("run-input-body-not-valid-json")
	}
	if mediaType, _, err := mime.ParseMediaType(contentType); contentType != "" && (err != nil || mediaType != "application/json") {
		return fault.New(fault.InvalidInput, "the input has the content type %q, but the Actor's input schema needs JSON", contentType)
	}
	filled, err := p.definition.Input.WithDefaults(body)
	if err != nil {
		return err
	}
	return p.definition.Input.Check(filled)
}
