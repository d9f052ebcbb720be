package executortest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// task is what a server is to run; it is in task.json of the server's directory.
// What the server stores is in journal beside it.
type task struct {
	ID     string // of the server
	RunID  string
	Script string
}

// entry is a line of the journal. What a server that is killed has half written
// has no end, and does not count.
type entry struct {
	Out, Err []byte            `json:",omitempty"`
	At       executor.Position `json:",omitempty"`
	Lost     bool              `json:",omitempty"`
	Started  bool              `json:",omitempty"` // by this generation
	Exit     *executor.Exit    `json:",omitempty"`
	Failure  string            `json:",omitempty"`
}

// generation is one process of a server: it takes over what an earlier one has
// started, or starts it, stores what comes out, and how it ends.
func generation(h Harness, dir string) int {
	err := serve(h, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "generation:", err)
		return 1
	}
	return 0
}

func serve(h Harness, dir string) error {
	var t task
	data, err := os.ReadFile(filepath.Join(dir, "task.json"))
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return err
	}
	old, journal, err := openJournal(dir)
	if err != nil {
		return err
	}
	defer journal.Close()
	store := func(e entry) error {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = journal.Write(append(line, '\n'))
		}
		return err
	}
	var at executor.Position
	for _, e := range old {
		if e.At != "" {
			at = e.At
		}
	}
	take := func(pieces []executor.Piece, after executor.Position) error {
		e := entry{At: after}
		for _, p := range pieces {
			e.Lost = e.Lost || p.Lost
			if p.Stream == executor.Stdout {
				e.Out = append(e.Out, p.Data...)
			} else {
				e.Err = append(e.Err, p.Data...)
			}
		}
		return store(e)
	}
	ctx := context.Background()
	e, err := h.Server(t.ID, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	instance, err := startOrAttach(ctx, e, t, h.Shell(t.Script), take, at, store)
	if err != nil {
		return err
	}
	exit, err := instance.Wait(ctx)
	if err != nil {
		return errors.Join(err, store(entry{Failure: err.Error()}))
	}
	return store(entry{Exit: &exit})
}

func startOrAttach(ctx context.Context, e executor.Executor, t task, spec executor.Spec, take executor.Output, at executor.Position, store func(entry) error) (executor.Instance, error) {
	list, err := e.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if d.RunID != t.RunID {
			continue
		}
		if !d.Started.IsZero() {
			return e.Attach(ctx, d.Handle, executor.TakeOver{Output: take, After: at})
		}
		// The start was cut off, or is about to succeed after all.
		err := e.Remove(ctx, d.Handle)
		if fault.Is(err, fault.Conflict) {
			time.Sleep(20 * time.Millisecond)
			return startOrAttach(ctx, e, t, spec, take, at, store)
		}
		if err != nil {
			return nil, err
		}
	}
	spec.RunID, spec.Output = t.RunID, take
	spec.Env = append(spec.Env, "ACTOR_RUN_ID="+t.RunID)
	instance, err := e.Start(ctx, spec)
	if err == nil {
		err = store(entry{Started: true})
	}
	return instance, err
}

// openJournal reads the journal, and opens it for writing behind its last whole
// line.
func openJournal(dir string) ([]entry, *os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, nil, err
	}
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	var entries []entry
	for line := range bytes.Lines(whole) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, nil, err
		}
		entries = append(entries, e)
	}
	if err = f.Truncate(int64(len(whole))); err == nil {
		_, err = f.Seek(int64(len(whole)), io.SeekStart)
	}
	return entries, f, err
}

// server is a server whose processes tests kill.
type server struct {
	task
	dir string
}

// newServer makes a server that is to run a script; it does not run yet.
func (s suite) newServer(t *testing.T, script string) *server {
	t.Helper()
	v := &server{task{ID: newRunID(), RunID: newRunID(), Script: script}, t.TempDir()}
	data, err := json.Marshal(v.task)
	if err == nil {
		err = os.WriteFile(filepath.Join(v.dir, "task.json"), data, 0o600)
	}
	if err == nil {
		err = os.Mkdir(v.data(), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e := s.serverExecutor(t, v.ID, v.data())
		list, err := e.List(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, d := range list {
			if err := e.Remove(context.Background(), d.Handle); err != nil {
				t.Error(err)
			}
		}
		s.nothingLeft(t, v.RunID)
	})
	return v
}

func (v *server) data() string { return filepath.Join(v.dir, "data") }

// begin starts a process of the server.
func (v *server) begin(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"="+v.dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			kill(cmd)
		}
	})
	return cmd
}

// kill gives no chance to clean up.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// journal is what the processes have stored so far.
func (v *server) journal(t *testing.T) (stdout, stderr string, all []entry) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(v.dir, "journal"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	for scan := bufio.NewReader(bytes.NewReader(data)); ; {
		line, err := scan.ReadBytes('\n')
		if err != nil {
			return out.String(), errs.String(), all
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		out.Write(e.Out)
		errs.Write(e.Err)
		all = append(all, e)
	}
}

// await waits until the server has stored what.
func (v *server) await(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		stdout, _, _ := v.journal(t)
		if strings.Contains(stdout, what) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q was stored, only %.300q", what, stdout)
		}
	}
}

// position is where the stored output ends.
func position(all []entry) (at executor.Position) {
	for _, e := range all {
		if e.At != "" {
			at = e.At
		}
	}
	return at
}

// attach takes over in this process what the server runs.
func (s suite) attach(t *testing.T, v *server) *started {
	t.Helper()
	e := s.serverExecutor(t, v.ID, v.data())
	list, err := e.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].RunID != v.RunID || list[0].Started.IsZero() {
		t.Fatalf("there is %+v", list)
	}
	r := &started{executor: e, runID: v.RunID, stdout: &text{}, stderr: &text{}}
	_, _, all := v.journal(t)
	take := executor.Spec{Stdout: r.stdout, Stderr: r.stderr}.Taker()
	r.Instance, err = e.Attach(t.Context(), list[0].Handle, executor.TakeOver{Output: take, After: position(all)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Handle() != list[0].Handle {
		t.Errorf("the handle %s has become %s", list[0].Handle, r.Handle())
	}
	return r
}
