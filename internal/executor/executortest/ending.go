package executortest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const killed = 137 // 128 + SIGKILL

func (s suite) terminate(t *testing.T) {
	r := s.start(t, s.executor(t), s.h.Shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done"))
	r.stdout.await(t, "ready")
	if err := r.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exit := r.end(t); exit.Code != 7 {
		t.Errorf("exit %+v", exit)
	}
	if got := r.stdout.String(); got != "ready\nbye\n" {
		t.Errorf("stdout is %q", got)
	}
	if err := r.Terminate(t.Context()); err != nil {
		t.Errorf("asking what has ended to end: %v", err)
	}
}

// stubborn is a script with a child and a child that left the group, none of
// which ends when asked to.
const stubborn = `
trap '' TERM
sh -c 'trap "" TERM; echo one; while :; do sleep 0.2; done' &
setsid sh -c 'trap "" TERM; echo two; while :; do sleep 0.2; done' &
sleep 0.1
`

func (s suite) kill(t *testing.T) {
	r := s.start(t, s.executor(t), s.h.Shell(stubborn+"while :; do sleep 0.2; done"))
	r.stdout.await(t, "one")
	r.stdout.await(t, "two")
	if err := r.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if exit, err := r.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("what ignores the request to end gave %+v, %v", exit, err)
	}
	begin := time.Now()
	if err := r.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exit := r.end(t); exit.Code != killed || exit.OOMKilled {
		t.Errorf("exit %+v", exit)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("killing took %v", took)
	}
	s.nothingLeft(t, r.runID)
	if err := r.Kill(t.Context()); err != nil {
		t.Errorf("killing what has ended: %v", err)
	}
	if _, ok := r.Usage(t.Context()); ok {
		t.Error("what has ended uses something")
	}
}

func (s suite) children(t *testing.T) {
	begin := time.Now()
	exit, r := s.shell(t, stubborn+"exit 3")
	if exit.Code != 3 {
		t.Errorf("exit %+v", exit)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the run took %v: its children were waited for", took)
	}
	s.nothingLeft(t, r.runID)
}

func (s suite) waiting(t *testing.T) {
	r := s.start(t, s.executor(t), s.h.Shell("echo ready; sleep 300"))
	r.stdout.await(t, "ready")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled wait gave %v", err)
	}
	var waiters sync.WaitGroup
	for range 4 {
		waiters.Go(func() {
			if exit, err := r.Wait(t.Context()); err != nil || exit.Code != killed {
				t.Errorf("wait gave %+v, %v", exit, err)
			}
		})
	}
	if err := r.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	waiters.Wait()
	if exit, err := r.Wait(t.Context()); err != nil || exit.Code != killed {
		t.Errorf("later wait gave %+v, %v", exit, err)
	}
}

func (s suite) usage(t *testing.T) {
	const size = 20_000_000
	// The shell holds the memory, a child of it uses the processor.
	r := s.start(t, s.executor(t), s.h.Shell(
		`x=$(head -c 20000000 /dev/zero | tr '\0' a); echo ready; sh -c 'while :; do :; done'; echo "$x"`))
	r.stdout.await(t, "ready")
	read := func() executor.Usage {
		u, ok := r.Usage(t.Context())
		if !ok {
			t.Fatal("no usage of what runs")
		}
		return u
	}
	first := read()
	if first.MemoryBytes < size || first.MemoryBytes > 20*size {
		t.Errorf("memory is %d bytes", first.MemoryBytes)
	}
	begin := time.Now()
	time.Sleep(600 * time.Millisecond)
	second := read()
	elapsed := time.Since(begin)
	// Other programs may have taken most of the processors.
	if used := second.CPUTime - first.CPUTime; used < 30*time.Millisecond || used > 3*elapsed {
		t.Errorf("a busy loop used %v in %v", used, elapsed)
	}
}

func (s suite) brokenStart(t *testing.T) {
	spec := s.h.Broken()
	spec.RunID = newRunID()
	out := &text{}
	spec.Stdout, spec.Stderr = out, out
	instance, err := s.executor(t).Start(t.Context(), spec)
	if err == nil {
		_ = instance.Kill(t.Context())
		t.Fatal("it started")
	}
	if code := fault.CodeOf(err); code != fault.RunFailed || fault.HintOf(err) == "" {
		t.Errorf("the error %q is %q with hint %q, want %q with some hint", err, code, fault.HintOf(err), fault.RunFailed)
	}
	s.nothingLeft(t, spec.RunID)
}

func (s suite) cancelledStart(t *testing.T) {
	e := s.executor(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, delay := range []time.Duration{0, 500 * time.Microsecond, 2 * time.Millisecond, 10 * time.Millisecond, 40 * time.Millisecond, 120 * time.Millisecond, 250 * time.Millisecond} {
		ctx := gone
		if delay > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(t.Context(), delay)
			defer cancel()
		}
		spec := s.h.Shell("sleep 300")
		spec.RunID = newRunID()
		spec.Env = append(spec.Env, "ACTOR_RUN_ID="+spec.RunID)
		instance, err := e.Start(ctx, spec)
		if err == nil {
			// It was quick enough. The end of the context is no concern of
			// what runs already.
			<-ctx.Done()
			short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if exit, err := instance.Wait(short); err == nil {
				t.Errorf("after %v: it ended with the context of its start: %+v", delay, exit)
			}
			cancel()
			_ = instance.Kill(t.Context())
			if _, err := instance.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			if err := e.Remove(t.Context(), instance.Handle()); err != nil {
				t.Error(err)
			}
		} else if ctx.Err() == nil {
			t.Errorf("after %v: %v", delay, err)
		}
		s.nothingLeft(t, spec.RunID)
	}
}

func (s suite) concurrency(t *testing.T) {
	e := s.executor(t)
	var runs sync.WaitGroup
	for range 6 {
		runs.Go(func() {
			spec := s.h.Shell(`echo "$ACTOR_RUN_ID"; sleep 0.1; echo "$ACTOR_RUN_ID"; exit 5`)
			spec.RunID = newRunID()
			spec.Env = append(spec.Env, "ACTOR_RUN_ID="+spec.RunID)
			out := &text{}
			spec.Stdout = out
			instance, err := e.Start(t.Context(), spec)
			if err != nil {
				t.Errorf("start: %v", err)
				return
			}
			exit, err := instance.Wait(t.Context())
			if err != nil || exit.Code != 5 {
				t.Errorf("wait gave %+v, %v", exit, err)
			}
			if got := out.String(); got != strings.Repeat(spec.RunID+"\n", 2) {
				t.Errorf("stdout of %s is %q", spec.RunID, got)
			}
			if err := e.Remove(t.Context(), instance.Handle()); err != nil {
				t.Error(err)
			}
			s.nothingLeft(t, spec.RunID)
		})
	}
	runs.Wait()
}
