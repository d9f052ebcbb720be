package automation

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// starter remembers what it was asked to start.
type starter struct{ last engine.StartRequest }

func (s *starter) StartRun(_ context.Context, req engine.StartRequest) (api.Run, error) {
	s.last = req
	return api.Run{ID: "run1"}, nil
}

type actors struct{}

func (actors) Actor(_ context.Context, ref string) (api.Actor, error) {
	if strings.HasPrefix(ref, "no") {
		return api.Actor{}, fault.New(fault.NotFound, "Actor %q was not found", ref)
	}
	return api.Actor{ID: strings.TrimPrefix(ref, "me~"), Name: "crawler"}, nil
}

func newTasks(t *testing.T) (*Tasks, *starter) {
	root := localdir.Open(t.TempDir())
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &starter{}
	return NewTasks(root, s, actors{}, "user1", "me"), s
}

func update(t *testing.T, text string) (u api.TaskUpdate) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &u); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTasks(t *testing.T) {
	tasks, _ := newTasks(t)
	ctx := t.Context()
	first, err := tasks.Create(ctx, update(t, `{"actId":"me~actor1"}`))
	if err != nil || first.Name != "crawler-task" || first.ActorID != "actor1" || first.Username != "me" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := tasks.Create(ctx, update(t, `{"actId":"actor1","name":"My-Task","input":{"a":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{second.ID, "me~my-task", "me/My-Task", "~my-task", "ME~MY-TASK", "user1~my-task"} {
		if got, err := tasks.Task(ctx, ref); err != nil || got.ID != second.ID {
			t.Errorf("%q: %+v, %v", ref, got, err)
		}
	}
	for _, ref := range []string{"", "~", "my-task", "you~my-task", "~none", "../x", strings.Repeat("x", 300)} {
		if _, err := tasks.Task(ctx, ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", ref, err)
		}
	}
	for text, code := range map[string]fault.Code{
		`{}`: fault.InvalidRequest, `{"actId":"nobody"}`: fault.NotFound, `{"actId":"a","name":"my-TASK"}`: fault.Conflict, `{"actId":"a","name":"x"}`: fault.InvalidRequest,
	} {
		if _, err := tasks.Create(ctx, update(t, text)); !fault.Is(err, code) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := tasks.Update(ctx, first.ID, update(t, `{"name":"my-task"}`)); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	if got, err := tasks.Update(ctx, "~my-task", update(t, `{"name":"renamed","title":"T"}`)); err != nil || got.Name != "renamed" || *got.Title != "T" || string(compact(got.Input)) != `{"a":1}` {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := tasks.UpdateInput(ctx, "~renamed", json.RawMessage(`{"b":2}`)); err != nil || string(compact(got.Input)) != `{"a":1,"b":2}` {
		t.Errorf("%+v, %v", got, err)
	}
	page, err := tasks.Tasks(ctx, store.Query{Limit: 1, Desc: true})
	if err != nil || page.Total != 2 || page.Items[0].ID != second.ID {
		t.Errorf("%+v, %v", page, err)
	}
	if err := tasks.Delete(ctx, "~renamed"); err != nil {
		t.Fatal(err)
	}
	if err := tasks.Delete(ctx, second.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	// The same name at once is one task.
	var made sync.Map
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if v, err := tasks.Create(ctx, update(t, `{"actId":"a","name":"race"}`)); err == nil {
				made.Store(v.ID, true)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	count := 0
	made.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d tasks have one name", count)
	}
}

func compact(text json.RawMessage) json.RawMessage {
	var v any
	_ = json.Unmarshal(text, &v)
	out, _ := json.Marshal(v)
	return out
}

func TestStart(t *testing.T) {
	tasks, starter := newTasks(t)
	ctx := t.Context()
	v, err := tasks.Create(ctx, update(t, `{"actId":"actor1","name":"my-task","input":{"a":1,"b":{"c":2}},"options":{"build":"beta","memoryMbytes":256,"maxItems":3,"restartOnError":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	meta := api.RunMeta{Origin: "API"}
	if _, err := tasks.Start(ctx, "me~my-task", engine.StartRequest{Meta: meta}); err != nil {
		t.Fatal(err)
	}
	got := starter.last
	if got.Actor != "actor1" || got.TaskID != v.ID || string(compact(got.Input.Body)) != `{"a":1,"b":{"c":2}}` || got.Build != "beta" || *got.MemoryMbytes != 256 || *got.MaxItems != 3 || got.TimeoutSecs != nil || !*got.RestartOnError || got.Meta != meta {
		t.Errorf("%+v", got)
	}
	memory, off := 512, false
	input := &engine.Input{ContentType: "application/json; charset=utf-8", Body: []byte(`{"b":null,"x":"<"}`)}
	if _, err := tasks.Start(ctx, v.ID, engine.StartRequest{Build: "0.1.2", MemoryMbytes: &memory, RestartOnError: &off, Input: input}); err != nil {
		t.Fatal(err)
	}
	got = starter.last
	if string(got.Input.Body) != `{"a":1,"b":null,"x":"<"}` || got.Build != "0.1.2" || *got.MemoryMbytes != 512 || *got.RestartOnError {
		t.Errorf("%+v %s", got, got.Input.Body)
	}
	for _, input := range []*engine.Input{
		{ContentType: "text/plain", Body: []byte("x")}, {ContentType: "application/json", Body: []byte("[1]")}, {ContentType: "application/json", Body: []byte("{")}, {Body: []byte(`"x"`)},
	} {
		if _, err := tasks.Start(ctx, v.ID, engine.StartRequest{Input: input}); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %v", input.Body, err)
		}
	}
	if v, err := tasks.Task(ctx, v.ID); err != nil || v.Stats.TotalRuns != 2 {
		t.Errorf("%+v, %v", v.Stats, err)
	}
	if _, err := tasks.Start(ctx, "nothing", engine.StartRequest{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	bare, err := tasks.Create(ctx, update(t, `{"actId":"actor1"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tasks.Start(ctx, bare.ID, engine.StartRequest{}); err != nil || starter.last.Input != nil {
		t.Errorf("%+v, %v", starter.last, err) // the Actor's own defaults, then
	}
}
