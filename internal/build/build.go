// Package build makes builds of Actors: it numbers them, queues them, brings in
// their source, has it built, and keeps what came of it, so that runs can be
// started from it as long as it is there.
package build

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/checkout"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// What a build gets on the platform. The memory, in mebibytes, decides what it
// would cost; nothing limits it here.
const (
	memoryMbytes   = 4096
	DefaultTimeout = 1800 * time.Second
)

// Defaults of a Config.
const (
	defaultParallel = 2
	defaultKeep     = 90 * 24 * time.Hour
)

// Target is one kind of place that builds are made for.
type Target struct {
	Builder  builder.Builder
	Executor executor.Executor
	// ActorBinary is the host path of an actor command that runs where the
	// executor runs things; "" when there is none.
	ActorBinary string
	// Images removes images; nil for a target that makes none.
	Images Images
}

// Images is what a target with images can do with them.
type Images interface {
	// Labelled gives the images that have a label: their labels by their ids.
	Labelled(ctx context.Context, name, value string) (map[string]map[string]string, error)
	// Remove removes an image; used tells that something still needs it.
	Remove(ctx context.Context, id string) (used bool, err error)
}

// Config is what a service works with. Store, Catalog, Dir and Targets are
// needed.
type Config struct {
	Store   store.Root
	Catalog *catalog.Catalog
	// Dir is a directory of the service's own: sources while they are built, and
	// what processes are started in.
	Dir string
	// Targets are by the names of their executors. New builds are for Default;
	// what was built for another one runs there as long as it is among them.
	Targets map[string]Target
	Default string
	// Own opens what a URL of this server names; see checkout.
	Own    func(ctx context.Context, url string) (body io.ReadCloser, ok bool, err error)
	Limits checkout.Limits
	// Parallel is how many builds are made at once, Timeout how long one may
	// take, Keep for how long one stays that no tag and no run needs.
	Parallel      int
	Timeout, Keep time.Duration
	// OnEvent is told about builds: "ACTOR.BUILD.CREATED" and what they end in.
	// After a restart the last events are told again.
	OnEvent func(eventType string, b api.Build)
	Logger  *slog.Logger
}

// Service makes and keeps builds. Safe for concurrent use.
type Service struct {
	cfg      Config
	builds   store.Records[api.Build]
	details  store.Records[detail]
	checkout checkout.Checkout
	instance string // marks images as those of this service

	stop    context.Context
	stopAll context.CancelFunc
	working sync.WaitGroup
	slots   chan struct{}

	mu     sync.Mutex
	active map[string]*active
	closed bool

	programs programs
}

// active is a build that has not ended.
type active struct {
	log    *runlog.Log
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// detail is what a build is made of and what came of it; lists need none of it.
type detail struct {
	// Version is what is built, without the values of secrets, and Sealed are its
	// variables, secret ones encrypted.
	Version api.ActorVersion `json:"version"`
	Sealed  []api.EnvVar     `json:"sealed,omitempty"`
	// Tag is set when the build succeeds, "" for none; Tagged says that it was.
	Tag    string `json:"tag,omitempty"`
	Tagged bool   `json:"tagged,omitempty"`

	Target     string          `json:"target,omitempty"`
	Result     builder.Result  `json:"result"`
	Definition json.RawMessage `json:"definition,omitempty"`
	InputText  *string         `json:"inputSchema,omitempty"`
	Readme     *string         `json:"readme,omitempty"`
	Changelog  *string         `json:"changelog,omitempty"`
}

// New makes a service; the caller closes it.
func New(cfg Config) (*Service, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = defaultParallel
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Keep <= 0 {
		cfg.Keep = defaultKeep
	}
	if cfg.Limits == (checkout.Limits{}) {
		cfg.Limits = checkout.DefaultLimits
	}
	instance, err := instanceOf(cfg.Dir)
	if err != nil {
		return nil, err
	}
	stop, cancel := context.WithCancel(context.Background())
	return &Service{
		cfg: cfg, builds: cfg.Store.Builds(),
		details:  store.RecordsOf(cfg.Store, store.Kind[detail]{Name: "build-detail"}),
		checkout: checkout.Checkout{Limits: cfg.Limits, Own: cfg.Own},
		instance: instance, stop: stop, stopAll: cancel,
		slots: make(chan struct{}, cfg.Parallel), active: map[string]*active{},
	}, nil
}

// Close ends the builds under way, which fail, and waits for them. Those that
// have not begun begin after the next start.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stopAll()
	s.working.Wait()
}

// Options say how to build.
type Options struct {
	Version string
	// Tag is what the build gets when it succeeds; "" takes that of the version.
	Tag                    string
	UseCache, BetaPackages bool
	Meta                   api.RunMeta
}

// Start begins a build of a version and returns once it is recorded.
func (s *Service) Start(ctx context.Context, actorRef string, opts Options) (api.Build, error) {
	if opts.Tag != "" {
		if err := catalog.CheckTag(opts.Tag); err != nil {
			return api.Build{}, err
		}
	}
	snapshot, err := s.cfg.Catalog.NextBuild(ctx, actorRef, opts.Version)
	if err != nil {
		return api.Build{}, err
	}
	b := api.Build{
		ID: store.NewID(), ActorID: snapshot.Actor.ID, UserID: snapshot.Actor.UserID, StartedAt: api.Now(),
		Status: api.StatusReady, Meta: opts.Meta, BuildNumber: snapshot.Number,
		Options: &api.BuildOptions{
			UseCache: opts.UseCache, BetaPackages: opts.BetaPackages, MemoryMbytes: memoryMbytes, DiskMbytes: 2 * memoryMbytes,
		},
	}
	d := detail{Version: snapshot.Version, Sealed: snapshot.Sealed, Tag: snapshot.Version.BuildTag}
	if opts.Tag != "" {
		d.Tag = opts.Tag
	}
	if err := s.details.Create(ctx, b.ID, d); err != nil {
		return api.Build{}, err
	}
	if err := s.builds.Create(ctx, b.ID, b); err != nil {
		_ = s.details.Delete(ctx, b.ID) // what failed before counts
		return api.Build{}, err
	}
	s.tell(b)
	if err := s.queue(b.ID); err != nil {
		return api.Build{}, err
	}
	return s.with(b, d), nil
}

// queue makes a build when there is room for it.
func (s *Service) queue(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fault.New(fault.Unavailable, "the server is shutting down")
	}
	log, err := s.openLog(s.stop, id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(s.stop)
	a := &active{log: log, cancel: cancel, done: make(chan struct{})}
	s.active[id] = a
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		defer cancel(nil)
		queued := true
		select {
		case s.slots <- struct{}{}:
			queued = false
		case <-ctx.Done(): // aborted: that needs no room
		}
		if s.stop.Err() == nil { // else it begins after the next start
			s.work(ctx, id, log)
		}
		log.End()
		if !queued {
			<-s.slots
		}
		s.mu.Lock()
		delete(s.active, id)
		s.mu.Unlock()
		close(a.done)
	}()
	return nil
}

// openLog gives the log of a build to write it; its caller ends it.
func (s *Service) openLog(ctx context.Context, id string) (*runlog.Log, error) {
	return runlog.Open(ctx, id, runlog.Mark{}, runlog.Options{Logs: s.cfg.Store.Logs(), Logger: s.cfg.Logger})
}

func (s *Service) lookup(id string) *active {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active[id]
}

// with gives a build as the API shows it.
func (s *Service) with(b api.Build, d detail) api.Build {
	v := d.Version
	b.ActorVersion = &v
	b.ActorDefinition, b.InputSchema, b.Readme = d.Definition, d.InputText, d.Readme
	return b
}

// Build gives a build with everything the API shows of it; a missing one is
// fault.NotFound.
func (s *Service) Build(ctx context.Context, id string) (api.Build, error) {
	b, err := s.builds.Get(ctx, id)
	if err != nil {
		return b, notFound(err, id)
	}
	d, err := s.details.Get(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return b, nil // being deleted
	}
	return s.with(b, d), err
}

func notFound(err error, id string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "build %q was not found", id)
	}
	return err
}

// Builds gives the builds that q selects, without what only Build tells.
func (s *Service) Builds(ctx context.Context, q store.Query) (store.Page[api.Build], error) {
	return s.builds.Page(ctx, q)
}

// Wait gives a build once it has ended, or as it is after d.
func (s *Service) Wait(ctx context.Context, id string, d time.Duration) (api.Build, error) {
	if a := s.lookup(id); a != nil && d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-a.done:
		case <-timer.C:
		case <-ctx.Done():
			return api.Build{}, ctx.Err()
		}
	}
	return s.Build(ctx, id)
}

// errAborted is why an aborted build ends.
var errAborted = errors.New("the build was aborted")

// Abort ends a build that has not ended; one that has is given as it is.
func (s *Service) Abort(ctx context.Context, id string) (api.Build, error) {
	if a := s.lookup(id); a != nil {
		_, err := s.builds.Update(ctx, id, func(b *api.Build) error {
			if !b.Status.Terminal() {
				b.Status = api.StatusAborting
			}
			return nil
		})
		if err != nil {
			return api.Build{}, notFound(err, id)
		}
		a.cancel(errAborted)
	}
	return s.Build(ctx, id)
}

// Log opens the log of a build; with follow, reading waits for more until the
// build has ended.
func (s *Service) Log(ctx context.Context, id string, follow bool) (io.ReadCloser, error) {
	if _, err := s.builds.Get(ctx, id); err != nil {
		return nil, notFound(err, id)
	}
	if a := s.lookup(id); a != nil {
		return a.log.Reader(ctx, follow), nil
	}
	return s.cfg.Store.Logs().Open(ctx, id, 0)
}

// events are the names of what happens to builds, by their status.
var events = map[api.Status]string{
	api.StatusReady: "ACTOR.BUILD.CREATED", api.StatusSucceeded: "ACTOR.BUILD.SUCCEEDED", api.StatusFailed: "ACTOR.BUILD.FAILED",
	api.StatusTimedOut: "ACTOR.BUILD.TIMED_OUT", api.StatusAborted: "ACTOR.BUILD.ABORTED",
}

func (s *Service) tell(b api.Build) {
	if event := events[b.Status]; event != "" && s.cfg.OnEvent != nil {
		s.cfg.OnEvent(event, b)
	}
}
