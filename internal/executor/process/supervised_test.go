//go:build !windows

package process

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/process/spool"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// serverOf gives an executor of a server whose data is in dir.
func serverOf(t *testing.T, dir string) *Executor {
	t.Helper()
	e, err := harness.Server("", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e.(*Executor)
}

// supervisorOf finds the process that watches a run.
func supervisorOf(t *testing.T, runID string) int {
	t.Helper()
	out, err := exec.Command("ps", "axww", "-o", "pid,command").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if pid, command, _ := strings.Cut(strings.TrimSpace(line), " "); strings.Contains(command, supervisorArgument) && strings.Contains(command, "/"+runID+"-") {
			n, err := strconv.Atoi(pid)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no supervisor of %s", runID)
	return 0
}

// A supervisor that is killed takes its run along, whether the server lives or
// hears of it later.
func TestSupervisorIsKilled(t *testing.T) {
	for _, away := range []bool{false, true} {
		const runID = "supervisor-test"
		dir := t.TempDir()
		e := serverOf(t, dir)
		out := make(chan string, 10)
		// A child in a session of its own holds on to nothing of the group.
		spec := harness.Shell("setsid sleep 300 & setsid sh -c 'trap \"\" TERM; sleep 300' & echo ready; sleep 300")
		spec.RunID, spec.Env = runID, []string{"ACTOR_RUN_ID=" + runID}
		spec.Output = func(pieces []executor.Piece, _ executor.Position) error {
			out <- string(pieces[0].Data)
			return nil
		}
		i, err := e.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		<-out
		if away {
			e.Close()
			_, _ = i.Wait(t.Context())
		}
		if err := syscall.Kill(supervisorOf(t, runID), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if away {
			e = serverOf(t, dir)
			if i, err = e.Attach(t.Context(), i.Handle(), executor.TakeOver{}); err != nil {
				t.Fatal(err)
			}
		}
		exit, err := i.Wait(t.Context())
		if lost, ok := executor.LostOf(err); lost != executor.LostSupervisor || !ok || !fault.Is(err, fault.RunFailed) || fault.HintOf(err) == "" {
			t.Errorf("away %v: wait gave %+v, %v", away, exit, err)
		}
		if left, err := processesOf(runID); err != nil || len(left) > 0 {
			t.Errorf("away %v: left behind: %v %v", away, left, err)
		}
		if err := e.Remove(t.Context(), i.Handle()); err != nil {
			t.Error(err)
		}
	}
}

// A terminal or a service manager tells everybody to end; the end of what does
// so is not lost.
func TestSupervisorOutlastsRequests(t *testing.T) {
	const runID = "request-test"
	e := serverOf(t, t.TempDir())
	out := make(chan string, 10)
	spec := harness.Shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done")
	spec.RunID = runID
	spec.Output = func(pieces []executor.Piece, _ executor.Position) error {
		out <- string(pieces[0].Data)
		return nil
	}
	i, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	<-out
	supervisor := supervisorOf(t, runID)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
		if err := syscall.Kill(supervisor, s); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	if err := i.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exit, err := i.Wait(t.Context()); err != nil || exit.Code != 7 {
		t.Errorf("wait gave %+v, %v", exit, err)
	}
	if err := e.Remove(t.Context(), i.Handle()); err != nil {
		t.Error(err)
	}
}

// What the order held is secret.
func TestNothingSecretStays(t *testing.T) {
	dir := t.TempDir()
	e := serverOf(t, dir)
	spec := harness.Shell("exit 0")
	spec.RunID, spec.Env = "secret-test", []string{"PASSWORD=hunter2-hunter2"}
	i, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("hunter2")) {
			t.Errorf("%s holds the environment", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := e.Remove(t.Context(), i.Handle()); err != nil {
		t.Error(err)
	}
}

// A run that prints without end while its server is away neither fills the disk
// nor stands still.
func TestSpoolIsBounded(t *testing.T) {
	const size = 100 << 20
	dir := t.TempDir()
	e := serverOf(t, dir)
	spec := harness.Shell("sleep 0.3; head -c " + strconv.Itoa(size) + " /dev/zero; echo last >&2; exit 3")
	spec.RunID = "bounded-test"
	i, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	_, _ = i.Wait(t.Context())
	e = serverOf(t, dir)
	for running := true; running; time.Sleep(20 * time.Millisecond) {
		list, err := e.List(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		running = list[0].Running
	}
	if kept := sizeOf(t, dir); kept > 80<<20 || kept < 40<<20 {
		t.Errorf("%d MB are kept", kept>>20)
	}
	var zeros int
	lost := false
	i, err = e.Attach(t.Context(), i.Handle(), executor.TakeOver{Output: func(pieces []executor.Piece, _ executor.Position) error {
		for _, p := range pieces {
			lost = lost || p.Lost
			if p.Stream == executor.Stdout {
				zeros += len(p.Data)
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if exit, err := i.Wait(t.Context()); err != nil || exit.Code != 3 {
		t.Errorf("wait gave %+v, %v", exit, err)
	}
	if !lost || zeros >= size || zeros < size/4 {
		t.Errorf("lost %v, %d bytes", lost, zeros)
	}
	// Taken output is not kept.
	if kept := sizeOf(t, dir); kept > 10<<20 {
		t.Errorf("%d MB are kept after they were taken", kept>>20)
	}
	if err := e.Remove(t.Context(), i.Handle()); err != nil {
		t.Error(err)
	}
}

func sizeOf(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// The end of a removal that was cut off comes with the next look.
func TestRemovalIsFinished(t *testing.T) {
	dir := t.TempDir()
	e := serverOf(t, dir)
	spec := harness.Shell("sleep 300")
	spec.RunID, spec.Env = "removal-test", []string{"ACTOR_RUN_ID=removal-test"}
	if _, err := e.Start(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(dir, "removal-test-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatal(dirs, err)
	}
	if err := os.Rename(dirs[0], dirs[0]+removedSuffix); err != nil {
		t.Fatal(err)
	}
	if list, err := e.List(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("there is %+v, %v", list, err)
	}
	left, err := os.ReadDir(dir)
	if running, psErr := processesOf("removal-test"); err != nil || psErr != nil || len(left) > 0 || len(running) > 0 {
		t.Errorf("left behind: %v %v %v %v", left, running, err, psErr)
	}
}

// A start that was cut off before there was a supervisor can be removed, and
// none begins after that.
func TestUnstarted(t *testing.T) {
	dir := t.TempDir()
	e := serverOf(t, dir)
	run := filepath.Join(dir, "unstarted-test-abc")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(run, wakeFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(run, orderFile, order{RunID: "unstarted-test", Path: "/bin/sh", Args: []string{"sh", "-c", "sleep 300"}, Dir: "/"}); err != nil {
		t.Fatal(err)
	}
	list, err := e.List(t.Context())
	if err != nil || len(list) != 1 || list[0].RunID != "unstarted-test" || !list[0].Started.IsZero() || list[0].Running {
		t.Fatalf("there is %+v, %v", list, err)
	}
	if _, err := e.Attach(t.Context(), list[0].Handle, executor.TakeOver{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("attach gave %v", err)
	}
	// A supervisor that begins now wins.
	late, err := lock(run, lockFile, 2) // LOCK_EX
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Remove(t.Context(), list[0].Handle); !fault.Is(err, fault.Conflict) {
		t.Errorf("removing what is being started: %v", err)
	}
	late.Close()
	if err := e.Remove(t.Context(), list[0].Handle); err != nil {
		t.Error(err)
	}
	out, err := exec.Command(os.Args[0], supervisorArgument, run).Output()
	if err == nil || !strings.Contains(string(out), "failure") {
		t.Errorf("a supervisor of what was removed says %q, %v", out, err)
	}
	if _, err := os.Stat(run); err == nil {
		t.Error("it is still there")
	}
}

// Whatever ends a writer, the reader sees whole records.
func TestSpoolOfAKilledWriter(t *testing.T) {
	dir := t.TempDir()
	w := &spool.Writer{Dir: dir, Wake: func() {}, Read: func() bool { return false }}
	for _, line := range []string{"one\n", "two\n", "three\n"} {
		if _, err := io.WriteString(w.Stream(executor.Stdout), line); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "out-00000001")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for end := range data {
		if err := os.WriteFile(file, data[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := spool.Open(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		var got string
		var at executor.Position
		for {
			pieces, after, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			at = after
			for _, p := range pieces {
				got += string(p.Data)
			}
		}
		r.Close()
		if !strings.HasPrefix("one\ntwo\nthree\n", got) || got != "" && !strings.HasSuffix(got, "\n") {
			t.Fatalf("of %d bytes %q was read", end, got)
		}
		// The rest comes later.
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err = spool.Open(dir, at); err != nil {
			t.Fatal(err)
		}
		pieces, _, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pieces {
			got += string(p.Data)
		}
		r.Close()
		if got != "one\ntwo\nthree\n" {
			t.Fatalf("after %d bytes: %q", end, got)
		}
	}
	for _, bad := range []executor.Position{"x", "1", "0:0", "1:-4", "1:x"} {
		if _, err := spool.Open(dir, bad); err == nil {
			t.Errorf("position %q is taken", bad)
		}
	}
}
