package connect

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	// pingLimit bounds the time one engine may take to answer: whoever asks
	// whether there is an engine at all must not wait for one that hangs.
	pingLimit = 2 * time.Second

	// oldestAPI is the API of Docker 19.03, the first that has everything used
	// here. Podman's API says 1.40 or later.
	oldestAPI = "1.40"
)

// Engine finds a container engine and returns a client that speaks its API
// version. It costs one ping per engine tried, two seconds each at most, and
// never starts a program.
//
// DOCKER_HOST names the engine; else the Docker context does, by DOCKER_CONTEXT
// or by the configuration of the docker command. Without either, or when the
// configured engine is on this machine and does not answer, the usual places
// are tried: Docker's own socket or pipe, those of rootless Docker and Docker
// Desktop, and those of Podman.
//
// The error is a fault.Unavailable whose hint says what to do. The caller
// closes the client.
func Engine(ctx context.Context) (*client.Client, error) {
	engines, err := candidates()
	if err != nil {
		return nil, err
	}
	// The failure of an engine that exists but may not or cannot be used says
	// more than that nothing listens in some other place.
	var reason error
	for _, e := range engines {
		cli, err := e.open(ctx)
		if err == nil {
			return cli, nil
		}
		if ctx.Err() != nil {
			return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "no answer from the container engine at %s", e.host)
		}
		if reason == nil && !errors.Is(err, errNobody) {
			reason = err
		}
	}
	switch {
	case reason != nil:
		return nil, reason
	case len(engines) == 1:
		return nil, fault.New(fault.Unavailable, "no container engine at %s: %w", engines[0].host, errNobody).WithHint(startHint)
	}
	return nil, fault.New(fault.Unavailable, "no container engine on this machine: %w", errNobody).WithHint(startHint)
}

// errNobody is the cause when nothing listens where an engine could be.
var errNobody = errors.New("nothing answers")

const startHint = "start Docker or Podman, set DOCKER_HOST, or use --executor process"

// engine is a place where an engine may listen.
type engine struct {
	host string
	// tls is a directory with ca.pem, cert.pem and key.pem, or "".
	tls string
	// fromEnv says that DOCKER_HOST named it, so that DOCKER_CERT_PATH and
	// DOCKER_TLS_VERIFY speak of it too.
	fromEnv bool
}

// open pings the engine and returns a client that speaks its version.
func (e engine) open(ctx context.Context) (*client.Client, error) {
	if strings.HasPrefix(e.host, "ssh://") {
		return nil, fault.New(fault.Unavailable, "the container engine at %s can only be reached through ssh", e.host).
			WithHint("forward its socket with `ssh -NL /tmp/engine.sock:/var/run/docker.sock HOST` and set DOCKER_HOST=unix:///tmp/engine.sock")
	}
	var opts []client.Opt
	if e.fromEnv {
		opts = append(opts, client.WithTLSClientConfigFromEnv())
	}
	opts = append(opts, client.WithHost(e.host), client.WithVersionFromEnv())
	if e.tls != "" {
		opts = append(opts, e.tlsOption())
	}
	cli, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the address of the container engine, %q, cannot be used: %w", e.host, err).
			WithHint("DOCKER_HOST looks like unix:///var/run/docker.sock or tcp://host:2376")
	}
	ping, err := ping(ctx, cli)
	if err != nil {
		cli.Close()
		return nil, e.explain(err)
	}
	cli.NegotiateAPIVersionPing(ping)
	if v := cli.ClientVersion(); versions.LessThan(v, oldestAPI) {
		cli.Close()
		return nil, fault.New(fault.Unavailable, "the container engine at %s speaks API version %s; %s or later is needed", e.host, v, oldestAPI).
			WithHint("update the engine, or use --executor process")
	}
	if ping.OSType != "" && ping.OSType != "linux" {
		cli.Close()
		return nil, fault.New(fault.Unavailable, "the container engine at %s runs %s containers; Actors need Linux ones", e.host, ping.OSType).
			WithHint("switch the engine to Linux containers, or use --executor process")
	}
	return cli, nil
}

func ping(ctx context.Context, cli *client.Client) (types.Ping, error) {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	return cli.Ping(ctx)
}

// explain says why the engine did not answer and what to do about it. The
// client hides some causes behind texts of its own, hence the searching.
//
// errNobody when nobody is there to answer.
func (e engine) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied"):
		return fault.New(fault.Unavailable, "no permission to use the container engine at %s", e.host).
			WithHint("let your user use the socket (for Docker on Linux: join the group docker and log in again), or use --executor process")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "the container engine at %s did not answer within %s", e.host, pingLimit).
			WithHint("restart the engine, or use --executor process")
	case errors.Is(err, fs.ErrNotExist), strings.Contains(err.Error(), "Cannot connect to the Docker daemon"):
		return errNobody
	}
	return fault.New(fault.Unavailable, "the container engine at %s is of no use: %w", e.host, err).
		WithHint("check DOCKER_HOST, or use --executor process")
}

// candidates lists where an engine may be, most wanted first.
func candidates() ([]engine, error) {
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		return []engine{{host: host, fromEnv: true}}, nil
	}
	var list []engine
	chosen, explicit, err := contextEngine()
	if err != nil {
		return nil, err
	}
	if chosen != nil {
		list = append(list, *chosen)
		// An engine elsewhere was chosen for a reason; one on this machine may
		// just not be running.
		if explicit || !Local(chosen.host) {
			return list, nil
		}
	}
	for _, host := range usualHosts() {
		if chosen == nil || chosen.host != host {
			list = append(list, engine{host: host})
		}
	}
	return list, nil
}

// Local says whether host is a socket or a pipe rather than a network address.
func Local(host string) bool {
	return strings.HasPrefix(host, "unix://") || strings.HasPrefix(host, "npipe://")
}
