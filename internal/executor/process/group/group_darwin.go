package group

import (
	"bytes"
	"os/exec"
	"syscall"
	"time"

	gopsutil "github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// zombie is the state of a process of which only the exit status is left.
const zombie = 5 // SZOMB of sys/proc.h

// proc is one process as the system lists it.
type proc struct {
	pid, parent, group int
	begin              uint64
}

func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

// AwaitEnd blocks until the leader has ended and leaves its exit status for
// whoever asks next.
func (g *Group) AwaitEnd() {
	queue, err := unix.Kqueue()
	if err != nil {
		return
	}
	defer unix.Close(queue)
	var event unix.Kevent_t
	unix.SetKevent(&event, g.pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	event.Fflags = unix.NOTE_EXIT
	for {
		// An error means that the process has ended already.
		if n, err := unix.Kevent(queue, []unix.Kevent_t{event}, make([]unix.Kevent_t, 1), nil); err != unix.EINTR || n > 0 {
			return
		}
	}
}

// Usage adds up the living members.
func (g *Group) Usage() (executor.Usage, bool) {
	var u executor.Usage
	members := g.members()
	for _, m := range members {
		p := gopsutil.Process{Pid: int32(m.pid)}
		if memory, err := p.MemoryInfo(); err == nil {
			u.MemoryBytes += int64(memory.RSS)
		}
		if times, err := p.Times(); err == nil {
			u.CPUTime += time.Duration((times.User + times.System) * float64(time.Second))
		}
	}
	return u, len(members) > 0
}

// processes lists what lives.
func processes() []proc {
	infos, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil
	}
	list := make([]proc, 0, len(infos))
	for i := range infos {
		if p, ok := procOf(&infos[i]); ok {
			list = append(list, p)
		}
	}
	return list
}

// look reads one process. ok is false when it does not exist or when only its
// exit status is left.
func look(pid int) (proc, bool) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(info.Proc.P_pid) != pid {
		return proc{}, false
	}
	return procOf(info)
}

func procOf(info *unix.KinfoProc) (proc, bool) {
	begin := info.Proc.P_starttime
	return proc{
		pid: int(info.Proc.P_pid), parent: int(info.Eproc.Ppid), group: int(info.Eproc.Pgid),
		begin: uint64(begin.Sec)*1_000_000 + uint64(begin.Usec),
	}, info.Proc.P_stat != zombie
}

// marked says whether a process was started with the mark in its environment,
// which the system keeps after the arguments.
func marked(pid int, mark string) bool {
	if mark == "" {
		return false
	}
	data, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil {
		return false
	}
	for line := range bytes.SplitSeq(data, []byte{0}) {
		if string(line) == mark {
			return true
		}
	}
	return false
}
