// Package webhook says what webhooks are: which events they listen to, what may
// be in one, the requests that their templates make, and when a request that
// failed is sent again. Pure: no I/O.
package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Types of events. Source: the API's WebhookEventType.
const (
	RunCreated     = "ACTOR.RUN.CREATED"
	RunSucceeded   = "ACTOR.RUN.SUCCEEDED"
	RunFailed      = "ACTOR.RUN.FAILED"
	RunAborted     = "ACTOR.RUN.ABORTED"
	RunTimedOut    = "ACTOR.RUN.TIMED_OUT"
	RunResurrected = "ACTOR.RUN.RESURRECTED"

	BuildCreated   = "ACTOR.BUILD.CREATED"
	BuildSucceeded = "ACTOR.BUILD.SUCCEEDED"
	BuildFailed    = "ACTOR.BUILD.FAILED"
	BuildAborted   = "ACTOR.BUILD.ABORTED"
	BuildTimedOut  = "ACTOR.BUILD.TIMED_OUT"

	// Test is the type of what a test call tells about.
	Test = "TEST"
)

// EventTypes are all types that a webhook may listen to.
var EventTypes = []string{
	RunCreated, RunSucceeded, RunFailed, RunAborted, RunTimedOut, RunResurrected,
	BuildCreated, BuildSucceeded, BuildFailed, BuildAborted, BuildTimedOut, Test,
}

// RunEnded is the type of the event that a run's terminal status is; "" for
// other statuses.
func RunEnded(s api.Status) string { return ended("ACTOR.RUN.", s) }

// BuildEnded is RunEnded for builds.
func BuildEnded(s api.Status) string { return ended("ACTOR.BUILD.", s) }

func ended(prefix string, s api.Status) string {
	if !s.Terminal() {
		return ""
	}
	return prefix + strings.ReplaceAll(string(s), "-", "_")
}

// Event is something that happened to a run or a build.
type Event struct {
	Type string
	Data api.WebhookEventData
	// Resource is the run or the build as it was then.
	Resource any
	// Sequence tells events of one type apart that happen to one run: how often
	// it had been resurrected.
	Sequence int
	At       api.Time
}

// OfRun makes the event of a run.
func OfRun(eventType string, r api.Run) Event {
	e := Event{
		Type: eventType, Data: api.WebhookEventData{ActorID: r.ActorID, ActorRunID: r.ID},
		Resource: r, Sequence: r.Stats.ResurrectCount, At: api.Now(),
	}
	if r.ActorTaskID != nil {
		e.Data.ActorTaskID = *r.ActorTaskID
	}
	return e
}

// OfBuild makes the event of a build.
func OfBuild(eventType string, b api.Build) Event {
	return Event{
		Type: eventType, Data: api.WebhookEventData{ActorID: b.ActorID, ActorBuildID: b.ID},
		Resource: b, At: api.Now(),
	}
}

// Matches tells whether a webhook listens to the event: to its type, and to
// everything that its condition names.
func Matches(w api.Webhook, e Event) bool {
	same := func(want, is string) bool { return want == "" || want == is }
	c := w.Condition
	return slices.Contains(w.EventTypes, e.Type) && c != (api.WebhookCondition{}) &&
		same(c.ActorID, e.Data.ActorID) && same(c.ActorTaskID, e.Data.ActorTaskID) && same(c.ActorRunID, e.Data.ActorRunID)
}

// DispatchID is the id of what a webhook does about an event. It is made from
// the two, so that an event that is told again, by an engine that does not know
// whether it has told it before, does nothing again. An ad-hoc webhook is used
// once for a type of event, also when its run is resurrected.
func DispatchID(w api.Webhook, e Event) string {
	sequence := 0
	if !w.IsAdHoc {
		sequence = e.Sequence
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{
		w.ID, e.Type, e.Data.ActorRunID, e.Data.ActorBuildID, strconv.Itoa(sequence),
	}, "\x00")))
	id := strings.NewReplacer("+", "", "/", "", "=", "").Replace(base64.StdEncoding.EncodeToString(sum[:]))
	return id[:idLength]
}

// idLength is how long the platform's ids are.
const idLength = 17

// Limits of calls. Source: the platform's documentation of webhook actions.
const (
	// CallTimeout is how long one call may take.
	CallTimeout = 2 * time.Minute
	// MaxRetries is how often a call that failed is made again.
	MaxRetries = 11
)

// Backoff is how long to wait after the given number of failed calls, at least
// 1: a minute, then always twice as long. again is false when there is no
// further call.
func Backoff(failed int) (wait time.Duration, again bool) {
	if failed > MaxRetries {
		return 0, false
	}
	return time.Minute << (failed - 1), true
}
