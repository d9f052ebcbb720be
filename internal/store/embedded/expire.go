package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/access"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Expire deletes the unnamed storages that nobody has read or written since the
// moment, but for those whose ids keep wants, and counts them. One that is given
// a name or used while this goes on stays. What is deleted is gone at once, as
// with Delete; an error leaves the rest for the next time.
func (r *Root) Expire(ctx context.Context, unused time.Time, keep func(id string) bool) (int, error) {
	// A read is not written down while the last one is as young as this.
	unused = unused.Add(-access.Precision)
	total := 0
	for _, expire := range []func(context.Context, time.Time, func(string) bool) (int, error){
		r.datasets.expire, r.values.expire, r.queues.expire,
	} {
		n, err := expire(ctx, unused, keep)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (c *collection[S]) expire(ctx context.Context, unused time.Time, keep func(id string) bool) (n int, err error) {
	if err := database.Live(ctx); err != nil {
		return 0, err
	}
	failed := func(err error) (int, error) { return n, database.Failed(err, "find the %ss that have expired", c.kind) }
	// What was created later cannot be meant; that bound is in an index.
	rows, err := c.root.db.Query(ctx, "SELECT "+storageColumns+` FROM storage
		WHERE kind = ?1 AND deleted = 0 AND created_at <= ?2 AND name = '' AND modified_at <= ?2 AND accessed_at <= ?2`,
		string(c.kind), unused.UnixNano())
	if err != nil {
		return failed(err)
	}
	var found []stored
	for rows.Next() {
		s, err := scanStorage(rows.Scan)
		if err != nil {
			rows.Close()
			return failed(err)
		}
		if !keep(s.info.ID) {
			found = append(found, s)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return failed(err)
	}
	for _, f := range found {
		s, err := c.keep(ctx, f)
		if err != nil {
			return failed(err)
		}
		expired, err := any(s).(interface {
			expire(context.Context, time.Time) (bool, error)
		}).expire(ctx, unused)
		if err != nil {
			return failed(err)
		}
		if expired {
			n++
		}
	}
	return n, nil
}

// expire deletes the storage, unless it has a name or was used after the moment.
func (s *storage) expire(ctx context.Context, unused time.Time) (expired bool, err error) {
	s.gate.Lock() // nothing is appended meanwhile
	defer s.gate.Unlock()
	found, err := s.look(ctx)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// What the database does not know yet counts as well.
	s.use.Complete(&found.info)
	if s.kind == datasets {
		if err := s.root.items.Complete(ctx, found.key, found.items.Valid, &found.info); err != nil {
			return false, err
		}
	}
	if found.info.AccessedAt.After(unused) || found.info.ModifiedAt.After(unused) {
		return false, nil
	}
	return s.remove(ctx, " AND name = '' AND modified_at <= ? AND accessed_at <= ?", unused.UnixNano(), unused.UnixNano())
}
