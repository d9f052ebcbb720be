package localdir

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// records keeps one JSON file per record.
type records[T any] struct {
	root   *Root
	folder string
	noun   string

	mu     sync.Mutex
	locked fileLock
}

// row is the file of a record. The time orders listings: neither the file
// system's dates nor the ids say in which order records were created.
type row[T any] struct {
	Created time.Time `json:"created"`
	Value   T         `json:"value"`
}

func (r *records[T]) path(id string) string {
	return r.root.path(privateFolder, r.folder, id+".json")
}

func (r *records[T]) missing(id string) error {
	return fault.New(fault.NotFound, "%s %q was not found", r.noun, id)
}

func (r *records[T]) read(id string) (row[T], error) {
	var v row[T]
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

func (r *records[T]) write(id string, v row[T]) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = r.root.writeAtomically(r.path(id), data)
	}
	return fault.Wrap(fault.Internal, err, "write %s %q", r.noun, id)
}

// alone runs change while nobody else changes a record of this sort.
func (r *records[T]) alone(ctx context.Context, change func() error) error {
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

// Create stores a new record.
func (r *records[T]) Create(ctx context.Context, id string, v T) error {
	if !safeID(id) {
		return fault.New(fault.InvalidRequest, "%q cannot be the id of a %s", id, r.noun)
	}
	return r.alone(ctx, func() error {
		if _, err := os.Lstat(r.path(id)); err == nil {
			return fault.New(fault.Conflict, "there is a %s %q already", r.noun, id)
		}
		return r.write(id, row[T]{time.Now().UTC(), v})
	})
}

// Get reads a record.
func (r *records[T]) Get(ctx context.Context, id string) (T, error) {
	if err := live(ctx); err != nil {
		var none T
		return none, err
	}
	v, err := r.read(id)
	return v.Value, err
}

// Update changes a record; no other update comes between.
func (r *records[T]) Update(ctx context.Context, id string, change func(*T) error) (T, error) {
	var result T
	err := r.alone(ctx, func() error {
		v, err := r.read(id)
		if err != nil {
			return err
		}
		if err := change(&v.Value); err != nil {
			return err
		}
		if err := r.write(id, v); err != nil {
			return err
		}
		result = v.Value
		return nil
	})
	return result, err
}

// Delete removes a record.
func (r *records[T]) Delete(ctx context.Context, id string) error {
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

// List gives all records in the order of their creation.
func (r *records[T]) List(ctx context.Context) ([]T, error) {
	_, rows, err := r.list(ctx)
	values := make([]T, len(rows))
	for i, row := range rows {
		values[i] = row.Value
	}
	return values, err
}

func (r *records[T]) list(ctx context.Context) (ids []string, rows []row[T], err error) {
	entries, err := os.ReadDir(r.root.path(privateFolder, r.folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, internal(err, "list the %ss", r.noun)
	}
	type item struct {
		id  string
		row row[T]
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
	return errors.Join(
		keep(ctx, r, r.runs, n, func(v api.Run) bool { return v.Status.Terminal() }),
		keep(ctx, r, r.builds, n, func(v api.Build) bool { return v.Status.Terminal() }))
}

func keep[T any](ctx context.Context, root *Root, r *records[T], n int, ended func(T) bool) error {
	ids, rows, err := r.list(ctx)
	if err != nil {
		return err
	}
	excess := len(ids) - max(n, 0)
	for i, id := range ids {
		if excess <= 0 {
			break
		}
		if !ended(rows[i].Value) {
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

// logs keeps one file per log, which is only ever added to.
type logs struct{ root *Root }

func (l logs) path(id string) string { return l.root.path(privateFolder, "logs", id+".log") }

func badLogID(id string) error {
	return fault.New(fault.InvalidRequest, "%q cannot be the id of a log", id)
}

// Append adds p to a log in one write.
func (l logs) Append(ctx context.Context, id string, p []byte) error {
	if !safeID(id) {
		return badLogID(id)
	}
	if err := live(ctx); err != nil {
		return err
	}
	path := l.path(id)
	err := appendFile(path, p)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(l.root.path(privateFolder, "logs"), 0o777); err == nil {
			err = appendFile(path, p)
		}
	}
	return fault.Wrap(fault.Internal, err, "write the log of %q", id)
}

// Open reads a log from an offset to its present end.
func (l logs) Open(ctx context.Context, id string, offset int64) (io.ReadCloser, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	empty := io.NopCloser(strings.NewReader(""))
	if !safeID(id) {
		return empty, nil
	}
	f, err := openShared(l.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return nil, internal(err, "read the log of %q", id)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, internal(err, "read the log of %q", id)
	}
	offset = max(offset, 0)
	return logReader{io.NewSectionReader(f, offset, max(info.Size()-offset, 0)), f}, nil
}

type logReader struct {
	io.Reader
	io.Closer
}

// Delete removes a log; one that nobody added to is not there to remove.
func (l logs) Delete(ctx context.Context, id string) error {
	if err := live(ctx); err != nil {
		return err
	}
	if !safeID(id) {
		return nil
	}
	if err := os.Remove(l.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return internal(err, "delete the log of %q", id)
	}
	return nil
}
