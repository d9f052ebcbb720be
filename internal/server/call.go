package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// call is one request on its way through the server. It is also the
// ResponseWriter that the mux passes on.
type call struct {
	http.ResponseWriter
	r *http.Request
	s *server

	caller principal
	// refusal is why the caller's token, or the lack of one, does not open what is
	// asked for. Only what is open to everybody may be given then.
	refusal     error
	recordKey   string // of paths that name a record
	queryValues url.Values
	wroteHeader bool
	status      int    // of the answer, 0 before there is one
	route       string // the pattern of the path, "" when none matches
}

// WriteHeader implements http.ResponseWriter.
func (c *call) WriteHeader(status int) {
	c.wroteHeader = true
	if c.status == 0 && status >= http.StatusOK { // others only announce one
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *call) Write(p []byte) (int, error) {
	c.wroteHeader = true
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController and websocket.Accept reach the connection.
func (c *call) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// handler answers a call; an error it returns is the answer.
type handler func(c *call) error

// ctx is for whatever a call looks up on its way: that of a read ends with the
// connection, that of anything else does not.
func (c *call) ctx() context.Context {
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return c.r.Context()
	}
	return c.writeCtx()
}

// writeCtx does not end with the connection. SDKs send a last status message
// and are gone before the answer; what they sent must happen all the same.
func (c *call) writeCtx() context.Context { return context.WithoutCancel(c.r.Context()) }

// waitCtx ends with the connection, so that nothing waits for nobody.
func (c *call) waitCtx() context.Context { return c.r.Context() }

// param is a wildcard of the route's path.
func (c *call) param(name string) string { return c.r.PathValue(name) }

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// data answers with v in the API's envelope.
func (c *call) data(status int, v any) error {
	return c.json(status, api.Envelope[any]{Data: v})
}

func (c *call) json(status int, v any) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fault.Wrap(fault.Internal, err, "encoding the answer")
	}
	c.body(status, buf.Bytes())
	return nil
}

var (
	jsonType    = []string{"application/json; charset=utf-8"}
	emptyObject = []byte("{}")
)

// body answers with ready JSON.
func (c *call) body(status int, text []byte) {
	h := c.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	c.WriteHeader(status)
	_, _ = c.Write(text) // a client that has gone is no failure of ours
}

// created answers 201 with an empty object, as the platform does for stored
// items and records.
func (c *call) created(location string) error {
	c.Header()["Location"] = []string{location}
	c.body(http.StatusCreated, emptyObject)
	return nil
}

// createdData answers 201 with what was created, and where it is.
func (c *call) createdData(v any, location ...string) error {
	c.Header()["Location"] = []string{c.url(location...)}
	return c.data(http.StatusCreated, v)
}

func (c *call) noContent() error {
	c.WriteHeader(http.StatusNoContent)
	return nil
}

// url is an absolute URL of this server as the caller reaches it. The parts are
// path segments and become escaped.
func (c *call) url(parts ...string) string {
	var b strings.Builder
	b.WriteString(c.origin())
	for _, part := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(part))
	}
	return b.String()
}

func (c *call) origin() string {
	if c.r.TLS != nil {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}

// fail answers with the API's error body. What went wrong inside the server is
// logged and not told.
func (c *call) fail(err error) {
	if c.r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // nobody is there to read an answer
	}
	var e *fault.Error
	if !errors.As(err, &e) {
		e = &fault.Error{Code: fault.Internal, Err: err}
	}
	status := e.Code.HTTPStatus()
	if c.wroteHeader {
		// The answer is under way: breaking the connection is the only way left
		// to say that it is not complete.
		c.s.Logger.Warn("an answer broke off", "path", c.r.URL.Path, "error", err)
		panic(http.ErrAbortHandler)
	}
	message := e.Message
	if status == http.StatusInternalServerError && e.Data != nil {
		// Something with data was made to be told, such as what is damaged where.
		c.s.Logger.Error("a request failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
		message = e.Error()
	} else if status == http.StatusInternalServerError {
		c.s.Logger.Error("a request failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
		message = "the server failed to answer this request; its log says why"
	} else if message == "" {
		message = e.Error() // a message made with %w lives in the error itself
	}
	if e.Hint != "" && (status != http.StatusInternalServerError || e.Data != nil) {
		message += "; " + e.Hint
	}
	body := api.Error{Type: e.WireType(), Message: message}
	if e.Data != nil {
		if raw, err := json.Marshal(e.Data); err == nil {
			body.Data = raw
		}
	}
	h := c.Header()
	h.Del("Content-Length")
	h.Del("Content-Disposition")
	_ = c.json(status, api.ErrorEnvelope{Error: body})
}
