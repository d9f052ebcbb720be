package meter

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// PeakMemory is the most memory a process had resident, in bytes; 0 when the
// system does not say.
func PeakMemory(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss * 1024 // Linux counts in KiB
	}
	return 0
}

// PeakSoFar is the most memory a process that runs had resident, in bytes. What
// its parent had before it is not in it, other than in PeakMemory.
func PeakSoFar(process *os.Process) int64 { return status(process, "VmHWM:") }

// Resident is the memory that a process has resident now, in bytes; 0 when the
// system does not say.
func Resident(process *os.Process) int64 { return status(process, "VmRSS:") }

// status reads a line of what the kernel says of a process.
func status(process *os.Process, name string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(text, []byte(name))
	line, _, _ := bytes.Cut(after, []byte(" kB"))
	kibibytes, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	return kibibytes * 1024
}
