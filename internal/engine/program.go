package engine

import (
	"context"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Program is what a run needs of an Actor's build.
type Program struct {
	Actor api.Actor
	// Build is the build that is run.
	Build api.Build
	// Definition is the Actor's as it was when it was built.
	Definition *definition.Actor
	// Result is what Executor starts.
	Result   builder.Result
	Executor executor.Executor
	// Env are the variables of the Actor's version with their secrets resolved;
	// Secrets are the values that must not reach a log.
	Env     map[string]string
	Secrets []string
	// ActorBinary is the host path of an actor command that runs where the
	// executor runs things; "" when there is none.
	ActorBinary string
}

// Programs finds what is to be run. Safe for concurrent use.
type Programs interface {
	// Actor finds an Actor by id, "username~name", "username/name", "~name" or
	// bare name; a missing one is fault.NotFound.
	Actor(ctx context.Context, ref string) (api.Actor, error)
	// Program gives the build that a tag or a number names, and the Actor's
	// default build for ""; fault.NotFound when there is none.
	Program(ctx context.Context, actorRef, build string) (*Program, error)
	// ProgramOf gives the program of a build, by the build's id.
	ProgramOf(ctx context.Context, buildID string) (*Program, error)
}
