package webhook

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func variables() Variables {
	v := example(RunSucceeded)
	v.Globals.DateUnix = 5
	return v
}

func TestPayloadAndHeaders(t *testing.T) {
	payload, err := Payload(api.Webhook{}, variables())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"userId", "createdAt", "eventType", "eventData", "resource"} {
		if len(got[name]) < 3 {
			t.Errorf("the default payload has no %s: %s", name, payload)
		}
	}
	template := func(text string) *string { return &text }
	for _, c := range []struct {
		template    string
		interpolate bool
		want        string
	}{
		{`{"text":"Run {{resource.id}} of {{eventData.actorId}} at {{globals.dateUnix}}"}`, true, `{"text":"Run actorRunId of actorId at 5"}`},
		{`{"text":"Run {{resource.id}}","n":{{globals.dateUnix}}}`, false, `{"text":"Run {{resource.id}}","n":5}`},
		{"  ", false, string(payload)},
	} {
		text, err := Payload(api.Webhook{PayloadTemplate: template(c.template), ShouldInterpolateStrings: c.interpolate}, variables())
		if err != nil || string(text) != c.want && c.want != string(payload) {
			t.Errorf("%s becomes %s, %v", c.template, text, err)
		}
	}
	headers, err := Headers(api.Webhook{HeadersTemplate: template(`{"Authorization":"Bearer {{userId}}","X-Kind":{{eventType}}}`), ShouldInterpolateStrings: true}, variables())
	if err != nil || headers["Authorization"] != "Bearer userId" || headers["X-Kind"] != RunSucceeded {
		t.Errorf("%v, %v", headers, err)
	}
	for _, text := range []string{`[]`, `{"a":1}`, `{"a":null}`, `{`, `{"a":{{none}}}`} {
		if headers, err := Headers(api.Webhook{HeadersTemplate: &text}, variables()); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %v, %v", text, headers, err)
		}
	}
	if headers, err := Headers(api.Webhook{}, variables()); err != nil || len(headers) != 0 {
		t.Errorf("%v, %v", headers, err)
	}
}

// What comes from a run is data, also where it looks like a template and ends in
// a way that the platform's library misreads.
func TestDataIsNoTemplate(t *testing.T) {
	v := variables()
	v.UserID = `"{{none}} {{userId}}\`
	template := `{"a":{{userId}},"b":"x","c":{{userId}}}`
	got, err := Payload(api.Webhook{PayloadTemplate: &template}, v)
	if want := `{"a":"\"{{none}} {{userId}}\\","b":"x","c":"\"{{none}} {{userId}}\\"}`; err == nil && string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	template = strings.Repeat("[{{resource}},", 1000) + strings.Repeat("1]", 1000)
	v.Resource = strings.Repeat("x", 1<<20)
	if _, err := Payload(api.Webhook{PayloadTemplate: &template}, v); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("a gigabyte: %v", err)
	}
	template = `{"a":"` + strings.Repeat("{{resource}}", 1000) + `"}`
	if _, err := Payload(api.Webhook{PayloadTemplate: &template, ShouldInterpolateStrings: true}, v); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("a gigabyte in a text: %v", err)
	}
}

func TestMatches(t *testing.T) {
	task := "task1"
	event := OfRun(RunSucceeded, api.Run{ID: "run1", ActorID: "actor1", ActorTaskID: &task})
	hook := func(c api.WebhookCondition, types ...string) api.Webhook {
		return api.Webhook{EventTypes: types, Condition: c}
	}
	for _, c := range []struct {
		hook api.Webhook
		want bool
	}{
		{hook(api.WebhookCondition{ActorID: "actor1"}, RunFailed, RunSucceeded), true},
		{hook(api.WebhookCondition{ActorID: "actor1"}, RunFailed), false},
		{hook(api.WebhookCondition{ActorID: "actor2"}, RunSucceeded), false},
		{hook(api.WebhookCondition{ActorTaskID: "task1"}, RunSucceeded), true},
		{hook(api.WebhookCondition{ActorTaskID: "task2"}, RunSucceeded), false},
		{hook(api.WebhookCondition{ActorRunID: "run1"}, RunSucceeded), true},
		{hook(api.WebhookCondition{ActorRunID: "run2"}, RunSucceeded), false},
		{hook(api.WebhookCondition{ActorID: "actor1", ActorTaskID: "task2"}, RunSucceeded), false},
		{hook(api.WebhookCondition{}, RunSucceeded), false},
	} {
		if got := Matches(c.hook, event); got != c.want {
			t.Errorf("%+v: %t", c.hook, got)
		}
	}
	build := OfBuild(BuildFailed, api.Build{ID: "build1", ActorID: "actor1"})
	if !Matches(hook(api.WebhookCondition{ActorID: "actor1"}, BuildFailed), build) || Matches(hook(api.WebhookCondition{ActorTaskID: "task1"}, BuildFailed), build) {
		t.Error("builds are their Actor's, and no task's")
	}
	for status, want := range map[api.Status]string{
		api.StatusSucceeded: RunSucceeded, api.StatusFailed: RunFailed, api.StatusAborted: RunAborted, api.StatusTimedOut: RunTimedOut,
		api.StatusRunning: "", api.StatusTimingOut: "", api.StatusReady: "", api.StatusAborting: "",
	} {
		if got := RunEnded(status); got != want || want != "" && !slices.Contains(EventTypes, got) {
			t.Errorf("the end with %s is %q", status, got)
		}
	}
	if got := BuildEnded(api.StatusTimedOut); got != BuildTimedOut {
		t.Errorf("a build that timed out is %q", got)
	}
}

func TestDispatchIDs(t *testing.T) {
	w, r := api.Webhook{ID: "hook1"}, api.Run{ID: "run1"}
	id := DispatchID(w, OfRun(RunSucceeded, r))
	if len(id) != 17 || id != DispatchID(w, OfRun(RunSucceeded, r)) {
		t.Errorf("the id %q does not stay the same", id)
	}
	again := r
	again.Stats.ResurrectCount = 1
	adHoc := api.Webhook{ID: "hook1", IsAdHoc: true}
	for _, other := range []string{
		DispatchID(api.Webhook{ID: "hook2"}, OfRun(RunSucceeded, r)), DispatchID(w, OfRun(RunFailed, r)),
		DispatchID(w, OfRun(RunSucceeded, api.Run{ID: "run2"})), DispatchID(w, OfRun(RunSucceeded, again)),
	} {
		if other == id {
			t.Error("two events have one id")
		}
	}
	if DispatchID(adHoc, OfRun(RunSucceeded, r)) != DispatchID(adHoc, OfRun(RunSucceeded, again)) {
		t.Error("an ad-hoc webhook would be used twice")
	}
}

func TestBackoff(t *testing.T) {
	var total time.Duration
	for failed := 1; ; failed++ {
		wait, again := Backoff(failed)
		if !again {
			if failed != 12 {
				t.Errorf("%d calls", failed)
			}
			break
		}
		if failed == 1 && wait != time.Minute || failed == 11 && wait != 1024*time.Minute {
			t.Errorf("%v after %d", wait, failed)
		}
		total += wait
	}
	// The platform's documentation: the last retry is about 32 hours after the
	// first call.
	if total < 31*time.Hour || total > 35*time.Hour {
		t.Errorf("the last retry comes after %v", total)
	}
}

func TestApply(t *testing.T) {
	good := `{"eventTypes":["ACTOR.RUN.SUCCEEDED","ACTOR.RUN.SUCCEEDED"],"requestUrl":"https://example.com/x?a=b","condition":{"actorId":"a"}}`
	apply := func(w *api.Webhook, text string) error {
		t.Helper()
		var u api.WebhookUpdate
		if err := json.Unmarshal([]byte(text), &u); err != nil {
			t.Fatal(err)
		}
		return Apply(w, u)
	}
	var w api.Webhook
	if err := apply(&w, good); err != nil || len(w.EventTypes) != 1 {
		t.Fatalf("%+v, %v", w, err)
	}
	if err := apply(&w, `{"isAdHoc":null,"eventTypes":null,"condition":null,"requestUrl":null,"payloadTemplate":null}`); err != nil || w.Condition.ActorID != "a" {
		t.Errorf("%+v, %v", w, err)
	}
	if err := apply(&w, `{"doNotRetry":true,"ignoreSslErrors":true,"shouldInterpolateStrings":true,"description":"D","payloadTemplate":"{\"a\":{{userId}}}","headersTemplate":"{\"X-A\":\"{{userId}}\"}","condition":{"actorTaskId":"t"}}`); err != nil {
		t.Fatal(err)
	}
	if !w.DoNotRetry || !w.IgnoreSSLErrors || !w.ShouldInterpolateStrings || *w.Description != "D" || w.Condition != (api.WebhookCondition{ActorTaskID: "t"}) {
		t.Errorf("%+v", w)
	}
	last, _ := json.Marshal(w)
	for _, text := range []string{
		`{"eventTypes":[]}`, `{"eventTypes":["ACTOR.RUN.EXPLODED"]}`, `{"eventTypes":[""]}`, `{"condition":{}}`, `{"isAdHoc":true}`,
		`{"requestUrl":""}`, `{"requestUrl":"ftp://example.com"}`, `{"requestUrl":"/path"}`, `{"requestUrl":"http://"}`, `{"requestUrl":"http://a b/"}`,
		`{"requestUrl":"http://example.com/` + strings.Repeat("x", maxURL) + `"}`,
		`{"description":"new","payloadTemplate":"{"}`, `{"payloadTemplate":"{\"a\":{{nothing}}}"}`, `{"payloadTemplate":"\"` + strings.Repeat("x", maxTemplate) + `\""}`,
		`{"headersTemplate":"[]"}`, `{"headersTemplate":"{\"a b\":\"c\"}"}`, `{"headersTemplate":"{\"a\":\"c\\n\"}"}`, `{"headersTemplate":"{\"a\":1}"}`,
		`{"idempotencyKey":"` + strings.Repeat("x", maxKey+1) + `"}`,
	} {
		err := apply(&w, text)
		var e *fault.Error
		if !errors.As(err, &e) || e.WireType() != "invalid-value" || e.Code.HTTPStatus() != 400 {
			t.Errorf("%.80s: %v", text, err)
		}
		if now, _ := json.Marshal(w); string(now) != string(last) {
			t.Errorf("%.80s changed the webhook although it failed", text)
		}
	}
	if err := apply(&api.Webhook{}, `{}`); err == nil {
		t.Error("a webhook with nothing in it")
	}
}

func TestParseAdHoc(t *testing.T) {
	text := `[{"eventTypes":["ACTOR.RUN.SUCCEEDED"],"requestUrl":"http://127.0.0.1/?>>>","payloadTemplate":null,"idempotencyKey":"k","doNotRetry":null}]`
	for name, parameter := range map[string]string{
		"standard": base64.StdEncoding.EncodeToString([]byte(text)), "url": base64.URLEncoding.EncodeToString([]byte(text)),
		"raw": base64.RawStdEncoding.EncodeToString([]byte(text)), "unescaped": strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(text)), "+", " "),
	} {
		got, err := ParseAdHoc(parameter)
		if err != nil || len(got) != 1 || got[0].IdempotencyKey != "k" || got[0].RequestURL != "http://127.0.0.1/?>>>" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := ParseAdHoc(""); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{`{}`, `[1]`, `[{"eventTypes":["X"],"requestUrl":"http://a/"}]`, `[{"eventTypes":["TEST"]}]`, `[` + strings.Repeat(`{},`, maxAdHoc) + `{}]`} {
		if _, err := ParseAdHoc(base64.StdEncoding.EncodeToString([]byte(text))); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
	if _, err := ParseAdHoc("%%%"); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("%v", err)
	}
}
