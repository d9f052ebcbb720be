package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"runtime"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	inputKey = "INPUT"
	// heldInputKey is where the input lies for code that reads files, when it
	// differs from the stored one: the official CLI uses the same name.
	heldInputKey = "__CLI_INPUT"

	jsonType = "application/json; charset=utf-8"
)

// CheckInput reports what is wrong with an input for the Actor, and gives it as
// a run would get it, defaults filled in. A nil input stands for the stored
// one, or for none. The result is nil when the run would get no input.
func (e *Engine) CheckInput(ctx context.Context, ref string, in *Input) (*Input, error) {
	p, err := e.program(ref)
	if err != nil {
		return nil, err
	}
	effective, _, err := e.input(ctx, p, in)
	return effective, err
}

// input gives what a run is to read as its input, and whether that is just what
// is stored already.
func (e *Engine) input(ctx context.Context, p *Program, in *Input) (effective *Input, stored bool, err error) {
	schema := p.Definition.Input
	if in == nil && e.cfg.Local {
		if in, err = e.storedInput(ctx); err != nil {
			return nil, false, err
		}
		stored = in != nil
	}
	if in == nil {
		if schema == nil {
			return nil, false, nil
		}
		in = &Input{ContentType: jsonType, Body: []byte("{}")}
		if e.cfg.Local {
			in.Body = schema.Prefilled()
		}
	}
	if in.ContentType == "" {
		in = &Input{ContentType: jsonType, Body: in.Body}
	}
	isJSON := isJSONType(in.ContentType)
	if isJSON && !json.Valid(in.Body) {
		return nil, false, fault.New(fault.InvalidInput, "the input is not valid JSON: %w", jsonError(in.Body)).
			WithType("run-input-body-not-valid-json")
	}
	if schema == nil {
		return in, stored, nil
	}
	if !isJSON {
		return nil, false, fault.New(fault.InvalidInput,
			"the input has the content type %q, but the Actor's input schema needs JSON", in.ContentType)
	}
	body, err := schema.WithDefaults(in.Body)
	if err != nil {
		return nil, false, err
	}
	if err := schema.Check(body); err != nil {
		return nil, false, err
	}
	return &Input{ContentType: in.ContentType, Body: body}, stored && string(body) == string(in.Body), nil
}

// storedInput reads the INPUT record of the default store, nil when missing.
func (e *Engine) storedInput(ctx context.Context) (*Input, error) {
	kvs, err := e.cfg.Store.KeyValueStores().Open(ctx, "default")
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	record, err := kvs.Get(ctx, inputKey)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer record.Body.Close()
	body, err := io.ReadAll(record.Body)
	if err != nil {
		return nil, err
	}
	return &Input{ContentType: record.ContentType, Body: body}, nil
}

// StartRun builds the Actor if that has not happened, writes the run's record
// and starts it. It returns as soon as the record is there; what goes wrong
// afterwards is told by the run's status. An input that the Actor's schema
// rejects starts nothing and is fault.InvalidInput.
func (e *Engine) StartRun(ctx context.Context, req StartRequest) (api.Run, error) {
	p, err := e.program(req.Actor)
	if err != nil {
		return api.Run{}, err
	}
	input, stored, err := e.input(ctx, p, req.Input)
	if err != nil {
		return api.Run{}, err
	}
	build := req.Build
	if build == "" {
		build = p.Definition.BuildTag
	}
	options, err := run.Options(build, req.TimeoutSecs, req.MemoryMbytes, defaultMemory(p.Definition))
	if err != nil {
		return api.Run{}, err
	}
	options.MaxItems, options.MaxTotalChargeUSD = req.MaxItems, req.MaxTotalUSD
	result, err := e.prepare(ctx, p, nil)
	if err != nil {
		return api.Run{}, err
	}

	a := &active{
		engine: e, program: p, built: result, token: newToken(), limited: req.MemoryMbytes != nil,
		commands: make(chan command), done: make(chan struct{}), workflow: store.NewID(),
	}
	r := api.Run{
		ID: store.NewID(), ActorID: p.actor.ID, UserID: e.cfg.UserID, StartedAt: api.Now(),
		Status: api.StatusReady, Meta: req.Meta, Options: options,
		BuildID: p.build.ID, BuildNumber: &p.build.BuildNumber, GeneralAccess: "FOLLOW_USER_SETTING",
	}
	if r.Meta.Origin == "" {
		r.Meta.Origin = "DEVELOPMENT"
	}
	if input != nil {
		r.Stats.InputBodyLen = len(input.Body)
	}
	a.id = r.ID
	first, err := e.admit()
	if err != nil {
		return api.Run{}, err
	}
	if err := e.openStorages(ctx, p, &r, first); err != nil {
		e.running.Done()
		return api.Run{}, err
	}
	a.inputKey, err = e.placeInput(ctx, r, input, stored && first)
	if err == nil {
		err = a.announce(&r, input)
	}
	if err == nil {
		err = e.cfg.Store.Runs().Create(ctx, r.ID, r)
	}
	if err != nil {
		e.running.Done()
		return api.Run{}, err
	}
	a.log = newLogState(r.ID, e.cfg.Store.Logs(), p.Secrets)
	e.mu.Lock()
	e.active[r.ID], e.tokens[a.token], e.logs[r.ID] = a, r.ID, a.log
	e.mu.Unlock()
	go func() {
		defer e.running.Done()
		a.supervise(r)
	}()
	return r, nil
}

// admit counts a run in, and tells whether it is the engine's first.
func (e *Engine) admit() (first bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false, fault.New(fault.Unavailable, "the engine is shutting down")
	}
	e.running.Add(1)
	e.started++
	return e.started == 1 && e.cfg.Local, nil
}

// placeInput makes the input readable for the run and gives its key.
func (e *Engine) placeInput(ctx context.Context, r api.Run, in *Input, stored bool) (key string, err error) {
	if in == nil || stored {
		return inputKey, nil
	}
	if e.cfg.Local && e.cfg.StorageDir == "" && e.cfg.Inputs != nil {
		e.cfg.Inputs.Hold(r.DefaultKeyValueStoreID, inputKey, in.ContentType, in.Body)
		return inputKey, nil
	}
	key = inputKey
	if e.cfg.StorageDir != "" {
		key = heldInputKey
	}
	kvs, err := e.cfg.Store.KeyValueStores().Open(ctx, r.DefaultKeyValueStoreID)
	if err != nil {
		return "", err
	}
	_, err = kvs.Put(ctx, key, in.ContentType, strings.NewReader(string(in.Body)))
	return key, err
}

// removeHeldInput takes back what placeInput wrote for code that reads files.
func (e *Engine) removeHeldInput(ctx context.Context, r api.Run, key string) error {
	if key != heldInputKey {
		return nil
	}
	kvs, err := e.cfg.Store.KeyValueStores().Open(ctx, r.DefaultKeyValueStoreID)
	if err != nil {
		return err
	}
	return kvs.DeleteRecord(ctx, heldInputKey)
}

// spec says what the executor is to start for a run.
func (a *active) spec(ctx context.Context, r api.Run) (executor.Spec, error) {
	e, p := a.engine, a.program
	endpoint, err := p.Executor.Endpoint(ctx)
	if err != nil {
		return executor.Spec{}, err
	}
	env := run.Environment{
		Run: r, ActorName: p.actor.Name, Username: e.cfg.Username, BuildTags: []string{p.Definition.BuildTag},
		Token: a.token, InputKey: a.inputKey, WebServerPort: a.webPort, WebServerURL: r.ContainerURL,
		Standby: p.Definition.UsesStandbyMode, DedicatedCPUs: a.cpus(r), ProxyPassword: e.cfg.ProxyPassword,
		WorkflowKey: a.workflow, InheritedNoProxy: e.cfg.InheritedNoProxy,
		NoProxy:    []string{"127.0.0.1", "localhost", "::1", endpoint.Host},
		StorageDir: e.cfg.StorageDir,
	}
	if e.cfg.StorageDir == "" {
		if env.BaseURL, err = e.cfg.APIURL(ctx, endpoint); err != nil {
			return executor.Spec{}, err
		}
		env.EventsURL = fmt.Sprintf("ws%s/v2/actor-runs/%s/events?token=%s", strings.TrimPrefix(env.BaseURL, "http"), r.ID, a.token)
	}
	spec := executor.Spec{
		RunID: r.ID, Image: a.built.Image, Dir: a.built.Dir, Command: a.built.Command,
		Env:           append(withoutReserved(a.built), env.Vars(p.Env)...),
		Labels:        map[string]string{"com.apify.actRunId": r.ID, "com.apify.actBuildId": r.BuildID},
		WebServerPort: a.webPort, HostPort: a.hostPort, ActorBinary: p.ActorBinary,
		Stdout: a.stdout, Stderr: a.stderr,
	}
	if a.limited {
		spec.MemoryMbytes = r.Options.MemoryMbytes
	}
	return spec, nil
}

func withoutReserved(result builder.Result) []string { return run.Scrub(result.Env) }

// cpus is how many cores the code may count on: the share that comes with the
// memory where that is enforced, else the machine's.
func (a *active) cpus(r api.Run) float64 {
	if a.limited && a.built.Image != "" {
		return float64(r.Options.MemoryMbytes) / run.MemoryPerCore
	}
	return float64(runtime.NumCPU())
}

func defaultMemory(d *definition.Actor) int {
	if d.DefaultMemoryMbytes > 0 {
		return d.DefaultMemoryMbytes
	}
	return run.DefaultMemoryMbytes
}

func isJSONType(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}

func jsonError(body []byte) error {
	var v any
	return json.Unmarshal(body, &v)
}
