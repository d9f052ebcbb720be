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
	Description  *string         `json:"description,omitempty"`
	CreatedAt    Time            `json:"createdAt"`
	ModifiedAt   Time            `json:"modifiedAt"`
	RemovedAt    *Time           `json:"removedAt,omitempty"`
	Stats        TaskStats       `json:"stats"`
	Options      *TaskOptions    `json:"options,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"` // an object
	ActorStandby *ActorStandby   `json:"actorStandby,omitempty"`
	StandbyURL   *string         `json:"standbyUrl,omitempty"`
	// IsPublic and PublicConfig are about a page of the task's own, which only the
	// platform has.
	IsPublic     bool              `json:"isPublic"`
	PublicConfig *TaskPublicConfig `json:"publicConfig,omitempty"`
}

// TaskPublicConfig is how a task is shown to the public.
type TaskPublicConfig struct {
	PublishedAt       *Time    `json:"publishedAt,omitempty"`
	SEOTitle          *string  `json:"seoTitle,omitempty"`
	SEODescription    *string  `json:"seoDescription,omitempty"`
	InputSchemaFields []string `json:"inputSchemaFields,omitempty"`
	DatasetName       *string  `json:"datasetName,omitempty"`
	DatasetView       *string  `json:"datasetView,omitempty"`
}

// TaskUpdate is the body of POST and PUT of tasks. What is absent or null stays
// as it is; ActorID counts for new tasks only.
type TaskUpdate struct {
	ActorID      string          `json:"actId,omitempty"`
	Name         *string         `json:"name,omitempty"`
	Title        *string         `json:"title,omitempty"`
	Description  *string         `json:"description,omitempty"`
	IsPublic     *bool           `json:"isPublic,omitempty"`
	Options      json.RawMessage `json:"options,omitempty"`      // TaskOptions; null takes a field of them away
	Input        json.RawMessage `json:"input,omitempty"`        // an object
	ActorStandby json.RawMessage `json:"actorStandby,omitempty"` // as Options
	PublicConfig json.RawMessage `json:"publicConfig,omitempty"` // as Options
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
