// Package push is the `apify push` command: it sends an Actor's source to an API
// and has it built there.
package push

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/filelist"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Sends the source of the Actor in this directory to an API, has it built there, shows
the build's log on standard error and tells how it ended. The Actor is ACTOR (an id
or USERNAME/NAME), else the one with the name in .actor/actor.json; one that is not
there yet is made.

Sent is every file but what git ignores, what .actorignore names (a line that begins
with ! brings back what git ignores), node_modules, storage and .git. Up to 3 MiB
go as single files, more as a zip archive in a key-value store. The version is
--version, else that of actor.json, else 0.0; environmentVariables of actor.json
replace those that the version has, @name as the secret of that name (see apify
secrets).

Without --force a push is refused that would replace source which was changed at the
API after the last change of these files, or a version from a Git repository.

Ctrl-C aborts the build.

Exit codes: 0 it was built, or --wait-for-finish was over before; 1 the build failed,
or anything else; 2 the build passed its time limit, 3 it was aborted, 4 there is
nothing to send, 5 a definition file or a secret is wrong, 250 there is no such
Actor.`

const example = `  apify push
  apify push --version 0.2 --build-tag beta --wait-for-finish 60
  apify push --api-url http://127.0.0.1:3333 --json`

type options struct {
	*session.Session
	output jq.Output

	version, tag, dir, wait string
	open, force, missing    bool
	limit                   time.Duration
}

// NewIn makes the command for a group whose session it takes.
func NewIn(s *session.Session) *cobra.Command {
	o := &options{Session: s}
	cmd := &cobra.Command{
		Use: "push [ACTOR]", Short: "Send an Actor's source to an API and build it there", Long: long, Example: example, Args: cmdkit.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(cmd); err != nil {
				return err
			}
			return s.Do(&o.output, o.run)(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.version, "version", "v", "", "`number` of the version to make or replace, such as 0.1")
	flags.StringVarP(&o.tag, "build-tag", "b", "", "`tag` for the build when it succeeds")
	flags.StringVarP(&o.wait, "wait-for-finish", "w", "", "`seconds` to wait for the build at most; 0 for not at all")
	flags.BoolVarP(&o.force, "force", "f", false, "replace what is newer at the API, too")
	flags.StringVar(&o.dir, "dir", "", "`directory` of the Actor (default: this one)")
	flags.BoolVar(&o.missing, "allow-missing-secrets", false, "leave out variables whose @secret does not exist")
	flags.BoolVar(&o.open, "open", false, "show the Actor in a browser afterwards")
	o.output.AddFlags(flags)
	return cmd
}

// New makes the command `apify push`.
func New(f *cmdkit.Factory) *cobra.Command {
	s := session.New(f)
	return s.Alone(NewIn(s))
}

var versionNumber = regexp.MustCompile(`^\d{1,4}\.\d{1,4}$`)

func (o *options) parse(cmd *cobra.Command) error {
	if o.version != "" && !versionNumber.MatchString(o.version) {
		return cmdkit.UsageError(cmd.CommandPath(), "--version must be MAJOR.MINOR such as 0.1, got %q", o.version)
	}
	o.limit = -1
	if o.wait != "" {
		seconds, err := time.ParseDuration(o.wait + "s")
		if err != nil || seconds < 0 {
			return cmdkit.UsageError(cmd.CommandPath(), "--wait-for-finish must be a number of seconds, got %q", o.wait)
		}
		o.limit = seconds
	}
	return nil
}

// project is what is pushed.
type project struct {
	definition *definition.Actor
	files      *filelist.List
	env        []api.EnvVar // nil leaves what the version has
	version    string
	tag        string
	standby    bool
}

func (o *options) run(ctx context.Context, c *client.Client, args []string) error {
	p, err := o.read(ctx)
	if err != nil {
		return err
	}
	actor, isNew, err := o.actor(ctx, c, p, args)
	if err != nil {
		return err
	}
	version, exists, err := o.present(ctx, c, actor.ID, p.version)
	if err != nil {
		return err
	}
	source, err := o.source(p)
	if err != nil {
		return err
	}
	if !isNew && !o.force {
		if err := mayReplace(p, actor, version, exists, source); err != nil {
			return err
		}
	}
	if err := o.send(ctx, c, p, actor.ID, source, exists); err != nil {
		return err
	}
	if err := o.standby(ctx, c, p, actor, isNew); err != nil {
		return err
	}
	build, err := c.Actor(actor.ID).Build(ctx, client.BuildOptions{Version: p.version, Tag: p.tag, UseCache: true})
	if err != nil {
		return err
	}
	return o.finish(ctx, c, build.Value)
}

// read reads what is to be pushed.
func (o *options) read(ctx context.Context) (*project, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, fault.Wrap(fault.Usage, err, "the directory %s", o.dir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fault.New(fault.NotFound, "there is no directory %s", dir)
	}
	files, err := filelist.Of(ctx, dir)
	if err != nil {
		return nil, err
	}
	isActor := func(f filelist.File) bool {
		return f.Name == "apify.json" || f.Name == "actor.json" || strings.HasPrefix(f.Name, ".actor/")
	}
	if !slices.ContainsFunc(files.Files, isActor) {
		return nil, fault.New(fault.NothingToDo, "%s holds no Actor: there is no .actor/actor.json", dir).WithHint("make one with apify init")
	}
	d, err := definition.Load(dir)
	if err != nil {
		return nil, err
	}
	for _, warning := range d.Warnings {
		o.Note("warning: %s", warning)
	}
	for _, skipped := range files.Skipped {
		o.Note("warning: left out: %s", skipped)
	}
	p := &project{definition: d, files: files, version: firstOf(o.version, d.Version), standby: d.UsesStandbyMode}
	written := fields(d)
	p.tag = firstOf(o.tag, written.BuildTag)
	if p.tag == "" && p.version == definition.DefaultVersion {
		p.tag = definition.DefaultBuildTag
	}
	if written.Environment {
		p.env, err = o.environment(d)
	}
	return p, err
}

func (o *options) environment(d *definition.Actor) ([]api.EnvVar, error) {
	homeDir, err := os.UserHomeDir()
	if err != nil {
		homeDir = ""
	}
	secrets, err := definition.LoadSecrets(homeDir)
	if err != nil {
		return nil, err
	}
	env, err := d.ResolveEnvironment(secrets, o.missing)
	if err != nil {
		return nil, err
	}
	for _, warning := range env.Warnings {
		o.Note("warning: %s", warning)
	}
	yes := true
	list := []api.EnvVar{}
	for name, value := range env.Variables {
		variable := api.EnvVar{Name: name, Value: &value}
		if slices.Contains(env.Secrets, name) {
			variable.IsSecret = &yes
		}
		list = append(list, variable)
	}
	slices.SortFunc(list, func(a, b api.EnvVar) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// actor finds the Actor to push to, or makes it.
func (o *options) actor(ctx context.Context, c *client.Client, p *project, args []string) (api.Actor, bool, error) {
	if len(args) > 0 {
		found, err := o.Actor(ctx, c, args[0])
		return found.Value, false, err
	}
	me, err := c.Me(ctx)
	if err != nil {
		return api.Actor{}, false, err
	}
	name := p.definition.Name
	found, err := c.Actor(me.Value.Username + "/" + name).Get(ctx)
	if !fault.Is(err, fault.NotFound) {
		return found.Value, false, err
	}
	body := map[string]any{
		"name": name, "isPublic": false,
		"defaultRunOptions": map[string]any{"build": firstOf(p.tag, definition.DefaultBuildTag), "timeoutSecs": 3600, "memoryMbytes": 4096},
		"versions": []map[string]any{{
			"versionNumber": p.version, "sourceType": api.SourceFiles, "sourceFiles": []any{}, "envVars": []any{}, "buildTag": firstOf(p.tag, definition.DefaultBuildTag),
		}},
	}
	for field, text := range map[string]string{"title": p.definition.Title, "description": p.definition.Description} {
		if text != "" {
			body[field] = text
		}
	}
	if p.standby {
		body["actorStandby"] = map[string]any{"isEnabled": true}
	}
	made, err := c.Actors().Create(ctx, body)
	if err == nil {
		o.Note("made Actor %s/%s (%s)", me.Value.Username, name, made.Value.ID)
	}
	return made.Value, true, err
}

// present gives the version as the API has it.
func (o *options) present(ctx context.Context, c *client.Client, actor, number string) (api.ActorVersion, bool, error) {
	version, err := c.Actor(actor).Version(number).Get(ctx)
	if fault.Is(err, fault.NotFound) {
		return api.ActorVersion{}, false, nil
	}
	return version.Value, err == nil, err
}

// mayReplace refuses to replace what somebody changed at the API since the files
// were changed last. Source that is alike loses nothing.
func mayReplace(p *project, actor api.Actor, version api.ActorVersion, exists bool, s source) error {
	if !exists {
		return nil
	}
	if version.SourceType == api.SourceGitRepo {
		return fault.New(fault.Conflict, "version %s of Actor %s comes from the Git repository %s", p.version, actor.Name, version.GitRepoURL).
			WithHint("give --force to replace it by the files of this directory")
	}
	if s.archive != nil || version.SourceType != api.SourceFiles || !p.files.Newest().Before(actor.ModifiedAt.Time) || s.same(version.SourceFiles) {
		return nil
	}
	return fault.New(fault.Conflict, "actor %s was changed at the API after the last change of these files, which was at %s",
		actor.Name, p.files.Newest().UTC().Format(time.RFC3339)).
		WithHint("get its source with apify pull, or give --force to replace it")
}

// standby keeps the Actor's web server ready, or not, as the definition says.
func (o *options) standby(ctx context.Context, c *client.Client, p *project, actor api.Actor, isNew bool) error {
	enabled := actor.ActorStandby != nil && actor.ActorStandby.IsEnabled != nil && *actor.ActorStandby.IsEnabled
	if isNew || enabled == p.standby {
		return nil
	}
	_, err := c.Actor(actor.ID).Update(ctx, map[string]any{"actorStandby": map[string]any{"isEnabled": p.standby}})
	return err
}

// finish waits for the build as long as is wanted, and tells how it went.
func (o *options) finish(ctx context.Context, c *client.Client, build api.Build) error {
	o.Note("build %s was started: %s", build.BuildNumber, o.Link(c, "actors/"+build.ActorID+"/builds/"+build.BuildNumber, "actor-builds/"+build.ID))
	tail := &tail{to: o.IO.Err}
	if o.limit != 0 {
		ended, err := o.WatchBuild(ctx, c, build.ID, tail, max(o.limit, 0))
		if err != nil {
			return err
		}
		build = ended.Value
	}
	result := o.BuildResult(c, "push", build)
	if result.Error != nil {
		result.Error.LogTail = tail.lines()
		if o.output.Wanted() {
			o.Note("the build ended as %s", build.Status)
		}
	}
	if o.open {
		o.browse(result.Actor.URL)
	}
	if !o.output.Wanted() && result.Error != nil {
		result.Error.LogTail = nil // it was shown
	}
	return o.End(ctx, &o.output, result)
}

// browse shows an address in a browser, if there is one.
func (o *options) browse(address string) {
	command := []string{"xdg-open", address}
	switch runtime.GOOS {
	case "darwin":
		command = []string{"open", address}
	case "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler", address}
	}
	if err := exec.Command(command[0], command[1:]...).Start(); err != nil {
		o.Note("no browser could be started; the Actor is at %s", address)
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// describe is how a note names a size of source.
func describe(files int, size int64) string {
	return fmt.Sprintf("%d files, %s", files, session.Size(size))
}
