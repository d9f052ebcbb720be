package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/builder/hostdir"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/engine/onedir"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/process"
	"github.com/greenroom-dev/greenroom/internal/server"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
)

// platform runs Actors that are shell scripts, with the actor command on their
// PATH: a real engine and API over a real folder.
type platform struct {
	t        *testing.T
	storage  string
	engine   *engine.Engine
	programs *onedir.Programs
	process  *process.Executor
	api      *client.Client
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the Actors of these tests are shell scripts")
	}
	p := &platform{t: t, storage: filepath.Join(t.TempDir(), "storage")}
	root := localdir.Open(p.storage)
	var err error
	if p.process, err = process.New(); err != nil {
		t.Fatal(err)
	}
	var url string
	p.programs = onedir.New(root.Builds(), "user1", "me")
	p.engine = engine.New(engine.Config{
		Store: root, Programs: p.programs, UserID: "user1", Username: "me",
		APIURL: func(context.Context, executor.Endpoint) (string, error) { return url, nil },
	})
	s := httptest.NewServer(server.New(server.Config{
		Store: root, Engine: p.engine, Actors: p.programs, OwnerToken: "owner", UserID: "user1", Username: "me",
	}))
	url = s.URL
	t.Cleanup(func() {
		p.engine.Close()
		s.CloseClientConnections()
		s.Close()
		if err := p.process.Close(); err != nil {
			t.Error(err)
		}
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	if p.api, err = client.New(client.Options{BaseURL: url, Token: "owner"}); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs the script to its end and gives the run and what it printed.
func (p *platform) run(script, input string) (api.Run, string) {
	p.t.Helper()
	dir := p.t.TempDir()
	for name, text := range map[string]string{
		".actor/actor.json": `{"actorSpecification": 1, "name": "scripted", "version": "0.1", "scripts": {"run": "sh ./main.sh"}}`,
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
	known := p.programs.Add(onedir.Source{Definition: d, Builder: hostdir.New(), Executor: p.process})
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	answer, err := p.api.Actor(known.ID).Start(ctx, client.StartOptions{Input: []byte(input)})
	if err == nil {
		answer, err = p.api.Run(answer.Value.ID).Wait(ctx)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	run := answer.Value
	log, err := p.api.Run(run.ID).Log(ctx, client.LogOptions{Raw: true})
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	text, err := io.ReadAll(log)
	if err != nil {
		p.t.Fatal(err)
	}
	return run, string(text)
}

func (p *platform) items(dataset string) []string {
	p.t.Helper()
	var items []string
	for item, err := range p.api.Dataset(dataset).Each(p.t.Context(), client.ItemsOptions{}) {
		if err != nil {
			p.t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, item); err != nil {
			p.t.Fatal(err)
		}
		items = append(items, compact.String())
	}
	return items
}

func (p *platform) value(store, key string) (contentType, value string) {
	p.t.Helper()
	record, err := p.api.KeyValueStore(store).Record(p.t.Context(), key)
	if err != nil {
		p.t.Fatal(err)
	}
	defer record.Body.Close()
	text, err := io.ReadAll(record.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return record.ContentType, string(text)
}

func message(run api.Run) string {
	if run.StatusMessage == nil {
		return ""
	}
	return *run.StatusMessage
}

func TestInsideARun(t *testing.T) {
	p := newPlatform(t)
	run, log := p.run(`set -e
actor set-status-message "working"
actor get-input > input
actor set-value copy < input
printf '\000\377' | actor set-value bytes
echo hello | actor set-value greeting -c text/markdown
actor get-value greeting
actor push-data n=1.0
printf '{"n":2}\n{"n":3}' | actor push-data
actor push-data --dataset=named n=4
actor set-value gone x
actor set-value gone null
actor get-value gone || echo "gone $?"
actor get-public-url greeting
ls -A
actor set-status-message --terminal "all done"
`, `{ "url":  "x" }`)
	if run.Status != api.StatusSucceeded || message(run) != "all done" {
		t.Errorf("%s, %q, log:\n%s", run.Status, message(run), log)
	}
	if items := p.items(run.DefaultDatasetID); !slices.Equal(items, []string{`{"n":1.0}`, `{"n":2}`, `{"n":3}`}) {
		t.Errorf("items %v", items)
	}
	if items := p.items("named"); !slices.Equal(items, []string{`{"n":4}`}) {
		t.Errorf("items of the named dataset %v", items)
	}
	for key, want := range map[string][2]string{
		"copy":     {"application/json; charset=utf-8", `{ "url":  "x" }`},
		"bytes":    {"application/octet-stream", "\x00\xff"},
		"greeting": {"text/markdown", "hello\n"},
	} {
		if contentType, value := p.value(run.DefaultKeyValueStoreID, key); contentType != want[0] || value != want[1] {
			t.Errorf("%s is %q, %q", key, contentType, value)
		}
	}
	for _, want := range []string{
		"hello\n", "gone 250\n", `actor: error: there is no value "gone" in key-value store ` + run.DefaultKeyValueStoreID,
		"/v2/key-value-stores/" + run.DefaultKeyValueStoreID + "/records/greeting",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "\nstorage\n") {
		t.Errorf("files were made in the Actor's folder:\n%s", log)
	}
}

func TestExitEndsTheRunFromAnywhere(t *testing.T) {
	p := newPlatform(t)
	for name, test := range map[string]struct {
		script  string
		status  api.Status
		code    int
		message string
	}{
		"failure":     {"actor exit --code=7 --message 'no luck'\nactor push-data after=1\n", api.StatusFailed, 7, "no luck"},
		"success":     {"actor exit --message 'Email sent'\nfalse\n", api.StatusSucceeded, 0, "Email sent"},
		"nested":      {"(sh -c 'actor exit --code 3 --message deep' | cat)\nsleep 30\n", api.StatusFailed, 3, "deep"},
		"after steps": {"actor push-data before=1\nexec actor exit --code 1\n", api.StatusFailed, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			run, log := p.run(test.script, "{}")
			if run.Status != test.status || run.ExitCode == nil || *run.ExitCode != test.code ||
				test.message != "" && message(run) != test.message {
				t.Errorf("%s, code %v, %q, log:\n%s", run.Status, run.ExitCode, message(run), log)
			}
			if took := time.Since(started); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			for _, item := range p.items(run.DefaultDatasetID) {
				if strings.Contains(item, "after") {
					t.Error("the script went on")
				}
			}
		})
	}
}

func TestFailuresInsideARun(t *testing.T) {
	p := newPlatform(t)
	run, log := p.run(`exec 2>&1 # one stream keeps its order
try() { "$@"; echo "status $?"; }
try actor push-data '{"a":'
try actor push-data --dataset=aB3dE5fG7hI9jK1lM n=1
try actor push-data --dataset=alice/theirs n=1
try actor set-value 'a b' x
try actor set-value json '{' -c application/json
try actor get-value nope
try actor set-status-message --run=aB3dE5fG7hI9jK1lM x
APIFY_TOKEN=wrong try actor get-input
APIFY_TOKEN= try actor get-input
`, "{}")
	got := strings.Split(strings.TrimSpace(log), "\n")
	want := []struct{ line, status string }{
		{"nothing was pushed: the argument: the item is not JSON", "5"},
		{"there is no dataset with the id aB3dE5fG7hI9jK1lM", "250"},
		{"there is no dataset alice/theirs", "250"},
		{"value a b: ", "1"},
		{"value json is not JSON", "5"},
		{`there is no value "nope"`, "250"},
		{"run aB3dE5fG7hI9jK1lM: ", "1"}, // a run's token opens that run
		{"", "1"},
		{"there is no token for the API", "1"},
	}
	n := 0
	var said []string
	for _, line := range got {
		_, line, _ = strings.Cut(line, " ") // the time
		status, ok := strings.CutPrefix(line, "status ")
		if !ok {
			if strings.HasPrefix(line, "actor: error: ") {
				said = append(said, line)
			}
			continue
		}
		if n == len(want) {
			t.Fatalf("too many answers:\n%s", log)
		}
		if status != want[n].status || len(said) != 1 || !strings.Contains(said[0], want[n].line) {
			t.Errorf("%d: status %s, %q, want %s, %q", n+1, status, said, want[n].status, want[n].line)
		}
		said = nil
		n++
	}
	if n != len(want) {
		t.Errorf("%d answers:\n%s", n, log)
	}
	if items := p.items(run.DefaultDatasetID); len(items) > 0 {
		t.Errorf("items %v", items)
	}
}

func TestManyAndLargeInsideARun(t *testing.T) {
	p := newPlatform(t)
	run, log := p.run(`for i in 1 2 3 4 5 6 7 8; do
    (for n in 1 2 3 4 5; do actor push-data id=$i-$n || echo failed; done) &
done
wait
seq 5000 | sed 's/.*/{"id":&}/' | actor push-data || echo failed
head -c 20000000 /dev/zero | actor set-value zeros -c application/octet-stream || echo failed
actor get-value zeros | wc -c
`, "{}")
	if run.Status != api.StatusSucceeded || strings.Contains(log, "failed") || !strings.Contains(log, "20000000") {
		t.Fatalf("%s, log:\n%s", run.Status, log)
	}
	items := p.items(run.DefaultDatasetID)
	slices.Sort(items)
	if distinct := len(slices.Compact(items)); distinct != 5040 {
		t.Errorf("%d distinct items", distinct)
	}
}
