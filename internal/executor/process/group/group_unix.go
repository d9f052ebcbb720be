//go:build !windows

package group

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// Group is a process group, and those who left it with the run's mark on them.
type Group struct {
	pid   int    // of the leader, and so of the group
	begin uint64 // when the leader started, in the system's own unit
	mark  string // NAME=value in the environment of every process of the run
}

// Start starts cmd as the leader of a new group.
func Start(cmd *exec.Cmd, mark string) (*Group, error) {
	if err := start(cmd); err != nil {
		return nil, err
	}
	g := &Group{pid: cmd.Process.Pid, mark: mark}
	if p, ok := look(g.pid); ok {
		g.begin = p.begin
	}
	return g, nil
}

// ID names the group.
func (g *Group) ID() ID { return ID{PID: g.pid, Start: g.begin} }

// Terminate asks the members of the group to end.
func (g *Group) Terminate() error {
	err := syscall.Kill(-g.pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) || g.onlyDead(err) {
		return nil
	}
	return err
}

// Kill ends every process of the run. Those it finds are gone at once; it looks
// again because a process may have started another in the meantime.
func (g *Group) Kill() error {
	const rounds = 20
	for range rounds {
		err := syscall.Kill(-g.pid, syscall.SIGKILL)
		if err != nil && !errors.Is(err, syscall.ESRCH) && !g.onlyDead(err) {
			return err
		}
		live := g.members()
		for _, p := range live {
			// One that has ended by now, or has changed its user, is not ours
			// to worry about.
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		if len(live) == 0 {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// onlyDead says whether err is macOS's answer for a group that consists of
// ended processes only.
func (g *Group) onlyDead(err error) bool {
	return errors.Is(err, syscall.EPERM) && len(g.members()) == 0
}

// Release gives up what is held for the group: nothing here.
func (g *Group) Release() {}

// members lists the living processes of the run: of the group, descended from
// its leader, or marked.
func (g *Group) members() []proc {
	all := processes()
	ours := map[int]bool{g.pid: true}
	var found []proc
	// Parents may be listed after their children when process ids wrapped.
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if !ours[p.pid] && (p.group == g.pid || ours[p.parent]) && p.begin >= g.begin {
				ours[p.pid], grown = true, true
			}
		}
	}
	for _, p := range all {
		if p.pid == os.Getpid() || p.begin < g.begin {
			continue
		}
		if ours[p.pid] || marked(p.pid, g.mark) {
			found = append(found, p)
		}
	}
	return found
}

// Reap ends what is left of a run whose owner is gone, and says whether
// there was anything. Group and process numbers may have been given to others
// since: only the leader, when it started at the recorded moment, and processes
// that carry the mark count.
func Reap(id ID, mark string) bool {
	g := Group{pid: id.PID, begin: id.Start, mark: mark}
	reaped := false
	const rounds = 50
	for range rounds {
		var left []proc
		if p, ok := look(g.pid); ok && g.pid > 0 && p.begin == g.begin {
			left = g.members()
		} else {
			left = slices.DeleteFunc(processes(), func(p proc) bool {
				return p.pid == os.Getpid() || p.begin < g.begin || !marked(p.pid, mark)
			})
		}
		if len(left) == 0 {
			return reaped
		}
		reaped = true
		for _, p := range left {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return reaped
}

// ExitCode is the exit status, or 128 and the number of the signal.
func ExitCode(s *os.ProcessState) int {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.ExitCode()
}

// Found is a group that another process has started.
func Found(id ID, mark string) *Group {
	return &Group{pid: id.PID, begin: id.Start, mark: mark}
}

// Leads says whether the group's leader runs.
func (g *Group) Leads() bool {
	p, ok := look(g.pid)
	return ok && g.pid > 0 && p.begin == g.begin
}
