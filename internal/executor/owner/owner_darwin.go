package owner

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// zombie is the state of a process of which only the exit status is left.
const zombie = 5 // SZOMB of sys/proc.h

// StartOf gives when a process started, and "" when there is no such process or
// only its exit status is left. known is false when the system does not tell.
func StartOf(pid int) (start string, known bool) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	switch {
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ESRCH):
		// An empty answer: there is no such process.
		if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			return "", true
		}
		return "", false
	case err != nil:
		return "", false
	case int(info.Proc.P_pid) != pid, info.Proc.P_stat == zombie:
		return "", true
	}
	return fmt.Sprintf("%d.%06d", info.Proc.P_starttime.Sec, info.Proc.P_starttime.Usec), true
}

// boot is not needed: processes start at an absolute time.
func boot() string { return "-" }

func machineID() string {
	id, _ := unix.Sysctl("kern.uuid")
	return id
}
