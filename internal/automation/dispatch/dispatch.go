// Package dispatch keeps webhooks and calls them: every event that one listens to
// becomes a dispatch, which is on disk before anything is sent and is tried again
// until it succeeds or has failed too often. It is sent at least once, also when
// the server is killed in between.
package dispatch

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/webhook"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Config is what a dispatcher works with. Store, Find and UserID are needed.
type Config struct {
	Store  store.Root
	UserID string
	// Actor, Task and Run find what a webhook's condition names, by whatever name;
	// a missing one is fault.NotFound.
	Actor func(ctx context.Context, ref string) (api.Actor, error)
	Task  func(ctx context.Context, ref string) (api.Task, error)
	Run   func(ctx context.Context, id string) (api.Run, error)

	// Allow lists private addresses that webhooks may call.
	Allow Allow
	// API is the origin of this server's API, and Token opens it: webhooks that
	// call it need no token of their own. Empty for none.
	API   func() string
	Token string

	// Backoff is webhook.Backoff when nil.
	Backoff func(failed int) (wait time.Duration, again bool)
	// CallTimeout is webhook.CallTimeout when 0.
	CallTimeout time.Duration
	// Calls is how many calls there may be at once; 0 means 16.
	Calls  int
	Logger *slog.Logger
}

// hook is a webhook as it is kept.
type hook struct {
	api.Webhook
	IdempotencyKey string `json:"idempotencyKey,omitempty"`
	// ByRun says that the code of a run made it, which does not have all the
	// rights of the owner.
	ByRun bool `json:"byRun,omitempty"`
}

// Fields that webhooks and dispatches are found by.
const (
	byRun     = "run"
	byWebhook = "webhook"
	byAdHoc   = "adhoc"
)

var hookKind = store.Kind[hook]{Name: "webhook", Index: func(h hook) store.Index {
	i := store.Index{At: h.CreatedAt.Time, Fields: map[string]string{
		store.ByActor: h.Condition.ActorID, store.ByTask: h.Condition.ActorTaskID, byRun: h.Condition.ActorRunID,
	}}
	if h.IsAdHoc {
		i.Fields[byAdHoc] = "true"
	}
	if h.IdempotencyKey != "" {
		i.Unique = h.IdempotencyKey
	}
	return i
}}

// item is a dispatch as it is kept: with the request that it is about.
type item struct {
	api.WebhookDispatch
	Request *request  `json:"request,omitempty"`
	NextAt  *api.Time `json:"nextAt,omitempty"` // while it is active
	Failed  int       `json:"failed,omitempty"` // calls
}

var itemKind = store.Kind[item]{Name: "webhook-dispatch", Index: func(d item) store.Index {
	return store.Index{At: d.CreatedAt.Time, Fields: map[string]string{byWebhook: d.WebhookID, store.ByStatus: d.Status}}
}}

// Dispatcher keeps webhooks and calls them. Safe for concurrent use.
type Dispatcher struct {
	cfg   Config
	hooks store.Records[hook]
	items store.Records[item]
	queue queue
	send  sender

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes a dispatcher. Nothing is sent before Start; the caller closes it.
func New(cfg Config) *Dispatcher {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Backoff == nil {
		cfg.Backoff = webhook.Backoff
	}
	if cfg.CallTimeout == 0 {
		cfg.CallTimeout = webhook.CallTimeout
	}
	if cfg.Calls == 0 {
		cfg.Calls = 16
	}
	d := &Dispatcher{
		cfg: cfg, hooks: store.RecordsOf(cfg.Store, hookKind), items: store.RecordsOf(cfg.Store, itemKind),
		queue: newQueue(), send: newSender(cfg),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Create makes a webhook, or finds the one that was made with the same
// idempotency key. byRun says that a run's code asks for it.
func (d *Dispatcher) Create(ctx context.Context, u api.WebhookUpdate, byRun bool) (api.Webhook, error) {
	now := api.Now()
	h := hook{ByRun: byRun, Webhook: api.Webhook{ID: store.NewID(), UserID: d.cfg.UserID, CreatedAt: now, ModifiedAt: now}}
	if u.IdempotencyKey != nil {
		h.IdempotencyKey = *u.IdempotencyKey
	}
	if err := webhook.Apply(&h.Webhook, u); err != nil {
		return api.Webhook{}, err
	}
	if err := d.resolve(ctx, &h.Condition); err != nil {
		return api.Webhook{}, err
	}
	h, err := d.keep(ctx, h)
	return h.Webhook, err
}

// keep stores a new webhook, unless there is one with its idempotency key.
func (d *Dispatcher) keep(ctx context.Context, h hook) (hook, error) {
	for {
		if h.IdempotencyKey != "" {
			there, err := d.hooks.First(ctx, store.Query{Unique: h.IdempotencyKey})
			if !fault.Is(err, fault.NotFound) {
				return there, err
			}
		}
		err := d.hooks.Create(ctx, h.ID, h)
		if h.IdempotencyKey != "" && fault.Is(err, fault.Conflict) {
			continue // somebody else was quicker
		}
		return h, err
	}
}

// resolve turns what a condition names into ids.
func (d *Dispatcher) resolve(ctx context.Context, c *api.WebhookCondition) error {
	if c.ActorID != "" {
		actor, err := d.cfg.Actor(ctx, c.ActorID)
		if err != nil {
			return err
		}
		c.ActorID = actor.ID
	}
	if c.ActorTaskID != "" {
		task, err := d.cfg.Task(ctx, c.ActorTaskID)
		if err != nil {
			return err
		}
		c.ActorTaskID = task.ID
	}
	if c.ActorRunID != "" {
		if _, err := d.cfg.Run(ctx, c.ActorRunID); err != nil {
			return err
		}
	}
	return nil
}

// Attach makes the ad-hoc webhooks of a run that is about to be stored.
func (d *Dispatcher) Attach(ctx context.Context, r api.Run, list []api.AdHocWebhook) error {
	for _, one := range list {
		u := webhook.AdHoc(one, r.ID)
		// They are as old as the run, whose creation they may listen to.
		h := hook{
			IdempotencyKey: one.IdempotencyKey, ByRun: r.Meta.Origin == "ACTOR",
			Webhook: api.Webhook{ID: store.NewID(), UserID: d.cfg.UserID, CreatedAt: r.StartedAt, ModifiedAt: r.StartedAt},
		}
		if err := webhook.Apply(&h.Webhook, u); err != nil {
			return err
		}
		if _, err := d.keep(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func missing(err error, what, id string) error {
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.InvalidRequest) {
		return fault.New(fault.NotFound, "%s %q was not found", what, id)
	}
	return err
}

// Webhook gives a webhook.
func (d *Dispatcher) Webhook(ctx context.Context, id string) (api.Webhook, error) {
	h, err := d.hooks.Get(ctx, id)
	return h.Webhook, missing(err, "webhook", id)
}

// Update changes a webhook. Dispatches that are under way stay as they are.
func (d *Dispatcher) Update(ctx context.Context, id string, u api.WebhookUpdate) (api.Webhook, error) {
	if _, err := d.Webhook(ctx, id); err != nil {
		return api.Webhook{}, err
	}
	h, err := d.hooks.Update(ctx, id, func(h *hook) error {
		if err := webhook.Apply(&h.Webhook, u); err != nil {
			return err
		}
		h.ModifiedAt = api.Now()
		if u.Condition == nil {
			return nil
		}
		return d.resolve(ctx, &h.Condition)
	})
	return h.Webhook, err
}

// Delete removes a webhook. Its dispatches stay, but are not tried any more.
func (d *Dispatcher) Delete(ctx context.Context, id string) error {
	if _, err := d.Webhook(ctx, id); err != nil {
		return err
	}
	return d.hooks.Delete(ctx, id)
}

// Webhooks gives the webhooks that q selects, in the order of their creation.
func (d *Dispatcher) Webhooks(ctx context.Context, q store.Query) (store.Page[api.Webhook], error) {
	page, err := d.hooks.Page(ctx, q)
	found := store.Page[api.Webhook]{Total: page.Total, Items: make([]api.Webhook, len(page.Items))}
	for i, h := range page.Items {
		found.Items[i] = h.Webhook
	}
	return found, err
}

// Dispatch gives a dispatch.
func (d *Dispatcher) Dispatch(ctx context.Context, id string) (api.WebhookDispatch, error) {
	i, err := d.items.Get(ctx, id)
	return i.WebhookDispatch, missing(err, "webhook dispatch", id)
}

// Dispatches gives the dispatches that q selects, in the order of their creation;
// those of one webhook when its id is not "".
func (d *Dispatcher) Dispatches(ctx context.Context, webhookID string, q store.Query) (store.Page[api.WebhookDispatch], error) {
	if webhookID != "" {
		q.Where = map[string][]string{byWebhook: {webhookID}}
	}
	page, err := d.items.Page(ctx, q)
	found := store.Page[api.WebhookDispatch]{Total: page.Total, Items: make([]api.WebhookDispatch, len(page.Items))}
	for i, one := range page.Items {
		found.Items[i] = one.WebhookDispatch
	}
	return found, err
}

// Test calls a webhook with an event that did not happen.
func (d *Dispatcher) Test(ctx context.Context, id string) (api.WebhookDispatch, error) {
	h, err := d.hooks.Get(ctx, id)
	if err != nil {
		return api.WebhookDispatch{}, missing(err, "webhook", id)
	}
	i, err := d.begin(ctx, h, webhook.TestEvent(h.Webhook), store.NewID())
	return i.WebhookDispatch, err
}

// oldest is how long ago an event may be that is told again.
const oldest = 7 * 24 * time.Hour

// RunEvent is told about a run's events, after the run's record was written. The
// same event may be told again, as after a restart: it is dispatched once.
func (d *Dispatcher) RunEvent(eventType string, r api.Run) {
	e := webhook.OfRun(eventType, r)
	switch {
	case eventType == webhook.RunCreated:
		e.At = r.StartedAt
	case eventType != webhook.RunResurrected && r.FinishedAt != nil:
		e.At = *r.FinishedAt
	}
	d.event(e, map[string]string{store.ByActor: r.ActorID, store.ByTask: e.Data.ActorTaskID, byRun: r.ID})
}

// BuildEvent is RunEvent for builds.
func (d *Dispatcher) BuildEvent(eventType string, b api.Build) {
	e := webhook.OfBuild(eventType, b)
	switch {
	case eventType == webhook.BuildCreated:
		e.At = b.StartedAt
	case b.FinishedAt != nil:
		e.At = *b.FinishedAt
	}
	d.event(e, map[string]string{store.ByActor: b.ActorID})
}

func (d *Dispatcher) event(e webhook.Event, subjects map[string]string) {
	if time.Since(e.At.Time) > oldest {
		return
	}
	ctx := context.WithoutCancel(d.ctx)
	seen := map[string]bool{}
	for field, value := range subjects {
		if value == "" {
			continue
		}
		page, err := d.hooks.Page(ctx, store.Query{Where: map[string][]string{field: {value}}})
		if err != nil {
			d.cfg.Logger.Error("webhooks of an event cannot be found; it is told again at the next start", "event", e.Type, field, value, "error", err)
			return
		}
		for _, h := range page.Items {
			// One that was made later does not listen to what was before.
			if seen[h.ID] || !webhook.Matches(h.Webhook, e) || h.CreatedAt.After(e.At.Time) {
				continue
			}
			seen[h.ID] = true
			if _, err := d.begin(ctx, h, e, webhook.DispatchID(h.Webhook, e)); err != nil {
				d.cfg.Logger.Error("a webhook cannot be dispatched; it is tried again at the next start", "webhook", h.ID, "event", e.Type, "error", err)
			}
		}
	}
}

// begin stores a dispatch and has it sent. One that is there already stays as it
// is.
func (d *Dispatcher) begin(ctx context.Context, h hook, e webhook.Event, id string) (item, error) {
	now := api.Now()
	data := e.Data
	i := item{NextAt: &now, WebhookDispatch: api.WebhookDispatch{
		ID: id, UserID: d.cfg.UserID, WebhookID: h.ID, CreatedAt: now, Status: api.DispatchActive, EventType: e.Type, EventData: &data,
		Webhook: &api.DispatchWebhook{ActionType: api.HTTPRequest, Condition: h.Condition, RequestURL: h.RequestURL, IsAdHoc: h.IsAdHoc},
		Calls:   []api.WebhookCall{},
	}}
	variables := webhook.Variables{
		UserID: d.cfg.UserID, CreatedAt: now, EventType: e.Type, EventData: e.Data, Resource: e.Resource,
		Globals: webhook.Globals{DateISO: now, DateUnix: now.Unix()},
	}
	var err error
	if i.Request, err = newRequest(h, variables); err != nil {
		// Trying again would not help: what is sent is what was then.
		message := text(err)
		i.Status, i.NextAt, i.Request = api.DispatchFailed, nil, nil
		i.Calls = append(i.Calls, api.WebhookCall{StartedAt: now, FinishedAt: &now, ErrorMessage: &message})
	}
	if err := d.items.Create(ctx, id, i); err != nil {
		if fault.Is(err, fault.Conflict) {
			return d.items.Get(ctx, id)
		}
		return i, err
	}
	d.count(ctx, i, 1)
	if i.NextAt != nil {
		d.queue.add(id, i.NextAt.Time)
	}
	return i, nil
}

// count keeps what a webhook shows of its dispatches.
func (d *Dispatcher) count(ctx context.Context, i item, more int) {
	_, err := d.hooks.Update(ctx, i.WebhookID, func(h *hook) error {
		h.Stats.TotalDispatches += more
		h.LastDispatch = &api.LastDispatch{Status: i.Status}
		if n := len(i.Calls); n > 0 && i.Status != api.DispatchActive {
			h.LastDispatch.FinishedAt = i.Calls[n-1].FinishedAt
		}
		return nil
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		d.cfg.Logger.Warn("a webhook does not show its last dispatch", "webhook", i.WebhookID, "error", err)
	}
}

func newRequest(h hook, v webhook.Variables) (*request, error) {
	body, err := webhook.Payload(h.Webhook, v)
	if err != nil {
		return nil, err
	}
	headers, err := webhook.Headers(h.Webhook, v)
	if err != nil {
		return nil, err
	}
	return &request{
		URL: h.RequestURL, Headers: headers, Body: string(body),
		Insecure: h.IgnoreSSLErrors, Once: h.DoNotRetry, ByRun: h.ByRun,
	}, nil
}

// text is an error for people who look at a dispatch.
func text(err error) string { return strings.ToValidUTF8(err.Error(), "�") }
