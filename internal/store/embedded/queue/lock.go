package queue

import (
	"context"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// longestLock keeps the arithmetic of places from overflowing.
const longestLock = 50 * 365 * 24 * time.Hour

const headColumns = "id, unique_key, url, method, retry_count, num, place, client, run"

// row is an entry of the head with what only locks need.
type row struct {
	store.HeadItem
	num, place  int64
	client, run string
}

func (r row) heldBy(c store.Client) bool {
	return c.Key != "" && r.client == c.Key || c.RunID != "" && r.run == c.RunID
}

// rows is what a query gives, from a transaction or not.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

func collect(r rows, err error) (all []row, _ error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for r.Next() {
		var e row
		if err := r.Scan(&e.ID, &e.UniqueKey, &e.URL, &e.Method, &e.RetryCount, &e.num, &e.place, &e.client, &e.run); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, r.Err()
}

const (
	selectWaiting = "SELECT " + headColumns + " FROM request WHERE storage = ? AND place BETWEEN ? AND ? ORDER BY place LIMIT ?"
	// Two statements, so that each is one walk along the index.
	selectLockedFront = "SELECT " + headColumns + " FROM request WHERE storage = ? AND place < ? ORDER BY place LIMIT ?"
	selectLockedBack  = "SELECT " + headColumns + " FROM request WHERE storage = ? AND place > ? ORDER BY place LIMIT ?"
)

// Head lists unhandled requests in order: those that wait, then those that are
// locked.
func (q *Queue) Head(ctx context.Context, limit int, c store.Client) (head store.Head, err error) {
	if err := q.present(ctx); err != nil {
		return head, err
	}
	if err := q.meet(ctx, c); err != nil {
		return head, err
	}
	now := q.now()
	var all []row
	for _, part := range []struct {
		query string
		args  []any
	}{
		{selectWaiting, []any{q.key, -now, now}},
		{selectLockedFront, []any{q.key, -now}},
		{selectLockedBack, []any{q.key, now}},
	} {
		left := limit - len(all)
		if left <= 0 {
			break
		}
		more, err := collect(q.db.Query(ctx, part.query, append(part.args, left)...))
		if err != nil {
			return head, database.Failed(err, "read the head of %q", q.id)
		}
		all = append(all, more...)
	}
	seen := make(map[int64]bool, len(all))
	for _, r := range all {
		if seen[r.num] {
			continue // it was locked between two statements
		}
		seen[r.num] = true
		if r.heldBy(c) && (r.place > now || r.place < -now) {
			r.LockExpiresAt = q.time(r.place)
		}
		head.Items = append(head.Items, r.HeadItem)
	}
	q.use.ReadHead(len(head.Items))
	return head, q.describe(ctx, &head)
}

func (q *Queue) describe(ctx context.Context, head *store.Head) error {
	now := q.now()
	var modified int64
	err := q.db.Get(ctx, `SELECT modified_at, EXISTS (SELECT 1 FROM request WHERE storage = ? AND place > ?)
		OR EXISTS (SELECT 1 FROM request WHERE storage = ? AND place < ?) FROM storage WHERE key = ?`,
		[]any{q.key, now, q.key, -now, q.key}, &modified, &head.HasLocked)
	if err != nil {
		return database.Failed(err, "read the head of %q", q.id)
	}
	head.ModifiedAt, head.HadMultipleClients = time.Unix(0, modified).UTC(), q.Many()
	return nil
}

// Lock hands out requests that nobody holds.
func (q *Queue) Lock(ctx context.Context, limit int, d time.Duration, c store.Client) (head store.Head, err error) {
	if err := q.present(ctx); err != nil {
		return head, err
	}
	if err := q.meet(ctx, c); err != nil {
		return head, err
	}
	// Crawlers ask an empty queue again and again: that writes nothing.
	now := q.now()
	var waiting bool
	err = q.db.Get(ctx, "SELECT EXISTS (SELECT 1 FROM request WHERE storage = ? AND place BETWEEN ? AND ?)",
		[]any{q.key, -now, now}, &waiting)
	if err != nil {
		return head, database.Failed(err, "read the head of %q", q.id)
	}
	if waiting && limit > 0 {
		err = q.change(ctx, func(tx *database.Tx, now int64) (delta, error) {
			chosen, err := collect(tx.Query(selectWaiting, q.key, -now, now, limit))
			if err != nil {
				return delta{}, err
			}
			head.Items = nil
			for i, r := range chosen {
				// The nanoseconds keep them in order should they all expire; at
				// the front the latest comes first.
				expiry := now + int64(min(d, longestLock))
				r.LockExpiresAt = q.time(expiry)
				head.Items = append(head.Items, r.HeadItem)
				if r.place < 0 {
					expiry = -(expiry + int64(len(chosen)-i))
				} else {
					expiry += int64(i)
				}
				_, err := tx.Exec("UPDATE request SET before = place, place = ?, client = ?, run = ? WHERE num = ?",
					expiry, c.Key, c.RunID, r.num)
				if err != nil {
					return delta{}, err
				}
			}
			return delta{writes: len(chosen)}, nil
		})
		if err != nil {
			return store.Head{}, err
		}
		q.use.ReadHead(len(head.Items))
	}
	if err := q.describe(ctx, &head); err != nil {
		if len(head.Items) == 0 {
			return store.Head{}, err
		}
		// The locks are taken: their holder must learn of them.
		head.HadMultipleClients = q.Many()
	}
	head.HasLocked = head.HasLocked || len(head.Items) > 0
	return head, nil
}

// Prolong moves the expiry of a lock, or takes a lock nobody has.
func (q *Queue) Prolong(ctx context.Context, id string, d time.Duration, forefront bool, c store.Client) (expires time.Time, err error) {
	err = q.changeOne(ctx, id, c, func(tx *database.Tx, e entry, now int64) (delta, error) {
		switch {
		case e.handled:
			return delta{}, fault.New(fault.InvalidRequest, "request %q has been handled already", id).
				WithType("request-handled-or-locked")
		case e.locked && !e.mine:
			return delta{}, held(id)
		}
		before := e.place
		if e.locked {
			before = e.before
		}
		expiry := now + int64(min(d, longestLock))
		expires = q.time(expiry)
		if forefront {
			expiry = -expiry
		}
		_, err := tx.Exec("UPDATE request SET before = ?, place = ?, client = ?, run = ? WHERE num = ?",
			before, expiry, c.Key, c.RunID, e.num)
		return delta{writes: 1}, err
	})
	return expires, err
}

// Release gives up a lock; the request goes to the front or the back.
func (q *Queue) Release(ctx context.Context, id string, forefront bool, c store.Client) error {
	return q.changeOne(ctx, id, c, func(tx *database.Tx, e entry, now int64) (delta, error) {
		if !e.locked {
			return delta{}, errUnchanged
		}
		if !e.mine {
			return delta{}, held(id)
		}
		_, err := tx.Exec("UPDATE request SET before = 0, place = ?, client = '', run = '' WHERE num = ?",
			q.places(1, forefront)[0], e.num)
		return delta{writes: 1}, err
	})
}

// Unlock releases all locks of a client and its run; the requests go back to
// where they were.
func (q *Queue) Unlock(ctx context.Context, c store.Client) (n int, err error) {
	if err := q.present(ctx); err != nil {
		return 0, err
	}
	if c == (store.Client{}) {
		return 0, nil // nobody holds nothing
	}
	err = q.change(ctx, func(tx *database.Tx, now int64) (delta, error) {
		n = 0
		for _, side := range []struct {
			where string
			bound int64
		}{{"place > ?", now}, {"place < ?", -now}} {
			changed, err := tx.Exec(`UPDATE request SET place = before, before = 0, client = '', run = ''
				WHERE storage = ? AND `+side.where+` AND (? <> '' AND client = ? OR ? <> '' AND run = ?)`,
				q.key, side.bound, c.Key, c.Key, c.RunID, c.RunID)
			if err != nil {
				return delta{}, err
			}
			n += int(changed)
		}
		if n == 0 {
			return delta{}, errUnchanged
		}
		return delta{writes: n}, nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
