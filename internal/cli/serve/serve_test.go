package serve

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

// broken is a server that ends by itself.
type broken struct{ closed bool }

func (*broken) BaseURL() string { return "http://127.0.0.1:1" }
func (*broken) Token() string   { return "secret" }
func (b *broken) Close() error  { b.closed = true; return nil }
func (*broken) Failed() <-chan error {
	failed := make(chan error, 1)
	failed <- errors.New("the listener broke")
	return failed
}

func serve(t *testing.T, server cmdkit.Server, args ...string) (got cmdkit.ServerOptions, status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	io := &cmdkit.IO{In: strings.NewReader(""), Out: &out, Err: &err}
	home := t.TempDir()
	f := &cmdkit.Factory{IO: io, Version: "test", Getenv: func(name string) string {
		if name == "HOME" || name == "LocalAppData" {
			return home
		}
		return ""
	}}
	cmd := New(f, func(_ context.Context, o cmdkit.ServerOptions) (cmdkit.Server, error) {
		got = o
		return server, nil
	}, nil)
	cmd.SetArgs(args)
	status = cmdkit.Run(context.Background(), io, cmd)
	if got.DataDir != "" && len(args) == 0 && !strings.HasPrefix(got.DataDir, home) {
		t.Errorf("the data directory is %s, not in %s", got.DataDir, home)
	}
	return got, status, out.String(), err.String()
}

func TestServerThatEndsByItself(t *testing.T) {
	server := &broken{}
	ready := filepath.Join(t.TempDir(), "ready")
	_, status, stdout, stderr := serve(t, server, "--data-dir", "d", "--ready-file", ready)
	if status != 1 || !strings.Contains(stderr, "the listener broke") || !server.closed {
		t.Errorf("%d, %q, closed: %t", status, stderr, server.closed)
	}
	if want := "export APIFY_CLIENT_BASE_URL=http://127.0.0.1:1\nexport APIFY_TOKEN=secret\n"; stdout != want {
		t.Errorf("printed %q, want %q", stdout, want)
	}
	if _, err := os.Stat(ready); err == nil {
		t.Error("the ready file stayed")
	}
}

func TestDefaultDirectory(t *testing.T) {
	got, _, _, _ := serve(t, &broken{})
	if filepath.Base(got.DataDir) != "greenroom" || !filepath.IsAbs(got.DataDir) {
		t.Errorf("data in %q", got.DataDir)
	}
}

func TestWrongOptions(t *testing.T) {
	for _, args := range [][]string{{"--listen", "3333"}, {"--durability", "much"}, {"--drain", "-1s"}, {"--retention", "7"}, {"--retention", "0d"}, {"extra"}} {
		if got, status, _, stderr := serve(t, &broken{}, args...); status != 1 || stderr == "" || got.DataDir != "" {
			t.Errorf("%q: %d, %q", args, status, stderr)
		}
	}
}

func TestRetention(t *testing.T) {
	for text, want := range map[string]time.Duration{"off": 0, "": 0, "7d": 7 * 24 * time.Hour, "90m": 90 * time.Minute} {
		if got, _, _, stderr := serve(t, &broken{}, "--data-dir", "d", "--retention", text); got.Retention != want || got.DataDir == "" {
			t.Errorf("%q: %v, %s", text, got.Retention, stderr)
		}
	}
}
