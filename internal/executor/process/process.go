// Package process runs Actors as processes of this machine, each in a group of
// its own (a job on Windows), for machines without a container engine.
package process

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
	"github.com/greenroom-dev/greenroom/internal/executor/process/command"
	"github.com/greenroom-dev/greenroom/internal/executor/process/group"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const loopback = "127.0.0.1"

// Executor runs commands on this machine.
type Executor struct {
	state  *stateDir
	server *Server // nil when things end with us

	open  context.Context // ends with Close
	close context.CancelFunc

	mu       sync.Mutex
	commands map[string]string // actor binary to the directory on the PATH with it
}

var _ executor.Executor = (*Executor)(nil)

// New returns an Executor. It touches nothing until something is started.
func New() (*Executor, error) {
	state, err := newStateDir()
	if err != nil {
		return nil, err
	}
	e := &Executor{state: state, commands: map[string]string{}}
	e.open, e.close = context.WithCancel(context.Background())
	return e, nil
}

// Server lets what it starts outlive it.
type Server struct {
	// Dir is the server's own directory for what it runs. One process at a time
	// uses it.
	Dir string
	// Supervisor is a command that calls Supervise with one more argument. A
	// server starts one for each run.
	Supervisor []string
}

// NewServer returns an Executor for a server. Where that is not possible, on
// Windows, things end with the server as usual; Capabilities tells.
func NewServer(s Server) (*Executor, error) {
	e, err := New()
	if err != nil || !canDetach {
		return e, err
	}
	if s.Dir, err = filepath.Abs(s.Dir); err == nil {
		err = os.MkdirAll(s.Dir, 0o700)
	}
	if err == nil {
		err = isPrivate(s.Dir)
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "the directory %s, where running processes are noted, cannot be used: %w", s.Dir, err)
	}
	e.server = &s
	return e, nil
}

// Name gives "process".
func (e *Executor) Name() string { return "process" }

// Endpoint is loopback: the code runs on this machine.
func (e *Executor) Endpoint(context.Context) (executor.Endpoint, error) {
	return executor.Endpoint{ListenIP: loopback, Host: loopback}, nil
}

// Close removes what was prepared for the code. Instances that still run lose
// their actor command, unless they are detached; they do not end.
func (e *Executor) Close() error {
	e.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, dir := range e.commands {
		if e.server != nil {
			break
		}
		errs = append(errs, os.RemoveAll(dir))
	}
	clear(e.commands)
	e.state.removeIfEmpty()
	if err := errors.Join(errs...); err != nil {
		return fault.Wrap(fault.Internal, err, "removing the actor command")
	}
	return nil
}

// Start starts spec.Command in spec.Dir. Errors are fault.RunFailed when the
// command cannot be started.
func (e *Executor) Start(ctx context.Context, spec executor.Spec) (executor.Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Aborted, err, "the command was not started")
	}
	if len(spec.Command) == 0 {
		return nil, fault.New(fault.RunFailed, "there is no command to start in %s", spec.Dir)
	}
	dir, err := filepath.Abs(spec.Dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the working directory %q", spec.Dir)
	}
	commandDir := ""
	if spec.ActorBinary != "" {
		if commandDir, err = e.commandDir(spec.ActorBinary); err != nil {
			return nil, err
		}
	}
	env := command.Environment(os.Environ(), spec.Env, dir, commandDir)
	mark := markOf(spec.Env, spec.RunID)
	if mark != "" && !command.Contains(env, mark) {
		env = append(env, mark)
	}
	path, err := command.LookPath(spec.Command[0], dir, command.Value(env, "PATH"))
	if err != nil {
		return nil, cannotStart(spec.Command[0], dir, err)
	}

	o := order{
		RunID: spec.RunID, Mark: mark, Path: path, Args: spec.Command, Dir: dir, Env: env, Boot: owner.Self().Boot,
	}
	if e.server != nil {
		return e.startDetached(ctx, o, spec.Taker())
	}

	// The record comes first: whoever finds it after a crash can find by the
	// mark what was started.
	rec, err := e.state.record(spec.RunID, mark)
	if err != nil {
		return nil, err
	}
	stdout, stderr := spec.Writers()
	c, err := launch(o, stdout, stderr)
	if err != nil {
		rec.remove()
		return nil, cannotStart(spec.Command[0], dir, err)
	}
	i := &instance{child: c, record: rec, done: make(chan struct{})}
	err = rec.started(i.group.ID())
	if err == nil && ctx.Err() != nil {
		err = fault.Wrap(fault.Aborted, ctx.Err(), "starting %s", spec.Command[0])
	}
	go i.supervise()
	if err != nil {
		_ = i.Kill(context.WithoutCancel(ctx))
		<-i.done
		return nil, err
	}
	return i, nil
}

// order is what to start. The names are those of a file that supervisors read.
type order struct {
	RunID string   `json:"runId"`
	Mark  string   `json:"mark"`
	Path  string   `json:"path"`
	Args  []string `json:"args"`
	Dir   string   `json:"dir"`
	Env   []string `json:"env"`
	Boot  string   `json:"boot"`
}

// child is a command that was started.
type child struct {
	cmd            *exec.Cmd
	group          *group.Group
	stdout, stderr *output
}

// launch starts the command with its output going to pipes. What cannot be
// executed as a program is given to the shell, as shells do with scripts that
// do not name their interpreter.
func launch(o order, toStdout, toStderr io.Writer) (*child, error) {
	stdout, stdoutEnd, err := newOutput(toStdout)
	if err != nil {
		return nil, err
	}
	stderr, stderrEnd, err := newOutput(toStderr)
	if err != nil {
		stdout.close()
		stdoutEnd.Close()
		return nil, err
	}
	defer stdoutEnd.Close()
	defer stderrEnd.Close()

	program := func(path string, args []string) *exec.Cmd {
		return &exec.Cmd{Path: path, Args: args, Dir: o.Dir, Env: o.Env, Stdout: stdoutEnd, Stderr: stderrEnd}
	}
	cmd := program(o.Path, o.Args)
	members, err := group.Start(cmd, o.Mark)
	if errors.Is(err, syscall.ENOEXEC) {
		if shell, shellErr := command.LookPath("sh", o.Dir, command.Value(o.Env, "PATH")); shellErr == nil {
			cmd = program(shell, append([]string{"sh", o.Path}, o.Args[1:]...))
			members, err = group.Start(cmd, o.Mark)
		}
	}
	if err != nil {
		stdout.close()
		stderr.close()
		return nil, err
	}
	stdout.start()
	stderr.start()
	return &child{cmd: cmd, group: members, stdout: stdout, stderr: stderr}, nil
}

// cannotStart makes an error for people of what the system says.
func cannotStart(command, dir string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	out := fault.New(fault.RunFailed, "the start command %q does not start in %s: %w", command, dir, err)
	switch info, statErr := os.Stat(dir); {
	case statErr != nil || !info.IsDir():
		return out.WithHint("the working directory must exist")
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return out.WithHint("install it, or name another command with --entrypoint; a script may also name an interpreter that does not exist")
	case errors.Is(err, fs.ErrPermission):
		return out.WithHint("make it executable with chmod +x")
	}
	return out
}

// commandDir is a private directory that holds the actor command and nothing
// else, made at the first use.
func (e *Executor) commandDir(binary string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if dir, ok := e.commands[binary]; ok {
		return dir, nil
	}
	target, err := filepath.Abs(binary)
	if err == nil {
		_, err = os.Stat(target)
	}
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the actor command cannot be found")
	}
	if e.server != nil {
		dir, err := e.lastingCommandDir(target)
		if err != nil {
			return "", fault.Wrap(fault.Internal, err, "putting the actor command on the PATH")
		}
		e.commands[binary] = dir
		return dir, nil
	}
	dir, err := e.state.newCommandDir()
	if err != nil {
		return "", err
	}
	if err := command.Place(target, dir); err != nil {
		_ = os.RemoveAll(dir)
		return "", fault.Wrap(fault.Internal, err, "putting the actor command on the PATH")
	}
	e.commands[binary] = dir
	return dir, nil
}

// markOf is the variable by which processes of a run are known: the run's own
// id where the environment has it, else one of ours.
func markOf(env []string, runID string) string {
	if runID == "" || strings.ContainsRune(runID, 0) {
		return ""
	}
	if own := "ACTOR_RUN_ID=" + runID; command.Contains(env, own) {
		return own
	}
	return "GREENROOM_RUN_ID=" + runID
}
