package meter

import (
	"os"
	"syscall"
)

// PeakMemory is the most memory a process had resident, in bytes; 0 when the
// system does not say.
func PeakMemory(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss
	}
	return 0
}

// PeakSoFar is 0: the system does not say before a process ends.
func PeakSoFar(*os.Process) int64 { return 0 }

// Resident is 0: the system does not say.
func Resident(*os.Process) int64 { return 0 }
