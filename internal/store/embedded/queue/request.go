package queue

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// handledAt is a request's handling time as the database has it.
func handledAt(r store.Request) any {
	if r.HandledAt == nil {
		return nil
	}
	return r.HandledAt.UnixNano()
}

// insert adds a request that is not there yet; it gives what that adds to the
// handled ones.
func (q *Queue) insert(tx *database.Tx, r store.Request, place int64) (handled int, err error) {
	var at any = place
	if r.HandledAt != nil {
		at, handled = nil, 1
	}
	_, err = tx.Exec(`INSERT INTO request (storage, id, place, unique_key, url, method, retry_count, handled_at, json)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		q.key, r.ID, at, r.UniqueKey, r.URL, r.Method, r.RetryCount, handledAt(r), []byte(r.JSON))
	return handled, err
}

// Add adds the requests that are not there yet, all or none.
func (q *Queue) Add(ctx context.Context, reqs []store.Request, forefront bool, c store.Client) ([]store.Registration, error) {
	whole := make([]store.Request, len(reqs))
	for i, r := range reqs {
		var err error
		if whole[i], err = complete(r); err != nil {
			return nil, err
		}
	}
	if err := q.meet(ctx, c); err != nil {
		return nil, err
	}
	results := make([]store.Registration, len(reqs))
	err := q.change(ctx, func(tx *database.Tx, now int64) (d delta, err error) {
		fresh := make([]int, 0, len(reqs))
		seen := make(map[string]bool, len(reqs))
		for i, r := range whole {
			results[i] = store.Registration{ID: r.ID, UniqueKey: r.UniqueKey}
			if seen[r.ID] {
				results[i].WasAlreadyPresent = true
				continue
			}
			err := tx.Get("SELECT handled_at IS NOT NULL FROM request WHERE storage = ? AND id = ?",
				[]any{q.key, r.ID}, &results[i].WasAlreadyHandled)
			switch {
			case err == nil:
				results[i].WasAlreadyPresent = true
			case errors.Is(err, sql.ErrNoRows):
				seen[r.ID] = true
				fresh = append(fresh, i)
			default:
				return d, err
			}
		}
		if len(fresh) == 0 {
			return d, errUnchanged
		}
		places := q.places(len(fresh), forefront)
		for n, i := range fresh {
			h, err := q.insert(tx, whole[i], places[n])
			if err != nil {
				return d, err
			}
			d.handled += h
			d.bytes += len(whole[i].JSON)
		}
		d.total, d.writes = len(fresh), len(fresh)
		return d, nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

const requestColumns = "id, unique_key, url, method, retry_count, handled_at, json"

func scanRequest(scan func(dest ...any) error) (r store.Request, err error) {
	var at sql.NullInt64
	var text []byte
	err = scan(&r.ID, &r.UniqueKey, &r.URL, &r.Method, &r.RetryCount, &at, &text)
	r.JSON = text
	if at.Valid {
		t := time.Unix(0, at.Int64).UTC()
		r.HandledAt = &t
	}
	return r, err
}

// Request gives a request.
func (q *Queue) Request(ctx context.Context, id string) (store.Request, error) {
	if err := q.present(ctx); err != nil {
		return store.Request{}, err
	}
	r, err := scanRequest(func(dest ...any) error {
		return q.db.Get(ctx, "SELECT "+requestColumns+" FROM request WHERE storage = ? AND id = ?", []any{q.key, id}, dest...)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Request{}, q.noRequest(id)
	case err != nil:
		return store.Request{}, database.Failed(err, "read request %q", id)
	}
	q.use.Read(1)
	return r, nil
}

// Update replaces or adds a request and ends its lock.
func (q *Queue) Update(ctx context.Context, req store.Request, forefront bool, c store.Client) (store.Registration, error) {
	req, err := complete(req)
	if err != nil {
		return store.Registration{}, err
	}
	if err := q.meet(ctx, c); err != nil {
		return store.Registration{}, err
	}
	var result store.Registration
	err = q.change(ctx, func(tx *database.Tx, now int64) (d delta, err error) {
		d = delta{bytes: len(req.JSON), writes: 1}
		result = store.Registration{ID: req.ID, UniqueKey: req.UniqueKey}
		var num int64
		var size int
		err = tx.Get("SELECT num, handled_at IS NOT NULL, length(json) FROM request WHERE storage = ? AND id = ?",
			[]any{q.key, req.ID}, &num, &result.WasAlreadyHandled, &size)
		var place any
		if req.HandledAt == nil {
			place = q.places(1, forefront)[0]
		}
		switch {
		case errors.Is(err, sql.ErrNoRows):
			at, _ := place.(int64)
			d.total = 1
			d.handled, err = q.insert(tx, req, at)
			return d, err
		case err != nil:
			return d, err
		}
		d.bytes -= size
		result.WasAlreadyPresent = true
		if result.WasAlreadyHandled {
			d.handled--
		}
		if req.HandledAt != nil {
			d.handled++
		}
		_, err = tx.Exec(`UPDATE request SET place = ?, before = 0, client = '', run = '', unique_key = ?, url = ?,
			method = ?, retry_count = ?, handled_at = ?, json = ? WHERE num = ?`,
			place, req.UniqueKey, req.URL, req.Method, req.RetryCount, handledAt(req), []byte(req.JSON), num)
		return d, err
	})
	if err != nil {
		return store.Registration{}, err
	}
	return result, nil
}

// entry is what locks need to know of a request.
type entry struct {
	num     int64
	size    int // of its JSON
	place   int64
	before  int64
	handled bool
	locked  bool
	mine    bool // locked by the caller
}

// one reads an entry that must be there.
func (q *Queue) one(tx *database.Tx, id string, now int64, c store.Client) (e entry, err error) {
	var place sql.NullInt64
	var client, run string
	err = tx.Get("SELECT num, length(json), place, before, client, run FROM request WHERE storage = ? AND id = ?",
		[]any{q.key, id}, &e.num, &e.size, &place, &e.before, &client, &run)
	if errors.Is(err, sql.ErrNoRows) {
		return e, q.noRequest(id)
	}
	e.handled, e.place = !place.Valid, place.Int64
	e.locked = !e.handled && (e.place > now || e.place < -now)
	e.mine = e.locked && (c.Key != "" && client == c.Key || c.RunID != "" && run == c.RunID)
	return e, err
}

// changeOne is change for one request that must be there. One that is not
// leaves the queue untouched.
func (q *Queue) changeOne(ctx context.Context, id string, c store.Client, f func(tx *database.Tx, e entry, now int64) (delta, error)) error {
	if err := q.present(ctx); err != nil {
		return err
	}
	if err := q.meet(ctx, c); err != nil {
		return err
	}
	return q.change(ctx, func(tx *database.Tx, now int64) (delta, error) {
		e, err := q.one(tx, id, now, c)
		if err != nil {
			return delta{}, err
		}
		return f(tx, e, now)
	})
}

// DeleteRequest removes a request.
func (q *Queue) DeleteRequest(ctx context.Context, id string, c store.Client) error {
	err := q.changeOne(ctx, id, c, func(tx *database.Tx, e entry, now int64) (delta, error) {
		if e.locked && !e.mine {
			return delta{}, held(id)
		}
		d := delta{total: -1, bytes: -e.size}
		if e.handled {
			d.handled = -1
		}
		_, err := tx.Exec("DELETE FROM request WHERE num = ?", e.num)
		return d, err
	})
	if err == nil {
		q.use.Delete(1)
	}
	return err
}

// Requests lists requests in the order of their ids. Pending ones are those not
// handled, locked or not.
func (q *Queue) Requests(ctx context.Context, exclusiveStartID string, limit int, f store.RequestsFilter) (page store.RequestsPage, err error) {
	if err := q.present(ctx); err != nil {
		return page, err
	}
	now := q.now()
	query := "SELECT " + requestColumns + " FROM request WHERE storage = ? AND id > ?"
	args := []any{q.key, exclusiveStartID}
	switch {
	case f.Pending:
		query += " AND place IS NOT NULL"
	case f.Locked:
		// There are few, and the index of places has them together.
		query = "SELECT " + requestColumns + ` FROM request WHERE num IN (
			SELECT num FROM request WHERE storage = ? AND place > ?
			UNION ALL SELECT num FROM request WHERE storage = ? AND place < ?) AND id > ?`
		args = []any{q.key, now, q.key, -now, exclusiveStartID}
	}
	query += " ORDER BY id LIMIT ?"
	most := -1
	if limit > 0 {
		most = limit + 1
	}
	rows, err := q.db.Query(ctx, query, append(args, most)...)
	if err != nil {
		return page, database.Failed(err, "list the requests of %q", q.id)
	}
	defer rows.Close()
	defer func() { q.use.Read(len(page.Items)) }()
	for rows.Next() {
		if limit > 0 && len(page.Items) == limit {
			page.NextID = page.Items[limit-1].ID
			return page, nil
		}
		r, err := scanRequest(rows.Scan)
		if err != nil {
			return store.RequestsPage{}, database.Failed(err, "list the requests of %q", q.id)
		}
		page.Items = append(page.Items, r)
	}
	if err := rows.Err(); err != nil {
		return store.RequestsPage{}, database.Failed(err, "list the requests of %q", q.id)
	}
	return page, nil
}
