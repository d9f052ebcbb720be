package app

import (
	"context"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/builder/hostdir"
	"github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/internal/executor/process"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// chooseExecutor gives the executor that --executor asks for, with the builder
// that prepares Actors for it, and says in one line which and why.
func chooseExecutor(ctx context.Context, d *definition.Actor, opts cmdkit.PlatformOptions) (builder.Builder, executor.Executor, error) {
	inProcess := func(why string) (builder.Builder, executor.Executor, error) {
		opts.Notice("executor: process (" + why + ")")
		exec, err := process.New()
		return hostdir.New(), exec, err
	}
	inContainer := func(why string) (builder.Builder, executor.Executor, error) {
		cli, err := docker.Connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		opts.Notice("executor: docker (" + why + ")")
		return image.New(cli), docker.New(cli), nil
	}
	switch opts.Executor {
	case "process":
		return inProcess("as asked for")
	case "docker":
		if d.Dockerfile == "" {
			return nil, nil, fault.New(fault.InvalidInput, "no Dockerfile was found in %s: looked at .actor/Dockerfile and Dockerfile", d.Root).
				WithHint("write one, name it in .actor/actor.json as \"dockerfile\", or use --executor process")
		}
		return inContainer("as asked for")
	}
	switch {
	case opts.NotAtHome:
		return inProcess("because of --not-at-home")
	case opts.Entrypoint != "":
		return inProcess("because of --entrypoint")
	case d.Dockerfile == "":
		return inProcess("there is no Dockerfile")
	}
	build, exec, err := inContainer("an engine answers and there is " + relative(d.Root, d.Dockerfile))
	if fault.Is(err, fault.Unavailable) && ctx.Err() == nil {
		return inProcess("no container engine answers")
	}
	return build, exec, err
}

// otherExecutors gives the executors besides chosen that this machine has.
func otherExecutors(ctx context.Context, chosen executor.Executor) []executor.Executor {
	if chosen.Name() == "docker" {
		if exec, err := process.New(); err == nil {
			return []executor.Executor{exec}
		}
		return nil
	}
	cli, err := docker.Connect(ctx)
	if err != nil {
		return nil // without an engine there are no containers
	}
	return []executor.Executor{docker.New(cli)}
}

func relative(root, path string) string {
	if rel, err := filepath.Rel(root, path); err == nil {
		return rel
	}
	return path
}
