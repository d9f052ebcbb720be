package image

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/docker/docker/api/types/build"
	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"google.golang.org/protobuf/proto"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
)

// abortGrace is how long an engine has to hear that a build is not wanted any
// more.
const abortGrace = 5 * time.Second

// buildKit builds over a session: the engine asks for the files it needs, and
// only for those that changed since the last time. It gives errNoBuildKit when
// the engine has no sessions.
func (j *job) buildKit(ctx context.Context, text dockerfile.Text) error {
	s, err := session.NewSession(ctx, shortHash(j.tag, 32))
	if err != nil {
		return engineError(err)
	}
	s.Allow(filesync.NewFSSyncProvider(filesync.StaticDirSource{
		"context": contextFS{j.src.with(text.Files)},
		// The rules have been applied; the frontend must find some, or it looks
		// for the context's own.
		"dockerfile": filesFS{
			{"Dockerfile", text.Bytes},
			{"Dockerfile.dockerignore", []byte("# applied already\n")},
		},
	}))
	dialed := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Run(ctx, func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			conn, err := j.cli.DialHijack(ctx, "/session", proto, meta)
			dialed <- err
			return conn, err
		})
	}()
	if err := <-dialed; err != nil {
		<-ended
		if _, pingErr := j.cli.Ping(ctx); pingErr != nil {
			return engineError(pingErr)
		}
		return errNoBuildKit
	}
	defer func() {
		s.Close()
		<-ended
	}()

	options := j.options()
	options.Version = build.BuilderBuildKit
	options.RemoteContext = "client-session"
	options.SessionID = s.ID()
	options.BuildID = identity.NewID()
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortGrace)
		defer cancel()
		_ = j.cli.BuildCancel(ctx, options.BuildID)
	})
	defer stop()
	answer, err := j.cli.ImageBuild(ctx, nil, options)
	if err != nil {
		return refused(err)
	}
	defer answer.Body.Close()

	p := newProgress(j.log)
	failed, err := messages(answer.Body, func(m message) error {
		if m.ID == "moby.buildkit.trace" {
			p.trace(m.Aux)
		}
		return nil
	})
	p.flush()
	if err != nil {
		return err
	}
	if failed != "" {
		return p.failure(failed)
	}
	return nil
}

// trace shows one report of what BuildKit is doing. A report that cannot be
// read is left out: it is only for people.
func (p *progress) trace(aux json.RawMessage) {
	var encoded []byte
	var status control.StatusResponse
	if json.Unmarshal(aux, &encoded) != nil || proto.Unmarshal(encoded, &status) != nil {
		return
	}
	for _, v := range status.Vertexes {
		p.vertex(v)
	}
	for _, l := range status.Logs {
		p.output(l.Vertex, l.Msg)
	}
	for _, w := range status.Warnings {
		fmt.Fprintf(p.log, "warning: %s\n", w.Short)
	}
}
