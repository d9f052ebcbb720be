// Package object keeps API objects as JSON texts in the database.
package object

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/keyed"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Records are the objects of one kind. It is a store.Records.
type Records[T any] struct {
	db    *database.DB
	kind  string
	locks keyed.Locks
}

var _ store.Records[int] = (*Records[int])(nil)

// New gives the objects of a kind, which is also the word for one of them.
func New[T any](db *database.DB, kind string) *Records[T] { return &Records[T]{db: db, kind: kind} }

func (r *Records[T]) missing(id string) error {
	return fault.New(fault.NotFound, "%s %q was not found", r.kind, id)
}

// Create stores a new record.
func (r *Records[T]) Create(ctx context.Context, id string, v T) error {
	if !database.ValidID(id) {
		return fault.New(fault.InvalidRequest, "%q cannot be the id of a %s", id, r.kind)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return database.Failed(err, "write %s %q", r.kind, id)
	}
	err = r.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("INSERT OR IGNORE INTO object (kind, id, value) VALUES (?, ?, ?)", r.kind, id, text)
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "there is a %s %q already", r.kind, id)
		}
		return err
	})
	return database.Failed(err, "write %s %q", r.kind, id)
}

// Get reads a record.
func (r *Records[T]) Get(ctx context.Context, id string) (v T, err error) {
	if err := database.Live(ctx); err != nil {
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
	return v, database.Failed(err, "read %s %q", r.kind, id)
}

// Update changes a record; no other update comes between. The change runs
// outside of the database's writer, so it may use the store.
func (r *Records[T]) Update(ctx context.Context, id string, change func(*T) error) (T, error) {
	var none T
	defer r.locks.Lock(id)()
	v, err := r.Get(ctx, id)
	if err != nil {
		return none, err
	}
	if err := change(&v); err != nil {
		return none, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return none, database.Failed(err, "write %s %q", r.kind, id)
	}
	err = r.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("UPDATE object SET value = ? WHERE kind = ? AND id = ?", text, r.kind, id)
		if err == nil && n == 0 {
			return r.missing(id)
		}
		return err
	})
	if err != nil {
		return none, database.Failed(err, "write %s %q", r.kind, id)
	}
	return v, nil
}

// Delete removes a record.
func (r *Records[T]) Delete(ctx context.Context, id string) error {
	defer r.locks.Lock(id)()
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("DELETE FROM object WHERE kind = ? AND id = ?", r.kind, id)
		if err == nil && n == 0 {
			return r.missing(id)
		}
		return err
	})
	return database.Failed(err, "delete %s %q", r.kind, id)
}

// List gives all records in the order of their creation.
func (r *Records[T]) List(ctx context.Context) ([]T, error) {
	if err := database.Live(ctx); err != nil {
		return nil, err
	}
	rows, err := r.db.Query(ctx, "SELECT value FROM object WHERE kind = ? ORDER BY num", r.kind)
	if err != nil {
		return nil, database.Failed(err, "list the %ss", r.kind)
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
			return nil, database.Failed(err, "list the %ss", r.kind)
		}
		all = append(all, v)
	}
	return all, database.Failed(rows.Err(), "list the %ss", r.kind)
}
