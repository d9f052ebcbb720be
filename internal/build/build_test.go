package build

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/builder/hostdir"
	imagebuilder "github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/internal/executor/process"
	"github.com/greenroom-dev/greenroom/internal/secret/keyfile"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// bench is a service on a directory, which may be opened again.
type bench struct {
	*Service
	t       *testing.T
	dir     string
	cfg     Config
	root    *embedded.Root
	catalog *catalog.Catalog

	mu     sync.Mutex
	events []string
}

// newBench makes a service for processes; change may make it one for containers.
func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the Actors of these tests are shell scripts")
	}
	exec, err := process.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Close() })
	b := &bench{t: t, dir: t.TempDir()}
	b.cfg = Config{
		Default: "process", Targets: map[string]Target{"process": {Builder: hostdir.New(), Executor: exec}},
		OnEvent: func(event string, build api.Build) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, build.BuildNumber+" "+strings.TrimPrefix(event, "ACTOR.BUILD."))
		},
	}
	if change != nil {
		change(&b.cfg)
	}
	b.open()
	t.Cleanup(b.close)
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	if b.root, err = embedded.Open(filepath.Join(b.dir, "data"), embedded.Options{Durability: embedded.Relaxed}); err != nil {
		b.t.Fatal(err)
	}
	b.catalog = catalog.New(catalog.Config{
		Store: b.root, UserID: "user1", Username: "me", SecretKey: keyfile.In(filepath.Join(b.dir, "keys")).Key,
	})
	cfg := b.cfg
	cfg.Store, cfg.Catalog, cfg.Dir = b.root, b.catalog, filepath.Join(b.dir, "builds")
	if b.Service, err = New(cfg); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) close() {
	if b.Service != nil {
		b.Service.Close()
		if err := b.root.Close(); err != nil {
			b.t.Error(err)
		}
		b.Service = nil
	}
}

func (b *bench) reopen() {
	b.t.Helper()
	b.close()
	b.open()
}

// actor creates an Actor of files; fields are added to its version.
func (b *bench) actor(name string, files map[string]string, fields map[string]any) api.Actor {
	b.t.Helper()
	version := map[string]any{"versionNumber": "0.1", "sourceType": api.SourceFiles, "buildTag": "latest"}
	var list []map[string]string
	for name, text := range files {
		list = append(list, map[string]string{"name": name, "format": "TEXT", "content": text})
	}
	version["sourceFiles"] = list
	for name, value := range fields {
		version[name] = value
	}
	text, err := json.Marshal(map[string]any{"name": name, "versions": []any{version}})
	if err != nil {
		b.t.Fatal(err)
	}
	a, err := b.catalog.Create(b.t.Context(), func(v any) error { return json.Unmarshal(text, v) })
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b *bench) start(a api.Actor, opts Options) api.Build {
	b.t.Helper()
	opts.Version = "0.1"
	started, err := b.Start(b.t.Context(), a.ID, opts)
	if err != nil {
		b.t.Fatal(err)
	}
	return started
}

// ends waits for the end of a build, which must be the wanted one.
func (b *bench) ends(id string, want api.Status) api.Build {
	b.t.Helper()
	ended, err := b.Wait(b.t.Context(), id, 2*time.Minute)
	if err != nil {
		b.t.Fatal(err)
	}
	if ended.Status != want {
		b.t.Fatalf("build %s ended %s, want %s:\n%s", ended.BuildNumber, ended.Status, want, b.log(id))
	}
	return ended
}

func (b *bench) log(id string) string {
	b.t.Helper()
	r, err := b.Log(b.t.Context(), id, false)
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

const definitionText = `{"actorSpecification": 1, "name": "built", "version": "0.1", "scripts": {"run": "sh main.sh"},
	"defaultMemoryMbytes": 256, "input": {"title": "I", "type": "object", "schemaVersion": 1, "properties": {
	"n": {"title": "N", "type": "integer", "description": "d", "default": 4}}}}`

var shell = map[string]string{".actor/actor.json": definitionText, "main.sh": "echo hello\n", "CHANGELOG.md": "# News"}

func TestProgramsSurviveARestart(t *testing.T) {
	b := newBench(t, nil)
	a := b.actor("built", shell, map[string]any{"envVars": []map[string]any{
		{"name": "PW", "value": "hush-hush", "isSecret": true}, {"name": "PLAIN", "value": "p"},
	}})
	build := b.ends(b.start(a, Options{}).ID, api.StatusSucceeded)
	if build.Stats.ImageSizeBytes == 0 || build.UsageTotalUSD <= 0 || build.FinishedAt == nil {
		t.Errorf("what it used: %+v", build)
	}
	if text, err := json.Marshal(build); err != nil || strings.Contains(string(text), "hush") || strings.Contains(string(text), "ENCRYPTED") {
		t.Errorf("a secret is told: %s", text)
	}
	b.reopen()
	for _, ref := range []string{"", "latest", "0.1.1"} {
		p, err := b.Program(t.Context(), "me~built", ref)
		if err != nil {
			t.Fatal(err)
		}
		if p.Definition.DefaultMemoryMbytes != 256 || p.Definition.Input == nil || p.Env["PW"] != "hush-hush" || p.Env["PLAIN"] != "p" ||
			!slices.Equal(p.Secrets, []string{"hush-hush"}) || p.Build.ID != build.ID || p.Actor.ID != a.ID {
			t.Errorf("%q gives %+v", ref, p)
		}
		if text, err := os.ReadFile(filepath.Join(p.Result.Dir, "main.sh")); err != nil || string(text) != "echo hello\n" {
			t.Errorf("the prepared directory: %q %v", text, err)
		}
	}
	if p, err := b.ProgramOf(t.Context(), build.ID); err != nil || p.Build.BuildNumber != "0.1.1" {
		t.Errorf("by the build's id: %v", err)
	}
	if _, err := b.ProgramOf(t.Context(), "nobody"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a build that is not there: %v", err)
	}
	// Later changes of the version are none of the build.
	if _, err := b.catalog.UpdateVersion(t.Context(), a.ID, "0.1", func(v any) error { return json.Unmarshal([]byte(`{"sourceFiles":[]}`), v) }); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Build(t.Context(), build.ID); err != nil || len(got.ActorVersion.SourceFiles) != 3 {
		t.Errorf("the version as it was built: %v %+v", err, got.ActorVersion)
	}
	var document struct{ Changelog string }
	if got, err := b.Build(t.Context(), build.ID); err != nil || json.Unmarshal(got.ActorDefinition, &document) != nil || document.Changelog != "# News" {
		t.Errorf("the changelog: %v %s", err, got.ActorDefinition)
	}
}

func TestSourcesThatLeadOut(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	secretFile := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secretFile, []byte(`{"password": "hush-hush"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{".actor/actor.json", "Dockerfile", "README.md", "INPUT_SCHEMA.json", ".actor"} {
		dir := t.TempDir()
		target := secretFile
		if link == ".actor" {
			target = filepath.Dir(secretFile)
		}
		err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, link)), 0o755), os.Symlink(target, filepath.Join(dir, link)),
			os.WriteFile(filepath.Join(dir, "main.js"), nil, 0o644))
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"init", "--quiet"}, {"add", "."}, {"-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "--quiet", "-m", "m"}} {
			if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		b := newBench(t, nil)
		a := b.actor("built", nil, map[string]any{"sourceType": api.SourceGitRepo, "gitRepoUrl": "file://" + dir})
		started := b.start(a, Options{})
		ended, err := b.Wait(t.Context(), started.ID, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(ended)
		if log := b.log(started.ID); strings.Contains(log+string(text), "hush") || link != "README.md" && ended.Status != api.StatusFailed {
			t.Errorf("%s: %s %s\n%s", link, ended.Status, text, log)
		}
	}
}

func TestRecovery(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Parallel = 1 })
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed")
	}
	slow := map[string]string{"package.json": `{"name":"slow","scripts":{"build":"sleep 100","start":"true"}}`}
	a := b.actor("slow-one", slow, nil)
	running, waiting := b.start(a, Options{}), b.start(a, Options{})
	for b.log(running.ID) == "" || !strings.Contains(b.log(running.ID), "npm run build") {
		time.Sleep(10 * time.Millisecond)
	}
	fast := b.actor("fast-one", shell, nil)
	queued := b.start(fast, Options{})
	b.reopen() // an end that was meant: what was under way has failed and says so
	b.ends(running.ID, api.StatusFailed)
	if log := b.log(running.ID); !strings.Contains(log, "the server ended") {
		t.Errorf("the log: %s", log)
	}
	// A crash: the record says what was.
	if _, err := b.builds.Update(t.Context(), running.ID, func(r *api.Build) error { r.Status, r.FinishedAt = api.StatusRunning, nil; return nil }); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.events = nil
	b.mu.Unlock()
	if err := b.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := b.ends(running.ID, api.StatusFailed)
	if failed.FinishedAt == nil || !strings.Contains(b.log(running.ID), "The server ended while") {
		t.Errorf("after a crash: %+v\n%s", failed, b.log(running.ID))
	}
	// What had not begun begins now, in the order in which it was asked for.
	if got, err := b.Abort(t.Context(), waiting.ID); err != nil || got.Status != api.StatusAborting && got.Status != api.StatusAborted {
		t.Errorf("aborting: %v %s", err, got.Status)
	}
	b.ends(waiting.ID, api.StatusAborted)
	b.ends(queued.ID, api.StatusSucceeded)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, want := range []string{"0.1.1 FAILED", "0.1.2 CREATED", "0.1.2 ABORTED", "0.1.1 SUCCEEDED"} {
		if !slices.Contains(b.events, want) {
			t.Errorf("nobody was told %q: %q", want, b.events)
		}
	}
}

func TestATagThatWasNotSet(t *testing.T) {
	b := newBench(t, nil)
	a := b.actor("built", shell, nil)
	build := b.ends(b.start(a, Options{}).ID, api.StatusSucceeded)
	// The server was killed between the end of the build and the tag.
	if err := b.catalog.Untag(t.Context(), build); !fault.Is(err, fault.InvalidRequest) {
		t.Fatalf("the default build loses its tag: %v", err)
	}
	patch := func(v any) error { return json.Unmarshal([]byte(`{"taggedBuilds":{"latest":null}}`), v) }
	if _, err := b.catalog.Update(t.Context(), a.ID, patch, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Recover(t.Context()); err != nil { // it had been set: it was taken away on purpose
		t.Fatal(err)
	}
	if got, _ := b.catalog.Actor(t.Context(), a.ID); len(got.TaggedBuilds) != 0 {
		t.Fatalf("a tag came back: %+v", got.TaggedBuilds)
	}
	if _, err := b.details.Update(t.Context(), build.ID, func(d *detail) error { d.Tagged = false; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := b.catalog.Actor(t.Context(), a.ID); got.TaggedBuilds["latest"] == nil || got.TaggedBuilds["latest"].BuildID != build.ID {
		t.Errorf("the tag was not set: %+v", got.TaggedBuilds)
	}
}

func TestSweep(t *testing.T) {
	b := newBench(t, nil)
	a := b.actor("built", shell, nil)
	first := b.ends(b.start(a, Options{Tag: "first"}).ID, api.StatusSucceeded)
	untagged := b.ends(b.start(a, Options{}).ID, api.StatusSucceeded)
	last := b.ends(b.start(a, Options{}).ID, api.StatusSucceeded)
	stray := filepath.Join(b.dir, "builds", "nobody")
	if err := os.MkdirAll(stray, 0o755); err != nil {
		t.Fatal(err)
	}
	there := func(id string) bool { _, err := b.Build(t.Context(), id); return err == nil }
	if err := b.sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stray); err == nil || !there(untagged.ID) {
		t.Errorf("too much or too little was removed: %v", err)
	}
	later := time.Now().Add(91 * 24 * time.Hour)
	// A run that began lately keeps its build.
	run := api.Run{ID: store.NewID(), ActorID: a.ID, BuildID: untagged.ID, StartedAt: api.TimeOf(later.Add(-time.Hour)), Status: api.StatusSucceeded}
	if err := b.root.Runs().Create(t.Context(), run.ID, run); err != nil {
		t.Fatal(err)
	}
	if err := b.sweep(t.Context(), later); err != nil || !there(untagged.ID) {
		t.Fatalf("a build that is used is gone: %v", err)
	}
	if err := b.root.Runs().Delete(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.sweep(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if there(untagged.ID) || !there(first.ID) || !there(last.ID) {
		t.Error("an old build without tag stays, or one with a tag is gone")
	}
	if _, err := os.Stat(b.Service.dir(untagged.ID)); err == nil {
		t.Error("the directory of a build that is gone stays")
	}
}

func TestRunsKeepTheirBuild(t *testing.T) {
	b := newBench(t, nil)
	a := b.actor("built", shell, nil)
	build := b.ends(b.start(a, Options{Tag: "x"}).ID, api.StatusSucceeded)
	run := api.Run{ID: store.NewID(), ActorID: a.ID, BuildID: build.ID, StartedAt: api.Now(), Status: api.StatusRunning}
	if err := b.root.Runs().Create(t.Context(), run.ID, run); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{b.Delete(t.Context(), build.ID), b.DeleteActor(t.Context(), a.ID)} {
		var e *fault.Error
		if !errors.As(err, &e) || e.Type != "operation-not-allowed" {
			t.Errorf("%v", err)
		}
	}
	if _, err := b.root.Runs().Update(t.Context(), run.ID, func(r *api.Run) error { r.Status = api.StatusFailed; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteActor(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(b.dir, "builds")); err != nil || len(left) != 1 {
		t.Errorf("something of the Actor is left: %v %v", err, left)
	}
}

// containers makes a bench for containers; without an engine the test is skipped,
// except in CI, where it fails.
func containers(t *testing.T, change func(*Config)) (*bench, *client.Client) {
	t.Helper()
	cli, err := docker.Connect(t.Context())
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	if _, err := cli.ImageInspect(t.Context(), "busybox:latest"); err != nil {
		if out, err := exec.Command("../../scripts/test-images.sh").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	builder, executor := imagebuilder.New(cli), docker.New(cli)
	t.Cleanup(func() { _ = executor.Close() })
	b := newBench(t, func(c *Config) {
		c.Targets["docker"] = Target{Builder: builder, Executor: executor, Images: builder}
		c.Default = "docker"
		if change != nil {
			change(c)
		}
	})
	t.Cleanup(func() { // before the bench is closed
		ctx := context.Background()
		images, _ := builder.Labelled(ctx, instanceLabel, b.instance)
		for id := range images {
			_, _ = cli.ImageRemove(ctx, id, image.RemoveOptions{Force: true})
		}
	})
	return b, cli
}

func TestImages(t *testing.T) {
	b, cli := containers(t, nil)
	a := b.actor("In-Image", map[string]string{
		".actor/actor.json": `{"actorSpecification": 1, "name": "in-image", "version": "0.1", "dockerfile": "./Dockerfile"}`,
		".actor/Dockerfile": "FROM busybox\nARG ACTOR_PATH_IN_DOCKER_CONTEXT\nARG FLAVOUR=none\nARG PW\nRUN echo \"$ACTOR_PATH_IN_DOCKER_CONTEXT $FLAVOUR $PW\" | tee /args\nCOPY . /actor\n",
	}, map[string]any{"applyEnvVarsToBuild": true, "envVars": []map[string]any{
		{"name": "FLAVOUR", "value": "plum"}, {"name": "PW", "value": "hush-hush", "isSecret": true}, {"name": "UNUSED", "value": "u"},
	}})
	first := b.ends(b.start(a, Options{UseCache: true}).ID, api.StatusSucceeded)
	log := b.log(first.ID)
	if !strings.Contains(log, ". plum *****") || strings.Contains(log, "hush") {
		t.Errorf("the log: %s", log)
	}
	p, err := b.Program(t.Context(), a.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	found, err := cli.ImageInspect(t.Context(), p.Result.Image)
	if err != nil || found.Config.Labels["com.apify.actBuildId"] != first.ID || found.Size != first.Stats.ImageSizeBytes {
		t.Fatalf("the image: %v %+v", err, found.Config)
	}
	if _, err := os.Stat(b.Service.dir(first.ID)); err == nil {
		t.Error("the source stays after it was built")
	}
	second := b.ends(b.start(a, Options{UseCache: true}).ID, api.StatusSucceeded)
	if err := b.Delete(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := cli.ImageInspect(t.Context(), p.Result.Image); err == nil {
		t.Error("the image of a deleted build stays")
	}
	if p, err = b.ProgramOf(t.Context(), second.ID); err != nil {
		t.Fatal(err)
	}
	// An image that nobody knows any more goes with the next sweep.
	if err := errors.Join(b.builds.Delete(t.Context(), second.ID), b.sweep(t.Context(), time.Now())); err != nil {
		t.Fatal(err)
	}
	if _, err := cli.ImageInspect(t.Context(), p.Result.Image); err == nil {
		t.Error("an image without a build stays")
	}
}

func TestImagesOfMonorepos(t *testing.T) {
	b, _ := containers(t, nil)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"shared/lib.sh":              "echo shared\n",
		"actors/a/.actor/actor.json": `{"actorSpecification": 1, "name": "a-one", "version": "0.1", "dockerContextDir": "../../..", "dockerfile": "Dockerfile"}`,
		"actors/a/.actor/Dockerfile": "FROM busybox\nARG ACTOR_PATH_IN_DOCKER_CONTEXT\nCOPY . /all\nRUN echo \"path=$ACTOR_PATH_IN_DOCKER_CONTEXT\" && sh /all/shared/lib.sh\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "--quiet", "--initial-branch=main"}, {"add", "."}, {"-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "--quiet", "-m", "m"}} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	a := b.actor("mono", nil, map[string]any{"sourceType": api.SourceGitRepo, "gitRepoUrl": "file://" + dir + "#main:actors/a"})
	build := b.start(a, Options{UseCache: true})
	b.ends(build.ID, api.StatusSucceeded)
	if log := b.log(build.ID); !strings.Contains(log, "path=actors/a") || !strings.Contains(log, "shared") {
		t.Errorf("the log: %s", log)
	}
}

func TestDefaultDockerfile(t *testing.T) {
	b, cli := containers(t, nil)
	const base = "apify/actor-node:24"
	if _, err := cli.ImageInspect(t.Context(), base); err != nil {
		if err := cli.ImageTag(t.Context(), "apify/actor-node:20", base); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = cli.ImageRemove(context.Background(), base, image.RemoveOptions{}) })
	}
	a := b.actor("bare-node", map[string]string{"package.json": `{"name":"bare","scripts":{"start":"node main.js"}}`, "main.js": "console.log(1)"}, nil)
	build := b.start(a, Options{UseCache: true})
	b.ends(build.ID, api.StatusSucceeded)
	if log := b.log(build.ID); !strings.Contains(log, "no Dockerfile") {
		t.Errorf("the log: %s", log)
	}
}

func TestImagesThatAreNotBuilt(t *testing.T) {
	b, _ := containers(t, func(c *Config) { c.Timeout = 3 * time.Second })
	failing := b.actor("failing", map[string]string{"Dockerfile": "FROM busybox\nRUN echo because && false\n"}, nil)
	build := b.start(failing, Options{})
	b.ends(build.ID, api.StatusFailed)
	if log := b.log(build.ID); !strings.Contains(log, "because") || !strings.Contains(log, "ACTOR: ERROR") {
		t.Errorf("the log: %s", log)
	}
	slow := b.actor("slow-one", map[string]string{"Dockerfile": "FROM busybox\nRUN sleep 60\n"}, nil)
	build = b.start(slow, Options{})
	b.ends(build.ID, api.StatusTimedOut)
	if log := b.log(build.ID); !strings.Contains(log, "did not finish in 3 seconds") {
		t.Errorf("the log: %s", log)
	}
	build = b.start(slow, Options{})
	// Somebody follows the log of a build that is aborted.
	follow, err := b.Log(t.Context(), build.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer follow.Close()
	time.Sleep(500 * time.Millisecond)
	if _, err := b.Abort(t.Context(), build.ID); err != nil {
		t.Fatal(err)
	}
	b.ends(build.ID, api.StatusAborted)
	text, err := io.ReadAll(follow)
	if err != nil || !strings.Contains(string(text), "was aborted") {
		t.Errorf("what was followed: %v %s", err, text)
	}
	if _, err := b.Program(t.Context(), slow.ID, "latest"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a tag came of nothing: %v", err)
	}
}
