package executortest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/hostport"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s suite) surviving() []test {
	return []test{
		{"servers that are killed", s.killedServers},
		{"ended while away", s.endedWhileAway},
		{"taken over and killed", s.takenOver},
		{"closed", s.closed},
		{"servers leave each other alone", s.otherServers},
		{"removed", s.removed},
		{"removed by somebody else", s.removedElsewhere},
	}
}

// killedServers kills a server again and again, at any moment, while something
// prints a lot.
func (s suite) killedServers(t *testing.T) {
	const (
		lines       = 6000
		generations = 8
	)
	// Long lines and ones without an end, in bursts and at leisure.
	script := fmt.Sprintf(`
echo begin
long=$(head -c 40000 /dev/zero | tr '\0' x)
i=0
while [ $i -lt %d ]; do
	echo "out $i"
	case $i in *7) echo "err $i" >&2 ;; *50) sleep 0.02 ;; *00) echo "$long" ;; esac
	i=$((i+1))
done
printf end
exit 9`, lines)
	var out, errs strings.Builder
	out.WriteString("begin\n")
	for i := range lines {
		fmt.Fprintf(&out, "out %d\n", i)
		switch {
		case i%10 == 7:
			fmt.Fprintf(&errs, "err %d\n", i)
		case i%100 == 0 && i > 0:
			out.WriteString(strings.Repeat("x", 40000) + "\n")
		}
	}
	out.WriteString("end")

	v := s.newServer(t, script)
	for range generations {
		cmd := v.begin(t)
		time.Sleep(rand.N(400 * time.Millisecond))
		kill(cmd)
		if rand.N(3) == 0 {
			time.Sleep(rand.N(200 * time.Millisecond))
		}
	}
	last := v.begin(t)
	if err := last.Wait(); err != nil {
		t.Errorf("the last one: %v", err)
	}
	stdout, stderr, all := v.journal(t)
	same(t, "stdout", stdout, out.String())
	same(t, "stderr", stderr, errs.String())
	starts := 0
	for _, e := range all {
		if e.Started {
			starts++
		}
		if e.Lost || e.Failure != "" {
			t.Errorf("stored %+v", e)
		}
	}
	if end := all[len(all)-1].Exit; end == nil || *end != (executor.Exit{Code: 9}) {
		t.Errorf("exit %+v", end)
	}
	if starts > 1 {
		t.Errorf("%d starts", starts)
	}
}

// same compares long texts.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	around := func(s string) string { return s[max(0, min(i, len(s))-60):min(len(s), i+60)] }
	t.Errorf("%s has %d bytes, want %d; from byte %d on it is\n%q, want\n%q", what, len(got), len(want), i, around(got), around(want))
}

func (s suite) endedWhileAway(t *testing.T) {
	v := s.newServer(t, "echo one; sleep 0.7; echo two; echo three >&2; exit 6")
	cmd := v.begin(t)
	v.await(t, "one")
	kill(cmd)
	e := s.serverExecutor(t, v.ID, v.data())
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		list, err := e.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && !list[0].Running {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not end: %+v", list)
		}
	}
	// The same to everybody who asks, until it is removed.
	for range 2 {
		r := s.attach(t, v)
		exit, err := r.Wait(t.Context())
		if err != nil || exit != (executor.Exit{Code: 6}) {
			t.Errorf("exit %+v, %v", exit, err)
		}
		if r.stdout.String() != "two\n" || r.stderr.String() != "three\n" {
			t.Errorf("the rest is %q and %q", r.stdout, r.stderr)
		}
		if err := errors.Join(r.Terminate(t.Context()), r.Kill(t.Context())); err != nil {
			t.Errorf("ending what has ended: %v", err)
		}
		if _, ok := r.Usage(t.Context()); ok {
			t.Error("what has ended uses something")
		}
	}
	s.attach(t, v).end(t)
	s.nothingLeft(t, v.RunID)
}

func (s suite) takenOver(t *testing.T) {
	t.Run("terminate", func(t *testing.T) {
		v := s.newServer(t, "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
		cmd := v.begin(t)
		v.await(t, "ready")
		kill(cmd)
		r := s.attach(t, v)
		if err := r.Terminate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if exit := r.end(t); exit != (executor.Exit{Code: 7}) || r.stdout.String() != "bye\n" {
			t.Errorf("exit %+v, stdout %q", exit, r.stdout)
		}
	})
	t.Run("kill", func(t *testing.T) {
		v := s.newServer(t, stubborn+"echo ready; while :; do sleep 0.2; done")
		cmd := v.begin(t)
		v.await(t, "ready")
		kill(cmd)
		r := s.attach(t, v)
		if err := r.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if exit := r.end(t); exit != (executor.Exit{Code: killed}) {
			t.Errorf("exit %+v", exit)
		}
		s.nothingLeft(t, v.RunID)
	})
	t.Run("usage", func(t *testing.T) {
		v := s.newServer(t, `x=$(head -c 20000000 /dev/zero | tr '\0' a); echo ready; while :; do :; done; echo "$x"`)
		cmd := v.begin(t)
		v.await(t, "ready")
		kill(cmd)
		r := s.attach(t, v)
		first, ok := r.Usage(t.Context())
		if !ok || first.MemoryBytes < 20_000_000 {
			t.Errorf("usage %+v, %v", first, ok)
		}
		time.Sleep(400 * time.Millisecond)
		if second, ok := r.Usage(t.Context()); !ok || second.CPUTime <= first.CPUTime {
			t.Errorf("usage %+v and then %+v, %v", first, second, ok)
		}
	})
}

func (s suite) closed(t *testing.T) {
	port, err := hostport.Free(0)
	if err != nil {
		t.Fatal(err)
	}
	id, dir := newRunID(), dataDir(t)
	e := s.serverExecutor(t, id, dir)
	r := s.start(t, e, s.h.Serve(port))
	answers := func() error {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
		if err == nil {
			answer.Body.Close()
		}
		return err
	}
	for deadline := time.Now().Add(limit); answers() != nil && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if _, err := r.Wait(ctx); !errors.Is(err, executor.ErrClosed) {
		t.Errorf("wait gave %v", err)
	}
	if err := answers(); err != nil {
		t.Errorf("it does not run on: %v", err)
	}
	next := s.serverExecutor(t, id, dir)
	i, err := next.Attach(t.Context(), r.Handle(), executor.TakeOver{})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	if exit, err := i.Wait(ctx); err != nil || exit.Code != killed {
		t.Errorf("exit %+v, %v", exit, err)
	}
	if err := next.Remove(ctx, i.Handle()); err != nil {
		t.Error(err)
	}
}

func (s suite) otherServers(t *testing.T) {
	r := s.start(t, s.executor(t), s.h.Shell("echo ready; sleep 300"))
	r.stdout.await(t, "ready")
	other := s.executor(t)
	if list, err := other.List(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("another server finds %+v, %v", list, err)
	}
	if i, err := other.Attach(t.Context(), r.Handle(), executor.TakeOver{}); err == nil {
		t.Errorf("another server has taken over %s", i.ID())
	}
	plain, err := s.h.New()
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if left, err := plain.Reap(t.Context()); err != nil || strings.Contains(fmt.Sprint(left), r.runID) {
		t.Errorf("reaped %+v, %v", left, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if exit, err := r.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait gave %+v, %v", exit, err)
	}
}

func (s suite) removed(t *testing.T) {
	e := s.executor(t)
	r := s.start(t, e, s.h.Shell("echo ready; sleep 300"))
	r.stdout.await(t, "ready")
	if err := e.Remove(t.Context(), r.Handle()); err != nil {
		t.Fatal(err)
	}
	s.nothingLeft(t, r.runID)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if _, err := r.Wait(ctx); errors.Is(err, context.DeadlineExceeded) {
		t.Error("waiting for what was removed hangs")
	}
	if err := e.Remove(t.Context(), r.Handle()); err != nil {
		t.Errorf("removing it again: %v", err)
	}
	_, err := e.Attach(t.Context(), r.Handle(), executor.TakeOver{})
	if lost, ok := executor.LostOf(err); !fault.Is(err, fault.NotFound) || !ok || lost != executor.LostRemoved {
		t.Errorf("attaching to what was removed: %v", err)
	}
}

// removedElsewhere lets another executor of the server do what a stranger could.
func (s suite) removedElsewhere(t *testing.T) {
	id, dir := newRunID(), dataDir(t)
	r := s.start(t, s.serverExecutor(t, id, dir), s.h.Shell("echo ready; sleep 300"))
	r.stdout.await(t, "ready")
	if err := s.serverExecutor(t, id, dir).Remove(t.Context(), r.Handle()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err := r.Wait(ctx)
	if lost, ok := executor.LostOf(err); !ok || lost != executor.LostRemoved || fault.HintOf(err) == "" {
		t.Errorf("wait gave %v", err)
	}
}
