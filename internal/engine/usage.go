package engine

import (
	"context"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// overloaded is the share of its CPUs above which code counts as overloaded.
const overloaded = 0.95

// meter turns readings of an instance's usage into averages and maxima.
type meter struct {
	mu       sync.Mutex
	readings int
	last     executor.Usage
	at       time.Time

	memAvg, cpuAvg float64
	memMax         int64
	cpuNow, cpuMax float64
}

// add takes a reading. The first one after a start gives no CPU figure yet.
func (m *meter) add(u executor.Usage, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if elapsed := now.Sub(m.at); m.readings > 0 && elapsed > 0 && u.CPUTime >= m.last.CPUTime {
		m.cpuNow = float64(u.CPUTime-m.last.CPUTime) / float64(elapsed) * 100
	}
	m.readings++
	n := float64(m.readings)
	m.memAvg += (float64(u.MemoryBytes) - m.memAvg) / n
	m.cpuAvg += (m.cpuNow - m.cpuAvg) / n
	m.memMax = max(m.memMax, u.MemoryBytes)
	m.cpuMax = max(m.cpuMax, m.cpuNow)
	m.last, m.at = u, now
}

// fill writes the figures into a run's stats.
func (m *meter) fill(s *api.RunStats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.MemAvgBytes, s.MemMaxBytes, s.MemCurrentBytes = m.memAvg, m.memMax, m.last.MemoryBytes
	s.CPUAvgUsage, s.CPUMaxUsage, s.CPUCurrentUsage = m.cpuAvg, m.cpuMax, m.cpuNow
	s.NetRxBytes, s.NetTxBytes = m.last.NetRxBytes, m.last.NetTxBytes
}

// measure reads the usage every second, records it and tells the code about it,
// until ctx ends. It has a goroutine of its own: an engine that answers slowly
// must not hold up an abort.
func (a *active) measure(ctx context.Context, instance executor.Instance) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
			a.sample(ctx, instance)
		}
	}
}

func (a *active) sample(ctx context.Context, instance executor.Instance) {
	u, ok := instance.Usage(ctx)
	if !ok || ctx.Err() != nil {
		return
	}
	a.usage.add(u, time.Now())
	r, err := a.engine.update(ctx, a.id, func(r *api.Run) error {
		a.usage.fill(&r.Stats)
		r.Stats.DurationMillis = time.Since(r.StartedAt.Time).Milliseconds()
		r.Stats.RunTimeSecs = float64(r.Stats.DurationMillis) / 1000
		return nil
	})
	if err != nil {
		a.engine.cfg.Logger.Warn("recording a run's usage", "run", a.id, "error", err)
		return
	}
	a.events.publish("systemInfo", api.SystemInfo{
		MemAvgBytes: r.Stats.MemAvgBytes, MemCurrentBytes: r.Stats.MemCurrentBytes, MemMaxBytes: r.Stats.MemMaxBytes,
		CPUAvgUsage: r.Stats.CPUAvgUsage, CPUMaxUsage: r.Stats.CPUMaxUsage, CPUCurrentUsage: r.Stats.CPUCurrentUsage,
		IsCPUOverloaded: r.Stats.CPUCurrentUsage/100 > overloaded*a.cpus(r), CreatedAt: api.Now(),
	})
}
