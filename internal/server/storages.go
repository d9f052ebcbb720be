package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// storages serves what the three kinds of storage have in common.
type storages[S store.Storage] struct {
	s    *server
	path string // "datasets": the collection's name in URLs
	noun string // "dataset": for people
	all  store.Collection[S]
	view func(c *call, info store.Info, shared share) any
	// checkSchema reports a schema that such a storage cannot have; nil takes any.
	checkSchema func(schema json.RawMessage) error
}

func newStorages[S store.Storage](s *server, path, noun string, all store.Collection[S], view func(*call, store.Info, share) any) storages[S] {
	return storages[S]{s: s, path: path, noun: noun, all: all, view: view}
}

// opener finds the storage that a path names.
type opener[S store.Storage] func(c *call) (S, error)

// named opens the storage whose id or name is in the path: an id, "name",
// "~name" or "username~name".
func (k storages[S]) named(c *call) (S, error) {
	ref, err := c.ownName(k.noun, c.param("storageId"))
	if err != nil {
		var none S
		return none, err
	}
	return k.all.Open(c.ctx(), ref)
}

// ownName gives the id or name in a reference to a storage, without its owner.
func (c *call) ownName(noun, ref string) (string, error) {
	if owner, name, ok := strings.Cut(ref, "~"); ok {
		if owner != "" && owner != c.s.Username && owner != c.s.UserID {
			return "", fault.New(fault.NotFound, "%s %q was not found: the user here is %q", noun, ref, c.s.Username)
		}
		return name, nil
	}
	return ref, nil
}

// ofRun opens the default storage of the run that the path names.
func (k storages[S]) ofRun(s *server, alias string) opener[S] {
	return func(c *call) (S, error) {
		run, err := s.pathRun(c)
		if err != nil {
			var none S
			return none, err
		}
		id := run.DefaultDatasetID
		switch alias {
		case "key-value-store":
			id = run.DefaultKeyValueStoreID
		case "request-queue":
			id = run.DefaultRequestQueueID
		}
		return k.all.Open(c.ctx(), id)
	}
}

// routes are those of the collection.
func (k storages[S]) routes() []route {
	base := "/v2/" + k.path
	return []route{
		{"GET", base, k.list},
		{"POST", base, k.getOrCreate},
	}
}

// storageRoutes are those that every storage has.
func (k storages[S]) storageRoutes(base string, open opener[S]) []route {
	return []route{
		{"GET", base, func(c *call) error { return k.get(c, open) }},
		{"PUT", base, func(c *call) error { return k.update(c, open) }},
		{"DELETE", base, func(c *call) error { return k.remove(c, open) }},
	}
}

func (k storages[S]) list(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	unnamed, err := c.boolean("unnamed")
	if err != nil {
		return err
	}
	if ownership := c.query().Get("ownership"); ownership != "" && ownership != "ownedByMe" {
		if ownership != "sharedWithMe" {
			return errParameter("ownership", ownership, "ownedByMe or sharedWithMe")
		}
		return c.data(http.StatusOK, api.Page[any]{Offset: p.offset, Limit: p.limit, Desc: p.desc, Unnamed: &unnamed, Items: []any{}})
	}
	found, err := k.all.List(c.ctx(), store.ListOptions{Offset: p.offset, Limit: p.limit, Desc: p.desc, Unnamed: unnamed})
	if err != nil {
		return err
	}
	items := make([]any, len(found.Items))
	for i, info := range found.Items {
		if info.Name == "" && k.path != "key-value-stores" {
			// The API gives these lists a name that is never null.
			info.Name = info.ID
		}
		shared, err := c.share(info.ID)
		if err != nil {
			return err
		}
		items[i] = k.view(c, info, shared)
	}
	return c.data(http.StatusOK, api.Page[any]{
		Total: found.Total, Offset: p.offset, Limit: p.limit, Count: len(items),
		Desc: p.desc, Unnamed: &unnamed, Items: items,
	})
}

func (k storages[S]) getOrCreate(c *call) error {
	var body struct {
		Schema json.RawMessage `json:"schema"`
	}
	if err := c.readJSON(&body); err != nil {
		return err
	}
	if bytes.Equal(body.Schema, []byte("null")) {
		body.Schema = nil
	}
	if k.checkSchema != nil {
		if err := k.checkSchema(body.Schema); err != nil {
			return err
		}
	}
	name := strings.TrimPrefix(c.query().Get("name"), "~")
	name = strings.TrimPrefix(strings.TrimPrefix(name, c.s.Username+"~"), c.s.UserID+"~")
	opened, created, err := k.all.Create(c.writeCtx(), store.CreateOptions{Name: name, Schema: body.Schema})
	if err != nil {
		return err
	}
	if created {
		return k.show(c, opened, http.StatusCreated)
	}
	return k.show(c, opened, http.StatusOK)
}

func (k storages[S]) get(c *call, open opener[S]) error {
	opened, err := open(c)
	if err != nil {
		return err
	}
	return k.show(c, opened, http.StatusOK)
}

func (k storages[S]) update(c *call, open opener[S]) error {
	opened, err := open(c)
	if err != nil {
		return err
	}
	var body api.StorageUpdate
	if err := c.readJSON(&body); err != nil {
		return err
	}
	if err := checkAccess(body.GeneralAccess); err != nil {
		return err
	}
	if len(body.Name) > 0 {
		var name string // null takes the name away
		if err := json.Unmarshal(body.Name, &name); err != nil {
			return fault.New(fault.InvalidRequest, "field name of the request body must be a string or null")
		}
		if err := opened.Rename(c.writeCtx(), name); err != nil {
			return err
		}
	}
	if body.GeneralAccess != "" {
		if err := opened.SetAccess(c.writeCtx(), body.GeneralAccess); err != nil {
			return err
		}
	}
	return k.show(c, opened, http.StatusOK)
}

// show answers with the metadata of a storage.
func (k storages[S]) show(c *call, opened S, status int) error {
	info, err := opened.Info(c.ctx())
	if err != nil {
		return err
	}
	shared, err := c.share(info.ID)
	if err != nil {
		return err
	}
	if status == http.StatusCreated {
		c.Header().Set("Location", c.url("v2", k.path, info.ID))
	}
	return c.data(status, k.view(c, info, shared))
}

func (k storages[S]) remove(c *call, open opener[S]) error {
	opened, err := open(c)
	if err != nil {
		return err
	}
	if err := opened.Delete(c.writeCtx()); err != nil {
		return err
	}
	return c.noContent()
}

// orNull gives null for an empty text.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// consoleURL is the address of a storage for people. It must be absolute: the
// Python client refuses others.
func (c *call) consoleURL(path, id string) string { return c.url("storage", path, id) }

func (s *server) datasetView(c *call, info store.Info, shared share) any {
	var fields []string
	if schema, err := s.datasetSchemas.of(info.Schema); err == nil && schema != nil {
		fields = schema.FieldNames()
	}
	return api.Dataset{
		ID: info.ID, Name: orNull(info.Name), UserID: s.UserID, Username: s.Username,
		CreatedAt: api.TimeOf(info.CreatedAt), ModifiedAt: api.TimeOf(info.ModifiedAt), AccessedAt: api.TimeOf(info.AccessedAt),
		ItemCount: info.ItemCount, CleanItemCount: info.CleanItemCount,
		ActorID: orNull(info.ActorID), ActorRunID: orNull(info.RunID), Fields: fields, Schema: info.Schema,
		ConsoleURL:     c.consoleURL("datasets", info.ID),
		ItemsPublicURL: shared.public("v2", "datasets", info.ID, "items"), URLSigningSecretKey: shared.key,
		GeneralAccess: accessOf(info),
		Stats:         &api.StorageStats{ReadCount: info.Stats.Reads, WriteCount: info.Stats.Writes, StorageBytes: size(info), InflatedBytes: size(info)},
	}
}

func (s *server) storeView(c *call, info store.Info, shared share) any {
	return api.KeyValueStore{
		ID: info.ID, Name: orNull(info.Name), UserID: s.UserID, Username: s.Username,
		CreatedAt: api.TimeOf(info.CreatedAt), ModifiedAt: api.TimeOf(info.ModifiedAt), AccessedAt: api.TimeOf(info.AccessedAt),
		ActorID: orNull(info.ActorID), ActorRunID: orNull(info.RunID), Schema: info.Schema,
		ConsoleURL:    c.consoleURL("key-value-stores", info.ID),
		KeysPublicURL: shared.public("v2", "key-value-stores", info.ID, "keys"), URLSigningSecretKey: shared.key,
		RecordsPublicURL: shared.public("v2", "key-value-stores", info.ID, "records"),
		GeneralAccess:    accessOf(info),
		Stats: &api.StorageStats{
			ReadCount: info.Stats.Reads, WriteCount: info.Stats.Writes, DeleteCount: &info.Stats.Deletes,
			ListCount: &info.Stats.Lists, StorageBytes: size(info),
		},
	}
}

func (s *server) queueView(c *call, info store.Info, _ share) any {
	return api.RequestQueue{
		ID: info.ID, Name: orNull(info.Name), UserID: s.UserID, Username: s.Username,
		CreatedAt: api.TimeOf(info.CreatedAt), ModifiedAt: api.TimeOf(info.ModifiedAt), AccessedAt: api.TimeOf(info.AccessedAt),
		ActorID: orNull(info.ActorID), ActorRunID: orNull(info.RunID),
		TotalRequestCount: info.TotalRequests, HandledRequestCount: info.HandledRequests,
		PendingRequestCount: max(0, info.TotalRequests-info.HandledRequests),
		HadMultipleClients:  info.HadMultipleClients,
		ConsoleURL:          c.consoleURL("request-queues", info.ID),
		GeneralAccess:       accessOf(info),
		Stats: &api.StorageStats{
			ReadCount: info.Stats.Reads, WriteCount: info.Stats.Writes, DeleteCount: &info.Stats.Deletes,
			HeadItemReadCount: &info.Stats.HeadReads, StorageBytes: size(info),
		},
	}
}

// size is the size of a storage, nil where it is not known.
func size(info store.Info) *int64 {
	if info.Stats.Bytes < 0 {
		return nil
	}
	return &info.Stats.Bytes
}
