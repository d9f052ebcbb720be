package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Runs are the runs of the caller, of an Actor or of a task.
type Runs = Collection[api.RunShort, api.Run]

// Runs are all runs of the caller.
func (c *Client) Runs() Runs { return Runs{c, "/actor-runs"} }

// Run is the handle of one run; making it calls nothing.
type Run struct{ Resource[api.Run] }

// Run names a run by its id.
func (c *Client) Run(id string) Run {
	return Run{Resource[api.Run]{c, "/actor-runs/" + ref(id)}}
}

// LastRun is the handle of the Actor's run that was started last; its Run has
// the operations.
func (a Actor) LastRun() Resource[api.Run] { return Resource[api.Run]{a.c, a.path + "/runs/last"} }

// Get reads the run. A positive wait asks the API to answer only once the run
// has ended or that time (whole seconds, at most 60) has passed.
func (r Run) Get(ctx context.Context, wait time.Duration) (Answer[api.Run], error) {
	return get[Answer[api.Run]](ctx, r.c, r.path, waitQuery(wait))
}

// Wait returns the run once it has ended, or ctx's error.
func (r Run) Wait(ctx context.Context) (Answer[api.Run], error) {
	return wait(ctx, r.Get, func(run api.Run) bool { return run.Status.Terminal() })
}

// wait reads something until it has ended.
func wait[T any](ctx context.Context, read func(context.Context, time.Duration) (Answer[T], error), ended func(T) bool) (Answer[T], error) {
	for {
		asked := time.Now()
		answer, err := read(ctx, time.Minute)
		if err != nil || ended(answer.Value) {
			return answer, err
		}
		// A server that does not hold the answer back must not be hammered.
		if rest := 250*time.Millisecond - time.Since(asked); rest > 0 {
			select {
			case <-time.After(rest):
			case <-ctx.Done():
				return answer, ctx.Err()
			}
		}
	}
}

// Update changes the fields that are set, such as the status message.
func (r Run) Update(ctx context.Context, update api.RunUpdate) (Answer[api.Run], error) {
	return put[api.Run](ctx, r.c, r.path, update)
}

// post asks for something to be done with the run; once unless repeating it does
// no harm.
func (r Run) post(ctx context.Context, verb string, query url.Values, once bool) (Answer[api.Run], error) {
	return fetch[Answer[api.Run]](ctx, r.c, call{method: http.MethodPost, path: r.path + "/" + verb, query: query, once: once})
}

// Abort ends the run: at once, or gracefully, with an event and 30 s for it to
// finish. A run that has ended stays as it is.
func (r Run) Abort(ctx context.Context, gracefully bool) (Answer[api.Run], error) {
	query := url.Values{}
	if gracefully {
		query.Set("gracefully", "1")
	}
	return r.post(ctx, "abort", query, false)
}

// Reboot starts the run's container afresh.
func (r Run) Reboot(ctx context.Context) (Answer[api.Run], error) {
	return r.post(ctx, "reboot", nil, true)
}

// ResurrectOptions say what is other than when the run was started.
type ResurrectOptions struct {
	Build             string
	TimeoutSecs       *int // 0 means no limit
	MemoryMbytes      *int
	MaxItems          *int
	MaxTotalChargeUSD *float64
	RestartOnError    *bool
}

// Resurrect lets a run that has ended go on, with the storages it has.
func (r Run) Resurrect(ctx context.Context, opts ResurrectOptions) (Answer[api.Run], error) {
	query, err := StartOptions{
		Build: opts.Build, TimeoutSecs: opts.TimeoutSecs, MemoryMbytes: opts.MemoryMbytes, MaxItems: opts.MaxItems,
		MaxTotalChargeUSD: opts.MaxTotalChargeUSD, RestartOnError: opts.RestartOnError,
	}.query()
	if err != nil {
		return Answer[api.Run]{}, err
	}
	return r.post(ctx, "resurrect", query, true)
}

// Metamorph turns the run into one of another Actor, with the input given; nil
// keeps none.
func (r Run) Metamorph(ctx context.Context, actor, build string, input []byte, contentType string) (Answer[api.Run], error) {
	query := url.Values{"targetActorId": {actor}}
	if build != "" {
		query.Set("build", build)
	}
	metamorph := call{method: http.MethodPost, path: r.path + "/metamorph", query: query, once: true}
	if input != nil {
		metamorph.header = contentHeader(contentType)
		metamorph.body, metamorph.size = bytesBody(input)
	}
	return fetch[Answer[api.Run]](ctx, r.c, metamorph)
}

// Charge counts events of a run that is paid by them. The key makes repeating it
// do no harm.
func (r Run) Charge(ctx context.Context, event string, count int, idempotencyKey string) error {
	body, size, err := jsonBody(api.RunCharge{EventName: event, Count: count})
	if err != nil {
		return err
	}
	header := jsonHeader()
	if idempotencyKey != "" {
		header.Set("Idempotency-Key", idempotencyKey)
	}
	return r.c.discard(ctx, call{method: http.MethodPost, path: r.path + "/charge", header: header, body: body, size: size, once: idempotencyKey == ""})
}

// Exit ends the run from inside. It is Greenroom's own operation: another
// platform answers fault.NotFound, MethodNotAllowed or NotImplemented.
func (r Run) Exit(ctx context.Context, exit api.RunExit) error {
	body, size, err := jsonBody(exit)
	if err != nil {
		return err
	}
	return r.c.discard(ctx, call{method: http.MethodPost, path: r.path + "/exit", header: jsonHeader(), body: body, size: size, once: true})
}

// Builds are the builds of the caller or of an Actor.
type Builds = Collection[api.BuildShort, api.Build]

// Builds are all builds of the caller.
func (c *Client) Builds() Builds { return Builds{c, "/actor-builds"} }

// Build is the handle of one build; making it calls nothing.
type Build struct{ Resource[api.Build] }

// Build names a build by its id.
func (c *Client) Build(id string) Build {
	return Build{Resource[api.Build]{c, "/actor-builds/" + ref(id)}}
}

// Get reads the build; wait is as for runs.
func (b Build) Get(ctx context.Context, wait time.Duration) (Answer[api.Build], error) {
	return get[Answer[api.Build]](ctx, b.c, b.path, waitQuery(wait))
}

// Wait returns the build once it has ended, or ctx's error.
func (b Build) Wait(ctx context.Context) (Answer[api.Build], error) {
	return wait(ctx, b.Get, func(build api.Build) bool { return build.Status.Terminal() })
}

// Abort ends the build; one that has ended stays as it is.
func (b Build) Abort(ctx context.Context) (Answer[api.Build], error) {
	return fetch[Answer[api.Build]](ctx, b.c, call{method: http.MethodPost, path: b.path + "/abort"})
}

// OpenAPI reads the document that describes the API of the built Actor.
func (b Build) OpenAPI(ctx context.Context) ([]byte, error) {
	resp, err := b.c.send(ctx, call{method: http.MethodGet, path: b.path + "/openapi.json"})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return readAll(ctx, resp.Body)
}

// User is the account that a token belongs to.
type User struct {
	ID       string `json:"id"`
	Username string `json:"username"`
}

// Me reads the account that the token belongs to.
func (c *Client) Me(ctx context.Context) (Answer[User], error) {
	return get[Answer[User]](ctx, c, "/users/me", nil)
}
