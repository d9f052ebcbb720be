//go:build !windows

package process

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
	"github.com/greenroom-dev/greenroom/internal/executor/process/group"
	"github.com/greenroom-dev/greenroom/internal/executor/process/spool"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// supervised is a run that has a supervisor of its own.
type supervised struct {
	dir     string
	begun   beginning
	group   *group.Group
	wake    *waker
	reading *os.File // the lock of whoever takes the output
	spool   *spool.Reader
	output  executor.Output
	refused bool // output gets nothing more

	done chan struct{} // closed when exit and err are set
	exit executor.Exit
	err  error
}

// watch follows a run from a position of its output on.
func (e *Executor) watch(dir string, output executor.Output, after executor.Position) (*supervised, error) {
	if e.open.Err() != nil {
		return nil, fault.New(fault.Unavailable, "process %s: %w", filepath.Base(dir), executor.ErrClosed)
	}
	s := &supervised{dir: dir, output: output, done: make(chan struct{})}
	err := readFile(dir, startedFile, &s.begun)
	if err != nil {
		return nil, lostRun(dir, fault.NotFound, executor.LostRecord)
	}
	if s.spool, err = spool.Open(dir, after); err != nil {
		return nil, err
	}
	s.reading, err = lock(dir, readerFile, unix.LOCK_SH)
	if err == nil {
		s.wake, err = newWaker(dir)
	}
	if err != nil {
		if s.reading != nil {
			s.reading.Close()
		}
		return nil, fault.Wrap(fault.Internal, err, "taking process %s over", filepath.Base(dir))
	}
	s.group = group.Found(s.begun.ID, s.begun.Mark)
	go s.supervise(e.open)
	return s, nil
}

// ID gives the process id.
func (s *supervised) ID() string { return s.begun.Name() }

func (s *supervised) Handle() executor.Handle { return handle{Dir: filepath.Base(s.dir)}.String() }

func (s *supervised) Wait(ctx context.Context) (executor.Exit, error) {
	if err := executor.Await(ctx, s.done); err != nil {
		return executor.Exit{}, err
	}
	return s.exit, s.err
}

// supervise takes the output until the supervisor has ended.
func (s *supervised) supervise(ctx context.Context) {
	defer close(s.done)
	defer s.spool.Close()
	defer s.reading.Close()
	defer s.wake.close()
	for ended := false; ; ended = s.wake.wait(ctx) {
		if ctx.Err() != nil {
			s.err = fault.New(fault.Unavailable, "process %s: %w", filepath.Base(s.dir), executor.ErrClosed)
			return
		}
		// What was there before the end was seen is everything.
		err := s.take(ctx)
		if ended {
			s.exit, s.err = s.judge()
			s.err = errors.Join(s.err, err)
			return
		}
	}
}

// take passes on what there is.
func (s *supervised) take(ctx context.Context) error {
	for ctx.Err() == nil {
		pieces, at, err := s.spool.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !s.refused {
			s.refused = s.output(pieces, at) != nil
		}
		s.spool.Forget()
	}
	return nil
}

// judge says how the run has ended, and sees to it that it has.
func (s *supervised) judge() (executor.Exit, error) {
	var e ending
	err := readFile(s.dir, exitFile, &e)
	if err == nil {
		return executor.Exit{Code: e.Code}, nil
	}
	why := executor.LostSupervisor
	if s.begun.Boot != owner.Self().Boot {
		why = executor.LostReboot
	} else {
		group.Reap(s.begun.ID, s.begun.Mark)
	}
	if _, err := os.Stat(s.dir); err != nil {
		why = executor.LostRemoved
	}
	return executor.Exit{}, lostRun(s.dir, fault.RunFailed, why)
}

func (s *supervised) Terminate(context.Context) error {
	return s.signal("asking process %s to end", (*group.Group).Terminate)
}

func (s *supervised) Kill(context.Context) error {
	return s.signal("killing process %s", (*group.Group).Kill)
}

// signal sends a signal to the group while its leader runs: once that has
// ended, the supervisor ends the others and the number may be another's.
func (s *supervised) signal(doing string, send func(*group.Group) error) error {
	if s.begun.Boot != owner.Self().Boot || !s.group.Leads() {
		return nil
	}
	return fault.Wrap(fault.Internal, send(s.group), doing, s.ID())
}

func (s *supervised) Usage(context.Context) (executor.Usage, bool) {
	if s.begun.Boot != owner.Self().Boot || !s.group.Leads() {
		return executor.Usage{}, false
	}
	return s.group.Usage()
}
