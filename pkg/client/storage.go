package client

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// StorageKind is a kind of storage, as the API's paths name it.
type StorageKind string

// The kinds of storage.
const (
	Datasets       StorageKind = "datasets"
	KeyValueStores StorageKind = "key-value-stores"
	RequestQueues  StorageKind = "request-queues"
)

// Storages is the handle of all storages of one kind. Their metadata comes as
// the API sends it, with fields that this module does not know.
type Storages struct {
	c    *Client
	kind StorageKind
}

// Storages names the storages of a kind; it calls nothing.
func (c *Client) Storages(kind StorageKind) Storages { return Storages{c, kind} }

// List reads a page of the caller's storages.
func (s Storages) List(ctx context.Context, opts ListOptions) (api.Page[json.RawMessage], error) {
	return get[api.Page[json.RawMessage]](ctx, s.c, "/"+string(s.kind), opts.query())
}

// Create finds the caller's storage of that name or makes it; an empty name
// makes an unnamed one.
func (s Storages) Create(ctx context.Context, name string) (json.RawMessage, error) {
	return fetch[json.RawMessage](ctx, s.c, creation("/"+string(s.kind), name))
}

func (s Storages) path(idOrName string) string { return "/" + string(s.kind) + "/" + ref(idOrName) }

// Get reads a storage's metadata; the storage is named by its id, or as
// "user/name", or "~name" for one of the caller's.
func (s Storages) Get(ctx context.Context, idOrName string) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, s.c, s.path(idOrName), nil)
}

// Rename gives a storage another name, and none when name is empty. A name that
// is taken is fault.Conflict.
func (s Storages) Rename(ctx context.Context, idOrName, name string) (json.RawMessage, error) {
	value := json.RawMessage("null")
	if name != "" {
		text, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value = text
	}
	body, size, err := jsonBody(api.StorageUpdate{Name: value})
	if err != nil {
		return nil, err
	}
	return fetch[json.RawMessage](ctx, s.c, call{method: http.MethodPut, path: s.path(idOrName), header: jsonHeader(), body: body, size: size})
}

// Delete removes a storage with all that it holds.
func (s Storages) Delete(ctx context.Context, idOrName string) error {
	return s.c.discard(ctx, call{method: http.MethodDelete, path: s.path(idOrName)})
}
