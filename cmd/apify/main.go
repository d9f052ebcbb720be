// Command apify develops, runs and ships Actors; invoked as actor, it is what
// the code inside a run calls.
package main

import (
	"os"
	_ "time/tzdata" // schedules know the same zones on every machine

	"github.com/greenroom-dev/greenroom/internal/app"
)

func main() { os.Exit(app.Main(os.Args)) }
