package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Run is the handle of one run; making it calls nothing.
type Run struct {
	c  *Client
	id string
}

// Run names a run by its id.
func (c *Client) Run(id string) Run { return Run{c, id} }

func (r Run) path(verb string) string { return "/actor-runs/" + ref(r.id) + verb }

// Get reads the run. A positive wait asks the API to answer only once the run
// has ended or that time (whole seconds, at most 60) has passed.
func (r Run) Get(ctx context.Context, wait time.Duration) (api.Run, error) {
	return get[api.Run](ctx, r.c, r.path(""), waitQuery(wait))
}

// Wait returns the run once it has ended, or ctx's error.
func (r Run) Wait(ctx context.Context) (api.Run, error) {
	for {
		asked := time.Now()
		run, err := r.Get(ctx, time.Minute)
		if err != nil || run.Status.Terminal() {
			return run, err
		}
		// A server that does not hold the answer back must not be hammered.
		if rest := 250*time.Millisecond - time.Since(asked); rest > 0 {
			select {
			case <-time.After(rest):
			case <-ctx.Done():
				return run, ctx.Err()
			}
		}
	}
}

// Update changes the fields that are set, such as the status message.
func (r Run) Update(ctx context.Context, update api.RunUpdate) (api.Run, error) {
	body, size, err := jsonBody(update)
	if err != nil {
		return api.Run{}, err
	}
	return fetch[api.Run](ctx, r.c, call{method: http.MethodPut, path: r.path(""), header: jsonHeader(), body: body, size: size})
}

// Abort ends the run: at once, or gracefully, with an event and 30 s for it to
// finish. A run that has ended stays as it is.
func (r Run) Abort(ctx context.Context, gracefully bool) (api.Run, error) {
	query := url.Values{}
	if gracefully {
		query.Set("gracefully", "1")
	}
	return fetch[api.Run](ctx, r.c, call{method: http.MethodPost, path: r.path("/abort"), query: query})
}

// Reboot starts the run's container afresh.
func (r Run) Reboot(ctx context.Context) (api.Run, error) {
	return fetch[api.Run](ctx, r.c, call{method: http.MethodPost, path: r.path("/reboot"), once: true})
}

// Exit ends the run from inside. It is Greenroom's own operation: another
// platform answers fault.NotFound, MethodNotAllowed or NotImplemented.
func (r Run) Exit(ctx context.Context, exit api.RunExit) error {
	body, size, err := jsonBody(exit)
	if err != nil {
		return err
	}
	return r.c.discard(ctx, call{method: http.MethodPost, path: r.path("/exit"), header: jsonHeader(), body: body, size: size, once: true})
}

// LogOptions select how a log is read. Stream keeps the answer open until the
// run ends; Raw keeps escape sequences.
type LogOptions struct{ Stream, Raw bool }

// Log reads the run's log. The caller closes it.
func (r Run) Log(ctx context.Context, opts LogOptions) (io.ReadCloser, error) {
	query := url.Values{}
	if opts.Stream {
		query.Set("stream", "1")
	}
	if opts.Raw {
		query.Set("raw", "1")
	}
	resp, err := r.c.send(ctx, call{method: http.MethodGet, path: r.path("/log"), query: query})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Actor is the handle of one Actor; making it calls nothing.
type Actor struct {
	c  *Client
	id string
}

// Actor names an Actor by its id or as "user/name".
func (c *Client) Actor(idOrName string) Actor { return Actor{c, idOrName} }

// Get reads the Actor.
func (a Actor) Get(ctx context.Context) (api.Actor, error) {
	return get[api.Actor](ctx, a.c, "/actors/"+ref(a.id), nil)
}

// StartOptions say how a run is started. Nil and empty fields leave the choice
// to the Actor's own defaults.
type StartOptions struct {
	// Input becomes the run's input record, byte for byte; nil gives none.
	Input []byte
	// ContentType of Input; empty means application/json; charset=utf-8.
	ContentType       string
	Build             string
	TimeoutSecs       *int // 0 means no limit
	MemoryMbytes      *int
	MaxItems          *int
	MaxTotalChargeUSD *float64
	RestartOnError    *bool
	// Wait lets the API answer only once the run has ended or this time (at
	// most 60 s) has passed.
	Wait time.Duration
}

// Start starts a run of the Actor and gives its record. It is not repeated once
// the API may have seen it.
func (a Actor) Start(ctx context.Context, opts StartOptions) (api.Run, error) {
	query := waitQuery(opts.Wait)
	if opts.Build != "" {
		query.Set("build", opts.Build)
	}
	for name, value := range map[string]*int{"timeout": opts.TimeoutSecs, "memory": opts.MemoryMbytes, "maxItems": opts.MaxItems} {
		if value != nil {
			query.Set(name, strconv.Itoa(*value))
		}
	}
	if opts.MaxTotalChargeUSD != nil {
		query.Set("maxTotalChargeUsd", strconv.FormatFloat(*opts.MaxTotalChargeUSD, 'f', -1, 64))
	}
	if opts.RestartOnError != nil {
		query.Set("restartOnError", strconv.FormatBool(*opts.RestartOnError))
	}
	start := call{method: http.MethodPost, path: "/actors/" + ref(a.id) + "/runs", query: query, once: true}
	if opts.Input != nil {
		start.body, start.size = bytesBody(opts.Input)
		start.header = jsonHeader()
		if opts.ContentType != "" {
			start.header.Set("Content-Type", opts.ContentType)
		}
	}
	return fetch[api.Run](ctx, a.c, start)
}

// User is the account that a token belongs to.
type User struct {
	ID       string `json:"id"`
	Username string `json:"username"`
}

// Me reads the account that the token belongs to.
func (c *Client) Me(ctx context.Context) (User, error) {
	return get[User](ctx, c, "/users/me", nil)
}

func waitQuery(wait time.Duration) url.Values {
	query := url.Values{}
	if secs := int(wait / time.Second); secs > 0 {
		query.Set("waitForFinish", strconv.Itoa(min(secs, 60)))
	}
	return query
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}
