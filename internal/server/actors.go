package server

import (
	"net/http"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s *server) listActors(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	if _, err := c.boolean("my"); err != nil { // all Actors here are the user's
		return err
	}
	actors, err := s.Actors.Actors(c.ctx())
	if err != nil {
		return err
	}
	actors = slices.SortedStableFunc(slices.Values(actors), func(a, b api.Actor) int {
		return a.CreatedAt.Compare(b.CreatedAt.Time)
	})
	switch sortBy := c.query().Get("sortBy"); sortBy {
	case "", "createdAt":
	case "stats.lastRunStartedAt":
		slices.SortStableFunc(actors, func(a, b api.Actor) int { return lastStart(a).Compare(lastStart(b).Time) })
	default:
		return errParameter("sortBy", sortBy, "createdAt or stats.lastRunStartedAt")
	}
	return c.data(http.StatusOK, pageOf(p, actors, api.Actor.Short))
}

func lastStart(a api.Actor) api.Time {
	if a.Stats.LastRunStartedAt == nil {
		return api.Time{}
	}
	return *a.Stats.LastRunStartedAt
}

func (s *server) getActor(c *call) error {
	actor, err := s.Actors.Actor(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, actor)
}

func (s *server) listBuilds(c *call) error { return s.buildList(c, "") }

func (s *server) listActorBuilds(c *call) error {
	actor, err := s.Actors.Actor(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	return s.buildList(c, actor.ID)
}

func (s *server) buildList(c *call, actorID string) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	q := p.of(store.Query{})
	if actorID != "" {
		q.Where = map[string][]string{store.ByActor: {actorID}}
	}
	builds, err := s.Actors.Builds(c.ctx(), q)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, foundPage(p, builds, api.Build.Short))
}

// getBuild answers at once: builds are recorded when they have ended, so there
// is nothing that waitForFinish could wait for.
func (s *server) getBuild(c *call) error {
	build, err := s.Actors.Build(c.ctx(), c.param("buildId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, build)
}

func (s *server) getActorBuild(c *call) error {
	actor, err := s.Actors.Actor(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	build, err := s.Actors.Build(c.ctx(), c.param("buildId"))
	if err != nil {
		return err
	}
	if build.ActorID != actor.ID {
		return fault.New(fault.NotFound, "Actor %q has no build %q", c.param("actorId"), build.ID)
	}
	return c.data(http.StatusOK, build)
}
