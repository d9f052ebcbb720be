package localdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// requestQueue keeps one file per request and an index of them in memory, which
// is built when it is first needed and follows other processes' changes through
// the journal.
type requestQueue struct {
	*storage
	index   *queueIndex // nil until needed
	journal journal
	client  *string // the only client seen so far
}

func newRequestQueue(s *storage) store.RequestQueue {
	q := &requestQueue{storage: s}
	s.recount = func() {
		if q.index != nil {
			s.meta.Info.TotalRequests, s.meta.Info.HandledRequests = len(q.index.byID), q.index.handled
		}
	}
	s.reset = func() { q.index = nil }
	return q
}

func requestName(id string) string { return id + ".json" }

// change runs f with the queue locked and the index up to date. It reports to
// the metadata what f changed.
func (q *requestQueue) change(ctx context.Context, c store.Client, f func() error) error {
	if err := q.begin(ctx); err != nil {
		return err
	}
	err := q.catchUp()
	if err == nil {
		q.meet(c)
		err = f()
	}
	q.end(err == nil)
	return err
}

// read runs f with the queue locked, if it has been written to, and the index
// up to date.
func (q *requestQueue) read(ctx context.Context, f func() error) error {
	end, err := q.beginRead(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := q.catchUp(); err != nil {
		return err
	}
	return f()
}

// meet notes who uses the queue. One that does not say who it is counts as
// another every time.
func (q *requestQueue) meet(c store.Client) {
	if q.client != nil && (*q.client != c.Key || c.Key == "") && !q.meta.Info.HadMultipleClients {
		q.meta.Info.HadMultipleClients = true
		q.stale = true
		if q.timer == nil {
			q.timer = time.AfterFunc(flushEvery, q.flush)
		}
	}
	key := c.Key
	q.client = &key
}

// catchUp brings the index up to date and ends locks whose time is over.
func (q *requestQueue) catchUp() error {
	news, restarted, err := q.journal.news(&q.locked)
	if err != nil {
		return err
	}
	switch {
	case q.index == nil || restarted:
		if err := q.loadAll(); err != nil {
			return err
		}
	case len(news) > 0:
		dir, err := openFolder(q.path())
		if errors.Is(err, fs.ErrNotExist) {
			q.index = newQueueIndex()
			break
		}
		if err != nil {
			return internal(err, "read request queue %q", q.folder)
		}
		for _, n := range news {
			q.loadOne(dir, requestName(n.id))
		}
		dir.close()
	}
	now := ticksOf(time.Now())
	for _, n := range news {
		if e := q.index.byID[n.id]; e != nil && e.state != handled {
			q.index.follow(e, n, now)
		}
	}
	q.index.expire(now)
	return nil
}

func (q *requestQueue) loadAll() error {
	q.index = newQueueIndex()
	dir, err := openFolder(q.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return internal(err, "read request queue %q", q.folder)
	}
	defer dir.close()
	files, err := os.ReadDir(q.path())
	if err != nil {
		return internal(err, "read request queue %q", q.folder)
	}
	for _, f := range files {
		name := f.Name()
		if strings.HasSuffix(name, ".json") && name != metafile.Name && !f.IsDir() {
			q.loadOne(dir, name)
		}
	}
	return nil
}

// loadOne indexes the present content of a request's file.
func (q *requestQueue) loadOne(dir folder, name string) {
	data, err := dir.read(name, nil)
	var f requestFile
	ok := false
	if err == nil {
		f, ok = readRequestFile(name, data)
	}
	if !ok {
		q.index.remove(strings.TrimSuffix(name, ".json"))
		return
	}
	q.index.put(entryOf(&f), nil)
}

// entryOf makes the entry of a stored request. A place in the future means that
// somebody holds it until then.
func entryOf(f *requestFile) *entry {
	e := &entry{id: f.ID, uniqueKey: f.UniqueKey, url: f.URL, method: f.Method, retryCount: f.RetryCount}
	place, done := f.place()
	switch {
	case done:
		e.state = handled
	case place.abs() > ticksOf(time.Now()):
		e.state, e.place = locked, place
	default:
		e.state, e.place, e.filed = ready, place, place
	}
	return e
}

// announce tells other processes which requests are about to change.
func (q *requestQueue) announce(changes ...change) error {
	if q.journal.offset > longestJournal {
		holders := q.index.told()
		if err := q.journal.restart(&q.storage.locked, holders); err != nil {
			return err
		}
	}
	return q.journal.add(&q.storage.locked, changes)
}

// write stores a request's file in one step.
func (q *requestQueue) write(f *requestFile) error {
	if err := q.root.writeAtomically(q.path(requestName(f.ID)), f.bytes()); err != nil {
		return internal(err, "write request %q", f.ID)
	}
	return nil
}

// stored reads a request's file.
func (q *requestQueue) stored(id string) (requestFile, error) {
	if !validRequestID(id) {
		return requestFile{}, q.noRequest(id)
	}
	data, err := readFile(q.path(requestName(id)), nil)
	if err == nil {
		if f, ok := readRequestFile(requestName(id), data); ok {
			return f, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return requestFile{}, internal(err, "read request %q", id)
	}
	if q.index != nil {
		q.index.remove(id) // another program removed it
	}
	return requestFile{}, q.noRequest(id)
}

func (q *requestQueue) noRequest(id string) error {
	return fault.New(fault.NotFound, "request %q was not found in request queue %q", id, q.id)
}

func (q *requestQueue) held(id string) error {
	return fault.New(fault.Forbidden, "request %q is locked by another client", id).
		WithHint("wait until the lock expires, or use the client key that took it")
}

// Info gives the queue's metadata and counts.
func (q *requestQueue) Info(ctx context.Context) (info store.Info, err error) {
	err = q.read(ctx, func() error {
		q.recount()
		info = q.info()
		return nil
	})
	return info, err
}

// identify checks a request from outside and gives its id.
func identify(r store.Request) (string, error) {
	if r.UniqueKey == "" {
		return "", fault.New(fault.InvalidRequest, "a request needs a uniqueKey")
	}
	id := r.ID
	if id == "" {
		id = store.RequestID(r.UniqueKey)
	}
	if !validRequestID(id) {
		return "", fault.New(fault.InvalidRequest, "%q cannot be the id of a request", id)
	}
	return id, nil
}

// Add adds the requests that are not there yet, all or none.
func (q *requestQueue) Add(ctx context.Context, reqs []store.Request, forefront bool, c store.Client) ([]store.Registration, error) {
	files := make([]requestFile, len(reqs))
	for i, r := range reqs {
		id, err := identify(r)
		if err != nil {
			return nil, err
		}
		var ok bool
		if files[i], ok = fileOf(r, id); !ok {
			return nil, fault.New(fault.InvalidRequest, "request %d of %d is not a JSON object", i+1, len(reqs))
		}
	}
	results := make([]store.Registration, len(reqs))
	err := q.change(ctx, c, func() error {
		fresh := make([]int, 0, len(files))
		changes := make([]change, 0, len(files))
		seen := map[string]bool{}
		for i, f := range files {
			results[i] = store.Registration{ID: f.ID, UniqueKey: f.UniqueKey}
			e := q.index.byID[f.ID]
			if e != nil || seen[f.ID] {
				results[i].WasAlreadyPresent = true
				results[i].WasAlreadyHandled = e != nil && e.state == handled
				continue
			}
			seen[f.ID] = true
			fresh = append(fresh, i)
			changes = append(changes, change{id: f.ID})
		}
		if len(fresh) == 0 {
			return nil
		}
		places := make([]ticks, len(fresh))
		for n := range fresh {
			if forefront {
				n = len(fresh) - 1 - n // so that the first comes first
			}
			places[n] = q.index.newPlace(forefront)
		}
		if err := q.announce(changes...); err != nil {
			return err
		}
		for n, i := range fresh {
			f := &files[i]
			if reqs[i].HandledAt == nil {
				f.setPlace(places[n])
			}
			if err := q.write(f); err != nil {
				for _, i := range fresh[:n] {
					os.Remove(q.path(requestName(files[i].ID)))
					q.index.remove(files[i].ID)
				}
				return err
			}
			e := entryOf(f)
			if e.state == locked {
				e.state, e.filed = ready, e.place // the clock was set back: a new request is nobody's
			}
			q.index.put(e, nil)
		}
		q.count(store.Stats{Writes: len(fresh)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Request gives a request.
func (q *requestQueue) Request(ctx context.Context, id string) (r store.Request, err error) {
	err = q.read(ctx, func() error {
		f, err := q.stored(id)
		if err == nil {
			r = f.request()
			q.count(store.Stats{Reads: 1})
		}
		return err
	})
	return r, err
}

// Update replaces or adds a request and ends its lock.
func (q *requestQueue) Update(ctx context.Context, req store.Request, forefront bool, c store.Client) (store.Registration, error) {
	id, err := identify(req)
	if err != nil {
		return store.Registration{}, err
	}
	f, ok := fileOf(req, id)
	if !ok {
		return store.Registration{}, fault.New(fault.InvalidRequest, "request %q is not a JSON object", id)
	}
	result := store.Registration{ID: id, UniqueKey: req.UniqueKey}
	err = q.change(ctx, c, func() error {
		if old := q.index.byID[id]; old != nil {
			result.WasAlreadyPresent = true
			result.WasAlreadyHandled = old.state == handled
		}
		if req.HandledAt == nil {
			f.setPlace(q.index.newPlace(forefront))
		}
		if err := q.announce(change{id: id}); err != nil {
			return err
		}
		if err := q.write(&f); err != nil {
			return err
		}
		e := entryOf(&f)
		if e.state == locked {
			e.state, e.filed = ready, e.place
		}
		q.index.put(e, nil)
		q.count(store.Stats{Writes: 1})
		return nil
	})
	if err != nil {
		return store.Registration{}, err
	}
	return result, nil
}

// DeleteRequest removes a request.
func (q *requestQueue) DeleteRequest(ctx context.Context, id string, c store.Client) error {
	return q.changeOne(ctx, id, c, func(e *entry) error {
		if e.state == locked && !e.heldBy(c) {
			return q.held(id)
		}
		if err := q.announce(change{id: id}); err != nil {
			return err
		}
		if err := os.Remove(q.path(requestName(id))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return internal(err, "delete request %q", id)
		}
		q.index.remove(id)
		q.count(store.Stats{Deletes: 1})
		return nil
	})
}

// changeOne is change for a request that must be there. A queue without it
// stays untouched.
func (q *requestQueue) changeOne(ctx context.Context, id string, c store.Client, f func(e *entry) error) error {
	err := q.read(ctx, func() error {
		if q.index.byID[id] == nil {
			q.meet(c)
			return q.noRequest(id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.change(ctx, c, func() error {
		e := q.index.byID[id]
		if e == nil {
			return q.noRequest(id)
		}
		return f(e)
	})
}

// Head lists unhandled requests in order: those that wait, then those that are
// locked.
func (q *requestQueue) Head(ctx context.Context, limit int, c store.Client) (head store.Head, err error) {
	err = q.read(ctx, func() error {
		q.meet(c)
		waiting := q.index.ready.first(limit)
		for _, e := range append(waiting, q.index.locked.first(limit-len(waiting))...) {
			item := e.headItem()
			if e.state == locked && e.heldBy(c) {
				item.LockExpiresAt = e.place.abs().time()
			}
			head.Items = append(head.Items, item)
		}
		q.count(store.Stats{HeadReads: len(head.Items)})
		q.describe(&head)
		return nil
	})
	return head, err
}

func (q *requestQueue) describe(head *store.Head) {
	head.ModifiedAt = q.meta.Info.ModifiedAt
	head.HadMultipleClients = q.meta.Info.HadMultipleClients
	head.HasLocked = len(q.index.locked) > 0
}

// Requests lists requests in the order of their ids. Pending ones are those not
// handled, locked or not.
func (q *requestQueue) Requests(ctx context.Context, exclusiveStartID string, limit int, f store.RequestsFilter) (page store.RequestsPage, err error) {
	err = q.read(ctx, func() error {
		defer func() { q.count(store.Stats{Reads: len(page.Items)}) }()
		for _, id := range q.index.after(exclusiveStartID) {
			e := q.index.byID[id]
			if e == nil || (f.Locked || f.Pending) && !(f.Locked && e.state == locked || f.Pending && e.state != handled) {
				continue
			}
			if limit > 0 && len(page.Items) == limit {
				page.NextID = page.Items[limit-1].ID
				return nil
			}
			if err := live(ctx); err != nil {
				return err
			}
			file, err := q.stored(id)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			page.Items = append(page.Items, file.request())
		}
		return nil
	})
	if err != nil {
		return store.RequestsPage{}, err
	}
	return page, nil
}
