package app

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/engine/onedir"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/secret/keyfile"
	"github.com/greenroom-dev/greenroom/internal/server"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/internal/store/overlay"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// keptRuns is how many finished runs a project's storage remembers.
const keptRuns = 20

// spareFiles is how many files the storages have at hand for the next writes.
const spareFiles = 64

// platform is an engine with its API that serves one directory.
type platform struct {
	opts       cmdkit.PlatformOptions
	storageDir string
	root       *localdir.Root
	lock       io.Closer
	engine     *engine.Engine
	programs   *onedir.Programs
	listeners  *listeners
	executor   executor.Executor
	actor      api.Actor
	token      string
	aliases    []string // of the Actor's datasets
}

// startPlatform loads the Actor's definition, chooses an executor and starts
// engine and API. Nothing of the Actor runs yet.
func startPlatform(ctx context.Context, opts cmdkit.PlatformOptions) (_ cmdkit.Platform, err error) {
	if opts.Notice == nil {
		opts.Notice = func(string) {}
	}
	d, err := definition.Load(opts.Dir)
	if err != nil {
		return nil, err
	}
	for _, warning := range d.Warnings {
		opts.Notice("warning: " + warning)
	}
	env, err := environment(d, opts)
	if err != nil {
		return nil, err
	}
	p := &platform{
		opts: opts, storageDir: storageDir(opts, os.Getenv), token: "greenroom_" + rand.Text(),
		aliases: slices.Sorted(maps.Keys(d.Datasets)),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	build, exec, err := chooseExecutor(ctx, d, opts)
	if err != nil {
		return nil, err
	}
	p.executor = exec
	if err := p.openStorage(ctx); err != nil {
		return nil, err
	}
	p.listeners = newListeners(p.token)
	user := localUser()
	over := overlay.New(p.root)
	p.programs = onedir.New(over.Builds(), user.ID, user.Name)
	config := engine.Config{
		Store: over, Programs: p.programs, UserID: user.ID, Username: user.Name, APIURL: p.listeners.url, Drain: p.listeners.drain,
		PublicURL: p.listeners.loopback,
		SecretKey: keyfile.In(filepath.Join(p.storageDir, ".greenroom", "keys")).Key,
		Local:     true, Inputs: over, OnChange: opts.Changed,
		Output:        func(api.Run) (io.Writer, io.Writer) { return opts.Stdout, opts.Stderr },
		ProxyPassword: user.ProxyPassword, InheritedNoProxy: firstOf(os.Getenv("NO_PROXY"), os.Getenv("no_proxy")),
	}
	if opts.NotAtHome {
		config.StorageDir = p.storageDir
	}
	p.engine = engine.New(config)
	unfinished, err := p.engine.Recover(ctx)
	if err != nil {
		return nil, err
	}
	program := actorBinary(exec)
	if exec.Name() == "docker" && needsLibraries(program) {
		opts.Notice("the actor command " + program + " needs a C library, which many containers lack: build it with CGO_ENABLED=0")
	}
	p.actor = p.programs.Add(onedir.Source{
		Definition: d, Builder: build, Executor: exec, Env: env.values, Secrets: env.secrets,
		ActorBinary: program, Entrypoint: opts.Entrypoint, NoCache: opts.NoCache, Rebuild: opts.Rebuild,
	})
	endpoint, err := exec.Endpoint(ctx)
	if err != nil {
		return nil, err
	}
	handler := server.New(server.Config{
		Store: over, Engine: p.engine, Actors: p.programs, OwnerToken: p.token, UserID: user.ID, Username: user.Name,
		AllowedHosts: []string{endpoint.Host}, ProxyPassword: user.ProxyPassword,
	})
	if err := p.listeners.serve(ctx, handler); err != nil {
		return nil, err
	}
	p.reap(ctx, unfinished > 0)
	return p, nil
}

// openStorage opens the storages and makes sure that nobody else runs an Actor
// on them: two runs would purge and overwrite each other's results.
func (p *platform) openStorage(ctx context.Context) error {
	root := localdir.Open(p.storageDir)
	p.root = root
	lock, err := root.LockRuns(ctx)
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "%w", err).WithHint("wait until it has ended, or give this run storages of its own with --storage-dir")
	} else if err != nil {
		return err
	}
	p.lock = lock
	if err := root.KeepSpares(spareFiles); err != nil {
		return err
	}
	return root.DropOldRuns(ctx, keptRuns)
}

// reap ends what an apify run that was killed has left behind: with the
// executor of this run, and, when a run on these storages did not end, with the
// other ones too.
func (p *platform) reap(ctx context.Context, everywhere bool) {
	executors := []executor.Executor{p.executor}
	if everywhere {
		others := otherExecutors(ctx, p.executor)
		executors = append(executors, others...)
		defer func() {
			for _, other := range others {
				_ = other.Close() // it has started nothing
			}
		}()
	}
	for _, exec := range executors {
		left, err := exec.Reap(ctx)
		for _, l := range left {
			p.opts.Notice("cleaned up what run " + l.RunID + " left behind: " + l.ID)
		}
		if err != nil {
			p.opts.Notice("warning: looking for what killed runs left behind: " + err.Error())
		}
	}
}

func (p *platform) BaseURL() string    { return p.listeners.loopback() }
func (p *platform) Token() string      { return p.token }
func (p *platform) ActorID() string    { return p.actor.ID }
func (p *platform) StorageDir() string { return p.storageDir }

func (p *platform) CheckInput(ctx context.Context, body []byte, contentType string) error {
	var in *engine.Input
	if body != nil {
		in = &engine.Input{ContentType: contentType, Body: body}
	}
	program, err := p.programs.Unbuilt(p.actor.ID)
	if err == nil {
		_, err = p.engine.CheckInput(ctx, program, in)
	}
	return err
}

func (p *platform) Build(ctx context.Context) error {
	result, err := p.programs.Prepare(ctx, p.actor.ID, p.opts.Build)
	if err != nil {
		return err
	}
	if result.Summary != "" {
		p.opts.Notice(result.Summary)
	}
	return nil
}

// Purge empties the default storages and the datasets that the Actor has by
// alias: to a run all of them are new.
func (p *platform) Purge(ctx context.Context) error {
	if err := p.root.Purge(ctx); err != nil {
		return err
	}
	for _, alias := range p.aliases {
		if alias == localdir.DefaultFolder {
			continue
		}
		dataset, err := p.root.Datasets().Open(ctx, alias)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		info, err := dataset.Info(ctx)
		if err == nil && info.Name == "" { // one with a name is somebody's own
			err = dataset.Delete(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends in the opposite order of starting; every step is tried.
func (p *platform) Close() error {
	var errs []error
	if p.engine != nil {
		p.engine.Close()
	}
	if p.listeners != nil {
		p.listeners.close()
	}
	if p.executor != nil {
		errs = append(errs, p.executor.Close())
	}
	if p.root != nil {
		errs = append(errs, p.root.Close())
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
	}
	return errors.Join(errs...)
}

// storageDir is where the storages lie: the flag, the variables that the
// official CLI and the SDKs read, or storage in the Actor's directory.
func storageDir(opts cmdkit.PlatformOptions, getenv func(string) string) string {
	dir := firstOf(opts.StorageDir, getenv("APIFY_LOCAL_STORAGE_DIR"), getenv("CRAWLEE_STORAGE_DIR"))
	if dir == "" {
		return filepath.Join(opts.Dir, "storage")
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
