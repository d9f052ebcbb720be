// Command seed writes runs that have ended into the data directory of a server
// that does not run, without any code of theirs: seed DIR USER RUNS ACTOR...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	if len(args) < 4 {
		return errors.New("usage: seed DIR USER RUNS ACTOR [ACTOR]")
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	root, err := embedded.Open(args[0], embedded.Options{Durability: embedded.Relaxed})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	// Writes that come together share a transaction. The order of runs that do
	// is any, as it is on a busy server.
	const together = 64
	records := store.RecordsOf(root, store.RunKind)
	begun := time.Now().Add(-time.Duration(n) * time.Minute)
	for first := 0; first < n; first += together {
		var wait sync.WaitGroup
		failed := make([]error, together)
		for i := first; i < min(first+together, n); i++ {
			wait.Go(func() {
				r := ended(i, begun.Add(time.Duration(i)*time.Minute), args[1], args[3+i%(len(args)-3)])
				failed[i-first] = records.Create(context.Background(), r.ID, r)
			})
		}
		wait.Wait()
		if err := errors.Join(failed...); err != nil {
			return err
		}
	}
	return nil
}

// ended is a run of ordinary size: of ten, one has failed.
func ended(n int, started time.Time, user, actor string) api.Run {
	finished, code, message, number := api.TimeOf(started.Add(42*time.Second)), 0, "Finished: 120 pages", "0.1.1"
	r := api.Run{
		ID: store.NewID(), ActorID: actor, UserID: user, StartedAt: api.TimeOf(started), FinishedAt: &finished,
		Status: api.StatusSucceeded, StatusMessage: &message, Meta: api.RunMeta{Origin: "API", ClientIP: "127.0.0.1", UserAgent: "ApifyClient/2.0"},
		Options: api.RunOptions{Build: "latest", TimeoutSecs: 3600, MemoryMbytes: 1024, DiskMbytes: 2048},
		BuildID: actor, BuildNumber: &number, ExitCode: &code, GeneralAccess: "FOLLOW_USER_SETTING",
		DefaultKeyValueStoreID: store.NewID(), DefaultDatasetID: store.NewID(), DefaultRequestQueueID: store.NewID(),
		Usage:    map[string]float64{"ACTOR_COMPUTE_UNITS": 0.0117, "DATASET_WRITES": 120, "KEY_VALUE_STORE_READS": 1},
		UsageUSD: map[string]float64{"ACTOR_COMPUTE_UNITS": 0.0047, "DATASET_WRITES": 0.0006, "KEY_VALUE_STORE_READS": 0.000005},
	}
	r.Stats.DurationMillis, r.Stats.RunTimeSecs, r.Stats.ComputeUnits = 42_000, 42, 0.0117
	r.Stats.MemAvgBytes, r.Stats.MemMaxBytes, r.Stats.CPUAvgUsage = 200e6, 300e6, 31
	if n%10 == 9 {
		r.Status, code, message = api.StatusFailed, 1, "The process exited with code 1"
	}
	return r
}
