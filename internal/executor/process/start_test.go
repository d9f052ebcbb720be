//go:build !windows

package process

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/process/command"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// finish runs spec to its end and gives its exit and its stdout.
func finish(t *testing.T, spec executor.Spec) (executor.Exit, string) {
	t.Helper()
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var stdout bytes.Buffer
	spec.RunID, spec.Stdout = "command-test", &stdout
	i, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	exit, err := i.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return exit, stdout.String()
}

func TestExitCodeOfSignals(t *testing.T) {
	for signal, code := range map[string]int{"KILL": 137, "TERM": 143, "INT": 130} {
		if exit, _ := finish(t, harness.Shell("kill -"+signal+" $$")); exit.Code != code {
			t.Errorf("%s gave %+v", signal, exit)
		}
	}
}

// The command is found as a shell in the directory would find it.
func TestCommandIsFound(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	script := func(name, text string, mode os.FileMode) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	script("here.sh", "#!/bin/sh\necho here in $PWD; pwd\n", 0o755)
	script("bare.sh", "echo bare $1\n", 0o755)
	script("bin/only-of-the-run", "#!/bin/sh\necho found\n", 0o755)
	script("shut.sh", "#!/bin/sh\n", 0o644)

	for _, c := range []struct {
		command []string
		want    string
	}{
		{[]string{"./here.sh"}, "here in " + dir + "\n" + dir + "\n"},
		{[]string{"./bare.sh", "script"}, "bare script\n"},
		{[]string{"only-of-the-run"}, "found\n"},
	} {
		spec := executor.Spec{Dir: dir, Command: c.command, Env: []string{"PATH=" + filepath.Join(dir, "bin") + ":/usr/bin:/bin"}}
		if exit, got := finish(t, spec); exit.Code != 0 || got != c.want {
			t.Errorf("%q gave %+v, %q, want %q", c.command, exit, got, c.want)
		}
	}
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, spec := range []executor.Spec{
		{Dir: dir, Command: []string{"./shut.sh"}},
		{Dir: dir, Command: []string{"./missing.sh"}},
		{Dir: filepath.Join(dir, "missing"), Command: []string{"sh"}},
		{Dir: dir, Command: []string{"only-of-the-run"}},
	} {
		if _, err := e.Start(t.Context(), spec); !fault.Is(err, fault.RunFailed) || fault.HintOf(err) == "" {
			t.Errorf("%q in %s: %v", spec.Command, spec.Dir, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	got := command.Environment(
		[]string{"A=1", "ACTOR_X=1", "APIFY_X=1", "CRAWLEE_X=1", "PWD=/old", "OLDPWD=/older", "PATH=/bin", "broken"},
		[]string{"A=2", "PATH=/run:/bin"}, "/dir", "/private")
	for name, want := range map[string]string{"A": "2", "PATH": "/private:/run:/bin", "PWD": "/dir", "ACTOR_X": "", "APIFY_X": "", "CRAWLEE_X": "", "OLDPWD": ""} {
		if value := command.Value(got, name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}
