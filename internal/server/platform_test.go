package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/automation"
	"github.com/greenroom-dev/greenroom/internal/automation/dispatch"
	"github.com/greenroom-dev/greenroom/internal/automation/scheduler"
	"github.com/greenroom-dev/greenroom/internal/build"
	"github.com/greenroom-dev/greenroom/internal/builder/hostdir"
	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/engine/onedir"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/process"
	"github.com/greenroom-dev/greenroom/internal/secret/keyfile"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const ownerToken = "owner-token"

// platform is a real server over a real store and a real engine.
type platform struct {
	t        testing.TB
	URL      string
	server   *server
	engine   *engine.Engine
	programs *onedir.Programs
	change   func(*engine.Program) // what is different about programs; may be nil
	storage  string
	process  *process.Executor

	tasks      *automation.Tasks
	scheduler  *scheduler.Scheduler
	dispatcher *dispatch.Dispatcher

	contract *contract
	client   *http.Client
	log      bytes.Buffer
}

// newPlatform serves Actors of directories, as apify run does.
func newPlatform(t testing.TB) *platform {
	t.Helper()
	storage := filepath.Join(t.TempDir(), "storage")
	p := platformOn(t, localdir.Open(storage))
	p.storage = storage
	return p
}

// platformOn serves Actors of directories with a store, which it closes.
func platformOn(t testing.TB, root store.Root) *platform {
	t.Helper()
	p := &platform{t: t, contract: theContract()}
	closeAtEnd(t, root)
	p.programs = onedir.New(root.Builds(), "user1", "me")
	p.serve(root, p.programs, Config{Actors: p.programs})
	return p
}

// newBuildingPlatform serves Actors that are kept and built, as apify serve does,
// for processes.
func newBuildingPlatform(t testing.TB) *platform {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the Actors of these tests are shell scripts")
	}
	p := &platform{t: t, contract: theContract()}
	root, err := embedded.Open(filepath.Join(t.TempDir(), "data"), embedded.Options{Durability: embedded.Relaxed})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, root)
	if p.process, err = process.New(); err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, p.process)
	actors := catalog.New(catalog.Config{Store: root, UserID: "user1", Username: "me", SecretKey: keyfile.In(t.TempDir()).Key})
	builds, err := build.New(build.Config{
		Store: root, Catalog: actors, Dir: filepath.Join(t.TempDir(), "builds"), Default: "process",
		Targets: map[string]build.Target{"process": {Builder: hostdir.New(), Executor: p.process}},
		Logger:  slog.New(slog.NewTextHandler(&p.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(builds.Close)
	p.serve(root, builds, Config{Actors: builds, Catalog: actors, Builds: builds})
	return p
}

func closeAtEnd(t testing.TB, c io.Closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// serve starts an engine and a server.
func (p *platform) serve(root store.Root, programs engine.Programs, cfg Config) {
	p.t.Helper()
	t := p.t
	p.engine = engine.New(engine.Config{
		Store: root, Programs: changed{programs, p}, TotalMemoryMbytes: 8192, MaxRuns: 64, UserID: "user1", Username: "me",
		APIURL:    func(context.Context, executor.Endpoint) (string, error) { return p.URL, nil },
		PublicURL: func() string { return p.URL },
		OnEvent:   func(eventType string, r api.Run) { p.dispatcher.RunEvent(eventType, r) },
	})
	t.Cleanup(p.engine.Close)
	p.tasks = automation.NewTasks(root, p.engine, programs, "user1", "me")
	p.scheduler = scheduler.New(scheduler.Config{
		Store: root, UserID: "user1", StartRun: p.engine.StartRun, StartTask: p.tasks.Start, Actor: programs.Actor, Task: p.tasks.Task,
	})
	p.dispatcher = dispatch.New(dispatch.Config{
		Store: root, UserID: "user1", API: func() string { return p.URL }, Token: ownerToken,
		Actor: programs.Actor, Task: p.tasks.Task, Run: p.engine.Run,
	})
	cfg.Store, cfg.Engine, cfg.OwnerToken, cfg.UserID, cfg.Username = root, p.engine, ownerToken, "user1", "me"
	cfg.Tasks, cfg.Schedules, cfg.Webhooks = p.tasks, p.scheduler, p.dispatcher
	cfg.Logger = slog.New(slog.NewTextHandler(&p.log, nil))
	p.server = newServer(cfg)
	s := httptest.NewServer(p.server)
	t.Cleanup(s.Close)
	p.URL = s.URL
	if err := errors.Join(p.dispatcher.Start(t.Context()), p.scheduler.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.scheduler.Close()
		p.engine.Close() // whose events are kept
		p.dispatcher.Close()
	})
	p.client = &http.Client{Transport: validating{t, p.contract, http.DefaultTransport}}
	t.Cleanup(func() {
		if p.log.Len() > 0 {
			t.Errorf("the server logged:\n%s", p.log.String())
		}
	})
}

// changed are programs that a test may change.
type changed struct {
	engine.Programs
	platform *platform
}

func (c changed) Program(ctx context.Context, ref, build string) (*engine.Program, error) {
	program, err := c.Programs.Program(ctx, ref, build)
	if err == nil && c.platform.change != nil {
		c.platform.change(program)
	}
	return program, err
}

// actor makes an Actor known that is a shell script.
func (p *platform) actor(script string) (actor api.Actor, dir string) {
	p.t.Helper()
	return p.defined(`"name":"scripted"`, script)
}

// defined makes an Actor known that is a shell script, with fields of its
// definition.
func (p *platform) defined(fields, script string) (actor api.Actor, dir string) {
	p.t.Helper()
	if runtime.GOOS == "windows" {
		p.t.Skip("the Actors of these tests are shell scripts")
	}
	if p.process == nil {
		executor, err := process.New()
		if err != nil {
			p.t.Fatal(err)
		}
		p.process = executor
		p.t.Cleanup(func() {
			p.engine.Close() // its runs end first
			if err := executor.Close(); err != nil {
				p.t.Error(err)
			}
		})
	}
	dir = p.t.TempDir()
	for name, text := range map[string]string{
		".actor/actor.json": `{"actorSpecification":1,"version":"0.3","scripts":{"run":"sh ./main.sh"},` + fields + `}`,
		"main.sh":           script,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	d, err := definition.Load(dir)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.programs.Add(onedir.Source{Definition: d, Builder: hostdir.New(), Executor: p.process}), dir
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// do sends a request as the owner. The body is a string, bytes, a reader, or
// anything else to be sent as JSON. headers are names and values; a value of ""
// takes a header away.
func (p *platform) do(method, path string, body any, headers ...string) answer {
	p.t.Helper()
	return p.as(ownerToken, method, path, body, headers...)
}

func (p *platform) as(token, method, path string, body any, headers ...string) answer {
	p.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	case io.Reader:
		reader = b
	default:
		text, err := json.Marshal(b)
		if err != nil {
			p.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, p.URL+path, reader)
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			r.Host = headers[i+1]
		case headers[i+1] == "":
			r.Header.Del(headers[i])
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{p.t, resp.StatusCode, resp.Header, text}
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// fails checks the status and the type of an error.
func (a answer) fails(status int, typ string) answer {
	a.t.Helper()
	a.want(status)
	if got := a.get("error", "type"); got != typ {
		a.t.Errorf("error type %v, want %s: %s", got, typ, a.body)
	}
	return a
}

// get walks into the JSON body; a missing step gives nil.
func (a answer) get(path ...any) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.t.Fatalf("not JSON: %v: %s", err, a.body)
	}
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func (a answer) str(path ...any) string {
	a.t.Helper()
	s, ok := a.get(path...).(string)
	if !ok {
		a.t.Fatalf("%v is no string in %s", path, a.body)
	}
	return s
}

// is compares a part of the JSON body with what is wanted.
func (a answer) is(want any, path ...any) answer {
	a.t.Helper()
	got, _ := json.Marshal(a.get(path...))
	wanted, _ := json.Marshal(want)
	if !bytes.Equal(got, wanted) {
		a.t.Errorf("%v is %s, want %s", path, got, wanted)
	}
	return a
}
