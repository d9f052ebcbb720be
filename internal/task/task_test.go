package task

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"abc": true, "my-task": true, "Task-1": true, strings.Repeat("a", 63): true,
		"": false, "ab": false, strings.Repeat("a", 64): false, "-abc": false, "abc-": false, "a_b": false, "a b": false, "ábc": false,
	} {
		if err := CheckName("task", name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
	names := map[string]bool{"abc": true, "abc-2": true}
	taken := func(name string) (bool, error) { return names[name], nil }
	for base, want := range map[string]string{
		"abc": "abc-3", "free": "free", strings.Repeat("a", 80): strings.Repeat("a", 63), strings.Repeat("a", 62) + "-b": strings.Repeat("a", 62),
	} {
		if got, err := FreeName(base, taken); got != want || err != nil {
			t.Errorf("FreeName(%q) = %q, %v, want %q", base, got, err, want)
		}
	}
	failure := errors.New("broken")
	if _, err := FreeName("abc", func(string) (bool, error) { return false, failure }); err != failure {
		t.Errorf("a failure is lost: %v", err)
	}
}

func TestApply(t *testing.T) {
	task := api.Task{Name: "before", Input: json.RawMessage(`{"a":1}`)}
	apply := func(text string) error {
		t.Helper()
		var u api.TaskUpdate
		if err := json.Unmarshal([]byte(text), &u); err != nil {
			t.Fatal(err)
		}
		return Apply(&task, u)
	}
	is := func(want string) {
		t.Helper()
		got, _ := json.Marshal(struct {
			Name    string
			Title   *string
			Options *api.TaskOptions
			Input   json.RawMessage
			Standby *api.ActorStandby
		}{task.Name, task.Title, task.Options, task.Input, task.ActorStandby})
		if string(got) != want {
			t.Errorf("the task is %s, want %s", got, want)
		}
	}
	const standby = `{"isEnabled":true}`
	for _, text := range []string{`{}`, `{"name":null,"title":null,"options":null,"input":null,"actorStandby":null}`} {
		if err := apply(text); err != nil {
			t.Fatal(err)
		}
		is(`{"Name":"before","Title":null,"Options":null,"Input":{"a":1},"Standby":null}`)
	}
	if err := apply(`{"name":"after","title":"T","options":{"build":"latest","timeoutSecs":0,"memoryMbytes":512},"input":{"b":2},"actorStandby":` + standby + `}`); err != nil {
		t.Fatal(err)
	}
	before := task
	beforeOptions := *task.Options
	if err := apply(`{"options":{"memoryMbytes":1024,"timeoutSecs":null,"maxItems":5,"maxTotalChargeUsd":0.5,"restartOnError":true}}`); err != nil {
		t.Fatal(err)
	}
	is(`{"Name":"after","Title":"T","Options":{"build":"latest","memoryMbytes":1024,"maxItems":5,"maxTotalChargeUsd":0.5,"restartOnError":true},"Input":{"b":2},"Standby":{"isEnabled":true}}`)
	if !reflect.DeepEqual(*before.Options, beforeOptions) {
		t.Error("an update changed the record that it was made from")
	}
	last, _ := json.Marshal(task)
	for text, typ := range map[string]string{
		`{"name":"x"}`:                           "invalid-value",
		`{"title":"new","input":[1]}`:            "input-json-not-object",
		`{"title":"new","input":"text"}`:         "input-json-not-object",
		`{"options":"x"}`:                        "invalid-value",
		`{"options":{"memoryMbytes":300}}`:       "invalid-value",
		`{"options":{"memoryMbytes":"much"}}`:    "invalid-value",
		`{"options":{"timeoutSecs":-1}}`:         "invalid-value",
		`{"options":{"maxItems":0}}`:             "max-items-must-be-greater-than-zero",
		`{"options":{"maxTotalChargeUsd":0}}`:    "max-total-charge-usd-must-be-greater-than-zero",
		`{"name":"new","actorStandby":[]}`:       "invalid-value",
		`{"title":"new","actorStandby":{"x":1}}`: "",
	} {
		err := apply(text)
		if typ == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			task.Title = before.Title
			continue
		}
		var e *fault.Error
		if !errors.As(err, &e) || e.WireType() != typ || e.Code.HTTPStatus() != 400 {
			t.Errorf("%s: %v, want a %s", text, err, typ)
		}
		if now, _ := json.Marshal(task); string(now) != string(last) {
			t.Errorf("%s changed the task although it failed: %s", text, now)
		}
	}
}

func TestPublish(t *testing.T) {
	var task api.Task
	yes, no, title := true, false, "S"
	for _, u := range []api.TaskUpdate{
		{PublicConfig: json.RawMessage(`{"seoTitle":"S","inputSchemaFields":["a"]}`)}, {IsPublic: &yes}, {IsPublic: &no}, {Description: &title},
	} {
		if err := Apply(&task, u); err != nil {
			t.Fatal(err)
		}
		if u.IsPublic == &yes && (!task.IsPublic || task.PublicConfig.PublishedAt == nil) {
			t.Errorf("%+v", task)
		}
	}
	if c := task.PublicConfig; task.IsPublic || *task.Description != "S" || *c.SEOTitle != "S" || len(c.InputSchemaFields) != 1 {
		t.Errorf("%+v %+v", task, c)
	}
}

func TestMerge(t *testing.T) {
	for _, c := range []struct{ under, over, want string }{
		{``, ``, ``}, {``, `{"a":1}`, `{"a":1}`}, {`{"a":1}`, ``, `{"a":1}`}, {`{"a":1}`, `null`, `{"a":1}`}, {`{"a":1}`, `{}`, `{"a":1}`},
		{`{"a":{"x":1},"b":2}`, `{"a":{"y":"<&>"},"c":null}`, `{"a":{"y":"<&>"},"b":2,"c":null}`},
	} {
		got, err := MergeInput(json.RawMessage(c.under), json.RawMessage(c.over))
		if err != nil || string(got) != c.want {
			t.Errorf("%s under %s is %s, %v, want %s", c.under, c.over, got, err, c.want)
		}
	}
	for _, over := range []string{`[]`, `"a"`, `1`, `{`} {
		if _, err := MergeInput(nil, json.RawMessage(over)); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %v", over, err)
		}
	}
	one, two := 1, 2
	latest, beta := "latest", "beta"
	under := &api.TaskOptions{Build: &latest, MaxItems: &one}
	got := MergeOptions(under, api.TaskOptions{Build: &beta, TimeoutSecs: &two})
	if want := (api.TaskOptions{Build: &beta, MaxItems: &one, TimeoutSecs: &two}); !reflect.DeepEqual(got, want) {
		t.Errorf("merged into %+v", got)
	}
	if got := MergeOptions(nil, *under); !reflect.DeepEqual(got, *under) {
		t.Errorf("nothing under options gives %+v", got)
	}
}
