package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
)

// probePrefix marks containers that were made to look into an image.
const probePrefix = "greenroom-look-"

func probeName() string { return probePrefix + strings.ToLower(rand.Text()[:12]) }

// Reap removes the containers of processes of this machine that are gone.
func (e *Executor) Reap(ctx context.Context) ([]executor.Leftover, error) {
	list, err := e.cli.ContainerList(ctx, container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", OwnerLabel)),
	})
	if err != nil {
		return nil, e.explain(ctx, err, "looking for containers that were left behind")
	}
	var (
		left []executor.Leftover
		errs []error
	)
	for _, c := range list {
		o, ok := owner.Parse(c.Labels[OwnerLabel])
		if !ok || !abandoned(o, c.State) {
			continue
		}
		if err := e.remove(ctx, c.ID); err != nil {
			errs = append(errs, e.explain(ctx, err, "removing container "+c.ID))
			continue
		}
		if len(c.Names) > 0 && strings.HasPrefix(strings.TrimPrefix(c.Names[0], "/"), probePrefix) {
			continue // nothing ran in it, so there is nothing to tell
		}
		left = append(left, executor.Leftover{RunID: c.Labels[RunLabel], ID: nameOf(c)})
	}
	return left, errors.Join(errs...)
}

// abandoned says whether nobody can need the container any more. One that runs
// although its owner is of an earlier boot runs on an engine of another
// machine, where a machine of the same name may own it.
func abandoned(o owner.Owner, state container.ContainerState) bool {
	switch o.State() {
	case owner.Gone:
		return true
	case owner.Earlier:
		return state == container.StateExited || state == container.StateDead
	}
	return false
}

func nameOf(c container.Summary) string {
	if len(c.Names) > 0 {
		return strings.TrimPrefix(c.Names[0], "/")
	}
	return c.ID
}
