package server

import (
	"net/http"

	"github.com/greenroom-dev/greenroom/internal/build"
	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s *server) buildRoutes() []route {
	const actor = "/v2/actors/{actorId}/builds"
	return []route{
		{"GET", actor, s.listActorBuilds},
		{"POST", actor, s.written(s.startBuild)},
		{"GET", actor + "/default", s.written(s.getDefaultBuild)},
		{"GET", actor + "/{buildId}", s.getBuild},
		{"POST", actor + "/{buildId}/abort", s.written(s.abortBuild)},
		{"GET", actor + "/{buildId}/openapi.json", s.written(s.buildOpenAPI)},

		{"GET", "/v2/actor-builds", s.listBuilds},
		{"GET", "/v2/actor-builds/{buildId}", s.getBuild},
		{"DELETE", "/v2/actor-builds/{buildId}", s.written(s.deleteBuild)},
		{"POST", "/v2/actor-builds/{buildId}/abort", s.written(s.abortBuild)},
		{"GET", "/v2/actor-builds/{buildId}/log", s.buildLog},
		{"GET", "/v2/actor-builds/{buildId}/openapi.json", s.written(s.buildOpenAPI)},
	}
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
	return c.data(http.StatusOK, foundPage(p, builds, func(b api.Build) api.BuildShort {
		short := b.Short()
		short.BuildNumberInt = catalog.NumberInt(b.BuildNumber)
		return short
	}))
}

// pathBuild finds the build that the path names: by its id, which must be one of
// the Actor's where the path names that too, or as the Actor's default one.
func (s *server) pathBuild(c *call) (api.Build, error) {
	ref, id := c.param("actorId"), c.param("buildId")
	if ref != "" && id == "default" && s.Catalog != nil {
		return s.Builds.DefaultBuild(c.ctx(), ref)
	}
	found, err := s.Actors.Build(c.ctx(), id)
	if err != nil || ref == "" {
		return found, err
	}
	actor, err := s.Actors.Actor(c.ctx(), ref)
	if err == nil && found.ActorID != actor.ID {
		err = fault.New(fault.NotFound, "Actor %q has no build %q", ref, found.ID)
	}
	return found, err
}

func (s *server) getBuild(c *call) error {
	found, err := s.pathBuild(c)
	if err != nil {
		return err
	}
	return c.answerBuild(http.StatusOK, found)
}

func (s *server) getDefaultBuild(c *call) error {
	found, err := s.Builds.DefaultBuild(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	return c.answerBuild(http.StatusOK, found)
}

// answerBuild answers with a build once it has ended, or when the time is over
// that waitForFinish gives it.
func (c *call) answerBuild(status int, b api.Build) error {
	d, err := c.waitForFinish()
	if err != nil {
		return err
	}
	if d > 0 && !b.Status.Terminal() && c.s.Catalog != nil {
		if b, err = c.s.Builds.Wait(c.waitCtx(), b.ID, d); err != nil {
			return err
		}
	}
	return c.data(status, b)
}

func (s *server) startBuild(c *call) error {
	opts := build.Options{Version: c.query().Get("version"), Tag: c.query().Get("tag"), Meta: c.meta()}
	var err error
	if opts.UseCache, err = c.boolean("useCache"); err != nil {
		return err
	}
	if opts.BetaPackages, err = c.boolean("betaPackages"); err != nil {
		return err
	}
	if _, err := c.waitForFinish(); err != nil { // before anything is started
		return err
	}
	started, err := s.Builds.Start(c.writeCtx(), c.param("actorId"), opts)
	if err != nil {
		return err
	}
	c.Header()["Location"] = []string{c.url("v2", "actor-builds", started.ID)}
	return c.answerBuild(http.StatusCreated, started)
}

func (s *server) abortBuild(c *call) error {
	found, err := s.pathBuild(c)
	if err != nil {
		return err
	}
	if found, err = s.Builds.Abort(c.writeCtx(), found.ID); err != nil {
		return err
	}
	return c.data(http.StatusOK, found)
}

func (s *server) deleteBuild(c *call) error {
	if err := s.Builds.Delete(c.writeCtx(), c.param("buildId")); err != nil {
		return err
	}
	return c.noContent()
}

func (s *server) buildOpenAPI(c *call) error {
	found, err := s.pathBuild(c)
	if err != nil {
		return err
	}
	document, err := s.Builds.OpenAPI(c.ctx(), found.ID, c.origin())
	if err != nil {
		return err
	}
	c.body(http.StatusOK, document)
	return nil
}
