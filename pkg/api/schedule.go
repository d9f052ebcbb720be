package api

import "encoding/json"

// Schedule starts Actors and tasks at times that a cron expression gives.
type Schedule struct {
	ID             string                 `json:"id"`
	UserID         string                 `json:"userId"`
	Name           string                 `json:"name"`
	Title          *string                `json:"title,omitempty"`
	Description    *string                `json:"description,omitempty"`
	CronExpression string                 `json:"cronExpression"`
	Timezone       string                 `json:"timezone"` // of the IANA database
	IsEnabled      bool                   `json:"isEnabled"`
	IsExclusive    bool                   `json:"isExclusive"`
	CreatedAt      Time                   `json:"createdAt"`
	ModifiedAt     Time                   `json:"modifiedAt"`
	NextRunAt      *Time                  `json:"nextRunAt"`
	LastRunAt      *Time                  `json:"lastRunAt"`
	Actions        []ScheduleAction       `json:"actions"`
	Notifications  *ScheduleNotifications `json:"notifications,omitempty"`
}

// ScheduleUpdate is the body of POST and PUT of schedules. What is absent or
// null stays as it is.
type ScheduleUpdate struct {
	Name           *string                `json:"name,omitempty"`
	Title          *string                `json:"title,omitempty"`
	Description    *string                `json:"description,omitempty"`
	CronExpression *string                `json:"cronExpression,omitempty"`
	Timezone       *string                `json:"timezone,omitempty"`
	IsEnabled      *bool                  `json:"isEnabled,omitempty"`
	IsExclusive    *bool                  `json:"isExclusive,omitempty"`
	Actions        []ScheduleAction       `json:"actions,omitempty"`
	Notifications  *ScheduleNotifications `json:"notifications,omitempty"`
}

// ScheduleShort is a schedule in a list.
type ScheduleShort struct {
	ID             string                `json:"id"`
	UserID         string                `json:"userId"`
	Name           string                `json:"name"`
	Title          *string               `json:"title,omitempty"`
	CronExpression string                `json:"cronExpression"`
	Timezone       string                `json:"timezone"`
	IsEnabled      bool                  `json:"isEnabled"`
	IsExclusive    bool                  `json:"isExclusive"`
	CreatedAt      Time                  `json:"createdAt"`
	ModifiedAt     Time                  `json:"modifiedAt"`
	NextRunAt      *Time                 `json:"nextRunAt"`
	LastRunAt      *Time                 `json:"lastRunAt"`
	Actions        []ScheduleActionShort `json:"actions"`
}

// ScheduleActionShort is a schedule's action in a list.
type ScheduleActionShort struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	ActorID     string `json:"actorId,omitempty"`
	ActorTaskID string `json:"actorTaskId,omitempty"`
}

// ScheduleNotifications says who is told about a schedule that fails.
type ScheduleNotifications struct {
	Email bool `json:"email"`
}

// Types of a schedule's actions.
const (
	RunActor     = "RUN_ACTOR"
	RunActorTask = "RUN_ACTOR_TASK"
)

// ScheduleAction is one thing that a schedule starts: an Actor with RunInput and
// RunOptions, or a task with Input laid over its own.
type ScheduleAction struct {
	ID          string            `json:"id,omitempty"`
	Type        string            `json:"type"`
	ActorID     string            `json:"actorId,omitempty"`
	RunInput    *ScheduleRunInput `json:"runInput,omitempty"`
	RunOptions  *TaskOptions      `json:"runOptions,omitempty"`
	ActorTaskID string            `json:"actorTaskId,omitempty"`
	Input       json.RawMessage   `json:"input,omitempty"`
}

// ScheduleRunInput is the input of a scheduled run, as text.
type ScheduleRunInput struct {
	Body        *string `json:"body,omitempty"`
	ContentType *string `json:"contentType,omitempty"`
}

// ScheduleLogEntry is one line of a schedule's log.
type ScheduleLogEntry struct {
	Message   string `json:"message"`
	Level     string `json:"level"` // INFO or ERROR
	CreatedAt Time   `json:"createdAt"`
}
