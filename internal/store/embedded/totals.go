package embedded

import (
	"context"
	"errors"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// kindPaths are the kinds' segments of the API's paths.
var kindPaths = map[kind]string{
	datasets: "datasets", keyValueStores: "key-value-stores", requestQueues: "request-queues",
}

// Totals sums up the storages of each kind, by the kind's segment of the API's
// paths. It costs one look through their metadata.
func (r *Root) Totals(ctx context.Context) (map[string]store.Totals, error) {
	all := map[string]store.Totals{}
	failed := func(err error) (map[string]store.Totals, error) {
		return nil, database.Failed(err, "sum up the storages")
	}
	// Datasets that are written to know themselves what they hold.
	rows, err := r.db.Query(ctx, `SELECT kind, count(*), sum(coalesce(items, 0)), sum(total), sum(handled),
		sum(CASE WHEN kind = 'dataset' AND items IS NULL THEN 0 ELSE max(bytes, 0) END) FROM storage WHERE deleted = 0 GROUP BY kind`)
	if err != nil {
		return failed(err)
	}
	for rows.Next() {
		var k kind
		var t store.Totals
		if err := rows.Scan(&k, &t.Storages, &t.Items, &t.Requests, &t.Handled, &t.Bytes); err != nil {
			rows.Close()
			return failed(err)
		}
		all[kindPaths[k]] = t
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return failed(err)
	}
	unknown, err := database.All[int64](ctx, r.db, "SELECT key FROM storage WHERE kind = 'dataset' AND deleted = 0 AND items IS NULL")
	if err != nil {
		return failed(err)
	}
	t := all[kindPaths[datasets]]
	for _, key := range unknown {
		var i store.Info
		err := r.items.Complete(ctx, key, false, &i)
		if fault.Is(err, fault.NotFound) {
			continue // deleted just now
		}
		if err != nil {
			return failed(err)
		}
		t.Items += i.ItemCount
		t.Bytes += max(i.Stats.Bytes, 0)
	}
	all[kindPaths[datasets]] = t
	return all, nil
}

// DatabaseSize is how many bytes the database takes on the disk.
func (r *Root) DatabaseSize() (bytes int64, err error) { return r.db.Size() }
