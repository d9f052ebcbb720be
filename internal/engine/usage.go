package engine

import (
	"context"
	"maps"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine/meter"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// book adds what a run has used, without what was booked when it ended before,
// to the day of its end.
func (e *Engine) book(ctx context.Context, r api.Run, before map[string]float64) error {
	if e.days == nil || r.FinishedAt == nil {
		return nil
	}
	return e.days.Book(ctx, r.FinishedAt.Time, without(r.Usage, before))
}

func without(usage, before map[string]float64) map[string]float64 {
	left := maps.Clone(usage)
	for name, n := range before {
		left[name] = max(0, left[name]-n)
	}
	return left
}

// Usage gives what was used from one day to another, by midnight, UTC: by the
// day on which runs ended, and today for those that go on.
func (e *Engine) Usage(ctx context.Context, from, to time.Time) (map[time.Time]map[string]float64, error) {
	used := map[time.Time]map[string]float64{}
	if e.days != nil {
		var err error
		if used, err = e.days.Between(ctx, from, to); err != nil {
			return nil, err
		}
	}
	if now := time.Now(); now.Before(from) || now.After(to) {
		return used, nil
	}
	e.mu.Lock()
	going := make([]*active, 0, len(e.active))
	for _, a := range e.active {
		going = append(going, a)
	}
	e.mu.Unlock()
	for _, a := range going {
		r, err := e.Run(ctx, a.id)
		if err != nil || r.Status.Terminal() {
			continue // it has just ended, or was deleted
		}
		today := meter.Midnight(time.Now())
		if used[today] == nil {
			used[today] = map[string]float64{}
		}
		for name, n := range without(r.Usage, a.state().Before) {
			used[today][name] += n
		}
	}
	return used, nil
}
