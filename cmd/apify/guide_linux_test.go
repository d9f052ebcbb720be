package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a command on a pseudo-terminal of its own.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	keys   *os.File
	screen *lines // all that was ever written to it
	stdout *lines
	ended  chan error
	seen   int
}

// onTerminal starts apify with its input and standard error on a terminal. What
// it writes to standard output goes there as well, or elsewhere.
func onTerminal(t *testing.T, dir string, elsewhere bool, args ...string) *terminal {
	t.Helper()
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		missing(t, err.Error())
	}
	t.Cleanup(func() { ours.Close() })
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100}); err != nil {
		t.Fatal(err)
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()

	term := &terminal{t: t, keys: ours, screen: &lines{}, stdout: &lines{}, ended: make(chan error, 1)}
	term.cmd = exec.Command(built.apify, args...)
	term.cmd.Dir = dir
	term.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "CI=", "NO_COLOR=", "GREENROOM_ACTOR="+built.actor)
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = theirs, theirs, theirs
	if elsewhere {
		term.cmd.Stdout = term.stdout
	}
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(term.screen, ours) // ends with an error once nobody has the other side
	}()
	go func() {
		err := term.cmd.Wait()
		<-read
		term.ended <- err
	}()
	t.Cleanup(func() {
		_ = term.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("screen:\n%q", term.screen)
		}
	})
	return term
}

// types waits until something new is on the screen, and then types keys.
func (term *terminal) types(after, keys string) {
	term.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if text := term.screen.String(); strings.Contains(text[term.seen:], after) {
			term.seen = len(text)
			break
		}
		if time.Now().After(deadline) {
			term.t.Fatalf("%q does not appear", after)
		}
	}
	if _, err := term.keys.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// exits waits for the end and checks the exit status.
func (term *terminal) exits(want int) {
	term.t.Helper()
	select {
	case err := <-term.ended:
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			term.t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		term.t.Fatal("the command does not end")
	}
	if got := term.cmd.ProcessState.ExitCode(); got != want {
		term.t.Errorf("exit status %d, want %d", got, want)
	}
}

// TestNothingIsAskedOfTheTerminal guards against packages that query a terminal
// when they are linked: every command would wait for its answer.
func TestNothingIsAskedOfTheTerminal(t *testing.T) {
	term := onTerminal(t, t.TempDir(), false, "--version")
	term.exits(0)
	if text := term.screen.String(); !strings.HasPrefix(text, "apify version ") || strings.Contains(text, "\x1b") {
		t.Errorf("the terminal got %q", text)
	}
}

func TestCreateAsksOnTerminals(t *testing.T) {
	t.Parallel()
	const down, enter, interrupt = "\x1b[B", "\r", "\x03"
	create := []string{"create", "--skip-dependency-install", "--skip-git-init"}

	t.Run("everything", func(t *testing.T) {
		dir := t.TempDir()
		term := onTerminal(t, dir, true, create...)
		term.types("What is the Actor called?", "_")
		term.types("_", enter)
		term.types("cannot be an Actor's name", "\x7f-one")
		term.types("-one", enter)
		term.types("In which language?", down)
		term.types("TypeScript", enter)
		term.types("From which template?", enter)
		term.exits(0)
		if _, err := os.Stat(filepath.Join(dir, "my-actor-one", "tsconfig.json")); err != nil {
			t.Error(err)
		}
		if text := term.stdout.String(); !strings.HasPrefix(text, "Created the Actor my-actor-one") || strings.Contains(text, "\x1b") {
			t.Errorf("standard output has %q", text)
		}
	})
	t.Run("what is missing", func(t *testing.T) {
		dir := t.TempDir()
		term := onTerminal(t, dir, false, append(create, "given-name", "-l", "python")...)
		term.types("From which template?", down+enter)
		term.exits(0)
		if _, err := os.Stat(filepath.Join(dir, "given-name", "my_actor", "routes.py")); err != nil {
			t.Error(err)
		}
		if text := term.screen.String(); strings.Contains(text, "called?") || strings.Contains(text, "language?") {
			t.Error("what was given is asked for")
		}
	})
	t.Run("nothing", func(t *testing.T) {
		dir := t.TempDir()
		term := onTerminal(t, dir, false, append(create, "given-name", "-t", "shell")...)
		term.exits(0)
		if text := term.screen.String(); strings.Contains(text, "\x1b") {
			t.Errorf("the terminal got %q", text)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		dir := t.TempDir()
		term := onTerminal(t, dir, false, create...)
		term.types("What is the Actor called?", enter)
		term.types("In which language?", interrupt)
		term.exits(3)
		if !strings.Contains(term.screen.String(), "interrupted: nothing was created") {
			t.Error("the interruption is not told")
		}
		if left := glob(t, filepath.Join(dir, "*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
	t.Run("JSON", func(t *testing.T) {
		term := onTerminal(t, t.TempDir(), false, append(create, "--json")...)
		term.exits(1)
	})
}
