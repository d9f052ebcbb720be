package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// call makes a request to the server's API and decodes the data of its answer.
func (s *served) call(method, path string, body, into any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequest(method, s.url+"/v2/"+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(answer, &struct{ Data any }{into})
	}
	if err != nil || resp.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
}

// TestAutomationSurvivesKills kills a server while it calls a webhook and while a
// schedule ticks.
func TestAutomationSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a schedule")
	}
	calls := make(chan string, 100)
	release := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		calls <- r.Header.Get("X-Apify-Webhook-Dispatch-Id")
		if len(calls) == 1 { // the first call is never answered
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	}))
	defer receiver.Close()
	defer close(release)

	s := startServed(t)
	var actor, hook, dispatch, schedule struct{ ID string }
	s.call("POST", "actors", map[string]any{
		"name": "unbuilt", "versions": []any{map[string]any{"versionNumber": "0.0", "sourceType": "SOURCE_FILES", "sourceFiles": []any{}}},
	}, &actor)
	s.call("POST", "webhooks", map[string]any{
		"eventTypes": []string{"ACTOR.RUN.SUCCEEDED"}, "requestUrl": receiver.URL, "condition": map[string]any{"actorId": actor.ID},
	}, &hook)
	// There is no build: each tick leaves a line that says so in the log.
	s.call("POST", "schedules", map[string]any{
		"cronExpression": "*/10 * * * * *", "isEnabled": true, "actions": []any{map[string]any{"type": "RUN_ACTOR", "actorId": actor.ID}},
	}, &schedule)
	s.call("POST", "webhooks/"+hook.ID+"/test", nil, &dispatch)
	for deadline := time.Now().Add(30 * time.Second); len(calls) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the webhook was not called")
		}
	}
	s.kill()
	s.start()

	type attempt struct {
		ErrorMessage   string
		ResponseStatus int
	}
	var ended struct {
		Status string
		Calls  []attempt
	}
	for deadline := time.Now().Add(30 * time.Second); ended.Status != "SUCCEEDED"; time.Sleep(20 * time.Millisecond) {
		if s.call("GET", "webhook-dispatches/"+dispatch.ID, nil, &ended); time.Now().After(deadline) {
			t.Fatalf("%+v", ended)
		}
	}
	if want := []attempt{{ErrorMessage: "the server ended during the call"}, {ResponseStatus: 200}}; fmt.Sprint(ended.Calls) != fmt.Sprint(want) {
		t.Errorf("the calls were %+v", ended.Calls)
	}
	for len(calls) > 0 {
		if id := <-calls; id != dispatch.ID {
			t.Errorf("called for %q instead of %s", id, dispatch.ID)
		}
	}

	// Kill it over several ticks; none may happen twice, and they go on.
	end := time.Now().Add(35 * time.Second)
	for time.Now().Before(end) {
		time.Sleep(3 * time.Second)
		s.kill()
		s.start()
	}
	var log []struct {
		Message   string
		CreatedAt time.Time
	}
	s.call("GET", "schedules/"+schedule.ID+"/log", nil, &log)
	var last time.Time
	ticks := 0
	for _, entry := range log {
		if entry.Message != "Schedule invoked" {
			continue
		}
		ticks++
		// The same moment of the clock is at most a restart later.
		if at := entry.CreatedAt.Truncate(10 * time.Second); at.Equal(last) {
			t.Errorf("two ticks for %v: %+v", at, log)
		} else {
			last = at
		}
	}
	if ticks < 3 {
		t.Errorf("%d ticks in more than 35 seconds: %+v", ticks, log)
	}
}
