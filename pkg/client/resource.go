package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Answer is an object of the API: decoded, and as it was sent, with the fields
// that this module does not know. It is written as it was sent.
type Answer[T any] struct {
	Value T
	Raw   json.RawMessage
}

// UnmarshalJSON reads the value and keeps its text.
func (a *Answer[T]) UnmarshalJSON(text []byte) error {
	a.Raw = bytes.Clone(text)
	return json.Unmarshal(text, &a.Value)
}

// MarshalJSON writes the text that was read.
func (a Answer[T]) MarshalJSON() ([]byte, error) {
	if a.Raw == nil {
		return json.Marshal(a.Value)
	}
	return a.Raw, nil
}

// Resource is the handle of one object that can be read, changed and deleted;
// making it calls nothing.
type Resource[T any] struct {
	c    *Client
	path string // escaped, below /v2
}

// Get reads the object.
func (r Resource[T]) Get(ctx context.Context) (Answer[T], error) {
	return get[Answer[T]](ctx, r.c, r.path, nil)
}

// Update changes the fields that fields has: anything that encodes to a JSON
// object, such as a map. What it does not name stays as it is.
func (r Resource[T]) Update(ctx context.Context, fields any) (Answer[T], error) {
	return put[T](ctx, r.c, r.path, fields)
}

// Delete removes the object.
func (r Resource[T]) Delete(ctx context.Context) error {
	return r.c.discard(ctx, call{method: http.MethodDelete, path: r.path})
}

// Collection is the handle of all objects of a kind; Item is what lists show of
// them.
type Collection[Item, T any] struct {
	c    *Client
	path string
}

// List reads one page, the oldest first unless opts say otherwise.
func (l Collection[Item, T]) List(ctx context.Context, opts ListOptions) (api.Page[Answer[Item]], error) {
	return get[api.Page[Answer[Item]]](ctx, l.c, l.path, opts.query())
}

// Create makes an object of fields: anything that encodes to a JSON object. It
// is not repeated once the API may have seen it.
func (l Collection[Item, T]) Create(ctx context.Context, fields any) (Answer[T], error) {
	body, size, err := jsonBody(fields)
	if err != nil {
		return Answer[T]{}, err
	}
	return fetch[Answer[T]](ctx, l.c, call{method: http.MethodPost, path: l.path, header: jsonHeader(), body: body, size: size, once: true})
}

// ListOptions select a page of a list. Limit 0 leaves it to the API (1000).
type ListOptions struct {
	Offset, Limit int
	// Desc lists the newest first.
	Desc bool
	// Unnamed lists storages without a name too.
	Unnamed bool
	// My lists those Actors only that belong to the caller.
	My bool
	// SortBy orders Actors: createdAt or stats.lastRunStartedAt.
	SortBy string
	// Status lists the runs only that have it; several are parted by commas.
	Status string
	// StartedAfter and StartedBefore list the runs only that were started in
	// that time; zero times do not limit it.
	StartedAfter, StartedBefore time.Time
}

func (o ListOptions) query() url.Values {
	query := url.Values{}
	for name, n := range map[string]int{"offset": o.Offset, "limit": o.Limit} {
		if n > 0 {
			query.Set(name, strconv.Itoa(n))
		}
	}
	for name, yes := range map[string]bool{"desc": o.Desc, "unnamed": o.Unnamed, "my": o.My} {
		if yes {
			query.Set(name, "1")
		}
	}
	for name, text := range map[string]string{"sortBy": o.SortBy, "status": o.Status} {
		if text != "" {
			query.Set(name, text)
		}
	}
	for name, t := range map[string]time.Time{"startedAfter": o.StartedAfter, "startedBefore": o.StartedBefore} {
		if !t.IsZero() {
			query.Set(name, api.TimeOf(t).String())
		}
	}
	return query
}

// put sends fields to be changed, and decodes the answer.
func put[T any](ctx context.Context, c *Client, path string, fields any) (Answer[T], error) {
	body, size, err := jsonBody(fields)
	if err != nil {
		return Answer[T]{}, err
	}
	return fetch[Answer[T]](ctx, c, call{method: http.MethodPut, path: path, header: jsonHeader(), body: body, size: size})
}
