package client_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestAnswersKeepWhatTheAPISends(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"id":"r","status":"READY","newField":{"n":1.0}}}`)
	})
	run, err := c.Run("r").Get(t.Context(), 0)
	if err != nil || run.Value.Status != api.StatusReady {
		t.Fatalf("%+v, %v", run.Value, err)
	}
	text, err := json.Marshal(map[string]any{"run": run})
	if want := `{"run":{"id":"r","status":"READY","newField":{"n":1.0}}}`; err != nil || string(text) != want {
		t.Errorf("written as %s, %v; want %s", text, err, want)
	}
}

// TestOperations calls every method once and looks at what is sent.
func TestOperations(t *testing.T) {
	var seen string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		query, _ := url.QueryUnescape(r.URL.RawQuery)
		seen = strings.TrimSpace(r.Method + " " + r.URL.EscapedPath() + " " + strings.TrimSpace(query+" "+string(body)))
		_, _ = io.WriteString(w, `{"data":{"id":"x","items":[{"id":"1"}]}}`)
	})
	ctx, one, yes := t.Context(), 1, true
	usd := 0.5
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	ignore := func(_ any, err error) error { return err }
	actor := c.Actor("me/a")
	for want, do := range map[string]func() error{
		"GET /v2/actors desc=1&my=1&sortBy=stats.lastRunStartedAt": func() error {
			page, err := c.Actors().List(ctx, client.ListOptions{Desc: true, My: true, SortBy: "stats.lastRunStartedAt"})
			if err == nil && (len(page.Items) != 1 || page.Items[0].Value.ID != "1") {
				t.Errorf("items: %+v", page.Items)
			}
			return err
		},
		`POST /v2/actors {"name":"a"}`: func() error { return ignore(c.Actors().Create(ctx, map[string]string{"name": "a"})) },
		"GET /v2/actors/me~a":          func() error { return ignore(actor.Get(ctx)) },
		`PUT /v2/actors/me~a {"title":null}`: func() error {
			return ignore(actor.Update(ctx, map[string]any{"title": nil}))
		},
		"DELETE /v2/actors/me~a":              func() error { return actor.Delete(ctx) },
		"GET /v2/actors/me~a/versions":        func() error { return ignore(actor.Versions().List(ctx, client.ListOptions{})) },
		"DELETE /v2/actors/me~a/versions/0.1": func() error { return actor.Version("0.1").Delete(ctx) },
		"GET /v2/actors/me~a/builds/default":  func() error { return ignore(actor.DefaultBuild().Get(ctx)) },
		"GET /v2/actors/me~a/builds limit=2":  func() error { return ignore(actor.Builds().List(ctx, client.ListOptions{Limit: 2})) },
		"GET /v2/actors/me~a/runs/last":       func() error { return ignore(actor.LastRun().Get(ctx)) },
		"GET /v2/actors/me~a/webhooks":        func() error { return ignore(actor.Webhooks().List(ctx, client.ListOptions{})) },
		"GET /v2/actors/me~a/versions/0.1/env-vars/A": func() error {
			return ignore(actor.Version("0.1").EnvVar("A").Get(ctx))
		},
		`POST /v2/actors/me~a/versions/0.1/env-vars {"name":"A","isSecret":true}`: func() error {
			return ignore(actor.Version("0.1").EnvVars().Create(ctx, api.EnvVar{Name: "A", IsSecret: &yes}))
		},
		"POST /v2/actors/me~a/builds betaPackages=1&tag=beta&useCache=1&version=0.1&waitForFinish=60": func() error {
			return ignore(actor.Build(ctx, client.BuildOptions{Version: "0.1", Tag: "beta", UseCache: true, BetaPackages: true, Wait: time.Hour}))
		},
		`POST /v2/actors/me~a/validate-input build=beta {"a":1}`: func() error {
			return actor.ValidateInput(ctx, []byte(`{"a":1}`), "", "beta")
		},
		"POST /v2/actors/me~a/runs build=b&forcePermissionLevel=LIMITED_PERMISSIONS&maxItems=1&maxTotalChargeUsd=0.5&memory=1&restartOnError=true&timeout=1 {}": func() error {
			return ignore(actor.Start(ctx, client.StartOptions{
				Input: []byte("{}"), Build: "b", TimeoutSecs: &one, MemoryMbytes: &one, MaxItems: &one, MaxTotalChargeUSD: &usd,
				RestartOnError: &yes, ForcePermissionLevel: api.LimitedPermissions,
			}))
		},
		"POST /v2/actors/me~a/runs webhooks=W3siZXZlbnRUeXBlcyI6WyJBIl0sInJlcXVlc3RVcmwiOiJodHRwOi8veCJ9XQ==": func() error {
			return ignore(actor.Start(ctx, client.StartOptions{Webhooks: []api.AdHocWebhook{{EventTypes: []string{"A"}, RequestURL: "http://x"}}}))
		},
		"GET /v2/actor-runs startedAfter=2026-11-01T00:00:00.000Z&startedBefore=2026-11-02T00:00:00.000Z&status=FAILED,ABORTED": func() error {
			return ignore(c.Runs().List(ctx, client.ListOptions{Status: "FAILED,ABORTED", StartedAfter: day, StartedBefore: day.Add(24 * time.Hour)}))
		},
		"DELETE /v2/actor-runs/r":                  func() error { return c.Run("r").Delete(ctx) },
		"POST /v2/actor-runs/r/abort gracefully=1": func() error { return ignore(c.Run("r").Abort(ctx, true)) },
		"POST /v2/actor-runs/r/reboot":             func() error { return ignore(c.Run("r").Reboot(ctx)) },
		"POST /v2/actor-runs/r/resurrect build=b&maxItems=1&memory=1&timeout=1": func() error {
			return ignore(c.Run("r").Resurrect(ctx, client.ResurrectOptions{Build: "b", TimeoutSecs: &one, MemoryMbytes: &one, MaxItems: &one}))
		},
		`POST /v2/actor-runs/r/metamorph build=b&targetActorId=other [1]`: func() error {
			return ignore(c.Run("r").Metamorph(ctx, "other", "b", []byte("[1]"), "application/json"))
		},
		`POST /v2/actor-runs/r/charge {"eventName":"e","count":2}`: func() error { return c.Run("r").Charge(ctx, "e", 2, "key") },
		"GET /v2/actor-builds desc=1":                              func() error { return ignore(c.Builds().List(ctx, client.ListOptions{Desc: true})) },
		"GET /v2/actor-builds/b":                                   func() error { return ignore(c.Build("b").Get(ctx, 0)) },
		"POST /v2/actor-builds/b/abort":                            func() error { return ignore(c.Build("b").Abort(ctx)) },
		"GET /v2/actor-builds/b/openapi.json":                      func() error { return ignore(c.Build("b").OpenAPI(ctx)) },
		"GET /v2/actor-builds/b/log raw=1":                         func() error { return ignore(c.Build("b").Log(ctx, client.LogOptions{Raw: true})) },
		"GET /v2/actor-tasks offset=3":                             func() error { return ignore(c.Tasks().List(ctx, client.ListOptions{Offset: 3})) },
		"POST /v2/actor-tasks/t/runs":                              func() error { return ignore(c.Task("t").Start(ctx, client.StartOptions{})) },
		"GET /v2/actor-tasks/t/runs":                               func() error { return ignore(c.Task("t").Runs().List(ctx, client.ListOptions{})) },
		"GET /v2/actor-tasks/t/webhooks":                           func() error { return ignore(c.Task("t").Webhooks().List(ctx, client.ListOptions{})) },
		"GET /v2/actor-tasks/t/input":                              func() error { return ignore(c.Task("t").Input(ctx)) },
		`PUT /v2/actor-tasks/t/input {"a":1}`:                      func() error { return c.Task("t").SetInput(ctx, json.RawMessage(`{"a":1}`)) },
		"GET /v2/schedules":                                        func() error { return ignore(c.Schedules().List(ctx, client.ListOptions{})) },
		"GET /v2/schedules/s":                                      func() error { return ignore(c.Schedule("s").Get(ctx)) },
		"GET /v2/webhooks/w":                                       func() error { return ignore(c.Webhook("w").Get(ctx)) },
		"POST /v2/webhooks/w/test":                                 func() error { return ignore(c.Webhook("w").Test(ctx)) },
		"GET /v2/webhooks/w/dispatches":                            func() error { return ignore(c.Webhook("w").Dispatches().List(ctx, client.ListOptions{})) },
		"GET /v2/webhook-dispatches/d":                             func() error { return ignore(c.Dispatch("d").Get(ctx)) },
		"GET /v2/store category=AI&pricingModel=FREE&search=maps&sortBy=newest&username=me": func() error {
			return ignore(c.Search(ctx, client.SearchOptions{Search: "maps", SortBy: "newest", Category: "AI", Username: "me", PricingModel: "FREE"}))
		},
	} {
		seen = ""
		if err := do(); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if seen != want {
			t.Errorf("sent %s\nwant %s", seen, want)
		}
	}
}

func TestScheduleLog(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[{"message":"started","level":"INFO","createdAt":"2026-11-01T00:00:00.000Z"}]}`)
	})
	log, err := c.Schedule("s").Log(t.Context())
	if err != nil || len(log) != 1 || log[0].Message != "started" {
		t.Errorf("%+v, %v", log, err)
	}
}

// flaky answers a log in pieces: every connection breaks after some more bytes.
type flaky struct {
	log      string
	step     int
	breaks   int
	requests atomic.Int32
	failing  atomic.Int32 // answers of 503 that are left to give
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(f.requests.Add(1))
	if f.failing.Add(-1) >= 0 {
		http.Error(w, "restarting", http.StatusServiceUnavailable)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/log") {
		status := "RUNNING"
		if n > f.breaks {
			status = "SUCCEEDED"
		}
		fmt.Fprintf(w, `{"data":{"id":"r","status":%q}}`, status)
		return
	}
	if n > f.breaks {
		_, _ = io.WriteString(w, f.log)
		return
	}
	_, _ = io.WriteString(w, f.log[:min(len(f.log), n*f.step)])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestFollowedLogsHaveNoGapAndNoRepetition(t *testing.T) {
	f := &flaky{log: strings.Repeat("2026-11-01T00:00:00.000Z line\n", 40), step: 70, breaks: 6}
	f.failing.Store(3)
	c := serve(t, f.ServeHTTP)
	var out bytes.Buffer
	if err := c.Run("r").FollowLog(t.Context(), &out, false); err != nil {
		t.Fatal(err)
	}
	if out.String() != f.log {
		t.Errorf("got %d bytes, want %d:\n%s", out.Len(), len(f.log), out.String())
	}
}

func TestFollowingEndsWithItsReader(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "line\n") })
	if err := c.Build("b").FollowLog(t.Context(), broken{}, false); err != io.ErrClosedPipe {
		t.Errorf("got %v", err)
	}
	c = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error":{"type":"record-not-found","message":"no run"}}`)
	})
	if err := c.Run("r").FollowLog(t.Context(), io.Discard, false); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestDoGivesAnyAnswer(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("X-A"), body)
	})
	resp, err := c.Do(t.Context(), client.Request{
		Method: "PATCH", Path: "/a~b", Query: url.Values{"q": {"1"}}, Header: http.Header{"X-A": {"v"}}, Body: []byte("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if want := "PATCH /v2/a~b?q=1 v {}"; string(text) != want || resp.StatusCode != http.StatusTeapot {
		t.Errorf("%d %s, want %s", resp.StatusCode, text, want)
	}
}
