package catalog

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxVersions is how many versions an Actor may have.
const maxVersions = 100

// versionFields is what callers may write of a version, as it is before and after
// their patch. Variables and files are nil when the caller says nothing of them.
type versionFields struct {
	VersionNumber       *string          `json:"versionNumber"`
	SourceType          *string          `json:"sourceType"`
	BuildTag            *string          `json:"buildTag"`
	EnvVars             []api.EnvVar     `json:"envVars"`
	ApplyEnvVarsToBuild *bool            `json:"applyEnvVarsToBuild"`
	SourceFiles         []api.SourceFile `json:"sourceFiles"`
	GitRepoURL          *string          `json:"gitRepoUrl"`
	TarballURL          *string          `json:"tarballUrl"`
	GitHubGistURL       *string          `json:"gitHubGistUrl"`
}

func fieldsOf(v api.ActorVersion) versionFields {
	return versionFields{
		VersionNumber: &v.VersionNumber, SourceType: &v.SourceType, BuildTag: &v.BuildTag,
		ApplyEnvVarsToBuild: copied(v.ApplyEnvVarsToBuild),
		GitRepoURL:          &v.GitRepoURL, TarballURL: &v.TarballURL, GitHubGistURL: &v.GitHubGistURL,
	}
}

var versionPattern = regexp.MustCompile(`^([0-9]|[1-9][0-9])\.([0-9]|[1-9][0-9])$`)

// version checks the fields and makes a version of them, with the variables and
// the files that the caller gave.
func (f versionFields) version() (api.ActorVersion, error) {
	v := api.ActorVersion{
		VersionNumber: or(f.VersionNumber, ""), SourceType: or(f.SourceType, ""), BuildTag: or(f.BuildTag, ""),
		EnvVars: f.EnvVars, ApplyEnvVarsToBuild: f.ApplyEnvVarsToBuild,
	}
	switch {
	case v.VersionNumber == "":
		return v, invalid("invalid-value", `a version needs "versionNumber", such as "0.1"`)
	case !versionPattern.MatchString(v.VersionNumber):
		return v, invalid("invalid-value", "versionNumber must be MAJOR.MINOR with numbers from 0 to 99, got %.40q", v.VersionNumber)
	}
	if v.BuildTag != "" {
		if err := CheckTag(v.BuildTag); err != nil {
			return v, err
		}
	}
	var err error
	switch v.SourceType {
	case api.SourceFiles:
		v.SourceFiles = f.SourceFiles
		err = checkFiles(f.SourceFiles)
	case api.SourceGitRepo:
		v.GitRepoURL = or(f.GitRepoURL, "")
		err = checkGitURL("gitRepoUrl", v.GitRepoURL)
	case api.SourceGitHubGist:
		v.GitHubGistURL = or(f.GitHubGistURL, "")
		err = checkGitURL("gitHubGistUrl", v.GitHubGistURL)
	case api.SourceTarball:
		v.TarballURL = or(f.TarballURL, "")
		if u, parseErr := url.Parse(v.TarballURL); parseErr != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			err = invalid("invalid-value", "tarballUrl must be an http or https URL, got %.200q", v.TarballURL)
		}
	case "SOURCE_CODE":
		err = invalid("invalid-value", "the source type SOURCE_CODE is not built any more").WithHint("use SOURCE_FILES with a Dockerfile")
	default:
		err = invalid("invalid-value", "sourceType must be one of SOURCE_FILES, GIT_REPO, TARBALL and GITHUB_GIST, got %.40q", v.SourceType)
	}
	return v, err
}

// scpURL matches the short form of SSH addresses: git@host:path.
var scpURL = regexp.MustCompile(`^[\w.-]+@[\w.-]+:[^-].*$`)

// checkGitURL refuses what git would not take for the address of a repository,
// and what it would run as a program.
func checkGitURL(field, text string) error {
	address, _, _ := strings.Cut(text, "#")
	if scpURL.MatchString(address) {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || !slices.Contains([]string{"https", "http", "git", "ssh", "file"}, u.Scheme) ||
		u.Scheme != "file" && u.Host == "" || u.Path == "" || strings.HasPrefix(u.Host, "-") {
		return invalid("invalid-value", "%s must be the address of a Git repository, such as https://host/user/repository#branch:directory, got %.200q", field, text)
	}
	return nil
}

// parseVersions reads the versions of an Actor's patch; nil stays nil.
func parseVersions(texts []json.RawMessage) ([]api.ActorVersion, error) {
	if texts == nil {
		return nil, nil
	}
	if len(texts) > maxVersions {
		return nil, invalid("too-many-versions", "an Actor may have at most %d versions, got %d", maxVersions, len(texts))
	}
	versions := []api.ActorVersion{}
	for i, text := range texts {
		var f versionFields
		if err := json.Unmarshal(text, &f); err != nil {
			return nil, invalid("invalid-value", "versions[%d]: %s", i, jsontext.Problem(err))
		}
		v, err := f.version()
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(versions, func(other api.ActorVersion) bool { return other.VersionNumber == v.VersionNumber }) {
			return nil, errVersionExists(v.VersionNumber)
		}
		versions = append(versions, v)
	}
	return versions, nil
}

func errVersionExists(number string) error {
	return invalid("version-already-exists", "the Actor has a version %s already", number)
}

func errNoVersion(number string) error {
	return fault.New(fault.NotFound, "the Actor has no version %q", number)
}

// setVersions makes the versions those of an Actor. Secret variables that come
// without a value keep the one that they have in the version of the same number.
// It gives the ids of the sources that are not needed any more.
func (c *Catalog) setVersions(r *record, versions []api.ActorVersion, written map[string]string) (dropped []string, err error) {
	old := r.Versions
	r.Versions = nil
	for _, v := range versions {
		var before api.ActorVersion
		if i := indexOf(old, v.VersionNumber); i >= 0 {
			before = old[i]
		}
		if v.EnvVars, err = c.sealAll(r.ID, before.EnvVars, v.EnvVars); err != nil {
			return nil, err
		}
		v.SourceFiles = nil
		r.Versions = append(r.Versions, v)
	}
	for _, id := range r.SourceIDs {
		dropped = append(dropped, id)
	}
	r.SourceIDs = written
	return dropped, nil
}

func indexOf(versions []api.ActorVersion, number string) int {
	return slices.IndexFunc(versions, func(v api.ActorVersion) bool { return v.VersionNumber == number })
}

// Versions gives the versions of an Actor as the API shows them.
func (c *Catalog) Versions(ctx context.Context, ref string) ([]api.ActorVersion, error) {
	a, err := c.Whole(ctx, ref)
	return a.Versions, err
}

// Version gives one version of an Actor as the API shows it.
func (c *Catalog) Version(ctx context.Context, ref, number string) (api.ActorVersion, error) {
	r, v, err := c.version(ctx, ref, number)
	if err != nil {
		return v, err
	}
	v.EnvVars = publicVars(v.EnvVars)
	v.SourceFiles, err = c.files(ctx, r, v)
	return v, err
}

// version finds a version as it is kept.
func (c *Catalog) version(ctx context.Context, ref, number string) (record, api.ActorVersion, error) {
	r, err := c.find(ctx, ref)
	if err != nil {
		return r, api.ActorVersion{}, err
	}
	i := indexOf(r.Versions, number)
	if i < 0 {
		return r, api.ActorVersion{}, errNoVersion(number)
	}
	return r, r.Versions[i], nil
}

// CreateVersion adds a version to an Actor.
func (c *Catalog) CreateVersion(ctx context.Context, ref string, patch Patch) (api.ActorVersion, error) {
	found, err := c.find(ctx, ref)
	if err != nil {
		return api.ActorVersion{}, err
	}
	var f versionFields
	if err := patch(&f); err != nil {
		return api.ActorVersion{}, err
	}
	v, err := f.version()
	if err != nil {
		return v, err
	}
	written, err := c.writeSources(ctx, found.ID, []api.ActorVersion{v})
	if err != nil {
		return v, err
	}
	_, err = c.actors.Update(ctx, found.ID, func(r *record) error {
		if indexOf(r.Versions, v.VersionNumber) >= 0 {
			return errVersionExists(v.VersionNumber)
		}
		if len(r.Versions) >= maxVersions {
			return invalid("too-many-versions", "an Actor may have at most %d versions", maxVersions)
		}
		kept := v
		kept.SourceFiles = nil
		var err error
		if kept.EnvVars, err = c.sealAll(r.ID, nil, v.EnvVars); err != nil {
			return err
		}
		r.Versions = append(r.Versions, kept)
		r.setSource(v.VersionNumber, written[v.VersionNumber])
		r.ModifiedAt = api.Now()
		return nil
	})
	if err != nil {
		c.discard(written)
		return v, err
	}
	return c.Version(ctx, found.ID, v.VersionNumber)
}

// setSource notes where a version's files are and gives where they were.
func (r *record) setSource(number, id string) (before string) {
	before = r.SourceIDs[number]
	switch {
	case id == "":
		delete(r.SourceIDs, number)
	case r.SourceIDs == nil:
		r.SourceIDs = map[string]string{number: id}
	default:
		r.SourceIDs[number] = id
	}
	return before
}

// UpdateVersion changes what the patch says of a version.
func (c *Catalog) UpdateVersion(ctx context.Context, ref, number string, patch Patch) (api.ActorVersion, error) {
	found, present, err := c.version(ctx, ref, number)
	if err != nil {
		return present, err
	}
	parse := func(from api.ActorVersion) (api.ActorVersion, error) {
		f := fieldsOf(from)
		if err := patch(&f); err != nil {
			return from, err
		}
		v, err := f.version()
		if err == nil && v.VersionNumber != number {
			err = invalid("invalid-value", "a version cannot be renumbered from %s to %s", number, v.VersionNumber).
				WithHint("create version %s and delete version %s", v.VersionNumber, number)
		}
		return v, err
	}
	wanted, err := parse(present)
	if err != nil {
		return wanted, err
	}
	written, err := c.writeSources(ctx, found.ID, []api.ActorVersion{wanted})
	if err != nil {
		return wanted, err
	}
	dropped := ""
	_, err = c.actors.Update(ctx, found.ID, func(r *record) error {
		i := indexOf(r.Versions, number)
		if i < 0 {
			return errNoVersion(number)
		}
		v, err := parse(r.Versions[i])
		if err != nil {
			return err
		}
		if v.EnvVars == nil {
			v.EnvVars = r.Versions[i].EnvVars
		} else if v.EnvVars, err = c.sealAll(r.ID, r.Versions[i].EnvVars, v.EnvVars); err != nil {
			return err
		}
		if v.SourceFiles != nil || v.SourceType != api.SourceFiles {
			dropped = r.setSource(number, written[number])
		}
		v.SourceFiles = nil
		r.Versions[i] = v
		r.ModifiedAt = api.Now()
		return nil
	})
	if err != nil {
		c.discard(written)
		return wanted, err
	}
	if dropped != "" {
		if err := c.dropSources(ctx, []string{dropped}); err != nil {
			return wanted, err
		}
	}
	return c.Version(ctx, found.ID, number)
}

// DeleteVersion takes a version away; the last one stays.
func (c *Catalog) DeleteVersion(ctx context.Context, ref, number string) error {
	found, _, err := c.version(ctx, ref, number)
	if err != nil {
		return err
	}
	dropped := ""
	_, err = c.actors.Update(ctx, found.ID, func(r *record) error {
		i := indexOf(r.Versions, number)
		switch {
		case i < 0:
			return errNoVersion(number)
		case len(r.Versions) == 1:
			return invalid("too-few-versions", "version %s is the only one, and an Actor must have one", number).
				WithHint("create another version before, or delete the Actor")
		}
		r.Versions = slices.Delete(r.Versions, i, i+1)
		dropped = r.setSource(number, "")
		r.ModifiedAt = api.Now()
		return nil
	})
	if err != nil || dropped == "" {
		return err
	}
	return c.dropSources(ctx, []string{dropped})
}

// writeSources keeps the files of versions and gives their ids by version number.
func (c *Catalog) writeSources(ctx context.Context, actorID string, versions []api.ActorVersion) (map[string]string, error) {
	written := map[string]string{}
	for _, v := range versions {
		if len(v.SourceFiles) == 0 {
			continue
		}
		id := store.NewID()
		if err := c.sources.Create(ctx, id, source{ActorID: actorID, Files: v.SourceFiles}); err != nil {
			c.discard(written)
			return nil, err
		}
		written[v.VersionNumber] = id
	}
	return written, nil
}

// discard takes back sources that nothing came to refer to.
func (c *Catalog) discard(written map[string]string) {
	for _, id := range written {
		_ = c.sources.Delete(context.Background(), id) // what failed before counts
	}
}

func (c *Catalog) dropSources(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if err := c.sources.Delete(ctx, id); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// files gives the source files of a version: none, but not nil, for a version of
// files that has none.
func (c *Catalog) files(ctx context.Context, r record, v api.ActorVersion) ([]api.SourceFile, error) {
	id := r.SourceIDs[v.VersionNumber]
	if v.SourceType != api.SourceFiles || id == "" {
		return nil, nil
	}
	s, err := c.sources.Get(ctx, id)
	if fault.Is(err, fault.NotFound) { // replaced since the record was read
		return nil, fault.New(fault.Conflict, "version %s was changed while it was read", v.VersionNumber).
			WithType("concurrent-update-detected").WithHint("try again")
	}
	return s.Files, err
}
