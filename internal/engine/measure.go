package engine

import (
	"context"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine/meter"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const (
	// overloaded is the share of its CPUs above which code counts as overloaded.
	overloaded = 0.95
	// sampled and recorded are how often a run's usage is read and stored.
	sampled  = time.Second
	recorded = 5 * time.Second
	// busy is how many runs are measured that often; with more of them, each is
	// measured less often, so that measuring costs about the same.
	busy = 40
)

// measure reads the usage about every second, tells the code about it, and
// records it now and then, until ctx ends. It has a goroutine of its own: an
// engine that answers slowly must not hold up an abort.
func (a *active) measure(ctx context.Context, instance executor.Instance) {
	stored := time.Now()
	timer := time.NewTimer(sampled)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		r, err := a.sample(ctx, instance)
		crowd := time.Duration(1 + a.engine.crowd()/busy)
		if err == nil && time.Since(stored) >= crowd*recorded {
			stored = time.Now()
			err = a.record(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.engine.cfg.Logger.Warn("recording a run's usage", "run", a.id, "error", err)
		}
		a.limit(r)
		timer.Reset(crowd * sampled)
	}
}

// sample reads the usage and tells the code.
func (a *active) sample(ctx context.Context, instance executor.Instance) (api.Run, error) {
	u, ok := instance.Usage(ctx)
	if ok && ctx.Err() == nil {
		a.usage.Add(meter.Reading{
			MemoryBytes: u.MemoryBytes, CPUTime: u.CPUTime, NetRxBytes: u.NetRxBytes, NetTxBytes: u.NetTxBytes,
		}, time.Now())
	}
	r, err := a.engine.Run(ctx, a.id)
	if err != nil || !ok {
		return r, err
	}
	a.events.Publish("systemInfo", api.SystemInfo{
		MemAvgBytes: r.Stats.MemAvgBytes, MemCurrentBytes: r.Stats.MemCurrentBytes, MemMaxBytes: r.Stats.MemMaxBytes,
		CPUAvgUsage: r.Stats.CPUAvgUsage, CPUMaxUsage: r.Stats.CPUMaxUsage, CPUCurrentUsage: r.Stats.CPUCurrentUsage,
		IsCPUOverloaded: r.Stats.CPUCurrentUsage/100 > overloaded*a.cpus(r), CreatedAt: api.Now(),
	})
	return r, nil
}

// record stores the usage.
func (a *active) record(ctx context.Context) error {
	_, err := a.engine.update(ctx, a.id, func(r *api.Run) error {
		a.show(r)
		return nil
	})
	return err
}

// show brings the usage in a record up to date.
func (a *active) show(r *api.Run) {
	a.state().account(r, time.Now())
	a.usage.Fill(r)
}

// crowd is how many runs there are.
func (e *Engine) crowd() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.active)
}

// Count adds operations of a run's code on storages to the run's usage, by the
// platform's name of the operation. Runs that have ended use nothing.
func (e *Engine) Count(runID, operation string, n int) {
	if a := e.lookup(runID); a != nil {
		a.usage.Count(operation, float64(n))
	}
}
