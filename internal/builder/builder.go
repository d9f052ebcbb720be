// Package builder turns an Actor's source into something an executor can start:
// an image, or a prepared directory with a start command.
package builder

import (
	"context"
	"io"

	"github.com/greenroom-dev/greenroom/internal/definition"
)

// Builder prepares an Actor. Safe for concurrent use.
type Builder interface {
	// Build prepares the Actor for its executor. Progress and tool output go to
	// req.Log as they are produced. Errors of the user's source (a Dockerfile
	// that does not build, no start command) are fault.RunFailed or
	// fault.InvalidInput with a hint.
	Build(ctx context.Context, req Request) (Result, error)
}

// Request says what to build.
type Request struct {
	Actor *definition.Actor
	// NoCache builds every step anew; Rebuild asks the engine even when the
	// source is unchanged.
	NoCache, Rebuild bool
	// Entrypoint, when not empty, is the user's own choice of what to start
	// (process executor only).
	Entrypoint string
	// Install installs the Actor's dependencies before anything else (directories
	// only; images do that by their Dockerfiles), in an environment of its own.
	Install bool
	// Args are build arguments for Dockerfiles that ask for them, and variables
	// for what is run in a directory.
	Args map[string]string
	// Name and Labels are those of the image; "" names it after the directory.
	Name   string
	Labels map[string]string
	Log    io.Writer
}

// Result is what an executor.Spec needs of the source. Either Image is set, or
// Dir and Command.
type Result struct {
	Image   string
	Dir     string
	Command []string
	// Env is added below the run's environment: VIRTUAL_ENV, a PATH entry.
	Env []string
	// Cached says that nothing had to be done.
	Cached bool
	// Summary is one line for people: what was chosen and why.
	Summary string
	// SizeBytes of the image, when known.
	SizeBytes int64
}
