package retention

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shop is a real store with a real engine, and a clock.
type shop struct {
	t     *testing.T
	root  *embedded.Root
	sweep Sweeper
	now   time.Time
}

func newShop(t *testing.T) *shop {
	t.Helper()
	root, err := embedded.Open(t.TempDir(), embedded.Options{Durability: embedded.Relaxed})
	must(t, err)
	t.Cleanup(func() { root.Close() })
	e := engine.New(engine.Config{Store: root})
	t.Cleanup(e.Close)
	s := &shop{t: t, root: root, now: time.Now()}
	s.sweep = Sweeper{
		Runs: e, Storages: root, Age: 7 * 24 * time.Hour, Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return s.now },
	}
	return s
}

func (s *shop) dataset(name string) string {
	s.t.Helper()
	d, _, err := s.root.Datasets().Create(s.t.Context(), store.CreateOptions{Name: name})
	must(s.t, err)
	must(s.t, d.Append(s.t.Context(), []json.RawMessage{[]byte(`{"a":1}`)}))
	return d.ID()
}

// run makes a run that has a dataset, and one more by an alias.
func (s *shop) run(id string, status api.Status, finished time.Time) (datasets []string) {
	s.t.Helper()
	first, second := s.dataset(""), s.dataset("")
	r := api.Run{
		ID: id, Status: status, DefaultDatasetID: first,
		StorageIDs: api.StorageIDs{Datasets: map[string]string{"default": first, "more": second}},
	}
	if !finished.IsZero() {
		at := api.TimeOf(finished)
		r.FinishedAt = &at
	}
	must(s.t, s.root.Runs().Create(s.t.Context(), id, r))
	must(s.t, s.root.Logs().Append(s.t.Context(), id, []byte("log of "+id)))
	return []string{first, second}
}

func (s *shop) swept(runs, storages int) {
	s.t.Helper()
	got, err := s.sweep.Sweep(s.t.Context())
	if err != nil || got != (Swept{runs, storages}) {
		s.t.Errorf("swept %+v, %v; want %d runs and %d storages", got, err, runs, storages)
	}
}

func (s *shop) there(datasets []string, want bool) {
	s.t.Helper()
	for _, id := range datasets {
		if _, err := s.root.Datasets().Open(s.t.Context(), id); want && err != nil || !want && !fault.Is(err, fault.NotFound) {
			s.t.Errorf("dataset %s: %v, should be there: %t", id, err, want)
		}
	}
}

func (s *shop) log(id string) string {
	s.t.Helper()
	r, err := s.root.Logs().Open(s.t.Context(), id, 0)
	must(s.t, err)
	defer r.Close()
	text, err := io.ReadAll(r)
	must(s.t, err)
	return string(text)
}

func TestSweep(t *testing.T) {
	s := newShop(t)
	start := s.now
	const day = 24 * time.Hour
	named, unnamed := []string{s.dataset("kept")}, []string{s.dataset("")}
	ended := s.run("ended", api.StatusSucceeded, start)
	later := s.run("later", api.StatusFailed, start.Add(5*day))
	living := s.run("living", api.StatusRunning, time.Time{})

	s.now = start.Add(6 * day)
	s.swept(0, 0)

	// A week on, what is named, lives, or has not ended long enough stays.
	s.now = start.Add(8 * day)
	s.swept(1, 3)
	s.there(named, true)
	s.there(unnamed, false)
	s.there(ended, false)
	s.there(later, true)
	s.there(living, true)
	if _, err := s.root.Runs().Get(t.Context(), "ended"); !fault.Is(err, fault.NotFound) || s.log("ended") != "" {
		t.Errorf("the run that ended: %v, log %q", err, s.log("ended"))
	}
	if s.log("later") != "log of later" {
		t.Error("the log of the other run is gone")
	}

	s.now = start.Add(13 * day)
	s.swept(1, 2)
	s.there(later, false)

	// A year on as well.
	s.now = start.Add(365 * day)
	s.swept(0, 0)
	s.there(named, true)
	s.there(living, true)
	_, err := s.root.Runs().Update(t.Context(), "living", func(r *api.Run) error {
		at := api.TimeOf(start.Add(366 * day))
		r.Status, r.FinishedAt = api.StatusAborted, &at
		return nil
	})
	must(t, err)
	s.now = start.Add(370 * day)
	s.swept(0, 0)
	s.now = start.Add(374 * day)
	s.swept(1, 2)
	s.there(living, false)
	s.there(named, true)
}

// resurrected is an engine in which a run came back to life just now.
type resurrected struct {
	others Runs
	id     string
}

func (r resurrected) Runs(ctx context.Context, q store.Query) (store.Page[api.Run], error) {
	return r.others.Runs(ctx, q)
}

func (r resurrected) DeleteRun(ctx context.Context, id string) error {
	if id == r.id {
		return fault.New(fault.InvalidRequest, "Actor run %q has not finished", id)
	}
	return r.others.DeleteRun(ctx, id)
}

// A run that is started again while it expires keeps its storages.
func TestRunThatCameBack(t *testing.T) {
	s := newShop(t)
	back := s.run("back", api.StatusFailed, s.now)
	gone := s.run("gone", api.StatusFailed, s.now)
	s.sweep.Runs = resurrected{s.sweep.Runs, "back"}
	s.now = s.now.Add(8 * 24 * time.Hour)
	s.swept(1, 2)
	s.there(back, true)
	s.there(gone, false)
}

// More runs than are looked at at once.
func TestManyRuns(t *testing.T) {
	s := newShop(t)
	const many = pageOfRuns + 10
	at := api.TimeOf(s.now)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for range many / 20 {
				id := store.NewID()
				if err := s.root.Runs().Create(t.Context(), id, api.Run{ID: id, Status: api.StatusSucceeded, FinishedAt: &at}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	s.now = s.now.Add(8 * 24 * time.Hour)
	s.swept(many/20*20, 0)
	s.swept(0, 0)
}

func TestInterval(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		time.Second: time.Second, time.Minute: 6 * time.Second, 7 * 24 * time.Hour: time.Hour,
	} {
		if got := (&Sweeper{Age: age}).interval(); got != want {
			t.Errorf("every %v at an age of %v", got, age)
		}
	}
}

// Run sweeps until it is stopped, and says what it did.
func TestRun(t *testing.T) {
	s := newShop(t)
	s.run("ended", api.StatusSucceeded, s.now.Add(-time.Hour))
	var log bytes.Buffer
	s.sweep.Age, s.sweep.Now, s.sweep.Logger = time.Second, nil, slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.sweep.Run(ctx)
	}()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := s.root.Runs().Get(t.Context(), "ended"); fault.Is(err, fault.NotFound) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was swept")
		}
	}
	cancel()
	<-done
	if !strings.Contains(log.String(), "runs=1") {
		t.Errorf("the log says %q", log.String())
	}
}
