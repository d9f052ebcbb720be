// Package scheduler keeps schedules and starts what they name when their times
// come. A tick is claimed on disk before anything is started, so that none
// happens twice, and what a server that died had claimed and not started is
// started by the next one.
package scheduler

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/schedule"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/task"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Clock tells the time and wakes up.
type Clock interface {
	Now() time.Time
	// After gives a channel that gets the time once d has passed.
	After(d time.Duration) <-chan time.Time
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Config is what a scheduler works with. Logger and Clock may be left out.
type Config struct {
	Store  store.Root
	UserID string
	// StartRun and StartTask start what actions name.
	StartRun  func(ctx context.Context, req engine.StartRequest) (api.Run, error)
	StartTask func(ctx context.Context, ref string, call engine.StartRequest) (api.Run, error)
	// Actor and Task find what actions name, by whatever name; a missing one is
	// fault.NotFound.
	Actor func(ctx context.Context, ref string) (api.Actor, error)
	Task  func(ctx context.Context, ref string) (api.Task, error)

	Logger *slog.Logger
	Clock  Clock
}

// record is a schedule as it is kept.
type record struct {
	api.Schedule
	// Claimed is the tick whose actions are being started.
	Claimed *claim `json:"claimed,omitempty"`
}

type claim struct {
	At   api.Time `json:"at"`
	Left []string `json:"left"` // the ids of actions that are to be started
}

var scheduleKind = store.Kind[record]{Name: "schedule", Index: func(r record) store.Index {
	return store.Index{Unique: strings.ToLower(r.Name), At: r.CreatedAt.Time}
}}

// logKind is the kind of entries of schedules' logs.
var logKind = store.Kind[logEntry]{Name: "schedule-log", Index: func(e logEntry) store.Index {
	return store.Index{At: e.CreatedAt.Time, Fields: map[string]string{store.BySchedule: e.ScheduleID}}
}}

type logEntry struct {
	api.ScheduleLogEntry
	ID         string `json:"id"`
	ScheduleID string `json:"scheduleId"`
}

// Scheduler keeps schedules and starts what they name. Safe for concurrent use.
type Scheduler struct {
	cfg       Config
	schedules store.Records[record]
	logs      store.Records[logEntry]

	mu      sync.Mutex
	next    map[string]time.Time // of enabled schedules, by id
	changed chan struct{}        // has room for one

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes a scheduler. Nothing is started before Start; the caller closes it.
func New(cfg Config) *Scheduler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	s := &Scheduler{
		cfg: cfg, schedules: store.RecordsOf(cfg.Store, scheduleKind), logs: store.RecordsOf(cfg.Store, logKind),
		next: map[string]time.Time{}, changed: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Create makes a schedule. Without a name it gets one.
func (s *Scheduler) Create(ctx context.Context, u api.ScheduleUpdate) (api.Schedule, error) {
	if u.Name == nil || *u.Name == "" {
		name, err := task.FreeName("my-schedule", func(name string) (bool, error) {
			page, err := s.schedules.Page(ctx, store.Query{Unique: strings.ToLower(name), Limit: 1})
			return page.Total > 0, err
		})
		if err != nil {
			return api.Schedule{}, err
		}
		u.Name = &name
	}
	now := api.TimeOf(s.cfg.Clock.Now())
	r := record{Schedule: api.Schedule{ID: store.NewID(), UserID: s.cfg.UserID, CreatedAt: now, ModifiedAt: now}}
	if err := s.apply(ctx, &r, u); err != nil {
		return api.Schedule{}, err
	}
	if err := errTaken(s.schedules.Create(ctx, r.ID, r), r.Name); err != nil {
		return api.Schedule{}, err
	}
	s.plan(r.Schedule)
	return r.Schedule, nil
}

func errTaken(err error, name string) error {
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "there is a schedule named %q already", name).WithType("schedule-name-not-unique")
	}
	return err
}

// apply changes a schedule and says when it comes true next.
func (s *Scheduler) apply(ctx context.Context, r *record, u api.ScheduleUpdate) error {
	if err := schedule.Apply(&r.Schedule, u); err != nil {
		return err
	}
	if u.Actions != nil {
		for i := range r.Actions {
			if err := s.resolve(ctx, &r.Actions[i]); err != nil {
				return err
			}
		}
	}
	r.NextRunAt = nil
	if r.IsEnabled {
		r.NextRunAt = nextAfter(r.Schedule, s.cfg.Clock.Now())
	}
	return nil
}

// resolve turns what an action names into ids.
func (s *Scheduler) resolve(ctx context.Context, a *api.ScheduleAction) error {
	var err error
	typ := "schedule-actor-not-found"
	if a.Type == api.RunActor {
		var actor api.Actor
		actor, err = s.cfg.Actor(ctx, a.ActorID)
		a.ActorID = actor.ID
	} else {
		typ = "schedule-actor-task-not-found"
		var task api.Task
		task, err = s.cfg.Task(ctx, a.ActorTaskID)
		a.ActorTaskID = task.ID
	}
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.InvalidRequest, "an action of the schedule cannot be done: %w", err).WithType(typ)
	}
	return err
}

// nextAfter gives a schedule's first tick after a moment.
func nextAfter(s api.Schedule, after time.Time) *api.Time {
	cron, err := schedule.ParseCron(s.CronExpression, s.Timezone)
	if err != nil {
		return nil // it comes true never again
	}
	var last time.Time
	if s.LastRunAt != nil {
		last = s.LastRunAt.Time
	}
	next, ok := cron.NextTick(after, last)
	if !ok {
		return nil
	}
	at := api.TimeOf(next)
	return &at
}

// Schedule gives a schedule by its id, or by its name with or without a user's
// before it: "username~name", "~name" or "name".
func (s *Scheduler) Schedule(ctx context.Context, id string) (api.Schedule, error) {
	r, err := s.schedules.Get(ctx, id)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.InvalidRequest) {
		name := id
		if i := strings.IndexAny(id, "~/"); i >= 0 {
			name = id[i+1:]
		}
		if name != "" {
			if r, err := s.schedules.First(ctx, store.Query{Unique: strings.ToLower(name)}); err == nil {
				return r.Schedule, nil
			}
		}
		err = fault.New(fault.NotFound, "schedule %q was not found", id)
	}
	return r.Schedule, err
}

// Update changes a schedule.
func (s *Scheduler) Update(ctx context.Context, id string, u api.ScheduleUpdate) (api.Schedule, error) {
	found, err := s.Schedule(ctx, id)
	if err != nil {
		return found, err
	}
	name := ""
	r, err := s.schedules.Update(ctx, found.ID, func(r *record) error {
		if err := s.apply(ctx, r, u); err != nil {
			return err
		}
		r.ModifiedAt, name = api.TimeOf(s.cfg.Clock.Now()), r.Name
		return nil
	})
	if err != nil {
		return r.Schedule, errTaken(err, name)
	}
	s.plan(r.Schedule)
	return r.Schedule, nil
}

// Delete removes a schedule with its log. What it has started goes on.
func (s *Scheduler) Delete(ctx context.Context, id string) error {
	found, err := s.Schedule(ctx, id)
	if err != nil {
		return err
	}
	if err := s.schedules.Delete(ctx, found.ID); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.next, found.ID)
	s.mu.Unlock()
	return s.trim(ctx, found.ID, 0)
}

// Schedules gives the schedules that q selects, in the order of their creation.
func (s *Scheduler) Schedules(ctx context.Context, q store.Query) (store.Page[api.Schedule], error) {
	page, err := s.schedules.Page(ctx, q)
	found := store.Page[api.Schedule]{Total: page.Total, Items: make([]api.Schedule, len(page.Items))}
	for i, r := range page.Items {
		found.Items[i] = r.Schedule
	}
	return found, err
}

// Log gives what a schedule did, the oldest first, at most schedule.MaxLog
// entries.
func (s *Scheduler) Log(ctx context.Context, id string) ([]api.ScheduleLogEntry, error) {
	found, err := s.Schedule(ctx, id)
	if err != nil {
		return nil, err
	}
	page, err := s.logs.Page(ctx, store.Query{Where: map[string][]string{store.BySchedule: {found.ID}}})
	entries := make([]api.ScheduleLogEntry, 0, len(page.Items))
	for _, e := range page.Items {
		entries = append(entries, e.ScheduleLogEntry)
	}
	return entries[max(0, len(entries)-schedule.MaxLog):], err
}

// note adds to a schedule's log.
func (s *Scheduler) note(id, level, message string) {
	ctx := context.WithoutCancel(s.ctx)
	e := logEntry{ID: store.NewID(), ScheduleID: id, ScheduleLogEntry: api.ScheduleLogEntry{
		Message: message, Level: level, CreatedAt: api.TimeOf(s.cfg.Clock.Now()),
	}}
	err := s.logs.Create(ctx, e.ID, e)
	if err == nil {
		err = s.trim(ctx, id, schedule.MaxLog)
	}
	if err != nil {
		s.cfg.Logger.Warn("the log of a schedule cannot be written", "schedule", id, "message", message, "error", err)
	}
}

// trim leaves the newest entries of a log.
func (s *Scheduler) trim(ctx context.Context, id string, leave int) error {
	q := store.Query{Where: map[string][]string{store.BySchedule: {id}}, Limit: 1}
	page, err := s.logs.Page(ctx, q)
	if err != nil || page.Total <= leave {
		return err
	}
	q.Limit = page.Total - leave
	if page, err = s.logs.Page(ctx, q); err != nil {
		return err
	}
	for _, e := range page.Items {
		if err := s.logs.Delete(ctx, e.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}
