//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// What make soak and people who look for a bug set: how many steps are taken
// with each executor, and what the choices are made of.
const (
	stepsVariable       = "GREENROOM_TEST_STEPS"
	dockerStepsVariable = "GREENROOM_TEST_DOCKER_STEPS"
	seedVariable        = "GREENROOM_TEST_SEED"
)

func fromEnvironment(t *testing.T, variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q", variable, text)
	}
	return n
}

// TestRunsAgainstModel starts runs of all kinds, gives them commands at random
// moments, ends their code from outside, and kills and stops the server
// meanwhile. Whatever happens, what is seen of a run must agree with a model of
// what was asked and answered.
func TestRunsAgainstModel(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		executor, variable string
		steps, workers     int
	}{
		{"process", stepsVariable, 200, 8},
		{"docker", dockerStepsVariable, 30, 5},
	} {
		t.Run(c.executor, func(t *testing.T) {
			if c.executor == "docker" {
				if ok, why := engineAnswers(); !ok {
					missing(t, why)
				}
			}
			m := &machine{t: t, executor: c.executor, actor: built.actor, seed: uint64(fromEnvironment(t, seedVariable, 5))}
			steps := fromEnvironment(t, c.variable, c.steps)
			m.long = steps > c.steps
			m.left.Store(int64(steps))
			m.prepare()
			m.drive(c.workers)
			m.settle()
		})
	}
}

// machine is a server with those that use it.
type machine struct {
	t        *testing.T
	s        *served
	asker    asker
	executor string
	actor    string
	seed     uint64
	long     bool         // time does not matter
	left     atomic.Int64 // steps to take

	notes  string            // directory of what code has noted
	ids    map[string]string // of Actors, by their kinds
	kinds  map[string]string // the other way around
	failed atomic.Bool

	mu         sync.Mutex
	runs       []*modelled
	unanswered int // starts
	counts     map[string]int
}

func (m *machine) prepare() {
	t := m.t
	m.notes = t.TempDir()
	port := m.notary()
	m.counts = map[string]int{}
	// Few of the runs have room at once, so that others wait.
	m.s = startServed(t, "--executor", m.executor, "--total-memory", "2048")
	m.asker = m.s.asker
	script, err := os.ReadFile(filepath.Join("testdata", "machine", "main.sh"))
	if err != nil {
		t.Fatal(err)
	}
	if m.executor == "docker" {
		t.Cleanup(m.removeImages)
	}
	m.ids, m.kinds = map[string]string{}, map[string]string{}
	for _, k := range kinds {
		variables := []map[string]string{
			{"name": "KIND", "value": k.name}, {"name": "LINES_TO_WRITE", "value": strconv.Itoa(k.lines)},
			{"name": "CODE", "value": strconv.Itoa(k.code)}, {"name": "NOTES_PORT", "value": port},
		}
		if k.pause != "" {
			variables = append(variables, map[string]string{"name": "PAUSE", "value": k.pause})
		}
		if k.trait != "" {
			variables = append(variables, map[string]string{"name": k.trait, "value": "1"})
		}
		if m.executor == "process" {
			variables = append(variables, map[string]string{"name": "NOTES", "value": m.notes})
		}
		definition, err := json.Marshal(map[string]any{"name": k.name + "-code", "versions": []any{map[string]any{
			"versionNumber": "0.1", "buildTag": "latest", "sourceType": "SOURCE_FILES", "envVars": variables,
			"sourceFiles": []map[string]string{
				{"name": ".actor/actor.json", "format": "TEXT", "content": `{"actorSpecification":1,"name":"` + k.name + `-code","version":"0.1","scripts":{"run":"sh ./main.sh"}}`},
				{"name": "Dockerfile", "format": "TEXT", "content": "FROM busybox\nCOPY main.sh /\nCMD [\"sh\", \"/main.sh\"]\n"},
				{"name": "main.sh", "format": "TEXT", "content": string(script)},
			},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		var made struct{ Data struct{ ID, Status string } }
		status, answer, ok := m.asker.send(t.Context(), "POST", "/v2/actors", definition)
		if !ok || status != http.StatusCreated || json.Unmarshal(answer, &made) != nil {
			t.Fatalf("creating the Actor: %d %s", status, answer)
		}
		m.ids[k.name], m.kinds[made.Data.ID] = made.Data.ID, k.name
		status, answer, ok = m.asker.send(t.Context(), "POST", "/v2/actors/"+made.Data.ID+"/builds?version=0.1&waitForFinish=60", nil)
		if !ok || status != http.StatusCreated || json.Unmarshal(answer, &made) != nil || made.Data.Status != "SUCCEEDED" {
			t.Fatalf("building the Actor: %d %s", status, answer)
		}
	}
}

// notary takes the notes of code in containers, and gives its port.
func (m *machine) notary() string {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		m.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := url.QueryUnescape(r.URL.RawQuery)
		if err == nil {
			err = m.note(filepath.Base(r.URL.Path), text)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})}
	go server.Serve(listener)
	m.t.Cleanup(func() { server.Close() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func (m *machine) note(id, text string) error {
	file, err := os.OpenFile(filepath.Join(m.notes, id), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintln(file, text)
	return err
}

func (m *machine) attempts(id string) ([]attempt, error) {
	text, err := os.ReadFile(filepath.Join(m.notes, id))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return readNotes(text)
}

// drive lets the workers use the server until the steps are taken, and the
// server die and end meanwhile.
func (m *machine) drive(workers int) {
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() {
			w := &worker{machine: m, random: rand.New(rand.NewPCG(m.seed, uint64(i)))}
			for m.left.Load() > 0 && !m.failed.Load() {
				w.life()
			}
		})
	}
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	random := rand.New(rand.NewPCG(m.seed, 1000))
	var slowestStop, slowestStart time.Duration
	for kills, stops := 0, 0; ; {
		select {
		case <-done:
			m.t.Logf("seed %d: %d runs, %v; the server was killed %d times and stopped %d times, which took %v at most, and a start %v",
				m.seed, len(m.runs), m.counts, kills, stops, slowestStop.Round(time.Millisecond), slowestStart.Round(time.Millisecond))
			return
		case <-time.After(time.Duration(200+random.IntN(1800)) * time.Millisecond):
		}
		m.left.Add(-1)
		begun := time.Now()
		if random.IntN(3) > 0 {
			kills++
			m.s.kill()
		} else {
			stops++
			m.s.stop()
			slowestStop = max(slowestStop, time.Since(begun))
		}
		begun = time.Now()
		m.s.start()
		slowestStart = max(slowestStart, time.Since(begun))
	}
}

// settle looks at what is there once nobody does anything any more.
func (m *machine) settle() {
	t := m.t
	if m.failed.Load() {
		return
	}
	listed := map[string]api.Run{}
	for offset := 0; ; {
		var page struct{ Data struct{ Items []api.Run } }
		m.s.get(t, fmt.Sprintf("/v2/actor-runs?limit=1000&offset=%d", offset), &page)
		for _, r := range page.Data.Items {
			if _, twice := listed[r.ID]; twice {
				t.Errorf("run %s is listed twice", r.ID)
			}
			listed[r.ID] = r
		}
		if offset += len(page.Data.Items); len(page.Data.Items) == 0 {
			break
		}
	}
	unknown := len(listed)
	for _, r := range m.runs {
		found, ok := listed[r.id]
		if ok {
			unknown--
		}
		switch {
		case !ok && r.deleted == never:
			t.Errorf("run %s is lost", r.id)
		case ok && r.deleted == certainly:
			t.Errorf("run %s was deleted and is there", r.id)
		case ok && found.Status != r.last.Status:
			t.Errorf("run %s is listed as %s and was %s", r.id, found.Status, r.last.Status)
		}
		delete(listed, r.id)
	}
	if unknown > m.unanswered {
		t.Errorf("there are %d runs that nobody was told of, of %d starts without an answer", unknown, m.unanswered)
	}
	for id := range listed {
		m.asker.send(t.Context(), "POST", "/v2/actor-runs/"+id+"/abort", nil)
		var r struct{ Data api.Run }
		m.s.get(t, "/v2/actor-runs/"+id+"?waitForFinish=60", &r)
		if !r.Data.Status.Terminal() {
			t.Errorf("run %s does not end", id)
		}
	}
	// What is being ended may need a moment to be gone.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := m.leftBehind()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %q", left)
		}
	}
}

// leftBehind names processes of runs and of what watches over them, their
// directories, and containers.
func (m *machine) leftBehind() []string {
	var left []string
	if m.executor == "docker" {
		for id := range m.containers("") {
			left = append(left, "container "+id)
		}
		return left
	}
	pids, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		m.t.Fatal(err)
	}
	for _, pid := range pids {
		environment, _ := os.ReadFile(filepath.Join(pid, "environ"))
		command, _ := os.ReadFile(filepath.Join(pid, "cmdline"))
		ours := filepath.Base(pid) == strconv.Itoa(m.s.cmd.Process.Pid)
		if strings.Contains(string(environment), "NOTES="+m.notes) || strings.Contains(string(command), m.s.dir) && !ours {
			left = append(left, fmt.Sprintf("process %s %s", filepath.Base(pid), strings.ReplaceAll(string(command), "\x00", " ")))
		}
	}
	runs, err := filepath.Glob(filepath.Join(m.s.dir, "processes", "[^.]*")) // the actor command stays
	if err != nil {
		m.t.Fatal(err)
	}
	return append(left, runs...)
}

// containers gives the ids of containers of a run, or of all of this test's
// when id is "".
func (m *machine) containers(id string) map[string]string {
	const label = "com.apify.actRunId"
	cli, err := docker.Connect(context.Background())
	if err != nil {
		m.t.Error(err)
		return nil
	}
	defer cli.Close()
	all, err := cli.ContainerList(context.Background(), container.ListOptions{All: id == "", Filters: filters.NewArgs(filters.Arg("label", label))})
	if err != nil {
		m.t.Error(err)
	}
	known := map[string]bool{id: true}
	if id == "" {
		for _, r := range m.runs {
			known[r.id] = true
		}
	}
	found := map[string]string{}
	for _, c := range all {
		if known[c.Labels[label]] {
			found[c.ID] = c.Labels[label]
		}
	}
	return found
}

// removeImages removes what the server has built.
func (m *machine) removeImages() {
	for _, id := range m.ids {
		status, answer, _ := m.asker.send(context.Background(), "DELETE", "/v2/actors/"+id, nil)
		if status != http.StatusNoContent {
			m.t.Logf("deleting an Actor: %d %s", status, answer)
		}
	}
}
