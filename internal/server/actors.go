package server

import (
	"net/http"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

func (s *server) actorRoutes() []route {
	const (
		actor   = "/v2/actors/{actorId}"
		version = actor + "/versions/{versionNumber}"
		envVar  = version + "/env-vars/{envVarName}"
	)
	return []route{
		{"GET", "/v2/actors", s.listActors},
		{"POST", "/v2/actors", s.written(s.createActor)},
		{"GET", actor, s.getActor},
		{"PUT", actor, s.written(s.updateActor)},
		{"DELETE", actor, s.written(s.deleteActor)},
		{"POST", actor + "/validate-input", s.written(s.validateInput)},

		{"GET", actor + "/versions", s.written(s.listVersions)},
		{"POST", actor + "/versions", s.written(s.createVersion)},
		{"GET", version, s.written(s.getVersion)},
		{"POST", version, s.written(s.updateVersion)},
		{"PUT", version, s.written(s.updateVersion)},
		{"DELETE", version, s.written(s.deleteVersion)},

		{"GET", version + "/env-vars", s.written(s.listVariables)},
		{"POST", version + "/env-vars", s.written(s.createVariable)},
		{"GET", envVar, s.written(s.getVariable)},
		{"POST", envVar, s.written(s.updateVariable)},
		{"PUT", envVar, s.written(s.updateVariable)},
		{"DELETE", envVar, s.written(s.deleteVariable)},
	}
}

// written is for operations that a server has only whose Actors can be written.
func (s *server) written(handle handler) handler {
	return func(c *call) error {
		if s.Catalog == nil {
			return errNotServed(c.r.Method, c.route)
		}
		return handle(c)
	}
}

// patch gives what the caller sent, to be written over what is there.
func (c *call) patch() (catalog.Patch, error) {
	body, err := c.readObject()
	if err != nil {
		return nil, err
	}
	return func(v any) error { return decodeJSON(body, v) }, nil
}

func (s *server) listActors(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	if _, err := c.boolean("my"); err != nil { // all Actors here are the user's
		return err
	}
	sortBy := c.query().Get("sortBy")
	switch sortBy {
	case "", "createdAt", "stats.lastRunStartedAt":
	default:
		return errParameter("sortBy", sortBy, "createdAt or stats.lastRunStartedAt")
	}
	if s.Catalog != nil && sortBy != "stats.lastRunStartedAt" {
		found, err := s.Catalog.List(c.ctx(), p.offset, p.limit, p.desc)
		if err != nil {
			return err
		}
		return c.data(http.StatusOK, foundPage(p, found, api.Actor.Short))
	}
	actors, err := s.Actors.Actors(c.ctx())
	if err != nil {
		return err
	}
	actors = slices.SortedStableFunc(slices.Values(actors), func(a, b api.Actor) int {
		return a.CreatedAt.Compare(b.CreatedAt.Time)
	})
	if sortBy == "stats.lastRunStartedAt" {
		slices.SortStableFunc(actors, func(a, b api.Actor) int { return lastStart(a).Compare(lastStart(b).Time) })
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
	get := s.Actors.Actor
	if s.Catalog != nil {
		get = s.Catalog.Whole
	}
	actor, err := get(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, actor)
}

func (s *server) createActor(c *call) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	actor, err := s.Catalog.Create(c.writeCtx(), patch)
	if err != nil {
		return err
	}
	return c.createdData(actor, "v2", "actors", actor.ID)
}

func (s *server) updateActor(c *call) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	actor, err := s.Catalog.Update(c.writeCtx(), c.param("actorId"), patch, func(id string) (api.Build, error) {
		return s.Actors.Build(c.writeCtx(), id)
	})
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, actor)
}

func (s *server) deleteActor(c *call) error {
	if err := s.Builds.DeleteActor(c.writeCtx(), c.param("actorId")); err != nil {
		return err
	}
	return c.noContent()
}

func (s *server) validateInput(c *call) error {
	body, err := c.read()
	if err != nil {
		return err
	}
	err = s.Builds.CheckInput(c.ctx(), c.param("actorId"), c.query().Get("build"), c.r.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, map[string]bool{"valid": true})
}

// wholeList is a list that has no pages.
type wholeList[T any] struct {
	Total int `json:"total"`
	Items []T `json:"items"`
}

func listOf[T any](items []T) wholeList[T] {
	if items == nil {
		items = []T{}
	}
	return wholeList[T]{len(items), items}
}

func (s *server) listVersions(c *call) error {
	versions, err := s.Catalog.Versions(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, listOf(versions))
}

func (s *server) createVersion(c *call) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	version, err := s.Catalog.CreateVersion(c.writeCtx(), c.param("actorId"), patch)
	if err != nil {
		return err
	}
	return c.createdData(version, "v2", "actors", c.param("actorId"), "versions", version.VersionNumber)
}

func (s *server) getVersion(c *call) error {
	version, err := s.Catalog.Version(c.ctx(), c.param("actorId"), c.param("versionNumber"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, version)
}

func (s *server) updateVersion(c *call) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	version, err := s.Catalog.UpdateVersion(c.writeCtx(), c.param("actorId"), c.param("versionNumber"), patch)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, version)
}

func (s *server) deleteVersion(c *call) error {
	if err := s.Catalog.DeleteVersion(c.writeCtx(), c.param("actorId"), c.param("versionNumber")); err != nil {
		return err
	}
	return c.noContent()
}

func (s *server) listVariables(c *call) error {
	variables, err := s.Catalog.Variables(c.ctx(), c.param("actorId"), c.param("versionNumber"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, listOf(variables))
}

func (s *server) createVariable(c *call) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	actor, version := c.param("actorId"), c.param("versionNumber")
	variable, err := s.Catalog.CreateVariable(c.writeCtx(), actor, version, patch)
	if err != nil {
		return err
	}
	return c.createdData(variable, "v2", "actors", actor, "versions", version, "env-vars", variable.Name)
}

func (s *server) getVariable(c *call) error {
	variable, err := s.Catalog.Variable(c.ctx(), c.param("actorId"), c.param("versionNumber"), c.param("envVarName"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, variable)
}

func (s *server) updateVariable(c *call) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	variable, err := s.Catalog.UpdateVariable(c.writeCtx(), c.param("actorId"), c.param("versionNumber"), c.param("envVarName"), patch)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, variable)
}

func (s *server) deleteVariable(c *call) error {
	if err := s.Catalog.DeleteVariable(c.writeCtx(), c.param("actorId"), c.param("versionNumber"), c.param("envVarName")); err != nil {
		return err
	}
	return c.noContent()
}
