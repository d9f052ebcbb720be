package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func asFault(err error, into **fault.Error) bool { return errors.As(err, into) }

func TestApply(t *testing.T) {
	var s api.Schedule
	apply := func(text string) error {
		t.Helper()
		var u api.ScheduleUpdate
		if err := json.Unmarshal([]byte(text), &u); err != nil {
			t.Fatal(err)
		}
		return Apply(&s, u)
	}
	if err := apply(`{"name":"my-schedule","cronExpression":" 0 8 * * 1-5 "}`); err != nil {
		t.Fatal(err)
	}
	if s.Timezone != "UTC" || s.IsEnabled || s.CronExpression != "0 8 * * 1-5" || s.Actions == nil {
		t.Errorf("%+v", s)
	}
	if err := apply(`{"isEnabled":true,"isExclusive":true,"timezone":"Europe/Prague","title":"T","description":"D","notifications":{"email":true},"actions":[
		{"type":"RUN_ACTOR","actorId":"a","runInput":{"body":"{\"x\":1}","contentType":"application/json; charset=utf-8"},"runOptions":{"memoryMbytes":256}},
		{"type":"RUN_ACTOR","actorId":"a","runInput":{"body":"plain","contentType":"text/plain"}},
		{"type":"RUN_ACTOR_TASK","actorTaskId":"t","input":{"y":2}}]}`); err != nil {
		t.Fatal(err)
	}
	if !s.IsEnabled || !s.IsExclusive || s.Timezone != "Europe/Prague" || *s.Title != "T" || *s.Description != "D" || !s.Notifications.Email || len(s.Actions) != 3 {
		t.Errorf("%+v", s)
	}
	ids := map[string]bool{}
	for _, a := range s.Actions {
		ids[a.ID] = len(a.ID) == 17
	}
	if len(ids) != 3 || ids[""] {
		t.Errorf("ids %v", ids)
	}
	// A client that sends back what it got keeps the ids.
	first, back := s.Actions[0].ID, s.Actions
	sent, _ := json.Marshal(map[string]any{"actions": back})
	if err := apply(string(sent)); err != nil || s.Actions[0].ID != first {
		t.Errorf("%+v, %v", s.Actions, err)
	}
	last, _ := json.Marshal(s)
	many := func(action string) string {
		return `{"actions":[` + strings.Repeat(action+",", MaxActions) + action + `]}`
	}
	for text, typ := range map[string]string{
		`{"name":"x"}`: "invalid-value", `{"name":"a b c"}`: "invalid-value",
		`{"title":"new","cronExpression":"x"}`: "cron-expression-invalid", `{"title":"new","timezone":"x"}`: "invalid-value",
		`{"cronExpression":""}`: "cron-expression-invalid", `{"cronExpression":"0 0 31 2 *"}`: "next-runtime-computation-failed",
		`{"actions":[{}]}`:                                                                                          "invalid-value",
		`{"actions":[{"type":"EXPLODE"}]}`:                                                                          "invalid-value",
		`{"actions":[{"type":"RUN_ACTOR"}]}`:                                                                        "invalid-value",
		`{"actions":[{"type":"RUN_ACTOR","actorId":"a","input":{}}]}`:                                               "invalid-value",
		`{"actions":[{"type":"RUN_ACTOR_TASK","actorId":"a"}]}`:                                                     "invalid-value",
		`{"actions":[{"type":"RUN_ACTOR_TASK","actorTaskId":"a","input":"x"}]}`:                                     "input-json-not-object",
		`{"actions":[{"type":"RUN_ACTOR","actorId":"a","runOptions":{"memoryMbytes":1}}]}`:                          "invalid-value",
		`{"actions":[{"type":"RUN_ACTOR","actorId":"a","runInput":{"body":"{","contentType":"application/json"}}]}`: "run-input-body-not-valid-json",
		many(`{"type":"RUN_ACTOR","actorId":"a"}`):                                                                  "too-many-values", many(`{"type":"RUN_ACTOR_TASK","actorTaskId":"a"}`): "too-many-values",
	} {
		var e *fault.Error
		if err := apply(text); !asFault(err, &e) || e.WireType() != typ || e.Code.HTTPStatus() != 400 {
			t.Errorf("%s: %v, want a %s", text, err, typ)
		}
		if now, _ := json.Marshal(s); string(now) != string(last) {
			t.Errorf("%s changed the schedule although it failed", text)
		}
	}
	if err := Apply(&api.Schedule{}, api.ScheduleUpdate{}); err == nil {
		t.Error("a schedule without an expression")
	}
	if fmt.Sprint(MaxActions, MaxLog) != "10 1000" {
		t.Error("the limits are the platform's")
	}
}
