package kernellog

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Path is where the kernel tells which process it has ended for lack of
// memory. Not everybody may read it.
const Path = "/dev/kmsg"

// OutOfMemory says whether the kernel tells in its log that it ended a
// process of a container because the whole machine was out of memory, rather
// than the container at its limit. false when the log cannot be read.
func OutOfMemory(log, containerID string) bool {
	fd, err := unix.Open(log, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	// A record at a time, the oldest first. One that was overwritten meanwhile
	// is EPIPE.
	const records = 1 << 20
	buf := make([]byte, 16<<10)
	for range records {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.EINTR):
			continue
		case err != nil || n <= 0:
			return false
		}
		if tellsOfHost(string(buf[:n]), containerID) {
			return true
		}
	}
	return false
}

// tellsOfHost reads lines of the kernel such as
//
//	oom-kill:constraint=CONSTRAINT_NONE,…,task_memcg=/docker/<id>,task=node,pid=1,uid=0
//
// The constraint is CONSTRAINT_MEMCG at the limit of a control group.
func tellsOfHost(text, containerID string) bool {
	for line := range strings.Lines(text) {
		if strings.Contains(line, "oom-kill:constraint=") && !strings.Contains(line, "oom-kill:constraint=CONSTRAINT_MEMCG") &&
			strings.Contains(line, containerID) {
			return true
		}
	}
	return false
}
