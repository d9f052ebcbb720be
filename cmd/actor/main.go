// Command actor is what the code inside a run calls: the actor personality by
// itself, small and quick to start.
package main

import (
	"os"

	"github.com/greenroom-dev/greenroom/internal/cli/actor"
)

var version = "dev" // set by the linker

func main() { os.Exit(actor.Main(version)) }
