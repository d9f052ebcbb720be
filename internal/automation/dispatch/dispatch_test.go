package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/internal/webhook"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// receiver is a real server that webhooks call.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	calls []received
}

type received struct {
	http.Header
	method, path, body string
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(r.handler(answer))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) handler(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.calls = append(r.calls, received{req.Header, req.Method, req.URL.RequestURI(), string(body)})
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	})
}

func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func find(ctx context.Context, id string) error {
	if strings.HasPrefix(id, "no") {
		return fault.New(fault.NotFound, "%s was not found", id)
	}
	return nil
}

func quick(failed int) (time.Duration, bool) { return 10 * time.Millisecond, failed <= 3 }

func config(root store.Root) Config {
	return Config{
		Store: root, UserID: "user1", Backoff: quick, CallTimeout: 5 * time.Second,
		Actor: func(ctx context.Context, ref string) (api.Actor, error) {
			return api.Actor{ID: strings.TrimPrefix(ref, "me~")}, find(ctx, ref)
		},
		Task: func(ctx context.Context, ref string) (api.Task, error) { return api.Task{ID: ref}, find(ctx, ref) },
		Run:  func(ctx context.Context, id string) (api.Run, error) { return api.Run{ID: id}, find(ctx, id) },
	}
}

func begin(t *testing.T, change ...func(*Config)) *Dispatcher {
	t.Helper()
	root := localdir.Open(t.TempDir())
	c := config(root)
	for _, f := range change {
		f(&c)
	}
	d := New(c)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func create(t *testing.T, d *Dispatcher, text string) api.Webhook {
	t.Helper()
	var u api.WebhookUpdate
	if err := json.Unmarshal([]byte(text), &u); err != nil {
		t.Fatal(err)
	}
	w, err := d.Create(t.Context(), u, false)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ended(id string) api.Run {
	now := api.TimeOf(time.Now().Add(time.Second)) // after all webhooks of the test
	task := "task1"
	return api.Run{ID: id, ActorID: "actor1", ActorTaskID: &task, Status: api.StatusSucceeded, StartedAt: now, FinishedAt: &now}
}

// settled waits until no dispatch is active, and gives all.
func settled(t *testing.T, d *Dispatcher, want int) []api.WebhookDispatch {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		page, err := d.Dispatches(t.Context(), "", store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		active := slices.ContainsFunc(page.Items, func(i api.WebhookDispatch) bool { return i.Status == api.DispatchActive })
		if !active && len(page.Items) >= want {
			return page.Items
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", page.Items)
		}
	}
}

func TestAnEventIsSent(t *testing.T) {
	r := receive(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "thanks") })
	d := begin(t)
	w := create(t, d, `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorId":"me~actor1"},"requestUrl":"`+r.URL+`/hook?a=b",
		"headersTemplate":"{\"Host\":\"evil\",\"content-type\":\"text/x\",\"X-Apify-Webhook-Dispatch-Id\":\"x\",\"X-Own\":\"{{eventType}}\",\"Authorization\":\"Basic x\"}","shouldInterpolateStrings":true}`)
	if w.Condition.ActorID != "actor1" {
		t.Errorf("the condition is %+v", w.Condition)
	}
	create(t, d, `{"eventTypes":["ACTOR.RUN.FAILED"],"condition":{"actorId":"actor1"},"requestUrl":"`+r.URL+`/never"}`)
	for range 3 { // told again, as after a restart
		d.RunEvent(webhook.RunSucceeded, ended("run1"))
	}
	d.RunEvent(webhook.RunCreated, ended("run1"))
	dispatches := settled(t, d, 1)
	calls := r.got()
	if len(dispatches) != 1 || len(calls) != 1 {
		t.Fatalf("%d dispatches, %d calls", len(dispatches), len(calls))
	}
	i, c := dispatches[0], calls[0]
	if i.Status != api.DispatchSucceeded || len(i.Calls) != 1 || *i.Calls[0].ResponseStatus != 200 || *i.Calls[0].ResponseBody != "thanks" ||
		i.Calls[0].FinishedAt == nil || i.Calls[0].ErrorMessage != nil || i.EventType != webhook.RunSucceeded || i.WebhookID != w.ID ||
		*i.EventData != (api.WebhookEventData{ActorID: "actor1", ActorRunID: "run1", ActorTaskID: "task1"}) || i.Webhook.RequestURL != w.RequestURL {
		t.Errorf("%+v", i)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "X-Apify-Webhook-Dispatch-Id": i.ID, "X-Apify-Request-Origin": "WEBHOOK",
		"X-Own": webhook.RunSucceeded, "Authorization": "Basic x", "X-Apify-Webhook": "true", "Host": "",
	} {
		if got := c.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var body struct {
		EventType string
		Resource  api.Run
	}
	if err := json.Unmarshal([]byte(c.body), &body); err != nil || body.EventType != webhook.RunSucceeded || body.Resource.ID != "run1" || c.method != "POST" || c.path != "/hook?a=b" {
		t.Errorf("%s %s %s: %v", c.method, c.path, c.body, err)
	}
	w, err := d.Webhook(t.Context(), w.ID)
	for deadline := time.Now().Add(5 * time.Second); err == nil && w.LastDispatch.FinishedAt == nil && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		w, err = d.Webhook(t.Context(), w.ID)
	}
	if err != nil || w.Stats.TotalDispatches != 1 || w.LastDispatch.Status != api.DispatchSucceeded || w.LastDispatch.FinishedAt == nil {
		t.Errorf("%+v, %v", w, err)
	}
	// A run that is resurrected ends again.
	again := ended("run1")
	again.Stats.ResurrectCount = 1
	d.RunEvent(webhook.RunSucceeded, again)
	if got := settled(t, d, 2); len(got) != 2 {
		t.Errorf("%d dispatches", len(got))
	}
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	var failures atomic.Int32
	failures.Store(2)
	r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		if failures.Add(-1) >= 0 {
			http.Error(w, "not yet", 500)
		}
	})
	d := begin(t)
	const hook = `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorId":"actor1"},"requestUrl":"`
	create(t, d, hook+r.URL+`"}`)
	d.RunEvent(webhook.RunSucceeded, ended("run1"))
	if i := settled(t, d, 1)[0]; i.Status != api.DispatchSucceeded || len(i.Calls) != 3 || *i.Calls[0].ResponseStatus != 500 ||
		*i.Calls[0].ResponseBody != "not yet\n" || !strings.Contains(*i.Calls[0].ErrorMessage, "500") || i.Calls[2].ErrorMessage != nil {
		t.Errorf("%+v", i)
	}
	failures.Store(1000)
	d.RunEvent(webhook.RunSucceeded, ended("run2"))
	if i := settled(t, d, 2)[1]; i.Status != api.DispatchFailed || len(i.Calls) != 4 {
		t.Errorf("%+v", i)
	}
	once := begin(t)
	create(t, once, strings.TrimSuffix(hook, `"`)+`"`+r.URL+`","doNotRetry":true}`)
	once.RunEvent(webhook.RunSucceeded, ended("run1"))
	if i := settled(t, once, 1)[0]; i.Status != api.DispatchFailed || len(i.Calls) != 1 {
		t.Errorf("%+v", i)
	}
	gone := begin(t)
	r.Close()
	create(t, gone, hook+r.URL+`"}`)
	gone.RunEvent(webhook.RunSucceeded, ended("run1"))
	if i := settled(t, gone, 1)[0]; i.Status != api.DispatchFailed || len(i.Calls) != 4 || i.Calls[0].ResponseStatus != nil || !strings.Contains(*i.Calls[0].ErrorMessage, "refused") {
		t.Errorf("%+v", i)
	}
}

func TestLimits(t *testing.T) {
	elsewhere := receive(t, nil)
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/done", http.StatusFound) })
	mux.HandleFunc("/near", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/done", http.StatusPermanentRedirect)
	})
	mux.HandleFunc("/done", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, len(body) > 50)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			if _, err := w.Write([]byte(strings.Repeat("\xff", 1<<20))); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(release)
	d := begin(t, func(c *Config) {
		c.CallTimeout = 2 * time.Second
		c.Backoff = func(int) (time.Duration, bool) { return 0, false }
	})
	outcome := map[string]api.WebhookDispatch{}
	for n, path := range []string{"/away", "/get", "/near", "/slow", "/large"} {
		create(t, d, `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorRunId":"run`+path[1:]+`"},"requestUrl":"`+server.URL+path+`"}`)
		d.RunEvent(webhook.RunSucceeded, ended("run"+path[1:]))
		outcome[path] = settled(t, d, n+1)[n]
	}
	for path, want := range map[string]string{
		"/away": "FAILED 307", "/get": "FAILED 302", "/near": "SUCCEEDED 200 POSTtrue", "/slow": "FAILED there was no answer within 2s", "/large": "SUCCEEDED 200",
	} {
		i := outcome[path]
		c := i.Calls[0]
		got := i.Status
		if c.ResponseStatus != nil {
			got = fmt.Sprint(got, " ", *c.ResponseStatus)
		}
		if path == "/near" {
			got += " " + *c.ResponseBody
		}
		if path == "/slow" {
			got += " " + *c.ErrorMessage
		}
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if body := *outcome["/large"].Calls[0].ResponseBody; len(body) > 4*maxKept {
		t.Errorf("%d bytes of an answer are kept", len(body))
	}
	if len(elsewhere.got()) != 0 {
		t.Error("a redirect to elsewhere was followed")
	}
}

func TestCertificates(t *testing.T) {
	r := &receiver{}
	r.Server = httptest.NewTLSServer(r.handler(nil))
	r.Config.ErrorLog = nil
	defer r.Close()
	d := begin(t, func(c *Config) { c.Backoff = func(int) (time.Duration, bool) { return 0, false } })
	for i, ignore := range []string{"false", "true"} {
		create(t, d, `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorRunId":"run`+ignore+`"},"requestUrl":"`+r.URL+`","ignoreSslErrors":`+ignore+`}`)
		d.RunEvent(webhook.RunSucceeded, ended("run"+ignore))
		got := settled(t, d, i+1)[i]
		if want := map[string]string{"false": api.DispatchFailed, "true": api.DispatchSucceeded}[ignore]; got.Status != want {
			t.Errorf("ignoring is %s: %+v", ignore, got)
		}
	}
}

func TestConditionsAndTimes(t *testing.T) {
	r := receive(t, nil)
	d := begin(t)
	hook := func(path, condition string, types string) {
		create(t, d, `{"eventTypes":[`+types+`],"condition":`+condition+`,"requestUrl":"`+r.URL+path+`"}`)
	}
	hook("/actor", `{"actorId":"actor1"}`, `"ACTOR.RUN.SUCCEEDED","ACTOR.BUILD.SUCCEEDED"`)
	hook("/task", `{"actorTaskId":"task1"}`, `"ACTOR.RUN.SUCCEEDED"`)
	hook("/run", `{"actorRunId":"run1"}`, `"ACTOR.RUN.SUCCEEDED"`)
	hook("/both", `{"actorId":"actor1","actorTaskId":"task1"}`, `"ACTOR.RUN.SUCCEEDED"`)
	hook("/other", `{"actorId":"actor2"}`, `"ACTOR.RUN.SUCCEEDED"`)
	hook("/conflict", `{"actorId":"actor1","actorTaskId":"task2"}`, `"ACTOR.RUN.SUCCEEDED"`)
	d.RunEvent(webhook.RunSucceeded, ended("run1"))
	now := api.TimeOf(time.Now().Add(time.Second))
	d.BuildEvent(webhook.BuildSucceeded, api.Build{ID: "build1", ActorID: "actor1", StartedAt: now, FinishedAt: &now, Status: api.StatusSucceeded})
	before := ended("run2")
	early := api.TimeOf(time.Now().Add(-time.Hour))
	before.FinishedAt = &early
	d.RunEvent(webhook.RunSucceeded, before) // before there were webhooks
	settled(t, d, 5)
	var paths []string
	for _, c := range r.got() {
		paths = append(paths, c.path)
	}
	slices.Sort(paths)
	if want := []string{"/actor", "/actor", "/both", "/run", "/task"}; !slices.Equal(paths, want) {
		t.Errorf("called %v, want %v", paths, want)
	}
	for _, condition := range []string{`{"actorId":"nobody"}`, `{"actorTaskId":"none"}`, `{"actorRunId":"no"}`} {
		var u api.WebhookUpdate
		_ = json.Unmarshal([]byte(`{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"requestUrl":"http://a/","condition":`+condition+`}`), &u)
		if _, err := d.Create(t.Context(), u, false); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

func TestAdHocAndIdempotency(t *testing.T) {
	r := receive(t, nil)
	d := begin(t)
	run := ended("run1")
	run.StartedAt = api.Now()
	list := []api.AdHocWebhook{
		{EventTypes: []string{webhook.RunCreated, webhook.RunSucceeded}, RequestURL: r.URL + "/a", IdempotencyKey: "key"},
		{EventTypes: []string{webhook.RunSucceeded}, RequestURL: r.URL + "/b"},
	}
	if err := d.Attach(t.Context(), run, list); err != nil {
		t.Fatal(err)
	}
	if err := d.Attach(t.Context(), run, list[:1]); err != nil { // a client that tries again
		t.Fatal(err)
	}
	d.RunEvent(webhook.RunCreated, run)
	d.RunEvent(webhook.RunSucceeded, run)
	again := run
	again.Stats.ResurrectCount = 1
	d.RunEvent(webhook.RunSucceeded, again)
	settled(t, d, 3)
	if got := r.got(); len(got) != 3 {
		t.Errorf("%d calls", len(got))
	}
	page, err := d.Webhooks(t.Context(), store.Query{})
	if err != nil || page.Total != 2 || !page.Items[0].IsAdHoc || page.Items[0].Condition.ActorRunID != "run1" {
		t.Errorf("%+v, %v", page, err)
	}
	// The same key at once makes one webhook.
	const text = `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorId":"actor1"},"requestUrl":"http://127.0.0.1/","idempotencyKey":"again"}`
	var u api.WebhookUpdate
	_ = json.Unmarshal([]byte(text), &u)
	var ids sync.Map
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			w, err := d.Create(t.Context(), u, false)
			if err != nil {
				t.Error(err)
			}
			ids.Store(w.ID, true)
		})
	}
	all.Wait()
	count := 0
	ids.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("one key made %d webhooks", count)
	}
	// Another owner of the process may be a run: what is old is forgotten.
	if err := d.forgetBefore(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if page, err := d.Webhooks(t.Context(), store.Query{}); err != nil || page.Total != 3 {
		t.Errorf("%d webhooks, though their run goes on, %v", page.Total, err)
	}
	d.cfg.Run = func(context.Context, string) (api.Run, error) { return run, nil }
	if err := d.forgetBefore(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if page, err := d.Webhooks(t.Context(), store.Query{}); err != nil || page.Total != 1 {
		t.Errorf("%d webhooks are left, %v", page.Total, err)
	}
	if page, err := d.Dispatches(t.Context(), "", store.Query{}); err != nil || page.Total != 0 {
		t.Errorf("%d dispatches are left, %v", page.Total, err)
	}
}

func TestTestCallAndRemoval(t *testing.T) {
	r := receive(t, nil)
	d := begin(t)
	w := create(t, d, `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorId":"actor1"},"requestUrl":"`+r.URL+`"}`)
	i, err := d.Test(t.Context(), w.ID)
	if err != nil || i.EventType != webhook.Test || i.Status != api.DispatchActive {
		t.Errorf("%+v, %v", i, err)
	}
	if i := settled(t, d, 1)[0]; i.Status != api.DispatchSucceeded {
		t.Errorf("%+v", i)
	}
	if got := r.got(); len(got) != 1 || !strings.Contains(got[0].body, `"eventType":"TEST"`) {
		t.Errorf("%+v", got)
	}
	// A payload that cannot be filled is found out at the event.
	broken := `{"x":{{resource.statusMessage}}}`
	w2 := create(t, d, `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorId":"actor1"},"shouldInterpolateStrings":true,"requestUrl":"`+r.URL+`","payloadTemplate":`+fmt.Sprintf("%q", broken)+`}`)
	if err := d.Delete(t.Context(), w.ID); err != nil {
		t.Fatal(err)
	}
	run := ended("run1")
	message := "done with {{nothing}}"
	run.StatusMessage = &message
	d.RunEvent(webhook.RunSucceeded, run)
	all := settled(t, d, 2)
	if i := all[1]; i.WebhookID != w2.ID || i.Status != api.DispatchFailed || !strings.Contains(*i.Calls[0].ErrorMessage, "nothing") {
		t.Errorf("%+v", i)
	}
	for _, err := range []error{
		d.Delete(t.Context(), w.ID), second(d.Test(t.Context(), "nothing")), second(d.Webhook(t.Context(), "../x")),
		second(d.Update(t.Context(), "nothing", api.WebhookUpdate{})), second(d.Dispatch(t.Context(), "nothing")),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
	}
	// A webhook that is removed while a dispatch waits is not called any more.
	release := make(chan struct{})
	slow := receive(t, func(w http.ResponseWriter, _ *http.Request) { <-release; w.WriteHeader(500) })
	w3 := create(t, d, `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorRunId":"run9"},"requestUrl":"`+slow.URL+`"}`)
	d.RunEvent(webhook.RunSucceeded, ended("run9"))
	for len(slow.got()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := d.Delete(t.Context(), w3.ID); err != nil {
		t.Fatal(err)
	}
	close(release)
	last := settled(t, d, 3)
	i = last[slices.IndexFunc(last, func(i api.WebhookDispatch) bool { return i.WebhookID == w3.ID })]
	if n := len(i.Calls); i.Status != api.DispatchFailed || n != 2 || *i.Calls[1].ErrorMessage != "the webhook was removed" {
		t.Errorf("%+v", i)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRestart(t *testing.T) {
	release := make(chan struct{})
	var calls atomic.Int32
	r := receive(t, func(w http.ResponseWriter, req *http.Request) {
		if calls.Add(1) == 1 {
			select {
			case <-release:
			case <-req.Context().Done():
			}
			w.WriteHeader(500)
		}
	})
	root := localdir.Open(t.TempDir())
	defer root.Close()
	c := config(root)
	c.Backoff = func(int) (time.Duration, bool) { return time.Hour, true }
	first := New(c)
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	create(t, first, `{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorId":"actor1"},"requestUrl":"`+r.URL+`"}`)
	first.RunEvent(webhook.RunSucceeded, ended("run1"))
	for calls.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	first.Close() // in the middle of the call
	close(release)
	next := New(c)
	defer next.Close()
	next.RunEvent(webhook.RunSucceeded, ended("run1")) // the engine tells it again
	if err := next.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	i := settled(t, next, 1)[0]
	if i.Status != api.DispatchSucceeded || len(i.Calls) != 2 || *i.Calls[0].ErrorMessage != "the server ended during the call" || calls.Load() != 2 {
		t.Errorf("%+v after %d calls", i, calls.Load())
	}
}

func TestRequestsToTheAPI(t *testing.T) {
	r := receive(t, nil)
	host := strings.TrimPrefix(r.URL, "http://127.0.0.1:")
	d := begin(t, func(c *Config) { c.API = func() string { return r.URL }; c.Token = "owner" })
	other := receive(t, nil)
	hook := func(id, url string, byRun bool, more string) api.WebhookDispatch {
		t.Helper()
		var u api.WebhookUpdate
		if err := json.Unmarshal([]byte(`{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"condition":{"actorRunId":"`+id+`"},"doNotRetry":true,"requestUrl":"`+url+`"`+more+`}`), &u); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Create(t.Context(), u, byRun); err != nil {
			t.Fatal(err)
		}
		d.RunEvent(webhook.RunSucceeded, ended(id))
		all := settled(t, d, 1)
		return all[slices.IndexFunc(all, func(i api.WebhookDispatch) bool { return i.EventData.ActorRunID == id })]
	}
	for n, c := range []struct {
		url, more string
		byRun     bool
		want      string
	}{
		{r.URL + "/v2/acts/x/runs", "", false, "Bearer owner"},
		{"http://localhost:" + host + "/", "", false, "Bearer owner"},
		{r.URL + "/?token=mine", "", false, ""},
		{r.URL, `,"headersTemplate":"{\"authorization\":\"Bearer mine\"}"`, false, "Bearer mine"},
		{r.URL, "", true, ""}, // the code of a run does not get the owner's token
	} {
		hook(fmt.Sprint("run", n), c.url, c.byRun, c.more)
		if got := r.got(); len(got) != n+1 || got[n].Header.Get("Authorization") != c.want {
			t.Errorf("%s: %d calls, %+v", c.url, len(got), got[len(got)-1].Header)
		}
	}
	hook("elsewhere", other.URL, false, "")
	if got := other.got(); len(got) != 1 || got[0].Header.Get("Authorization") != "" {
		t.Error("the token was given away")
	}
	if i := hook("local", other.URL, true, ""); i.Status != api.DispatchFailed || !strings.Contains(*i.Calls[0].ErrorMessage, "--webhook-allow loopback") {
		t.Errorf("a run's webhook calls this machine: %+v", i)
	}
	if len(other.got()) != 1 {
		t.Error("a run's webhook called this machine")
	}
}
