// Command apify develops, runs and ships Actors; invoked as actor, it is what
// the code inside a run calls.
package main

import (
	"os"

	"github.com/greenroom-dev/greenroom/internal/app"
)

func main() { os.Exit(app.Main(os.Args)) }
