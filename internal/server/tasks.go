package server

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Tasks is what the API needs of tasks. They are found by id, "username~name",
// "username/name" or "~name"; missing ones are fault.NotFound.
type Tasks interface {
	Create(ctx context.Context, u api.TaskUpdate) (api.Task, error)
	Task(ctx context.Context, ref string) (api.Task, error)
	Update(ctx context.Context, ref string, u api.TaskUpdate) (api.Task, error)
	// UpdateInput lays the members of an object over those of the input.
	UpdateInput(ctx context.Context, ref string, input json.RawMessage) (api.Task, error)
	Delete(ctx context.Context, ref string) error
	Tasks(ctx context.Context, q store.Query) (store.Page[api.Task], error)
	// Start starts a run of the task; what call leaves out comes from the task.
	Start(ctx context.Context, ref string, call engine.StartRequest) (api.Run, error)
}

func (s *server) taskRoutes() []route {
	const (
		task = "/v2/actor-tasks/{actorTaskId}"
		last = task + "/runs/last"
	)
	routes := []route{
		{"GET", "/v2/actor-tasks", s.listTasks},
		{"POST", "/v2/actor-tasks", s.createTask},
		{"GET", task, s.getTask},
		{"PUT", task, s.updateTask},
		{"DELETE", task, s.deleteTask},
		{"GET", task + "/input", s.getTaskInput},
		{"PUT", task + "/input", s.updateTaskInput},
		{"GET", task + "/runs", s.listTaskRuns},
		{"POST", task + "/runs", s.startRun},
		{"GET", task + "/run-sync", s.runSync},
		{"POST", task + "/run-sync", s.runSync},
		{"GET", task + "/run-sync-get-dataset-items", s.runSyncItems},
		{"POST", task + "/run-sync-get-dataset-items", s.runSyncItems},
	}
	routes = append(routes, s.runRoutes(last)...)
	routes = append(routes, s.datasetRoutes(last+"/dataset", s.datasets.ofRun(s, "dataset"))...)
	routes = append(routes, s.storeRoutes(last+"/key-value-store", s.stores.ofRun(s, "key-value-store"))...)
	routes = append(routes, s.queueRoutes(last+"/request-queue", s.queues.ofRun(s, "request-queue"))...)
	return only(routes, func() bool { return s.Tasks != nil })
}

// only makes routes of operations that a server may be without.
func only(routes []route, there func() bool) []route {
	for i, r := range routes {
		if r.handle == nil {
			continue
		}
		routes[i].handle = func(c *call) error {
			if !there() {
				return errNotServed(c.r.Method, c.route)
			}
			return r.handle(c)
		}
	}
	return routes
}

func (s *server) listTasks(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	found, err := s.Tasks.Tasks(c.ctx(), p.of(store.Query{}))
	if err != nil {
		return err
	}
	actors := map[string]api.Actor{} // of few Actors there are many tasks
	return c.data(http.StatusOK, foundPage(p, found, func(t api.Task) api.TaskShort {
		actor, known := actors[t.ActorID]
		if !known {
			actor, _ = s.Actors.Actor(c.ctx(), t.ActorID) // one that is gone has no names
			actors[t.ActorID] = actor
		}
		return t.Short(actor.Name, actor.Username)
	}))
}

// sent decodes the body, which must be a JSON object.
func sent[T any](c *call) (v T, err error) {
	body, err := c.readObject()
	if err == nil {
		err = decodeJSON(body, &v)
	}
	return v, err
}

func (s *server) createTask(c *call) error {
	u, err := sent[api.TaskUpdate](c)
	if err != nil {
		return err
	}
	task, err := s.Tasks.Create(c.writeCtx(), u)
	if err != nil {
		return err
	}
	c.Header().Set("Location", c.url("v2", "actor-tasks", task.ID))
	return c.data(http.StatusCreated, task)
}

func (s *server) getTask(c *call) error {
	task, err := s.Tasks.Task(c.ctx(), c.param("actorTaskId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, task)
}

func (s *server) updateTask(c *call) error {
	u, err := sent[api.TaskUpdate](c)
	if err != nil {
		return err
	}
	task, err := s.Tasks.Update(c.writeCtx(), c.param("actorTaskId"), u)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, task)
}

func (s *server) deleteTask(c *call) error {
	if err := s.Tasks.Delete(c.writeCtx(), c.param("actorTaskId")); err != nil {
		return err
	}
	return c.noContent()
}

func (s *server) getTaskInput(c *call) error {
	task, err := s.Tasks.Task(c.ctx(), c.param("actorTaskId"))
	if err != nil {
		return err
	}
	return c.taskInput(task)
}

func (s *server) updateTaskInput(c *call) error {
	input, err := c.readObject()
	if err != nil {
		return err
	}
	task, err := s.Tasks.UpdateInput(c.writeCtx(), c.param("actorTaskId"), input)
	if err != nil {
		return err
	}
	return c.taskInput(task)
}

// taskInput answers with the input itself, in no envelope.
func (c *call) taskInput(task api.Task) error {
	if len(task.Input) == 0 {
		task.Input = emptyObject
	}
	return c.json(http.StatusOK, task.Input)
}

func (s *server) listTaskRuns(c *call) error {
	task, err := s.Tasks.Task(c.ctx(), c.param("actorTaskId"))
	if err != nil {
		return err
	}
	return s.runList(c, store.ByTask, task.ID)
}
