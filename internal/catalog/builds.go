package catalog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxBuildNumber is the last number that a version's builds may have.
const maxBuildNumber = 99999

// Snapshot is a version as a build takes it.
type Snapshot struct {
	Actor api.Actor
	// Number is that of the build, MAJOR.MINOR.BUILD.
	Number string
	// Version has its source files, and no values of secrets.
	Version api.ActorVersion
	// Sealed are the version's variables, secret ones encrypted; Environment
	// reads them.
	Sealed []api.EnvVar
}

// NextBuild numbers a new build of a version and gives what is to be built.
func (c *Catalog) NextBuild(ctx context.Context, ref, number string) (Snapshot, error) {
	if number == "" {
		return Snapshot{}, invalid("parameter-required", "the query parameter version says which version to build, and it is missing")
	}
	found, _, err := c.version(ctx, ref, number)
	if err != nil {
		return Snapshot{}, err
	}
	r, err := c.actors.Update(ctx, found.ID, func(r *record) error {
		if indexOf(r.Versions, number) < 0 {
			return errNoVersion(number)
		}
		if r.LastBuilds[number] >= maxBuildNumber {
			return invalid("limit-reached", "version %s has had %d builds, and there are no numbers left", number, maxBuildNumber).
				WithHint("create another version")
		}
		if r.LastBuilds == nil {
			r.LastBuilds = map[string]int{}
		}
		r.LastBuilds[number]++
		r.Stats.TotalBuilds++
		return nil
	})
	if err != nil {
		return Snapshot{}, err
	}
	v := r.Versions[indexOf(r.Versions, number)]
	s := Snapshot{Actor: r.public(), Number: fmt.Sprintf("%s.%d", number, r.LastBuilds[number]), Version: v, Sealed: v.EnvVars}
	s.Version.EnvVars = publicVars(v.EnvVars)
	s.Version.SourceFiles, err = c.files(ctx, r, v)
	return s, err
}

func tagged(b api.Build) *api.TaggedBuild {
	return &api.TaggedBuild{
		BuildID: b.ID, BuildNumber: &b.BuildNumber, BuildNumberInt: NumberInt(b.BuildNumber), FinishedAt: b.FinishedAt,
	}
}

// NumberInt is a build's number as one integer, by which builds compare: ten
// millions of the first part, a hundred thousand of the second, and the third.
// Source: the constants of the platform's tools.
func NumberInt(number string) int {
	sum := 0
	for i, part := range strings.SplitN(number, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0
		}
		sum += n * [3]int{10_000_000, 100_000, 1}[i]
	}
	return sum
}

// Tag makes a tag of the Actor point to a build.
func (c *Catalog) Tag(ctx context.Context, tag string, b api.Build) error {
	_, err := c.actors.Update(ctx, b.ActorID, func(r *record) error {
		tags := maps.Clone(r.TaggedBuilds)
		if tags == nil {
			tags = map[string]*api.TaggedBuild{}
		}
		tags[tag] = tagged(b)
		r.TaggedBuilds = tags
		return nil
	})
	return err
}

// Untag takes all tags of a build away. The build that runs get by default keeps
// them: then it is InvalidRequest.
func (c *Catalog) Untag(ctx context.Context, b api.Build) error {
	_, err := c.actors.Update(ctx, b.ActorID, func(r *record) error {
		if t := r.TaggedBuilds[DefaultBuild(r.Actor)]; t != nil && t.BuildID == b.ID || DefaultBuild(r.Actor) == b.BuildNumber {
			return invalid("deleting-default-build", "build %s is the Actor's default build", b.BuildNumber).
				WithHint("give the tag %q to another build before", DefaultBuild(r.Actor))
		}
		tags := maps.Clone(r.TaggedBuilds)
		maps.DeleteFunc(tags, func(_ string, t *api.TaggedBuild) bool { return t != nil && t.BuildID == b.ID })
		r.TaggedBuilds = tags
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		return nil // the Actor is gone, and its tags with it
	}
	return err
}

// DefaultBuild is the tag or the number of the build that runs get when nobody
// says which.
func DefaultBuild(a api.Actor) string { return cmp.Or(a.DefaultRunOptions.Build, DefaultTag) }
