package scheduler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/schedule"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	// grace is how late a tick may be: longer than a restart of the server takes.
	// Later ones are skipped, so that nothing starts in a burst.
	grace = time.Minute
	// longest is how long the scheduler sleeps at most: the machine may sleep
	// too, which stops timers and not the clock.
	longest = 30 * time.Second
)

// Levels of entries in a schedule's log.
const (
	info    = "INFO"
	failure = "ERROR"
)

// Start takes up what a scheduler before this one left, and starts what is due
// from now on.
func (s *Scheduler) Start(ctx context.Context) error {
	all, err := s.schedules.List(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Claimed != nil {
			s.background(func() { s.resume(r) })
		}
		s.plan(r.Schedule)
	}
	s.background(s.run)
	return nil
}

// Close stops the ticks and waits for what is being started.
func (s *Scheduler) Close() {
	s.cancel()
	s.work.Wait()
}

func (s *Scheduler) background(f func()) {
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		f()
	}()
}

// plan remembers when a schedule is to tick.
func (s *Scheduler) plan(v api.Schedule) {
	s.mu.Lock()
	if v.IsEnabled && v.NextRunAt != nil {
		s.next[v.ID] = v.NextRunAt.Time
	} else {
		delete(s.next, v.ID)
	}
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// due takes the schedules whose time has come out of the plan, and tells how
// long there is to wait for the next one.
func (s *Scheduler) due(now time.Time) (ids []string, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait = longest
	for id, at := range s.next {
		if left := at.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		delete(s.next, id)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, wait
}

func (s *Scheduler) run() {
	for s.ctx.Err() == nil {
		ids, wait := s.due(s.cfg.Clock.Now())
		for _, id := range ids {
			s.tick(id)
		}
		if len(ids) > 0 {
			continue
		}
		select {
		case <-s.changed:
		case <-s.cfg.Clock.After(wait):
		case <-s.ctx.Done():
		}
	}
}

// errNothing is why a claim claims nothing.
var errNothing = fault.New(fault.Conflict, "nothing is due")

// tick claims what is due of a schedule and has it started.
func (s *Scheduler) tick(id string) {
	ctx := context.WithoutCancel(s.ctx)
	var missed string
	r, err := s.schedules.Update(ctx, id, func(r *record) error {
		now := s.cfg.Clock.Now()
		if !r.IsEnabled || r.NextRunAt == nil || r.NextRunAt.After(now) {
			return errNothing
		}
		at, skipped := lastDue(r.Schedule, now)
		missed = skipped
		r.Claimed = nil
		if !at.IsZero() {
			last := api.TimeOf(at)
			r.LastRunAt = &last
			r.Claimed = &claim{At: last}
			for _, a := range r.Actions {
				r.Claimed.Left = append(r.Claimed.Left, a.ID)
			}
		}
		r.NextRunAt = nextAfter(r.Schedule, now)
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		return
	}
	if err == errNothing {
		// It was changed in the meantime, and planned anew then; what it says now
		// counts in any case.
		if v, err := s.Schedule(ctx, id); err == nil {
			s.plan(v)
		}
		return
	}
	if err != nil {
		s.cfg.Logger.Error("a schedule cannot tick; it is tried again in a minute", "schedule", id, "error", err)
		s.mu.Lock()
		s.next[id] = s.cfg.Clock.Now().Add(time.Minute)
		s.mu.Unlock()
		return
	}
	s.plan(r.Schedule)
	if missed != "" {
		s.note(id, failure, missed)
	}
	if r.Claimed != nil {
		s.background(func() { s.invoke(ctx, r) })
	}
}

// lastDue gives the newest tick that is due and not too late, zero for none, and
// what is to be said about those that are skipped.
func lastDue(v api.Schedule, now time.Time) (at time.Time, skipped string) {
	first := v.NextRunAt.Time
	cron, err := schedule.ParseCron(v.CronExpression, v.Timezone)
	if err != nil {
		return time.Time{}, err.Error()
	}
	const most = 1000
	missed := 0
	tick := first
	for {
		next, ok := cron.NextTick(tick, tick)
		if !ok || next.After(now) {
			break
		}
		if missed++; missed == most { // count no further
			tick = now.Add(-grace)
			if next, ok = cron.Next(tick); !ok || next.After(now) {
				tick = first
				break
			}
		}
		tick = next
	}
	if now.Sub(tick) <= grace {
		at = tick
	} else {
		missed++
	}
	if missed == 0 {
		return at, ""
	}
	count := fmt.Sprint(missed)
	if missed >= most {
		count = fmt.Sprintf("%d or more", most)
	}
	return at, fmt.Sprintf("Skipped %s invocations that were due since %s, when the scheduler was not running", count, api.TimeOf(first))
}

// unfinished are the statuses of runs that have not ended.
var unfinished = []string{string(api.StatusReady), string(api.StatusRunning), string(api.StatusTimingOut), string(api.StatusAborting)}

// invoke starts what a claimed tick is to start.
func (s *Scheduler) invoke(ctx context.Context, r record) {
	if r.IsExclusive {
		page, err := s.cfg.Store.Runs().Page(ctx, store.Query{Limit: 1, Where: map[string][]string{
			store.BySchedule: {r.ID}, store.ByStatus: unfinished,
		}})
		if err == nil && page.Total > 0 {
			s.note(r.ID, info, fmt.Sprintf("Schedule not invoked: the run %s of the last invocation has not finished", page.Items[0].ID))
			s.done(ctx, r.ID, r.Claimed.At, r.Claimed.Left...)
			return
		}
	}
	s.note(r.ID, info, "Schedule invoked")
	s.actions(ctx, r)
}

// actions starts, side by side, the actions of a claim that are left.
func (s *Scheduler) actions(ctx context.Context, r record) {
	var all sync.WaitGroup
	for _, a := range r.Actions {
		if !slices.Contains(r.Claimed.Left, a.ID) {
			continue
		}
		all.Go(func() {
			what := fmt.Sprintf("Actor %q", a.ActorID)
			if a.Type == api.RunActorTask {
				what = fmt.Sprintf("Actor task %q", a.ActorTaskID)
			}
			if err := s.start(ctx, r, a); err != nil {
				s.note(r.ID, failure, fmt.Sprintf("Cannot start %s: %v", what, err))
			}
			s.done(ctx, r.ID, r.Claimed.At, a.ID)
		})
	}
	all.Wait()
}

func (s *Scheduler) start(ctx context.Context, r record, a api.ScheduleAction) error {
	at := r.Claimed.At
	req := engine.StartRequest{Meta: api.RunMeta{Origin: "SCHEDULER", ScheduleID: r.ID, ScheduledAt: &at}}
	if a.Type == api.RunActorTask {
		if len(a.Input) > 0 && string(a.Input) != "null" {
			req.Input = &engine.Input{ContentType: "application/json; charset=utf-8", Body: a.Input}
		}
		_, err := s.cfg.StartTask(ctx, a.ActorTaskID, req)
		return err
	}
	req.Actor = a.ActorID
	if in := a.RunInput; in != nil && in.Body != nil {
		req.Input = &engine.Input{Body: []byte(*in.Body), ContentType: "application/json; charset=utf-8"}
		if in.ContentType != nil && *in.ContentType != "" {
			req.Input.ContentType = *in.ContentType
		}
	}
	if o := a.RunOptions; o != nil {
		req.TimeoutSecs, req.MemoryMbytes, req.MaxItems, req.MaxTotalUSD = o.TimeoutSecs, o.MemoryMbytes, o.MaxItems, o.MaxTotalChargeUSD
		req.RestartOnError = o.RestartOnError
		if o.Build != nil {
			req.Build = *o.Build
		}
	}
	_, err := s.cfg.StartRun(ctx, req)
	return err
}

// done takes actions off a claim.
func (s *Scheduler) done(ctx context.Context, id string, at api.Time, actions ...string) {
	_, err := s.schedules.Update(ctx, id, func(r *record) error {
		if r.Claimed == nil || !r.Claimed.At.Equal(at.Time) {
			return errNothing // a later tick has taken over
		}
		r.Claimed.Left = slices.DeleteFunc(r.Claimed.Left, func(id string) bool { return slices.Contains(actions, id) })
		if len(r.Claimed.Left) == 0 {
			r.Claimed = nil
		}
		return nil
	})
	if err != nil && err != errNothing && !fault.Is(err, fault.NotFound) {
		s.cfg.Logger.Warn("a schedule does not know what it has started", "schedule", id, "error", err)
	}
}

// resume starts what a scheduler that died had claimed and not started. Whether
// it had is to be seen from the runs there are.
func (s *Scheduler) resume(r record) {
	ctx := context.WithoutCancel(s.ctx)
	at := r.Claimed.At
	started, err := s.cfg.Store.Runs().Page(ctx, store.Query{After: at.Time, Where: map[string][]string{store.BySchedule: {r.ID}}})
	if err != nil {
		s.cfg.Logger.Error("what a schedule had started cannot be found out", "schedule", r.ID, "error", err)
		return
	}
	for _, run := range started.Items {
		if run.Meta.ScheduledAt == nil || !run.Meta.ScheduledAt.Equal(at.Time) {
			continue
		}
		for _, a := range r.Actions {
			same := a.Type == api.RunActor && run.ActorTaskID == nil && a.ActorID == run.ActorID ||
				a.Type == api.RunActorTask && run.ActorTaskID != nil && a.ActorTaskID == *run.ActorTaskID
			if i := slices.Index(r.Claimed.Left, a.ID); same && i >= 0 {
				r.Claimed.Left = slices.Delete(r.Claimed.Left, i, i+1)
				s.done(ctx, r.ID, at, a.ID)
				break // one run is of one action
			}
		}
	}
	if len(r.Claimed.Left) == 0 {
		s.done(ctx, r.ID, at)
		return
	}
	if s.cfg.Clock.Now().Sub(at.Time) > grace {
		s.note(r.ID, failure, fmt.Sprintf("Skipped what was to be started at %s, when the server ended", at))
		s.done(ctx, r.ID, at, r.Claimed.Left...)
		return
	}
	s.actions(ctx, r)
}
