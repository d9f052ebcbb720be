package runs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cli/builds"
	"github.com/greenroom-dev/greenroom/internal/cli/recordtest"
	"github.com/greenroom-dev/greenroom/internal/cli/runs"
)

const running = `{"id":"R1","actId":"A1","status":"RUNNING","startedAt":"2026-11-01T00:00:00.000Z","statusMessage":"page \u001b[2J2",` +
	`"options":{"memoryMbytes":1024},"stats":{"cpuCurrentUsage":55.4,"memCurrentBytes":268435456,"memMaxBytes":536870912,"computeUnits":0.25},"containerUrl":"http://x","new":true}`

func TestRuns(t *testing.T) {
	a := recordtest.New(t)
	ended := `{"id":"R2","actId":"A1","status":"SUCCEEDED","exitCode":0,"startedAt":"2026-11-01T00:00:00.000Z","finishedAt":"2026-11-01T01:02:03.000Z"}`
	a.On("GET /actor-runs", `{"total":2,"items":[`+running+`,`+ended+`]}`).On("GET /actor-runs/R1", running).On("GET /actor-runs/R2", ended)
	a.On("POST /actor-runs/R1/abort", `{"id":"R1","status":"ABORTING"}`).On("POST /actor-runs/R2/resurrect", `{"id":"R2","status":"READY"}`)
	a.On("POST /actor-runs/R1/reboot", running).On("DELETE /actor-runs/R2", "").On("GET /actor-runs/R1/log", "so far\n")

	a.Run(runs.New, nil, "ls", "--status", "running,succeeded", "--desc").Exits(0).Prints("R1", "R2", "1h02m", "A1")
	if got := a.Last("GET", "/actor-runs").Query; got != "desc=1&limit=10&status=RUNNING%2CSUCCEEDED" {
		t.Errorf("asks for %s", got)
	}
	if r := a.Run(runs.New, nil, "ls", "-c").Exits(0); strings.Contains(r.Stdout, "ACTOR") {
		t.Errorf("compact is %s", r.Stdout)
	}
	a.Run(runs.New, nil, "ls", "nobody").Exits(250)
	a.Run(runs.New, nil, "ls", "--limit", "0").Exits(1)
	a.Run(runs.New, nil, "info", "R1", "--verbose").Exits(0).Prints("RUNNING", "512.0 MiB at most", "0.2500", "http://x")
	a.Run(runs.New, nil, "info", "R1", "--json").Exits(0).Prints(`"new": true`)
	a.Run(runs.New, nil, "log", "R1").Exits(0).Prints("so far\n")
	a.Run(runs.New, nil, "abort", "R1").Exits(0).Says("ABORTING")
	if got := a.Last("POST", "/actor-runs/R1/abort").Query; got != "gracefully=1" {
		t.Errorf("aborts with %q", got)
	}
	a.Run(runs.New, nil, "abort", "R1", "--force", "--json").Exits(0).Prints(`"status": "ABORTING"`)
	if got := a.Last("POST", "/actor-runs/R1/abort").Query; got != "" {
		t.Errorf("aborts with %q", got)
	}
	a.Run(runs.New, nil, "resurrect", "R2", "-t", "0", "--build", "b").Exits(0)
	if got := a.Last("POST", "/actor-runs/R2/resurrect").Query; got != "build=b&timeout=0" {
		t.Errorf("resurrects with %q", got)
	}
	a.Run(runs.New, nil, "reboot", "R1").Exits(0)
	a.Run(runs.New, nil, "rm", "R1", "-y").Exits(1).Says("apify runs abort R1")
	a.Run(runs.New, nil, "rm", "R2").Exits(1).Says("--yes")
	a.Run(runs.New, nil, "rm", "R2", "-y").Exits(0)
	a.Run(runs.New, nil, "wait", "R2").Exits(0).Prints("SUCCEEDED")
	a.Run(runs.New, nil, "wait", "R1", "--timeout", "1", "--json").Exits(6).Prints(`"timedOutWaiting": true`, `"exitCode": 6`)
	for _, verb := range []string{"info", "log", "abort", "resurrect", "reboot", "rm", "wait"} {
		a.Run(runs.New, nil, verb, "GONE").Exits(250).Says(`run "GONE" was not found at ` + a.URL)
	}
	a.Run(runs.New, nil, "log", "GONE", "--follow").Exits(250)
}

func TestTop(t *testing.T) {
	a := recordtest.New(t)
	a.On("GET /actor-runs", `{"total":3,"items":[`+running+`,{"id":"R2","status":"RUNNING"},{"id":"R3","status":"RUNNING"}]}`)
	a.On("GET /actor-runs/R1", running).On("GET /actor-runs/R3", `{"id":"R3","actId":"A1","status":"SUCCEEDED"}`) // R2 is gone by now
	a.On("GET /actors/A1", `{"id":"A1","name":"one","username":"me"}`)
	r := a.Run(runs.New, nil, "top", "--limit", "2").Exits(0).Prints("me/one", "55 %", "256.0 MiB", "25 %").Says("1 more are running")
	if strings.Contains(r.Stdout, "R2") || strings.Contains(r.Stdout, "R3") || strings.Contains(r.Stdout, "\x1b") {
		t.Errorf("printed %q", r.Stdout)
	}
	if got := a.Last("GET", "/actor-runs").Query; got != "desc=1&limit=2&status=READY%2CRUNNING%2CTIMING-OUT%2CABORTING" {
		t.Errorf("asks for %s", got)
	}
	r = a.Run(runs.New, nil, "top", "--json").Exits(0)
	var list []map[string]any
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil || len(list) != 1 || list[0]["new"] != true {
		t.Errorf("%v: %s", err, r.Stdout)
	}
	a.Run(runs.New, nil, "top", "--jq", ".[].stats.memCurrentBytes").Exits(0).Prints("268435456\n")
	a.On("GET /actor-runs", `{"total":0,"items":[]}`).Run(runs.New, nil, "top").Exits(0).Says("nothing is running")
	a.Run(runs.New, nil, "top", "--interval", "1ms").Exits(1)
}

func TestBuilds(t *testing.T) {
	a := recordtest.New(t)
	build := `{"id":"B1","actId":"A1","status":"SUCCEEDED","buildNumber":"0.1.1","startedAt":"2026-11-01T00:00:00.000Z","finishedAt":"2026-11-01T00:00:30.000Z","stats":{"imageSizeBytes":1048576}}`
	a.On("GET /actor-builds", `{"total":1,"items":[`+build+`]}`).On("GET /actor-builds/B1", build).On("GET /actor-builds/B2", `{"id":"B2","status":"FAILED"}`)
	a.On("GET /actor-builds/B1/log", "built\n").On("POST /actor-builds/B1/abort", build).On("DELETE /actor-builds/B1", "")
	a.On("GET /actors/A1", `{"id":"A1","taggedBuilds":{"beta":{"buildId":"B1"}}}`).On("PUT /actors/A1", `{"id":"A1"}`)
	a.Run(builds.New, nil, "ls").Exits(0).Prints("0.1.1", "30s", "A1")
	a.Run(builds.New, nil, "info", "B1").Exits(0).Prints("1.0 MiB", "SUCCEEDED")
	a.Run(builds.New, nil, "log", "B1", "--follow").Exits(0).Prints("built\n")
	a.Run(builds.New, nil, "abort", "B1").Exits(0)
	a.Run(builds.New, nil, "wait", "B2").Exits(1)
	a.Run(builds.New, nil, "add-tag", "-b", "B1", "-t", "prod").Exits(0)
	if got := a.Last("PUT", "/actors/A1").Body; got != `{"taggedBuilds":{"prod":{"buildId":"B1"}}}` {
		t.Errorf("tags by %s", got)
	}
	a.Run(builds.New, nil, "add-tag", "-b", "B2", "-t", "prod").Exits(1).Says("is FAILED")
	a.Run(builds.New, nil, "add-tag", "-b", "B1").Exits(1).Says("tag")
	a.Run(builds.New, nil, "remove-tag", "-b", "B1", "-t", "beta").Exits(1).Says("--yes")
	a.Run(builds.New, nil, "remove-tag", "-b", "B1", "-t", "beta", "-y").Exits(0)
	if got := a.Last("PUT", "/actors/A1").Body; got != `{"taggedBuilds":{"beta":null}}` {
		t.Errorf("untags by %s", got)
	}
	a.Run(builds.New, nil, "remove-tag", "-b", "B1", "-t", "prod", "-y").Exits(250).Says("beta")
	a.Run(builds.New, nil, "rm", "B1").Exits(1).Says("--yes")
	a.Run(builds.New, nil, "rm", "B1", "-y").Exits(0)
	for _, verb := range []string{"info", "log", "abort", "wait", "rm"} {
		a.Run(builds.New, nil, verb, "GONE").Exits(250).Says(`build "GONE" was not found`)
	}
}
