// Package server is the HTTP API v2: it decodes requests, calls the engine or
// the store, and encodes what they answer. It holds no rules of its own; those
// live in the engine and the stores.
//
// Paths, parameters, envelopes, headers and error types are those of the
// platform's OpenAPI document, which the tests validate every answer against.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/build"
	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/engine"
	datasetschema "github.com/greenroom-dev/greenroom/internal/schema/dataset"
	"github.com/greenroom-dev/greenroom/internal/schema/keyvalue"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Engine is what the API needs of the engine. Missing runs are fault.NotFound.
type Engine interface {
	StartRun(ctx context.Context, req engine.StartRequest) (api.Run, error)
	Run(ctx context.Context, id string) (api.Run, error)
	// Runs gives the runs that q selects.
	Runs(ctx context.Context, q store.Query) (store.Page[api.Run], error)
	// WaitRun returns at the end of the run or after d, whichever comes first.
	WaitRun(ctx context.Context, id string, d time.Duration) (api.Run, error)
	UpdateRun(ctx context.Context, id string, u api.RunUpdate) (api.Run, error)
	AbortRun(ctx context.Context, id string, gracefully bool) (api.Run, error)
	RebootRun(ctx context.Context, id string) (api.Run, error)
	ExitRun(ctx context.Context, id string, exit api.RunExit) (api.Run, error)
	ResurrectRun(ctx context.Context, id string, req engine.ResurrectRequest) (api.Run, error)
	MetamorphRun(ctx context.Context, id string, req engine.MetamorphRequest) (api.Run, error)
	// ChargeRun charges once for each key that is not "".
	ChargeRun(ctx context.Context, id string, charge api.RunCharge, key string) error
	DeleteRun(ctx context.Context, id string) error
	// Count adds operations to the usage of a run that has not ended; Pushed says
	// that a dataset has got so many items.
	Count(runID, operation string, n int)
	Pushed(ctx context.Context, datasetID string, items int) error
	// Usage gives what was used from one day to another, by their midnights.
	Usage(ctx context.Context, from, to time.Time) (map[time.Time]map[string]float64, error)
	// Load tells how busy the engine is.
	Load() engine.Load
	// Log reads the log of a run or a build; with follow it blocks for more
	// until the run has ended.
	Log(ctx context.Context, id string, follow bool) (io.ReadCloser, error)
	// Events subscribes to the events of a run. The channel is closed when the
	// run has ended; the function ends the subscription.
	Events(id string) (<-chan api.Event, func(), error)
	// RunOfToken tells which run a token was made for.
	RunOfToken(token string) (runID string, ok bool)
	// Limited reports whether the token of a run gives access to what belongs to
	// the run only.
	Limited(runID string) bool
}

// Actors is what the API needs of the Actors there are and of their builds.
// Missing ones are fault.NotFound.
type Actors interface {
	// Actor finds an Actor by id, "username~name", "username/name", "~name" or
	// name.
	Actor(ctx context.Context, ref string) (api.Actor, error)
	Actors(ctx context.Context) ([]api.Actor, error)
	Build(ctx context.Context, id string) (api.Build, error)
	Builds(ctx context.Context, q store.Query) (store.Page[api.Build], error)
}

// Catalog is what the API needs of Actors that can be written.
type Catalog interface {
	// Whole gives an Actor with everything that the API shows of it.
	Whole(ctx context.Context, ref string) (api.Actor, error)
	List(ctx context.Context, offset, limit int, desc bool) (store.Page[api.Actor], error)
	Create(ctx context.Context, patch catalog.Patch) (api.Actor, error)
	Update(ctx context.Context, ref string, patch catalog.Patch, build func(id string) (api.Build, error)) (api.Actor, error)

	Versions(ctx context.Context, ref string) ([]api.ActorVersion, error)
	Version(ctx context.Context, ref, number string) (api.ActorVersion, error)
	CreateVersion(ctx context.Context, ref string, patch catalog.Patch) (api.ActorVersion, error)
	UpdateVersion(ctx context.Context, ref, number string, patch catalog.Patch) (api.ActorVersion, error)
	DeleteVersion(ctx context.Context, ref, number string) error

	Variables(ctx context.Context, ref, number string) ([]api.EnvVar, error)
	Variable(ctx context.Context, ref, number, name string) (api.EnvVar, error)
	CreateVariable(ctx context.Context, ref, number string, patch catalog.Patch) (api.EnvVar, error)
	UpdateVariable(ctx context.Context, ref, number, name string, patch catalog.Patch) (api.EnvVar, error)
	DeleteVariable(ctx context.Context, ref, number, name string) error
}

// Builds is what the API needs of builds that can be made.
type Builds interface {
	Start(ctx context.Context, actorRef string, opts build.Options) (api.Build, error)
	// Wait returns at the end of the build or after d, whichever comes first.
	Wait(ctx context.Context, id string, d time.Duration) (api.Build, error)
	Abort(ctx context.Context, id string) (api.Build, error)
	Delete(ctx context.Context, id string) error
	// DeleteActor forgets an Actor with its builds.
	DeleteActor(ctx context.Context, ref string) error
	DefaultBuild(ctx context.Context, actorRef string) (api.Build, error)
	Log(ctx context.Context, id string, follow bool) (io.ReadCloser, error)
	OpenAPI(ctx context.Context, id, baseURL string) (json.RawMessage, error)
	CheckInput(ctx context.Context, actorRef, build, contentType string, body []byte) error
}

// Config is what a server serves, to whom and under which names.
type Config struct {
	Store  store.Root
	Engine Engine
	Actors Actors
	// Catalog and Builds are nil on a server whose Actors nobody can change.
	Catalog Catalog
	Builds  Builds
	// Tasks, Schedules and Webhooks are nil on a server that has none of them.
	Tasks     Tasks
	Schedules Schedules
	Webhooks  Webhooks
	// OwnerToken may do everything; "" leaves it to Authenticate to know the
	// owner's token.
	OwnerToken string
	// Authenticate tells what further tokens give access to; ok is false for one
	// that is unknown or has expired. It is asked in every request. Nil knows no
	// others.
	Authenticate func(token string) (access Access, ok bool)
	// UserID and Username name the one user there is.
	UserID, Username string
	// AllowedHosts are host names, without port, that requests may be addressed
	// to besides those of the loopback interface.
	AllowedHosts []string
	// ProxyPassword is what users/me tells the SDKs that ask for it; "" tells of
	// no proxy.
	ProxyPassword string
	// MaxDecodedRecord is how many bytes a compressed record may come to; 0 means
	// 1 GiB.
	MaxDecodedRecord int64
	// PublicMetrics gives /metrics to those without a token too.
	PublicMetrics bool
	// Draining reports that the server is about to end, so that /healthz sends
	// nobody here any more; nil means never.
	Draining func() bool
	// Totals gives what the storages of each kind come to, by the kind's segment of
	// the path, for metrics. Nil looks at each storage.
	Totals func(ctx context.Context) (map[string]store.Totals, error)
	// DiskUsage gives the bytes that the store takes on disk, by what they hold;
	// it is asked for metrics only, and must be cheap. Nil leaves them out.
	DiskUsage func(ctx context.Context) (map[string]int64, error)
	// Backup writes a copy of everything that is kept, while it is in use; nil
	// serves none.
	Backup func(ctx context.Context, w io.Writer) error
	// Logger gets failures of the server itself, and at the level Debug every
	// request, without its query; nil drops them.
	Logger *slog.Logger
}

type server struct {
	Config
	mux     *http.ServeMux
	hosts   map[string]bool
	started api.Time
	// syncWait is how long the run-sync endpoints wait for the end of a run.
	syncWait time.Duration
	health   health
	secrets  secrets
	metrics  metrics
	measured measured

	datasets storages[store.Dataset]
	stores   storages[store.KeyValueStore]
	queues   storages[store.RequestQueue]

	datasetSchemas *schemas[datasetschema.Schema]
	storeSchemas   *schemas[keyvalue.Schema]
}

// New gives the handler of the API.
func New(cfg Config) http.Handler { return newServer(cfg) }

func newServer(cfg Config) *server {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{
		Config: cfg, mux: http.NewServeMux(), hosts: map[string]bool{},
		started: api.Now(), syncWait: 300 * time.Second,
		datasetSchemas: newDatasetSchemas(), storeSchemas: newStoreSchemas(),
	}
	s.health = health{check: s.checkStore, timeout: healthTimeout}
	s.measured.maxAge = measureMaxAge
	for _, host := range cfg.AllowedHosts {
		s.hosts[strings.ToLower(host)] = true
	}
	s.datasets = newStorages(s, "datasets", "dataset", cfg.Store.Datasets(), s.datasetView)
	s.stores = newStorages(s, "key-value-stores", "key-value store", cfg.Store.KeyValueStores(), s.storeView)
	s.queues = newStorages(s, "request-queues", "request queue", cfg.Store.RequestQueues(), s.queueView)
	s.datasets.checkSchema, s.stores.checkSchema = s.datasetSchemas.check, s.storeSchemas.check
	s.register(s.routes())
	return s
}

// ServeHTTP does what all requests have in common: they are counted; limits,
// host, origin and token are checked, aliases of paths and methods resolved, and
// panics turned into answers.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{ResponseWriter: w, r: r, s: s}
	defer c.begin()()
	defer c.recover()
	if r.URL.Path == "/healthz" {
		c.healthz()
		return
	}
	c.Header()["X-Ratelimit-Limit"] = rateLimit
	if err := c.admit(); err != nil {
		c.fail(err)
		return
	}
	if r.URL.Path == "/metrics" {
		if err := c.serveMetrics(); err != nil {
			c.fail(err)
		}
		return
	}
	if r.URL.Path == backupPath {
		if err := c.serveBackup(); err != nil {
			c.fail(err)
		}
		return
	}
	if method := c.query().Get("method"); method != "" {
		r.Method = strings.ToUpper(method)
	}
	if !c.normalizePath() {
		c.failNoPage()
		return
	}
	s.mux.ServeHTTP(c, r)
}

// admit checks what can be checked before anybody knows what is asked for.
func (c *call) admit() error {
	if err := c.checkLimits(); err != nil {
		return err
	}
	if err := c.checkHost(); err != nil {
		return err
	}
	if c.r.URL.Path == "/metrics" && c.s.PublicMetrics {
		return nil
	}
	err := c.authenticate()
	if c.token() == "" && strings.HasPrefix(c.r.URL.Path, "/v2/") {
		// Some operations of the API need none: dispatch knows. Whoever forgets to
		// ask must not take nobody for the owner.
		c.caller.Access = Access{ReadOnly: true}
		c.refusal, err = err, nil
	}
	return err
}

// rateLimit is the header every answer of the platform carries. Nothing is
// limited here; the value is the platform's global one, requests per minute.
var rateLimit = []string{"250000"}

// recover answers a panic of a handler, and logs it.
func (c *call) recover() {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	c.s.Logger.Error("a handler panicked", "method", c.r.Method, "path", c.r.URL.Path,
		"cause", cause, "stack", string(debug.Stack()))
	c.fail(fault.New(fault.Internal, "internal error"))
}

// splitRecordKey cuts the key of a record off a path: keys of any shape must
// neither confuse the routing nor lose their escapes. found is false for paths
// that name no record.
func splitRecordKey(path string) (base, key string, found bool) {
	const stores, ofRun = "/v2/key-value-stores/", "/key-value-store/records/"
	if id, ok := strings.CutPrefix(path, stores); ok {
		if i := strings.IndexByte(id, '/'); i >= 0 {
			key, found = strings.CutPrefix(id[i:], "/records/")
		}
	} else if i := strings.Index(path, ofRun); i >= 0 {
		key, found = path[i+len(ofRun):], true
	}
	return path[:len(path)-len(key)], key, found && key != ""
}

// normalizePath resolves the legacy prefix of Actors and takes the record key
// out of the path. It reports false for paths that no route can have.
func (c *call) normalizePath() bool {
	u := c.r.URL
	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/v2/") {
		return false
	}
	changed := false
	if rest, ok := strings.CutPrefix(path, "/v2/acts"); ok && (rest == "" || rest[0] == '/') {
		path, changed = "/v2/actors"+rest, true
	}
	if base, escaped, ok := splitRecordKey(path); ok {
		key, err := unescapePath(escaped)
		if err != nil {
			return false
		}
		c.recordKey = key
		path, changed = base+"-", true
	}
	// The mux would answer these with redirects to a cleaned path.
	if strings.Contains(path, "//") || strings.Contains(path, "/.") {
		return false
	}
	if changed || path != u.Path {
		plain, err := unescapePath(path)
		if err != nil {
			return false
		}
		u.Path, u.RawPath = plain, ""
		if plain != path {
			u.RawPath = path
		}
	}
	return true
}

// failNoPage answers where there is nothing. Nobody is told so without a token.
func (c *call) failNoPage() {
	if c.refusal != nil {
		c.fail(c.refusal)
		return
	}
	c.fail(errNoPage(c.r))
}

func errNoPage(r *http.Request) error {
	return fault.New(fault.NotFound, "there is no API endpoint at %s", r.URL.Path).WithType("page-not-found")
}
