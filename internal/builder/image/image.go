// Package image builds container images from Actors' Dockerfiles. It speaks to
// any engine that serves the Docker API and needs no command-line client:
// BuildKit where the engine has it, the classic builder elsewhere.
package image

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// SourceHashLabel is the image label that holds the hash of the source an image
// was made of.
const SourceHashLabel = "dev.greenroom.source-hash"

// pathArg is the build argument that the platform gives to every build: where
// the Actor lies in the build context.
const pathArg = "ACTOR_PATH_IN_DOCKER_CONTEXT"

// Builder builds images with one engine.
type Builder struct {
	cli *client.Client
}

var _ builder.Builder = (*Builder)(nil)

// New gives a Builder for the engine that cli is connected to. The API version
// must have been negotiated. The caller closes cli.
func New(cli *client.Client) *Builder { return &Builder{cli: cli} }

// Build makes the image of req.Actor, or finds that the one made last is still
// that of its source and asks nothing more of the engine. Result.Image is the
// image's id; it is also tagged with a name that is stable for the directory.
// Errors: fault.InvalidInput for a missing Dockerfile or a source that cannot
// be read, fault.RunFailed for a build that failed, fault.Unavailable when the
// engine does not answer, fault.Aborted when ctx was cancelled.
func (b *Builder) Build(ctx context.Context, req builder.Request) (builder.Result, error) {
	actor := req.Actor
	if actor.Dockerfile == "" {
		return builder.Result{}, noDockerfile(actor)
	}
	src, err := openSource(ctx, actor)
	if err != nil {
		return builder.Result{}, aborted(ctx, err)
	}
	j := &job{
		cli:      b.cli,
		src:      src,
		log:      req.Log,
		name:     dockerfileName(actor),
		tag:      cmp.Or(req.Name, Tag(actor)),
		noCache:  req.NoCache,
		platform: os.Getenv("DOCKER_DEFAULT_PLATFORM"),
		args:     buildArgs(actor, src, req.Args),
		labels:   req.Labels,
	}
	var cache *digestCache
	if req.Name == "" { // others are built once from a directory of their own
		cache = openDigestCache(src.dir)
	}
	if j.log == nil {
		j.log = io.Discard
	}
	j.hash, err = src.hash(ctx, j.args, j.platform, cache)
	if err != nil {
		return builder.Result{}, aborted(ctx, fault.Wrap(fault.InvalidInput, err, "the build context cannot be read"))
	}

	old, err := b.inspect(ctx, j.tag)
	if err != nil {
		return builder.Result{}, aborted(ctx, err)
	}
	if old != nil && !req.NoCache && !req.Rebuild && old.Config != nil && old.Config.Labels[SourceHashLabel] == j.hash {
		return builder.Result{
			Image:     old.ID,
			Cached:    true,
			Summary:   fmt.Sprintf("image of %s is up to date", j.name),
			SizeBytes: old.Size,
		}, nil
	}

	if err := j.run(ctx); err != nil {
		return builder.Result{}, aborted(ctx, err)
	}
	made, err := b.inspect(ctx, j.tag)
	if err != nil {
		return builder.Result{}, aborted(ctx, err)
	}
	if made == nil {
		return builder.Result{}, fault.New(fault.Internal, "the engine built %s but has no image %s", j.name, j.tag)
	}
	if old != nil && old.ID != made.ID {
		// Without force the engine keeps what a container or another name still
		// needs, which is what we want; so its refusal is not an error.
		_, _ = b.cli.ImageRemove(ctx, old.ID, image.RemoveOptions{PruneChildren: true})
	}
	return builder.Result{
		Image:     made.ID,
		Summary:   fmt.Sprintf("image built from %s", j.name),
		SizeBytes: made.Size,
	}, nil
}

// inspect gives the named image, or nil when there is none.
func (b *Builder) inspect(ctx context.Context, name string) (*image.InspectResponse, error) {
	found, err := b.cli.ImageInspect(ctx, name)
	if cerrdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, engineError(err)
	}
	return &found, nil
}

// Tag is the name that an Actor's image gets: stable for its directory, and
// different from that of another directory with an Actor of the same name.
func Tag(actor *definition.Actor) string {
	return fmt.Sprintf("greenroom/%s-%s:latest", repositoryName(actor.Name), shortHash(actor.Root, 8))
}

// repositoryName makes of an Actor's name what an image may be called: lower
// case letters and digits, with single separators between them.
func repositoryName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && s[len(s)-1] != '-' {
			b.WriteByte('-')
		}
		if b.Len() == 64 {
			break
		}
	}
	return cmp.Or(strings.Trim(b.String(), "-"), "actor")
}

// shortHash is the first n hexadecimal digits of a string's SHA-256.
func shortHash(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

// buildArgs are the build arguments that the Dockerfile asks for: that of the
// platform, and those of the request. Others would only make the engine warn.
func buildArgs(actor *definition.Actor, src *source, more map[string]string) map[string]string {
	args := map[string]string{}
	for name, value := range more {
		if strings.Contains(string(src.dockerfile), name) {
			args[name] = value
		}
	}
	if !strings.Contains(string(src.dockerfile), pathArg) {
		return args
	}
	args[pathArg] = "."
	if root, err := filepath.EvalSymlinks(actor.Root); err == nil {
		if r, err := filepath.Rel(src.dir, root); err == nil {
			args[pathArg] = filepath.ToSlash(r)
		}
	}
	return args
}

// dockerfileName is the Dockerfile as people know it: relative to the Actor.
func dockerfileName(actor *definition.Actor) string {
	if rel, err := filepath.Rel(actor.Root, actor.Dockerfile); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return actor.Dockerfile
}

func noDockerfile(actor *definition.Actor) error {
	looked := `.actor/Dockerfile and Dockerfile`
	if !actor.Legacy && actor.File != "" {
		looked = `the "dockerfile" field of .actor/actor.json, ` + looked
	}
	return fault.New(fault.InvalidInput, "no Dockerfile found in %s (looked at %s)", actor.Root, looked).
		WithHint("create .actor/Dockerfile, for example with the lines FROM apify/actor-node:20 and COPY . ./ and RUN npm install, or run without a container with --executor process")
}

// aborted turns any error that a cancelled context caused into fault.Aborted.
func aborted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fault.New(fault.Aborted, "the build was aborted: %w", context.Cause(ctx))
}

func engineError(err error) error {
	if client.IsErrConnectionFailed(err) {
		return fault.New(fault.Unavailable, "the container engine does not answer: %w", err).
			WithHint("start the engine, or run without a container with --executor process")
	}
	return fault.New(fault.Internal, "the container engine refused a request: %w", err)
}
