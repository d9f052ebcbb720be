package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// ask makes a request as the owner and gives the answer's data; a server that is
// just being started is waited for.
func (s *served) ask(t testing.TB, method, path, body string) (data json.RawMessage, status int) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			if time.Since(began) > 30*time.Second {
				t.Fatal(err)
			}
			continue
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var envelope struct{ Data json.RawMessage }
		if json.Unmarshal(text, &envelope) != nil || envelope.Data == nil {
			return text, resp.StatusCode
		}
		return envelope.Data, resp.StatusCode
	}
}

// run gives a run as the server tells it.
func (s *served) run(t testing.TB, method, path, body string) api.Run {
	t.Helper()
	data, status := s.ask(t, method, path, body)
	var r api.Run
	if err := json.Unmarshal(data, &r); err != nil || status >= 300 {
		t.Fatalf("%s %s: %d %s, %v", method, path, status, data, err)
	}
	return r
}

func (s *served) ended(t testing.TB, id string) api.Run {
	t.Helper()
	for began := time.Now(); time.Since(began) < 2*time.Minute; {
		if r := s.run(t, "GET", "/v2/actor-runs/"+id+"?waitForFinish=20", ""); r.Status.Terminal() {
			return r
		}
	}
	t.Fatalf("run %s does not end", id)
	return api.Run{}
}

func (s *served) becomes(t testing.TB, id string, status api.Status) {
	t.Helper()
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		r := s.run(t, "GET", "/v2/actor-runs/"+id, "")
		if r.Status == status {
			return
		}
		if r.Status.Terminal() {
			t.Fatalf("run %s %s, want %s", id, r.Status, status)
		}
	}
	t.Fatalf("run %s does not become %s", id, status)
}

// lines gives the log of a run without the times and the platform's own lines.
func (s *served) lines(t testing.TB, id string) []string {
	t.Helper()
	text, status := s.ask(t, "GET", "/v2/logs/"+id, "")
	if status != http.StatusOK {
		t.Fatalf("the log: %d %s", status, text)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		_, line, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !strings.HasPrefix(line, "ACTOR: ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// counter says that it was started, prints so many lines and ends with a status.
const counter = `
echo "start"
i=0
while [ $i -lt %d ]; do i=$((i+1)); echo "line $i"; sleep 0.05; done
exit %d
`

// actor pushes an Actor that is a shell script, and has it built.
func (s *served) actor(t testing.TB, name, script string) string {
	t.Helper()
	files := []map[string]any{
		{"name": ".actor/actor.json", "format": "TEXT", "content": `{"actorSpecification":1,"name":"` + name + `","version":"0.1","scripts":{"run":"sh ./main.sh"}}`},
		{"name": "main.sh", "format": "TEXT", "content": script},
		{"name": "Dockerfile", "format": "TEXT", "content": "FROM busybox:latest\nWORKDIR /app\nCOPY . ./\nCMD [\"sh\", \"./main.sh\"]\n"},
	}
	body, err := json.Marshal(map[string]any{
		"name": name, "isPublic": false, "defaultRunOptions": map[string]any{"build": "latest", "memoryMbytes": 128},
		"versions": []any{map[string]any{"versionNumber": "0.1", "sourceType": "SOURCE_FILES", "buildTag": "latest", "sourceFiles": files}},
	})
	if err != nil {
		t.Fatal(err)
	}
	data, status := s.ask(t, "POST", "/v2/actors", string(body))
	var actor api.Actor
	if err := json.Unmarshal(data, &actor); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s, %v", status, data, err)
	}
	data, status = s.ask(t, "POST", "/v2/actors/"+actor.ID+"/builds?version=0.1&waitForFinish=60", "")
	var build api.Build
	if err := json.Unmarshal(data, &build); err != nil || build.Status != api.StatusSucceeded {
		log, _ := s.ask(t, "GET", "/v2/logs/"+build.ID, "")
		t.Fatalf("%d %s, %v\n%s", status, data, err, log)
	}
	return actor.ID
}

// servedBy starts a server whose Actors run with an executor.
func servedBy(t *testing.T, executor string) *served {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the Actors are shell scripts")
	}
	if executor == "docker" {
		if ok, why := engineAnswers(); !ok {
			missing(t, why)
		}
		t.Cleanup(func() { removeImages(t, "greenroom/outlives-*") })
	}
	s := startServed(t, "--executor", executor, "--total-memory", "1024")
	t.Cleanup(func() {
		// What still runs would outlive the test.
		data, _ := s.ask(t, "GET", "/v2/actor-runs?status=READY,RUNNING,TIMING-OUT,ABORTING", "")
		var left api.Page[api.RunShort]
		if json.Unmarshal(data, &left) != nil {
			return
		}
		for _, r := range left.Items {
			s.ask(t, "POST", "/v2/actor-runs/"+r.ID+"/abort", "")
			s.ended(t, r.ID)
		}
	})
	return s
}

func eachExecutor(t *testing.T, test func(t *testing.T, s *served)) {
	for _, executor := range []string{"process", "docker"} {
		t.Run(executor, func(t *testing.T) { test(t, servedBy(t, executor)) })
	}
}

// Runs go on while nobody serves them, and the next server has all that they
// printed, once, and how they ended: whether they end before it is there or after.
func TestRunsOutliveTheServer(t *testing.T) {
	eachExecutor(t, func(t *testing.T, s *served) {
		long := s.run(t, "POST", "/v2/actors/"+s.actor(t, "outlives-long", fmt.Sprintf(counter, 120, 0))+"/runs", "").ID
		short := s.run(t, "POST", "/v2/actors/"+s.actor(t, "outlives-short", fmt.Sprintf(counter, 30, 7))+"/runs", "").ID
		s.becomes(t, long, api.StatusRunning)
		s.becomes(t, short, api.StatusRunning)
		for round := range 3 {
			time.Sleep(400 * time.Millisecond)
			if round == 1 {
				s.stop()
			} else {
				s.kill()
			}
			time.Sleep(600 * time.Millisecond)
			s.start()
		}
		for id, want := range map[string]struct {
			lines, code int
			status      api.Status
		}{long: {120, 0, api.StatusSucceeded}, short: {30, 7, api.StatusFailed}} {
			r := s.ended(t, id)
			if r.Status != want.status || r.ExitCode == nil || *r.ExitCode != want.code {
				t.Errorf("the run %s with %v, %v", r.Status, r.ExitCode, *r.StatusMessage)
			}
			var expected []string
			expected = append(expected, "start")
			for i := range want.lines {
				expected = append(expected, fmt.Sprintf("line %d", i+1))
			}
			if got := s.lines(t, id); strings.Join(got, "\n") != strings.Join(expected, "\n") {
				t.Errorf("the log is\n%s", strings.Join(got, "\n"))
			}
		}
	})
}

// Runs that wait are started by the next server, in their turn and once; time
// limits and graceful ends go on.
func TestWhatWasBegunIsFinished(t *testing.T) {
	eachExecutor(t, func(t *testing.T, s *served) {
		starts := s.actor(t, "outlives-starts", "echo start; sleep 1")
		sleeper := s.actor(t, "outlives-sleeper", "trap 'echo asked' TERM; echo start; while :; do sleep 0.1; done")
		start := func(actor, options string) string {
			return s.run(t, "POST", "/v2/actors/"+actor+"/runs?"+options, "").ID
		}
		limited := start(sleeper, "memory=128&timeout=4")
		graceful := start(sleeper, "memory=128")
		big := start(sleeper, "memory=512")
		for _, id := range []string{limited, graceful, big} {
			s.becomes(t, id, api.StatusRunning)
		}
		var waiting []string
		for range 4 {
			waiting = append(waiting, start(starts, "memory=512"))
		}
		began := time.Now()
		s.run(t, "POST", "/v2/actor-runs/"+graceful+"/abort?gracefully=1", "")
		s.becomes(t, graceful, api.StatusAborting)
		for _, id := range waiting {
			if r := s.run(t, "GET", "/v2/actor-runs/"+id, ""); r.Status != api.StatusReady {
				t.Errorf("there is no memory for it, and it is %s", r.Status)
			}
		}
		s.kill()
		s.start()
		if r := s.ended(t, limited); r.Status != api.StatusTimedOut {
			t.Errorf("the one with the time limit %s", r.Status)
		}
		s.kill()
		s.start()
		s.run(t, "POST", "/v2/actor-runs/"+big+"/abort", "")
		if r := s.ended(t, big); r.Status != api.StatusAborted {
			t.Errorf("the one that was aborted %s", r.Status)
		}
		last := time.Time{}
		for _, id := range waiting {
			r := s.ended(t, id)
			if r.Status != api.StatusSucceeded || len(s.lines(t, id)) != 1 {
				t.Errorf("one that waited %s: %v", r.Status, s.lines(t, id))
			}
			if r.FinishedAt.Before(last) {
				t.Error("one was overtaken")
			}
			last = r.FinishedAt.Time
		}
		if r := s.ended(t, graceful); r.Status != api.StatusAborted || time.Since(began) < 29*time.Second {
			t.Errorf("the one with 30 seconds %s after %v", r.Status, time.Since(began))
		}
	})
}

// Killed at any moment of starting and ending, the server loses no run and ends
// none twice.
func TestKillsAtAnyMoment(t *testing.T) {
	eachExecutor(t, func(t *testing.T, s *served) {
		actor := s.actor(t, "outlives-quick", "echo start; sleep 0.1; echo end")
		var ids []string
		for round := range 6 {
			for range 3 {
				ids = append(ids, s.run(t, "POST", "/v2/actors/"+actor+"/runs?memory=128", "").ID)
			}
			time.Sleep(time.Duration(round*70) * time.Millisecond)
			s.kill()
			s.start()
		}
		for _, id := range ids {
			r := s.ended(t, id)
			if got := strings.Join(s.lines(t, id), " "); r.Status != api.StatusSucceeded || got != "start end" {
				message := ""
				if r.StatusMessage != nil {
					message = *r.StatusMessage
				}
				t.Errorf("run %s %s (%s): %s", id, r.Status, message, got)
			}
		}
		s.stop()
		if left, err := filepath.Glob(filepath.Join(s.dir, "processes", "*")); err != nil || len(left) > 0 {
			for _, path := range left {
				if !strings.HasPrefix(filepath.Base(path), ".") { // the command for all of them stays
					t.Errorf("%s is left behind", path)
				}
			}
		}
		if bytes.Contains(s.said.Bytes(), []byte("level=ERROR")) {
			t.Errorf("the server said:\n%s", s.said)
		}
		s.start()
	})
}

// What was killed or removed behind the server's back ends with a message.
func TestWhatOthersEnd(t *testing.T) {
	s := servedBy(t, "docker")
	actor := s.actor(t, "outlives-victim", "echo start; sleep 60")
	cli, err := docker.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	for what, do := range map[string]func(id string) error{
		"killed": func(id string) error { return cli.ContainerKill(t.Context(), id, "KILL") },
		"removed": func(id string) error {
			return cli.ContainerRemove(t.Context(), id, container.RemoveOptions{Force: true})
		},
	} {
		for _, down := range []bool{false, true} {
			id := s.run(t, "POST", "/v2/actors/"+actor+"/runs", "").ID
			s.becomes(t, id, api.StatusRunning)
			list, err := cli.ContainerList(t.Context(), container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "com.apify.actRunId="+id))})
			if err != nil || len(list) != 1 {
				t.Fatalf("containers %v, %v", list, err)
			}
			if down {
				s.kill()
			}
			if err := do(list[0].ID); err != nil {
				t.Fatal(err)
			}
			if down {
				s.start()
			}
			r := s.ended(t, id)
			if r.Status != api.StatusFailed || r.StatusMessage == nil || *r.StatusMessage == "" {
				t.Errorf("%s, server down %v: %s %v", what, down, r.Status, r.StatusMessage)
			} else {
				t.Logf("%s, server down %v: %s", what, down, *r.StatusMessage)
			}
		}
	}
}
