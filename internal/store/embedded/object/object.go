// Package object keeps API objects as JSON texts in the database, with what they
// are found by.
package object

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/keyed"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Table has the objects of all kinds.
type Table struct {
	db    *database.DB
	mu    sync.Mutex
	kinds map[string]*Objects
}

// New gives the objects in a database.
func New(db *database.DB) *Table { return &Table{db: db, kinds: map[string]*Objects{}} }

// Of gives the objects of a kind, which is also the word for one of them.
func (t *Table) Of(kind string) *Objects {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.kinds[kind]
	if o == nil {
		o = &Objects{db: t.db, kind: kind}
		t.kinds[kind] = o
	}
	return o
}

// Objects are the objects of one kind.
type Objects struct {
	db    *database.DB
	kind  string
	locks keyed.Locks
}

var _ store.Objects = (*Objects)(nil)

func (r *Objects) missing(id string) error {
	return fault.New(fault.NotFound, "%s %q was not found", r.kind, id)
}

func (r *Objects) taken(text string) error {
	return fault.New(fault.Conflict, "there is a %s %q already", r.kind, text)
}

// columns gives what an object's index is in the table.
func columns(i store.Index) (unique any, at int64, fields string, err error) {
	if i.Unique != "" {
		unique = i.Unique
	}
	if !i.At.IsZero() {
		at = i.At.UnixNano()
	}
	set := map[string]string{}
	for name, value := range i.Fields {
		if value != "" {
			set[name] = value
		}
	}
	text, err := json.Marshal(set) // sorted, so that equal ones are equal texts
	return unique, at, string(text), err
}

// Create stores a new object.
func (r *Objects) Create(ctx context.Context, o store.Object) error {
	if !database.ValidID(o.ID) {
		return fault.New(fault.InvalidRequest, "%q cannot be the id of a %s", o.ID, r.kind)
	}
	unique, at, fields, err := columns(o.Index)
	if err != nil {
		return database.Failed(err, "write %s %q", r.kind, o.ID)
	}
	err = r.db.Write(ctx, func(tx *database.Tx) error {
		var there bool
		if err := tx.Get("SELECT EXISTS (SELECT 1 FROM object WHERE kind = ? AND id = ?)", []any{r.kind, o.ID}, &there); err != nil {
			return err
		}
		if there {
			return r.taken(o.ID)
		}
		if err := r.free(tx, unique, 0); err != nil {
			return err
		}
		num, err := tx.Insert("INSERT INTO object (kind, id, value, uniq, at, fields) VALUES (?, ?, ?, ?, ?, ?)",
			r.kind, o.ID, []byte(o.JSON), unique, at, fields)
		if err != nil {
			return err
		}
		return r.index(tx, num, "{}", fields)
	})
	return database.Failed(err, "write %s %q", r.kind, o.ID)
}

// free makes sure that no object but num has the unique text.
func (r *Objects) free(tx *database.Tx, unique any, num int64) error {
	if unique == nil {
		return nil
	}
	var there bool
	err := tx.Get("SELECT EXISTS (SELECT 1 FROM object WHERE kind = ? AND uniq = ? AND num <> ?)", []any{r.kind, unique, num}, &there)
	if err == nil && there {
		return r.taken(unique.(string))
	}
	return err
}

// index changes the fields of an object from before to after.
func (r *Objects) index(tx *database.Tx, num int64, before, after string) error {
	if before == after {
		return nil
	}
	var old, now map[string]string
	if err := errors.Join(json.Unmarshal([]byte(before), &old), json.Unmarshal([]byte(after), &now)); err != nil {
		return err
	}
	same := func(name, value string) bool { return old[name] == value && now[name] == value }
	for name, value := range old {
		if same(name, value) {
			continue
		}
		if _, err := tx.Exec("DELETE FROM object_field WHERE kind = ? AND name = ? AND value = ? AND num = ?", r.kind, name, value, num); err != nil {
			return err
		}
	}
	for name, value := range now {
		if same(name, value) {
			continue
		}
		if _, err := tx.Exec("INSERT INTO object_field (kind, name, value, num) VALUES (?, ?, ?, ?)", r.kind, name, value, num); err != nil {
			return err
		}
	}
	return nil
}

// Get reads an object.
func (r *Objects) Get(ctx context.Context, id string) (json.RawMessage, error) {
	if err := database.Live(ctx); err != nil {
		return nil, err
	}
	var text []byte
	err := r.db.Get(ctx, "SELECT value FROM object WHERE kind = ? AND id = ?", []any{r.kind, id}, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, r.missing(id)
	}
	return text, database.Failed(err, "read %s %q", r.kind, id)
}

// Update changes an object; no other update comes between. The change runs
// outside of the database's writer, so it may use the store.
func (r *Objects) Update(ctx context.Context, id string, change func(json.RawMessage) (store.Object, error)) error {
	defer r.locks.Lock(id)()
	text, err := r.Get(ctx, id)
	if err != nil {
		return err
	}
	o, err := change(text)
	if err != nil {
		return err
	}
	unique, at, fields, err := columns(o.Index)
	if err != nil {
		return database.Failed(err, "write %s %q", r.kind, id)
	}
	err = r.db.Write(ctx, func(tx *database.Tx) error {
		var num int64
		var before string
		err := tx.Get("SELECT num, fields FROM object WHERE kind = ? AND id = ?", []any{r.kind, id}, &num, &before)
		if errors.Is(err, sql.ErrNoRows) {
			return r.missing(id)
		}
		if err != nil {
			return err
		}
		if err := r.free(tx, unique, num); err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE object SET value = ?, uniq = ?, at = ?, fields = ? WHERE num = ?", []byte(o.JSON), unique, at, fields, num)
		if err != nil {
			return err
		}
		return r.index(tx, num, before, fields)
	})
	return database.Failed(err, "write %s %q", r.kind, id)
}

// Delete removes an object.
func (r *Objects) Delete(ctx context.Context, id string) error {
	defer r.locks.Lock(id)()
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		var num int64
		err := tx.Get("SELECT num FROM object WHERE kind = ? AND id = ?", []any{r.kind, id}, &num)
		if errors.Is(err, sql.ErrNoRows) {
			return r.missing(id)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM object_field WHERE num = ?", num); err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM object WHERE num = ?", num)
		return err
	})
	return database.Failed(err, "delete %s %q", r.kind, id)
}

// Find gives the objects that a query selects. One connection answers both
// questions; an object that comes or goes between them is counted or not.
func (r *Objects) Find(ctx context.Context, q store.Query) (page store.Page[json.RawMessage], err error) {
	if err := database.Live(ctx); err != nil {
		return page, err
	}
	for _, values := range q.Where {
		if len(values) == 0 {
			return page, nil
		}
	}
	from, args := r.selection(q)
	if err := r.db.Get(ctx, "SELECT count(*)"+from, args, &page.Total); err != nil {
		return page, database.Failed(err, "list the %ss", r.kind)
	}
	num, order := "o.num", ""
	if strings.HasPrefix(from, byField) {
		num = "f.num" // which the index is in the order of
	}
	if q.Desc {
		order = " DESC"
	}
	limit := -1
	if q.Limit > 0 {
		limit = q.Limit
	}
	// The texts are read last: what has to be put in order first are numbers.
	texts, err := database.All[[]byte](ctx, r.db, "SELECT value FROM object WHERE num IN (SELECT "+num+from+
		" ORDER BY "+num+order+" LIMIT ? OFFSET ?) ORDER BY num"+order,
		append(slices.Clone(args), limit, max(q.Offset, 0))...)
	for _, text := range texts {
		page.Items = append(page.Items, text)
	}
	return page, database.Failed(err, "list the %ss", r.kind)
}

// byField begins the selections that go by the index of fields.
const byField = " FROM object_field f"

// selection gives the rest of a SELECT of objects' numbers after its columns. The
// index of one field that has one value gives the objects in their order already,
// so that a page is read without the rest. That of a field with several values
// gives those that have one of them, which are then put in order: there may be
// few, and looking through all objects for them would cost all.
func (r *Objects) selection(q store.Query) (from string, args []any) {
	where := maps.Clone(q.Where)
	table, join, clause, num := " FROM object o", "", " WHERE o.kind = ?", "o.num"
	args = []any{r.kind}
	for _, name := range []string{store.ByTask, store.BySchedule, store.ByBuild, store.ByActor, store.ByStatus, store.ByOrigin} {
		if values := where[name]; len(values) == 1 {
			table, join, num = byField, " CROSS JOIN object o ON o.num = f.num", "f.num"
			clause, args = " WHERE f.kind = ? AND f.name = ? AND f.value = ?", []any{r.kind, name, values[0]}
			delete(where, name)
			break
		}
	}
	if values := where[store.ByStatus]; table != byField && len(values) > 1 {
		table, join, num = byField, " CROSS JOIN object o ON o.num = f.num", "f.num"
		clause = " WHERE f.kind = ? AND f.name = ? AND f.value IN (?" + strings.Repeat(", ?", len(values)-1) + ")"
		args = []any{r.kind, store.ByStatus}
		for _, value := range values {
			args = append(args, value)
		}
		delete(where, store.ByStatus)
	}
	for _, name := range slices.Sorted(maps.Keys(where)) {
		clause += " AND EXISTS (SELECT 1 FROM object_field g WHERE g.kind = ? AND g.name = ? AND g.num = " + num +
			" AND g.value IN (?" + strings.Repeat(", ?", len(where[name])-1) + "))"
		args = append(args, r.kind, name)
		for _, value := range where[name] {
			args = append(args, value)
		}
	}
	ofObject := ""
	if q.Unique != "" {
		ofObject += " AND o.uniq = ?"
		args = append(args, q.Unique)
	}
	if !q.After.IsZero() {
		ofObject += " AND o.at >= ?"
		args = append(args, q.After.UnixNano())
	}
	if !q.Before.IsZero() {
		ofObject += " AND o.at <= ?"
		args = append(args, q.Before.UnixNano())
	}
	if ofObject == "" {
		return table + clause, args
	}
	return table + join + clause + ofObject, args
}
