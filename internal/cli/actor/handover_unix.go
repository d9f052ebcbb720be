//go:build unix

package actor

import (
	"os"
	"syscall"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// replaceProcess becomes the program, so that signals and the exit status are
// its own. Streams that are not this process's force a child instead.
func replaceProcess(program string, argv []string, io *cmdkit.IO) error {
	if io.In != os.Stdin || io.Out != os.Stdout || io.Err != os.Stderr {
		return runChild(program, argv, io)
	}
	return fault.Wrap(fault.Unavailable, syscall.Exec(program, argv, os.Environ()), "start %s", program)
}
