package executortest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

func (s suite) exitCodes(t *testing.T) {
	for _, code := range []int{0, 1, 91, 255} {
		if exit, _ := s.shell(t, fmt.Sprintf("exit %d", code)); exit.Code != code || exit.OOMKilled {
			t.Errorf("exit %d gave %+v", code, exit)
		}
	}
}

func (s suite) exactOutput(t *testing.T) {
	// Every byte there is, in both directions, and no line end at the end.
	var up, down, script strings.Builder
	for i := range 256 {
		up.WriteByte(byte(i))
		down.WriteByte(byte(255 - i))
	}
	script.WriteString("printf '")
	for i := range 256 {
		fmt.Fprintf(&script, `\%03o`, i)
	}
	script.WriteString("'; printf '")
	for i := range 256 {
		fmt.Fprintf(&script, `\%03o`, 255-i)
	}
	script.WriteString("' >&2")
	exit, r := s.shell(t, script.String())
	if exit.Code != 0 {
		t.Errorf("exit %+v", exit)
	}
	if got := r.stdout.String(); got != up.String() {
		t.Errorf("stdout is %q", got)
	}
	if got := r.stderr.String(); got != down.String() {
		t.Errorf("stderr is %q", got)
	}
}

func (s suite) promptOutput(t *testing.T) {
	r := s.start(t, s.executor(t), s.h.Shell("printf part; printf other >&2; sleep 300"))
	r.stdout.await(t, "part")
	r.stderr.await(t, "other")
	select {
	case <-ended(r):
		t.Error("the run ended on its own")
	default:
	}
}

func (s suite) promptLines(t *testing.T) {
	r := s.start(t, s.executor(t), s.h.Shell("echo part; echo other >&2; sleep 300"))
	r.stdout.await(t, "part\n")
	r.stderr.await(t, "other\n")
}

// oneOutput takes both streams as pieces.
func (s suite) oneOutput(t *testing.T) {
	var (
		stdout, stderr text
		busy           atomic.Bool
		first          = time.Now()
	)
	spec := s.h.Shell("echo a; echo b >&2; sleep 0.2; printf c; exit 2")
	spec.Output = func(pieces []executor.Piece, after executor.Position) error {
		if !busy.CompareAndSwap(false, true) {
			t.Error("called by two at once")
		}
		defer busy.Store(false)
		if len(pieces) == 0 || s.server != (after != "") {
			t.Errorf("%d pieces up to %q", len(pieces), after)
		}
		for _, p := range pieces {
			to := map[executor.Stream]*text{executor.Stdout: &stdout, executor.Stderr: &stderr}[p.Stream]
			if to == nil || p.Lost || p.Time.Before(first.Add(-time.Second)) || p.Time.After(time.Now().Add(time.Second)) {
				t.Errorf("strange piece %+v", p)
				continue
			}
			_, _ = to.Write(p.Data)
		}
		return nil
	}
	r := s.start(t, s.executor(t), spec)
	if exit := r.end(t); exit.Code != 2 {
		t.Errorf("exit %+v", exit)
	}
	if stdout.String() != "a\nc" || stderr.String() != "b\n" {
		t.Errorf("stdout is %q, stderr is %q", stdout.String(), stderr.String())
	}
}

func ended(r *started) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.Wait(context.Background())
	}()
	time.Sleep(20 * time.Millisecond)
	return done
}

// counter counts what it is given, slowly at first.
type counter struct {
	n     atomic.Int64
	wrong atomic.Bool
}

func (c *counter) Write(p []byte) (int, error) {
	if c.n.Add(int64(len(p))) < 1<<20 {
		time.Sleep(time.Millisecond)
	}
	if strings.Trim(string(p), "\x00\n") != "" {
		c.wrong.Store(true)
	}
	return len(p), nil
}

func (s suite) muchOutput(t *testing.T) {
	// A last line of this length without an end gets one from some engines, if
	// they are read through their logs.
	const size = 8 << 20
	var stdout, stderr counter
	spec := s.h.Shell(fmt.Sprintf("{ head -c %d /dev/zero; echo; } >&2 & head -c %d /dev/zero; echo; wait", size-1, size))
	spec.Stdout, spec.Stderr = &stdout, &stderr
	r := s.start(t, s.executor(t), spec)
	if exit := r.end(t); exit.Code != 0 {
		t.Errorf("exit %+v", exit)
	}
	if got := stdout.n.Load(); got != size+1 || stdout.wrong.Load() {
		t.Errorf("stdout has %d bytes, want %d zeros", got, size+1)
	}
	if got := stderr.n.Load(); got != size || stderr.wrong.Load() {
		t.Errorf("stderr has %d bytes, want %d zeros", got, size)
	}
}

// refusing takes nothing.
type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, errors.New("nobody listens") }

func (s suite) refusedOutput(t *testing.T) {
	spec := s.h.Shell("head -c 1000000 /dev/zero; echo heard >&2; exit 4")
	spec.Stdout = refusing{}
	r := s.start(t, s.executor(t), spec)
	if exit := r.end(t); exit.Code != 4 {
		t.Errorf("exit %+v", exit)
	}
	if got := r.stderr.String(); got != "heard\n" {
		t.Errorf("stderr is %q", got)
	}
}

func (s suite) environment(t *testing.T) {
	for _, name := range []string{"ACTOR_STRAY", "APIFY_STRAY", "CRAWLEE_STRAY", "APIFY_TOKEN"} {
		t.Setenv(name, "stray")
	}
	t.Setenv("PLAIN", "of the host")
	given := map[string]string{
		"PLAIN":       "of the run",
		"APIFY_TOKEN": "t-1",
		"SPACES":      "  two  words ",
		"LINES":       "one\ntwo\n",
		"QUOTES":      `"double" 'single' $HOME \n %s`,
		"EQUALS":      "a=b=c",
		"UNICODE":     "žluťoučký kůň 🐎",
	}
	// A byte at a time cannot hide anything.
	script := "cd /; env | grep _STRAY; "
	spec := s.h.Shell("")
	var want strings.Builder
	for name, value := range given {
		spec.Env = append(spec.Env, name+"="+value)
		script += fmt.Sprintf(`printf '%%s=[%%s];' %s "$%s"; `, name, name)
		fmt.Fprintf(&want, "%s=[%s];", name, value)
	}
	full := s.h.Shell(script + `printf '%s' "$PATH" >&2`)
	full.Env = append(full.Env, spec.Env...)
	r := s.start(t, s.executor(t), full)
	r.end(t)
	if got := r.stdout.String(); got != want.String() {
		t.Errorf("the code saw\n%s\nwant\n%s", got, want.String())
	}
	if r.stderr.String() == "" {
		t.Error("there is no PATH")
	}
}

func (s suite) closedStdin(t *testing.T) {
	_, r := s.shell(t, "cat; [ -t 0 ] && echo a terminal; echo end")
	if got := r.stdout.String(); got != "end\n" {
		t.Errorf("stdout is %q", got)
	}
}

func (s suite) actorCommand(t *testing.T) {
	e := s.executor(t)
	for range 2 { // the second time is the remembered one
		spec := s.h.Shell("actor a 'b c'")
		spec.ActorBinary = actorBinary(t)
		r := s.start(t, e, spec)
		exit := r.end(t)
		if got := r.stdout.String(); exit.Code != 0 || got != "actor was given: a b c\n" {
			t.Errorf("%+v, stdout is %q, stderr is %q", exit, got, r.stderr)
		}
	}
	// It must not be in the way of the code, nor of other runs.
	spec := s.h.Shell(`f=$(command -v actor) && echo x 2>/dev/null >"$f" && echo could write`)
	spec.ActorBinary = actorBinary(t)
	r := s.start(t, e, spec)
	r.end(t)
	if e.Name() == "docker" && strings.Contains(r.stdout.String(), "could write") {
		t.Error("the code can overwrite the actor command")
	}
	if t.Setenv("PATH", "/usr/bin:/bin"); true {
		r = s.start(t, e, s.h.Shell("command -v actor; echo none"))
		r.end(t)
		if got := r.stdout.String(); got != "none\n" {
			t.Errorf("without an actor command stdout is %q", got)
		}
	}
}
