//go:build !windows

package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/executortest"
)

var harness = executortest.Harness{
	New: func() (executor.Executor, error) { return New() },
	Server: func(_, dir string) (executor.Executor, error) {
		return NewServer(Server{Dir: dir, Supervisor: []string{os.Args[0], supervisorArgument}})
	},
	Shell: func(script string) executor.Spec {
		return executor.Spec{Dir: "/", Command: []string{"sh", "-c", script}}
	},
	Serve:  executortest.ServeHere,
	Fetch:  executortest.FetchHere,
	Broken: func() executor.Spec { return executor.Spec{Dir: "/", Command: []string{"no-such-command"}} },
	// A run is in the environment of its processes and in a record.
	Remains: func(runID string) ([]string, error) {
		left, err := processesOf(runID)
		if err != nil {
			return nil, err
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

// supervisorArgument makes the test's executable a supervisor.
const supervisorArgument = "supervise"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == supervisorArgument {
		os.Exit(Supervise(os.Args[2:]))
	}
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

// processesOf asks the system's own tool, not the code under test.
func processesOf(runID string) ([]string, error) {
	flags := "axeww"
	if runtime.GOOS == "darwin" {
		flags = "-axEww"
	}
	out, err := exec.Command("ps", flags, "-o", "pid,stat,command").Output()
	var left []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "ACTOR_RUN_ID="+runID) || strings.Contains(line, "/"+runID+"-") {
			left = append(left, fmt.Sprintf("process %.80s", line))
		}
	}
	return left, err
}
