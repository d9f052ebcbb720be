package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// records keeps one JSON text per record in the database.
type records[T any] struct {
	db    *database.DB
	kind  string
	locks keyed
}

func (r *records[T]) missing(id string) error {
	return fault.New(fault.NotFound, "%s %q was not found", r.kind, id)
}

// Create stores a new record.
func (r *records[T]) Create(ctx context.Context, id string, v T) error {
	if !validID(id) {
		return fault.New(fault.InvalidRequest, "%q cannot be the id of a %s", id, r.kind)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return internal(err, "write %s %q", r.kind, id)
	}
	err = r.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("INSERT OR IGNORE INTO object (kind, id, value) VALUES (?, ?, ?)", r.kind, id, text)
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "there is a %s %q already", r.kind, id)
		}
		return err
	})
	return internal(err, "write %s %q", r.kind, id)
}

// Get reads a record.
func (r *records[T]) Get(ctx context.Context, id string) (v T, err error) {
	if err := live(ctx); err != nil {
		return v, err
	}
	var text []byte
	err = r.db.Get(ctx, "SELECT value FROM object WHERE kind = ? AND id = ?", []any{r.kind, id}, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return v, r.missing(id)
	}
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	return v, internal(err, "read %s %q", r.kind, id)
}

// Update changes a record; no other update comes between. The change runs
// outside of the database's writer, so it may use the store.
func (r *records[T]) Update(ctx context.Context, id string, change func(*T) error) (T, error) {
	var none T
	defer r.locks.lock(id)()
	v, err := r.Get(ctx, id)
	if err != nil {
		return none, err
	}
	if err := change(&v); err != nil {
		return none, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return none, internal(err, "write %s %q", r.kind, id)
	}
	err = r.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("UPDATE object SET value = ? WHERE kind = ? AND id = ?", text, r.kind, id)
		if err == nil && n == 0 {
			return r.missing(id)
		}
		return err
	})
	if err != nil {
		return none, internal(err, "write %s %q", r.kind, id)
	}
	return v, nil
}

// Delete removes a record.
func (r *records[T]) Delete(ctx context.Context, id string) error {
	defer r.locks.lock(id)()
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("DELETE FROM object WHERE kind = ? AND id = ?", r.kind, id)
		if err == nil && n == 0 {
			return r.missing(id)
		}
		return err
	})
	return internal(err, "delete %s %q", r.kind, id)
}

// List gives all records in the order of their creation.
func (r *records[T]) List(ctx context.Context) ([]T, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	rows, err := r.db.Query(ctx, "SELECT value FROM object WHERE kind = ? ORDER BY num", r.kind)
	if err != nil {
		return nil, internal(err, "list the %ss", r.kind)
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		var text []byte
		var v T
		err := rows.Scan(&text)
		if err == nil {
			err = json.Unmarshal(text, &v)
		}
		if err != nil {
			return nil, internal(err, "list the %ss", r.kind)
		}
		all = append(all, v)
	}
	return all, internal(rows.Err(), "list the %ss", r.kind)
}

// keyed is a lock per name.
type keyed struct {
	mu    sync.Mutex
	locks map[string]*keyedLock
}

type keyedLock struct {
	sync.Mutex
	users int
}

// lock waits for the lock of a name and gives what unlocks it.
func (k *keyed) lock(name string) (unlock func()) {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*keyedLock{}
	}
	l := k.locks[name]
	if l == nil {
		l = &keyedLock{}
		k.locks[name] = l
	}
	l.users++
	k.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(k.locks, name)
		}
	}
}
