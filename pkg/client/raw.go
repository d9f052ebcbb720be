package client

import (
	"context"
	"net/http"
	"net/url"
)

// Request is a call of any operation, also of those that have no method here.
type Request struct {
	Method string
	Path   string // below /v2, escaped, such as /actor-runs?desc=1
	Query  url.Values
	Header http.Header
	Body   []byte // nil for none
}

// Do calls an operation once and gives the answer, whatever its status; the
// caller closes the body. An API that is out of reach is fault.Unavailable.
func (c *Client) Do(ctx context.Context, request Request) (*http.Response, error) {
	call := call{method: request.Method, path: request.Path, query: request.Query, header: request.Header.Clone()}
	if request.Body != nil {
		call.body, call.size = bytesBody(request.Body)
	}
	resp, err := c.try(ctx, call)
	if err != nil && ctx.Err() == nil {
		err = c.unreachable(err)
	}
	return resp, err
}
