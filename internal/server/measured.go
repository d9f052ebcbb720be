package server

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const (
	// measureMaxAge is how long a measurement counts; several collectors that ask
	// at once cost one.
	measureMaxAge = 5 * time.Second
	// maxMeasured is how many storages of a kind are looked at one by one. Above
	// that their number is told and not what they hold, which would no longer be
	// cheap to find out.
	maxMeasured = 10_000
	// maxNamedQueues is how many queues have a depth of their own in the metrics.
	maxNamedQueues = 100
)

// measurement is what runs and storages come to.
type measurement struct {
	runs     map[api.Status]int
	storages map[string]int // by kind
	// items and requests are nil when there are too many storages.
	items, pending, handled *int
	named                   []queueDepth
	bytes                   map[string]int64
}

type queueDepth struct {
	name    string
	pending int
}

// measured keeps the last measurement.
type measured struct {
	maxAge time.Duration

	mu   sync.Mutex
	at   time.Time
	last measurement
	err  error
}

// get measures, unless that was done just now.
func (m *measured) get(ctx context.Context, s *server) (measurement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at.IsZero() || time.Since(m.at) >= m.maxAge {
		// The collector that asked may leave while others wait for the outcome.
		m.last, m.err = s.measure(context.WithoutCancel(ctx))
		m.at = time.Now()
	}
	return m.last, m.err
}

func (s *server) measure(ctx context.Context) (measurement, error) {
	m := measurement{runs: map[api.Status]int{}, storages: map[string]int{}}
	for _, status := range allStatuses {
		runs, err := s.Engine.Runs(ctx, store.Query{Where: map[string][]string{store.ByStatus: {string(status)}}, Limit: 1})
		if err != nil {
			return m, err
		}
		m.runs[status] = runs.Total
	}
	var err error
	if s.Totals != nil {
		err = s.measureTotals(ctx, &m)
	} else {
		err = s.measureEach(ctx, &m)
	}
	if err != nil {
		return m, err
	}
	if s.DiskUsage != nil {
		used, err := s.DiskUsage(ctx)
		if err != nil {
			return m, err
		}
		if m.bytes == nil {
			m.bytes = map[string]int64{}
		}
		maps.Copy(m.bytes, used)
	}
	return m, nil
}

// measureTotals asks the store for sums; of single storages it looks at those
// queues only that have a depth of their own.
func (s *server) measureTotals(ctx context.Context, m *measurement) error {
	totals, err := s.Totals(ctx)
	if err != nil {
		return err
	}
	m.bytes = map[string]int64{}
	for kind, t := range totals {
		m.storages[kind], m.bytes[kind] = t.Storages, t.Bytes
	}
	items, queues := totals["datasets"].Items, totals["request-queues"]
	pending := max(0, queues.Requests-queues.Handled)
	m.items, m.pending, m.handled = &items, &pending, &queues.Handled
	page, err := s.queues.all.List(ctx, store.ListOptions{Limit: maxNamedQueues})
	for _, info := range page.Items {
		m.name(info)
	}
	return err
}

// name gives a queue that has a name a depth of its own.
func (m *measurement) name(info store.Info) {
	if info.Name != "" && len(m.named) < maxNamedQueues {
		m.named = append(m.named, queueDepth{info.Name, max(0, info.TotalRequests-info.HandledRequests)})
	}
}

// measureEach looks at each storage, unless there are too many.
func (s *server) measureEach(ctx context.Context, m *measurement) (err error) {
	items, pending, handled := 0, 0, 0
	var complete bool
	m.storages["datasets"], complete, err = eachStorage(ctx, s.datasets.all, func(info store.Info) { items += info.ItemCount })
	if err != nil {
		return err
	}
	if complete {
		m.items = &items
	}
	m.storages["key-value-stores"], _, err = eachStorage(ctx, s.stores.all, nil)
	if err != nil {
		return err
	}
	m.storages["request-queues"], complete, err = eachStorage(ctx, s.queues.all, func(info store.Info) {
		pending += max(0, info.TotalRequests-info.HandledRequests)
		handled += info.HandledRequests
		m.name(info)
	})
	if err != nil {
		return err
	}
	if complete {
		m.pending, m.handled = &pending, &handled
	}
	return nil
}

// eachStorage counts the storages of a kind and calls see for each, unless there
// are too many or see is nil: then complete is false.
func eachStorage[S store.Storage](ctx context.Context, all store.Collection[S], see func(store.Info)) (total int, complete bool, err error) {
	first, err := all.List(ctx, store.ListOptions{Limit: 1, Unnamed: true})
	if err != nil || see == nil || first.Total > maxMeasured {
		return first.Total, false, err
	}
	page, err := all.List(ctx, store.ListOptions{Unnamed: true})
	if err != nil {
		return 0, false, err
	}
	for _, info := range page.Items {
		see(info)
	}
	return page.Total, true, nil
}

// write adds what was measured. A store that fails costs its metrics only: how
// requests fare is most worth knowing then.
func (m *measured) write(ctx context.Context, s *server, x *exposition) {
	now, err := m.get(ctx, s)
	x.family("greenroom_store_measured", "gauge", "Whether runs and storages could be measured (1) or not (0).")
	if err != nil {
		s.Logger.Error("runs and storages cannot be measured", "error", err)
		x.sample("greenroom_store_measured", 0)
		return
	}
	x.sample("greenroom_store_measured", 1)
	x.family("greenroom_runs", "gauge", "Runs that are remembered, by status.")
	for _, status := range allStatuses {
		x.sample("greenroom_runs", float64(now.runs[status]), "status", string(status))
	}
	x.family("greenroom_storages", "gauge", "Storages, named and unnamed, by kind.")
	for _, kind := range []string{"datasets", "key-value-stores", "request-queues"} {
		x.sample("greenroom_storages", float64(now.storages[kind]), "kind", kind)
	}
	if now.items != nil {
		x.family("greenroom_dataset_items", "gauge", "Items in all datasets.")
		x.sample("greenroom_dataset_items", float64(*now.items))
	}
	if now.pending != nil {
		x.family("greenroom_request_queue_requests", "gauge", "Requests in all queues, by state.")
		x.sample("greenroom_request_queue_requests", float64(*now.pending), "state", "pending")
		x.sample("greenroom_request_queue_requests", float64(*now.handled), "state", "handled")
		x.family("greenroom_request_queue_depth", "gauge", "Pending requests of the oldest queues that have a name.")
		for _, q := range now.named {
			x.sample("greenroom_request_queue_depth", float64(q.pending), "queue", q.name)
		}
	}
	if len(now.bytes) > 0 {
		x.family("greenroom_store_bytes", "gauge", "Bytes that the store takes on disk, by what they hold.")
		for _, kind := range slices.Sorted(maps.Keys(now.bytes)) {
			x.sample("greenroom_store_bytes", float64(now.bytes[kind]), "kind", kind)
		}
	}
}
