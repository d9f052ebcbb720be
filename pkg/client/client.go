// Package client speaks the Apify API v2 over HTTP: to Greenroom or to the
// Apify cloud, which answer alike. It is stdlib only and costs nothing until
// the first call, because the small actor binary pays for it at every start.
//
//	c, err := client.New(client.Options{BaseURL: "http://127.0.0.1:8080", Token: token})
//	run, err := c.Run(id).Get(ctx)
//
// Every failure is a *fault.Error: NotFound, Unauthenticated, Forbidden and so
// on for what the API refuses, Unavailable when it cannot be reached. Only a
// cancelled or expired context comes back as its own error.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// DefaultBaseURL is the Apify cloud's API.
const DefaultBaseURL = "https://api.apify.com"

// Options describe an API and who speaks to it.
type Options struct {
	// BaseURL is the API's origin, without /v2; empty means DefaultBaseURL.
	BaseURL string
	// PublicBaseURL is the origin in URLs that are given to others; empty means
	// BaseURL.
	PublicBaseURL string
	// Token is sent as a bearer token; empty sends none.
	Token string
	// UserAgent names the program, such as "greenroom/1.2.0".
	UserAgent string
	// WorkflowKey groups calls; it is passed on as it was received.
	WorkflowKey string
	// Origin is where runs that are started here come from, such as CLI; empty
	// leaves it to the API.
	Origin string
	// HTTP replaces the package's own client, for tests and special transports.
	HTTP *http.Client
}

// Client is a connection to one API. Any number of goroutines may use it.
type Client struct {
	base   string // origin + /v2
	public string
	opts   Options
	http   *http.Client
}

// New makes a client; it opens no connection. An address that is not an http
// or https URL is fault.Usage.
func New(opts Options) (*Client, error) {
	base, err := origin(opts.BaseURL, DefaultBaseURL)
	if err != nil {
		return nil, err
	}
	public, err := origin(opts.PublicBaseURL, base)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base + "/v2", public: public + "/v2", opts: opts, http: opts.HTTP}
	if c.http == nil {
		c.http = &http.Client{Transport: transport()}
	}
	if c.opts.UserAgent == "" {
		c.opts.UserAgent = "greenroom-client"
	}
	c.opts.UserAgent += " (" + runtime.GOOS + "; " + runtime.Version() + ")"
	return c, nil
}

// BaseURL is the API's origin, without /v2.
func (c *Client) BaseURL() string { return strings.TrimSuffix(c.base, "/v2") }

func origin(address, otherwise string) (string, error) {
	if address == "" {
		address = otherwise
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fault.New(fault.Usage, "%q is not the address of an API", address).
			WithHint("give an origin such as http://127.0.0.1:8080 or %s", DefaultBaseURL)
	}
	// Some write the version into the address; the official clients would fail.
	return strings.TrimSuffix(strings.TrimRight(address, "/"), "/v2"), nil
}

// transport honours the proxy variables; the standard library's rule reaches
// loopback addresses directly whatever they say.
func transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       60 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute, // waitForFinish takes up to 60 s
		ExpectContinueTimeout: time.Second,
	}
}

// call is one request to the API.
type call struct {
	method string
	path   string // escaped, below /v2
	query  url.Values
	header http.Header
	// body starts a fresh reader over the same bytes, so that the call can be
	// repeated; size is its length, or -1.
	body func() (io.Reader, error)
	size int64
	// once forbids repeating after the server may have seen the request: the
	// call is not idempotent, or its body can be read only once.
	once bool
}

func jsonBody(v any) (func() (io.Reader, error), int64, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, 0, fault.Wrap(fault.Internal, err, "encode the request")
	}
	body, size := bytesBody(data)
	return body, size, nil
}

// send performs the call, repeats it where that is safe, and gives the answer
// of a success. The caller closes its body.
func (c *Client) send(ctx context.Context, call call) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		resp, err := c.try(ctx, call)
		if err == nil && resp.StatusCode < 300 {
			return resp, nil
		}
		pause, again := retry(call, attempt, resp, err)
		if err == nil {
			err = refusal(call, resp)
			resp.Body.Close()
		} else if ctx.Err() == nil {
			err = c.unreachable(err)
		}
		if !again {
			return nil, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *Client) try(ctx context.Context, call call) (*http.Response, error) {
	var body io.Reader
	if call.body != nil {
		var err error
		if body, err = call.body(); err != nil {
			return nil, err
		}
	}
	target := c.base + call.path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.method, target, body)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "make the request")
	}
	if body != nil {
		req.ContentLength = call.size
		if call.size >= 0 {
			// Lets the transport use a fresh connection when an idle one turns
			// out to be closed; it does so only before anything was sent.
			req.GetBody = func() (io.ReadCloser, error) {
				again, err := call.body()
				return io.NopCloser(again), err
			}
		}
		if call.size == 0 {
			req.Body, req.GetBody = http.NoBody, nil
		}
	}
	for name, values := range call.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.opts.UserAgent)
	if c.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	if c.opts.Origin != "" {
		req.Header.Set("X-Apify-Request-Origin", c.opts.Origin)
	}
	if c.opts.WorkflowKey != "" {
		req.Header.Set("X-Apify-Workflow-Key", c.opts.WorkflowKey)
	}
	return c.http.Do(req)
}

// unreachable says which API did not answer. The cause of a *url.Error is
// enough: the URL would only repeat the address with the path.
func (c *Client) unreachable(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if _, ok := errors.AsType[readError](err); ok {
		return err
	}
	return fault.New(fault.Unavailable, "the API at %s cannot be reached: %w", c.BaseURL(), err).
		WithHint("check that it runs and that APIFY_API_BASE_URL names it")
}

// readError marks a failure of the caller's own reader, which says nothing
// about the API.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

// get decodes the enveloped answer of a GET.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return fetch[T](ctx, c, call{method: http.MethodGet, path: path, query: query})
}

// fetch decodes the enveloped answer of any call.
func fetch[T any](ctx context.Context, c *Client, call call) (T, error) {
	var envelope api.Envelope[T]
	resp, err := c.send(ctx, call)
	if err != nil {
		return envelope.Data, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&envelope); err != nil {
		if ctx.Err() != nil {
			return envelope.Data, ctx.Err()
		}
		return envelope.Data, fault.New(fault.Unavailable, "%s %s: the answer is not what the API sends: %w", call.method, call.path, err)
	}
	return envelope.Data, nil
}

// discard performs a call whose answer says nothing but that it succeeded.
func (c *Client) discard(ctx context.Context, call call) error {
	resp, err := c.send(ctx, call)
	if err != nil {
		return err
	}
	// Reading to the end lets the connection be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.Body.Close()
}

// ref writes an id, a name, or a "user/name" as a path segment.
func ref(idOrName string) string {
	return segment(strings.Replace(idOrName, "/", "~", 1))
}

// segment escapes s so that it is one path segment even when it is "." or "..".
func segment(s string) string {
	switch s {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return url.PathEscape(s)
}
