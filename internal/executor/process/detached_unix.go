//go:build !windows

package process

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
	"github.com/greenroom-dev/greenroom/internal/executor/process/command"
	"github.com/greenroom-dev/greenroom/internal/executor/process/group"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const canDetach = true

const (
	// removedSuffix marks the directory of a run that is being removed.
	removedSuffix = ".removed"

	// supervisorLimit is how long a supervisor may take to start, or to end
	// after its run.
	supervisorLimit = 20 * time.Second
)

// handle is the content of an executor.Handle.
type handle struct {
	Dir string `json:"dir"` // in that of the server
	// Unstarted says that List has seen no start of it.
	Unstarted bool `json:"unstarted,omitempty"`
}

func (h handle) String() executor.Handle {
	data, _ := json.Marshal(h)
	return executor.Handle(data)
}

// dirOf is the directory of a run that the server has started.
func (e *Executor) dirOf(h executor.Handle) (dir string, unstarted bool, err error) {
	var out handle
	if json.Unmarshal([]byte(h), &out) != nil || out.Dir == "" || filepath.Base(out.Dir) != out.Dir || out.Dir[0] == '.' {
		return "", false, fault.New(fault.NotFound, "%q names no process: %w", string(h), executor.LostRecord)
	}
	if e.server == nil {
		return "", false, fault.New(fault.NotFound, "process %s is that of a server: %w", out.Dir, executor.LostRemoved)
	}
	return filepath.Join(e.server.Dir, out.Dir), out.Unstarted, nil
}

// startDetached has a supervisor start the command.
func (e *Executor) startDetached(ctx context.Context, o order, output executor.Output) (executor.Instance, error) {
	if e.open.Err() != nil {
		return nil, fault.New(fault.Unavailable, "starting %s: %w", o.Args[0], executor.ErrClosed)
	}
	dir := filepath.Join(e.server.Dir, o.RunID+"-"+strings.ToLower(rand.Text()[:8]))
	h := handle{Dir: filepath.Base(dir)}.String()
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = unix.Mkfifo(filepath.Join(dir, wakeFile), 0o600)
	}
	if err == nil {
		err = writeFile(dir, orderFile, o)
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fault.Wrap(fault.Internal, err, "noting that a process is started")
	}
	if err = e.supervisor(dir); err != nil {
		return nil, errors.Join(cannotStart(o.Args[0], o.Dir, err), e.Remove(context.WithoutCancel(ctx), h))
	}
	// Even when the start was called off meanwhile: the code has begun, and what
	// it has written until it is killed is output like any other.
	return e.watch(dir, output, "")
}

// supervisor starts one, and returns when it has started the code.
func (e *Executor) supervisor(dir string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	args := append(slices.Clone(e.server.Supervisor), dir)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout = "/", w
	// It is no part of any run, and does little.
	cmd.Env = append(command.Environment(os.Environ(), nil, "/", ""), "GOMAXPROCS=2", "GOGC=50")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return fault.Wrap(fault.Internal, err, "starting the supervisor of a run")
	}
	go func() { _ = cmd.Wait() }() // so that nothing of it remains after its end
	_ = r.SetReadDeadline(time.Now().Add(supervisorLimit))
	var a answer
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	switch {
	case err != nil:
		_ = cmd.Process.Kill()
		return fault.New(fault.Internal, "the supervisor of a run has not started it: %w", err)
	case a.Errno != 0:
		return syscall.Errno(a.Errno)
	case a.Failure != "":
		return errors.New(a.Failure)
	}
	return nil
}

// lastingCommandDir is a directory with the actor command that stays.
func (e *Executor) lastingCommandDir(binary string) (string, error) {
	sum := sha256.Sum256([]byte(binary))
	dir := filepath.Join(e.server.Dir, ".path-"+hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := command.Place(binary, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, nil
}

// Attach takes a run over.
func (e *Executor) Attach(ctx context.Context, h executor.Handle, t executor.TakeOver) (executor.Instance, error) {
	dir, _, err := e.dirOf(h)
	if err != nil {
		return nil, err
	}
	// Its start may be going on.
	for deadline := time.Now().Add(supervisorLimit); ; time.Sleep(5 * time.Millisecond) {
		going := held(dir, lockFile)
		if _, err = os.Stat(filepath.Join(dir, startedFile)); err == nil {
			return e.watch(dir, executor.Spec{Output: t.Output}.Taker(), t.After)
		}
		switch {
		case ctx.Err() != nil:
			return nil, fault.Wrap(fault.Aborted, ctx.Err(), "taking process %s over", filepath.Base(dir))
		case !going || time.Now().After(deadline):
			return nil, lostRun(dir, fault.NotFound, executor.LostRemoved)
		}
	}
}

// List tells the runs of this server.
func (e *Executor) List(ctx context.Context) ([]executor.Detached, error) {
	if e.server == nil {
		return nil, nil
	}
	entries, err := os.ReadDir(e.server.Dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "looking for the runs of this server")
	}
	var found []executor.Detached
	for _, entry := range entries {
		name, dir := entry.Name(), filepath.Join(e.server.Dir, entry.Name())
		cut := strings.LastIndexByte(name, '-')
		switch {
		case !entry.IsDir() || name[0] == '.' || cut < 0:
			continue
		case strings.HasSuffix(name, removedSuffix):
			// Whoever was about to remove it did not get to the end.
			if err := finishRemoval(ctx, dir); err != nil {
				return found, err
			}
			continue
		}
		running := held(dir, lockFile)
		d := executor.Detached{RunID: name[:cut]}
		var b beginning
		if readFile(dir, startedFile, &b) == nil {
			d.Started = b.At
			_, err := os.Stat(filepath.Join(dir, exitFile))
			d.Running = running && err != nil
		}
		d.Handle = handle{Dir: name, Unstarted: d.Started.IsZero()}.String()
		found = append(found, d)
	}
	return found, nil
}

// Remove ends a run and removes what there is of it.
func (e *Executor) Remove(ctx context.Context, h executor.Handle) error {
	if h == "" {
		return nil
	}
	dir, unstarted, err := e.dirOf(h)
	if err != nil {
		return err
	}
	if unstarted {
		// With the lock in our hands no supervisor can start it any more.
		l, err := lock(dir, lockFile, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			defer l.Close()
			_, err = os.Stat(filepath.Join(dir, startedFile))
			if err == nil {
				err = fs.ErrExist
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Conflict, "process %s was not removed, for it was started after all", filepath.Base(dir))
		}
	}
	gone := dir + removedSuffix
	if err := os.Rename(dir, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Internal, err, "removing process %s", filepath.Base(dir))
	}
	if unstarted {
		return fault.Wrap(fault.Internal, os.RemoveAll(gone), "removing process %s", filepath.Base(dir))
	}
	return finishRemoval(ctx, gone)
}

// finishRemoval ends what runs still, and removes the directory.
func finishRemoval(ctx context.Context, dir string) error {
	var b beginning
	if _, err := os.Stat(filepath.Join(dir, exitFile)); err != nil && readFile(dir, startedFile, &b) == nil && b.Boot == owner.Self().Boot {
		for deadline := time.Now().Add(supervisorLimit); held(dir, lockFile) && ctx.Err() == nil && time.Now().Before(deadline); {
			if g := group.Found(b.ID, b.Mark); g.Leads() {
				_ = g.Kill()
			}
			time.Sleep(2 * time.Millisecond)
		}
		group.Reap(b.ID, b.Mark)
	}
	return fault.Wrap(fault.Internal, os.RemoveAll(dir), "removing process %s", filepath.Base(dir))
}

func lostRun(dir string, code fault.Code, why executor.Lost) error {
	err := fault.New(code, "process %s is lost: %w", filepath.Base(dir), why)
	switch why {
	case executor.LostRemoved:
		return err.WithHint("something has removed %s", dir)
	case executor.LostSupervisor:
		return err.WithHint("its supervisor must be left alone; where the system ends everything of a service, have it end the server alone (for systemd: KillMode=process)")
	}
	return err
}
