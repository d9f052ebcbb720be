package storages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/datasets"
	"github.com/greenroom-dev/greenroom/internal/cli/keyvaluestores"
	"github.com/greenroom-dev/greenroom/internal/cli/requestqueues"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/server"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
)

const token = "owner-token"

// platform is a real server over a real store, and the commands that speak to it.
type platform struct {
	t       testing.TB
	URL     string
	handler http.Handler
	// wrap, when set, stands before the server.
	wrap func(http.Handler) http.Handler
	env  map[string]string
	tty  bool
}

func newPlatform(t testing.TB) *platform {
	t.Helper()
	p := &platform{t: t, env: map[string]string{}}
	root := localdir.Open(filepath.Join(t.TempDir(), "storage"))
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	e := engine.New(engine.Config{
		Store: root, UserID: "user1", Username: "me",
		APIURL:    func(context.Context, executor.Endpoint) (string, error) { return p.URL, nil },
		PublicURL: func() string { return p.URL },
	})
	t.Cleanup(e.Close)
	p.handler = server.New(server.Config{Store: root, Engine: e, OwnerToken: token, UserID: "user1", Username: "me"})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := p.handler
		if p.wrap != nil {
			handler = p.wrap(handler)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	p.URL = s.URL
	p.env["APIFY_CLIENT_BASE_URL"], p.env["APIFY_TOKEN"] = s.URL, token
	t.Setenv("HOME", t.TempDir()) // nobody's profile
	t.Setenv("USERPROFILE", t.TempDir())
	return p
}

// result is what a command came to.
type result struct {
	t              testing.TB
	line           string
	status         int
	stdout, stderr string
}

// apify runs a command without standard input.
func (p *platform) apify(args ...string) result { return p.piped(nil, args...) }

// piped runs a command with standard input, nil for none.
func (p *platform) piped(in io.Reader, args ...string) result {
	p.t.Helper()
	return p.run(p.t.Context(), in, args...)
}

func (p *platform) run(ctx context.Context, in io.Reader, args ...string) result {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	status := p.main(ctx, &cmdkit.IO{In: in, Out: &stdout, Err: &stderr, InTTY: p.tty, ErrTTY: p.tty}, args...)
	return result{p.t, strings.Join(args, " "), status, stdout.String(), stderr.String()}
}

// follow runs a command until ctx ends, with its output as it comes.
func (p *platform) follow(ctx context.Context, out io.Writer, args ...string) {
	p.main(ctx, &cmdkit.IO{Out: out, Err: io.Discard}, args...)
}

func (p *platform) main(ctx context.Context, streams *cmdkit.IO, args ...string) int {
	root := p.tree(streams)
	root.SetArgs(args)
	return cmdkit.Run(ctx, streams, root)
}

// cobraCommand is a command of the tree.
type cobraCommand = cobra.Command

func (p *platform) root() *cobra.Command { return p.tree(&cmdkit.IO{Out: io.Discard, Err: io.Discard}) }

func (p *platform) tree(streams *cmdkit.IO) *cobra.Command {
	f := &cmdkit.Factory{IO: streams, Version: "test", Getenv: func(name string) string { return p.env[name] }}
	root := cmdkit.Group(&cobra.Command{Use: "apify"})
	root.AddCommand(datasets.New(f), keyvaluestores.New(f), requestqueues.New(f))
	return root
}

// ok wants success.
func (r result) ok() result { r.t.Helper(); return r.exits(0) }

func (r result) exits(status int) result {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("apify %.200s: exit status %d, want %d\nstdout: %.2000s\nstderr: %.2000s", r.line, r.status, status, r.stdout, r.stderr)
	}
	return r
}

// fails wants a status, something on standard error and nothing on standard output.
func (r result) fails(status int, said ...string) result {
	r.t.Helper()
	r.exits(status)
	for _, text := range said {
		if !strings.Contains(r.stderr, text) {
			r.t.Errorf("apify %.200s: standard error says nothing of %q: %.2000s", r.line, text, r.stderr)
		}
	}
	if r.stdout != "" {
		r.t.Errorf("apify %.200s failed and printed %.500s", r.line, r.stdout)
	}
	return r
}

// prints wants exactly this on standard output.
func (r result) prints(want string) result {
	r.t.Helper()
	if r.stdout != want {
		r.t.Errorf("apify %.200s printed %.2000q, want %.2000q", r.line, r.stdout, want)
	}
	return r
}

func (r result) says(text string) result {
	r.t.Helper()
	if !strings.Contains(r.stderr, text) {
		r.t.Errorf("apify %.200s: standard error says nothing of %q: %.2000s", r.line, text, r.stderr)
	}
	return r
}

// json decodes standard output.
func (r result) json() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		r.t.Fatalf("apify %s printed no JSON: %v: %s", r.line, err, r.stdout)
	}
	return v
}
