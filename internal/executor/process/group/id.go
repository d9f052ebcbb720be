// Package group starts a program with everything that it starts in turn, so
// that all of it can be measured and ended: a process group, or a job on
// Windows.
package group

import "strconv"

// ID names a group for good, its number being used again later.
type ID struct {
	PID   int    `json:"pid,omitempty"`
	Start uint64 `json:"start,omitempty"`
}

// Name is the number, for people, or "".
func (id ID) Name() string {
	if id.PID == 0 {
		return ""
	}
	return strconv.Itoa(id.PID)
}
