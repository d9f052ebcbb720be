package client

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Task is the handle of one task; making it calls nothing.
type Task struct{ Resource[api.Task] }

// Task names a task by its id, as "user/name", or as "~name" for one of the
// caller's.
func (c *Client) Task(idOrName string) Task {
	return Task{Resource[api.Task]{c, "/actor-tasks/" + ref(idOrName)}}
}

// Tasks are the tasks of the caller.
func (c *Client) Tasks() Collection[api.TaskShort, api.Task] {
	return Collection[api.TaskShort, api.Task]{c, "/actor-tasks"}
}

// Start starts a run of the task and gives its record.
func (t Task) Start(ctx context.Context, opts StartOptions) (Answer[api.Run], error) {
	return t.c.start(ctx, t.path+"/runs", opts)
}

// Input reads the input that the task keeps.
func (t Task) Input(ctx context.Context) (json.RawMessage, error) {
	resp, err := t.c.send(ctx, call{method: http.MethodGet, path: t.path + "/input"})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return readAll(ctx, resp.Body)
}

// SetInput keeps another input, a JSON object.
func (t Task) SetInput(ctx context.Context, input json.RawMessage) error {
	body, size := bytesBody(input)
	return t.c.discard(ctx, call{method: http.MethodPut, path: t.path + "/input", header: jsonHeader(), body: body, size: size})
}

// Runs are the runs of the task.
func (t Task) Runs() Runs { return Runs{t.c, t.path + "/runs"} }

// Webhooks are the webhooks that listen to the task.
func (t Task) Webhooks() Webhooks { return Webhooks{t.c, t.path + "/webhooks"} }

// Schedule is the handle of one schedule; making it calls nothing.
type Schedule struct{ Resource[api.Schedule] }

// Schedule names a schedule by its id.
func (c *Client) Schedule(id string) Schedule {
	return Schedule{Resource[api.Schedule]{c, "/schedules/" + ref(id)}}
}

// Schedules are the schedules of the caller.
func (c *Client) Schedules() Collection[api.Schedule, api.Schedule] {
	return Collection[api.Schedule, api.Schedule]{c, "/schedules"}
}

// Log reads what the schedule did lately.
func (s Schedule) Log(ctx context.Context) ([]api.ScheduleLogEntry, error) {
	return get[[]api.ScheduleLogEntry](ctx, s.c, s.path+"/log", nil)
}

// Webhooks are webhooks of the caller, or those that listen to an Actor or task.
type Webhooks = Collection[api.Webhook, api.Webhook]

// Webhooks are all webhooks of the caller.
func (c *Client) Webhooks() Webhooks { return Webhooks{c, "/webhooks"} }

// Webhook is the handle of one webhook; making it calls nothing.
type Webhook struct{ Resource[api.Webhook] }

// Webhook names a webhook by its id.
func (c *Client) Webhook(id string) Webhook {
	return Webhook{Resource[api.Webhook]{c, "/webhooks/" + ref(id)}}
}

// Test lets the webhook tell about an event that did not happen.
func (w Webhook) Test(ctx context.Context) (Answer[api.WebhookDispatch], error) {
	return fetch[Answer[api.WebhookDispatch]](ctx, w.c, call{method: http.MethodPost, path: w.path + "/test", once: true})
}

// Dispatches are the events that the webhook has told about.
func (w Webhook) Dispatches() Dispatches { return Dispatches{w.c, w.path + "/dispatches"} }

// Dispatches are events that webhooks tell about. They cannot be created.
type Dispatches = Collection[api.WebhookDispatch, api.WebhookDispatch]

// Dispatches are those of all webhooks of the caller.
func (c *Client) Dispatches() Dispatches { return Dispatches{c, "/webhook-dispatches"} }

// Dispatch names a dispatch by its id.
func (c *Client) Dispatch(id string) Resource[api.WebhookDispatch] {
	return Resource[api.WebhookDispatch]{c, "/webhook-dispatches/" + ref(id)}
}
