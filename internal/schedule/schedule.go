// Package schedule says what schedules are: when they come true, and what may be
// in one. Pure: no I/O but for the time zones of the machine.
package schedule

import (
	"encoding/json"
	"mime"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/task"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// MaxActions is how many Actors, and how many tasks, a schedule may start.
// Source: the platform's documentation of schedules.
const MaxActions = 10

// MaxLog is how many entries the log of a schedule keeps.
const MaxLog = 1000

// Apply changes a schedule as u says; what u leaves out stays. It checks the
// result, but neither that the name is free nor that what the actions name is
// there. A failure leaves s as it was.
func Apply(s *api.Schedule, u api.ScheduleUpdate) error {
	changed := *s
	if u.Name != nil {
		if err := task.CheckName("schedule", *u.Name); err != nil {
			return err
		}
		changed.Name = *u.Name
	}
	if u.Title != nil {
		changed.Title = u.Title
	}
	if u.Description != nil {
		changed.Description = u.Description
	}
	if u.IsEnabled != nil {
		changed.IsEnabled = *u.IsEnabled
	}
	if u.IsExclusive != nil {
		changed.IsExclusive = *u.IsExclusive
	}
	if u.Notifications != nil {
		changed.Notifications = u.Notifications
	}
	if u.CronExpression != nil {
		changed.CronExpression = strings.TrimSpace(*u.CronExpression)
	}
	if u.Timezone != nil {
		changed.Timezone = *u.Timezone
	}
	if changed.Timezone == "" {
		changed.Timezone = "UTC"
	}
	if u.CronExpression != nil || u.Timezone != nil || s.CronExpression == "" {
		if _, err := ParseCron(changed.CronExpression, changed.Timezone); err != nil {
			return err
		}
	}
	if u.Actions != nil {
		actions, err := checkActions(u.Actions)
		if err != nil {
			return err
		}
		changed.Actions = actions
	}
	if changed.Actions == nil {
		changed.Actions = []api.ScheduleAction{}
	}
	*s = changed
	return nil
}

// checkActions gives the actions with an id each.
func checkActions(given []api.ScheduleAction) ([]api.ScheduleAction, error) {
	actions := make([]api.ScheduleAction, len(given))
	counts, ids := map[string]int{}, map[string]bool{}
	for i, a := range given {
		if err := checkAction(a); err != nil {
			return nil, err
		}
		if counts[a.Type]++; counts[a.Type] > MaxActions {
			return nil, invalid("a schedule can have at most %d actions of the type %s", MaxActions, a.Type).WithType("too-many-values")
		}
		if len(a.ID) != store.IDLength || !store.ValidName(a.ID) || ids[a.ID] {
			a.ID = store.NewID()
		}
		ids[a.ID] = true
		actions[i] = a
	}
	return actions, nil
}

func checkAction(a api.ScheduleAction) error {
	switch a.Type {
	case api.RunActor:
		if a.ActorID == "" || a.ActorTaskID != "" || len(a.Input) > 0 {
			return invalid("an action of the type %s has an actorId, and instead of input a runInput", a.Type)
		}
	case api.RunActorTask:
		if a.ActorTaskID == "" || a.ActorID != "" || a.RunInput != nil || a.RunOptions != nil {
			return invalid("an action of the type %s has an actorTaskId, and instead of runInput and runOptions an input", a.Type)
		}
		if _, err := task.MergeInput(nil, a.Input); err != nil {
			return err
		}
	default:
		return invalid("the type of a schedule's action must be %s or %s, got %.80q", api.RunActor, api.RunActorTask, a.Type)
	}
	if a.RunOptions != nil {
		if err := task.CheckOptions(*a.RunOptions); err != nil {
			return err
		}
	}
	if in := a.RunInput; in != nil && in.Body != nil && isJSON(in.ContentType) && !json.Valid([]byte(*in.Body)) {
		return fault.New(fault.InvalidRequest, "the runInput of a schedule's action is not valid JSON").WithType("run-input-body-not-valid-json")
	}
	return nil
}

func isJSON(contentType *string) bool {
	if contentType == nil {
		return false
	}
	kind, _, err := mime.ParseMediaType(*contentType)
	return err == nil && kind == "application/json"
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...).WithType("invalid-value")
}
