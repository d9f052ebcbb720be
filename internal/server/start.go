package server

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/engine"
	datasetschema "github.com/greenroom-dev/greenroom/internal/schema/dataset"
	"github.com/greenroom-dev/greenroom/internal/webhook"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s *server) startRun(c *call) error {
	run, err := s.start(c)
	if err != nil {
		return err
	}
	if run, err = c.wait(run); err != nil {
		return err
	}
	c.Header().Set("Location", c.url("v2", "actor-runs", run.ID))
	return c.data(http.StatusCreated, run)
}

// start starts a run as the query and the body ask for it.
func (s *server) start(c *call) (api.Run, error) {
	req := engine.StartRequest{Actor: c.param("actorId")}
	if err := c.startOptions(&req); err != nil {
		return api.Run{}, err
	}
	var err error
	if c.r.Method != http.MethodGet {
		if req.Input, err = c.input(); err != nil {
			return api.Run{}, err
		}
	}
	if task := c.param("actorTaskId"); task != "" {
		return s.Tasks.Start(c.writeCtx(), task, req)
	}
	return s.Engine.StartRun(c.writeCtx(), req)
}

// attach reads the webhooks that the run is to have.
func (c *call) attach(req *engine.StartRequest) error {
	list, err := webhook.ParseAdHoc(c.query().Get("webhooks"))
	if err != nil || len(list) == 0 {
		return err
	}
	if c.s.Webhooks == nil {
		return fault.New(fault.NotImplemented, "webhooks are not available here")
	}
	req.Prepare = func(ctx context.Context, r api.Run) error { return c.s.Webhooks.Attach(ctx, r, list) }
	return nil
}

// startOptions reads the options that all ways to start a run have in common.
func (c *call) startOptions(req *engine.StartRequest) error {
	limits, err := c.runLimits()
	if err != nil {
		return err
	}
	req.Build, req.TimeoutSecs, req.MemoryMbytes = limits.Build, limits.TimeoutSecs, limits.MemoryMbytes
	req.MaxItems, req.MaxTotalUSD, req.RestartOnError = limits.MaxItems, limits.MaxTotalUSD, limits.RestartOnError
	req.PermissionLevel, req.Meta = c.query().Get("forcePermissionLevel"), c.meta()
	req.ByLimited = c.caller.runID != "" && c.s.Engine.Limited(c.caller.runID)
	if req.Storages, err = c.givenStorages(); err != nil {
		return err
	}
	return c.attach(req)
}

// givenStorages reads which storages are to be the run's default ones: parameters
// of this server's own, as the platform's API has none.
func (c *call) givenStorages() (given engine.Given, err error) {
	for _, p := range []struct {
		name, noun string
		into       *string
	}{
		{"defaultDatasetId", "dataset", &given.Dataset},
		{"defaultKeyValueStoreId", "key-value store", &given.KeyValueStore},
		{"defaultRequestQueueId", "request queue", &given.RequestQueue},
	} {
		if *p.into, err = c.ownName(p.noun, c.query().Get(p.name)); err != nil {
			return given, err
		}
	}
	return given, nil
}

// runLimits reads the options that starts and resurrections have in common.
func (c *call) runLimits() (req engine.ResurrectRequest, err error) {
	req.Build = c.query().Get("build")
	for name, into := range map[string]**int{
		"timeout": &req.TimeoutSecs, "memory": &req.MemoryMbytes, "maxItems": &req.MaxItems,
	} {
		if *into, err = c.optionalInteger(name); err != nil {
			return req, err
		}
	}
	if req.MaxTotalUSD, err = c.optionalAmount("maxTotalChargeUsd"); err != nil {
		return req, err
	}
	req.RestartOnError, err = c.optionalBoolean("restartOnError")
	return req, err
}

// input reads the body as a run's input; nil when there is none. The JavaScript
// client then declares an empty form, the Python client sends null.
func (c *call) input() (*engine.Input, error) {
	body, err := c.read()
	if err != nil {
		return nil, err
	}
	contentType := c.r.Header.Get("Content-Type")
	if len(body) == 0 {
		return nil, nil
	}
	if isJSON(contentType) && string(bytes.TrimSpace(body)) == "null" {
		return nil, nil
	}
	return &engine.Input{ContentType: contentType, Body: body}, nil
}

// origins are where the platform says that runs come from.
var origins = []string{"DEVELOPMENT", "WEB", "API", "SCHEDULER", "TEST", "WEBHOOK", "ACTOR", "CLI", "CI", "STANDBY", "MCP"}

// meta says where the request comes from.
func (c *call) meta() api.RunMeta {
	meta := api.RunMeta{Origin: "API", UserAgent: c.r.UserAgent()}
	if host, _, err := net.SplitHostPort(c.r.RemoteAddr); err == nil {
		meta.ClientIP = host
	}
	if c.caller.runID != "" {
		meta.Origin = "ACTOR"
	} else if origin := c.r.Header.Get("X-Apify-Request-Origin"); slices.Contains(origins, origin) {
		meta.Origin = origin
	}
	return meta
}

// runSync starts a run, waits for its end and answers with its output record.
func (s *server) runSync(c *call) error {
	key := c.query().Get("outputRecordKey")
	if key == "" {
		key = "OUTPUT"
	}
	run, err := s.finish(c)
	if err != nil {
		return err
	}
	kvs, err := s.stores.all.Open(c.ctx(), run.DefaultKeyValueStoreID)
	if err != nil {
		return err
	}
	record, err := kvs.Get(c.ctx(), key)
	if fault.Is(err, fault.NotFound) {
		// The run did what it should and has nothing to say.
		c.Header()["Content-Type"] = jsonType
		c.WriteHeader(http.StatusCreated)
		return nil
	}
	if err != nil {
		return err
	}
	return c.sendRecord(record, c.recordHeaders(record.RecordInfo), http.StatusCreated)
}

// runSyncItems starts a run, waits for its end and answers with the items of its
// dataset.
func (s *server) runSyncItems(c *call) error {
	// What is wrong is told before anything is started, but for a view: only the
	// run's dataset says what that is.
	var view datasetschema.Transformation
	if _, err := c.exportOptions(view); err != nil && c.query().Get("view") == "" {
		return err
	}
	if _, _, _, err := c.itemRange(view); err != nil {
		return err
	}
	if _, err := c.boolean("attachment"); err != nil {
		return err
	}
	run, err := s.finish(c)
	if err != nil {
		return err
	}
	items, err := s.datasets.all.Open(c.ctx(), run.DefaultDatasetID)
	if err != nil {
		return err
	}
	return s.writeItems(c, items, http.StatusCreated)
}

// finish starts a run and waits until it has succeeded. It goes on without us
// when the caller leaves or the time is over.
func (s *server) finish(c *call) (api.Run, error) {
	run, err := s.start(c)
	if err != nil {
		return run, err
	}
	if run, err = s.Engine.WaitRun(c.waitCtx(), run.ID, s.syncWait); err != nil {
		return run, err
	}
	switch {
	case !run.Status.Terminal():
		return run, fault.New(fault.TimedOut, "Actor run exceeded the timeout of %.0f seconds for this API endpoint", s.syncWait.Seconds()).
			WithHint("the run %s goes on: look at it with GET /v2/actor-runs/%s", run.ID, run.ID)
	case run.Status != api.StatusSucceeded:
		return run, fault.New(fault.RunFailed, "Actor run did not succeed (run ID: %s, status: %s)", run.ID, run.Status)
	}
	return run, nil
}
