package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/client"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// job is one build of one source.
type job struct {
	cli      *client.Client
	src      *source
	log      io.Writer
	name     string // the Dockerfile, for people
	tag      string
	hash     string
	noCache  bool
	platform string
	args     map[string]string
	labels   map[string]string // besides that of the hash
}

// errNoBuildKit says that the engine offers no BuildKit session.
var errNoBuildKit = errors.New("the engine has no BuildKit")

// run builds the image and tags it. When the engine cannot read the Dockerfile
// as it is written, it is given one that means the same.
func (j *job) run(ctx context.Context) error {
	text := dockerfile.Text{Bytes: j.src.dockerfile}
	withoutFrontend, withoutHeredocs := false, false
	for {
		err := j.attempt(ctx, text)
		if err == nil || ctx.Err() != nil {
			return err
		}
		var failed *failure
		if !errors.As(err, &failed) {
			return err
		}
		frontend, ok := frontendOf(text.Bytes)
		if ok && !withoutFrontend && failed.frontendUnreachable(frontend) {
			withoutFrontend = true
			text.Bytes = dropFrontend(text.Bytes)
			fmt.Fprintf(j.log, "the Dockerfile frontend %s cannot be pulled (no registry was reached); building with the one of the engine\n", frontend)
			continue
		}
		if !withoutHeredocs && failed.notUnderstood() {
			rewritten, rewriteErr := dockerfile.WithoutHeredocs(text.Bytes)
			if rewriteErr == nil && !bytes.Equal(rewritten.Bytes, text.Bytes) {
				withoutHeredocs = true
				text = rewritten
				fmt.Fprintln(j.log, "the engine does not know here-documents in a Dockerfile; building an equivalent without them")
				continue
			}
		}
		return failed.explain(j.name)
	}
}

// attempt builds once, from the given Dockerfile.
func (j *job) attempt(ctx context.Context, text dockerfile.Text) error {
	if j.wantsBuildKit(ctx) {
		err := j.buildKit(ctx, text)
		if !errors.Is(err, errNoBuildKit) {
			return err
		}
	}
	return j.classic(ctx, text)
}

// wantsBuildKit tells whether to try BuildKit: when the engine does not say
// which builder it prefers (Docker before 23, Podman), trying is the only way
// to know. DOCKER_BUILDKIT=0 and =1 decide, as they do for Docker's own client.
func (j *job) wantsBuildKit(ctx context.Context) bool {
	switch os.Getenv("DOCKER_BUILDKIT") {
	case "":
	case "0", "false":
		return false
	default:
		return true
	}
	ping, err := j.cli.Ping(ctx)
	return err == nil && ping.BuilderVersion != build.BuilderV1
}

func (j *job) options() build.ImageBuildOptions {
	args := make(map[string]*string, len(j.args))
	for name, value := range maps.All(j.args) {
		args[name] = &value
	}
	labels := map[string]string{SourceHashLabel: j.hash}
	maps.Copy(labels, j.labels)
	return build.ImageBuildOptions{
		Tags:        []string{j.tag},
		NoCache:     j.noCache,
		Remove:      true,
		ForceRemove: true,
		BuildArgs:   args,
		Labels:      labels,
		Platform:    j.platform,
	}
}

// message is one element of the stream that answers a build.
type message struct {
	ID          string          `json:"id"`
	Stream      string          `json:"stream"`
	Status      string          `json:"status"`
	Progress    json.RawMessage `json:"progressDetail"`
	Aux         json.RawMessage `json:"aux"`
	ErrorDetail *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
	Error string `json:"error"`
}

func (m message) failure() string {
	if m.ErrorDetail != nil && m.ErrorDetail.Message != "" {
		return m.ErrorDetail.Message
	}
	return m.Error
}

// messages calls each for every message of a build's answer until the stream
// ends, and gives the engine's own error text, if it sent one.
func messages(body io.Reader, each func(message) error) (failed string, err error) {
	decoder := json.NewDecoder(body)
	for {
		var m message
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return failed, nil
		} else if err != nil {
			return failed, fault.New(fault.Unavailable, "the container engine's answer to the build ended early: %w", err)
		}
		if text := m.failure(); text != "" {
			failed = text
			continue
		}
		if err := each(m); err != nil {
			return failed, err
		}
	}
}

// frontendOf gives the image named in a Dockerfile's "# syntax=" line.
func frontendOf(text []byte) (name string, ok bool) {
	name, _, _, ok = parser.DetectSyntax(text)
	return name, ok
}

// dropFrontend makes the "# syntax=" line an ordinary comment. Line numbers in
// error messages stay right.
func dropFrontend(text []byte) []byte {
	_, _, where, ok := parser.DetectSyntax(text)
	if !ok || len(where) == 0 {
		return text
	}
	lines := bytes.SplitAfter(text, []byte{'\n'})
	lines[where[0].Start.Line-1] = []byte("# built with the frontend of the engine\n")
	return bytes.Join(lines, nil)
}
