package actors_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/actors"
	"github.com/greenroom-dev/greenroom/internal/cli/recordtest"
	"github.com/greenroom-dev/greenroom/internal/cli/tasks"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

func group(f *cmdkit.Factory) *cobra.Command { return actors.New(f) }

// runs answers an Actor whose runs end so.
func runs(t *testing.T, status, exitCode string) *recordtest.API {
	t.Helper()
	t.Chdir(t.TempDir())
	a := recordtest.New(t)
	run := `{"id":"R1","actId":"A1","status":"STATUS","exitCode":` + exitCode + `,"defaultDatasetId":"D1","defaultKeyValueStoreId":"K1","statusMessage":"all done"}`
	a.On("GET /actors/me~one", `{"id":"A1","name":"one","username":"me"}`)
	a.On("POST /actors/A1/runs", strings.Replace(run, "STATUS", "READY", 1))
	a.On("GET /actor-runs/R1", strings.Replace(run, "STATUS", status, 1))
	a.On("GET /actor-runs/R1/log", "a line\n")
	a.Answer("GET /datasets/D1/items", recordtest.Answer{Body: `[{"a":1.0}]`})
	a.Answer("GET /key-value-stores/K1/records/OUT", recordtest.Answer{Body: "out"})
	return a
}

func TestFormsOfInput(t *testing.T) {
	a := runs(t, "SUCCEEDED", "0")
	if err := os.WriteFile("in.json", []byte(`{"f":1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"one": "", "one a=1.0 b=x c:=[1]": `{"a":1.0,"b":"x","c":[1]}`, `one {"j":1}`: `{"j":1}`, "one --input @in.json": `{"f":1}`,
		"one -f in.json": `{"f":1}`, "one --if in.json": `{"f":1}`, `one -i {"i":1}`: `{"i":1}`,
	} {
		a.Run(actors.NewCall, nil, append(strings.Fields(line), "-s")...).Exits(0)
		if got := a.Last("POST", "/actors/A1/runs").Body; got != want {
			t.Errorf("%s sends %s", line, got)
		}
	}
	a.Run(actors.NewCall, strings.NewReader(`{"p":1}`), "one", "-s").Exits(0)
	if got := a.Last("POST", "/actors/A1/runs").Body; got != `{"p":1}` {
		t.Errorf("a pipe sends %s", got)
	}
	a.Forget()
	for line, status := range map[string]int{
		"one two": 1, "one --input {} a=1": 1, "one -f nosuch.json": 5, "one -i [1]": 5, "one -i in.json": 5, "one a:=x": 5, "one --memory -1": 1, "one -o --json": 5,
		"nobody": 250, `one {"a":1} --input {}`: 1,
	} {
		a.Run(actors.NewCall, nil, strings.Fields(line)...).Exits(status)
	}
	for _, call := range a.Calls() {
		if strings.HasPrefix(call, "POST") {
			t.Errorf("a wrong line has started something: %s", call)
		}
	}
}

func TestTheStoredInputIsForTheActorOfThisDirectory(t *testing.T) {
	a := runs(t, "SUCCEEDED", "0")
	for name, text := range map[string]string{".actor/actor.json": `{"name":"one"}`, "storage/key_value_stores/default/INPUT.json": `{"stored":1}`} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a.Run(actors.NewCall, nil, "-s").Exits(0).Says("INPUT.json")
	if got := a.Last("POST", "/actors/A1/runs").Body; got != `{"stored":1}` {
		t.Errorf("sends %s", got)
	}
	a.Run(actors.NewCall, nil, "one", "-s").Exits(0)
	if got := a.Last("POST", "/actors/A1/runs").Body; got != "" {
		t.Errorf("another Actor gets the input of this one: %s", got)
	}
}

func TestOptionsOfARun(t *testing.T) {
	a := runs(t, "SUCCEEDED", "0")
	a.Run(group, nil, "start", "one", "-b", "beta", "-m", "512", "-t", "0", "--max-items", "3", "--max-total-charge-usd", "1.5", "--restart-on-error").
		Exits(0).Prints("R1", "READY")
	if got := a.Last("POST", "/actors/A1/runs").Query; got != "build=beta&maxItems=3&maxTotalChargeUsd=1.5&memory=512&restartOnError=true&timeout=0" {
		t.Errorf("asks for %s", got)
	}
	a.Run(group, nil, "start", "one", "--jq", ".run.id, .next.log").Exits(0).Prints("R1\napify runs log --follow R1\n")
}

func TestWhatACallPrintsAndEndsWith(t *testing.T) {
	for _, test := range []struct {
		status, exitCode string
		want             int
	}{{"SUCCEEDED", "0", 0}, {"FAILED", "91", 91}, {"FAILED", "null", 1}, {"TIMED-OUT", "null", 2}, {"ABORTED", "null", 3}} {
		a := runs(t, test.status, test.exitCode)
		a.Run(actors.NewCall, nil, "one", "--json").Exits(test.want).Says("a line\n").
			Prints(`"operation": "call"`, `"status": "`+test.status+`"`, `"defaultDatasetId": "D1"`)
		if r := a.Run(actors.NewCall, nil, "one", "-o", "-s").Exits(test.want); r.Stdout != "[{\"a\":1.0}]\n" {
			t.Errorf("%s: -o prints %q", test.status, r.Stdout)
		}
		if r := a.Run(actors.NewCall, nil, "one", "--output-record-key", "OUT", "--silent").Exits(test.want); r.Stdout != "out" || strings.Contains(r.Stderr, "a line") {
			t.Errorf("%s: %q, %q", test.status, r.Stdout, r.Stderr)
		}
	}
	a := runs(t, "SUCCEEDED", "0")
	a.Run(actors.NewCall, nil, "one", "--output-record-key", "NONE", "-s").Exits(250).Says(`no record "NONE"`)
	a.Run(actors.NewCall, nil, "one").Exits(0).Prints("D1", "K1", "SUCCEEDED").Says("a line")
}

func TestTasks(t *testing.T) {
	a := runs(t, "FAILED", "7")
	a.On("GET /actor-tasks/me~daily", `{"id":"T1","name":"daily","actId":"A1","stats":{"totalRuns":2}}`)
	a.On("POST /actor-tasks/T1/runs", `{"id":"R1","actId":"A1","status":"READY"}`)
	a.On("POST /actor-tasks", `{"id":"T1","name":"daily"}`).On("PUT /actor-tasks/T1", `{"id":"T1","title":"Every day"}`)
	a.Answer("GET /actor-tasks/T1/input", recordtest.Answer{Body: `{"kept":1}`}).On("PUT /actor-tasks/T1/input", `{}`).On("DELETE /actor-tasks/T1", "")
	a.Run(tasks.New, nil, "run", "Daily", "a=1", "-m", "256", "--json").Exits(7).Prints(`"id": "T1"`)
	if call := a.Last("POST", "/actor-tasks/T1/runs"); call.Body != `{"a":1}` || call.Query != "memory=256" {
		t.Errorf("sent %+v", call)
	}
	a.Run(tasks.New, nil, "create", "daily", "one", "a=1", "-t", "60", "--title", "Daily").Exits(0).Prints("T1")
	if got := a.Last("POST", "/actor-tasks").Body; got != `{"actId":"A1","input":{"a":1},"name":"daily","options":{"timeoutSecs":60},"title":"Daily"}` {
		t.Errorf("made of %s", got)
	}
	a.Run(tasks.New, nil, "update", "daily", "title=Every day").Exits(0).Prints("Every day")
	if got := a.Last("PUT", "/actor-tasks/T1").Body; got != `{"title":"Every day"}` {
		t.Errorf("changed by %s", got)
	}
	a.Run(tasks.New, nil, "input", "daily").Exits(0).Prints(`"kept": 1`)
	a.Run(tasks.New, nil, "input", "daily", "--input", `{"n":1}`).Exits(0)
	if got := a.Last("PUT", "/actor-tasks/T1/input").Body; got != `{"n":1}` {
		t.Errorf("input %s", got)
	}
	a.Run(tasks.New, nil, "rm", "daily").Exits(1).Says("--yes")
	a.Run(tasks.New, nil, "rm", "daily", "-y").Exits(0)
	a.Run(tasks.New, nil, "run", "nosuch").Exits(250)
	a.Run(tasks.New, nil, "publish", "daily").Exits(0)
	if got := a.Last("PUT", "/actor-tasks/T1").Body; got != `{"isPublic":true}` {
		t.Errorf("published by %s", got)
	}
}

func TestActors(t *testing.T) {
	a := runs(t, "SUCCEEDED", "0")
	a.On("GET /actors", `{"total":3,"offset":0,"limit":1,"items":[{"id":"A1","name":"one","username":"me","modifiedAt":"2026-11-01T00:00:00.000Z","new":1.0}]}`)
	a.Run(group, nil, "ls", "--limit", "1").Exits(0).Prints("me/one", "2026-11-01T00:00:00Z").Says("--offset 1 shows the next ones")
	a.Run(group, nil, "ls", "--my", "--jq", ".items[].new").Exits(0).Prints("1\n")
	if got := a.Last("GET", "/actors").Query; got != "limit=20&my=1" {
		t.Errorf("asks for %s", got)
	}
	a.On("GET /actors/me~one", `{"id":"A1","name":"one","username":"me","versions":[{"versionNumber":"0.1","sourceType":"SOURCE_FILES","buildTag":"latest"}],`+
		`"taggedBuilds":{"latest":{"buildId":"B1","buildNumber":"0.1.7"}},"pictureUrl":"p"}`)
	a.Run(group, nil, "info", "one").Exits(0).Prints("me/one", "0.1.7", "SOURCE_FILES")
	a.Run(group, nil, "info", "one", "--json").Exits(0).Prints(`"pictureUrl": "p"`)
	a.Run(group, nil, "info", "one", "--input").Exits(250).Says("no default build")
	a.On("GET /actors/A1/builds/default", `{"id":"B1","buildNumber":"0.1.7","readme":"# One","inputSchema":"{\"properties\":{}}"}`)
	a.Run(group, nil, "info", "one", "--readme").Exits(0).Prints("# One\n")
	a.Run(group, nil, "info", "one", "--input", "--jq", ".properties").Exits(0).Prints("{}")
	a.Run(group, nil, "info", "one", "--input", "--readme").Exits(1)
	a.On("POST /actors/A1/builds", `{"id":"B2","actId":"A1","status":"READY"}`).On("GET /actor-builds/B2/log", "built\n").On("GET /actor-builds/B2", `{"id":"B2","actId":"A1","status":"FAILED"}`)
	a.Run(group, nil, "build", "one").Exits(0).Prints("READY")
	a.Run(group, nil, "build", "one", "--log", "--tag", "beta").Exits(1).Says("built\n").Prints("FAILED")
	if got := a.Last("POST", "/actors/A1/builds").Query; got != "tag=beta&useCache=1&version=0.1" {
		t.Errorf("builds %s", got)
	}
	a.Run(group, nil, "build", "one", "--version", "9.9").Exits(250).Says("it has 0.1")
	a.On("GET /store", `{"total":1,"items":[{"name":"maps","username":"x","title":"Maps","stats":{"totalUsers":5}}]}`)
	a.Run(group, nil, "search", "maps", "--sort-by", "newest").Exits(0).Prints("x/maps")
	a.Run(group, nil, "search", "--sort-by", "bogus").Exits(1)
	a.Run(group, nil, "rm", "one").Exits(1).Says("--yes")
	a.On("DELETE /actors/A1", "").Run(group, nil, "rm", "one", "--yes").Exits(0).Says("deleted Actor me/one")
}
