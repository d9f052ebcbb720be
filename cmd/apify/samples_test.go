package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/internal/storytest"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// binariesDir is where binaries are, "" before they were built.
var binariesDir string

// binaries are the commands as users have them, built once for all tests.
var binaries = sync.OnceValues(func() (struct{ apify, actor string }, error) {
	var built struct{ apify, actor string }
	dir, err := os.MkdirTemp("", "greenroom-test-")
	if err != nil {
		return built, err
	}
	binariesDir = dir
	built.apify = filepath.Join(dir, "apify")
	cmd := exec.Command("go", "build", "-o", built.apify, "./cmd/apify")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return built, fmt.Errorf("building apify: %w\n%s", err, out)
	}
	built.actor, err = storytest.BuildActor(module, dir)
	return built, err
})

// outcome is everything an Actor leaves that must not depend on where it ran.
type outcome struct {
	Status   api.Status
	ExitCode int
	Message  string
	Items    []any
	Records  map[string]string
}

// sample is a sample Actor with an input, and what it must come to.
type sample struct {
	name  string
	input func(site string) string
	needs string // environment variable that says where its SDK is
	want  outcome
}

func fixed(input string) func(string) string { return func(string) string { return input } }

var samples = []sample{
	{
		name: "hello-shell", input: fixed(`{"greeting": "Ahoy", "count": 2}`),
		want: outcome{api.StatusSucceeded, 0, "Said Ahoy 2 times",
			[]any{item("n", 1.0, "text", "Ahoy, world"), item("n", 2.0, "text", "Ahoy, world")},
			map[string]string{"OUTPUT.json": `{"greetings": 2}`, "REPORT.txt": "Said Ahoy 2 times.\n"}},
	},
	{
		name: "node-cheerio", needs: "GREENROOM_TEST_NODE_MODULES",
		input: func(site string) string { return fmt.Sprintf(`{"startUrls": [{"url": "%s/"}]}`, site) },
		want: outcome{api.StatusSucceeded, 0, "Visited 4 pages",
			[]any{item("url", "SITE/", "title", "Home"), item("url", "SITE/a", "title", "Page a"),
				item("url", "SITE/b", "title", "Page b"), item("url", "SITE/c", "title", "Page c")},
			map[string]string{"OUTPUT.json": "{\n  \"pages\": 4,\n  \"failed\": 0\n}"}},
	},
	{
		name: "node-cheerio", needs: "GREENROOM_TEST_NODE_MODULES",
		input: func(site string) string { return fmt.Sprintf(`{"startUrls": [{"url": "%s/missing"}]}`, site) },
		want: outcome{api.StatusFailed, 1, "1 pages could not be visited", nil,
			map[string]string{"OUTPUT.json": "{\n  \"pages\": 0,\n  \"failed\": 1\n}"}},
	},
	{
		name: "python-sdk", needs: "GREENROOM_TEST_PYTHON", input: fixed(`{"numbers": [2, 3.5]}`),
		want: outcome{api.StatusSucceeded, 0, "The squares of 2 numbers add up to 16.25",
			[]any{item("number", 2.0, "square", 4.0), item("number", 3.5, "square", 12.25)},
			map[string]string{"OUTPUT.json": `{"sum": 16.25}`, "REPORT.txt": "The squares add up to 16.25.\n"}},
	},
	{
		name: "python-sdk", needs: "GREENROOM_TEST_PYTHON", input: fixed(`{"numbers": [2, "three"]}`),
		want: outcome{api.StatusFailed, 1, "'three' is not a number", []any{item("number", 2.0, "square", 4.0)},
			map[string]string{}},
	},
	{
		name: "go-sdk", input: fixed(`{"limit": 5}`),
		want: outcome{api.StatusSucceeded, 0, "Found 3 primes up to 5",
			[]any{item("n", 1.0, "prime", 2.0), item("n", 2.0, "prime", 3.0), item("n", 3.0, "prime", 5.0)},
			map[string]string{"OUTPUT.json": `{"primes":3}`}},
	},
	{
		name: "unix-tool", input: fixed(`{"text": "one two, one"}`),
		want: outcome{api.StatusSucceeded, 0, "Counted 2 different words",
			[]any{item("word", "one", "count", 2.0), item("word", "two", "count", 1.0)},
			map[string]string{"OUTPUT.json": `{"words":2}`}},
	},
}

func item(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// TestSamplesGiveTheSameEverywhere runs every sample Actor in a container and
// as a process, and expects the same of both.
func TestSamplesGiveTheSameEverywhere(whole *testing.T) {
	t := whole
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	copies, prepared := whole.TempDir(), map[string]string{}
	for i, s := range samples {
		t.Run(fmt.Sprintf("%s-%d", s.name, i), func(t *testing.T) {
			if s.needs != "" && os.Getenv(s.needs) == "" {
				missing(t, s.needs+" is not set; scripts/test-sdks.sh prints it")
			}
			dir, ok := prepared[s.name]
			if !ok {
				// Kept for the other inputs, so that the image is built once.
				dir = filepath.Join(copies, s.name)
				cmd := exec.Command("bash", "scripts/sample.sh", s.name, dir)
				cmd.Dir = module
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("preparing: %v\n%s", err, out)
				}
				prepared[s.name] = dir
				d, err := definition.Load(dir)
				if err != nil {
					t.Fatal(err)
				}
				whole.Cleanup(func() { removeImages(whole, image.Tag(d)) })
			}
			for _, executor := range []string{"process", "docker"} {
				t.Run(executor, func(t *testing.T) {
					ip := "127.0.0.1"
					if executor == "docker" {
						ip = gateway(t)
					}
					site := serveSite(t, ip)
					got := runSample(t, built.apify, built.actor, dir, executor, s.input(site), site)
					if diff := cmp.Diff(s.want, got); diff != "" {
						t.Errorf("want -, got +:\n%s", diff)
					}
				})
			}
		})
	}
}

// missing skips a test, or fails it in CI, where nothing may be left out.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// needProgram makes sure that the machine has a program.
func needProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, "there is no "+name+" on this machine")
	}
}

// gateway is an address of this machine that containers can reach.
func gateway(t *testing.T) string {
	cli, err := docker.Connect(t.Context())
	if err != nil {
		missing(t, err.Error())
	}
	exec := docker.New(cli)
	defer exec.Close()
	ep, err := exec.Endpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ep.ListenIP
}

// serveSite serves a small site with a page that does not exist.
func serveSite(t *testing.T, ip string) string {
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	page := func(path, title, links string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<title>"+title+"</title>"+links)
		})
	}
	page("/{$}", "Home", `<meta name="description" content="Where it begins"><a href="/a">a</a><a href="/b">b</a>`)
	page("/a", "Page a", `<a href="/b">b</a><a href="/c">c</a>`)
	page("/b", "Page b", `<a href="/">home</a>`)
	page("/c", "Page c", ``)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func runSample(t *testing.T, apify, actor, dir, executor, input, site string) outcome {
	t.Helper()
	cmd := exec.Command(apify, "run", dir, "--executor", executor, "--json", "--input", input)
	cmd.Env = append(os.Environ(), "GREENROOM_ACTOR="+actor)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	status := cmd.ProcessState.ExitCode()
	var r api.Run
	if jsonErr := json.Unmarshal(stdout, &r); jsonErr != nil {
		t.Fatalf("%v, exit %d, no run on stdout: %v\n%s%s", err, status, jsonErr, stdout, stderr.String())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(stderr.String())
		}
	})
	if r.ExitCode == nil || r.StatusMessage == nil {
		t.Fatalf("the run has no exit code or message:\n%s\n%s", stdout, stderr.String())
	}
	if *r.ExitCode != status {
		t.Errorf("the run's exit code is %d, the command's %d", *r.ExitCode, status)
	}
	o := outcome{Status: r.Status, ExitCode: *r.ExitCode, Message: *r.StatusMessage, Records: map[string]string{}}
	storage := filepath.Join(dir, "storage")
	for _, path := range glob(t, filepath.Join(storage, "datasets", "default", "0*.json")) {
		text := strings.ReplaceAll(read(t, path), site, "SITE")
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		o.Items = append(o.Items, v)
	}
	for _, path := range glob(t, filepath.Join(storage, "key_value_stores", "default", "*")) {
		name := filepath.Base(path)
		// What the SDKs keep for themselves differs from run to run.
		if strings.Contains(name, "__metadata__") || strings.HasPrefix(name, "SDK_") || strings.HasPrefix(name, "APIFY_") {
			continue
		}
		o.Records[name] = read(t, path)
	}
	return o
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
