//go:build !linux && !darwin && !windows

package actor

import (
	"runtime"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func systemMemory() (total, free uint64, err error) {
	return 0, 0, fault.New(fault.NotImplemented, "how much memory there is cannot be read on %s", runtime.GOOS)
}
