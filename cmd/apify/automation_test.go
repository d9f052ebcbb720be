package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
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

// TestEveryEndIsTold kills a server around the moments at which runs end: what
// webhooks are to tell about them is told all the same, and once for each.
func TestEveryEndIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a server again and again")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the Actor is a shell script")
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer receiver.Close()
	s := startServed(t, "--executor", "process")
	var actor struct{ ID string }
	file := func(name, text string) any { return map[string]any{"name": name, "format": "TEXT", "content": text} }
	s.call("POST", "actors", map[string]any{"name": "brief", "versions": []any{map[string]any{
		"versionNumber": "0.0", "sourceType": "SOURCE_FILES", "buildTag": "latest", "sourceFiles": []any{
			file(".actor/actor.json", `{"actorSpecification":1,"name":"brief","version":"0.0","scripts":{"run":"sh main.sh"}}`), file("main.sh", "exit 0"),
		},
	}}}, &actor)
	var build struct{ ID, Status string }
	s.call("POST", "actors/"+actor.ID+"/builds?version=0.0&tag=latest&waitForFinish=60", nil, &build)
	if build.Status != "SUCCEEDED" {
		t.Fatalf("the build ended with %s", build.Status)
	}
	s.call("POST", "webhooks", map[string]any{
		"eventTypes": []string{"ACTOR.RUN.CREATED", "ACTOR.RUN.SUCCEEDED", "ACTOR.RUN.FAILED", "ACTOR.RUN.ABORTED", "ACTOR.RUN.TIMED_OUT"},
		"requestUrl": receiver.URL, "condition": map[string]any{"actorId": actor.ID},
	}, nil)
	type run struct{ ID, Status string }
	var runs []run
	for range 12 {
		for range 3 {
			var r run
			s.call("POST", "actors/"+actor.ID+"/runs", nil, &r)
			runs = append(runs, r)
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		s.kill()
		s.start()
	}
	told := map[string]int{}
	var page struct {
		Total int
		Items []struct {
			Status, EventType string
			EventData         struct{ ActorRunID string }
		}
	}
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		s.call("GET", "webhook-dispatches", nil, &page)
		ended := 0
		for i, r := range runs {
			if s.call("GET", "actor-runs/"+r.ID, nil, &runs[i]); runs[i].Status != "READY" && runs[i].Status != "RUNNING" {
				ended++
			}
		}
		if ended == len(runs) && page.Total >= 2*len(runs) {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%d of %d runs have ended, and %d events are told", ended, len(runs), page.Total)
			break
		}
	}
	for _, d := range page.Items {
		told[d.EventData.ActorRunID+" "+d.EventType]++
	}
	for _, r := range runs {
		end := r.ID + " ACTOR.RUN." + strings.ReplaceAll(r.Status, "-", "_")
		if told[r.ID+" ACTOR.RUN.CREATED"] != 1 || told[end] != 1 {
			t.Errorf("run %s, which ended with %s: %v", r.ID, r.Status, told)
		}
	}
	if page.Total != 2*len(runs) {
		t.Errorf("%d events are told of %d runs", page.Total, len(runs))
	}
}
