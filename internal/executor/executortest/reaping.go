package executortest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// own is the other process: it starts something and waits for its own end.
func own(h Harness, runID string) int {
	e, err := h.New()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	spec := h.Shell("sleep 300 & setsid sleep 300 & sleep 0.1; echo ready; sleep 300; wait")
	spec.RunID = runID
	spec.Env = append(spec.Env, "ACTOR_RUN_ID="+runID)
	spec.Stdout, spec.Stderr = os.Stdout, os.Stderr
	instance, err := e.Start(context.Background(), spec)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = instance.Wait(context.Background())
	return 0
}

// otherOwner starts such a process.
func (s suite) otherOwner(t *testing.T) (cmd *exec.Cmd, runID string) {
	t.Helper()
	runID = newRunID()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ownerVariable+"="+runID)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return cmd, runID
}

func (s suite) reap(t *testing.T) {
	e := s.executor(t)
	mine := s.start(t, e, s.h.Shell("echo ready; sleep 300"))
	mine.stdout.await(t, "ready")
	living, livingID := s.otherOwner(t)
	dead, deadID := s.otherOwner(t)

	reap := func() []string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		left, err := e.Reap(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, l := range left {
			ids = append(ids, l.RunID)
			if l.RunID == deadID && l.ID == "" {
				t.Errorf("leftover %+v has no id", l)
			}
		}
		return ids
	}
	if ids := reap(); slices.Contains(ids, livingID) || slices.Contains(ids, deadID) || slices.Contains(ids, mine.runID) {
		t.Fatalf("reaped what living processes own: %q", ids)
	}
	s.something(t, deadID)

	// No chance to clean up.
	_ = dead.Process.Kill()
	_ = dead.Wait()
	s.something(t, deadID)
	if ids := reap(); !slices.Contains(ids, deadID) || slices.Contains(ids, livingID) || slices.Contains(ids, mine.runID) {
		t.Errorf("reaped %q, want %q and neither %q nor %q", ids, deadID, livingID, mine.runID)
	}
	s.nothingLeft(t, deadID)
	s.something(t, livingID)
	s.something(t, mine.runID)
	if ids := reap(); slices.Contains(ids, deadID) {
		t.Errorf("reaped %q twice", deadID)
	}

	_ = living.Process.Kill()
	_ = living.Wait()
	if ids := reap(); !slices.Contains(ids, livingID) {
		t.Errorf("reaped %q, want %q", strings.Join(ids, " "), livingID)
	}
	s.nothingLeft(t, livingID)
}

// something fails when nothing is there of a run.
func (s suite) something(t *testing.T, runID string) {
	t.Helper()
	left, err := s.h.Remains(runID)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) == 0 {
		t.Fatalf("nothing is there of run %s", runID)
	}
}
