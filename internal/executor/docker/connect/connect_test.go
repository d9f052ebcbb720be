package connect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestConnectSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	mute := filepath.Join(dir, "mute.sock")
	l, err := net.Listen("unix", mute)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()

	for _, c := range []struct{ name, host, message, hint string }{
		{"missing", "unix://" + filepath.Join(dir, "none.sock"), "no container engine at", "start Docker"},
		{"refused", "tcp://127.0.0.1:1", "no container engine at", "start Docker"},
		{"mute", "unix://" + mute, "did not answer", "restart"},
		{"ssh", "ssh://user@example.com", "through ssh", "ssh -NL"},
		{"nonsense", "nonsense", "cannot be used", "DOCKER_HOST looks like"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", c.host)
			begin := time.Now()
			_, err := Engine(t.Context())
			if took := time.Since(begin); took > pingLimit+time.Second {
				t.Errorf("took %v", took)
			}
			if !fault.Is(err, fault.Unavailable) {
				t.Fatalf("error %v, want one that is unavailable", err)
			}
			if !strings.Contains(err.Error(), c.message) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("error %q, hint %q", err, fault.HintOf(err))
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		t.Setenv("DOCKER_HOST", "unix://"+mute)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := Engine(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v", err)
		}
	})
}

func TestConnectFollowsTheDockerContext(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("DOCKER_CONTEXT", "")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte("far"))
	meta := "contexts/meta/" + hex.EncodeToString(sum[:]) + "/meta.json"
	write("config.json", `{"currentContext":"far"}`)
	write(meta, `{"Name":"far","Endpoints":{"docker":{"Host":"tcp://127.0.0.1:1"}}}`)

	// A context that is elsewhere is the only candidate.
	if got, err := candidates(); err != nil || len(got) != 1 || got[0].host != "tcp://127.0.0.1:1" {
		t.Errorf("candidates %v, %v", got, err)
	}
	// One on this machine is tried before the usual places.
	write(meta, `{"Name":"far","Endpoints":{"docker":{"Host":"unix:///nowhere.sock"}}}`)
	if got, err := candidates(); err != nil || len(got) < 2 || got[0].host != "unix:///nowhere.sock" {
		t.Errorf("candidates %v, %v", got, err)
	}
	t.Setenv("DOCKER_CONTEXT", "far")
	if got, err := candidates(); err != nil || len(got) != 1 || got[0].host != "unix:///nowhere.sock" {
		t.Errorf("candidates %v, %v", got, err)
	}
	t.Setenv("DOCKER_CONTEXT", "unknown")
	if _, err := candidates(); !fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v", err)
	}
	// DOCKER_HOST wins over everything.
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:2")
	if got, err := candidates(); err != nil || len(got) != 1 || got[0].host != "tcp://127.0.0.1:2" {
		t.Errorf("candidates %v, %v", got, err)
	}
}
