// Package meter adds up what a run uses: memory, processors, network and
// operations on storages, and what that would cost on the platform.
package meter

import (
	"maps"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Names of what is counted, as a run's usage has them.
const (
	ComputeUnits       = "ACTOR_COMPUTE_UNITS"
	DatasetReads       = "DATASET_READS"
	DatasetWrites      = "DATASET_WRITES"
	KeyValueReads      = "KEY_VALUE_STORE_READS"
	KeyValueWrites     = "KEY_VALUE_STORE_WRITES"
	KeyValueLists      = "KEY_VALUE_STORE_LISTS"
	RequestQueueReads  = "REQUEST_QUEUE_READS"
	RequestQueueWrites = "REQUEST_QUEUE_WRITES"
	InternalTransfer   = "DATA_TRANSFER_INTERNAL_GBYTES"
	ExternalTransfer   = "DATA_TRANSFER_EXTERNAL_GBYTES"
	ResidentialProxy   = "PROXY_RESIDENTIAL_TRANSFER_GBYTES"
	SerpsProxy         = "PROXY_SERPS"
)

// Prices are what one of each costs in US dollars.
// Source: the platform's price list, without a plan.
var Prices = map[string]float64{
	ComputeUnits: 0.2,
	DatasetReads: 0.0004 / 1000, DatasetWrites: 0.005 / 1000,
	KeyValueReads: 0.005 / 1000, KeyValueWrites: 0.05 / 1000, KeyValueLists: 0.05 / 1000,
	RequestQueueReads: 0.004 / 1000, RequestQueueWrites: 0.01 / 1000,
	InternalTransfer: 0.05, ExternalTransfer: 0.2, ResidentialProxy: 8, SerpsProxy: 2.5 / 1000,
}

// Reading is what something consumes at a moment. CPUTime and the network count
// from its start, over all cores.
type Reading struct {
	MemoryBytes            int64
	CPUTime                time.Duration
	NetRxBytes, NetTxBytes int64
}

// Meter turns readings of what a run consumes into averages, maxima and sums.
// Safe for concurrent use.
type Meter struct {
	mu       sync.Mutex
	readings float64 // about one a second
	last     Reading
	at       time.Time // of the last reading; zero before the first of an instance

	memAvg, cpuAvg float64
	memMax         int64
	cpuNow, cpuMax float64
	rx, tx         int64 // of instances that are gone
	counts         map[string]float64
}

// Resume gives a meter that goes on where a run's record stands.
func Resume(r api.Run) *Meter {
	s := r.Stats
	m := &Meter{
		readings: s.RunTimeSecs, memAvg: s.MemAvgBytes, cpuAvg: s.CPUAvgUsage, memMax: s.MemMaxBytes, cpuMax: s.CPUMaxUsage,
		rx: s.NetRxBytes, tx: s.NetTxBytes, counts: maps.Clone(r.Usage),
	}
	if m.counts == nil {
		m.counts = map[string]float64{}
	}
	return m
}

// Began says that the next readings are those of something that was started
// just now, and counts from nothing.
func (m *Meter) Began() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rx += m.last.NetRxBytes
	m.tx += m.last.NetTxBytes
	m.last, m.at, m.cpuNow = Reading{}, time.Time{}, 0
}

// TookOver says that the next readings are those of something that ran before,
// whose network the record has counted already in part.
func (m *Meter) TookOver(r Reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rx, m.tx = max(0, m.rx-r.NetRxBytes), max(0, m.tx-r.NetTxBytes)
}

// Add takes a reading. The first one after a start gives no CPU figure yet.
func (m *Meter) Add(u Reading, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if elapsed := now.Sub(m.at); !m.at.IsZero() && elapsed > 0 && u.CPUTime >= m.last.CPUTime {
		m.cpuNow = float64(u.CPUTime-m.last.CPUTime) / float64(elapsed) * 100
	}
	m.readings++
	m.memAvg += (float64(u.MemoryBytes) - m.memAvg) / m.readings
	m.cpuAvg += (m.cpuNow - m.cpuAvg) / m.readings
	m.memMax = max(m.memMax, u.MemoryBytes)
	m.cpuMax = max(m.cpuMax, m.cpuNow)
	m.last, m.at = u, now
}

// Count adds operations.
func (m *Meter) Count(name string, n float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[name] += n
}

// Fill writes the figures into a run's record. Its compute units must be there
// already.
func (m *Meter) Fill(r *api.Run) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &r.Stats
	s.MemAvgBytes, s.MemMaxBytes, s.MemCurrentBytes = m.memAvg, m.memMax, m.last.MemoryBytes
	s.CPUAvgUsage, s.CPUMaxUsage, s.CPUCurrentUsage = m.cpuAvg, m.cpuMax, m.cpuNow
	s.NetRxBytes, s.NetTxBytes = m.rx+m.last.NetRxBytes, m.tx+m.last.NetTxBytes
	if r.Status.Terminal() {
		s.MemCurrentBytes, s.CPUCurrentUsage = 0, 0
	}
	m.counts[ComputeUnits] = s.ComputeUnits
	m.counts[ExternalTransfer] = float64(s.NetRxBytes+s.NetTxBytes) / 1e9
	r.Usage = maps.Clone(m.counts)
	r.UsageUSD, r.UsageTotalUSD = Cost(r.Usage)
}

// Cost gives what usage would cost on the platform, each and in all.
func Cost(usage map[string]float64) (each map[string]float64, total float64) {
	each = make(map[string]float64, len(usage))
	for name, n := range usage {
		each[name] = n * Prices[name]
		total += each[name]
	}
	return each, total
}
