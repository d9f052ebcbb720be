package engine_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/builder/hostdir"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/engine/onedir"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/process"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/internal/store/overlay"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// bench is an engine with one Actor: a shell script run as a process.
type bench struct {
	*engine.Engine
	programs *onedir.Programs
	root     *overlay.Root
	storage  string
	actor    api.Actor
	dir      string
	statuses func() []string // "STATUS message", as OnChange told them
}

func start(t *testing.T, script string, change ...func(*engine.Config, *onedir.Source)) *bench {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the Actors of these tests are shell scripts")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".actor", "actor.json"), `{
		"actorSpecification": 1, "name": "scripted", "version": "0.3", "scripts": {"run": "sh ./main.sh"},
		"input": {"title": "T", "type": "object", "schemaVersion": 1, "properties": {
			"n": {"title": "N", "type": "integer", "description": "d", "editor": "number", "minimum": 1, "default": 5}}}}`)
	write(t, filepath.Join(dir, "main.sh"), script)
	d, err := definition.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{dir: dir, storage: filepath.Join(dir, "storage")}
	local := localdir.Open(b.storage)
	b.root = overlay.New(local)
	exec, err := process.New()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	b.statuses = func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
	config := engine.Config{
		Store: b.root, Inputs: b.root, Local: true, UserID: "user", Username: "me",
		APIURL: func(_ context.Context, ep executor.Endpoint) (string, error) { return "http://" + ep.Host + ":1", nil },
		OnChange: func(r api.Run) {
			mu.Lock()
			defer mu.Unlock()
			message := ""
			if r.StatusMessage != nil {
				message = *r.StatusMessage
			}
			seen = append(seen, strings.TrimSpace(string(r.Status)+" "+message))
		},
	}
	program := &onedir.Source{Definition: d, Builder: hostdir.New(), Executor: exec}
	for _, c := range change {
		c(&config, program)
	}
	b.programs = onedir.New(b.root.Builds(), "user", "me")
	config.Programs = b.programs
	b.Engine = engine.New(config)
	b.actor = b.programs.Add(*program)
	t.Cleanup(func() {
		b.Close()
		if err := exec.Close(); err != nil {
			t.Error(err)
		}
		if err := local.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) unbuilt(t *testing.T) *engine.Program {
	t.Helper()
	p, err := b.programs.Unbuilt(b.actor.ID)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) begin(t *testing.T, req engine.StartRequest) api.Run {
	t.Helper()
	req.Actor = b.actor.ID
	r, err := b.StartRun(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *bench) end(t *testing.T, id string) api.Run {
	t.Helper()
	r, err := b.WaitRun(t.Context(), id, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Status.Terminal() {
		t.Fatalf("the run is still %s", r.Status)
	}
	return r
}

// appears waits until the run's code has made a file.
func (b *bench) appears(t *testing.T, name string) {
	t.Helper()
	for range 1000 {
		if _, err := os.Stat(filepath.Join(b.dir, name)); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not appear", name)
}

func (b *bench) log(t *testing.T, id string) string {
	t.Helper()
	r, err := b.Log(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExitCodesDecide(t *testing.T) {
	for code, want := range map[int]api.Status{0: api.StatusSucceeded, 7: api.StatusFailed} {
		b := start(t, fmt.Sprintf("exit %d", code))
		r := b.end(t, b.begin(t, engine.StartRequest{}).ID)
		if r.Status != want || r.ExitCode == nil || *r.ExitCode != code || r.FinishedAt == nil {
			t.Errorf("exit %d: status %s, code %v, finished %v", code, r.Status, r.ExitCode, r.FinishedAt)
		}
		if got, wantAll := b.statuses(), []string{"RUNNING", fmt.Sprintf("%s Actor finished with exit code %d", want, code)}; !slices.Equal(got, wantAll) {
			t.Errorf("changes %q, want %q", got, wantAll)
		}
	}
}

func TestTimeout(t *testing.T) {
	b := start(t, "sleep 60")
	one := 1
	r := b.end(t, b.begin(t, engine.StartRequest{TimeoutSecs: &one}).ID)
	if r.Status != api.StatusTimedOut {
		t.Errorf("status %s", r.Status)
	}
	if got := b.statuses(); len(got) != 3 || got[1] != "TIMING-OUT" {
		t.Errorf("changes %q", got)
	}
}

func TestGracefulAbortLetsTheCodeFinish(t *testing.T) {
	b := start(t, `trap 'touch tidied; exit 0' TERM; touch ready; while :; do sleep 0.05; done`)
	r := b.begin(t, engine.StartRequest{})
	b.appears(t, "ready")
	aborting, err := b.AbortRun(t.Context(), r.ID, true)
	if err != nil || aborting.Status == api.StatusRunning {
		t.Fatalf("%s, %v", aborting.Status, err)
	}
	if r := b.end(t, r.ID); r.Status != api.StatusAborted {
		t.Errorf("status %s", r.Status)
	}
	b.appears(t, "tidied")
	again, err := b.AbortRun(t.Context(), r.ID, false)
	if err != nil || again.Status != api.StatusAborted {
		t.Errorf("aborting an ended run must give it as it is: %s, %v", again.Status, err)
	}
}

func TestGracefulAbortTellsListenersAndASecondOneKills(t *testing.T) {
	b := start(t, `trap 'touch terminated' TERM; touch ready; while :; do sleep 0.05; done`)
	r := b.begin(t, engine.StartRequest{})
	b.appears(t, "ready")
	events, cancel, err := b.Events(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	if _, err := b.AbortRun(t.Context(), r.ID, true); err != nil {
		t.Fatal(err)
	}
	var names []string
	for len(names) < 2 {
		if e := <-events; e.Name != "systemInfo" {
			names = append(names, e.Name)
		}
	}
	if !slices.Equal(names, []string{"aborting", "persistState"}) {
		t.Errorf("events %v", names)
	}
	if _, err := b.AbortRun(t.Context(), r.ID, false); err != nil {
		t.Fatal(err)
	}
	if r := b.end(t, r.ID); r.Status != api.StatusAborted {
		t.Errorf("status %s", r.Status)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "terminated")); err == nil {
		t.Error("code that listens to events was sent a signal too")
	}
	if _, open := <-events; open {
		t.Error("the events of an ended run must be closed")
	}
}

func TestSystemInfoEverySecond(t *testing.T) {
	b := start(t, `sleep 60`)
	r := b.begin(t, engine.StartRequest{})
	events, cancel, err := b.Events(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	select {
	case e := <-events:
		info, ok := e.Data.(api.SystemInfo)
		if e.Name != "systemInfo" || !ok || info.MemCurrentBytes <= 0 || info.CreatedAt.IsZero() {
			t.Errorf("%+v", e)
		}
	case <-time.After(10 * time.Second):
		t.Error("no systemInfo came")
	}
}

func TestRebootStartsTheCodeAgainInTheSameRun(t *testing.T) {
	b := start(t, `if [ -f first ]; then echo again; exit 0; fi; touch first; sleep 60`)
	r := b.begin(t, engine.StartRequest{})
	b.appears(t, "first")
	if _, err := b.RebootRun(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	ended := b.end(t, r.ID)
	if ended.Status != api.StatusSucceeded || ended.Stats.RebootCount != 1 || ended.DefaultDatasetID != r.DefaultDatasetID {
		t.Errorf("%s, %d reboots", ended.Status, ended.Stats.RebootCount)
	}
	if _, err := b.RebootRun(t.Context(), r.ID); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("rebooting an ended run: %v", err)
	}
}

func TestExitFromInsideEndsTheRun(t *testing.T) {
	b := start(t, `touch ready; sleep 60; touch survived`)
	r := b.begin(t, engine.StartRequest{})
	b.appears(t, "ready")
	if _, err := b.ExitRun(t.Context(), r.ID, api.RunExit{ExitCode: 300}); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("exit code 300: %v", err)
	}
	if _, err := b.ExitRun(t.Context(), r.ID, api.RunExit{ExitCode: 3, StatusMessage: "enough"}); err != nil {
		t.Fatal(err)
	}
	ended := b.end(t, r.ID)
	if ended.Status != api.StatusFailed || *ended.ExitCode != 3 || *ended.StatusMessage != "enough" {
		t.Errorf("%s, code %d, %q", ended.Status, *ended.ExitCode, *ended.StatusMessage)
	}
}

func TestLog(t *testing.T) {
	b := start(t, `echo one; echo two >&2; printf 'password hunter2 %s' "$DB"; sleep 0.2`, func(_ *engine.Config, p *onedir.Source) {
		p.Env, p.Secrets = map[string]string{"DB": "hunter2"}, []string{"hunter2"}
	})
	r := b.begin(t, engine.StartRequest{})
	follow, err := b.Log(t.Context(), r.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer follow.Close()
	followed, err := io.ReadAll(follow)
	if err != nil {
		t.Fatal(err)
	}
	b.end(t, r.ID)
	text := b.log(t, r.ID)
	if string(followed) != text {
		t.Errorf("followed %q, stored %q", followed, text)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines: %q", len(lines), text)
	}
	for _, line := range lines {
		if _, err := time.Parse(api.TimeFormat, line[:24]); err != nil || line[24] != ' ' {
			t.Errorf("no time before %q", line)
		}
	}
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "password *****") {
		t.Errorf("the secret is in the log: %q", text)
	}
	if _, err := b.Log(t.Context(), "nosuchrun", false); !fault.Is(err, fault.NotFound) {
		t.Errorf("the log of an unknown run: %v", err)
	}
}

func TestAnInputThatTheSchemaRejectsStartsNothing(t *testing.T) {
	b := start(t, "exit 0")
	_, err := b.StartRun(t.Context(), engine.StartRequest{Actor: b.actor.ID, Input: &engine.Input{Body: []byte(`{"n": 0}`)}})
	if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "input.n") {
		t.Errorf("got %v", err)
	}
	if runs, err := b.Runs(t.Context(), store.Query{}); err != nil || runs.Total != 0 {
		t.Errorf("%d runs, %v", runs.Total, err)
	}
	odd := 300
	if _, err := b.StartRun(t.Context(), engine.StartRequest{Actor: b.actor.ID, MemoryMbytes: &odd}); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("300 MB: %v", err)
	}
	if _, err := b.StartRun(t.Context(), engine.StartRequest{Actor: "nobody/nothing"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown Actor: %v", err)
	}
}

func TestInputIsHeldNotWritten(t *testing.T) {
	b := start(t, "sleep 60")
	stored := filepath.Join(b.storage, "key_value_stores", "default", "INPUT.json")
	write(t, stored, `{"n": 2}`)
	r := b.begin(t, engine.StartRequest{Input: &engine.Input{Body: []byte(`{"x": 1}`)}})
	if got := record(t, b.root, r.DefaultKeyValueStoreID, "INPUT"); got != `{"x":1,"n":5}` && got != `{"x": 1,"n":5}` {
		t.Errorf("the run reads %q", got)
	}
	if text, err := os.ReadFile(stored); err != nil || string(text) != `{"n": 2}` {
		t.Errorf("the stored input is %q, %v", text, err)
	}
	second := b.begin(t, engine.StartRequest{})
	if second.DefaultDatasetID == r.DefaultDatasetID || second.DefaultKeyValueStoreID == r.DefaultKeyValueStoreID {
		t.Error("two runs share their default storages")
	}
}

func TestStoredInputIsUsedAsItIs(t *testing.T) {
	b := start(t, "exit 0")
	write(t, filepath.Join(b.storage, "key_value_stores", "default", "INPUT.json"), `{"n": 0}`)
	if _, err := b.CheckInput(t.Context(), b.unbuilt(t), nil); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a stored input is not checked: %v", err)
	}
	write(t, filepath.Join(b.storage, "key_value_stores", "default", "INPUT.json"), `{"n": 9}`)
	r := b.end(t, b.begin(t, engine.StartRequest{}).ID)
	if got := record(t, b.root, r.DefaultKeyValueStoreID, "INPUT"); got != `{"n": 9}` {
		t.Errorf("the run read %q", got)
	}
}

func record(t *testing.T, root store.Root, storeID, key string) string {
	t.Helper()
	kvs, err := root.KeyValueStores().Open(t.Context(), storeID)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := kvs.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Body.Close()
	text, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTerminalMessagesStay(t *testing.T) {
	b := start(t, "touch ready; sleep 60")
	r := b.begin(t, engine.StartRequest{})
	b.appears(t, "ready")
	say := func(message string, terminal bool) string {
		r, err := b.UpdateRun(t.Context(), r.ID, api.RunUpdate{StatusMessage: &message, IsStatusMessageTerminal: &terminal})
		if err != nil {
			t.Fatal(err)
		}
		return *r.StatusMessage
	}
	if say("working", false) != "working" || say("done", true) != "done" {
		t.Error("messages are not taken")
	}
	if got := say("working on", false); got != "done" {
		t.Errorf("a terminal message was replaced by %q", got)
	}
	if got := say("really done", true); got != "really done" {
		t.Errorf("a second terminal message was refused: %q", got)
	}
	if _, err := b.AbortRun(t.Context(), r.ID, false); err != nil {
		t.Fatal(err)
	}
	if r := b.end(t, r.ID); *r.StatusMessage != "really done" {
		t.Errorf("the end replaced the message by %q", *r.StatusMessage)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	b := start(t, "touch ready; sleep 60")
	r := b.begin(t, engine.StartRequest{})
	b.appears(t, "ready")
	b.Close()
	if r, err := b.Run(t.Context(), r.ID); err != nil || r.Status != api.StatusAborted {
		t.Errorf("%s, %v", r.Status, err)
	}
	if _, err := b.StartRun(t.Context(), engine.StartRequest{Actor: b.actor.ID}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a closed engine starts runs: %v", err)
	}
}

func TestRecoverEndsWhatAnotherEngineLeft(t *testing.T) {
	b := start(t, "exit 0")
	left := api.Run{ID: store.NewID(), Status: api.StatusRunning, StartedAt: api.Now()}
	if err := b.root.Runs().Create(t.Context(), left.ID, left); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Recover(t.Context()); err != nil || n != 1 {
		t.Fatalf("recovered %d, %v", n, err)
	}
	if r, err := b.Run(t.Context(), left.ID); err != nil || r.Status != api.StatusFailed || r.FinishedAt == nil {
		t.Errorf("%s, %v", r.Status, err)
	}
}

func TestTokensOpenTheirOwnRunOnly(t *testing.T) {
	b := start(t, `printf '%s' "$APIFY_TOKEN" > token; touch ready; sleep 60`)
	r := b.begin(t, engine.StartRequest{})
	b.appears(t, "ready")
	token, err := os.ReadFile(filepath.Join(b.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := b.RunOfToken(string(token)); !ok || id != r.ID {
		t.Errorf("the token belongs to %q, %v", id, ok)
	}
	if _, err := b.AbortRun(t.Context(), r.ID, false); err != nil {
		t.Fatal(err)
	}
	b.end(t, r.ID)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if _, ok := b.RunOfToken(string(token)); !ok {
			break
		}
		if time.Since(began) > 20*time.Second { // what its code had sent has arrived by then
			t.Fatal("the token outlives its run")
		}
	}
	if _, ok := b.RunOfToken("greenroom_run_" + r.ID + "_" + strings.Repeat("A", 32)); ok {
		t.Error("a token that nobody gave is good")
	}
}

func TestPrepareAndTask(t *testing.T) {
	b := start(t, `printf '%s %s' "$ACTOR_TASK_ID" "$APIFY_ACTOR_TASK_ID"`)
	var prepared api.Run
	r := b.begin(t, engine.StartRequest{TaskID: "task1", Prepare: func(ctx context.Context, r api.Run) error {
		if _, err := b.root.Runs().Get(ctx, r.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the run is there before it was prepared: %v", err)
		}
		prepared = r
		return nil
	}})
	if prepared.ID != r.ID || prepared.ActorTaskID == nil || *prepared.ActorTaskID != "task1" {
		t.Errorf("prepared %+v", prepared)
	}
	if r := b.end(t, r.ID); r.Status != api.StatusSucceeded || r.ActorTaskID == nil || *r.ActorTaskID != "task1" {
		t.Errorf("the run ended as %+v", r)
	}
	if got := b.log(t, r.ID); !strings.Contains(got, "task1 task1") {
		t.Errorf("the run did not know its task: %s", got)
	}
	refused := fault.New(fault.InvalidRequest, "no")
	_, err := b.StartRun(t.Context(), engine.StartRequest{Actor: b.actor.ID, Prepare: func(context.Context, api.Run) error { return refused }})
	if runs, _ := b.Runs(t.Context(), store.Query{}); err != refused || runs.Total != 1 {
		t.Errorf("%v, and there are %d runs", err, runs.Total)
	}
}
