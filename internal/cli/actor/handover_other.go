//go:build !unix

package actor

import "github.com/greenroom-dev/greenroom/internal/cmdkit"

// replaceProcess runs the program as a child: this system cannot become it. The
// console sends Ctrl-C to both.
func replaceProcess(program string, argv []string, io *cmdkit.IO) error {
	return runChild(program, argv, io)
}
