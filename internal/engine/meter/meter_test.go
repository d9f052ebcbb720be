package meter

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestMeter(t *testing.T) {
	m := Resume(api.Run{})
	start := time.Unix(1000, 0)
	m.Began()
	m.Add(Reading{MemoryBytes: 100, NetRxBytes: 5}, start)
	m.Add(Reading{MemoryBytes: 300, CPUTime: time.Second / 2, NetRxBytes: 7, NetTxBytes: 1}, start.Add(time.Second))
	m.Began() // restarted: its own figures begin anew
	m.Add(Reading{MemoryBytes: 200, CPUTime: time.Second, NetRxBytes: 10}, start.Add(2*time.Second))
	m.Count(DatasetWrites, 2000)

	r := api.Run{Status: api.StatusRunning}
	r.Stats.ComputeUnits = 0.5
	m.Fill(&r)
	s := r.Stats
	near(t, "average memory", s.MemAvgBytes, 200)
	near(t, "most memory", float64(s.MemMaxBytes), 300)
	near(t, "present memory", float64(s.MemCurrentBytes), 200)
	near(t, "most CPU", s.CPUMaxUsage, 50)
	near(t, "received", float64(s.NetRxBytes), 17)
	near(t, "sent", float64(s.NetTxBytes), 1)
	near(t, "writes", r.Usage[DatasetWrites], 2000)
	near(t, "their price", r.UsageUSD[DatasetWrites], 0.01)
	near(t, "compute units", r.UsageUSD[ComputeUnits], 0.1)
	near(t, "in all", r.UsageTotalUSD, 0.11+18e-9*0.2)

	// A later engine goes on with what the record says.
	r.Stats.RunTimeSecs = 3
	next := Resume(r)
	next.TookOver(Reading{NetRxBytes: 10})
	next.Add(Reading{MemoryBytes: 600, NetRxBytes: 12}, start.Add(3*time.Second))
	next.Count(DatasetWrites, 1)
	r.Status = api.StatusSucceeded
	next.Fill(&r)
	near(t, "average memory", r.Stats.MemAvgBytes, 300)
	near(t, "received", float64(r.Stats.NetRxBytes), 19)
	near(t, "writes", r.Usage[DatasetWrites], 2001)
	near(t, "present memory of what has ended", float64(r.Stats.MemCurrentBytes), 0)
}

func TestDays(t *testing.T) {
	root := localdir.Open(t.TempDir())
	defer root.Close()
	days := NewDays(root)
	first := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, at := range []time.Time{first, first.Add(time.Second)} {
				if err := days.Book(t.Context(), at, map[string]float64{DatasetReads: 2}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	january, err := days.Between(t.Context(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), first)
	if err != nil || len(january) != 1 || january[Midnight(first)][DatasetReads] != 16 {
		t.Errorf("%v, %v", january, err)
	}
}
