//go:build !windows

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/executortest"
)

var harness = executortest.Harness{
	New: func() (executor.Executor, error) { return New() },
	Shell: func(script string) executor.Spec {
		return executor.Spec{Dir: "/", Command: []string{"sh", "-c", script}}
	},
	Serve:  executortest.ServeHere,
	Fetch:  executortest.FetchHere,
	Broken: func() executor.Spec { return executor.Spec{Dir: "/", Command: []string{"no-such-command"}} },
	// A run is in the environment of its processes and in a record.
	Remains: func(runID string) ([]string, error) {
		var left []string
		for _, p := range processes() {
			if marked(p.pid, "ACTOR_RUN_ID="+runID) {
				args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
				left = append(left, fmt.Sprintf("process %d: %.80q", p.pid, args))
			}
		}
		cache, err := os.UserCacheDir()
		if err != nil {
			return left, err
		}
		records, err := filepath.Glob(filepath.Join(cache, "greenroom", "processes", "*", "run-*"))
		for _, file := range records {
			if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), runID) {
				left = append(left, file)
			}
		}
		return left, err
	},
}

func TestMain(m *testing.M) {
	executortest.Main(harness)
	os.Exit(run(m))
}

// run keeps the tests' records apart from the developer's own.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "process-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("XDG_CACHE_HOME", dir)
	os.Setenv("HOME", dir) // what macOS goes by
	code := m.Run()
	cache, _ := os.UserCacheDir()
	if left, err := filepath.Glob(filepath.Join(cache, "greenroom", "processes", "*")); err != nil || len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", left, err)
		code = max(code, 1)
	}
	return code
}

func TestConformance(t *testing.T) { executortest.Run(t, harness) }
