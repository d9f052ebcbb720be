package localdir

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// objects keeps one JSON file per record of a kind. A project has few of them:
// finding some looks at all.
type objects struct {
	root   *Root
	folder string
	noun   string

	mu     sync.Mutex
	locked fileLock
}

var _ store.Objects = (*objects)(nil)

func (r *Root) objectsOf(kind string) *objects {
	if o, ok := r.objects.Load(kind); ok {
		return o.(*objects)
	}
	o, _ := r.objects.LoadOrStore(kind, &objects{root: r, folder: kind + "s", noun: kind})
	return o.(*objects)
}

// row is the file of a record. The time orders listings: neither the file
// system's dates nor the ids say in which order records were created.
type row struct {
	Created time.Time         `json:"created"`
	Unique  string            `json:"unique,omitempty"`
	At      *time.Time        `json:"at,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
	Value   json.RawMessage   `json:"value"`
}

func newRow(created time.Time, o store.Object) row {
	v := row{Created: created, Unique: o.Unique, Fields: o.Fields, Value: o.JSON}
	if !o.At.IsZero() {
		v.At = &o.At
	}
	return v
}

// selected reports whether a query selects the record.
func (v row) selected(q store.Query) bool {
	if q.Unique != "" && v.Unique != q.Unique {
		return false
	}
	var at time.Time
	if v.At != nil {
		at = *v.At
	}
	if !q.After.IsZero() && at.Before(q.After) || !q.Before.IsZero() && at.After(q.Before) {
		return false
	}
	for field, values := range q.Where {
		if value := v.Fields[field]; value == "" || !slices.Contains(values, value) {
			return false
		}
	}
	return true
}

func (r *objects) path(id string) string {
	return r.root.path(privateFolder, r.folder, id+".json")
}

func (r *objects) missing(id string) error {
	return fault.New(fault.NotFound, "%s %q was not found", r.noun, id)
}

func (r *objects) read(id string) (row, error) {
	var v row
	if !safeID(id) {
		return v, r.missing(id)
	}
	data, err := readFile(r.path(id), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return v, r.missing(id)
	}
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	return v, fault.Wrap(fault.Internal, err, "read %s %q", r.noun, id)
}

func (r *objects) write(id string, v row) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = r.root.writeAtomically(r.path(id), data)
	}
	return fault.Wrap(fault.Internal, err, "write %s %q", r.noun, id)
}

// alone runs change while nobody else changes a record of this kind.
func (r *objects) alone(ctx context.Context, change func() error) error {
	if err := live(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locked.path = r.root.path(privateFolder, "locks", r.folder+".lock")
	if err := r.locked.lock(); err != nil {
		return err
	}
	defer r.locked.close() // which unlocks
	return change()
}

// unique makes sure that no other record has the text.
func (r *objects) unique(ctx context.Context, id, text string) error {
	if text == "" {
		return nil
	}
	ids, rows, err := r.list(ctx)
	if err != nil {
		return err
	}
	for i := range rows {
		if ids[i] != id && rows[i].Unique == text {
			return fault.New(fault.Conflict, "there is a %s %q already", r.noun, text)
		}
	}
	return nil
}

// Create stores a new object.
func (r *objects) Create(ctx context.Context, o store.Object) error {
	if !safeID(o.ID) {
		return fault.New(fault.InvalidRequest, "%q cannot be the id of a %s", o.ID, r.noun)
	}
	return r.alone(ctx, func() error {
		if _, err := os.Lstat(r.path(o.ID)); err == nil {
			return fault.New(fault.Conflict, "there is a %s %q already", r.noun, o.ID)
		}
		if err := r.unique(ctx, o.ID, o.Unique); err != nil {
			return err
		}
		return r.write(o.ID, newRow(time.Now().UTC(), o))
	})
}

// Get reads an object.
func (r *objects) Get(ctx context.Context, id string) (json.RawMessage, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	v, err := r.read(id)
	return v.Value, err
}

// Update changes an object; no other update comes between.
func (r *objects) Update(ctx context.Context, id string, change func(json.RawMessage) (store.Object, error)) error {
	return r.alone(ctx, func() error {
		v, err := r.read(id)
		if err != nil {
			return err
		}
		o, err := change(v.Value)
		if err != nil {
			return err
		}
		if o.Unique != v.Unique {
			if err := r.unique(ctx, id, o.Unique); err != nil {
				return err
			}
		}
		return r.write(id, newRow(v.Created, o))
	})
}

// Delete removes an object.
func (r *objects) Delete(ctx context.Context, id string) error {
	if !safeID(id) {
		return r.missing(id)
	}
	return r.alone(ctx, func() error {
		err := os.Remove(r.path(id))
		if errors.Is(err, fs.ErrNotExist) {
			return r.missing(id)
		}
		return fault.Wrap(fault.Internal, err, "delete %s %q", r.noun, id)
	})
}

// Find gives the objects that a query selects.
func (r *objects) Find(ctx context.Context, q store.Query) (page store.Page[json.RawMessage], err error) {
	_, rows, err := r.list(ctx)
	if err != nil {
		return page, err
	}
	if q.Desc {
		slices.Reverse(rows)
	}
	for _, v := range rows {
		if !v.selected(q) {
			continue
		}
		if page.Total++; page.Total > q.Offset && (q.Limit == 0 || len(page.Items) < q.Limit) {
			page.Items = append(page.Items, v.Value)
		}
	}
	return page, nil
}

func (r *objects) list(ctx context.Context) (ids []string, rows []row, err error) {
	entries, err := os.ReadDir(r.root.path(privateFolder, r.folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, internal(err, "list the %ss", r.noun)
	}
	type item struct {
		id  string
		row row
	}
	var items []item
	for _, e := range entries {
		if err := live(ctx); err != nil {
			return nil, nil, err
		}
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		v, err := r.read(id)
		if fault.Is(err, fault.NotFound) {
			continue // deleted just now
		}
		if err != nil {
			return nil, nil, err
		}
		items = append(items, item{id, v})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(a.row.Created.Compare(b.row.Created), cmp.Compare(a.id, b.id))
	})
	for _, i := range items {
		ids = append(ids, i.id)
		rows = append(rows, i.row)
	}
	return ids, rows, live(ctx)
}

// safeID reports whether an id may be part of a file name.
func safeID(id string) bool { return safeFolder(id) && len(id) <= 128 && !reservedOnWindows(id) }

// DropOldRuns drops the records and logs of the oldest runs and builds that have
// ended, so that at most n of each remain; those that have not ended stay.
func (r *Root) DropOldRuns(ctx context.Context, n int) error {
	return errors.Join(keep(ctx, r, store.RunKind.Name, n), keep(ctx, r, store.BuildKind.Name, n))
}

// keep drops all but n records of a kind that has statuses.
func keep(ctx context.Context, root *Root, kind string, n int) error {
	r := root.objectsOf(kind)
	ids, rows, err := r.list(ctx)
	if err != nil {
		return err
	}
	excess := len(ids) - max(n, 0)
	for i, id := range ids {
		if excess <= 0 {
			break
		}
		var v struct {
			Status api.Status `json:"status"`
		}
		if err := json.Unmarshal(rows[i].Value, &v); err != nil {
			return internal(err, "read %s %q", kind, id)
		}
		if !v.Status.Terminal() {
			continue
		}
		if err := root.Logs().Delete(ctx, id); err != nil {
			return err
		}
		if err := r.Delete(ctx, id); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		excess--
	}
	return nil
}
