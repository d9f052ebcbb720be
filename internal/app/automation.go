package app

import (
	"context"
	"errors"

	"github.com/greenroom-dev/greenroom/internal/automation"
	"github.com/greenroom-dev/greenroom/internal/automation/dispatch"
	"github.com/greenroom-dev/greenroom/internal/automation/scheduler"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// automations is what starts by itself on a server: tasks, which others start,
// schedules and webhooks.
type automations struct {
	tasks      *automation.Tasks
	scheduler  *scheduler.Scheduler
	dispatcher *dispatch.Dispatcher
}

// late finds what is made after the automations are.
type late struct {
	actors func(ctx context.Context, ref string) (api.Actor, error)
	run    func(ctx context.Context, id string) (api.Run, error)
	start  func(ctx context.Context, req engine.StartRequest) (api.Run, error)
}

func (l late) Actor(ctx context.Context, ref string) (api.Actor, error) { return l.actors(ctx, ref) }
func (l late) StartRun(ctx context.Context, req engine.StartRequest) (api.Run, error) {
	return l.start(ctx, req)
}

// openAutomations makes them; nothing happens before they are started.
func (d *daemon) openAutomations(root store.Root, userID, username string) error {
	allow, err := dispatch.ParseAllow(d.opts.WebhookAllow)
	if err != nil {
		return err
	}
	l := late{
		actors: func(ctx context.Context, ref string) (api.Actor, error) { return d.builds.Actor(ctx, ref) },
		run:    func(ctx context.Context, id string) (api.Run, error) { return d.engine.Run(ctx, id) },
		start: func(ctx context.Context, req engine.StartRequest) (api.Run, error) {
			return d.engine.StartRun(ctx, req)
		},
	}
	d.tasks = automation.NewTasks(root, l, l, userID, username)
	d.scheduler = scheduler.New(scheduler.Config{
		Store: root, UserID: userID, Logger: d.opts.Logger,
		StartRun: l.StartRun, StartTask: d.tasks.Start, Actor: l.Actor, Task: d.tasks.Task,
	})
	d.dispatcher = dispatch.New(dispatch.Config{
		Store: root, UserID: userID, Logger: d.opts.Logger, Allow: allow,
		API: func() string { return d.url }, Token: d.owner,
		Actor: l.Actor, Task: d.tasks.Task, Run: l.run,
	})
	return nil
}

// start begins with what is due, once requests are answered.
func (a *automations) start(ctx context.Context) error {
	return errors.Join(a.dispatcher.Start(ctx), a.scheduler.Start(ctx))
}
