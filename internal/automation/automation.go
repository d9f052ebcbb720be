// Package automation keeps tasks and starts their runs. Its folders have what
// starts by itself: dispatch calls webhooks, scheduler starts Actors and tasks at
// their times.
package automation

import (
	"context"
	"encoding/json"
	"mime"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/task"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Engine is what tasks need of whoever runs Actors.
type Engine interface {
	StartRun(ctx context.Context, req engine.StartRequest) (api.Run, error)
}

// Actors finds Actors; a missing one is fault.NotFound.
type Actors interface {
	Actor(ctx context.Context, ref string) (api.Actor, error)
}

// Tasks keeps the tasks of one user. Safe for concurrent use.
type Tasks struct {
	records          store.Records[api.Task]
	engine           Engine
	actors           Actors
	userID, username string
}

// kind of the records: the names are unique, without regard to case.
var kind = store.Kind[api.Task]{Name: "actor-task", Index: func(t api.Task) store.Index {
	return store.Index{Unique: strings.ToLower(t.Name), At: t.CreatedAt.Time, Fields: map[string]string{store.ByActor: t.ActorID}}
}}

// NewTasks gives the tasks that root keeps.
func NewTasks(root store.Root, e Engine, actors Actors, userID, username string) *Tasks {
	return &Tasks{store.RecordsOf(root, kind), e, actors, userID, username}
}

// Create makes a task. Without a name it gets one of its Actor's.
func (t *Tasks) Create(ctx context.Context, u api.TaskUpdate) (api.Task, error) {
	if u.ActorID == "" {
		return api.Task{}, fault.New(fault.InvalidRequest, "a task needs an Actor: field actId is missing").WithType("invalid-value")
	}
	actor, err := t.actors.Actor(ctx, u.ActorID)
	if err != nil {
		return api.Task{}, err
	}
	if u.Name == nil || *u.Name == "" {
		name, err := task.FreeName(actor.Name+"-task", func(name string) (bool, error) {
			page, err := t.records.Page(ctx, store.Query{Unique: strings.ToLower(name), Limit: 1})
			return page.Total > 0, err
		})
		if err != nil {
			return api.Task{}, err
		}
		u.Name = &name
	}
	now := api.Now()
	v := api.Task{ID: store.NewID(), UserID: t.userID, Username: t.username, ActorID: actor.ID, CreatedAt: now, ModifiedAt: now}
	if err := task.Apply(&v, u); err != nil {
		return v, err
	}
	return v, errTaken(t.records.Create(ctx, v.ID, v), v.Name)
}

func errTaken(err error, name string) error {
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "there is a task named %q already", name).WithType("actor-task-name-not-unique")
	}
	return err
}

// Task finds a task by id, "username~name", "username/name" or "~name".
func (t *Tasks) Task(ctx context.Context, ref string) (api.Task, error) {
	v, err := t.records.Get(ctx, ref)
	if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.InvalidRequest) {
		return v, err
	}
	user, name, named := strings.Cut(strings.Replace(ref, "/", "~", 1), "~")
	if named && name != "" && slices.Contains([]string{"", strings.ToLower(t.username), strings.ToLower(t.userID)}, strings.ToLower(user)) {
		v, err = t.records.First(ctx, store.Query{Unique: strings.ToLower(name)})
	}
	if err != nil && (fault.Is(err, fault.NotFound) || fault.Is(err, fault.InvalidRequest)) {
		return v, fault.New(fault.NotFound, "Actor task %q was not found", ref)
	}
	return v, err
}

// Update changes a task.
func (t *Tasks) Update(ctx context.Context, ref string, u api.TaskUpdate) (api.Task, error) {
	return t.change(ctx, ref, func(v *api.Task) error { return task.Apply(v, u) })
}

// UpdateInput lays the members of an object over those of a task's input.
func (t *Tasks) UpdateInput(ctx context.Context, ref string, input json.RawMessage) (api.Task, error) {
	return t.change(ctx, ref, func(v *api.Task) (err error) {
		v.Input, err = task.MergeInput(v.Input, input)
		return err
	})
}

func (t *Tasks) change(ctx context.Context, ref string, change func(*api.Task) error) (api.Task, error) {
	found, err := t.Task(ctx, ref)
	if err != nil {
		return found, err
	}
	var name string
	v, err := t.records.Update(ctx, found.ID, func(v *api.Task) error {
		if err := change(v); err != nil {
			return err
		}
		v.ModifiedAt, name = api.Now(), v.Name
		return nil
	})
	return v, errTaken(err, name)
}

// Delete removes a task. Its runs stay.
func (t *Tasks) Delete(ctx context.Context, ref string) error {
	v, err := t.Task(ctx, ref)
	if err != nil {
		return err
	}
	return t.records.Delete(ctx, v.ID)
}

// Tasks gives the tasks that q selects, in the order of their creation.
func (t *Tasks) Tasks(ctx context.Context, q store.Query) (store.Page[api.Task], error) {
	return t.records.Page(ctx, q)
}

// Start starts a run of a task. What call leaves out comes from the task, and
// what neither says is for the Actor to say.
func (t *Tasks) Start(ctx context.Context, ref string, call engine.StartRequest) (api.Run, error) {
	v, err := t.Task(ctx, ref)
	if err != nil {
		return api.Run{}, err
	}
	input, err := merged(v, call.Input)
	if err != nil {
		return api.Run{}, err
	}
	call.Actor, call.TaskID, call.Input = v.ActorID, v.ID, input
	var build *string
	if call.Build != "" {
		build = &call.Build
	}
	o := task.MergeOptions(v.Options, api.TaskOptions{
		Build: build, TimeoutSecs: call.TimeoutSecs, MemoryMbytes: call.MemoryMbytes, MaxItems: call.MaxItems, MaxTotalChargeUSD: call.MaxTotalUSD,
		RestartOnError: call.RestartOnError,
	})
	call.RestartOnError = o.RestartOnError
	call.TimeoutSecs, call.MemoryMbytes, call.MaxItems, call.MaxTotalUSD = o.TimeoutSecs, o.MemoryMbytes, o.MaxItems, o.MaxTotalChargeUSD
	if o.Build != nil {
		call.Build = *o.Build
	}
	r, err := t.engine.StartRun(ctx, call)
	if err != nil {
		return r, err
	}
	// The run is there, whatever becomes of its counter.
	_, _ = t.records.Update(ctx, v.ID, func(v *api.Task) error {
		v.Stats.TotalRuns++
		return nil
	})
	return r, nil
}

// merged gives the input of a run: the call's over the task's.
func merged(v api.Task, call *engine.Input) (*engine.Input, error) {
	var over json.RawMessage
	if call != nil {
		kind, _, err := mime.ParseMediaType(call.ContentType)
		if call.ContentType != "" && (err != nil || kind != "application/json") {
			return nil, fault.New(fault.InvalidRequest, "the input of a task's run must be JSON, got %.80q", call.ContentType).
				WithType("input-json-not-object").WithHint("send an object with the header Content-Type: application/json")
		}
		over = call.Body
	}
	input, err := task.MergeInput(v.Input, over)
	if err != nil || input == nil {
		return nil, err
	}
	return &engine.Input{ContentType: "application/json; charset=utf-8", Body: input}, nil
}
