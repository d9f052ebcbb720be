package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// fakeClock stands still until it is moved.
type fakeClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting map[chan time.Time]time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.waiting[ch] = c.now.Add(d)
	return ch
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for ch, at := range c.waiting {
		if !at.After(c.now) {
			ch <- c.now
			delete(c.waiting, ch)
		}
	}
}

// world is a scheduler's surroundings, which outlive it.
type world struct {
	t     *testing.T
	root  *localdir.Root
	clock *fakeClock
	*Scheduler

	mu      sync.Mutex
	started []engine.StartRequest
	refuse  error
	before  func() // is called before a run is started
}

func newWorld(t *testing.T) *world {
	start := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	w := &world{t: t, root: localdir.Open(t.TempDir()), clock: &fakeClock{now: start, waiting: map[chan time.Time]time.Time{}}}
	w.open()
	t.Cleanup(func() {
		w.Close()
		if err := w.root.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// open makes another scheduler of the same world, as a restart does.
func (w *world) open() {
	w.Scheduler = New(Config{
		Store: w.root, UserID: "user1", Clock: w.clock,
		Actor: func(_ context.Context, ref string) (api.Actor, error) {
			if strings.HasPrefix(ref, "no") {
				return api.Actor{}, fault.New(fault.NotFound, "Actor %q was not found", ref)
			}
			return api.Actor{ID: strings.TrimPrefix(ref, "me~")}, nil
		},
		Task: func(_ context.Context, ref string) (api.Task, error) {
			if strings.HasPrefix(ref, "no") {
				return api.Task{}, fault.New(fault.NotFound, "Actor task %q was not found", ref)
			}
			return api.Task{ID: ref, ActorID: "actor1"}, nil
		},
		StartRun: w.run,
		StartTask: func(ctx context.Context, ref string, call engine.StartRequest) (api.Run, error) {
			call.TaskID, call.Actor = ref, "actor1"
			return w.run(ctx, call)
		},
	})
	if err := w.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) run(ctx context.Context, req engine.StartRequest) (api.Run, error) {
	w.mu.Lock()
	before, refuse := w.before, w.refuse
	w.mu.Unlock()
	if before != nil {
		before()
	}
	if refuse != nil {
		return api.Run{}, refuse
	}
	r := api.Run{ID: store.NewID(), ActorID: req.Actor, Status: api.StatusRunning, Meta: req.Meta, StartedAt: api.TimeOf(w.clock.Now())}
	if req.TaskID != "" {
		r.ActorTaskID = &req.TaskID
	}
	if err := w.root.Runs().Create(ctx, r.ID, r); err != nil {
		return r, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, req)
	return r, nil
}

// starts waits until so many runs were started, and gives them; a little longer,
// to see that there are no more.
func (w *world) starts(want int) []engine.StartRequest {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		got := slices.Clone(w.started)
		w.mu.Unlock()
		if len(got) >= want || time.Now().After(deadline) {
			time.Sleep(20 * time.Millisecond)
			w.mu.Lock()
			got = slices.Clone(w.started)
			w.mu.Unlock()
			if len(got) != want {
				w.t.Fatalf("%d runs were started, want %d", len(got), want)
			}
			return got
		}
	}
}

func (w *world) create(text string) api.Schedule {
	w.t.Helper()
	var u api.ScheduleUpdate
	if err := json.Unmarshal([]byte(text), &u); err != nil {
		w.t.Fatal(err)
	}
	s, err := w.Create(w.t.Context(), u)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// logged waits for the log of a schedule to have so many entries.
func (w *world) logged(id string, want int) (lines []string) {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		entries, err := w.Log(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(entries) == want {
			for _, e := range entries {
				lines = append(lines, e.Level+" "+e.Message)
			}
			return lines
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the log is %+v, want %d entries", entries, want)
		}
	}
}

const everyMinute = `{"name":"minutely","cronExpression":"* * * * *","isEnabled":true,"isExclusive":false,"actions":[
	{"type":"RUN_ACTOR","actorId":"me~actor1","runInput":{"body":"{\"a\":1}","contentType":"application/json"},"runOptions":{"build":"beta","memoryMbytes":256,"timeoutSecs":7,"restartOnError":true}},
	{"type":"RUN_ACTOR_TASK","actorTaskId":"task1","input":{"b":2}}]}`

func TestTicks(t *testing.T) {
	w := newWorld(t)
	s := w.create(everyMinute)
	if s.NextRunAt == nil || s.NextRunAt.String() != "2026-01-31T12:01:00.000Z" || s.LastRunAt != nil || s.Actions[0].ActorID != "actor1" {
		t.Fatalf("%+v", s)
	}
	w.clock.move(59 * time.Second)
	w.starts(0)
	w.clock.move(time.Second)
	got := w.starts(2)
	slices.SortFunc(got, func(a, b engine.StartRequest) int { return strings.Compare(a.TaskID, b.TaskID) })
	a, b := got[0], got[1]
	if a.Actor != "actor1" || string(a.Input.Body) != `{"a":1}` || a.Build != "beta" || *a.MemoryMbytes != 256 || *a.TimeoutSecs != 7 || !*a.RestartOnError || a.MaxItems != nil {
		t.Errorf("%+v", a)
	}
	if b.TaskID != "task1" || strings.Join(strings.Fields(string(b.Input.Body)), "") != `{"b":2}` {
		t.Errorf("%+v", b)
	}
	for _, req := range got {
		if req.Meta.Origin != "SCHEDULER" || req.Meta.ScheduleID != s.ID || req.Meta.ScheduledAt.String() != "2026-01-31T12:01:00.000Z" {
			t.Errorf("%+v", req.Meta)
		}
	}
	s, err := w.Schedule(t.Context(), s.ID)
	if err != nil || s.LastRunAt.String() != "2026-01-31T12:01:00.000Z" || s.NextRunAt.String() != "2026-01-31T12:02:00.000Z" {
		t.Errorf("%+v, %v", s, err)
	}
	w.logged(s.ID, 1)
	w.clock.move(time.Minute)
	w.starts(4)
	off := false
	if s, err = w.Update(t.Context(), s.ID, api.ScheduleUpdate{IsEnabled: &off}); err != nil || s.NextRunAt != nil {
		t.Errorf("%+v, %v", s, err)
	}
	w.clock.move(time.Hour)
	w.starts(4)
	on, cron := true, "30 * * * *"
	if s, err = w.Update(t.Context(), "~minutely", api.ScheduleUpdate{IsEnabled: &on, CronExpression: &cron}); err != nil || s.NextRunAt.String() != "2026-01-31T13:30:00.000Z" {
		t.Errorf("%+v, %v", s, err)
	}
	w.clock.move(28 * time.Minute)
	w.starts(6)
	if err := w.Delete(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.move(2 * time.Hour)
	w.starts(6)
	if _, err := w.Log(t.Context(), s.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if left, err := w.logs.List(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("%d entries of the log are left, %v", len(left), err)
	}
}

func TestMissedTicksAreSkipped(t *testing.T) {
	w := newWorld(t)
	s := w.create(everyMinute)
	w.Close()
	w.clock.move(3*time.Hour + 70*time.Second)
	w.open()
	// The newest one is ten seconds late, which is not too late.
	got := w.starts(2)
	if at := got[0].Meta.ScheduledAt.String(); at != "2026-01-31T15:01:00.000Z" {
		t.Errorf("started for %s", at)
	}
	lines := w.logged(s.ID, 2)
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "ERROR Skipped 180 invocations") }) {
		t.Errorf("the log is %q", lines)
	}
	w.Close()
	w.clock.move(40 * 24 * time.Hour)
	w.open()
	w.starts(4)
	if lines := w.logged(s.ID, 4); !strings.Contains(strings.Join(lines, "\n"), "Skipped 1000 or more") {
		t.Errorf("the log is %q", lines)
	}
	// One that is too late is not started at all.
	daily := w.create(`{"cronExpression":"0 12 * * *","isEnabled":true,"actions":[{"type":"RUN_ACTOR","actorId":"a"}]}`)
	w.Close()
	next := daily.NextRunAt.Time
	w.clock.move(next.Sub(w.clock.Now()) + 10*time.Minute)
	w.open()
	w.logged(daily.ID, 1)
	after, err := w.Schedule(t.Context(), daily.ID)
	if err != nil || after.LastRunAt != nil || !after.NextRunAt.Equal(next.Add(24*time.Hour)) {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestExclusive(t *testing.T) {
	w := newWorld(t)
	s := w.create(`{"cronExpression":"* * * * *","isEnabled":true,"isExclusive":true,"actions":[{"type":"RUN_ACTOR","actorId":"a"}]}`)
	w.clock.move(time.Minute)
	w.starts(1)
	w.clock.move(time.Minute)
	lines := w.logged(s.ID, 2)
	w.starts(1)
	if !strings.Contains(strings.Join(lines, "\n"), "has not finished") {
		t.Errorf("the log is %q", lines)
	}
	runs, err := w.root.Runs().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.root.Runs().Update(t.Context(), runs[0].ID, func(r *api.Run) error { r.Status = api.StatusSucceeded; return nil }); err != nil {
		t.Fatal(err)
	}
	w.clock.move(time.Minute)
	w.starts(2)
}

func TestWhatCannotBeStartedIsLogged(t *testing.T) {
	w := newWorld(t)
	w.refuse = fault.New(fault.NotFound, "Actor \"actor1\" was not found")
	s := w.create(everyMinute)
	w.clock.move(time.Minute)
	lines := strings.Join(w.logged(s.ID, 3), "\n")
	for _, want := range []string{`INFO Schedule invoked`, `ERROR Cannot start Actor "actor1": Actor "actor1" was not found`, `ERROR Cannot start Actor task "task1"`} {
		if !strings.Contains(lines, want) {
			t.Errorf("the log has no %q:\n%s", want, lines)
		}
	}
	for n := range 21 {
		w.note(s.ID, info, fmt.Sprint(n))
	}
	if err := w.trim(t.Context(), s.ID, 10); err != nil {
		t.Fatal(err)
	}
	if lines := w.logged(s.ID, 10); lines[9] != "INFO 20" {
		t.Errorf("the newest entries are not kept: %q", lines)
	}
}

// TestNoTickTwice kills the scheduler while it starts what a tick is to start.
func TestNoTickTwice(t *testing.T) {
	w := newWorld(t)
	w.Close()
	// What a scheduler leaves that dies after the first of two runs was started.
	at := api.TimeOf(w.clock.Now())
	s := record{Schedule: api.Schedule{
		ID: store.NewID(), Name: "killed", CronExpression: "0 * * * *", Timezone: "UTC", IsEnabled: true, CreatedAt: at, ModifiedAt: at, LastRunAt: &at,
		Actions: []api.ScheduleAction{
			{ID: "a1", Type: api.RunActor, ActorID: "actor1"}, {ID: "a2", Type: api.RunActor, ActorID: "actor1"}, {ID: "a3", Type: api.RunActorTask, ActorTaskID: "task1"},
		},
	}, Claimed: &claim{At: at, Left: []string{"a1", "a2", "a3"}}}
	s.NextRunAt = nextAfter(s.Schedule, at.Time)
	if err := w.schedules.Create(t.Context(), s.ID, s); err != nil {
		t.Fatal(err)
	}
	meta := api.RunMeta{Origin: "SCHEDULER", ScheduleID: s.ID, ScheduledAt: &at}
	if _, err := w.run(t.Context(), engine.StartRequest{Actor: "actor1", Meta: meta}); err != nil {
		t.Fatal(err)
	}
	w.clock.move(5 * time.Second)
	w.open()
	got := w.starts(3)
	tasks := 0
	for _, req := range got {
		if req.TaskID != "" {
			tasks++
		}
		if !req.Meta.ScheduledAt.Equal(at.Time) {
			t.Errorf("%+v", req.Meta)
		}
	}
	if tasks != 1 {
		t.Errorf("%d runs of the task", tasks)
	}
	w.Close()
	w.open() // nothing is left to do
	w.starts(3)
	if r, err := w.schedules.Get(t.Context(), s.ID); err != nil || r.Claimed != nil {
		t.Errorf("%+v, %v", r.Claimed, err)
	}
}

func TestManySchedulesManyRestarts(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for range 5 {
		ids = append(ids, w.create(`{"cronExpression":"*/15 * * * * *","isEnabled":true,"actions":[{"type":"RUN_ACTOR","actorId":"a"}]}`).ID)
	}
	for n := range 12 {
		w.clock.move(5 * time.Second)
		if n%2 == 0 {
			w.Close()
			w.open()
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.clock.move(time.Second)
	got := w.starts(4 * len(ids))
	seen := map[string]bool{}
	for _, req := range got {
		key := req.Meta.ScheduleID + req.Meta.ScheduledAt.String()
		if seen[key] {
			t.Errorf("a tick happened twice: %s", key)
		}
		seen[key] = true
	}
}

func TestCreate(t *testing.T) {
	w := newWorld(t)
	first := w.create(`{"cronExpression":"@daily"}`)
	second := w.create(`{"cronExpression":"@daily","isEnabled":null,"name":null}`)
	if first.Name != "my-schedule" || second.Name != "my-schedule-2" || first.IsEnabled || first.NextRunAt != nil || first.Actions == nil {
		t.Errorf("%+v %+v", first, second)
	}
	for text, want := range map[string]struct {
		code fault.Code
		typ  string
	}{
		`{"cronExpression":"@daily","name":"My-Schedule"}`:                                       {fault.Conflict, "schedule-name-not-unique"},
		`{"cronExpression":"@daily","actions":[{"type":"RUN_ACTOR","actorId":"nobody"}]}`:        {fault.InvalidRequest, "schedule-actor-not-found"},
		`{"cronExpression":"@daily","actions":[{"type":"RUN_ACTOR_TASK","actorTaskId":"none"}]}`: {fault.InvalidRequest, "schedule-actor-task-not-found"},
		`{"cronExpression":"x"}`: {fault.InvalidRequest, "cron-expression-invalid"},
	} {
		var u api.ScheduleUpdate
		if err := json.Unmarshal([]byte(text), &u); err != nil {
			t.Fatal(err)
		}
		_, err := w.Create(t.Context(), u)
		var e *fault.Error
		if !fault.Is(err, want.code) {
			t.Errorf("%s: %v", text, err)
		} else if e, _ = err.(*fault.Error); e.WireType() != want.typ {
			t.Errorf("%s: %s, want %s", text, e.WireType(), want.typ)
		}
	}
	name := first.Name
	if _, err := w.Update(t.Context(), second.ID, api.ScheduleUpdate{Name: &name}); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	page, err := w.Schedules(t.Context(), store.Query{Limit: 1, Desc: true})
	if err != nil || page.Total != 2 || page.Items[0].ID != second.ID {
		t.Errorf("%+v, %v", page, err)
	}
	for _, ref := range []string{"nothing", "../x", "~none", ""} {
		if _, err := w.Schedule(t.Context(), ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}
