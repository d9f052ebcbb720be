//go:build !windows

package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/process/group"
	"github.com/greenroom-dev/greenroom/internal/executor/process/spool"
)

// Supervise is the life of a supervisor: it starts the one run whose directory
// is the argument, keeps its output and notes how it ends. The server that
// wanted it may be gone at any moment. The result is an exit status.
func Supervise(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "a supervisor is started by a server only")
		return 2
	}
	// What a terminal or the system asks of everybody is asked of the run too;
	// the supervisor sees it to its end. Ignoring the signals instead would make
	// the run ignore them.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	s := supervisor{dir: args[0]}
	if err := s.run(); err != nil {
		s.answer(err)
		return 1
	}
	return 0
}

type supervisor struct {
	dir      string
	wakePipe int
	answered bool
}

// answer tells the server once whether the code was started.
func (s *supervisor) answer(err error) {
	if s.answered {
		return
	}
	s.answered = true
	var a answer
	if err != nil {
		a.Failure = err.Error()
		var errno syscall.Errno
		if errors.As(err, &errno) {
			a.Errno = int(errno)
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(a)
	os.Stdout.Close()
}

func (s *supervisor) run() error {
	own, err := lock(s.dir, lockFile, unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer own.Close()
	// The server may have given the start up while we waited for the lock.
	mine, err := own.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(own.Name()); err != nil || !os.SameFile(mine, there) {
		return errors.New("the run was removed before it was started")
	}
	var o order
	if err := readFile(s.dir, orderFile, &o); err != nil {
		return err
	}
	s.wakePipe, err = unix.Open(filepath.Join(s.dir, wakeFile), unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	w := &spool.Writer{Dir: s.dir, Wake: s.wake, Read: func() bool { return held(s.dir, readerFile) }}
	c, err := launch(o, w.Stream(executor.Stdout), w.Stream(executor.Stderr))
	if err != nil {
		return err
	}
	err = writeFile(s.dir, startedFile, beginning{RunID: o.RunID, Mark: o.Mark, Boot: o.Boot, At: time.Now(), ID: c.group.ID()})
	if err != nil {
		_ = c.group.Kill()
		_ = c.await()
		return err
	}
	// It holds secrets, and nobody needs it any more.
	_ = os.Remove(filepath.Join(s.dir, orderFile))
	s.answer(nil)

	c.group.AwaitEnd()
	// The leader's exit status is not collected yet, so that the group's number
	// is still ours.
	_ = c.group.Kill()
	exit := ending{Code: -1}
	if err := c.await(); err == nil {
		exit.Code = group.ExitCode(c.cmd.ProcessState)
	}
	if err := w.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	// A full disk may have room again later. There is nothing to note any more
	// when the run was removed.
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := writeFile(s.dir, exitFile, exit)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return err
		}
		time.Sleep(pause)
	}
}

// wake makes the reader look. A full pipe wakes it as well.
func (s *supervisor) wake() { _, _ = unix.Write(s.wakePipe, []byte{0}) }

// await collects the leader's exit status and what is left of the output.
func (c *child) await() error {
	err := c.cmd.Wait()
	c.group.Release()
	c.stdout.drain()
	c.stderr.drain()
	if c.cmd.ProcessState == nil {
		return err
	}
	return nil
}
