//go:build !linux && !darwin

package meter

import "os"

// PeakMemory is 0: the system does not say.
func PeakMemory(*os.ProcessState) int64 { return 0 }

// PeakSoFar is 0: the system does not say before a process ends.
func PeakSoFar(*os.Process) int64 { return 0 }

// Resident is 0: the system does not say.
func Resident(*os.Process) int64 { return 0 }
