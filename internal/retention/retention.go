// Package retention ends what nobody has needed for long: runs that ended, with
// their logs, and unnamed storages. What has a name stays.
package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Runs knows the runs. It is the engine, which alone decides whether a run may
// go.
type Runs interface {
	// Runs gives the runs that q selects.
	Runs(ctx context.Context, q store.Query) (store.Page[api.Run], error)
	// DeleteRun forgets a run that has ended, with its log. One that has not is
	// fault.InvalidRequest.
	DeleteRun(ctx context.Context, id string) error
}

// Storages knows the storages.
type Storages interface {
	// Expire deletes the unnamed storages that nobody has used since the moment,
	// but for those that keep wants, and counts them. One that is used or named
	// meanwhile stays.
	Expire(ctx context.Context, unused time.Time, keep func(id string) bool) (int, error)
}

// Sweeper ends what is older than Age.
type Sweeper struct {
	Runs     Runs
	Storages Storages
	Age      time.Duration
	Logger   *slog.Logger
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Swept counts what a sweep has ended.
type Swept struct{ Runs, Storages int }

const (
	// The time between two sweeps is a tenth of the age, within these bounds.
	shortest, longest = time.Second, time.Hour
	// pageOfRuns is how many runs are looked at at once.
	pageOfRuns = 1000
)

// interval is the time between two sweeps.
func (s *Sweeper) interval() time.Duration { return min(max(s.Age/10, shortest), longest) }

// Run sweeps again and again until ctx ends. A sweep that fails is logged, and
// the next one does what it left.
func (s *Sweeper) Run(ctx context.Context) {
	ticker := time.NewTicker(s.interval())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		swept, err := s.Sweep(ctx)
		if swept != (Swept{}) {
			s.Logger.Info("removed what has expired", "runs", swept.Runs, "storages", swept.Storages)
		}
		if err != nil && ctx.Err() == nil {
			s.Logger.Error("what has expired could not all be removed", "error", err)
		}
	}
}

// Sweep ends what has expired by now: first runs, then storages, so that no run
// is ever without the storages that it has. A storage of a run that stays, be it
// because it is young, has not ended, or is the reason of an error, stays too.
func (s *Sweeper) Sweep(ctx context.Context) (swept Swept, err error) {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	expired := now().Add(-s.Age)
	ended, needed, err := s.look(ctx, expired)
	if err != nil {
		return swept, err
	}
	for _, r := range ended {
		switch err := s.Runs.DeleteRun(ctx, r.ID); {
		case err == nil:
			swept.Runs++
		case fault.Is(err, fault.NotFound): // somebody was faster
		case fault.Is(err, fault.InvalidRequest): // it runs again
			need(needed, r)
		default:
			return swept, err
		}
	}
	swept.Storages, err = s.Storages.Expire(ctx, expired, func(id string) bool { return needed[id] })
	return swept, err
}

// look gives the runs that have expired, and the ids of the storages that the
// others need.
func (s *Sweeper) look(ctx context.Context, expired time.Time) (ended []api.Run, needed map[string]bool, err error) {
	needed = map[string]bool{}
	for offset := 0; ; offset += pageOfRuns {
		page, err := s.Runs.Runs(ctx, store.Query{Offset: offset, Limit: pageOfRuns})
		if err != nil {
			return nil, nil, err
		}
		for _, r := range page.Items {
			if r.Status.Terminal() && r.FinishedAt != nil && r.FinishedAt.Before(expired) {
				ended = append(ended, r)
			} else {
				need(needed, r)
			}
		}
		if len(page.Items) < pageOfRuns {
			return ended, needed, nil
		}
	}
}

// need notes the storages of a run.
func need(needed map[string]bool, r api.Run) {
	for _, id := range []string{r.DefaultDatasetID, r.DefaultKeyValueStoreID, r.DefaultRequestQueueID} {
		needed[id] = true
	}
	for _, ids := range []map[string]string{r.StorageIDs.Datasets, r.StorageIDs.KeyValueStores, r.StorageIDs.RequestQueues} {
		for _, id := range ids {
			needed[id] = true
		}
	}
}
