// Package owner says which process something belongs to, and whether that
// process still lives, so that what a killed process left behind can be told
// from what another one is using.
package owner

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"sync"
)

// Owner is a process: of which machine, of which boot of it, its id there, and
// when it started, which tells it from a later one with the same id.
type Owner struct {
	// Machine is a digest of what tells machines apart, the same after a reboot.
	Machine string
	// Boot is the boot that Start counts from, "-" where it is absolute time.
	Boot string
	PID  int
	// Start is opaque; only equality means anything.
	Start string
}

// State is what is known of an owner.
type State int

const (
	Alive   State = iota // the process runs
	Gone                 // the process of this boot has ended
	Earlier              // it ran before this machine was started anew
	Foreign              // it is of another machine, or nobody can tell
)

// Self is this process.
func Self() Owner { return self() }

var self = sync.OnceValue(func() Owner {
	start, _ := StartOf(os.Getpid())
	return Owner{Machine: machine(), Boot: boot(), PID: os.Getpid(), Start: start}
})

// String gives the owner as one word of letters, digits, "-" and "/".
func (o Owner) String() string {
	return strings.Join([]string{o.Machine, o.Boot, strconv.Itoa(o.PID), o.Start}, "/")
}

// Parse reads what String gave. ok is false for anything else.
func Parse(s string) (o Owner, ok bool) {
	part := strings.Split(s, "/")
	if len(part) != 4 || part[0] == "" || part[1] == "" || part[3] == "" {
		return Owner{}, false
	}
	pid, err := strconv.Atoi(part[2])
	if err != nil || pid <= 0 {
		return Owner{}, false
	}
	return Owner{Machine: part[0], Boot: part[1], PID: pid, Start: part[3]}, true
}

// State says what became of the owner. When in doubt it is alive or foreign:
// what it owns must not be touched then.
func (o Owner) State() State {
	me := Self()
	switch {
	case o.Machine != me.Machine:
		return Foreign
	case o.Boot != me.Boot:
		return Earlier
	}
	if Runs(o.PID, o.Start) {
		return Alive
	}
	return Gone
}

// Runs says whether the process with this id and start still runs. It does when
// it cannot be told.
func Runs(pid int, start string) bool {
	now, known := StartOf(pid)
	if !known {
		return true
	}
	return now != "" && now == start
}

// machine tells this machine, and with containers this process namespace, from
// others. It is hashed because it leaves the machine when an engine is remote.
func machine() string {
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte(host + "\x00" + machineID()))
	return hex.EncodeToString(sum[:8])
}
