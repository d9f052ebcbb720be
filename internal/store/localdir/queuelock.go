package localdir

import (
	"context"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Lock hands out requests that nobody holds.
func (q *requestQueue) Lock(ctx context.Context, limit int, d time.Duration, c store.Client) (head store.Head, err error) {
	nothing := false
	err = q.read(ctx, func() error {
		// Crawlers ask an empty queue again and again: that writes nothing.
		if nothing = len(q.index.ready) == 0 || limit <= 0; nothing {
			q.meet(c)
			q.describe(&head)
		}
		return nil
	})
	if err != nil || nothing {
		return head, err
	}
	err = q.change(ctx, c, func() error {
		chosen := q.index.ready.first(limit)
		changes := make([]change, len(chosen))
		until := ticksOf(time.Now().Add(d))
		for i, e := range chosen {
			// The fraction keeps them in order should they all expire; at the
			// front the latest comes first.
			expiry := until + ticks(i)
			if e.place < 0 {
				expiry = -(until + ticks(len(chosen)-i))
			}
			changes[i] = change{e.id, c, expiry}
		}
		if err := q.announce(changes...); err != nil {
			return err
		}
		for i, e := range chosen {
			q.index.lock(e, changes[i])
			item := e.headItem()
			item.LockExpiresAt = changes[i].expiry.abs().time()
			head.Items = append(head.Items, item)
		}
		q.count(store.Stats{Writes: len(chosen), HeadReads: len(chosen)})
		q.describe(&head)
		return nil
	})
	if err != nil {
		return store.Head{}, err
	}
	return head, nil
}

// move ends a request's lock and gives it another place, on disk first.
func (q *requestQueue) move(e *entry, place ticks) error {
	f, err := q.stored(e.id)
	if err != nil {
		return err
	}
	f.setPlace(place)
	if err := q.write(&f); err != nil {
		return err
	}
	q.index.put(e, func() { e.state, e.place, e.filed, e.holder = ready, place, place, store.Client{} })
	return nil
}

// Prolong moves the expiry of a lock, or takes a lock nobody has.
func (q *requestQueue) Prolong(ctx context.Context, id string, d time.Duration, forefront bool, c store.Client) (expires time.Time, err error) {
	err = q.changeOne(ctx, id, c, func(e *entry) error {
		switch {
		case e.state == handled:
			return fault.New(fault.InvalidRequest, "request %q has been handled already", id).
				WithType("request-handled-or-locked")
		case e.state == locked && !e.heldBy(c):
			return q.held(id)
		}
		expiry := ticksOf(time.Now().Add(d))
		expires = expiry.time()
		if forefront {
			expiry = -expiry
		}
		lock := change{id, c, expiry}
		if err := q.announce(lock); err != nil {
			return err
		}
		q.index.lock(e, lock)
		q.count(store.Stats{Writes: 1})
		return nil
	})
	return expires, err
}

// Release gives up a lock; the request goes to the front or the back.
func (q *requestQueue) Release(ctx context.Context, id string, forefront bool, c store.Client) error {
	return q.changeOne(ctx, id, c, func(e *entry) error {
		if e.state != locked {
			return nil
		}
		if !e.heldBy(c) {
			return q.held(id)
		}
		if err := q.announce(change{id: id}); err != nil {
			return err
		}
		q.count(store.Stats{Writes: 1})
		return q.move(e, q.index.newPlace(forefront))
	})
}

// Unlock releases all locks of a client and its run; the requests go back to
// where they were.
func (q *requestQueue) Unlock(ctx context.Context, c store.Client) (n int, err error) {
	var mine []*entry
	pick := func() error {
		mine = mine[:0]
		for _, e := range q.index.locked {
			if e.heldBy(c) {
				mine = append(mine, e)
			}
		}
		return nil
	}
	if err := q.read(ctx, pick); err != nil || len(mine) == 0 {
		return 0, err
	}
	err = q.change(ctx, c, func() error {
		pick()
		q.count(store.Stats{Writes: len(mine)})
		changes := make([]change, len(mine))
		for i, e := range mine {
			// Where a lock ended before this one, that is its place.
			changes[i] = change{id: e.id, expiry: e.before}
		}
		if err := q.announce(changes...); err != nil {
			return err
		}
		for _, e := range mine {
			n++
			if e.before != 0 { // its file needs no change
				q.index.put(e, func() { e.state, e.place, e.holder = ready, e.before, store.Client{} })
				continue
			}
			err := q.move(e, q.index.newPlace(e.place < 0))
			if fault.Is(err, fault.NotFound) {
				n--
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
