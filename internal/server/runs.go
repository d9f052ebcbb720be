package server

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxWait is the longest that a request waits for the end of a run.
const maxWait = 60 * time.Second

// pathRun finds the run that the path names: by its id, or as the last one of
// an Actor that matches the query's status and origin.
func (s *server) pathRun(c *call) (api.Run, error) {
	id, ref := c.param("runId"), c.param("actorId")
	if task := c.param("actorTaskId"); task != "" {
		return s.lastTaskRun(c, task)
	}
	if id == "" {
		return s.lastRun(c, ref)
	}
	run, err := s.Engine.Run(c.ctx(), id)
	if err != nil || ref == "" {
		return run, err
	}
	actor, err := s.Actors.Actor(c.ctx(), ref)
	if err != nil {
		return run, err
	}
	if run.ActorID != actor.ID {
		return run, fault.New(fault.NotFound, "Actor %q has no run %q", ref, id)
	}
	return run, nil
}

func (s *server) lastRun(c *call, ref string) (api.Run, error) {
	actor, err := s.Actors.Actor(c.ctx(), ref)
	if err != nil {
		return api.Run{}, err
	}
	return s.lastRunBy(c, store.ByActor, actor.ID, "Actor "+strconv.Quote(ref))
}

func (s *server) lastTaskRun(c *call, ref string) (api.Run, error) {
	task, err := s.Tasks.Task(c.ctx(), ref)
	if err != nil {
		return api.Run{}, err
	}
	return s.lastRunBy(c, store.ByTask, task.ID, "Actor task "+strconv.Quote(ref))
}

func (s *server) lastRunBy(c *call, field, value, whose string) (api.Run, error) {
	q := store.Query{Where: map[string][]string{field: {value}}, Desc: true, Limit: 1}
	if err := c.filterRuns(&q); err != nil {
		return api.Run{}, err
	}
	found, err := s.Engine.Runs(c.ctx(), q)
	if err != nil {
		return api.Run{}, err
	}
	if len(found.Items) == 0 {
		return api.Run{}, fault.New(fault.NotFound, "%s has no such run", whose)
	}
	return found.Items[0], nil
}

var allStatuses = []api.Status{
	api.StatusReady, api.StatusRunning, api.StatusSucceeded, api.StatusFailed,
	api.StatusTimingOut, api.StatusTimedOut, api.StatusAborting, api.StatusAborted,
}

// filterRuns adds to q what the query asks of runs' statuses and origins.
func (c *call) filterRuns(q *store.Query) error {
	statuses, err := c.statuses()
	if err != nil {
		return err
	}
	for _, status := range statuses {
		q.Where[store.ByStatus] = append(q.Where[store.ByStatus], string(status))
	}
	if origin := c.query().Get("origin"); origin != "" {
		q.Where[store.ByOrigin] = []string{origin}
	}
	return nil
}

// statuses reads the statuses to filter by; nil means any.
func (c *call) statuses() ([]api.Status, error) {
	var statuses []api.Status
	for _, text := range c.list("status") {
		status := api.Status(text)
		if !slices.Contains(allStatuses, status) {
			return nil, errParameter("status", text, "the status of a run, such as SUCCEEDED")
		}
		statuses = append(statuses, status)
	}
	return statuses, nil
}

func (s *server) getRun(c *call) error {
	run, err := s.pathRun(c)
	if err != nil {
		return err
	}
	if run, err = c.wait(run); err != nil {
		return err
	}
	return c.data(http.StatusOK, run)
}

// wait holds the answer until the run has ended, as long as waitForFinish says.
func (c *call) wait(run api.Run) (api.Run, error) {
	d, err := c.waitForFinish()
	if err != nil || d == 0 || run.Status.Terminal() {
		return run, err
	}
	return c.s.Engine.WaitRun(c.waitCtx(), run.ID, d)
}

// waitForFinish reads how long to wait for an end; 0 is not at all.
func (c *call) waitForFinish() (time.Duration, error) {
	seconds, err := c.optionalAmount("waitForFinish")
	if err != nil || seconds == nil {
		return 0, err
	}
	return time.Duration(min(*seconds, maxWait.Seconds()) * float64(time.Second)), nil
}

func (s *server) listRuns(c *call) error { return s.runList(c, "", "") }

func (s *server) listActorRuns(c *call) error {
	actor, err := s.Actors.Actor(c.ctx(), c.param("actorId"))
	if err != nil {
		return err
	}
	return s.runList(c, store.ByActor, actor.ID)
}

// runList lists the runs that have the value in the field; all for no field.
func (s *server) runList(c *call, field, value string) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	after, err := c.moment("startedAfter")
	if err != nil {
		return err
	}
	before, err := c.moment("startedBefore")
	if err != nil {
		return err
	}
	q := p.of(store.Query{After: after, Before: before, Where: map[string][]string{}})
	if err := c.filterRuns(&q); err != nil {
		return err
	}
	if field != "" {
		q.Where[field] = []string{value}
	}
	runs, err := s.Engine.Runs(c.ctx(), q)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, foundPage(p, runs, api.Run.Short))
}

func (s *server) updateRun(c *call) error {
	id := c.param("runId")
	if err := c.control(id); err != nil {
		return err
	}
	var update api.RunUpdate
	if err := c.readJSON(&update); err != nil {
		return err
	}
	run, err := s.Engine.UpdateRun(c.writeCtx(), id, update)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, run)
}

// controlled finds the run that the path names and checks that the caller may
// change or end it.
func (s *server) controlled(c *call) (api.Run, error) {
	run, err := s.pathRun(c)
	if err != nil {
		return run, err
	}
	return run, c.control(run.ID)
}

func (s *server) abortRun(c *call) error {
	run, err := s.controlled(c)
	if err != nil {
		return err
	}
	gracefully, err := c.boolean("gracefully")
	if err != nil {
		return err
	}
	if run, err = s.Engine.AbortRun(c.writeCtx(), run.ID, gracefully); err != nil {
		return err
	}
	return c.data(http.StatusOK, run)
}

func (s *server) rebootRun(c *call) error {
	run, err := s.controlled(c)
	if err != nil {
		return err
	}
	if run, err = s.Engine.RebootRun(c.writeCtx(), run.ID); err != nil {
		return err
	}
	return c.data(http.StatusOK, run)
}

func (s *server) exitRun(c *call) error {
	run, err := s.controlled(c)
	if err != nil {
		return err
	}
	var exit api.RunExit
	if err := c.readJSON(&exit); err != nil {
		return err
	}
	if run, err = s.Engine.ExitRun(c.writeCtx(), run.ID, exit); err != nil {
		return err
	}
	return c.data(http.StatusOK, run)
}

func (s *server) resurrectRun(c *call) error {
	run, err := s.controlled(c)
	if err != nil {
		return err
	}
	req, err := c.runLimits()
	if err != nil {
		return err
	}
	if run, err = s.Engine.ResurrectRun(c.writeCtx(), run.ID, req); err != nil {
		return err
	}
	return c.data(http.StatusOK, run)
}

func (s *server) metamorphRun(c *call) error {
	run, err := s.controlled(c)
	if err != nil {
		return err
	}
	req := engine.MetamorphRequest{Actor: c.query().Get("targetActorId"), Build: c.query().Get("build")}
	if req.Actor == "" {
		return fault.New(fault.InvalidRequest, "query parameter targetActorId is missing").WithType("parameter-required")
	}
	if req.Input, err = c.input(); err != nil {
		return err
	}
	if run, err = s.Engine.MetamorphRun(c.writeCtx(), run.ID, req); err != nil {
		return err
	}
	return c.data(http.StatusOK, run)
}

// chargeRun charges for events. Who runs an Actor must not be able to change
// what its code charges, so that only the code may.
func (s *server) chargeRun(c *call) error {
	run, err := s.Engine.Run(c.ctx(), c.param("runId"))
	if err != nil {
		return err
	}
	if c.caller.runID != run.ID {
		return fault.New(fault.Forbidden, "a run is charged by its own code only, with the token that it has in APIFY_TOKEN")
	}
	var charge api.RunCharge
	if err := c.readJSON(&charge); err != nil {
		return err
	}
	if err := s.Engine.ChargeRun(c.writeCtx(), run.ID, charge, c.r.Header.Get("Idempotency-Key")); err != nil {
		return err
	}
	c.body(http.StatusCreated, emptyObject)
	return nil
}

func (s *server) deleteRun(c *call) error {
	run, err := s.controlled(c)
	if err != nil {
		return err
	}
	if err := s.Engine.DeleteRun(c.writeCtx(), run.ID); err != nil {
		return err
	}
	return c.noContent()
}
