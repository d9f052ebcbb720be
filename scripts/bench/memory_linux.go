package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// peakMemory is the most memory a process had resident, in bytes; 0 when the
// system does not say.
func peakMemory(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss * 1024 // Linux counts in KiB
	}
	return 0
}

// peakSoFar is the most memory a process that runs had resident, in bytes. What
// its parent had before it is not in it, other than in peakMemory.
func peakSoFar(process *os.Process) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(after, []byte(" kB"))
	kibibytes, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	return kibibytes * 1024
}
