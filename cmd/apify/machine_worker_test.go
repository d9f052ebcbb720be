//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// worker uses one run at a time. What it does to that is in order, but for two
// commands that it gives at once now and then.
type worker struct {
	*machine
	random *rand.Rand
	mu     sync.Mutex // the model's, while two commands are under way
	run    *modelled
	told   []string // what was done, for those who look for a bug
}

var errUnanswered = errors.New("no answer")

// step counts a step.
func (w *worker) step(name string) {
	w.left.Add(-1)
	w.machine.mu.Lock()
	w.counts[name]++
	w.machine.mu.Unlock()
}

func (w *worker) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

func (w *worker) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *worker) pause() { time.Sleep(time.Duration(w.random.IntN(300)) * time.Millisecond) }

// life starts a run and stays with it to its end, or several ends.
func (w *worker) life() {
	w.run, w.told = nil, nil
	err := w.start()
	if err == nil && w.run != nil {
		err = w.use()
	}
	if err != nil {
		w.failed.Store(true)
		id := "that was not started"
		if w.run != nil {
			id = w.run.id
		}
		text, _ := os.ReadFile(filepath.Join(w.notes, id))
		_, log, _ := w.asker.send(context.Background(), "GET", "/v2/logs/"+id, nil)
		w.t.Errorf("run %s: %v\nwhat was done:\n%s\nits notes:\n%s\nits log:\n%s", id, err, strings.Join(w.told, "\n"), text[max(0, len(text)-3000):], log[max(0, len(log)-1000):])
	}
}

// request gives the record of a run that a request answers with.
func (w *worker) request(method, path string, body []byte) (r api.Run, status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	status, answer, ok := w.asker.send(ctx, method, path, body)
	w.tell("%s %s: %v %d", method, path, ok, status)
	if ctx.Err() != nil {
		return r, 0, fmt.Errorf("%s %s has no answer for too long", method, path)
	}
	if !ok || status == http.StatusServiceUnavailable {
		return r, 0, errUnanswered
	}
	if status >= 500 {
		return r, status, fmt.Errorf("%s %s: %d %s", method, path, status, answer)
	}
	var data struct{ Data api.Run }
	if status < 300 && len(answer) > 0 {
		if err := json.Unmarshal(answer, &data); err != nil {
			return r, status, fmt.Errorf("%s %s: %s: %w", method, path, answer, err)
		}
	}
	return data.Data, status, nil
}

func (w *worker) start() error {
	k := kinds[w.random.IntN(len(kinds)-1)]
	if w.long && w.chance(2) {
		k = kinds[len(kinds)-1] // takes half a minute to be aborted gracefully
	}
	m := &modelled{actors: w.kinds}
	path := fmt.Sprintf("/v2/actors/%s/runs?memory=%d", w.ids[k.name], 128<<w.random.IntN(4))
	if w.chance(20) {
		m.limited = true
		path += "&timeout=1"
	} else {
		path += "&timeout=0"
	}
	if w.chance(20) {
		m.restart = true
		path += "&restartOnError=1"
	}
	r, status, err := w.request("POST", path, nil)
	if errors.Is(err, errUnanswered) {
		w.machine.mu.Lock()
		w.unanswered++
		w.machine.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		return nil
	}
	if err != nil || status != http.StatusCreated {
		return fmt.Errorf("it was not started: %d %w", status, err)
	}
	w.step("start")
	m.id = r.ID
	w.run = m
	w.machine.mu.Lock()
	w.runs = append(w.runs, m)
	w.machine.mu.Unlock()
	return m.see(r)
}

func (w *worker) use() error {
	for patience := 1 + w.random.IntN(6); ; patience-- {
		if err := w.observe(0); err != nil {
			return err
		}
		if w.run.last.Status.Terminal() {
			if again, err := w.after(); !again || err != nil {
				return err
			}
			continue
		}
		if patience > 0 && w.left.Load() > 0 {
			if err := w.disturb(); err != nil {
				return err
			}
			w.pause()
			continue
		}
		if w.run.kindOf(w.run.last).endless() && w.run.aborted != certainly {
			if err := w.abort(w.chance(20)); err != nil {
				return err
			}
		}
		if err := w.ends(); err != nil {
			return err
		}
	}
}

// observe reads the record once the server answers, and compares.
func (w *worker) observe(wait int) error {
	m := w.run
	for deadline := time.Now().Add(time.Minute); ; {
		r, status, err := w.request("GET", fmt.Sprintf("/v2/actor-runs/%s?waitForFinish=%d", m.id, wait), nil)
		if errors.Is(err, errUnanswered) && time.Now().Before(deadline) {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		switch {
		case err != nil:
			return err
		case status == http.StatusNotFound && m.deleted == perhaps:
			m.deleted = certainly
			return nil
		case status != http.StatusOK:
			return fmt.Errorf("it is answered with %d", status)
		}
		w.tell("%s %s", r.Status, showCode(r.ExitCode))
		if r.Stats.ResurrectCount > m.last.Stats.ResurrectCount {
			m.anew()
			m.attempts = m.before
		}
		return m.see(r)
	}
}

// ends waits for the end of the run, which must come.
func (w *worker) ends() error {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		if err := w.observe(1); err != nil || w.run.last.Status.Terminal() {
			return err
		}
		if w.run.kindOf(w.run.last).endless() && w.run.aborted != certainly {
			if err := w.abort(false); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("it does not end: %s, %+v", w.run.last.Status, *w.run)
}

// disturb does one or two things to a run that has not ended.
func (w *worker) disturb() error {
	others := slices.Sorted(func(yield func(string) bool) {
		for name := range w.ids {
			if name != "deaf" && !yield(name) {
				return
			}
		}
	})
	graceful, target, code, message := w.run.kindOf(w.run.last).trait != "DEAF" || w.long, others[w.random.IntN(len(others))], w.random.IntN(2)*5, strconv.Itoa(w.random.Int())
	choices := []struct {
		name string
		do   func() error
	}{
		{"nothing", func() error { return nil }},
		{"abort", func() error { return w.abort(false) }},
		{"graceful abort", func() error { return w.abort(graceful) }},
		{"reboot", w.reboot},
		{"metamorph", func() error { return w.metamorph(target) }},
		{"exit", func() error { return w.exit(code) }},
		{"message", func() error { return w.message(message, code == 0) }},
		{"kill", w.kill},
	}
	first := choices[w.random.IntN(len(choices))]
	w.step(first.name)
	if !w.chance(15) {
		return first.do()
	}
	second := choices[w.random.IntN(len(choices))]
	w.step(second.name)
	var wait sync.WaitGroup
	errs := make([]error, 2)
	wait.Go(func() { errs[0] = first.do() })
	wait.Go(func() { errs[1] = second.do() })
	wait.Wait()
	return errors.Join(errs...)
}

// command asks something of the run. Asked is called before, refused when it
// was not done, done when it was; neither when nobody knows.
func (w *worker) command(path string, asked func(*modelled), refused func(*modelled), done func(*modelled, api.Run) error) error {
	m := w.run
	w.mu.Lock()
	asked(m)
	w.mu.Unlock()
	r, status, err := w.request("POST", "/v2/actor-runs/"+m.id+"/"+path, nil)
	if errors.Is(err, errUnanswered) {
		return nil
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch status {
	case http.StatusOK:
		return done(m, r)
	case http.StatusBadRequest, http.StatusConflict: // the latter when another one does the same just now
		refused(m)
		return nil
	}
	return fmt.Errorf("%s is answered with %d", path, status)
}

func (w *worker) abort(gracefully bool) error {
	return w.command("abort?gracefully="+strconv.FormatBool(gracefully),
		func(m *modelled) { m.aborted = max(m.aborted, perhaps) },
		func(*modelled) {},
		func(m *modelled, r api.Run) error {
			switch {
			case r.Status == api.StatusAborting || r.Status == api.StatusAborted:
				m.aborted = certainly
			case !r.Status.Terminal():
				return fmt.Errorf("it is %s after it was aborted", r.Status)
			}
			return nil
		})
}

func (w *worker) reboot() error {
	return w.command("reboot",
		func(m *modelled) { m.reboots++; m.replaced = true },
		func(m *modelled) { m.reboots-- },
		func(*modelled, api.Run) error { return nil })
}

func (w *worker) metamorph(target string) error {
	return w.command("metamorph?targetActorId="+w.ids[target],
		func(m *modelled) { m.metamorphs++; m.replaced = true },
		func(m *modelled) { m.metamorphs-- },
		func(m *modelled, r api.Run) error { m.metamorphsAnswered++; return nil })
}

func (w *worker) exit(code int) error {
	m := w.run
	w.mu.Lock()
	m.exits = append(m.exits, code)
	w.mu.Unlock()
	_, status, err := w.request("POST", "/v2/actor-runs/"+m.id+"/exit", fmt.Appendf(nil, `{"exitCode":%d}`, code))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, errUnanswered):
		return nil
	case err != nil:
		return err
	case status == http.StatusBadRequest:
		i := slices.Index(m.exits, code)
		m.exits = slices.Delete(m.exits, i, i+1)
		return nil
	case status != http.StatusOK:
		return fmt.Errorf("exit is answered with %d", status)
	}
	m.exited = m.exited || !m.replaced
	return nil
}

// message sets a status message; a final one is to stay.
func (w *worker) message(text string, final bool) error {
	m := w.run
	_, status, err := w.request("PUT", "/v2/actor-runs/"+m.id, fmt.Appendf(nil, `{"statusMessage":%q,"isStatusMessageTerminal":%v}`, text, final))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil && status == http.StatusOK && final:
		m.pinned, m.pinnedFor = text, true
	case errors.Is(err, errUnanswered):
		m.pinnedFor = m.pinnedFor && !final
	case err != nil:
		return err
	case status != http.StatusOK:
		return fmt.Errorf("the status message is answered with %d", status)
	}
	return nil
}

// kill ends the code from outside, behind everybody's back.
func (w *worker) kill() error {
	m := w.run
	w.mu.Lock()
	m.killed = max(m.killed, perhaps)
	w.mu.Unlock()
	if w.executor == "docker" {
		cli, err := docker.Connect(context.Background())
		if err != nil {
			return err
		}
		defer cli.Close()
		for id := range w.containers(m.id) {
			err := cli.ContainerKill(context.Background(), id, "KILL") // which may have ended just now
			w.tell("killed container %.12s: %v", id, err)
		}
		return nil
	}
	attempts, err := w.attempts(m.id)
	if err != nil || len(attempts) == 0 {
		return err
	}
	pid := attempts[len(attempts)-1].pid
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err == nil && bytes.Contains(environment, []byte("ACTOR_RUN_ID="+m.id)) {
		err := syscall.Kill(pid, syscall.SIGKILL)
		w.tell("killed %d: %v", pid, err)
	}
	return nil
}

// after looks at a run that has ended, and tells whether it lives again.
func (w *worker) after() (again bool, err error) {
	m := w.run
	attempts, err := w.check()
	if err != nil || w.left.Load() <= 0 {
		return false, err
	}
	switch {
	case w.chance(35):
		m.before = len(attempts)
		calls := 1
		if w.chance(15) && m.kindOf(m.last).endless() {
			calls = 2 // at once; one of them comes too late
		}
		errs := make([]error, calls)
		var wait sync.WaitGroup
		for i := range calls {
			w.step("resurrect")
			wait.Go(func() { errs[i] = w.resurrect() })
		}
		wait.Wait()
		return true, errors.Join(errs...)
	case w.chance(25):
		w.step("delete")
		m.deleted = perhaps
		_, status, err := w.request("DELETE", "/v2/actor-runs/"+m.id, nil)
		if err == nil && status != http.StatusNoContent {
			err = fmt.Errorf("it cannot be deleted: %d", status)
		}
		if err == nil {
			m.deleted = certainly
			if status, _, ok := w.asker.send(context.Background(), "GET", "/v2/actor-runs/"+m.id, nil); ok && status == http.StatusOK {
				return false, errors.New("it was deleted and is there")
			}
		}
		if errors.Is(err, errUnanswered) {
			return false, nil
		}
		return false, err
	}
	return false, nil
}

func (w *worker) resurrect() error {
	return w.command("resurrect",
		func(m *modelled) { m.resurrections++ },
		func(m *modelled) { m.resurrections-- },
		func(m *modelled, r api.Run) error { m.resurrectionsAnswered++; return nil })
}

// check compares the log and what the code has noted with the record of a run
// that has ended.
func (w *worker) check() ([]attempt, error) {
	m, r := w.run, w.run.last
	attempts, err := w.attempts(m.id)
	if err != nil {
		return nil, err
	}
	if most := mostAttempts(r); len(attempts) > most {
		return nil, fmt.Errorf("its code was started %d times, should be %d at most: %+v", len(attempts), most, r.Stats)
	}
	present := attempts[min(m.attempts, len(attempts)):]
	undisturbed := m.aborted == never && m.killed == never && len(m.exits) == 0 && !m.replaced
	if undisturbed && (r.Status == api.StatusSucceeded || r.Status == api.StatusFailed) {
		if len(present) == 0 || !present[len(present)-1].ended {
			return nil, fmt.Errorf("it is %s and its code has not come to its end", r.Status)
		}
		if len(present) > 1 && !m.restart {
			return nil, fmt.Errorf("its code was started %d times", len(present))
		}
	}
	for deadline := time.Now().Add(time.Minute); ; {
		status, log, ok := w.asker.send(context.Background(), "GET", "/v2/logs/"+m.id, nil)
		if ok && status == http.StatusOK {
			return attempts, checkLog(present, log)
		}
		if ok && status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return nil, fmt.Errorf("its log is answered with %d", status)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
