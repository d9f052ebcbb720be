package engine

import (
	"context"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/hostport"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// webServerPort is the platform's port for a run's web server.
const webServerPort = 4321

// ports gives the port of the web server as the code and as the host see it. A
// run that waits for memory has its port already, though nothing listens there.
func (e *Engine) ports(p *Program) (web, host int, err error) {
	prefer := 0
	if p.Result.Image == "" && e.cfg.Local {
		prefer = webServerPort
	}
	for {
		if host, err = hostport.Free(prefer); err != nil {
			return 0, 0, err
		}
		if e.reserve(host) {
			break
		}
		prefer = 0
	}
	if p.Result.Image == "" {
		return host, host, nil
	}
	return webServerPort, host, nil
}

// reserve keeps a port for a run that has not ended; false means that another
// one has it.
func (e *Engine) reserve(port int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.taken[port] {
		return false
	}
	e.taken[port] = true
	return true
}

func (e *Engine) unreserve(port int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.taken, port)
}

// spec says what the executor is to start for a run.
func (a *active) spec(ctx context.Context, r api.Run) (executor.Spec, error) {
	e, p, kept := a.engine, a.program, a.state()
	endpoint, err := p.Executor.Endpoint(ctx)
	if err != nil {
		return executor.Spec{}, err
	}
	// The code is that of whatever the run has become.
	shown := r
	shown.ActorID, shown.BuildID, shown.BuildNumber = p.Actor.ID, p.Build.ID, &p.Build.BuildNumber
	env := run.Environment{
		Run: shown, ActorName: p.Actor.Name, Username: e.cfg.Username, BuildTags: buildTags(p),
		Token: a.token, InputKey: kept.InputKey, WebServerPort: kept.WebPort, WebServerURL: r.ContainerURL,
		Standby: p.Definition.UsesStandbyMode, DedicatedCPUs: a.cpus(r), ProxyPassword: e.cfg.ProxyPassword,
		WorkflowKey: kept.Workflow, InheritedNoProxy: e.cfg.InheritedNoProxy,
		NoProxy:    []string{"127.0.0.1", "localhost", "::1", endpoint.Host},
		StorageDir: e.cfg.StorageDir, PermissionLevel: kept.Permission,
	}
	if p.Actor.Username != "" {
		env.Username = p.Actor.Username
	}
	if a.pricing.ByEvent() {
		env.Pricing = r.PricingInfo
	}
	if at, ok := kept.deadline(r); ok {
		env.TimeoutAt = api.TimeOf(at)
	}
	if e.cfg.StorageDir == "" {
		if env.BaseURL, err = e.cfg.APIURL(ctx, endpoint); err != nil {
			return executor.Spec{}, err
		}
		env.EventsURL = fmt.Sprintf("ws%s/v2/actor-runs/%s/events?token=%s", strings.TrimPrefix(env.BaseURL, "http"), r.ID, url.QueryEscape(a.token))
	}
	spec := executor.Spec{
		RunID: r.ID, Image: p.Result.Image, Dir: p.Result.Dir, Command: p.Result.Command,
		Env:           slices.Concat(run.Scrub(p.Result.Env), env.Vars(p.Env), a.secrets.env),
		Labels:        map[string]string{"com.apify.actRunId": r.ID, "com.apify.actBuildId": p.Build.ID},
		WebServerPort: kept.WebPort, HostPort: kept.HostPort, ActorBinary: p.ActorBinary,
		Output: a.take,
	}
	if kept.Limited {
		spec.MemoryMbytes = r.Options.MemoryMbytes
	}
	if !e.cfg.Local {
		spec.DiskMbytes = r.Options.DiskMbytes
	}
	return spec, nil
}

// buildTags are the tags that point to the program's build.
func buildTags(p *Program) []string {
	var tags []string
	for tag, build := range p.Actor.TaggedBuilds {
		if build != nil && build.BuildID == p.Build.ID {
			tags = append(tags, tag)
		}
	}
	if tags == nil && p.Actor.TaggedBuilds == nil {
		return []string{p.Definition.BuildTag}
	}
	slices.Sort(tags)
	return tags
}

// cpus is how many cores the code may count on: the share that comes with the
// memory where that is enforced, else the machine's.
func (a *active) cpus(r api.Run) float64 {
	if a.program != nil && a.program.Result.Image != "" && a.state().Limited {
		return float64(r.Options.MemoryMbytes) / run.MemoryPerCore
	}
	return float64(runtime.NumCPU())
}

// take is the executor.Output of the run's code: it passes everything on as it
// is, and its lines to the log.
func (a *active) take(pieces []executor.Piece, after executor.Position) error {
	taken := make([]runlog.Piece, len(pieces))
	for i, p := range pieces {
		if p.Lost {
			p.Data, p.Time = []byte("ACTOR: Some output is missing here: there was more of it than could be kept\n"), time.Now()
		}
		taken[i] = runlog.Piece{Stream: int(p.Stream), Time: p.Time, Data: p.Data}
		// Our own reader may be gone (a closed pipe); the Actor goes on.
		if w := a.pass[p.Stream]; w != nil {
			if _, err := w.Write(p.Data); err != nil {
				a.pass[p.Stream] = nil
			}
		}
	}
	a.log.Take(taken, string(after))
	return nil
}
