package main

import (
	"os"
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
