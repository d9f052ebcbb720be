package owner

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// StartOf gives when a process started, in clock ticks since the boot, and ""
// when there is no such process or only its exit status is left. known is false
// when the system does not tell.
func StartOf(pid int) (start string, known bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		// Another user's process may be hidden; a signal finds it all the same.
		if !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return "", false
		}
		return "", true
	}
	// The second field is the command in parentheses, which may hold anything.
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return "", false
	}
	field := strings.Fields(string(data[end+1:]))
	const state, startTime = 0, 19 // proc(5) numbers them 3 and 22
	if len(field) <= startTime {
		return "", false
	}
	if field[state] == "Z" || field[state] == "X" {
		return "", true
	}
	return field[startTime], true
}

func boot() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "-"
	}
	return strings.TrimSpace(string(data))
}

// machineID holds the process namespace too: process ids mean nothing outside
// of it.
func machineID() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		id, _ = os.ReadFile("/var/lib/dbus/machine-id")
	}
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(id)) + "\x00" + namespace
}
