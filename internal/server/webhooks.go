package server

import (
	"context"
	"net/http"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Webhooks is what the API needs of webhooks and their dispatches. Missing ones
// are fault.NotFound.
type Webhooks interface {
	// Create makes a webhook, or finds the one that was made with the same
	// idempotency key. byRun says that the code of a run asks for it.
	Create(ctx context.Context, u api.WebhookUpdate, byRun bool) (api.Webhook, error)
	Webhook(ctx context.Context, id string) (api.Webhook, error)
	Update(ctx context.Context, id string, u api.WebhookUpdate) (api.Webhook, error)
	Delete(ctx context.Context, id string) error
	Webhooks(ctx context.Context, q store.Query) (store.Page[api.Webhook], error)
	// Test calls a webhook with an event that did not happen.
	Test(ctx context.Context, id string) (api.WebhookDispatch, error)
	// Attach makes the ad-hoc webhooks of a run that is about to be stored.
	Attach(ctx context.Context, r api.Run, list []api.AdHocWebhook) error
	Dispatch(ctx context.Context, id string) (api.WebhookDispatch, error)
	// Dispatches gives those of one webhook, or all for "".
	Dispatches(ctx context.Context, webhookID string, q store.Query) (store.Page[api.WebhookDispatch], error)
}

func (s *server) webhookRoutes() []route {
	const webhook = "/v2/webhooks/{webhookId}"
	return only([]route{
		{"GET", "/v2/webhooks", s.listWebhooks},
		{"POST", "/v2/webhooks", s.createWebhook},
		{"GET", webhook, s.getWebhook},
		{"PUT", webhook, s.updateWebhook},
		{"DELETE", webhook, s.deleteWebhook},
		{"POST", webhook + "/test", s.testWebhook},
		{"GET", webhook + "/dispatches", s.listDispatches},
		{"GET", "/v2/webhook-dispatches", s.listDispatches},
		{"GET", "/v2/webhook-dispatches/{dispatchId}", s.getDispatch},
		{"GET", "/v2/actors/{actorId}/webhooks", s.listActorWebhooks},
		{"GET", "/v2/actor-tasks/{actorTaskId}/webhooks", s.listTaskWebhooks},
	}, func() bool { return s.Webhooks != nil })
}

func (s *server) listWebhooks(c *call) error { return s.webhookList(c, store.Query{}) }

func (s *server) listActorWebhooks(c *call) error {
	actor, err := s.Actors.Actor(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	return s.webhookList(c, store.Query{Where: map[string][]string{store.ByActor: {actor.ID}}})
}

func (s *server) listTaskWebhooks(c *call) error {
	task, err := s.Tasks.Task(c.ctx(), c.param("actorTaskId"))
	if err != nil {
		return err
	}
	return s.webhookList(c, store.Query{Where: map[string][]string{store.ByTask: {task.ID}}})
}

func (s *server) webhookList(c *call, q store.Query) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	found, err := s.Webhooks.Webhooks(c.ctx(), p.of(q))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, foundPage(p, found, api.Webhook.Short))
}

func (s *server) createWebhook(c *call) error {
	u, err := sent[api.WebhookUpdate](c)
	if err != nil {
		return err
	}
	webhook, err := s.Webhooks.Create(c.writeCtx(), u, c.caller.runID != "")
	if err != nil {
		return err
	}
	c.Header().Set("Location", c.url("v2", "webhooks", webhook.ID))
	return c.data(http.StatusCreated, webhook)
}

func (s *server) getWebhook(c *call) error {
	webhook, err := s.Webhooks.Webhook(c.ctx(), c.param("webhookId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, webhook)
}

func (s *server) updateWebhook(c *call) error {
	u, err := sent[api.WebhookUpdate](c)
	if err != nil {
		return err
	}
	webhook, err := s.Webhooks.Update(c.writeCtx(), c.param("webhookId"), u)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, webhook)
}

func (s *server) deleteWebhook(c *call) error {
	if err := s.Webhooks.Delete(c.writeCtx(), c.param("webhookId")); err != nil {
		return err
	}
	return c.noContent()
}

func (s *server) testWebhook(c *call) error {
	dispatch, err := s.Webhooks.Test(c.writeCtx(), c.param("webhookId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusCreated, dispatch)
}

// listDispatches lists those of the webhook that the path names, or all.
func (s *server) listDispatches(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	id := c.param("webhookId")
	if id != "" {
		if _, err := s.Webhooks.Webhook(c.ctx(), id); err != nil {
			return err
		}
	}
	found, err := s.Webhooks.Dispatches(c.ctx(), id, p.of(store.Query{}))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, foundPage(p, found, func(d api.WebhookDispatch) api.WebhookDispatch { return d }))
}

func (s *server) getDispatch(c *call) error {
	dispatch, err := s.Webhooks.Dispatch(c.ctx(), c.param("dispatchId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, dispatch)
}
