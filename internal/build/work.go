package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Labels of the images of builds.
const (
	instanceLabel = "dev.greenroom.instance"
	actorLabel    = "com.apify.actId"
	buildLabel    = "com.apify.actBuildId"
)

// errTimedOut is why a build ends that takes too long.
var errTimedOut = errors.New("the build took too long")

// work makes one build and records how it ended.
func (s *Service) work(ctx context.Context, id string, log *runlog.Log) {
	record := context.WithoutCancel(ctx) // what happened is recorded whatever was cancelled
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.Timeout, errTimedOut)
	defer cancel()
	b, err := s.builds.Update(record, id, func(b *api.Build) error {
		if b.Status == api.StatusReady && ctx.Err() == nil {
			b.Status = api.StatusRunning
		}
		return nil
	})
	if err != nil {
		s.cfg.Logger.Error("a build could not begin", "build", id, "error", err)
		return
	}
	d, err := s.details.Get(record, id)
	var secrets []string
	var env map[string]string
	if err == nil {
		env, secrets, err = s.cfg.Catalog.Environment(b.ActorID, d.Sealed)
	}
	log.Mask(secrets)
	if err == nil && ctx.Err() == nil {
		log.Say("ACTOR: Building version " + d.Version.VersionNumber + " as build " + b.BuildNumber)
		err = s.make(ctx, b, &d, env, log.Writer(1))
		log.Flush()
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	status := outcome(err)
	if status == api.StatusSucceeded {
		if _, err = s.details.Update(record, id, func(stored *detail) error { *stored = d; return nil }); err != nil {
			status = api.StatusFailed
		}
	}
	s.explain(log, err, status)
	if s.finish(record, id, status, d) != api.StatusSucceeded {
		if err := errors.Join(s.discard(record, d), os.RemoveAll(s.dir(id))); err != nil {
			s.cfg.Logger.Warn("what a failed build left behind stays", "build", id, "error", err)
		}
	}
}

// outcome is the status that an error ends a build with.
func outcome(err error) api.Status {
	switch {
	case err == nil:
		return api.StatusSucceeded
	case errors.Is(err, errAborted):
		return api.StatusAborted
	case errors.Is(err, errTimedOut):
		return api.StatusTimedOut
	}
	return api.StatusFailed
}

// explain ends the log with how the build ended.
func (s *Service) explain(log *runlog.Log, err error, status api.Status) {
	switch status {
	case api.StatusSucceeded:
		log.Say("ACTOR: Build finished")
	case api.StatusAborted:
		log.Say("ACTOR: The build was aborted")
	case api.StatusTimedOut:
		log.Say(fmt.Sprintf("ACTOR: ERROR: The build did not finish in %.0f seconds", s.cfg.Timeout.Seconds()))
	default:
		if s.stop.Err() != nil {
			err = errors.New("the server ended while the Actor was being built")
		}
		text := "ACTOR: ERROR: " + err.Error()
		if hint := fault.HintOf(err); hint != "" {
			text += "\n" + hint
		}
		for line := range strings.Lines(text) {
			log.Say(strings.TrimRight(line, "\n"))
		}
		log.Say("ACTOR: Build failed")
	}
}

// finish records the end of a build and, when it succeeded, tags it. It gives the
// status that counts: one that was being aborted in the last moment is aborted.
func (s *Service) finish(ctx context.Context, id string, status api.Status, d detail) api.Status {
	b, err := s.builds.Update(ctx, id, func(b *api.Build) error {
		if b.Status == api.StatusAborting {
			status = api.StatusAborted
		}
		size := int64(0)
		if status == api.StatusSucceeded {
			size = d.Result.SizeBytes
		}
		end(b, status, size)
		return nil
	})
	if err == nil && status == api.StatusSucceeded {
		err = s.tag(ctx, b, d)
	}
	if err != nil {
		s.cfg.Logger.Error("the end of a build could not be recorded", "build", id, "error", err)
		return status
	}
	s.tell(b)
	return status
}

// end gives a build its terminal status and what it has used.
func end(b *api.Build, status api.Status, imageSize int64) {
	now := api.Now()
	b.Status, b.FinishedAt = status, &now
	b.Stats.DurationMillis = max(0, now.Sub(b.StartedAt.Time).Milliseconds())
	b.Stats.RunTimeSecs = float64(b.Stats.DurationMillis) / 1000
	// One compute unit is 1024 MB for an hour; its price is that of the
	// platform's smallest plan.
	const perUnit = 0.2
	b.Stats.ComputeUnits = memoryMbytes / 1024 * b.Stats.RunTimeSecs / 3600
	b.Stats.ImageSizeBytes = imageSize
	b.Usage = map[string]float64{"ACTOR_COMPUTE_UNITS": b.Stats.ComputeUnits}
	b.UsageTotalUSD = b.Stats.ComputeUnits * perUnit
	b.UsageUSD = map[string]float64{"ACTOR_COMPUTE_UNITS": b.UsageTotalUSD}
}

// tag gives a build that succeeded its tag.
func (s *Service) tag(ctx context.Context, b api.Build, d detail) error {
	if d.Tag == "" || d.Tagged {
		return nil
	}
	if err := s.cfg.Catalog.Tag(ctx, d.Tag, b); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	_, err := s.details.Update(ctx, b.ID, func(d *detail) error { d.Tagged = true; return nil })
	return err
}

// dir is the directory of a build.
func (s *Service) dir(id string) string { return filepath.Join(s.cfg.Dir, id) }

// make makes a build: d gets what came of it.
func (s *Service) make(ctx context.Context, b api.Build, d *detail, env map[string]string, log io.Writer) error {
	target, ok := s.cfg.Targets[s.cfg.Default]
	if !ok {
		return fault.New(fault.Unavailable, "nothing on this server can build for %q", s.cfg.Default)
	}
	d.Target = s.cfg.Default
	dir := s.dir(b.ID)
	source := filepath.Join(dir, "source")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(source, 0o755)); err != nil {
		return fault.Wrap(fault.Internal, err, "there is no place for the source")
	}
	root, err := s.checkout.Into(ctx, d.Version, source, log)
	if err != nil {
		return err
	}
	actor, err := load(source, root, d, log)
	if err != nil {
		return err
	}
	request := builder.Request{
		Actor: actor, NoCache: !b.Options.UseCache, Install: target.Images == nil, Log: log,
		Name:   image.Name(actor.Name, b.ActorID, b.BuildNumber),
		Labels: map[string]string{instanceLabel: s.instance, actorLabel: b.ActorID, buildLabel: b.ID},
	}
	if d.Version.ApplyEnvVarsToBuild != nil && *d.Version.ApplyEnvVarsToBuild {
		request.Args = env
	}
	if target.Images != nil && actor.Dockerfile == "" {
		fmt.Fprintln(log, "There is no Dockerfile: building as a Node.js project")
		actor.Dockerfile = filepath.Join(dir, "Dockerfile")
		if err := os.WriteFile(actor.Dockerfile, []byte(defaultDockerfile), 0o644); err != nil {
			return fault.Wrap(fault.Internal, err, "the default Dockerfile cannot be written")
		}
	}
	d.Result, err = target.Builder.Build(ctx, request)
	if err != nil {
		return shorten(err, source)
	}
	fmt.Fprintln(log, shortenText(d.Result.Summary, source))
	d.Result.Summary = ""
	if d.Result.Dir == "" {
		return fault.Wrap(fault.Internal, os.RemoveAll(dir), "the source cannot be removed")
	}
	d.Result.SizeBytes, err = sizeOf(source)
	return err
}

// defaultDockerfile is what an Actor without a Dockerfile is built with. Source:
// the platform's documentation of Dockerfiles.
const defaultDockerfile = `FROM apify/actor-node:24
COPY --chown=myuser package*.json ./
RUN npm --quiet set progress=false \
 && npm install --omit=dev --omit=optional \
 && rm -rf ~/.npm
COPY --chown=myuser . ./
`

// load reads the definition of a source and notes what the API tells of it.
func load(source, root string, d *detail, log io.Writer) (*definition.Actor, error) {
	base, err := filepath.EvalSymlinks(source)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the source cannot be read")
	}
	inside := func(path string) bool {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return os.IsNotExist(err)
		}
		rel, err := filepath.Rel(base, real)
		return err == nil && filepath.IsLocal(rel)
	}
	// Nobody reads files of this machine through links in a source.
	for _, name := range []string{".actor", ".actor/actor.json", "apify.json"} {
		if !inside(filepath.Join(root, filepath.FromSlash(name))) {
			return nil, fault.New(fault.InvalidInput, "%s is a link that leads out of the source", name)
		}
	}
	actor, err := definition.LoadSource(root)
	if err != nil {
		return nil, shorten(err, source)
	}
	for _, path := range []string{actor.Dockerfile, actor.ContextDir, actor.InputFile} {
		if path != "" && !inside(path) {
			return nil, fault.New(fault.InvalidInput, "%s leads out of the source", shortenText(path, source))
		}
	}
	for _, warning := range actor.Warnings {
		fmt.Fprintln(log, "Warning: "+shortenText(warning, source))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(actor.Document, &fields); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "read the Actor's definition")
	}
	for _, doc := range []struct {
		path, field string
		to          **string
	}{{actor.Readme, "readme", &d.Readme}, {actor.Changelog, "changelog", &d.Changelog}} {
		text, ok := readText(doc.path, inside)
		if !ok {
			delete(fields, doc.field)
			continue
		}
		*doc.to = &text
		fields[doc.field], _ = json.Marshal(text) // strings always have a JSON form
	}
	if actor.Input != nil {
		text := string(actor.Input.JSON())
		d.InputText = &text
	}
	d.Definition, err = json.Marshal(fields)
	return actor, fault.Wrap(fault.Internal, err, "keep the Actor's definition")
}

// maxText is how much of a document is kept, in bytes.
const maxText = 1 << 20

// readText reads a file that people read.
func readText(path string, inside func(string) bool) (text string, ok bool) {
	if path == "" || !inside(path) {
		return "", false
	}
	file, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxText))
	return strings.ToValidUTF8(string(content), "\uFFFD"), err == nil
}

// shortenText gives paths in a text as the Actor's people know them.
func shortenText(text, source string) string {
	text = strings.ReplaceAll(text, source+string(filepath.Separator), "")
	text = strings.ReplaceAll(text, source, "the source")
	for name, dir := "..", filepath.Dir(source); len(name) < 9; name, dir = "../"+name, filepath.Dir(dir) {
		text = strings.ReplaceAll(text, dir, name)
	}
	return text
}

// shorten is shortenText for an error.
func shorten(err error, source string) error {
	return &fault.Error{Code: fault.CodeOf(err), Message: shortenText(err.Error(), source), Hint: shortenText(fault.HintOf(err), source)}
}

// sizeOf adds up the files in a directory.
func sizeOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return nil // one that went away meanwhile has no size
	})
	return total, fault.Wrap(fault.Internal, err, "the prepared directory cannot be read")
}
