package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/greenroom-dev/greenroom/internal/executor/docker"
)

// TestKilledRunsLeaveNothing kills apify run at random moments, then runs it
// once more, and finds no process, container, temporary or half-written file.
func TestKilledRunsLeaveNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for _, executor := range []string{"process", "docker"} {
		t.Run(executor, func(t *testing.T) {
			if executor == "docker" {
				if ok, why := engineAnswers(); !ok {
					missing(t, why)
				}
				t.Cleanup(func() { removeImages(t, "greenroom/killed-*") })
			}
			k := &killed{t: t, dir: t.TempDir(), executor: executor, apify: built.apify, actor: built.actor}
			k.prepare()
			for range 6 {
				k.killAfter(time.Duration(30+rand.IntN(900)) * time.Millisecond)
				k.runAgain()
				k.check()
			}
			if ok, _ := engineAnswers(); !ok {
				return
			}
			// Whichever executor comes next cleans up.
			k.killAfter(time.Second)
			k.next = map[string]string{"process": "docker", "docker": "process"}[executor]
			k.runAgain()
			k.check()
		})
	}
}

type killed struct {
	t                           *testing.T
	dir, executor, apify, actor string
	next                        string // executor of the run after, when it is another one
}

const restless = `#!/bin/sh
[ "$(actor get-value quiet 2>/dev/null)" = true ] && exit 0
(while :; do sleep 1; done) &
while :; do
	actor push-data n=1 text=some
	actor set-value state '{"a": 1}'
done
`

func (k *killed) prepare() {
	write := func(name, text string) {
		path := filepath.Join(k.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			k.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			k.t.Fatal(err)
		}
	}
	write(".actor/actor.json", `{"actorSpecification": 1, "name": "killed", "version": "0.1", "scripts": {"run": "./main.sh"}}`)
	write("Dockerfile", "FROM busybox\nCOPY main.sh /\nCMD [\"/main.sh\"]\n")
	write("main.sh", restless)
	// The first run builds, so that the kills meet runs and not only builds.
	k.runAgain()
}

func (k *killed) command(args ...string) *exec.Cmd {
	cmd := exec.Command(k.apify, append([]string{"run", k.dir, "--executor", k.executor}, args...)...)
	cmd.Env = append(os.Environ(), "GREENROOM_ACTOR="+k.actor, "XDG_CACHE_HOME="+filepath.Join(k.dir, ".cache"))
	return cmd
}

func (k *killed) killAfter(d time.Duration) {
	k.t.Helper()
	cmd := k.command("-s")
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	time.Sleep(d)
	if err := cmd.Process.Kill(); err != nil {
		k.t.Fatalf("it ended by itself: %v", err)
	}
	_ = cmd.Wait() // it was killed
}

// runAgain starts a run that ends at once: the clean-up happens there.
func (k *killed) runAgain() {
	k.t.Helper()
	path := filepath.Join(k.dir, "storage", "key_value_stores", "default", "quiet.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		k.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("true"), 0o644); err != nil {
		k.t.Fatal(err)
	}
	cmd := k.command("--no-purge")
	if k.next != "" {
		cmd.Args = append(cmd.Args, "--executor", k.next)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		k.t.Fatalf("the run after: %v\n%s", err, out)
	}
}

func (k *killed) check() {
	k.t.Helper()
	// A process that is being ended may need a moment to be gone.
	deadline := time.Now().Add(5 * time.Second)
	for left := k.left(); len(left) > 0; left = k.left() {
		if time.Now().After(deadline) {
			k.t.Fatalf("left behind: %q", left)
		}
		time.Sleep(20 * time.Millisecond)
	}
	items := filepath.Join(k.dir, "storage", "datasets", "default")
	entries, err := os.ReadDir(items)
	if err != nil && !os.IsNotExist(err) {
		k.t.Fatal(err)
	}
	number := 0
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, "__metadata__") || strings.HasPrefix(name, ".") {
			continue
		}
		number++
		if want := fmt.Sprintf("%09d.json", number); name != want {
			k.t.Errorf("file %s stands where %s should", name, want)
		}
		if text, err := os.ReadFile(filepath.Join(items, name)); err != nil || !json.Valid(text) {
			k.t.Errorf("%s is half-written: %q, %v", name, text, err)
		}
	}
	records, err := os.ReadDir(filepath.Join(k.dir, "storage", "key_value_stores", "default"))
	if err != nil {
		k.t.Fatal(err)
	}
	for _, entry := range records {
		switch name := entry.Name(); {
		case name == "state.json", name == "quiet.json", strings.HasPrefix(name, "__metadata__"):
		case strings.HasPrefix(name, ".") && strings.HasSuffix(name, "lock"):
		default:
			k.t.Errorf("left behind in the key-value store: %s", name)
		}
	}
}

// left names the processes and containers of this directory's runs.
func (k *killed) left() []string {
	var left []string
	pids, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		k.t.Fatal(err)
	}
	for _, pid := range pids {
		environ, err := os.ReadFile(filepath.Join(pid, "environ"))
		if err != nil || !strings.Contains(string(environ), "ACTOR_FULL_NAME=local/killed") {
			continue
		}
		if cwd, err := os.Readlink(filepath.Join(pid, "cwd")); err == nil && cwd == k.dir {
			left = append(left, pid)
		}
	}
	if k.executor == "docker" {
		left = append(left, k.containers()...)
	}
	return left
}

func (k *killed) containers() []string {
	cli, err := docker.Connect(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	defer cli.Close()
	const label = "com.apify.actRunId"
	found, err := cli.ContainerList(k.t.Context(), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", label)),
	})
	if err != nil {
		k.t.Fatal(err)
	}
	var ids []string
	for _, c := range found {
		record := filepath.Join(k.dir, "storage", ".greenroom", "runs", c.Labels[label]+".json")
		if _, err := os.Stat(record); err == nil {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
