//go:build !windows

package process

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// group is a process group, and those who left it with the run's mark on them.
type group struct {
	pid   int    // of the leader, and so of the group
	begin uint64 // when the leader started, in the system's own unit
	mark  string // NAME=value in the environment of every process of the run
}

// startGroup starts cmd as the leader of a new group.
func startGroup(cmd *exec.Cmd, mark string) (*group, error) {
	if err := start(cmd); err != nil {
		return nil, err
	}
	g := &group{pid: cmd.Process.Pid, mark: mark}
	if p, ok := look(g.pid); ok {
		g.begin = p.begin
	}
	return g, nil
}

func (g *group) id() groupID { return groupID{PID: g.pid, Start: g.begin} }

func (g *group) terminate() error {
	err := syscall.Kill(-g.pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) || g.onlyDead(err) {
		return nil
	}
	return err
}

// kill ends every process of the run. Those it finds are gone at once; it looks
// again because a process may have started another in the meantime.
func (g *group) kill() error {
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
func (g *group) onlyDead(err error) bool {
	return errors.Is(err, syscall.EPERM) && len(g.members()) == 0
}

func (g *group) release() {}

// members lists the living processes of the run: of the group, descended from
// its leader, or marked.
func (g *group) members() []proc {
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

// reapGroup ends what is left of a run whose owner is gone, and says whether
// there was anything. Group and process numbers may have been given to others
// since: only the leader, when it started at the recorded moment, and processes
// that carry the mark count.
func reapGroup(id groupID, mark string) bool {
	g := group{pid: id.PID, begin: id.Start, mark: mark}
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

func exitCode(s *os.ProcessState) int {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.ExitCode()
}

// placeCommand makes dir/actor lead to binary.
func placeCommand(binary, dir string) error {
	return os.Symlink(binary, filepath.Join(dir, "actor"))
}

// sameName says whether two environment variables are the same.
func sameName(a, b string) bool { return a == b }

// executable says under which name file can be executed.
func executable(file string) (string, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", syscall.EISDIR
	case info.Mode()&0o111 == 0:
		return "", fs.ErrPermission
	}
	return file, nil
}
