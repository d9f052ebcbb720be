package embedded

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/access"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// storage is what the three kinds have in common. There is one for each that
// was asked for.
type storage struct {
	root   *Root
	kind   kind
	key    int64
	id     string
	forget func()

	// gate keeps files of a storage from being written to while it is deleted.
	gate    sync.RWMutex
	deleted bool

	use *access.Use

	mu     sync.Mutex
	schema json.RawMessage
}

// ID gives the storage's id.
func (s *storage) ID() string { return s.id }

func (s *storage) missing() error {
	return fault.New(fault.NotFound, "%s %q was not found", s.kind, s.id)
}

// row reads the storage's metadata, which counts as a use.
func (s *storage) row(ctx context.Context) (stored, error) {
	found, err := s.look(ctx)
	if err != nil {
		return stored{}, database.Failed(err, "read %s %q", s.kind, s.id)
	}
	s.use.Touch()
	s.use.Complete(&found.info)
	return found, nil
}

// look reads the storage's metadata, and nobody notices.
func (s *storage) look(ctx context.Context) (stored, error) {
	if err := database.Live(ctx); err != nil {
		return stored{}, err
	}
	found, err := scanStorage(func(dest ...any) error {
		return s.root.db.Get(ctx, "SELECT "+storageColumns+" FROM storage WHERE key = ? AND deleted = 0", []any{s.key}, dest...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return stored{}, s.missing()
	}
	return found, err
}

// Info gives the storage's metadata.
func (s *storage) Info(ctx context.Context) (store.Info, error) {
	found, err := s.row(ctx)
	return found.info, err
}

// present fails for a storage that was deleted.
func (s *storage) present() error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.deleted {
		return s.missing()
	}
	return nil
}

// write changes what the storage holds, in one transaction with its times.
func (s *storage) write(ctx context.Context, change func(tx *database.Tx, now int64) error) error {
	return s.root.db.Write(ctx, func(tx *database.Tx) error {
		now := time.Now().UnixNano()
		n, err := tx.Exec("UPDATE storage SET modified_at = ?, accessed_at = ? WHERE key = ? AND deleted = 0", now, now, s.key)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.missing()
		}
		return change(tx, now)
	})
}

// Schema gives the storage's schema.
func (s *storage) Schema() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.schema
}

// SetSchema replaces the schema. Nothing is written when it is the same.
func (s *storage) SetSchema(ctx context.Context, schema json.RawMessage) error {
	schema, err := store.CompactSchema(schema)
	if err != nil {
		return err
	}
	if err := database.Live(ctx); err != nil {
		return err
	}
	// Held until it is written, so that memory ends up with the last one.
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Equal(s.schema, schema) {
		return s.present()
	}
	err = s.root.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("UPDATE storage SET schema = ? WHERE key = ? AND deleted = 0", []byte(schema), s.key)
		if err == nil && n == 0 {
			return s.missing()
		}
		return err
	})
	if err != nil {
		return database.Failed(err, "give %s %q a schema", s.kind, s.id)
	}
	s.schema = schema
	return nil
}

// SetAccess gives the storage a general access.
func (s *storage) SetAccess(ctx context.Context, access string) error {
	err := s.write(ctx, func(tx *database.Tx, _ int64) error {
		_, err := tx.Exec("UPDATE storage SET access = ? WHERE key = ?", access, s.key)
		return err
	})
	return database.Failed(err, "change the access to %s %q", s.kind, s.id)
}

// Rename gives the storage a name, or takes it away.
func (s *storage) Rename(ctx context.Context, name string) error {
	if name != "" && !store.ValidName(name) {
		return store.InvalidName(name)
	}
	folded := strings.ToLower(name)
	err := s.write(ctx, func(tx *database.Tx, _ int64) error {
		var other int64
		err := tx.Get("SELECT key FROM storage WHERE kind = ? AND folded = ? AND folded <> '' AND deleted = 0", []any{string(s.kind), folded}, &other)
		switch {
		case err == nil && other != s.key:
			return fault.New(fault.Conflict, "there is a %s named %q already", s.kind, name)
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		}
		_, err = tx.Exec("UPDATE storage SET name = ?, folded = ? WHERE key = ?", name, folded, s.key)
		return err
	})
	return database.Failed(err, "rename %s %q", s.kind, s.id)
}

// Delete removes the storage. It is gone at once; what it held is cleared away
// behind that, also when the process dies meanwhile.
func (s *storage) Delete(ctx context.Context) error {
	s.gate.Lock()
	defer s.gate.Unlock()
	removed, err := s.remove(ctx, "")
	if err == nil && !removed {
		err = s.missing()
	}
	return database.Failed(err, "delete %s %q", s.kind, s.id)
}

// remove deletes the storage when a condition holds. The caller has the gate.
func (s *storage) remove(ctx context.Context, condition string, args ...any) (removed bool, err error) {
	err = s.root.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec("UPDATE storage SET deleted = 1, name = '', folded = '' WHERE key = ? AND deleted = 0"+condition,
			append([]any{s.key}, args...)...)
		removed = n > 0
		return err
	})
	if err != nil || !removed {
		return false, err
	}
	s.deleted = true
	s.forget()
	s.root.reaper.wake()
	return true, nil
}
