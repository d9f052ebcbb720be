package api

// RunShort is a run in a list.
type RunShort struct {
	ID                     string  `json:"id"`
	ActorID                string  `json:"actId"`
	UserID                 string  `json:"userId,omitempty"`
	ActorTaskID            *string `json:"actorTaskId,omitempty"`
	Status                 Status  `json:"status"`
	StartedAt              Time    `json:"startedAt"`
	FinishedAt             *Time   `json:"finishedAt"`
	BuildID                string  `json:"buildId"`
	BuildNumber            *string `json:"buildNumber,omitempty"`
	Meta                   RunMeta `json:"meta"`
	UsageTotalUSD          float64 `json:"usageTotalUsd"`
	DefaultKeyValueStoreID string  `json:"defaultKeyValueStoreId"`
	DefaultDatasetID       string  `json:"defaultDatasetId"`
	DefaultRequestQueueID  string  `json:"defaultRequestQueueId"`
}

// Short is the run as lists show it.
func (r Run) Short() RunShort {
	return RunShort{
		ID: r.ID, ActorID: r.ActorID, UserID: r.UserID, ActorTaskID: r.ActorTaskID,
		Status: r.Status, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		BuildID: r.BuildID, BuildNumber: r.BuildNumber, Meta: r.Meta, UsageTotalUSD: r.UsageTotalUSD,
		DefaultKeyValueStoreID: r.DefaultKeyValueStoreID,
		DefaultDatasetID:       r.DefaultDatasetID,
		DefaultRequestQueueID:  r.DefaultRequestQueueID,
	}
}

// BuildShort is a build in a list.
type BuildShort struct {
	ID            string  `json:"id"`
	ActorID       string  `json:"actId"`
	UserID        string  `json:"userId,omitempty"`
	Status        Status  `json:"status"`
	StartedAt     Time    `json:"startedAt"`
	FinishedAt    *Time   `json:"finishedAt"`
	UsageTotalUSD float64 `json:"usageTotalUsd"`
	BuildNumber   string  `json:"buildNumber"`
	// BuildNumberInt is the number as one integer, by which builds compare.
	BuildNumberInt int     `json:"buildNumberInt,omitempty"`
	Meta           RunMeta `json:"meta"`
}

// Short is the build as lists show it.
func (b Build) Short() BuildShort {
	return BuildShort{
		ID: b.ID, ActorID: b.ActorID, UserID: b.UserID, Status: b.Status,
		StartedAt: b.StartedAt, FinishedAt: b.FinishedAt, BuildNumber: b.BuildNumber, Meta: b.Meta,
		UsageTotalUSD: b.UsageTotalUSD,
	}
}

// ActorShort is an Actor in a list.
type ActorShort struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Username   string     `json:"username"`
	Title      string     `json:"title,omitempty"`
	CreatedAt  Time       `json:"createdAt"`
	ModifiedAt Time       `json:"modifiedAt"`
	Stats      ActorStats `json:"stats"`
}

// Short is the Actor as lists show it.
func (a Actor) Short() ActorShort {
	short := ActorShort{
		ID: a.ID, Name: a.Name, Username: a.Username,
		CreatedAt: a.CreatedAt, ModifiedAt: a.ModifiedAt, Stats: a.Stats,
	}
	short.Title = a.Name // what has no title is called by its name: clients print it unseen
	if a.Title != nil && *a.Title != "" {
		short.Title = *a.Title
	}
	return short
}

// Short is the task as lists show it. The Actor's names are "" for one that is
// not there any more.
func (t Task) Short(actorName, actorUsername string) TaskShort {
	return TaskShort{
		ID: t.ID, UserID: t.UserID, ActorID: t.ActorID, ActorName: actorName, ActorUsername: actorUsername,
		Name: t.Name, Username: t.Username, Title: t.Title, CreatedAt: t.CreatedAt, ModifiedAt: t.ModifiedAt, Stats: t.Stats,
	}
}

// Short is the schedule as lists show it.
func (s Schedule) Short() ScheduleShort {
	short := ScheduleShort{
		ID: s.ID, UserID: s.UserID, Name: s.Name, Title: s.Title, CronExpression: s.CronExpression, Timezone: s.Timezone,
		IsEnabled: s.IsEnabled, IsExclusive: s.IsExclusive, CreatedAt: s.CreatedAt, ModifiedAt: s.ModifiedAt,
		NextRunAt: s.NextRunAt, LastRunAt: s.LastRunAt, Actions: make([]ScheduleActionShort, len(s.Actions)),
	}
	for i, a := range s.Actions {
		short.Actions[i] = ScheduleActionShort{ID: a.ID, Type: a.Type, ActorID: a.ActorID, ActorTaskID: a.ActorTaskID}
	}
	return short
}

// Short is the webhook as lists show it.
func (w Webhook) Short() WebhookShort {
	return WebhookShort{
		ID: w.ID, UserID: w.UserID, CreatedAt: w.CreatedAt, ModifiedAt: w.ModifiedAt, IsAdHoc: w.IsAdHoc,
		IsEnabled: true, ActionType: HTTPRequest, ShouldInterpolateStrings: w.ShouldInterpolateStrings,
		EventTypes: w.EventTypes, Condition: w.Condition, IgnoreSSLErrors: w.IgnoreSSLErrors, DoNotRetry: w.DoNotRetry,
		RequestURL: w.RequestURL, LastDispatch: w.LastDispatch, Stats: w.Stats,
	}
}
