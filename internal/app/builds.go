package app

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/build"
	"github.com/greenroom-dev/greenroom/internal/builder/hostdir"
	"github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/encoding"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/internal/executor/process"
	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// serverTargets gives the places that a server can build and run Actors for, and
// which of them new builds are for, and says in one line which and why. Processes
// can always be started; containers when an engine answers.
func serverTargets(ctx context.Context, chosen, serverID, dir string, notice func(string)) (map[string]build.Target, string, error) {
	watcher, err := supervisor()
	if err != nil {
		return nil, "", fault.Wrap(fault.Internal, err, "find the program that is to watch over processes")
	}
	inProcess, err := process.NewServer(process.Server{Dir: dir, Supervisor: watcher})
	if err != nil {
		return nil, "", err
	}
	targets := map[string]build.Target{
		inProcess.Name(): {Builder: hostdir.New(), Executor: inProcess, ActorBinary: actorBinary(inProcess)},
	}
	cli, err := docker.Connect(ctx)
	if err != nil {
		if chosen == "docker" || !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return nil, "", errors.Join(err, closeTargets(targets))
		}
		if chosen == "process" {
			notice("executor: process (as asked for)")
		} else {
			notice("executor: process (no container engine answers); start one and then the server to run Actors in containers")
		}
		return targets, inProcess.Name(), nil
	}
	inContainers, images := docker.NewServer(cli, serverID), image.New(cli)
	targets[inContainers.Name()] = build.Target{
		Builder: images, Executor: inContainers, ActorBinary: actorBinary(inContainers), Images: images,
	}
	switch chosen {
	case "process":
		notice("executor: process (as asked for)")
		return targets, inProcess.Name(), nil
	case "docker":
		notice("executor: docker (as asked for)")
	default:
		notice("executor: docker (an engine answers)")
	}
	return targets, inContainers.Name(), nil
}

func closeTargets(targets map[string]build.Target) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		errs = append(errs, targets[name].Executor.Close())
	}
	return errors.Join(errs...)
}

// openBuilds makes the catalogue of Actors and what builds them.
func (d *daemon) openBuilds(ctx context.Context, userID, username string, key func(string) (*secret.PrivateKey, error)) error {
	notice := d.opts.Notice
	if notice == nil {
		notice = func(string) {}
	}
	var chosen string
	var err error
	if d.targets, chosen, err = serverTargets(ctx, d.opts.Executor, d.serverID, filepath.Join(d.opts.DataDir, "processes"), notice); err != nil {
		return err
	}
	d.catalog = catalog.New(catalog.Config{Store: d.store, UserID: userID, Username: username, SecretKey: key})
	d.builds, err = build.New(build.Config{
		Store: d.store, Catalog: d.catalog, Dir: filepath.Join(d.opts.DataDir, "builds"),
		Targets: d.targets, Default: chosen, Own: d.ownRecord, Logger: d.opts.Logger,
		OnEvent: d.dispatcher.BuildEvent,
	})
	return err
}

// ownRecord opens a record of a key-value store that a URL of this server names:
// that is where clients put archives of sources that are too large to be sent
// with a version.
func (d *daemon) ownRecord(ctx context.Context, address string) (body io.ReadCloser, ok bool, err error) {
	u, err := url.Parse(address)
	if err != nil || !d.reach.own(u) {
		return nil, false, nil
	}
	path, ok := strings.CutPrefix(u.Path, "/v2/key-value-stores/")
	store, key, found := strings.Cut(path, "/records/")
	if !ok || !found || strings.Contains(store, "/") {
		return nil, false, nil
	}
	kvs, err := d.store.KeyValueStores().Open(ctx, store)
	if err != nil {
		return nil, true, err
	}
	record, err := kvs.Get(ctx, key)
	if err != nil {
		return nil, true, err
	}
	body, err = encoding.Plain(record) // clients compress what they send
	return body, true, err
}

// reach is how the API is reached: where people reach it, and, for code in
// containers, on the gateway of their network. Nothing wider.
type reach struct {
	url   string
	serve func(net.Listener)

	mu    sync.Mutex
	hosts map[string]string // origins by the IP address that is listened on
}

// from makes the API reachable for code behind an endpoint and gives its origin.
func (r *reach) from(ctx context.Context, ep executor.Endpoint) (string, error) {
	u, err := url.Parse(r.url)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the server's own address")
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && (ip.IsUnspecified() || ip.String() == ep.ListenIP) {
		return "http://" + net.JoinHostPort(ep.Host, u.Port()), nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if origin, ok := r.hosts[ep.ListenIP]; ok {
		return origin, nil
	}
	var config net.ListenConfig
	// The same port where it is free: then the address stays the same, too, when
	// the server starts again.
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ep.ListenIP, u.Port()))
	if err != nil {
		listener, err = config.Listen(ctx, "tcp", net.JoinHostPort(ep.ListenIP, "0"))
	}
	if err != nil {
		return "", fault.New(fault.Unavailable, "cannot listen on %s, where containers reach the API: %w", ep.ListenIP, err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the address of a listener")
	}
	origin := "http://" + net.JoinHostPort(ep.Host, port)
	if r.hosts == nil {
		r.hosts = map[string]string{}
	}
	r.hosts[ep.ListenIP] = origin
	go r.serve(listener)
	return origin, nil
}

// own tells whether a URL is one of this server.
func (r *reach) own(u *url.URL) bool {
	origin := u.Scheme + "://" + u.Host
	if origin == r.url {
		return true
	}
	if served, err := url.Parse(r.url); err == nil && u.Scheme == "http" && u.Port() == served.Port() {
		ip, served := net.ParseIP(u.Hostname()), net.ParseIP(served.Hostname())
		loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
		if loopback && served != nil && (served.IsLoopback() || served.IsUnspecified()) {
			return true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(slices.Collect(maps.Values(r.hosts)), origin)
}
