package embedded

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/access"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// kind is a kind of storage, as the database has it.
type kind string

const (
	datasets       kind = "dataset"
	keyValueStores kind = "key-value store"
	requestQueues  kind = "request queue"
)

// collection finds the storages of one kind.
type collection[S store.Storage] struct {
	root *Root
	kind kind
	// wrap makes a storage one of its kind.
	wrap func(context.Context, *storage) (S, error)

	mu sync.Mutex
	// known are the storages that were asked for: what is only in memory of
	// them is the same for everybody.
	known map[int64]S
	uses  map[int64]*access.Use // of those
}

const storageColumns = `key, id, name, actor, run, created_at, modified_at, accessed_at, schema, items, total, handled, clients,
	access, reads, writes, deletes, lists, heads, bytes, clean`

// stored is a storage as the database has it.
type stored struct {
	key   int64
	info  store.Info
	items sql.NullInt64
}

func scanStorage(scan func(dest ...any) error) (s stored, err error) {
	var created, modified, accessed int64
	var schema []byte
	i := &s.info
	err = scan(&s.key, &i.ID, &i.Name, &i.ActorID, &i.RunID, &created, &modified, &accessed, &schema,
		&s.items, &i.TotalRequests, &i.HandledRequests, &i.HadMultipleClients,
		&i.Access, &i.Stats.Reads, &i.Stats.Writes, &i.Stats.Deletes, &i.Stats.Lists, &i.Stats.HeadReads, &i.Stats.Bytes, &i.CleanItemCount)
	i.CreatedAt, i.ModifiedAt, i.AccessedAt = moment(created), moment(modified), moment(accessed)
	if len(schema) > 0 {
		i.Schema = schema
	}
	i.ItemCount = int(s.items.Int64)
	return s, err
}

func moment(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }

func formatKey(key int64) string { return strconv.FormatInt(key, 10) }

const (
	findByID   = "SELECT " + storageColumns + " FROM storage WHERE kind = ? AND id = ? AND deleted = 0"
	findByName = "SELECT " + storageColumns + " FROM storage WHERE kind = ? AND folded = ? AND folded <> '' AND deleted = 0"
)

// Open finds a storage by its id or name.
func (c *collection[S]) Open(ctx context.Context, idOrName string) (none S, err error) {
	if err := database.Live(ctx); err != nil {
		return none, err
	}
	for _, by := range []struct{ query, value string }{{findByID, idOrName}, {findByName, strings.ToLower(idOrName)}} {
		s, err := scanStorage(func(dest ...any) error {
			return c.root.db.Get(ctx, by.query, []any{string(c.kind), by.value}, dest...)
		})
		if err == nil {
			return c.keep(ctx, s)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return none, database.Failed(err, "find %s %q", c.kind, idOrName)
		}
	}
	return none, fault.New(fault.NotFound, "%s %q was not found", c.kind, idOrName)
}

// keep gives the one object of a storage.
func (c *collection[S]) keep(ctx context.Context, found stored) (S, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.known[found.key]; ok {
		return s, nil
	}
	s := &storage{
		root: c.root, kind: c.kind, key: found.key, id: found.info.ID, schema: found.info.Schema,
		use: c.root.access.Of(found.key, found.info.AccessedAt, found.info.Stats),
	}
	s.forget = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.known, s.key)
		delete(c.uses, s.key)
	}
	face, err := c.wrap(ctx, s)
	if err != nil {
		return face, err
	}
	if c.known == nil {
		c.known, c.uses = map[int64]S{}, map[int64]*access.Use{}
	}
	c.known[found.key], c.uses[found.key] = face, s.use
	return face, nil
}

// Create makes a storage, or finds the one that has the name or id already.
func (c *collection[S]) Create(ctx context.Context, opts store.CreateOptions) (none S, created bool, err error) {
	if opts.Name != "" && !store.ValidName(opts.Name) {
		return none, false, store.InvalidName(opts.Name)
	}
	if opts.ID != "" && !database.ValidID(opts.ID) {
		return none, false, fault.New(fault.InvalidRequest, "%q cannot be the id of a storage", opts.ID)
	}
	schema, err := store.CompactSchema(opts.Schema)
	if err != nil {
		return none, false, err
	}
	id := cmp.Or(opts.ID, store.NewID())
	folded := strings.ToLower(opts.Name)
	var found stored
	err = c.root.db.Write(ctx, func(tx *database.Tx) error {
		created = false
		for _, by := range []struct{ query, value string }{{findByName, folded}, {findByID, id}} {
			if by.value == "" {
				continue
			}
			found, err = scanStorage(func(dest ...any) error {
				return tx.Get(by.query, []any{string(c.kind), by.value}, dest...)
			})
			if err == nil || !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		now := time.Now().UnixNano()
		key, err := tx.Insert(`INSERT INTO storage (kind, id, name, folded, actor, run, created_at, modified_at, accessed_at, schema, items)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
			string(c.kind), id, opts.Name, folded, opts.ActorID, opts.RunID, now, now, now, []byte(schema))
		found = stored{key: key, info: store.Info{ID: id, Schema: schema, AccessedAt: moment(now)}}
		created = true
		return err
	})
	if err != nil {
		return none, false, database.Failed(err, "create a %s", c.kind)
	}
	s, err := c.keep(ctx, found)
	return s, created && err == nil, err
}

// List gives the metadata of all storages.
func (c *collection[S]) List(ctx context.Context, opts store.ListOptions) (page store.ListPage, err error) {
	if err := database.Live(ctx); err != nil {
		return page, err
	}
	where := " FROM storage WHERE kind = ? AND deleted = 0"
	if !opts.Unnamed {
		where += " AND name <> ''"
	}
	failed := func(err error) (store.ListPage, error) {
		return store.ListPage{}, database.Failed(err, "list the %ss", c.kind)
	}
	if err := c.root.db.Get(ctx, "SELECT count(*)"+where, []any{string(c.kind)}, &page.Total); err != nil {
		return failed(err)
	}
	order := " ORDER BY created_at, id"
	if opts.Desc {
		order = " ORDER BY created_at DESC, id DESC"
	}
	limit := -1
	if opts.Limit > 0 {
		limit = opts.Limit
	}
	rows, err := c.root.db.Query(ctx, "SELECT "+storageColumns+where+order+" LIMIT ? OFFSET ?", string(c.kind), limit, max(opts.Offset, 0))
	if err != nil {
		return failed(err)
	}
	var all []stored
	for rows.Next() {
		s, err := scanStorage(rows.Scan)
		if err != nil {
			rows.Close()
			return failed(err)
		}
		all = append(all, s)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return failed(err)
	}
	for _, s := range all {
		c.mu.Lock()
		use := c.uses[s.key]
		c.mu.Unlock()
		if use != nil {
			use.Complete(&s.info)
		}
		if c.kind == datasets {
			switch err := c.root.items.Complete(ctx, s.key, s.items.Valid, &s.info); {
			case fault.Is(err, fault.NotFound):
				continue // deleted just now
			case err != nil:
				return failed(err)
			}
		}
		page.Items = append(page.Items, s.info)
	}
	return page, nil
}
