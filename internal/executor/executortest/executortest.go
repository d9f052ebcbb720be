// Package executortest is what every executor must pass: it starts real things
// and looks at what they saw, what came out and what is left.
package executortest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// Harness is what the suite needs to know about an executor.
type Harness struct {
	// New gives an executor; the suite closes it.
	New func() (executor.Executor, error)
	// Server gives an executor of the server with this id, whose data is in dir.
	// nil when there are none here.
	Server func(id, dir string) (executor.Executor, error)
	// Shell gives what runs a script of a POSIX shell with the usual tools.
	Shell func(script string) executor.Spec
	// Serve gives what answers "hello" to every HTTP request at the port
	// hostPort of this machine's loopback interface.
	Serve func(hostPort int) executor.Spec
	// Fetch gives what prints the body found at a URL.
	Fetch func(url string) executor.Spec
	// Broken gives what cannot be started.
	Broken func() executor.Spec
	// Remains lists what there is of a run on this machine, for people.
	Remains func(runID string) ([]string, error)
}

// The variables that make the test's own executable do something else.
const (
	ownerVariable = "EXECUTORTEST_OWNER"
	serveVariable = "EXECUTORTEST_SERVE"
	fetchVariable = "EXECUTORTEST_FETCH"
	// The directory of a server, see generation.
	serverVariable = "EXECUTORTEST_SERVER"
)

// Main does what the variables ask for when the suite has started the test's
// executable anew. TestMain calls it first; it returns when there is nothing
// to do.
func Main(h Harness) {
	if runID := os.Getenv(ownerVariable); runID != "" {
		os.Exit(own(h, runID))
	}
	if dir := os.Getenv(serverVariable); dir != "" {
		os.Exit(generation(h, dir))
	}
	if addr := os.Getenv(serveVariable); addr != "" {
		err := http.ListenAndServe(addr, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if url := os.Getenv(fetchVariable); url != "" {
		r, err := http.Get(url)
		if err == nil {
			_, err = io.Copy(os.Stdout, r.Body)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// ServeHere is Harness.Serve for executors that can run the test's executable.
func ServeHere(hostPort int) executor.Spec {
	return executor.Spec{
		Command: []string{os.Args[0]}, WebServerPort: hostPort, HostPort: hostPort,
		Env: []string{fmt.Sprintf("%s=127.0.0.1:%d", serveVariable, hostPort)},
	}
}

// FetchHere is Harness.Fetch for executors that can run the test's executable.
func FetchHere(url string) executor.Spec {
	return executor.Spec{Command: []string{os.Args[0]}, Env: []string{fetchVariable + "=" + url}}
}

// Run runs the suite: what holds for everything, what holds for what ends with
// us, and what holds for what outlives us.
func Run(t *testing.T, h Harness) {
	s := suite{h: h}
	s.run(t, s.common())
	s.run(t, []test{{"output comes as it is produced", s.promptOutput}, {"reap", s.reap}})
	if h.Server == nil {
		return
	}
	t.Run("detached", func(t *testing.T) {
		s := suite{h: h, server: true}
		s.run(t, s.common())
		s.run(t, s.surviving())
	})
}

type test struct {
	name string
	run  func(*testing.T)
}

func (s suite) run(t *testing.T, tests []test) {
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func (s suite) common() []test {
	return []test{
		{"exit codes", s.exitCodes},
		{"output is exact", s.exactOutput},
		{"lines come as they are printed", s.promptLines},
		{"much output", s.muchOutput},
		{"output that nobody takes", s.refusedOutput},
		{"output in one place", s.oneOutput},
		{"environment", s.environment},
		{"stdin is closed", s.closedStdin},
		{"actor command", s.actorCommand},
		{"terminate", s.terminate},
		{"kill", s.kill},
		{"children end with the run", s.children},
		{"waiting", s.waiting},
		{"usage", s.usage},
		{"web server", s.webServer},
		{"endpoint", s.endpoint},
		{"start that fails", s.brokenStart},
		{"start that is cancelled", s.cancelledStart},
		{"concurrency", s.concurrency},
	}
}

type suite struct {
	h Harness
	// server says that the executors are those of a server.
	server bool
}

// limit is how long anything in the suite may take that should be quick.
const limit = 20 * time.Second

// text is a writer for the output of a run that tests read while it runs.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// await waits until the text contains what.
func (t *text) await(tb testing.TB, what string) {
	tb.Helper()
	for deadline := time.Now().Add(limit); !strings.Contains(t.String(), what); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("no %q in the output, only %q", what, t.String())
		}
	}
}

// started is an instance with its output.
type started struct {
	executor.Instance
	executor       executor.Executor
	runID          string
	stdout, stderr *text
}

func (s suite) executor(t *testing.T) executor.Executor {
	t.Helper()
	if s.server {
		return s.serverExecutor(t, newRunID(), dataDir(t))
	}
	e, err := s.h.New()
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, e)
}

func (s suite) serverExecutor(t *testing.T, id, dir string) executor.Executor {
	t.Helper()
	e, err := s.h.Server(id, dir)
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, e)
}

// dataDir is a directory as that of a server.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func closing(t *testing.T, e executor.Executor) executor.Executor {
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return e
}

// start starts spec, and checks at the end of the test that nothing is left.
func (s suite) start(t *testing.T, e executor.Executor, spec executor.Spec) *started {
	t.Helper()
	r := &started{executor: e, runID: newRunID(), stdout: &text{}, stderr: &text{}}
	spec.RunID = r.runID
	spec.Env = append(slices.Clone(spec.Env), "ACTOR_RUN_ID="+r.runID)
	if spec.Stdout == nil {
		spec.Stdout = r.stdout
	}
	if spec.Stderr == nil {
		spec.Stderr = r.stderr
	}
	t.Cleanup(func() { s.nothingLeft(t, r.runID) })
	instance, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	r.Instance = instance
	t.Cleanup(func() {
		// t.Context has ended by now.
		_ = instance.Kill(context.Background())
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		_, _ = instance.Wait(ctx)
		_ = e.Remove(ctx, instance.Handle())
	})
	return r
}

// shell runs a script to its end.
func (s suite) shell(t *testing.T, script string) (executor.Exit, *started) {
	t.Helper()
	r := s.start(t, s.executor(t), s.h.Shell(script))
	return r.end(t), r
}

// end waits for the end and removes what is kept after it.
func (r *started) end(t *testing.T) executor.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	exit, err := r.Wait(ctx)
	if err != nil {
		t.Fatalf("wait: %v; stdout %.200q, stderr %.200q", err, r.stdout, r.stderr)
	}
	if err := r.executor.Remove(ctx, r.Handle()); err != nil {
		t.Errorf("removing what has ended: %v", err)
	}
	return exit
}

// nothingLeft fails when there is still something of a run.
func (s suite) nothingLeft(t *testing.T, runID string) {
	t.Helper()
	left, err := s.h.Remains(runID)
	if err != nil {
		t.Errorf("looking for what is left: %v", err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// actorBinary makes an actor command that says how it was called.
func actorBinary(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "some-name")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho \"actor was given: $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func newRunID() string { return rand.Text()[:17] }
