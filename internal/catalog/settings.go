package catalog

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/greenroom-dev/greenroom/internal/pricing"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Limits of what an Actor's texts may be, in characters. The platform names none
// but that of names; these keep records readable.
const (
	maxTitle       = 200
	maxDescription = 10_000
	maxCategories  = 50
	maxTag         = 100
)

// settings is what callers may write of an Actor, as it is before and after
// their patch.
type settings struct {
	Name              *string                `json:"name"`
	Title             *string                `json:"title"`
	Description       *string                `json:"description"`
	SEOTitle          *string                `json:"seoTitle"`
	SEODescription    *string                `json:"seoDescription"`
	Categories        []string               `json:"categories"`
	IsPublic          *bool                  `json:"isPublic"`
	IsDeprecated      *bool                  `json:"isDeprecated"`
	RestartOnError    *bool                  `json:"restartOnError"`
	PermissionLevel   *string                `json:"actorPermissionLevel"`
	DefaultRunOptions *api.DefaultRunOptions `json:"defaultRunOptions"`
	ExampleRunInput   *api.ExampleRunInput   `json:"exampleRunInput"`
	ActorStandby      *api.ActorStandby      `json:"actorStandby"`
	PricingInfos      []json.RawMessage      `json:"pricingInfos"`

	// Versions is nil when the caller says nothing of them.
	Versions []json.RawMessage `json:"versions"`
	// TaggedBuilds holds the tags that the caller names only.
	TaggedBuilds map[string]*struct {
		BuildID string `json:"buildId"`
	} `json:"taggedBuilds"`
}

func defaultRunOptions() api.DefaultRunOptions {
	timeout := 3600
	return api.DefaultRunOptions{Build: DefaultTag, TimeoutSecs: &timeout, MemoryMbytes: run.DefaultMemoryMbytes}
}

// DefaultTag is the tag of the build that is run when nobody says which.
const DefaultTag = "latest"

// settingsOf gives an Actor's settings, deep enough for a patch to write on them
// without changing the Actor.
func settingsOf(a api.Actor) settings {
	name, public, level, options := a.Name, a.IsPublic, a.PermissionLevel, a.DefaultRunOptions
	s := settings{
		Name: &name, Title: copied(a.Title), Description: copied(a.Description),
		SEOTitle: copied(a.SEOTitle), SEODescription: copied(a.SEODescription),
		IsPublic: &public, IsDeprecated: copied(a.IsDeprecated), RestartOnError: copied(a.RestartOnError),
		PermissionLevel: &level, DefaultRunOptions: &options,
		ExampleRunInput: copied(a.ExampleRunInput), ActorStandby: copied(a.ActorStandby),
		Categories: slices.Clone(a.Categories), PricingInfos: slices.Clone(a.PricingInfos),
	}
	s.DefaultRunOptions.TimeoutSecs = copied(options.TimeoutSecs)
	s.DefaultRunOptions.RestartOnError = copied(options.RestartOnError)
	s.DefaultRunOptions.MaxItems = copied(options.MaxItems)
	if t := s.ActorStandby; t != nil {
		for _, p := range []**bool{&t.IsEnabled, &t.DisableStandbyFieldsOverride, &t.ShouldPassActorInput} {
			*p = copied(*p)
		}
		for _, p := range []**int{&t.DesiredRequestsPerActorRun, &t.MaxRequestsPerActorRun, &t.IdleTimeoutSecs, &t.MemoryMbytes} {
			*p = copied(*p)
		}
		t.Build = copied(t.Build)
	}
	return s
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func or[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}

// apply checks the settings and makes them those of the Actor.
func (s *settings) apply(a *api.Actor) error {
	name := or(s.Name, a.Name)
	if err := checkName(name); err != nil {
		return err
	}
	for _, text := range []struct {
		field string
		value *string
		most  int
	}{
		{"title", s.Title, maxTitle}, {"description", s.Description, maxDescription},
		{"seoTitle", s.SEOTitle, maxTitle}, {"seoDescription", s.SEODescription, maxDescription},
	} {
		if text.value != nil && len([]rune(*text.value)) > text.most {
			return invalid("invalid-value", "%s must have at most %d characters, got %d", text.field, text.most, len([]rune(*text.value)))
		}
	}
	if len(s.Categories) > maxCategories {
		return invalid("invalid-value", "an Actor may be in at most %d categories, got %d", maxCategories, len(s.Categories))
	}
	level := or(s.PermissionLevel, api.LimitedPermissions)
	if err := checkLevel("actorPermissionLevel", level); err != nil {
		return err
	}
	options := or(s.DefaultRunOptions, defaultRunOptions())
	if err := checkRunOptions(options); err != nil {
		return err
	}
	if e := s.ExampleRunInput; e != nil && e.ContentType == "" {
		e.ContentType = "application/json; charset=utf-8"
	}
	if err := checkStandby(s.ActorStandby); err != nil {
		return err
	}
	for i, info := range s.PricingInfos {
		if err := pricing.Check(info); err != nil {
			return invalid("invalid-value", "pricingInfos[%d]: %v", i, err)
		}
	}
	a.Name, a.Title, a.Description, a.SEOTitle, a.SEODescription = name, s.Title, s.Description, s.SEOTitle, s.SEODescription
	a.Categories, a.IsPublic, a.IsDeprecated, a.RestartOnError = s.Categories, or(s.IsPublic, false), s.IsDeprecated, s.RestartOnError
	a.PermissionLevel, a.DefaultRunOptions, a.ExampleRunInput = level, options, s.ExampleRunInput
	a.ActorStandby, a.PricingInfos = s.ActorStandby, s.PricingInfos
	return nil
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$`)

// checkName refuses names that the platform refuses. Source: the constants of its
// tools and the documentation of actor.json.
func checkName(name string) error {
	if len(name) < 3 || len(name) > 63 || !namePattern.MatchString(name) {
		return invalid("invalid-value", "the name of an Actor must have 3 to 63 letters, digits and hyphens, with no hyphen at either end, got %.80q", name)
	}
	return nil
}

func checkLevel(field, level string) error {
	if level != api.LimitedPermissions && level != api.FullPermissions {
		return invalid("invalid-value", "%s must be %s or %s, got %.80q", field, api.LimitedPermissions, api.FullPermissions, level)
	}
	return nil
}

func checkRunOptions(o api.DefaultRunOptions) error {
	if o.MemoryMbytes != 0 {
		if err := run.CheckMemory(o.MemoryMbytes); err != nil {
			return invalid("invalid-value", "defaultRunOptions.memoryMbytes: %v", err)
		}
	}
	if o.TimeoutSecs != nil {
		if err := run.CheckTimeout(*o.TimeoutSecs); err != nil {
			return invalid("invalid-value", "defaultRunOptions.timeoutSecs: %v", err)
		}
	}
	if o.MaxItems != nil && *o.MaxItems < 1 {
		return invalid("max-items-must-be-greater-than-zero", "defaultRunOptions.maxItems must be at least 1, got %d", *o.MaxItems)
	}
	if o.ForcePermissionLevel != "" {
		return checkLevel("defaultRunOptions.forcePermissionLevel", o.ForcePermissionLevel)
	}
	return nil
}

func checkStandby(s *api.ActorStandby) error {
	if s == nil {
		return nil
	}
	for _, number := range []struct {
		field string
		value *int
	}{
		{"desiredRequestsPerActorRun", s.DesiredRequestsPerActorRun}, {"maxRequestsPerActorRun", s.MaxRequestsPerActorRun},
		{"idleTimeoutSecs", s.IdleTimeoutSecs},
	} {
		if number.value != nil && *number.value < 1 {
			return invalid("invalid-value", "actorStandby.%s must be at least 1, got %d", number.field, *number.value)
		}
	}
	if d, m := s.DesiredRequestsPerActorRun, s.MaxRequestsPerActorRun; d != nil && m != nil && *d > *m {
		return invalid("invalid-value", "actorStandby.desiredRequestsPerActorRun (%d) must not be above maxRequestsPerActorRun (%d)", *d, *m)
	}
	if s.MemoryMbytes != nil {
		if err := run.CheckMemory(*s.MemoryMbytes); err != nil {
			return invalid("invalid-value", "actorStandby.memoryMbytes: %v", err)
		}
	}
	return nil
}

var buildNumberPattern = regexp.MustCompile(`^([0-9]|[1-9][0-9])\.([0-9]|[1-9][0-9])\.([1-9][0-9]{0,4})$`)

// CheckTag refuses what cannot be a tag: nothing, what looks like the number of a
// build, and what no command line could name.
func CheckTag(tag string) error {
	switch {
	case tag == "" || len(tag) > maxTag || strings.ContainsFunc(tag, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return invalid("invalid-value", "the tag of a build must have 1 to %d characters and no spaces, got %.120q", maxTag, tag)
	case buildNumberPattern.MatchString(tag):
		return invalid("invalid-value", "the tag of a build must not look like its number, got %q", tag)
	}
	return nil
}

// IsBuildNumber tells numbers of builds from tags.
func IsBuildNumber(text string) bool { return buildNumberPattern.MatchString(text) }

// tag patches the tags of an Actor's builds.
func (s *settings) tag(a *api.Actor, builds map[string]api.Build) error {
	tags := maps.Clone(a.TaggedBuilds)
	if tags == nil {
		tags = map[string]*api.TaggedBuild{}
	}
	for _, name := range slices.Sorted(maps.Keys(s.TaggedBuilds)) {
		to := s.TaggedBuilds[name]
		if to == nil {
			delete(tags, name)
			continue
		}
		if err := CheckTag(name); err != nil {
			return err
		}
		b := builds[to.BuildID]
		switch {
		case b.ActorID != a.ID:
			return invalid("invalid-build", "build %q is one of another Actor", to.BuildID)
		case b.Status != api.StatusSucceeded:
			return invalid("invalid-build", "build %s cannot be tagged: its status is %s", b.BuildNumber, b.Status)
		}
		tags[name] = tagged(b)
	}
	a.TaggedBuilds = tags
	return nil
}
