package group

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	gopsutil "github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/windows"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// killedStatus is what processes exit with that Kill ended, as elsewhere.
const killedStatus = 128 + 9

// Group is a job. The system ends everything in it when its last handle is
// closed, so nothing outlives us, however we end.
type Group struct {
	pid  int
	job  windows.Handle
	main windows.Handle
}

// Start starts cmd in a new job. It is held until it is part of the job:
// what it starts before would not be.
func Start(cmd *exec.Cmd, _ string) (*Group, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateJobObject", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE},
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		windows.CloseHandle(job)
		return nil, os.NewSyscallError("SetInformationJobObject", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_SUSPENDED}
	if err := cmd.Start(); err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	g := &Group{pid: cmd.Process.Pid, job: job}
	if err := g.admit(); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		g.Release()
		return nil, err
	}
	return g, nil
}

// admit makes the held process part of the job and lets it go.
func (g *Group) admit() error {
	const access = windows.PROCESS_SET_QUOTA | windows.PROCESS_TERMINATE | windows.SYNCHRONIZE
	h, err := windows.OpenProcess(access, false, uint32(g.pid))
	if err != nil {
		return os.NewSyscallError("OpenProcess", err)
	}
	g.main = h
	if err := windows.AssignProcessToJobObject(g.job, h); err != nil {
		return os.NewSyscallError("AssignProcessToJobObject", err)
	}
	return resume(uint32(g.pid))
}

// resume lets the threads of a process run. A new one has a single thread.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return os.NewSyscallError("CreateToolhelp32Snapshot", err)
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return os.NewSyscallError("OpenThread", err)
		}
		_, err = windows.ResumeThread(thread)
		windows.CloseHandle(thread)
		return os.NewSyscallError("ResumeThread", err)
	}
	return os.NewSyscallError("Thread32Next", err)
}

// ID names the group.
func (g *Group) ID() ID { return ID{PID: g.pid} }

// AwaitEnd blocks until the command has ended.
func (g *Group) AwaitEnd() {
	_, _ = windows.WaitForSingleObject(g.main, windows.INFINITE)
}

// Terminate sends Ctrl-Break, the one request to end that goes to a group.
func (g *Group) Terminate() error {
	return os.NewSyscallError("GenerateConsoleCtrlEvent", windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(g.pid)))
}

// Kill ends every process of the job.
func (g *Group) Kill() error {
	return os.NewSyscallError("TerminateJobObject", windows.TerminateJobObject(g.job, killedStatus))
}

// Release gives up the job, which ends what is left in it.
func (g *Group) Release() {
	if g.main != 0 {
		windows.CloseHandle(g.main)
	}
	windows.CloseHandle(g.job)
}

// accounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION; times are in 100 ns.
type accounting struct {
	TotalUserTime, TotalKernelTime           int64
	ThisPeriodUserTime, ThisPeriodKernelTime int64
	TotalPageFaultCount, TotalProcesses      uint32
	ActiveProcesses, TotalTerminated         uint32
}

// processList is JOBOBJECT_BASIC_PROCESS_ID_LIST with room for a thousand.
type processList struct {
	Assigned, Listed uint32
	IDs              [1024]uintptr
}

// Usage adds up the living members.
func (g *Group) Usage() (executor.Usage, bool) {
	const basicAccounting, processIDs = 1, 3 // of JOBOBJECTINFOCLASS
	var a accounting
	err := windows.QueryInformationJobObject(g.job, basicAccounting, uintptr(unsafe.Pointer(&a)), uint32(unsafe.Sizeof(a)), nil)
	if err != nil || a.ActiveProcesses == 0 {
		return executor.Usage{}, false
	}
	u := executor.Usage{CPUTime: time.Duration(a.TotalUserTime+a.TotalKernelTime) * 100}
	var list processList
	err = windows.QueryInformationJobObject(g.job, processIDs, uintptr(unsafe.Pointer(&list)), uint32(unsafe.Sizeof(list)), nil)
	if err != nil && !errors.Is(err, windows.ERROR_MORE_DATA) {
		return u, true
	}
	for _, id := range list.IDs[:min(int(list.Listed), len(list.IDs))] {
		p := gopsutil.Process{Pid: int32(id)}
		if memory, err := p.MemoryInfo(); err == nil {
			u.MemoryBytes += int64(memory.RSS)
		}
	}
	return u, true
}

// Reap has nothing to do: the job ended with its owner.
func Reap(ID, string) bool { return false }

// ExitCode is the exit status.
func ExitCode(s *os.ProcessState) int { return s.ExitCode() }
