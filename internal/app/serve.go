package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-dev/greenroom/internal/build"
	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/retention"
	"github.com/greenroom-dev/greenroom/internal/secret/keyfile"
	"github.com/greenroom-dev/greenroom/internal/server"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/internal/token"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// daemon is an engine with its API that keeps running on one data directory.
type daemon struct {
	opts   cmdkit.ServerOptions
	store  *embedded.Root
	tokens *token.Store
	owner  string
	engine *engine.Engine
	http   *http.Server
	url    string
	reach  reach
	// serverID marks what belongs to this data directory.
	serverID string

	targets map[string]build.Target
	catalog *catalog.Catalog
	builds  *build.Service
	automations

	failed chan error
	ending atomic.Bool
	sweep  func() // ends the sweeper; nil when there is none
	close  func() error
}

// startServer opens the data directory, which belongs to one server at a time,
// and starts to answer.
func startServer(ctx context.Context, opts cmdkit.ServerOptions) (_ cmdkit.Server, err error) {
	d := &daemon{opts: opts, failed: make(chan error, 1)}
	d.close = sync.OnceValue(d.shutDown)
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	durability := embedded.Full
	if opts.Relaxed {
		durability = embedded.Relaxed
	}
	if d.store, err = embedded.Open(opts.DataDir, embedded.Options{Durability: durability}); err != nil {
		return nil, err
	}
	if d.tokens, err = token.Open(opts.DataDir); err != nil {
		return nil, err
	}
	if d.owner, err = d.tokens.Owner(); err != nil {
		return nil, err
	}
	listener, err := listenAgain(ctx, opts.DataDir, opts.Listen)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cannot listen on %s: %w", opts.Listen, err).
			WithHint("another program may use the port: choose one with --listen, or port 0 for any")
	}
	d.url = "http://" + listener.Addr().String()
	user := localUser()
	key := keyfile.In(filepath.Join(opts.DataDir, keysFolder)).Key
	d.reach.url = d.url
	if err := d.openAutomations(d.store, user.ID, user.Name); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	tokenKey, err := d.identify(ctx)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := d.openBuilds(ctx, user.ID, user.Name, key); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	var hosts []string
	var executors []executor.Executor
	for _, target := range d.targets {
		executors = append(executors, target.Executor)
		endpoint, err := target.Executor.Endpoint(ctx)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		hosts = append(hosts, endpoint.Host)
	}
	d.engine = engine.New(engine.Config{
		Store: d.store, Programs: d.builds, UserID: user.ID, Username: user.Name, ProxyPassword: user.ProxyPassword, Logger: opts.Logger,
		APIURL:    d.reach.from,
		PublicURL: func() string { return d.url },
		OnEvent:   d.dispatcher.RunEvent,
		SecretKey: key, Executors: executors, TokenKey: tokenKey,
		TotalMemoryMbytes: d.totalMemory(), MaxRuns: opts.MaxRuns,
	})
	d.http = &http.Server{
		ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(opts.Logger.Handler(), slog.LevelWarn),
		Handler: server.New(server.Config{
			Store: d.store, Engine: d.engine, Actors: d.builds, Catalog: d.catalog, Builds: d.builds,
			Tasks: d.tasks, Schedules: d.scheduler, Webhooks: d.dispatcher, Authenticate: d.authenticate,
			UserID: user.ID, Username: user.Name, ProxyPassword: user.ProxyPassword, Logger: opts.Logger,
			AllowedHosts: hosts, Draining: d.ending.Load, Backup: d.backup,
			Totals: d.store.Totals, DiskUsage: d.diskUsage,
		}),
	}
	d.reach.serve = func(listener net.Listener) {
		// Ends with the server; a listener that breaks makes the requests of
		// containers fail, which is told there.
		_ = d.http.Serve(listener)
	}
	if err := d.builds.Recover(ctx); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	d.builds.Sweep()
	if err := d.takeOver(ctx); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := publishAddress(opts.DataDir, d.url); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	d.startSweeper()
	go func() {
		if err := d.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- fault.Wrap(fault.Unavailable, err, "the API cannot be served any more")
		}
	}()
	if err := d.automations.start(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// diskUsage is what metrics tell besides what storages hold.
func (d *daemon) diskUsage(context.Context) (map[string]int64, error) {
	size, err := d.store.DatabaseSize()
	return map[string]int64{"database": size}, err
}

// startSweeper lets runs and storages expire, if they are to.
func (d *daemon) startSweeper() {
	if d.opts.Retention <= 0 {
		return
	}
	sweeper := retention.Sweeper{Runs: d.engine, Storages: d.store, Age: d.opts.Retention, Logger: d.opts.Logger}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		sweeper.Run(ctx)
	}()
	d.sweep = func() {
		cancel()
		<-done
	}
}

func (d *daemon) authenticate(text string) (server.Access, bool) {
	who, ok := d.tokens.Lookup(text)
	return server.Access{ReadOnly: who.Scope == token.ReadOnly, StoragesOf: who.Scope.RunID(), Guest: who.ID != token.OwnerID}, ok
}

func (d *daemon) BaseURL() string      { return d.url }
func (d *daemon) Token() string        { return d.owner }
func (d *daemon) Failed() <-chan error { return d.failed }
func (d *daemon) Close() error         { return d.close() }

// shutDown ends in the opposite order of starting; every step is tried.
func (d *daemon) shutDown() error {
	d.ending.Store(true)
	if d.engine != nil {
		d.engine.Release()
	}
	var errs []error
	if d.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), d.opts.Drain)
		defer cancel()
		if err := d.http.Shutdown(ctx); err != nil {
			_ = d.http.Close() // those under way had their time
		}
	}
	if d.sweep != nil {
		d.sweep()
	}
	if d.scheduler != nil {
		d.scheduler.Close()
	}
	if d.engine != nil {
		d.engine.Leave()
	}
	if d.builds != nil {
		d.builds.Close()
	}
	if d.dispatcher != nil {
		d.dispatcher.Close() // after those whose events it keeps
	}
	errs = append(errs, closeTargets(d.targets))
	if d.store != nil {
		withdrawAddress(d.opts.DataDir)
	}
	if d.tokens != nil {
		errs = append(errs, d.tokens.Close())
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}
