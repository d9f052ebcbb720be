package dispatch

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// queue orders the dispatches that are to be sent by when.
type queue struct {
	mu      sync.Mutex
	entries entries
	queued  map[string]bool // by id: each is in there once
	changed chan struct{}   // has room for one
}

type entry struct {
	id string
	at time.Time
}

type entries []entry

func (e entries) Len() int           { return len(e) }
func (e entries) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e entries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)        { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newQueue() queue {
	return queue{queued: map[string]bool{}, changed: make(chan struct{}, 1)}
}

func (q *queue) add(id string, at time.Time) {
	q.mu.Lock()
	if !q.queued[id] {
		q.queued[id] = true
		heap.Push(&q.entries, entry{id, at})
	}
	q.mu.Unlock()
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// look takes the next entry that is due; else it tells how long to wait, at most
// longest: the machine may sleep, which stops timers and not the clock.
func (q *queue) look(now time.Time) (id string, wait time.Duration) {
	const longest = 30 * time.Second
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == 0 {
		return "", longest
	}
	if wait := q.entries[0].at.Sub(now); wait > 0 {
		return "", min(wait, longest)
	}
	id = heap.Pop(&q.entries).(entry).id
	delete(q.queued, id)
	return id, 0
}

// kept is how long dispatches and ad-hoc webhooks are remembered.
const kept = 30 * 24 * time.Hour

// Start takes up what a dispatcher before this one left, and sends from now on.
func (d *Dispatcher) Start(ctx context.Context) error {
	active, err := d.items.Page(ctx, store.Query{Where: map[string][]string{store.ByStatus: {api.DispatchActive}}})
	if err != nil {
		return err
	}
	for _, i := range active.Items {
		at := time.Now()
		if n := len(i.Calls); n > 0 && i.Calls[n-1].FinishedAt == nil {
			if err := d.interrupted(ctx, i.ID); err != nil {
				return err
			}
		} else if i.NextAt != nil {
			at = i.NextAt.Time
		}
		d.queue.add(i.ID, at)
	}
	d.work.Add(2)
	go d.run()
	go d.forget()
	return nil
}

// interrupted ends the call that was under way when the server died. Nobody
// knows whether it was heard, so it does not count and is made again.
func (d *Dispatcher) interrupted(ctx context.Context, id string) error {
	_, err := d.items.Update(ctx, id, func(i *item) error {
		now, message := api.Now(), "the server ended during the call"
		last := &i.Calls[len(i.Calls)-1]
		last.FinishedAt, last.ErrorMessage = &now, &message
		i.NextAt = &now
		return nil
	})
	return err
}

// Close stops sending, and waits for the calls under way, which it breaks off.
// Whatever was not sent is sent after the next start.
func (d *Dispatcher) Close() {
	d.cancel()
	d.work.Wait()
	d.send.close()
}

func (d *Dispatcher) run() {
	defer d.work.Done()
	places := make(chan struct{}, d.cfg.Calls)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		id, wait := d.queue.look(time.Now())
		if id == "" {
			timer.Reset(wait)
			select {
			case <-d.queue.changed:
			case <-timer.C:
			case <-d.ctx.Done():
				return
			}
			continue
		}
		select {
		case places <- struct{}{}:
		case <-d.ctx.Done():
			return
		}
		d.work.Add(1)
		go func() {
			defer d.work.Done()
			defer func() { <-places }()
			if err := d.call(id); err != nil && d.ctx.Err() == nil {
				d.cfg.Logger.Error("a webhook's dispatch cannot be kept; it is tried again in a minute", "dispatch", id, "error", err)
				d.queue.add(id, time.Now().Add(time.Minute))
			}
		}()
	}
}

// call makes one call of a dispatch and keeps what comes of it.
func (d *Dispatcher) call(id string) error {
	ctx := context.WithoutCancel(d.ctx) // what happened is kept, also at the end
	started := api.Now()
	_, hookErr := d.webhookOf(ctx, id)
	i, err := d.items.Update(ctx, id, func(i *item) error {
		switch {
		case i.Status != api.DispatchActive || i.Request == nil:
			return errOver
		case fault.Is(hookErr, fault.NotFound):
			message := "the webhook was removed"
			i.Calls = append(i.Calls, api.WebhookCall{StartedAt: started, FinishedAt: &started, ErrorMessage: &message})
			i.Status, i.NextAt, i.Request = api.DispatchFailed, nil, nil
		default:
			i.Calls = append(i.Calls, api.WebhookCall{StartedAt: started})
		}
		return nil
	})
	if fault.Is(err, fault.NotFound) || err == errOver || err == nil && i.Status != api.DispatchActive {
		return nil
	}
	if err != nil {
		return err
	}
	timed, cancel := context.WithTimeout(d.ctx, d.cfg.CallTimeout)
	defer cancel()
	a := d.send.post(timed, i)
	if d.ctx.Err() != nil {
		return d.interrupted(ctx, id)
	}
	if a.err != nil && timed.Err() != nil {
		a.err = fmt.Errorf("there was no answer within %v", d.cfg.CallTimeout)
	}
	i, err = d.items.Update(ctx, id, func(i *item) error { return d.finish(i, a) })
	if err != nil {
		return err
	}
	if i.NextAt != nil {
		d.queue.add(id, i.NextAt.Time)
	}
	d.count(ctx, i, 0)
	return nil
}

var errOver = fault.New(fault.Conflict, "the dispatch is over")

func (d *Dispatcher) webhookOf(ctx context.Context, id string) (hook, error) {
	i, err := d.items.Get(ctx, id)
	if err != nil {
		return hook{}, nil // the caller finds out
	}
	return d.hooks.Get(ctx, i.WebhookID)
}

// finish puts what came of a call into its dispatch.
func (d *Dispatcher) finish(i *item, a answer) error {
	now := api.Now()
	last := &i.Calls[len(i.Calls)-1]
	last.FinishedAt = &now
	if a.err != nil {
		message := text(a.err)
		last.ErrorMessage = &message
	}
	if a.status != 0 {
		last.ResponseStatus, last.ResponseBody = &a.status, &a.body
	}
	if a.err == nil {
		i.Status, i.NextAt, i.Request = api.DispatchSucceeded, nil, nil
		return nil
	}
	i.Failed++
	wait, again := d.cfg.Backoff(i.Failed)
	if !again || i.Request.Once {
		i.Status, i.NextAt, i.Request = api.DispatchFailed, nil, nil
		return nil
	}
	next := api.TimeOf(now.Add(wait))
	i.NextAt = &next
	return nil
}

// forget removes what is older than it need be, at once and then every hour.
func (d *Dispatcher) forget() {
	defer d.work.Done()
	for {
		before := time.Now().Add(-kept)
		if err := d.forgetBefore(d.ctx, before); err != nil && d.ctx.Err() == nil {
			d.cfg.Logger.Warn("old dispatches of webhooks are still there", "error", err)
		}
		select {
		case <-time.After(time.Hour):
		case <-d.ctx.Done():
			return
		}
	}
}

func (d *Dispatcher) forgetBefore(ctx context.Context, before time.Time) error {
	const some = 500
	ended := map[string][]string{store.ByStatus: {api.DispatchSucceeded, api.DispatchFailed}}
	for {
		old, err := d.items.Page(ctx, store.Query{Where: ended, Before: before, Limit: some})
		if err != nil {
			return err
		}
		if len(old.Items) == 0 {
			break
		}
		for _, i := range old.Items {
			if err := d.items.Delete(ctx, i.ID); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
	}
	// An ad-hoc webhook is of use as long as its run.
	adHoc := store.Query{Where: map[string][]string{byAdHoc: {"true"}}, Before: before, Limit: some}
	for {
		old, err := d.hooks.Page(ctx, adHoc)
		if err != nil || len(old.Items) == 0 {
			return err
		}
		for _, h := range old.Items {
			r, err := d.cfg.Run(ctx, h.Condition.ActorRunID)
			if err == nil && !r.Status.Terminal() {
				adHoc.Offset++
				continue
			}
			if err := d.hooks.Delete(ctx, h.ID); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
	}
}
