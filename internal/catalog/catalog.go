// Package catalog keeps Actors: their settings, their versions with sources and
// environment variables, and the tags of their builds. It holds the rules of the
// platform's API on what may be written there, and nothing of how Actors are
// built or run.
package catalog

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Config is what a catalogue works with; all of it is needed.
type Config struct {
	Store interface {
		Objects(kind string) store.Objects
		Runs() store.Records[api.Run]
	}
	UserID, Username string
	// SecretKey gives the key pair that the secret variables of an Actor are
	// kept with, the same each time.
	SecretKey func(actorID string) (*secret.PrivateKey, error)
}

// Patch writes what a caller sent over v, a pointer to a struct: fields that the
// caller left out stay as they are. Its errors say what is malformed.
type Patch func(v any) error

// Catalog keeps Actors. Safe for concurrent use.
type Catalog struct {
	cfg     Config
	actors  store.Records[record]
	sources store.Records[source]
}

// record is an Actor as it is kept. The versions in it lack their source files,
// which are objects of their own, so that whoever starts a run does not read
// them; values of secret variables are encrypted.
type record struct {
	api.Actor
	// SourceIDs are the ids of the versions' source files, by version number.
	SourceIDs map[string]string `json:"sourceIds,omitempty"`
	// LastBuilds are the last numbers given to builds, by version number. They
	// outlive builds and versions: no number is ever given twice.
	LastBuilds map[string]int `json:"lastBuilds,omitempty"`
}

// source is the files of a version; they never change.
type source struct {
	ActorID string           `json:"actorId"`
	Files   []api.SourceFile `json:"files"`
}

var (
	actorKind = store.Kind[record]{Name: "actor", Index: func(r record) store.Index {
		return store.Index{Unique: uniqueName(r.Username, r.Name), At: r.CreatedAt.Time}
	}}
	sourceKind = store.Kind[source]{Name: "source", Index: func(s source) store.Index {
		return store.Index{Fields: map[string]string{store.ByActor: s.ActorID}}
	}}
)

// New gives the catalogue that a store holds.
func New(cfg Config) *Catalog {
	return &Catalog{
		cfg: cfg, actors: store.RecordsOf(cfg.Store, actorKind), sources: store.RecordsOf(cfg.Store, sourceKind),
	}
}

func uniqueName(username, name string) string {
	return strings.ToLower(username) + "/" + strings.ToLower(name)
}

func errNoActor(ref string) error { return fault.New(fault.NotFound, "Actor %q was not found", ref) }

var idPattern = regexp.MustCompile(`^[A-Za-z0-9]{17}$`)

// find gives the record that a reference names: an id, "username~name",
// "username/name", "~name", or the bare name of one of the user's Actors.
func (c *Catalog) find(ctx context.Context, ref string) (record, error) {
	if idPattern.MatchString(ref) {
		r, err := c.actors.Get(ctx, ref)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return r, err
		}
	}
	username, name, found := strings.Cut(strings.Replace(ref, "/", "~", 1), "~")
	if !found {
		username, name = "", ref
	}
	if name == "" {
		return record{}, errNoActor(ref)
	}
	r, err := c.actors.First(ctx, store.Query{Unique: uniqueName(cmp.Or(username, c.cfg.Username), name)})
	if fault.Is(err, fault.NotFound) {
		return r, errNoActor(ref)
	}
	return r, err
}

// Actor finds an Actor by id, "username~name", "username/name", "~name" or bare
// name. Its versions come without source files and without the values of secret
// variables, its statistics without runs. A missing one is fault.NotFound.
func (c *Catalog) Actor(ctx context.Context, ref string) (api.Actor, error) {
	r, err := c.find(ctx, ref)
	if err != nil {
		return api.Actor{}, err
	}
	return r.public(), nil
}

// public is the Actor as it may be shown: without the values of secrets.
func (r record) public() api.Actor {
	a := r.Actor
	a.Versions = slices.Clone(a.Versions)
	for i, v := range a.Versions {
		a.Versions[i].EnvVars = publicVars(v.EnvVars)
	}
	return a
}

// Whole gives an Actor with everything the API shows of it: the source files of
// its versions and what its runs add to its statistics.
func (c *Catalog) Whole(ctx context.Context, ref string) (api.Actor, error) {
	r, err := c.find(ctx, ref)
	if err != nil {
		return api.Actor{}, err
	}
	return c.whole(ctx, r)
}

func (c *Catalog) whole(ctx context.Context, r record) (api.Actor, error) {
	a := r.public()
	for i, v := range a.Versions {
		files, err := c.files(ctx, r, v)
		if err != nil {
			return a, err
		}
		a.Versions[i].SourceFiles = files
	}
	err := c.countRuns(ctx, &a)
	return a, err
}

// countRuns fills in the statistics that come from runs.
func (c *Catalog) countRuns(ctx context.Context, a *api.Actor) error {
	page, err := c.cfg.Store.Runs().Page(ctx, store.Query{
		Where: map[string][]string{store.ByActor: {a.ID}}, Limit: 1, Desc: true,
	})
	if err != nil {
		return err
	}
	a.Stats.TotalRuns = page.Total
	if len(page.Items) > 0 {
		a.Stats.LastRunStartedAt = &page.Items[0].StartedAt
		a.Stats.TotalUsers = 1
		since := time.Since(a.Stats.LastRunStartedAt.Time)
		for days, count := range map[int]*int{7: &a.Stats.TotalUsers7Days, 30: &a.Stats.TotalUsers30Days, 90: &a.Stats.TotalUsers90Days} {
			if since < time.Duration(days)*24*time.Hour {
				*count = 1
			}
		}
	}
	return nil
}

// List gives a page of the Actors in the order of their creation, with their
// statistics and without source files.
func (c *Catalog) List(ctx context.Context, offset, limit int, desc bool) (store.Page[api.Actor], error) {
	page, err := c.actors.Page(ctx, store.Query{Offset: offset, Limit: limit, Desc: desc})
	out := store.Page[api.Actor]{Total: page.Total}
	for _, r := range page.Items {
		a := r.public()
		if err == nil {
			err = c.countRuns(ctx, &a)
		}
		out.Items = append(out.Items, a)
	}
	return out, err
}

// Create makes an Actor of what the patch says; everything but its versions may
// be left out. A name that the user's Actors have already is fault.Conflict.
func (c *Catalog) Create(ctx context.Context, patch Patch) (api.Actor, error) {
	now := api.Now()
	r := record{Actor: api.Actor{
		ID: store.NewID(), UserID: c.cfg.UserID, Username: c.cfg.Username, CreatedAt: now, ModifiedAt: now,
		PermissionLevel: api.LimitedPermissions, DefaultRunOptions: defaultRunOptions(),
	}}
	s := settingsOf(r.Actor)
	if err := patch(&s); err != nil {
		return api.Actor{}, err
	}
	if len(s.Versions) == 0 {
		return api.Actor{}, invalid("too-few-versions", "an Actor must have a version").
			WithHint(`add "versions", such as [{"versionNumber": "0.0", "sourceType": "SOURCE_FILES", "sourceFiles": []}]`)
	}
	if len(s.TaggedBuilds) > 0 {
		return api.Actor{}, invalid("invalid-value", "an Actor that is not there yet has no builds to tag")
	}
	if s.Name == nil || *s.Name == "" {
		name, err := c.freeName(ctx)
		if err != nil {
			return api.Actor{}, err
		}
		s.Name = &name
	}
	if err := s.apply(&r.Actor); err != nil {
		return api.Actor{}, err
	}
	versions, err := parseVersions(s.Versions)
	if err != nil {
		return api.Actor{}, err
	}
	written, err := c.writeSources(ctx, r.ID, versions)
	if err != nil {
		return api.Actor{}, err
	}
	_, err = c.setVersions(&r, versions, written)
	if err == nil {
		err = c.actors.Create(ctx, r.ID, r)
	}
	if err != nil {
		c.discard(written)
		return api.Actor{}, nameTaken(err, r.Name)
	}
	return c.whole(ctx, r)
}

// freeName gives a name that no Actor of the user has.
func (c *Catalog) freeName(ctx context.Context) (string, error) {
	for {
		name := "my-actor-" + strings.ToLower(store.NewID()[:6])
		_, err := c.find(ctx, "~"+name)
		if fault.Is(err, fault.NotFound) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
}

func nameTaken(err error, name string) error {
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "there is an Actor with the name %q already", name).
			WithType("actor-name-not-unique").WithHint("choose another name, or change that Actor")
	}
	return err
}

// Update changes what the patch says of an Actor. Tags are patched one by one:
// null takes one away, an object with the id of a build that succeeded sets it;
// build looks that build up.
func (c *Catalog) Update(ctx context.Context, ref string, patch Patch, build func(id string) (api.Build, error)) (api.Actor, error) {
	found, err := c.find(ctx, ref)
	if err != nil {
		return api.Actor{}, err
	}
	// Whatever must be read or written besides the record happens before it is
	// changed.
	var wanted settings
	if err := patch(&wanted); err != nil {
		return api.Actor{}, err
	}
	if wanted.Versions != nil && len(wanted.Versions) == 0 {
		return api.Actor{}, invalid("too-few-versions", "an Actor must have a version")
	}
	builds := map[string]api.Build{}
	for _, tag := range wanted.TaggedBuilds {
		if tag != nil {
			if builds[tag.BuildID], err = build(tag.BuildID); err != nil {
				return api.Actor{}, err
			}
		}
	}
	versions, err := parseVersions(wanted.Versions)
	if err != nil {
		return api.Actor{}, err
	}
	written, err := c.writeSources(ctx, found.ID, versions)
	if err != nil {
		return api.Actor{}, err
	}
	var dropped []string
	r, err := c.actors.Update(ctx, found.ID, func(r *record) (err error) {
		s := settingsOf(r.Actor)
		if err := patch(&s); err != nil {
			return err
		}
		if err := s.apply(&r.Actor); err != nil {
			return err
		}
		if err := s.tag(&r.Actor, builds); err != nil {
			return err
		}
		r.ModifiedAt = api.Now()
		if versions != nil {
			dropped, err = c.setVersions(r, versions, written)
		}
		return err
	})
	if err != nil {
		c.discard(written)
		return api.Actor{}, nameTaken(err, or(wanted.Name, found.Name))
	}
	if err := c.dropSources(ctx, dropped); err != nil {
		return api.Actor{}, err
	}
	return c.whole(ctx, r)
}

// Delete forgets an Actor with its versions. Its builds are the caller's to
// remove, before.
func (c *Catalog) Delete(ctx context.Context, ref string) error {
	r, err := c.find(ctx, ref)
	if err != nil {
		return err
	}
	if err := c.actors.Delete(ctx, r.ID); err != nil {
		return err
	}
	sources := make([]string, 0, len(r.SourceIDs))
	for _, id := range r.SourceIDs {
		sources = append(sources, id)
	}
	return c.dropSources(ctx, sources)
}

// invalid is what the platform answers 400 to.
func invalid(errorType, format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...).WithType(errorType)
}
