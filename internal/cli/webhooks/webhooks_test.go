package webhooks_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cli/recordtest"
	"github.com/greenroom-dev/greenroom/internal/cli/schedules"
	"github.com/greenroom-dev/greenroom/internal/cli/webhooks"
)

func TestWebhooks(t *testing.T) {
	a := recordtest.New(t)
	hook := `{"id":"W1","requestUrl":"http://x/","eventTypes":["ACTOR.RUN.FAILED"],"condition":{"actorId":"A1"},"lastDispatch":{"status":"FAILED","finishedAt":null}}`
	dispatch := `{"id":"X1","webhookId":"W1","eventType":"TEST","status":"FAILED","calls":[{"startedAt":"2026-11-01T00:00:00.000Z","responseStatus":500,"errorMessage":"bad"}]}`
	a.On("GET /actors/me~one", `{"id":"A1","name":"one","username":"me"}`)
	a.On("POST /webhooks", hook).On("GET /webhooks", `{"total":1,"items":[`+hook+`]}`).On("GET /actors/A1/webhooks", `{"total":1,"items":[`+hook+`]}`)
	a.On("GET /webhooks/W1", hook).On("PUT /webhooks/W1", hook).On("DELETE /webhooks/W1", "").On("POST /webhooks/W1/test", dispatch)
	a.On("GET /webhooks/W1/dispatches", `{"total":1,"items":[`+dispatch+`]}`).On("GET /webhook-dispatches/X1", dispatch)
	template := filepath.Join(t.TempDir(), "t.json")
	if err := os.WriteFile(template, []byte(`{"id": {{resource.id}}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	a.Run(webhooks.New, nil, "create", "http://x/", "--actor", "one", "-e", "ACTOR.RUN.FAILED", "--payload-template", "@"+template, "--no-retry").
		Exits(0).Prints("W1", "Actor A1")
	want := `{"condition":{"actorId":"A1"},"doNotRetry":true,"eventTypes":["ACTOR.RUN.FAILED"],"ignoreSslErrors":false,` +
		`"payloadTemplate":"{\"id\": {{resource.id}}}","requestUrl":"http://x/","shouldInterpolateStrings":false}`
	if got := a.Last("POST", "/webhooks").Body; got != want {
		t.Errorf("made of %s", got)
	}
	a.Run(webhooks.New, nil, "create", "http://x/").Exits(1).Says("--actor, --task and --run")
	a.Run(webhooks.New, nil, "create", "http://x/", "--run", "GONE").Exits(250).Says(`run "GONE"`)
	a.Run(webhooks.New, nil, "create", "http://x/", "--actor", "one", "--payload-template", "@nosuch").Exits(5)
	a.Run(webhooks.New, nil, "ls", "--actor", "one").Exits(0).Prints("W1", "FAILED")
	a.Run(webhooks.New, nil, "update", "W1", "doNotRetry=false", `eventTypes:=["TEST"]`).Exits(0)
	if got := a.Last("PUT", "/webhooks/W1").Body; got != `{"doNotRetry":false,"eventTypes":["TEST"]}` {
		t.Errorf("changed by %s", got)
	}
	a.Run(webhooks.New, nil, "update", "W1", "nothing").Exits(5)
	a.Run(webhooks.New, nil, "test", "W1").Exits(0).Prints("X1", "HTTP 500 bad")
	a.Run(webhooks.New, nil, "dispatches", "W1").Exits(0).Prints("X1", "TEST")
	a.Run(webhooks.New, nil, "dispatch", "X1", "--jq", ".calls[0].responseStatus").Exits(0).Prints("500\n")
	a.Run(webhooks.New, nil, "rm", "W1").Exits(1).Says("--yes", "http://x/")
	a.Run(webhooks.New, nil, "rm", "W1", "-y").Exits(0)
	for _, verb := range []string{"info", "test", "rm", "dispatches"} {
		a.Run(webhooks.New, nil, verb, "GONE").Exits(250).Says(`webhook "GONE"`)
	}
}

func TestSchedules(t *testing.T) {
	a := recordtest.New(t)
	schedule := `{"id":"S1","name":"nightly","cronExpression":"@daily","timezone":"UTC","isEnabled":true,"nextRunAt":"2026-11-02T00:00:00.000Z",` +
		`"actions":[{"type":"RUN_ACTOR","actorId":"A1"},{"type":"RUN_ACTOR_TASK","actorTaskId":"T1"}]}`
	a.On("GET /actors/me~one", `{"id":"A1"}`).On("GET /actor-tasks/me~daily", `{"id":"T1"}`)
	a.On("POST /schedules", schedule).On("GET /schedules", `{"total":1,"items":[`+schedule+`]}`).On("GET /schedules/S1", schedule).On("PUT /schedules/S1", schedule)
	a.On("GET /schedules/S1/log", `[{"message":"started \u001b[2J","level":"INFO","createdAt":"2026-11-01T00:00:00.000Z"}]`).On("DELETE /schedules/S1", "")
	a.Run(schedules.New, nil, "create", "nightly", "@daily", "--actor", "one", "--task", "daily", "-i", `{"a":1}`, "--exclusive").Exits(0).Prints("task T1", "2026-11-02")
	want := `{"actions":[{"type":"RUN_ACTOR","actorId":"A1","runInput":{"body":"{\"a\":1}","contentType":"application/json; charset=utf-8"}},` +
		`{"type":"RUN_ACTOR_TASK","actorTaskId":"T1","input":{"a":1}}],"cronExpression":"@daily","isEnabled":true,"isExclusive":true,"name":"nightly","timezone":"UTC"}`
	if got := a.Last("POST", "/schedules").Body; got != want {
		t.Errorf("made of %s", got)
	}
	a.Run(schedules.New, nil, "create", "n", "@daily").Exits(1).Says("nothing to start")
	a.Run(schedules.New, nil, "create", "n", "@daily", "--actor", "one", "-i", "[]").Exits(5)
	a.Run(schedules.New, nil, "ls").Exits(0).Prints("nightly", "@daily")
	a.Run(schedules.New, nil, "disable", "S1").Exits(0)
	if got := a.Last("PUT", "/schedules/S1").Body; got != `{"isEnabled":false}` {
		t.Errorf("disabled by %s", got)
	}
	a.Run(schedules.New, nil, "enable", "GONE").Exits(250)
	a.Run(schedules.New, nil, "log", "S1").Exits(0).Prints("2026-11-01T00:00:00Z INFO  started �[2J\n")
	a.Run(schedules.New, nil, "log", "GONE").Exits(250)
	a.Run(schedules.New, nil, "rm", "S1", "--yes").Exits(0).Says("deleted schedule nightly")
}
