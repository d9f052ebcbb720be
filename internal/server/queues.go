package server

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/greenroom-dev/greenroom/internal/export"
	"github.com/greenroom-dev/greenroom/internal/server/queuejson"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// The platform's limits of request queues.
const (
	maxBatch        = 25
	maxHead         = 1000
	defaultHead     = 100
	maxLockedHead   = 25
	maxRequestsPage = 10000
	maxClientKey    = 32
)

// queueCall is a call on a queue with the client that makes it.
type queueCall struct {
	*call
	queue  store.RequestQueue
	client store.Client
}

func (s *server) queueRoutes(base string, open opener[store.RequestQueue]) []route {
	open = guarded(open)
	with := func(handle func(queueCall) error) handler {
		return func(c *call) error {
			queue, err := open(c)
			if err != nil {
				return err
			}
			key := c.query().Get("clientKey")
			if len(key) > maxClientKey {
				return fault.New(fault.InvalidRequest, "query parameter clientKey must have 1 to %d characters, got %d", maxClientKey, len(key)).
					WithType("invalid-client-key")
			}
			return handle(queueCall{c, queue, store.Client{Key: key, RunID: c.caller.runID}})
		}
	}
	request := base + "/requests/{requestId}"
	return append(s.queues.storageRoutes(base, open),
		route{"GET", base + "/head", with(s.queueHead)},
		route{"POST", base + "/head/lock", with(s.lockHead)},
		route{"GET", base + "/requests", with(s.listRequests)},
		route{"POST", base + "/requests", with(s.addRequest)},
		route{"POST", base + "/requests/batch", with(s.addRequests)},
		route{"DELETE", base + "/requests/batch", with(s.deleteRequests)},
		route{"POST", base + "/requests/unlock", with(s.unlockRequests)},
		route{"GET", request, with(s.getRequest)},
		route{"PUT", request, with(s.updateRequest)},
		route{"DELETE", request, with(s.deleteRequest)},
		route{"PUT", request + "/lock", with(s.prolongLock)},
		route{"DELETE", request + "/lock", with(s.releaseLock)},
	)
}

func (s *server) queueHead(c queueCall) error {
	limit, err := c.integer("limit", defaultHead)
	if err != nil {
		return err
	}
	limit = atMost(limit, maxHead)
	head, err := c.queue.Head(c.ctx(), limit, c.client)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, api.QueueHead{
		Limit: limit, QueueModifiedAt: api.TimeOf(head.ModifiedAt),
		HadMultipleClients: head.HadMultipleClients, Items: headItems(head),
	})
}

func (s *server) lockHead(c queueCall) error {
	limit, err := c.integer("limit", maxLockedHead)
	if err != nil {
		return err
	}
	limit = atMost(limit, maxLockedHead)
	lock, err := c.lockTime()
	if err != nil {
		return err
	}
	head, err := c.queue.Lock(c.writeCtx(), limit, lock, c.client)
	if err != nil {
		return err
	}
	return c.data(http.StatusCreated, api.LockedQueueHead{
		Limit: limit, QueueModifiedAt: api.TimeOf(head.ModifiedAt), HadMultipleClients: head.HadMultipleClients,
		LockSecs: int(lock / time.Second), ClientKey: c.client.Key,
		QueueHasLockedRequests: head.HasLocked, Items: headItems(head),
	})
}

// lockTime reads lockSecs, rounded up to whole seconds.
func (c queueCall) lockTime() (time.Duration, error) {
	seconds, err := c.optionalAmount("lockSecs")
	if err != nil {
		return 0, err
	}
	if seconds == nil || *seconds == 0 {
		return 0, fault.New(fault.InvalidRequest, "query parameter lockSecs is required: the seconds to lock for, more than 0").
			WithType("parameter-required")
	}
	const most = 10 * 365 * 24 * 3600
	return time.Duration(math.Ceil(min(*seconds, most))) * time.Second, nil
}

func headItems(head store.Head) []api.HeadRequest {
	items := make([]api.HeadRequest, len(head.Items))
	for i, item := range head.Items {
		items[i] = api.HeadRequest{
			ID: item.ID, UniqueKey: item.UniqueKey, URL: item.URL,
			Method: queuejson.MethodOf(item.Method), RetryCount: item.RetryCount,
		}
		if !item.LockExpiresAt.IsZero() {
			at := api.TimeOf(item.LockExpiresAt)
			items[i].LockExpiresAt = &at
		}
	}
	return items
}

// cursor is what the text of a list's cursor holds.
type cursor struct {
	RequestID string `json:"requestId"`
}

func (s *server) listRequests(c queueCall) error {
	limit, err := c.integer("limit", maxPage)
	if err != nil {
		return err
	}
	limit = atMost(limit, maxRequestsPage)
	q := c.query()
	start, at := q.Get("exclusiveStartId"), q.Get("cursor")
	if start != "" && at != "" {
		return fault.New(fault.InvalidRequest, "exclusiveStartId and cursor cannot be used together").WithType("invalid-parameter")
	}
	list := api.ListOfRequests{Limit: limit, ExclusiveStartID: start, Cursor: at}
	if at != "" {
		if start, err = decodeCursor(at); err != nil {
			return err
		}
	}
	var filter store.RequestsFilter
	for _, state := range c.list("filter") {
		switch state {
		case "locked":
			filter.Locked = true
		case "pending":
			filter.Pending = true
		default:
			return errParameter("filter", state, "locked, pending or both")
		}
	}
	found, err := c.queue.Requests(c.ctx(), start, limit, filter)
	if err != nil {
		return err
	}
	list.Items = make([]json.RawMessage, len(found.Items))
	for i, req := range found.Items {
		if list.Items[i], err = queuejson.Encode(req); err != nil {
			return err
		}
	}
	if found.NextID != "" {
		list.NextCursor = encodeCursor(found.NextID)
	}
	return c.data(http.StatusOK, list)
}

func encodeCursor(requestID string) string {
	text, _ := json.Marshal(cursor{requestID}) // a string always marshals
	return base64.RawURLEncoding.EncodeToString(text)
}

func decodeCursor(text string) (requestID string, err error) {
	var at cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &at) != nil || at.RequestID == "" {
		return "", errParameter("cursor", text, "the nextCursor of a previous page")
	}
	return at.RequestID, nil
}

func (s *server) addRequest(c queueCall) error {
	forefront, err := c.boolean("forefront")
	if err != nil {
		return err
	}
	req, err := c.readRequest("")
	if err != nil {
		return err
	}
	added, err := c.queue.Add(c.writeCtx(), []store.Request{req}, forefront, c.client)
	if err != nil {
		return err
	}
	return c.data(http.StatusCreated, registration(added[0]))
}

func (c queueCall) readRequest(pathID string) (store.Request, error) {
	body, err := c.read()
	if err != nil {
		return store.Request{}, err
	}
	if !json.Valid(body) {
		return store.Request{}, errInvalidJSON(body)
	}
	return queuejson.Decode(body, pathID)
}

func registration(r store.Registration) api.RequestRegistration {
	return api.RequestRegistration{
		RequestID: r.ID, UniqueKey: r.UniqueKey,
		WasAlreadyPresent: r.WasAlreadyPresent, WasAlreadyHandled: r.WasAlreadyHandled,
	}
}

// readBatch reads an array of at most maxBatch elements.
func (c queueCall) readBatch() ([]json.RawMessage, error) {
	body, err := c.read()
	if err != nil {
		return nil, err
	}
	if !json.Valid(body) {
		return nil, errInvalidJSON(body)
	}
	elements, err := export.Elements(body)
	if err != nil {
		return nil, err
	}
	if len(elements) > maxBatch {
		return nil, fault.New(fault.InvalidRequest, "a batch holds at most %d requests, got %d", maxBatch, len(elements)).
			WithType("too-many-values")
	}
	return elements, nil
}

func (s *server) addRequests(c queueCall) error {
	forefront, err := c.boolean("forefront")
	if err != nil {
		return err
	}
	batch, err := c.readBatch()
	if err != nil {
		return err
	}
	reqs := make([]store.Request, len(batch))
	for i, text := range batch {
		if reqs[i], err = queuejson.Decode(text, ""); err != nil {
			return fault.New(fault.InvalidRequest, "request %d of the batch: %s; nothing was added", i, err.Error())
		}
	}
	result := api.BatchAddResult{
		ProcessedRequests:   make([]api.RequestRegistration, len(reqs)),
		UnprocessedRequests: []api.RequestDraft{},
	}
	if len(reqs) > 0 {
		added, err := c.queue.Add(c.writeCtx(), reqs, forefront, c.client)
		if err != nil {
			return err
		}
		for i, r := range added {
			result.ProcessedRequests[i] = registration(r)
		}
	}
	return c.data(http.StatusCreated, result)
}

// deleteRequests deletes a batch. What is gone already counts as deleted; what
// another client has locked is given back as not processed.
func (s *server) deleteRequests(c queueCall) error {
	batch, err := c.readBatch()
	if err != nil {
		return err
	}
	names := make([]api.DeletedRequest, len(batch))
	for i, text := range batch {
		if err := json.Unmarshal(text, &names[i]); err != nil || names[i] == (api.DeletedRequest{}) {
			return fault.New(fault.InvalidRequest, "request %d of the batch must be an object with an id or a uniqueKey; nothing was deleted", i)
		}
	}
	result := api.BatchDeleteResult{ProcessedRequests: []api.DeletedRequest{}, UnprocessedRequests: []api.RequestDraft{}}
	for _, name := range names {
		id := name.ID
		if id == "" {
			id = store.RequestID(name.UniqueKey)
		}
		err := c.queue.DeleteRequest(c.writeCtx(), id, c.client)
		switch {
		case err == nil, fault.Is(err, fault.NotFound):
			result.ProcessedRequests = append(result.ProcessedRequests, name)
		case fault.Is(err, fault.Forbidden):
			draft := api.RequestDraft{ID: id, UniqueKey: name.UniqueKey}
			if req, err := c.queue.Request(c.ctx(), id); err == nil {
				draft = api.RequestDraft{ID: id, UniqueKey: req.UniqueKey, URL: req.URL, Method: queuejson.MethodOf(req.Method)}
			}
			result.UnprocessedRequests = append(result.UnprocessedRequests, draft)
		default:
			return err
		}
	}
	return c.data(http.StatusOK, result)
}

func (s *server) unlockRequests(c queueCall) error {
	n, err := c.queue.Unlock(c.writeCtx(), c.client)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, api.UnlockResult{UnlockedCount: n})
}

func (s *server) getRequest(c queueCall) error {
	req, err := c.queue.Request(c.ctx(), c.param("requestId"))
	if err != nil {
		return err
	}
	text, err := queuejson.Encode(req)
	if err != nil {
		return err
	}
	out := make([]byte, 0, len(text)+len(`{"data":}`))
	out = append(out, `{"data":`...)
	out = append(out, text...)
	c.body(http.StatusOK, append(out, '}'))
	return nil
}

func (s *server) updateRequest(c queueCall) error {
	forefront, err := c.boolean("forefront")
	if err != nil {
		return err
	}
	req, err := c.readRequest(c.param("requestId"))
	if err != nil {
		return err
	}
	updated, err := c.queue.Update(c.writeCtx(), req, forefront, c.client)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, registration(updated))
}

func (s *server) deleteRequest(c queueCall) error {
	if err := c.queue.DeleteRequest(c.writeCtx(), c.param("requestId"), c.client); err != nil {
		return err
	}
	return c.noContent()
}

func (s *server) prolongLock(c queueCall) error {
	forefront, err := c.boolean("forefront")
	if err != nil {
		return err
	}
	lock, err := c.lockTime()
	if err != nil {
		return err
	}
	expires, err := c.queue.Prolong(c.writeCtx(), c.param("requestId"), lock, forefront, c.client)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, api.LockInfo{LockExpiresAt: api.TimeOf(expires)})
}

func (s *server) releaseLock(c queueCall) error {
	forefront, err := c.boolean("forefront")
	if err != nil {
		return err
	}
	if err := c.queue.Release(c.writeCtx(), c.param("requestId"), forefront, c.client); err != nil {
		return err
	}
	return c.noContent()
}

// atMost cuts a page size to the largest; 0 asks for the largest.
func atMost(limit, most int) int {
	if limit == 0 {
		return most
	}
	return min(limit, most)
}
