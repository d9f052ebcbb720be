package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/scripts/bench/meter"
)

// deploy creates an Actor whose code is a line of the shell, has it built, and
// gives its id.
func deploy(e *meter.Endpoint, name, code string) (string, error) {
	file := func(name, content string) map[string]string {
		return map[string]string{"name": name, "format": "TEXT", "content": content}
	}
	definition, err := json.Marshal(map[string]any{"name": name, "versions": []any{map[string]any{
		"versionNumber": "0.1", "buildTag": "latest", "sourceType": "SOURCE_FILES", "sourceFiles": []any{
			file(".actor/actor.json", `{"actorSpecification":1,"name":"`+name+`","version":"0.1","scripts":{"run":"sh ./main.sh"}}`),
			file("Dockerfile", "FROM busybox\nCOPY main.sh /\nCMD [\"sh\", \"/main.sh\"]\n"),
			file("main.sh", code+"\n"),
		},
	}}})
	if err != nil {
		return "", err
	}
	var actor, build struct{ Data struct{ ID, Status string } }
	if err := e.Decode("POST", "/v2/actors", definition, &actor); err != nil {
		return "", err
	}
	err = e.Decode("POST", "/v2/actors/"+actor.Data.ID+"/builds?version=0.1&waitForFinish=60", nil, &build)
	if err == nil && build.Data.Status != "SUCCEEDED" {
		err = fmt.Errorf("the build of %s is %s", name, build.Data.Status)
	}
	return actor.Data.ID, err
}

// startRun starts a run with little memory and gives its id and status; wait is
// how many seconds it may take to end.
func startRun(e *meter.Endpoint, actor string, wait int) (id, status string, err error) {
	var run struct{ Data struct{ ID, Status string } }
	err = e.Decode("POST", fmt.Sprintf("/v2/actors/%s/runs?memory=128&waitForFinish=%d", actor, wait), nil, &run)
	return run.Data.ID, run.Data.Status, err
}

// platformRuns compares runs through the API with what the executor does at
// least: the script, or the Docker client's run of the same image.
func (b *bench) platformRuns() error {
	if runtime.GOOS == "windows" {
		return skip("the script needs a Unix shell")
	}
	script := filepath.Join(b.work, "noop.sh")
	if err := os.WriteFile(script, []byte("exit 0\n"), 0o644); err != nil {
		return err
	}
	if err := b.runsWith("process", meter.Command{Args: []string{"sh", script}}, 4*b.rounds); err != nil {
		return err
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		fmt.Println("  docker: skipped: there is no docker command to compare with")
		return nil
	}
	if _, _, err := (meter.Command{Args: []string{docker, "version"}}).Run(); err != nil {
		fmt.Println("  docker: skipped: no container engine answers")
		return nil
	}
	return b.runsWith("docker", meter.Command{Args: []string{docker, "run", "--rm"}}, max(b.rounds/4, 3))
}

func (b *bench) runsWith(executor string, floor meter.Command, rounds int) (err error) {
	const name = "greenroom-bench-noop"
	ours, err := b.serve("server-runs-"+executor, false, "--executor", executor)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Stop()) }()
	actor, err := deploy(ours, name, "exit 0")
	if err != nil {
		return err
	}
	about := "the script"
	if executor == "docker" {
		images, _, err := meter.Command{Args: []string{floor.Args[0], "image", "ls", "-q", "--filter", "reference=greenroom/" + name + "-*"}}.Run()
		if err != nil {
			return err
		}
		image := strings.Fields(string(images))
		if len(image) == 0 {
			return errors.New("the engine has no image of the build")
		}
		defer meter.Command{Args: append([]string{floor.Args[0], "image", "rm", "--force"}, image...)}.Run()
		about, floor.Args = "docker run --rm", append(floor.Args, image[0])
	}
	call := func(int) error {
		_, status, err := startRun(ours, actor, 60)
		if err == nil && status != "SUCCEEDED" {
			err = fmt.Errorf("a run is %s", status)
		}
		return err
	}
	result, err := meter.Pairs(rounds, meter.Timed(call), floor.Seconds)
	if err != nil {
		return err
	}
	result[0].Show("a run through the API, "+executor, meter.Duration)
	result[1].Show(about, meter.Duration)
	fmt.Printf("  %s more\n", meter.Duration(result[0].Median()-result[1].Median()))
	const together = 8
	least := func(int) error { _, _, err := floor.Run(); return err }
	if result, err = meter.Pairs(max(rounds/together, 3), meter.Timed(meter.AtOnce(together, call)), meter.Timed(meter.AtOnce(together, least))); err != nil {
		return err
	}
	for i, name := range []string{"runs through the API, " + executor, about} {
		for round, seconds := range result[i] {
			result[i][round] = together / seconds
		}
		result[i].Show(fmt.Sprintf("%s, %d at once", name, together), func(v float64) string { return fmt.Sprintf("%.1f/s", v) })
	}
	fmt.Printf("  %.0f %% of that rate\n", 100*result[0].Median()/result[1].Median())
	return nil
}

// count gives how many runs have the status.
func count(e *meter.Endpoint, status string) (int, error) {
	var page struct{ Data struct{ Total int } }
	err := e.Decode("GET", "/v2/actor-runs?limit=1&status="+status, nil, &page)
	return page.Data.Total, err
}

// waitUntil waits for so many runs to have the status.
func waitUntil(e *meter.Endpoint, status string, n int) error {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		have, err := count(e, status)
		if err != nil || have == n {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d runs are %s after two minutes, not %d", have, status, n)
		}
	}
}

// manyRuns has many runs go on at the same time, and looks at the memory that
// the server takes for them. The floor is as many processes of the same code.
func (b *bench) manyRuns() (err error) {
	if runtime.GOOS == "windows" {
		return skip("the script needs a Unix shell")
	}
	ours, err := b.serve("server-many", false, "--executor", "process", "--total-memory", fmt.Sprint(128*(b.many+8)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Stop()) }()
	end := filepath.Join(b.work, "many-end")
	actor, err := deploy(ours, "bench-many", fmt.Sprintf("exec '%s' -until '%s'", b.worker, end))
	if err != nil {
		return err
	}
	defer os.Remove(end)
	idle := meter.Resident(ours.Process.Process)
	start := time.Now()
	err = meter.InParallel(b.many, func(int) error { _, _, err := startRun(ours, actor, 0); return err })
	if err = errors.Join(err, waitUntil(ours, "RUNNING", b.many)); err != nil {
		return err
	}
	running := time.Since(start).Seconds()
	memory := meter.Resident(ours.Process.Process)
	start = time.Now()
	if err := os.WriteFile(end, nil, 0o644); err != nil {
		return err
	}
	if err := waitUntil(ours, "SUCCEEDED", b.many); err != nil {
		return err
	}
	ended := time.Since(start).Seconds()

	start = time.Now()
	err = meter.InParallel(b.many, func(int) error { _, _, err := meter.Command{Args: []string{b.worker, "-until", end}}.Run(); return err })
	if err != nil {
		return err
	}
	fmt.Printf("  %d runs are RUNNING after %s, SUCCEEDED %s after their code may end\n", b.many, meter.Duration(running), meter.Duration(ended))
	fmt.Printf("  as many processes, started and ended %28s\n", meter.Duration(time.Since(start).Seconds()))
	if memory == 0 {
		return nil
	}
	each := float64(memory-idle) / float64(b.many) / 1e6
	fmt.Printf("  the server has %.1f MB resident before them, %.1f MB with them\n", float64(idle)/1e6, float64(memory)/1e6)
	meter.Verdict(fmt.Sprintf("%.3f MB of the server for each run", each), "under 1 MB", each < 1)
	return nil
}

// idle measures the start of a server on an empty directory, and its memory.
func (b *bench) idle() error {
	floor, err := b.floorServer()
	if err != nil {
		return err
	}
	defer floor.Stop()
	var ready, memory meter.Samples
	for i := range max(b.rounds/4, 3) {
		start := time.Now()
		ours, err := b.serve(fmt.Sprintf("server-idle-%d", i), false)
		if err != nil {
			return err
		}
		ready = append(ready, time.Since(start).Seconds())
		time.Sleep(500 * time.Millisecond) // what it does after it is ready
		memory = append(memory, float64(meter.Resident(ours.Process.Process)))
		if err := ours.Stop(); err != nil {
			return err
		}
	}
	ready.Show("ready on an empty directory", meter.Duration)
	meter.Verdict("ready after "+meter.Duration(ready.Median()), "under 100 ms", ready.Median() < 0.1)
	if most := memory.Percentile(100); most > 0 {
		fmt.Printf("  a bare server has %.1f MB resident\n", float64(meter.Resident(floor.Process.Process))/1e6)
		meter.Verdict(fmt.Sprintf("%.1f MB resident at most", most/1e6), "under 60 MB", most < 60e6)
	}
	return nil
}
