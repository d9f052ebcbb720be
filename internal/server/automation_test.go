package server

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTasksOfTheAPI(t *testing.T) {
	p := newPlatform(t)
	p.do("POST", "/v2/actor-tasks", `{"actId":"nobody~nothing"}`).fails(404, "record-not-found")
	p.do("POST", "/v2/actor-tasks", `[]`).fails(400, "invalid-request")
	p.do("POST", "/v2/actor-tasks", `{}`).fails(400, "invalid-value")
	p.defined(`"name":"scripted","input":{"title":"T","type":"object","schemaVersion":1,"properties":{
		"a":{"title":"A","type":"integer","description":"d","editor":"number","default":7},
		"b":{"title":"B","type":"string","description":"d","editor":"textfield"}}}`, `
		curl -sf -H "Authorization: Bearer $APIFY_TOKEN" "$APIFY_API_BASE_URL/v2/key-value-stores/$ACTOR_DEFAULT_KEY_VALUE_STORE_ID/records/INPUT" |
		curl -sf -X PUT -H 'Content-Type: application/json' -H "Authorization: Bearer $APIFY_TOKEN" --data-binary @- \
			"$APIFY_API_BASE_URL/v2/key-value-stores/$ACTOR_DEFAULT_KEY_VALUE_STORE_ID/records/OUTPUT"
		curl -sf -H 'Content-Type: application/json' -H "Authorization: Bearer $APIFY_TOKEN" --data-binary '{"n":1}' \
			"$APIFY_API_BASE_URL/v2/datasets/$ACTOR_DEFAULT_DATASET_ID/items"`)
	task := p.do("POST", "/v2/actor-tasks", `{"actId":"me~scripted","name":"my-task","input":{"b":"from the task"},"options":{"memoryMbytes":256}}`).want(201)
	id := task.str("data", "id")
	if got := task.header.Get("Location"); got != p.URL+"/v2/actor-tasks/"+id {
		t.Errorf("it lies at %s", got)
	}
	p.do("POST", "/v2/actor-tasks", `{"actId":"me~scripted","name":"my-task"}`).fails(409, "actor-task-name-not-unique")
	p.do("GET", "/v2/actor-tasks", nil).want(200).is("scripted", "data", "items", 0, "actName").is(1, "data", "total")
	p.do("GET", "/v2/actor-tasks?limit=x", nil).fails(400, "invalid-parameter")
	const base = "/v2/actor-tasks/me~my-task"
	p.do("GET", base, nil).want(200).is(id, "data", "id")
	p.do("GET", "/v2/actor-tasks/none", nil).fails(404, "record-not-found")
	p.do("PUT", base, `{"title":"T"}`).want(200).is("T", "data", "title").is(256, "data", "options", "memoryMbytes")
	p.do("PUT", base, `{"options":{"memoryMbytes":1}}`).fails(400, "invalid-value")
	p.do("GET", base+"/input", nil).want(200).is(map[string]any{"b": "from the task"})
	p.do("GET", "/v2/actor-tasks/none/input", nil).fails(404, "record-not-found")
	p.do("PUT", base+"/input", `{"c":3}`).want(200).is(map[string]any{"b": "from the task", "c": 3})
	p.do("PUT", base+"/input", `[]`).fails(400, "invalid-request")

	p.do("GET", base+"/runs/last", nil).fails(404, "record-not-found")
	p.do("POST", base+"/runs", `[]`).fails(400, "input-json-not-object")
	p.do("POST", base+"/runs", `{"a":"x"}`).fails(400, "invalid-input")
	run := p.do("POST", base+"/runs?waitForFinish=60&memory=512", `{"b":"from the call"}`).want(201)
	run.is(id, "data", "actorTaskId").is(512, "data", "options", "memoryMbytes").is("SUCCEEDED", "data", "status")
	record := func(a answer, want map[string]any) {
		t.Helper()
		p.do("GET", "/v2/key-value-stores/"+a.str("data", "defaultKeyValueStoreId")+"/records/OUTPUT", nil).want(200).is(want)
	}
	record(run, map[string]any{"a": 7, "b": "from the call", "c": 3})
	p.do("GET", base+"/run-sync", nil).want(201).is(map[string]any{"a": 7, "b": "from the task", "c": 3})
	p.do("POST", base+"/run-sync", `{"a":1}`).want(201).is(map[string]any{"a": 1, "b": "from the task", "c": 3})
	p.do("GET", "/v2/actor-tasks/none/run-sync", nil).fails(404, "record-not-found")
	p.do("POST", "/v2/actor-tasks/none/run-sync", nil).fails(404, "record-not-found")
	p.do("GET", base+"/run-sync-get-dataset-items", nil).want(201).is([]any{map[string]any{"n": 1}})
	p.do("POST", base+"/run-sync-get-dataset-items", `{}`).want(201).is([]any{map[string]any{"n": 1}})
	p.do("GET", base+"/run-sync-get-dataset-items?format=x", nil).want(400)
	p.do("POST", base+"/run-sync-get-dataset-items?format=x", nil).want(400)
	p.do("GET", base, nil).is(5, "data", "stats", "totalRuns")

	runs := p.do("GET", base+"/runs?desc=1&status=SUCCEEDED", nil).want(200).is(5, "data", "total")
	p.do("GET", "/v2/actor-tasks/none/runs", nil).fails(404, "record-not-found")
	last := base + "/runs/last"
	p.do("GET", last, nil).want(200).is(runs.str("data", "items", 0, "id"), "data", "id")
	p.do("GET", last+"?status=FAILED", nil).fails(404, "record-not-found")
	p.do("GET", last+"/log", nil).want(200)
	p.do("GET", "/v2/actor-tasks/none/runs/last/log", nil).fails(404, "record-not-found")
	p.do("POST", last+"/abort", nil).want(200)
	p.do("POST", "/v2/actor-tasks/none/runs/last/abort", nil).fails(404, "record-not-found")
	p.do("POST", last+"/reboot", nil).fails(400, "job-finished")
	p.do("POST", last+"/metamorph?targetActorId=x", nil).fails(400, "job-finished")
	for _, storage := range []string{"/dataset", "/key-value-store", "/request-queue"} {
		p.do("DELETE", last+storage, nil).want(204)
		p.do("DELETE", last+storage, nil).fails(404, "record-not-found")
	}
	p.do("DELETE", base, nil).want(204)
	p.do("DELETE", base, nil).fails(404, "record-not-found")
	p.do("GET", last, nil).fails(404, "record-not-found")
}

func TestLastTaskRunWhileItRuns(t *testing.T) {
	p := newPlatform(t)
	p.actor(`echo started; sleep 60`)
	p.do("POST", "/v2/actor-tasks", `{"actId":"me~scripted","name":"sleeper"}`).want(201)
	run := p.do("POST", "/v2/actor-tasks/~sleeper/runs", nil).want(201)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(string(p.do("GET", "/v2/logs/"+run.str("data", "id"), nil).body), "started") {
			break
		}
	}
	const last = "/v2/actor-tasks/~sleeper/runs/last"
	p.do("POST", last+"/reboot", nil).want(200)
	p.do("POST", last+"/abort", nil).want(200)
	p.do("GET", last+"?waitForFinish=20", nil).want(200).is("ABORTED", "data", "status")
}

func TestSchedulesOfTheAPI(t *testing.T) {
	p := newPlatform(t)
	p.actor(`exit 0`)
	p.do("POST", "/v2/schedules", `{"name":"x"}`).fails(400, "invalid-value")
	p.do("POST", "/v2/schedules", `{"cronExpression":"x"}`).fails(400, "cron-expression-invalid")
	p.do("POST", "/v2/schedules", `{"cronExpression":"@daily","actions":[{"type":"RUN_ACTOR","actorId":"no"}]}`).fails(400, "schedule-actor-not-found")
	s := p.do("POST", "/v2/schedules", `{"name":"often","cronExpression":"* * * * * *","timezone":"Europe/Prague","isEnabled":true,"isExclusive":true,
		"description":"D","actions":[{"type":"RUN_ACTOR","actorId":"me~scripted","runInput":{"body":"{}","contentType":"application/json"},"runOptions":{"memoryMbytes":128}}]}`).want(201)
	id := s.str("data", "id")
	path := "/v2/schedules/" + id
	p.do("POST", "/v2/schedules", `{"name":"often","cronExpression":"@daily"}`).fails(409, "schedule-name-not-unique")
	p.do("GET", "/v2/schedules", nil).want(200).is("RUN_ACTOR", "data", "items", 0, "actions", 0, "type")
	p.do("GET", "/v2/schedules?desc=x", nil).want(400)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		runs := p.do("GET", "/v2/actors/~scripted/runs", nil).want(200)
		if runs.get("data", "total") != 0.0 {
			runs.is("SCHEDULER", "data", "items", 0, "meta", "origin").is(id, "data", "items", 0, "meta", "scheduleId")
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was started: %s", p.do("GET", path+"/log", nil).body)
		}
	}
	p.do("PUT", path, `{"isEnabled":false}`).want(200).is(nil, "data", "nextRunAt").is("D", "data", "description")
	p.do("PUT", path, `{"timezone":"Mars"}`).fails(400, "invalid-value")
	p.do("GET", path, nil).want(200)
	p.do("GET", "/v2/schedules/none", nil).fails(404, "record-not-found")
	p.do("GET", path+"/log", nil).want(200).is("INFO", "data", 0, "level")
	p.do("GET", "/v2/schedules/none/log", nil).fails(404, "record-not-found")
	p.do("DELETE", path, nil).want(204)
	p.do("DELETE", path, nil).fails(404, "record-not-found")
}

func TestWebhooksOfTheAPI(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor(`exit 0`)
	task := p.do("POST", "/v2/actor-tasks", `{"actId":"me~scripted","name":"my-task"}`).want(201).str("data", "id")
	var mu sync.Mutex
	var bodies []string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, r.URL.Path+" "+string(body))
	}))
	defer receiver.Close()
	hook := func(path, condition string) answer {
		return p.do("POST", "/v2/webhooks", `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"requestUrl":"`+receiver.URL+path+`","condition":`+condition+`,"idempotencyKey":"`+path+`"}`)
	}
	hook("/bad", `{"actorId":"none"}`).fails(404, "record-not-found")
	hook("/bad", `{}`).fails(400, "invalid-value")
	first := hook("/actor", `{"actorId":"me~scripted"}`).want(201).is(actor.ID, "data", "condition", "actorId")
	hook("/actor", `{"actorId":"me~scripted"}`).want(201).is(first.str("data", "id"), "data", "id")
	hook("/task", `{"actorTaskId":"~my-task"}`).want(201).is(task, "data", "condition", "actorTaskId")
	path := "/v2/webhooks/" + first.str("data", "id")
	p.do("GET", "/v2/webhooks", nil).want(200).is(2, "data", "total").is("HTTP_REQUEST", "data", "items", 0, "actionType")
	p.do("GET", "/v2/webhooks?offset=x", nil).want(400)
	p.do("GET", "/v2/actors/~scripted/webhooks", nil).want(200).is(1, "data", "total")
	p.do("GET", "/v2/actors/none/webhooks", nil).fails(404, "record-not-found")
	p.do("GET", "/v2/actor-tasks/~my-task/webhooks", nil).want(200).is(1, "data", "total")
	p.do("GET", "/v2/actor-tasks/none/webhooks", nil).fails(404, "record-not-found")
	p.do("GET", path, nil).want(200)
	p.do("GET", "/v2/webhooks/none", nil).fails(404, "record-not-found")
	p.do("PUT", path, `{"description":"D","payloadTemplate":"{\"id\":{{eventData.actorRunId}},\"type\":{{eventType}}}"}`).want(200).is("D", "data", "description")
	p.do("PUT", path, `{"requestUrl":"x"}`).fails(400, "invalid-value")

	dispatch := p.do("POST", path+"/test", nil).want(201).is("TEST", "data", "eventType").str("data", "id")
	p.do("POST", "/v2/webhooks/none/test", nil).fails(404, "record-not-found")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got := p.do("GET", "/v2/webhook-dispatches/"+dispatch, nil).want(200)
		if got.str("data", "status") != "ACTIVE" {
			got.is("SUCCEEDED", "data", "status").is(200, "data", "calls", 0, "responseStatus")
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the test call was not made")
		}
	}
	p.do("GET", "/v2/webhook-dispatches/none", nil).fails(404, "record-not-found")
	p.do("GET", path+"/dispatches", nil).want(200).is(1, "data", "total")
	p.do("GET", "/v2/webhooks/none/dispatches", nil).fails(404, "record-not-found")
	p.do("GET", "/v2/webhook-dispatches?desc=1", nil).want(200).is(1, "data", "total")
	p.do("GET", "/v2/webhook-dispatches?limit=x", nil).want(400)

	// An ad-hoc webhook is there before the run is.
	adHoc := base64.StdEncoding.EncodeToString([]byte(`[{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"requestUrl":"` + receiver.URL + `/adhoc"}]`))
	run := p.do("POST", "/v2/actor-tasks/~my-task/runs?waitForFinish=60&webhooks="+adHoc, nil).want(201)
	p.do("POST", "/v2/acts/~scripted/runs?webhooks=x", nil).fails(400, "invalid-parameter")
	all := p.do("GET", "/v2/webhooks?desc=1", nil).want(200).is(true, "data", "items", 0, "isAdHoc")
	all.is(run.str("data", "id"), "data", "items", 0, "condition", "actorRunId")
	runID := run.str("data", "id")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		got := strings.Join(bodies, "\n")
		mu.Unlock()
		if strings.Count(got, runID) >= 3 && strings.Contains(got, `/actor {"id":"`+runID+`","type":"ACTOR.RUN.SUCCEEDED"}`) &&
			strings.Contains(got, "/task ") && strings.Contains(got, "/adhoc ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("received %s", got)
		}
	}
	p.do("DELETE", path, nil).want(204)
	p.do("DELETE", path, nil).fails(404, "record-not-found")
}

// TestAServerWithoutAutomation has Actors alone, as that of apify run.
func TestAServerWithoutAutomation(t *testing.T) {
	p := newPlatform(t)
	p.actor(`exit 0`)
	p.server.Tasks, p.server.Schedules, p.server.Webhooks = nil, nil, nil
	for _, path := range []string{"/v2/actor-tasks", "/v2/schedules", "/v2/webhooks", "/v2/webhook-dispatches", "/v2/actor-tasks/x/runs/last/dataset", "/v2/actors/~scripted/webhooks"} {
		p.do("GET", path, nil).fails(501, "not-implemented")
	}
	adHoc := base64.StdEncoding.EncodeToString([]byte(`[{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"requestUrl":"http://127.0.0.1/"}]`))
	p.do("POST", "/v2/actors/~scripted/runs?webhooks="+adHoc, nil).fails(501, "not-implemented")
}
