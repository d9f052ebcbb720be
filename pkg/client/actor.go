package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Actor is the handle of one Actor; making it calls nothing.
type Actor struct{ Resource[api.Actor] }

// Actor names an Actor by its id, as "user/name", or as "~name" for one of the
// caller's.
func (c *Client) Actor(idOrName string) Actor {
	return Actor{Resource[api.Actor]{c, "/actors/" + ref(idOrName)}}
}

// Actors are the Actors of the caller: those made and those used. Create takes
// an Actor with at least one version.
func (c *Client) Actors() Collection[api.ActorShort, api.Actor] {
	return Collection[api.ActorShort, api.Actor]{c, "/actors"}
}

// Version is the handle of one version of an Actor.
type Version struct{ Resource[api.ActorVersion] }

// Version names a version by its number, such as 0.1.
func (a Actor) Version(number string) Version {
	return Version{Resource[api.ActorVersion]{a.c, a.path + "/versions/" + segment(number)}}
}

// Versions are all versions of the Actor.
func (a Actor) Versions() Collection[api.ActorVersion, api.ActorVersion] {
	return Collection[api.ActorVersion, api.ActorVersion]{a.c, a.path + "/versions"}
}

// EnvVar names an environment variable of the version.
func (v Version) EnvVar(name string) Resource[api.EnvVar] {
	return Resource[api.EnvVar]{v.c, v.path + "/env-vars/" + segment(name)}
}

// EnvVars are the environment variables of the version. Those that are secret
// come without their values.
func (v Version) EnvVars() Collection[api.EnvVar, api.EnvVar] {
	return Collection[api.EnvVar, api.EnvVar]{v.c, v.path + "/env-vars"}
}

// Builds are the builds of the Actor.
func (a Actor) Builds() Builds { return Builds{a.c, a.path + "/builds"} }

// DefaultBuild is the handle of the build that runs take when none is named.
func (a Actor) DefaultBuild() Resource[api.Build] {
	return Resource[api.Build]{a.c, a.path + "/builds/default"}
}

// Runs are the runs of the Actor.
func (a Actor) Runs() Runs { return Runs{a.c, a.path + "/runs"} }

// Webhooks are the webhooks that listen to the Actor.
func (a Actor) Webhooks() Webhooks { return Webhooks{a.c, a.path + "/webhooks"} }

// BuildOptions say how an Actor is built.
type BuildOptions struct {
	// Version is the number of the version to build; it must be given.
	Version string
	// Tag is given to the build when it succeeds; empty means the version's.
	Tag string
	// UseCache takes over layers of earlier builds, BetaPackages beta versions of
	// the SDK.
	UseCache, BetaPackages bool
	// Wait lets the API answer only once the build has ended or this time (at
	// most 60 s) has passed.
	Wait time.Duration
}

// Build starts a build of the Actor. It is not repeated once the API may have
// seen it.
func (a Actor) Build(ctx context.Context, opts BuildOptions) (Answer[api.Build], error) {
	query := waitQuery(opts.Wait)
	query.Set("version", opts.Version)
	if opts.Tag != "" {
		query.Set("tag", opts.Tag)
	}
	if opts.UseCache {
		query.Set("useCache", "1")
	}
	if opts.BetaPackages {
		query.Set("betaPackages", "1")
	}
	return fetch[Answer[api.Build]](ctx, a.c, call{method: http.MethodPost, path: a.path + "/builds", query: query, once: true})
}

// ValidateInput asks whether an input fits the input schema of a build, the
// default one when none is named. What is wrong is fault.InvalidInput.
func (a Actor) ValidateInput(ctx context.Context, input []byte, contentType, build string) error {
	validate := call{method: http.MethodPost, path: a.path + "/validate-input", header: contentHeader(contentType)}
	if build != "" {
		validate.query = url.Values{"build": {build}}
	}
	validate.body, validate.size = bytesBody(input)
	return a.c.discard(ctx, validate)
}

// StartOptions say how a run is started. Nil and empty fields leave the choice
// to the defaults of the Actor or the task.
type StartOptions struct {
	// Input becomes the run's input record, byte for byte; nil gives none. That
	// of a task must be a JSON object, which is laid over the task's own.
	Input []byte
	// ContentType of Input; empty means application/json; charset=utf-8.
	ContentType       string
	Build             string
	TimeoutSecs       *int // 0 means no limit
	MemoryMbytes      *int
	MaxItems          *int
	MaxTotalChargeUSD *float64
	RestartOnError    *bool
	// ForcePermissionLevel is api.LimitedPermissions or api.FullPermissions.
	ForcePermissionLevel string
	// Dataset, KeyValueStore and RequestQueue are ids or names of storages that
	// are there already, to be the run's default ones; empty ones are made for the
	// run. Greenroom's own: other servers take no notice.
	Dataset, KeyValueStore, RequestQueue string
	// Webhooks listen to this run only.
	Webhooks []api.AdHocWebhook
	// Wait lets the API answer only once the run has ended or this time (at
	// most 60 s) has passed.
	Wait time.Duration
}

func (o StartOptions) query() (url.Values, error) {
	query := waitQuery(o.Wait)
	for name, text := range map[string]string{
		"build": o.Build, "forcePermissionLevel": o.ForcePermissionLevel, "defaultDatasetId": o.Dataset,
		"defaultKeyValueStoreId": o.KeyValueStore, "defaultRequestQueueId": o.RequestQueue,
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	for name, value := range map[string]*int{"timeout": o.TimeoutSecs, "memory": o.MemoryMbytes, "maxItems": o.MaxItems} {
		if value != nil {
			query.Set(name, strconv.Itoa(*value))
		}
	}
	if o.MaxTotalChargeUSD != nil {
		query.Set("maxTotalChargeUsd", strconv.FormatFloat(*o.MaxTotalChargeUSD, 'f', -1, 64))
	}
	if o.RestartOnError != nil {
		query.Set("restartOnError", strconv.FormatBool(*o.RestartOnError))
	}
	if len(o.Webhooks) > 0 {
		text, err := json.Marshal(o.Webhooks)
		if err != nil {
			return nil, err
		}
		query.Set("webhooks", base64.StdEncoding.EncodeToString(text))
	}
	return query, nil
}

// start starts a run. It is not repeated once the API may have seen it.
func (c *Client) start(ctx context.Context, path string, opts StartOptions) (Answer[api.Run], error) {
	query, err := opts.query()
	if err != nil {
		return Answer[api.Run]{}, err
	}
	start := call{method: http.MethodPost, path: path, query: query, once: true}
	if opts.Input != nil {
		start.body, start.size = bytesBody(opts.Input)
		start.header = contentHeader(opts.ContentType)
	}
	return fetch[Answer[api.Run]](ctx, c, start)
}

// Start starts a run of the Actor and gives its record.
func (a Actor) Start(ctx context.Context, opts StartOptions) (Answer[api.Run], error) {
	return a.c.start(ctx, a.path+"/runs", opts)
}

// SearchOptions select Actors of the store.
type SearchOptions struct {
	Search string
	// SortBy is relevance, popularity, newest or lastUpdate; empty leaves it to
	// the API.
	SortBy                           string
	Category, Username, PricingModel string
	Offset, Limit                    int
}

// Search looks for Actors in the store.
func (c *Client) Search(ctx context.Context, opts SearchOptions) (api.Page[Answer[api.StoreActor]], error) {
	query := ListOptions{Offset: opts.Offset, Limit: opts.Limit, SortBy: opts.SortBy}.query()
	for name, text := range map[string]string{
		"search": opts.Search, "category": opts.Category, "username": opts.Username, "pricingModel": opts.PricingModel,
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	return get[api.Page[Answer[api.StoreActor]]](ctx, c, "/store", query)
}

func waitQuery(wait time.Duration) url.Values {
	query := url.Values{}
	if secs := int(wait / time.Second); secs > 0 {
		query.Set("waitForFinish", strconv.Itoa(min(secs, 60)))
	}
	return query
}

func jsonHeader() http.Header { return contentHeader("") }

// contentHeader names the type of a body; JSON when it is empty.
func contentHeader(contentType string) http.Header {
	if contentType == "" {
		contentType = "application/json; charset=utf-8"
	}
	return http.Header{"Content-Type": {contentType}}
}
