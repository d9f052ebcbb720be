package api

// Webhook calls a URL when something happens to runs or builds.
type Webhook struct {
	ID                       string           `json:"id"`
	UserID                   string           `json:"userId"`
	CreatedAt                Time             `json:"createdAt"`
	ModifiedAt               Time             `json:"modifiedAt"`
	IsAdHoc                  bool             `json:"isAdHoc"`
	ShouldInterpolateStrings bool             `json:"shouldInterpolateStrings"`
	EventTypes               []string         `json:"eventTypes"`
	Condition                WebhookCondition `json:"condition"`
	IgnoreSSLErrors          bool             `json:"ignoreSslErrors"`
	DoNotRetry               bool             `json:"doNotRetry"`
	RequestURL               string           `json:"requestUrl"`
	PayloadTemplate          *string          `json:"payloadTemplate"`
	HeadersTemplate          *string          `json:"headersTemplate"`
	Description              *string          `json:"description"`
	LastDispatch             *LastDispatch    `json:"lastDispatch"`
	Stats                    WebhookStats     `json:"stats"`
}

// WebhookUpdate is the body of POST and PUT of webhooks. What is absent or null
// stays as it is; IdempotencyKey counts for new webhooks only.
type WebhookUpdate struct {
	IsAdHoc                  *bool             `json:"isAdHoc,omitempty"`
	ShouldInterpolateStrings *bool             `json:"shouldInterpolateStrings,omitempty"`
	EventTypes               []string          `json:"eventTypes,omitempty"`
	Condition                *WebhookCondition `json:"condition,omitempty"`
	IdempotencyKey           *string           `json:"idempotencyKey,omitempty"`
	IgnoreSSLErrors          *bool             `json:"ignoreSslErrors,omitempty"`
	DoNotRetry               *bool             `json:"doNotRetry,omitempty"`
	RequestURL               *string           `json:"requestUrl,omitempty"`
	PayloadTemplate          *string           `json:"payloadTemplate,omitempty"`
	HeadersTemplate          *string           `json:"headersTemplate,omitempty"`
	Description              *string           `json:"description,omitempty"`
}

// WebhookShort is a webhook in a list.
type WebhookShort struct {
	ID                       string           `json:"id"`
	UserID                   string           `json:"userId"`
	CreatedAt                Time             `json:"createdAt"`
	ModifiedAt               Time             `json:"modifiedAt"`
	IsAdHoc                  bool             `json:"isAdHoc"`
	IsApifyIntegration       bool             `json:"isApifyIntegration"`
	IsEnabled                bool             `json:"isEnabled"`
	ActionType               string           `json:"actionType"`
	ShouldInterpolateStrings bool             `json:"shouldInterpolateStrings"`
	EventTypes               []string         `json:"eventTypes"`
	Condition                WebhookCondition `json:"condition"`
	IgnoreSSLErrors          bool             `json:"ignoreSslErrors"`
	DoNotRetry               bool             `json:"doNotRetry"`
	RequestURL               string           `json:"requestUrl"`
	LastDispatch             *LastDispatch    `json:"lastDispatch"`
	Stats                    WebhookStats     `json:"stats"`
}

// HTTPRequest is the type of action that all webhooks here have.
const HTTPRequest = "HTTP_REQUEST"

// WebhookCondition is what a webhook listens to: what has all that is set.
type WebhookCondition struct {
	ActorID     string `json:"actorId,omitempty"`
	ActorTaskID string `json:"actorTaskId,omitempty"`
	ActorRunID  string `json:"actorRunId,omitempty"`
}

// WebhookStats counts a webhook's dispatches.
type WebhookStats struct {
	TotalDispatches int `json:"totalDispatches"`
}

// LastDispatch is how a webhook's last dispatch went.
type LastDispatch struct {
	Status     string `json:"status"`
	FinishedAt *Time  `json:"finishedAt"`
}

// AdHocWebhook is a webhook for one run or build, as the query parameter
// webhooks gives it: base64 of a JSON list of these.
type AdHocWebhook struct {
	EventTypes               []string `json:"eventTypes"`
	RequestURL               string   `json:"requestUrl"`
	PayloadTemplate          *string  `json:"payloadTemplate,omitempty"`
	HeadersTemplate          *string  `json:"headersTemplate,omitempty"`
	ShouldInterpolateStrings bool     `json:"shouldInterpolateStrings,omitempty"`
	IdempotencyKey           string   `json:"idempotencyKey,omitempty"`
	IgnoreSSLErrors          bool     `json:"ignoreSslErrors,omitempty"`
	DoNotRetry               bool     `json:"doNotRetry,omitempty"`
}

// States of a webhook's dispatch.
const (
	DispatchActive    = "ACTIVE"
	DispatchSucceeded = "SUCCEEDED"
	DispatchFailed    = "FAILED"
)

// WebhookDispatch is one event that a webhook tells about, with all attempts to
// do so.
type WebhookDispatch struct {
	ID        string            `json:"id"`
	UserID    string            `json:"userId"`
	WebhookID string            `json:"webhookId"`
	CreatedAt Time              `json:"createdAt"`
	Status    string            `json:"status"`
	EventType string            `json:"eventType"`
	EventData *WebhookEventData `json:"eventData"`
	Webhook   *DispatchWebhook  `json:"webhook,omitempty"`
	Calls     []WebhookCall     `json:"calls"`
}

// WebhookEventData says what an event happened to.
type WebhookEventData struct {
	ActorID      string `json:"actorId"`
	ActorTaskID  string `json:"actorTaskId,omitempty"`
	ActorRunID   string `json:"actorRunId,omitempty"`
	ActorBuildID string `json:"actorBuildId,omitempty"`
}

// DispatchWebhook is the webhook as a dispatch shows it.
type DispatchWebhook struct {
	ActionType string           `json:"actionType"`
	Condition  WebhookCondition `json:"condition"`
	RequestURL string           `json:"requestUrl"`
	IsAdHoc    bool             `json:"isAdHoc"`
}

// WebhookCall is one attempt of a dispatch.
type WebhookCall struct {
	StartedAt      Time    `json:"startedAt"`
	FinishedAt     *Time   `json:"finishedAt"`
	ErrorMessage   *string `json:"errorMessage"`
	ResponseStatus *int    `json:"responseStatus"`
	ResponseBody   *string `json:"responseBody"`
}
