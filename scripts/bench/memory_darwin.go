package main

import (
	"os"
	"syscall"
)

// peakMemory is the most memory a process had resident, in bytes; 0 when the
// system does not say.
func peakMemory(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss
	}
	return 0
}

// peakSoFar is 0: the system does not say before a process ends.
func peakSoFar(*os.Process) int64 { return 0 }
