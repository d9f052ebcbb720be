package engine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine/meter"
	"github.com/greenroom-dev/greenroom/internal/engine/queue"
	"github.com/greenroom-dev/greenroom/internal/engine/runtoken"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Config is what an engine works with. Store, Programs, APIURL and the user are
// needed;
// everything else may be left out.
type Config struct {
	Store            store.Root
	UserID, Username string
	// Programs finds what is to be run.
	Programs Programs

	// APIURL makes the API reachable for code behind the endpoint and gives its
	// origin, without /v2.
	APIURL func(ctx context.Context, ep executor.Endpoint) (string, error)

	// PublicURL gives the API's origin as people reach it, without /v2: links in
	// a run's output begin with it. Without it they begin with a slash.
	PublicURL func() string

	// Drain waits until the API has answered what the code of a run that has
	// just ended had asked: SDKs send their last status message and exit.
	Drain func(runID string)

	// Local makes the engine serve one directory, and end with its runs: the
	// first run uses the Root's default storages, and its input may come from
	// there.
	Local bool
	// Executors are all that runs may have been started with, for taking them
	// over. Not used with Local.
	Executors []executor.Executor
	// TokenKey is what the tokens of runs are made of. It must stay the same for
	// runs to be taken over; nil makes one that lives as long as the engine.
	TokenKey []byte
	// TotalMemoryMbytes is what all runs together may use, MaxRuns how many may
	// run at once; the others wait, READY. 0 is no limit.
	TotalMemoryMbytes int
	MaxRuns           int
	// Inputs, when not nil, shows a run its input without writing it over a
	// stored one. Used with Local.
	Inputs InputHolder
	// StorageDir, when not empty, is given to the code instead of the API.
	StorageDir string

	// Output gives the writers that get a run's output byte for byte.
	Output func(r api.Run) (stdout, stderr io.Writer)
	// OnChange is told about every change of a run's status or status message,
	// in order. It must not block or call the engine.
	OnChange func(r api.Run)
	// OnEvent is told what webhooks can be called for, as "ACTOR.RUN.SUCCEEDED",
	// after the run's record was written, and once more after a restart for what
	// the engine before may not have told. It must not call the engine.
	OnEvent func(eventType string, r api.Run)

	// SecretKey gives the key pair for an Actor's secret inputs, the same each
	// time. When it is nil, keys live as long as the engine.
	SecretKey func(actorID string) (*secret.PrivateKey, error)

	ProxyPassword    string
	InheritedNoProxy string
	Logger           *slog.Logger
}

// InputHolder shows a record in a key-value store without storing it.
type InputHolder interface {
	// Hold makes key of the store read as body until it is written or deleted.
	Hold(storeID, key, contentType string, body []byte)
}

// Engine starts, supervises and ends runs. Safe for concurrent use.
type Engine struct {
	cfg    Config
	tokens runtoken.Key
	queue  *queue.Queue
	// states, marks and days are nil for an engine that dies with its runs.
	states *store.Records[state]
	marks  *store.Records[runlog.Mark]
	days   *meter.Days

	// kill ends every run when it is cancelled; leaving is closed when the runs
	// are to be left alone.
	kill     context.Context
	killRuns context.CancelFunc
	leaving  chan struct{}
	running  sync.WaitGroup
	// patience is cancelled when nobody is to wait for anything any more.
	patience context.Context
	hurry    context.CancelFunc

	mu      sync.Mutex
	active  map[string]*active // by run id, until the run has ended
	charged map[string]*active // those that pay by the item, by their dataset
	ended   map[string]bool    // those that ended just now
	taken   map[int]bool       // ports of runs that have not ended
	started int
	closed  bool

	keys keyring
}

// New makes an engine; the caller closes it.
func New(cfg Config) *Engine {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	kill, cancel := context.WithCancel(context.Background())
	patience, hurry := context.WithCancel(context.Background())
	e := &Engine{
		patience: patience, hurry: hurry,
		cfg: cfg, tokens: runtoken.New(cfg.TokenKey), queue: queue.New(cfg.TotalMemoryMbytes, cfg.MaxRuns),
		kill: kill, killRuns: cancel, leaving: make(chan struct{}),
		active: map[string]*active{}, charged: map[string]*active{}, taken: map[int]bool{}, ended: map[string]bool{},
	}
	if !cfg.Local {
		states, marks := store.RecordsOf(cfg.Store, stateKind), store.RecordsOf(cfg.Store, markKind)
		e.states, e.marks, e.days = &states, &marks, meter.NewDays(cfg.Store)
	}
	return e
}

// Release lets go of everybody who follows a log or waits for the end of a run,
// because the server ends.
func (e *Engine) Release() { e.hurry() }

// Close kills what still runs, waits until every run has its terminal status,
// and refuses further starts.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.killRuns()
	e.running.Wait()
}

// Leave lets go of all runs and refuses further starts. Those whose executor
// outlives us go on, and those that wait for memory wait for the next engine;
// the others are ended.
func (e *Engine) Leave() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.closed = true
	e.mu.Unlock()
	close(e.leaving)
	// Nothing is cancelled before everybody has let go: what was being started
	// or stored would fail for a reason that the run has nothing to do with.
	e.running.Wait()
	e.killRuns()
}

// isLeaving reports whether runs are to be left alone.
func (e *Engine) isLeaving() bool {
	select {
	case <-e.leaving:
		return true
	default:
		return false
	}
}

// Load tells how much memory runs use, how much there is for them, how many have
// theirs and how many wait, and how many may run at once. 0 is no limit.
func (e *Engine) Load() Load {
	used, running, waiting := e.queue.Load()
	return Load{UsedMbytes: used, TotalMbytes: e.queue.Total(), Running: running, Waiting: waiting, MaxRuns: e.queue.Most()}
}

// unlock gives up everything that a run has locked in its request queue.
func (e *Engine) unlock(ctx context.Context, r api.Run) error {
	queue, err := e.cfg.Store.RequestQueues().Open(ctx, r.DefaultRequestQueueID)
	if err == nil {
		_, err = queue.Unlock(ctx, store.Client{RunID: r.ID})
	}
	return err
}

// Run gives the record of a run. What one that has not ended uses is up to date.
func (e *Engine) Run(ctx context.Context, id string) (api.Run, error) {
	r, err := e.stored(ctx, id)
	if err == nil && !r.Status.Terminal() {
		if a := e.lookup(id); a != nil {
			a.show(&r)
		}
	}
	return r, err
}

// stored gives the record of a run as it is stored.
func (e *Engine) stored(ctx context.Context, id string) (api.Run, error) {
	r, err := e.cfg.Store.Runs().Get(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return r, fault.New(fault.NotFound, "Actor run %q was not found", id)
	}
	return r, err
}

// Runs gives the runs that q selects.
func (e *Engine) Runs(ctx context.Context, q store.Query) (store.Page[api.Run], error) {
	return e.cfg.Store.Runs().Page(ctx, q)
}

// WaitRun gives the run's record once it has ended, or as it is after d.
func (e *Engine) WaitRun(ctx context.Context, id string, d time.Duration) (api.Run, error) {
	if a := e.lookup(id); a != nil && d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-a.done:
		case <-timer.C:
		case <-e.patience.Done():
		case <-ctx.Done():
			return api.Run{}, ctx.Err()
		}
	}
	return e.Run(ctx, id)
}

// UpdateRun changes what a PUT may change. A terminal status message stays
// unless another terminal one replaces it. Runs that have ended may still be
// updated: an SDK's last message can arrive after its process has gone.
func (e *Engine) UpdateRun(ctx context.Context, id string, u api.RunUpdate) (api.Run, error) {
	return e.update(ctx, id, func(r *api.Run) error {
		if u.GeneralAccess != "" {
			r.GeneralAccess = u.GeneralAccess
		}
		terminal := u.IsStatusMessageTerminal != nil && *u.IsStatusMessageTerminal
		if pinned := r.IsStatusMessageTerminal != nil && *r.IsStatusMessageTerminal; pinned && !terminal {
			return nil
		}
		if u.StatusMessage != nil {
			r.StatusMessage = u.StatusMessage
		}
		if u.IsStatusMessageTerminal != nil {
			r.IsStatusMessageTerminal = u.IsStatusMessageTerminal
		}
		return nil
	})
}

// AbortRun ends a run that has not ended; one that has is returned as it is.
// Gracefully tells the code first and gives it GracePeriod. It returns when the
// run is ABORTING, not when it has ended.
func (e *Engine) AbortRun(ctx context.Context, id string, gracefully bool) (api.Run, error) {
	if a := e.lookup(id); a != nil {
		if err := a.send(ctx, command{kind: abortRun, graceful: gracefully}); err != nil && !errors.Is(err, errEnded) {
			return api.Run{}, err
		}
	}
	return e.Run(ctx, id)
}

// RebootRun replaces the container of a running run; storages and id stay.
func (e *Engine) RebootRun(ctx context.Context, id string) (api.Run, error) {
	return e.command(ctx, id, command{kind: rebootRun})
}

// ExitRun ends a running run as if its code had exited with the given status.
func (e *Engine) ExitRun(ctx context.Context, id string, exit api.RunExit) (api.Run, error) {
	if exit.ExitCode < 0 || exit.ExitCode > 255 {
		return api.Run{}, fault.New(fault.InvalidRequest, "exitCode must be from 0 to 255, got %d", exit.ExitCode).WithType("invalid-value")
	}
	return e.command(ctx, id, command{kind: exitRun, exit: exit})
}

func (e *Engine) command(ctx context.Context, id string, c command) (api.Run, error) {
	a := e.lookup(id)
	err := errEnded
	if a != nil {
		err = a.send(ctx, c)
	}
	r, getErr := e.Run(ctx, id)
	switch {
	case getErr != nil:
		return r, getErr
	case errors.Is(err, errEnded):
		return r, errNotRunning(r)
	}
	return r, err
}

// DeleteRun forgets a run that has ended, with its log. Its storages stay.
func (e *Engine) DeleteRun(ctx context.Context, id string) error {
	r, err := e.Run(ctx, id)
	if err != nil {
		return err
	}
	if !r.Status.Terminal() {
		return fault.New(fault.InvalidRequest, "Actor run %q has not finished: abort it first", id).WithType("cannot-remove-running-run")
	}
	if a := e.lookup(id); a != nil {
		<-a.done // its end is recorded, and the rest of it follows at once
	}
	if err := e.cfg.Store.Logs().Delete(ctx, id); err != nil {
		return err
	}
	return e.cfg.Store.Runs().Delete(ctx, id)
}

// RunOfToken finds the run that a token was made for, until the run has ended
// and a moment longer.
func (e *Engine) RunOfToken(token string) (runID string, ok bool) {
	if runID, ok = e.tokens.RunOf(token); !ok {
		return "", false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return runID, e.active[runID] != nil || e.ended[runID]
}

// Limited reports whether the token of a run that has not ended gives access to
// what belongs to the run only.
func (e *Engine) Limited(runID string) bool {
	a := e.lookup(runID)
	return a == nil || a.state().Permission == api.LimitedPermissions
}

// Events subscribes to the events of a run. The channel is closed when the run
// has ended or the subscription is cancelled. A run that has ended gives a
// closed channel; an unknown one fault.NotFound.
func (e *Engine) Events(id string) (<-chan api.Event, func(), error) {
	if a := e.lookup(id); a != nil {
		events, cancel := a.events.Subscribe()
		return events, cancel, nil
	}
	if _, err := e.Run(context.Background(), id); err != nil {
		return nil, nil, err
	}
	ended := make(chan api.Event)
	close(ended)
	return ended, func() {}, nil
}

// update changes a run's record and tells OnChange.
func (e *Engine) update(ctx context.Context, id string, change func(*api.Run) error) (api.Run, error) {
	// The order of OnChange must be that of the changes.
	if a := e.lookup(id); a != nil {
		a.changing.Lock()
		defer a.changing.Unlock()
	}
	var before api.Run
	r, err := e.cfg.Store.Runs().Update(ctx, id, func(r *api.Run) error {
		before = *r
		return change(r)
	})
	if fault.Is(err, fault.NotFound) {
		return r, fault.New(fault.NotFound, "Actor run %q was not found", id)
	}
	if err == nil && e.cfg.OnChange != nil &&
		(before.Status != r.Status || text(before.StatusMessage) != text(r.StatusMessage)) {
		e.cfg.OnChange(r)
	}
	return r, err
}

func (e *Engine) lookup(id string) *active {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active[id]
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
