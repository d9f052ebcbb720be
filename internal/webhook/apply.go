package webhook

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Limits of what is in a webhook. The platform documents none; these are well
// above what anybody needs.
const (
	maxURL      = 8 << 10
	maxTemplate = 256 << 10
	maxKey      = 256
	maxAdHoc    = 100 // in one query parameter
)

// Apply changes a webhook as u says, and checks the result, but not that what
// its condition names is there. A failure leaves w as it was.
func Apply(w *api.Webhook, u api.WebhookUpdate) error {
	changed := *w
	set(&changed.IsAdHoc, u.IsAdHoc)
	set(&changed.ShouldInterpolateStrings, u.ShouldInterpolateStrings)
	set(&changed.Condition, u.Condition)
	set(&changed.IgnoreSSLErrors, u.IgnoreSSLErrors)
	set(&changed.DoNotRetry, u.DoNotRetry)
	set(&changed.RequestURL, u.RequestURL)
	if u.EventTypes != nil {
		changed.EventTypes = nil
		for _, eventType := range u.EventTypes {
			if !slices.Contains(changed.EventTypes, eventType) {
				changed.EventTypes = append(changed.EventTypes, eventType)
			}
		}
	}
	if u.PayloadTemplate != nil {
		changed.PayloadTemplate = u.PayloadTemplate
	}
	if u.HeadersTemplate != nil {
		changed.HeadersTemplate = u.HeadersTemplate
	}
	if u.Description != nil {
		changed.Description = u.Description
	}
	if key := u.IdempotencyKey; key != nil && len(*key) > maxKey {
		return invalid("the idempotencyKey of a webhook must have at most %d bytes", maxKey)
	}
	if err := check(changed); err != nil {
		return err
	}
	*w = changed
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func check(w api.Webhook) error {
	if len(w.EventTypes) == 0 {
		return invalid("eventTypes of a webhook must name at least one event such as %s", RunSucceeded)
	}
	for _, eventType := range w.EventTypes {
		if !slices.Contains(EventTypes, eventType) {
			return invalid("eventTypes of a webhook cannot have %.80q", eventType).WithHint("known are %s", strings.Join(EventTypes, ", "))
		}
	}
	switch c := w.Condition; {
	case c == (api.WebhookCondition{}):
		return invalid("the condition of a webhook must name an Actor (actorId), a task (actorTaskId) or a run (actorRunId)")
	case w.IsAdHoc && c.ActorRunID == "":
		return invalid("the condition of an ad-hoc webhook must name its run (actorRunId)")
	}
	if err := checkURL(w.RequestURL); err != nil {
		return err
	}
	for kind, template := range map[string]*string{"payload": w.PayloadTemplate, "headers": w.HeadersTemplate} {
		if template != nil && len(*template) > maxTemplate {
			return invalid("the %s template of a webhook must have at most %d bytes, it has %d", kind, maxTemplate, len(*template))
		}
	}
	// What cannot be filled is better refused now than found out at an event.
	example := example(w.EventTypes[0])
	if _, err := Payload(w, example); err != nil {
		return err
	}
	headers, err := Headers(w, example)
	for name, value := range headers {
		if !validName(name) || !validValue(value) {
			return errTemplate("headers", "it makes no HTTP header of "+name)
		}
	}
	return err
}

// validName and validValue tell what may stand in a header of HTTP: RFC 9110,
// section 5.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i] | 0x20
		if (c < 'a' || c > 'z') && (name[i] < '0' || name[i] > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", name[i]) < 0 {
			return false
		}
	}
	return name != ""
}

func validValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return invalid("the requestUrl of a webhook is missing")
	case len(text) > maxURL:
		return invalid("the requestUrl of a webhook must have at most %d bytes", maxURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return invalid("the requestUrl of a webhook must be an http or https URL, got %.200q", text)
	}
	return nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...).WithType("invalid-value")
}

// example is an event as templates are tried with.
func example(eventType string) Variables {
	now := api.Now()
	v := Variables{
		UserID: "userId", CreatedAt: now, EventType: eventType,
		EventData: api.WebhookEventData{ActorID: "actorId", ActorRunID: "actorRunId"},
		Resource:  api.Run{ID: "actorRunId", ActorID: "actorId", Status: api.StatusSucceeded, StartedAt: now},
		Globals:   Globals{DateISO: now, DateUnix: now.Unix()},
	}
	if strings.HasPrefix(eventType, "ACTOR.BUILD.") {
		v.EventData = api.WebhookEventData{ActorID: "actorId", ActorBuildID: "actorBuildId"}
		v.Resource = api.Build{ID: "actorBuildId", ActorID: "actorId", Status: api.StatusSucceeded, StartedAt: now}
	}
	return v
}

// TestEvent is the event that a test call of a webhook tells about: there is no
// run behind it.
func TestEvent(w api.Webhook) Event {
	now := api.Now()
	finished := now
	r := api.Run{
		ID: cmp.Or(w.Condition.ActorRunID, "dummyRunId"), ActorID: cmp.Or(w.Condition.ActorID, "dummyActorId"), UserID: w.UserID,
		Status: api.StatusSucceeded, StartedAt: now, FinishedAt: &finished, Meta: api.RunMeta{Origin: "TEST"},
	}
	if task := w.Condition.ActorTaskID; task != "" {
		r.ActorTaskID = &task
	}
	return OfRun(Test, r)
}

// ParseAdHoc reads and checks the query parameter with the webhooks of a run that
// is to be started: base64 of a JSON list.
func ParseAdHoc(parameter string) ([]api.AdHocWebhook, error) {
	if parameter == "" {
		return nil, nil
	}
	// A plus sign that nobody escaped arrives as a space.
	text := strings.NewReplacer(" ", "+", "-", "+", "_", "/").Replace(strings.TrimRight(parameter, "="))
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errAdHoc("it is not base64")
	}
	var list []api.AdHocWebhook
	if err := json.Unmarshal(decoded, &list); err != nil {
		return nil, errAdHoc("it does not decode to a JSON list of webhooks")
	}
	if len(list) > maxAdHoc {
		return nil, errAdHoc("it has too many webhooks")
	}
	for _, one := range list {
		if err := Apply(&api.Webhook{}, AdHoc(one, "run")); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// AdHoc gives what makes an ad-hoc webhook for a run.
func AdHoc(w api.AdHocWebhook, runID string) api.WebhookUpdate {
	adHoc := true
	u := api.WebhookUpdate{
		IsAdHoc: &adHoc, ShouldInterpolateStrings: &w.ShouldInterpolateStrings, EventTypes: w.EventTypes,
		Condition:       &api.WebhookCondition{ActorRunID: runID},
		IgnoreSSLErrors: &w.IgnoreSSLErrors, DoNotRetry: &w.DoNotRetry, RequestURL: &w.RequestURL,
		PayloadTemplate: w.PayloadTemplate, HeadersTemplate: w.HeadersTemplate,
	}
	if w.IdempotencyKey != "" {
		u.IdempotencyKey = &w.IdempotencyKey
	}
	return u
}

func errAdHoc(complaint string) error {
	return fault.New(fault.InvalidRequest, "query parameter webhooks is not valid: %s", complaint).WithType("invalid-parameter").
		WithHint("it is base64 of a JSON list such as [{\"eventTypes\":[%q],\"requestUrl\":\"https://example.com\"}]", RunSucceeded)
}
