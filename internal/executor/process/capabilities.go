package process

import (
	"context"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// Capabilities says that nothing is limited.
func (e *Executor) Capabilities(context.Context) (executor.Capabilities, error) {
	c := executor.Capabilities{Survives: e.server != nil, Notices: []string{
		"without a container engine nothing limits the memory, the processor time and the disk space of a run",
	}}
	if !canDetach {
		c.Notices = append(c.Notices, "runs end with the server on this system")
	}
	return c, nil
}
