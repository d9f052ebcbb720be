package api

import "encoding/json"

// Task is an Actor with an input and options that are kept for its runs.
type Task struct {
	ID           string          `json:"id"`
	UserID       string          `json:"userId"`
	ActorID      string          `json:"actId"`
	Name         string          `json:"name"`
	Username     string          `json:"username,omitempty"`
	Title        *string         `json:"title,omitempty"`
	CreatedAt    Time            `json:"createdAt"`
	ModifiedAt   Time            `json:"modifiedAt"`
	RemovedAt    *Time           `json:"removedAt,omitempty"`
	Stats        TaskStats       `json:"stats"`
	Options      *TaskOptions    `json:"options,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"` // an object
	ActorStandby *ActorStandby   `json:"actorStandby,omitempty"`
	StandbyURL   *string         `json:"standbyUrl,omitempty"`
}

// TaskUpdate is the body of POST and PUT of tasks. What is absent or null stays
// as it is; ActorID counts for new tasks only.
type TaskUpdate struct {
	ActorID      string          `json:"actId,omitempty"`
	Name         *string         `json:"name,omitempty"`
	Title        *string         `json:"title,omitempty"`
	Options      json.RawMessage `json:"options,omitempty"`      // TaskOptions; null takes a field of them away
	Input        json.RawMessage `json:"input,omitempty"`        // an object
	ActorStandby json.RawMessage `json:"actorStandby,omitempty"` // as Options
}

// TaskStats counts a task's runs.
type TaskStats struct {
	TotalRuns int `json:"totalRuns"`
}

// TaskOptions are options of runs; what is nil is for the Actor to say.
type TaskOptions struct {
	Build             *string  `json:"build,omitempty"`
	TimeoutSecs       *int     `json:"timeoutSecs,omitempty"`
	MemoryMbytes      *int     `json:"memoryMbytes,omitempty"`
	MaxItems          *int     `json:"maxItems,omitempty"`
	MaxTotalChargeUSD *float64 `json:"maxTotalChargeUsd,omitempty"`
	RestartOnError    *bool    `json:"restartOnError,omitempty"`
}

// TaskShort is a task in a list.
type TaskShort struct {
	ID            string    `json:"id"`
	UserID        string    `json:"userId"`
	ActorID       string    `json:"actId"`
	ActorName     string    `json:"actName,omitempty"`
	ActorUsername string    `json:"actUsername,omitempty"`
	Name          string    `json:"name"`
	Username      string    `json:"username,omitempty"`
	Title         *string   `json:"title,omitempty"`
	CreatedAt     Time      `json:"createdAt"`
	ModifiedAt    Time      `json:"modifiedAt"`
	Stats         TaskStats `json:"stats"`
}
