package group

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// ticksPerSecond is the unit of times in /proc, the same on every architecture
// that Go runs on.
const ticksPerSecond = 100

// proc is one process as the system lists it, with what it has used. The ticks
// count those of its children that have ended.
type proc struct {
	pid, parent, group  int
	begin, ticks, pages uint64
}

// spawner starts processes on one thread that never ends: the signal that
// children get at their parent's death is sent when the thread that started
// them dies, and Go ends threads as it pleases.
var spawner = sync.OnceValue(func() chan<- func() {
	jobs := make(chan func())
	go func() {
		runtime.LockOSThread()
		for job := range jobs {
			job()
		}
	}()
	return jobs
})

func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	result := make(chan error)
	spawner() <- func() { result <- cmd.Start() }
	return <-result
}

// AwaitEnd blocks until the leader has ended and leaves its exit status for
// whoever asks next.
func (g *Group) AwaitEnd() {
	for {
		err := unix.Waitid(unix.P_PID, g.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// Usage adds up the living members.
func (g *Group) Usage() (executor.Usage, bool) {
	var ticks, pages uint64
	members := g.members()
	for _, p := range members {
		ticks += p.ticks
		pages += p.pages
	}
	return executor.Usage{
		MemoryBytes: int64(pages) * int64(os.Getpagesize()),
		CPUTime:     time.Duration(ticks) * time.Second / ticksPerSecond,
	}, len(members) > 0
}

// processes lists what lives.
func processes() []proc {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	list := make([]proc, 0, len(names))
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if pid, err := strconv.Atoi(name); err == nil {
			if p, ok := look(pid); ok {
				list = append(list, p)
			}
		}
	}
	return list
}

// look reads one process. ok is false when it does not exist or when only its
// exit status is left.
func look(pid int) (p proc, ok bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	// The second field is the command in parentheses, which may hold anything.
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return proc{}, false
	}
	// Numbered as in proc(5); the third field comes first here.
	const (
		state = iota + 3 - 3
		parent
		processGroup
		userTime  = 14 - 3
		childTime = 17 - 3 // the last of four times
		begin     = 22 - 3
		resident  = 24 - 3
	)
	field := strings.Fields(string(data[end+1:]))
	if len(field) <= resident || field[state] == "Z" || field[state] == "X" {
		return proc{}, false
	}
	number := func(i int) uint64 {
		n, _ := strconv.ParseInt(field[i], 10, 64)
		return uint64(max(0, n))
	}
	p = proc{pid: pid, parent: int(number(parent)), group: int(number(processGroup)), begin: number(begin)}
	for i := userTime; i <= childTime; i++ {
		p.ticks += number(i)
	}
	p.pages = number(resident)
	return p, true
}

// marked says whether a process was started with the mark in its environment.
func marked(pid int, mark string) bool {
	if mark == "" {
		return false
	}
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	return err == nil && hasEntry(data, mark)
}

// hasEntry looks for an entry among those that zero bytes end.
func hasEntry(data []byte, entry string) bool {
	for line := range bytes.SplitSeq(data, []byte{0}) {
		if string(line) == entry {
			return true
		}
	}
	return false
}
