package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// TestSDKsLiveAsOnThePlatform drives what a run can do to itself, and what can
// be done to it, through the official SDKs.
func TestSDKsLiveAsOnThePlatform(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("sends signals")
	}
	for _, language := range []string{"node", "python"} {
		t.Run(language, func(t *testing.T) {
			l := newLifecycle(t, language)
			for mode, want := range map[string]string{
				"info":     `[{"memory":true,"overloaded":false}]`,
				"reboot":   `[{"start":1},{"start":2}]`,
				"call":     `[{"status":"SUCCEEDED","own":true,"items":[{"child":true}]}]`,
				"storages": `[{"size":3000000,"keys":["big"],"urls":"0123","finished":true,"items":[{"a":2},{"a":1}]}]`,
			} {
				t.Run(mode, func(t *testing.T) { l.does(t, mode, want) })
			}
			t.Run("abort", l.aborts)
			t.Run("not at home", l.keepsFiles)
		})
	}
}

type lifecycle struct {
	apify, actor, dir string
	env               []string
}

func newLifecycle(t *testing.T, language string) *lifecycle {
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	l := &lifecycle{apify: built.apify, actor: built.actor, dir: filepath.Join(t.TempDir(), language)}
	if err := os.CopyFS(l.dir, os.DirFS(filepath.Join("testdata", "lifecycle-"+language))); err != nil {
		t.Fatal(err)
	}
	l.env = append(os.Environ(), "GREENROOM_ACTOR="+l.actor)
	switch language {
	case "node":
		modules := os.Getenv("GREENROOM_TEST_NODE_MODULES")
		if modules == "" {
			missing(t, "GREENROOM_TEST_NODE_MODULES is not set; scripts/test-sdks.sh prints it")
		}
		if err := os.Symlink(modules, filepath.Join(l.dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
	case "python":
		python := os.Getenv("GREENROOM_TEST_PYTHON")
		if python == "" {
			missing(t, "GREENROOM_TEST_PYTHON is not set; scripts/test-sdks.sh prints it")
		}
		if err := os.Symlink(filepath.Dir(filepath.Dir(python)), filepath.Join(l.dir, ".venv")); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// run starts a run of the mode on storages of its own.
func (l *lifecycle) run(t *testing.T, mode string) (cmd *exec.Cmd, storage string, stderr *strings.Builder) {
	storage = filepath.Join(t.TempDir(), "storage")
	cmd = exec.Command(l.apify, "run", l.dir, "--executor", "process", "--storage-dir", storage, "--json", "mode="+mode)
	cmd.Env = l.env
	stderr = &strings.Builder{}
	cmd.Stderr = stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(stderr.String())
		}
	})
	return cmd, storage, stderr
}

func (l *lifecycle) does(t *testing.T, mode, want string) {
	cmd, storage, stderr := l.run(t, mode)
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	var r api.Run
	if err := json.Unmarshal(stdout, &r); err != nil {
		t.Fatal(err)
	}
	if r.StatusMessage == nil || *r.StatusMessage != "did "+mode {
		t.Errorf("status message %v", r.StatusMessage)
	}
	if mode == "reboot" && r.Stats.RebootCount != 1 {
		t.Errorf("%d reboots", r.Stats.RebootCount)
	}
	if mode == "call" && !strings.Contains(stderr.String(), "child speaking") {
		t.Error("the called run's output is missing")
	}
	expectItems(t, storage, want)
}

// keepsFiles lets the SDK keep its storages as files, without the API.
func (l *lifecycle) keepsFiles(t *testing.T) {
	cmd, storage, _ := l.run(t, "child")
	cmd.Args = append(cmd.Args, "--not-at-home")
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	expectItems(t, storage, `[{"child":true}]`)
	if left := glob(t, filepath.Join(storage, "key_value_stores", "default", "*INPUT*")); len(left) > 0 {
		t.Errorf("the input of this run was left behind: %q", left)
	}
}

func (l *lifecycle) aborts(t *testing.T) {
	cmd, storage, _ := l.run(t, "abort")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(storage, "key_value_stores", "default", "READY.json")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ready); err == nil {
			break
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatal("the Actor did not become ready")
		}
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(stdout)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the status says more
	if status := cmd.ProcessState.ExitCode(); status != 3 {
		t.Errorf("exit status %d", status)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the Actor was not told: it took %s", took)
	}
	var r api.Run
	if err := json.Unmarshal(text, &r); err != nil || r.Status != api.StatusAborted {
		t.Errorf("%s, %v", r.Status, err)
	}
	items := glob(t, filepath.Join(storage, "datasets", "default", "0*.json"))
	if len(items) != 1 || !strings.Contains(read(t, items[0]), `"aborting"`) {
		t.Errorf("items %q", items)
	}
}

func expectItems(t *testing.T, storage, want string) {
	t.Helper()
	var wanted, got []any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	for _, path := range glob(t, filepath.Join(storage, "datasets", "default", "0*.json")) {
		var v any
		if err := json.Unmarshal([]byte(read(t, path)), &v); err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("items: want -, got +:\n%s", diff)
	}
}
