package run

import (
	"math"
	"math/bits"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Limits of a run's memory in mebibytes, and what it gets when nobody says.
// Source: the platform's documentation of usage and resources; the default is
// what the official CLI gives a new Actor.
const (
	MinMemoryMbytes     = 128
	MaxMemoryMbytes     = 32768
	DefaultMemoryMbytes = 4096
)

// MemoryPerCore is how much memory comes with one core, in mebibytes.
const MemoryPerCore = 4096

// CheckMemory refuses what the platform refuses: anything but a power of two
// from 128 to 32768.
func CheckMemory(mbytes int) error {
	if mbytes < MinMemoryMbytes || mbytes > MaxMemoryMbytes || bits.OnesCount(uint(mbytes)) != 1 {
		return fault.New(fault.InvalidInput, "memory must be a power of two from %d to %d MB, got %d",
			MinMemoryMbytes, MaxMemoryMbytes, mbytes).WithType("invalid-value")
	}
	return nil
}

// CheckTimeout refuses negative time limits and those that overflow a duration.
// 0 means no limit.
func CheckTimeout(secs int) error {
	if secs < 0 || int64(secs) > math.MaxInt64/int64(time.Second) {
		return fault.New(fault.InvalidInput, "timeout must be 0 (none) or a number of seconds, got %d", secs).
			WithType("invalid-value")
	}
	return nil
}

// Options gives the limits of a run: what was asked for, else the Actor's
// default, else the platform's. Disk is twice the memory, as on the platform.
func Options(build string, timeoutSecs, memoryMbytes *int, actorDefaultMbytes int) (api.RunOptions, error) {
	o := api.RunOptions{Build: build, MemoryMbytes: DefaultMemoryMbytes}
	if o.Build == "" {
		o.Build = "latest"
	}
	if actorDefaultMbytes > 0 {
		o.MemoryMbytes = actorDefaultMbytes
	}
	if memoryMbytes != nil {
		o.MemoryMbytes = *memoryMbytes
	}
	if err := CheckMemory(o.MemoryMbytes); err != nil {
		return api.RunOptions{}, err
	}
	if timeoutSecs != nil {
		if err := CheckTimeout(*timeoutSecs); err != nil {
			return api.RunOptions{}, err
		}
		o.TimeoutSecs = *timeoutSecs
	}
	o.DiskMbytes = 2 * o.MemoryMbytes
	return o, nil
}

// Finish gives the status and the default status message of a run whose code
// ended by itself with exitCode.
func Finish(exitCode int) api.Status {
	if exitCode == 0 {
		return api.StatusSucceeded
	}
	return api.StatusFailed
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
