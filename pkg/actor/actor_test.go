package actor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func outside(t *testing.T) *actor.Actor {
	t.Helper()
	a := actor.New(actor.Config{StorageDir: filepath.Join(t.TempDir(), "storage")})
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// service is the part of a platform that a run needs to end; it answers like
// one that cannot end runs from inside, and keeps what it was asked.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	exit  int // the status that answers an exit
}

func newService(t *testing.T, exit int) *service {
	s := &service{exit: exit}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path+" "+string(body))
		s.mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/exit") && s.exit >= 300 {
			w.WriteHeader(s.exit)
			fmt.Fprint(w, `{"error":{"type":"page-not-found","message":"There is nothing here."}}`)
			return
		}
		fmt.Fprint(w, `{"data":{"id":"R"}}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) actor() *actor.Actor {
	return actor.New(actor.Config{AtHome: true, RunID: "R", BaseURL: s.URL, Token: "t"})
}

func TestExitOnPlatformsThatCannotEndRuns(t *testing.T) {
	for _, status := range []int{404, 405, 501} {
		s := newService(t, status)
		if err := s.actor().Exit(t.Context(), 3, "no luck"); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		want := []string{
			`POST /v2/actor-runs/R/exit {"exitCode":3,"statusMessage":"no luck"}`,
			`PUT /v2/actor-runs/R {"runId":"R","statusMessage":"no luck","isStatusMessageTerminal":true}`,
		}
		if !slices.Equal(s.asked, want) {
			t.Errorf("%d: asked %q", status, s.asked)
		}
	}
	s := newService(t, 403)
	if err := s.actor().Exit(t.Context(), 3, ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v", err)
	}
}

func TestExitWaitsForTheEnd(t *testing.T) {
	s := newService(t, 200)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	started := time.Now()
	if err := s.actor().Exit(ctx, 0, ""); err != nil || time.Since(started) < 250*time.Millisecond {
		t.Errorf("%v after %s", err, time.Since(started))
	}
}

func TestValues(t *testing.T) {
	a, ctx := outside(t), t.Context()
	store := a.KeyValueStore()
	for key, value := range map[string]any{
		"object": map[string]any{"html": "<b>"}, "text": "žluť", "bytes": []byte{0, 255}, "reader": strings.NewReader("read"), "number": 1.5,
	} {
		if err := store.Set(ctx, key, value); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string][2]string{
		"object": {actor.TypeJSON, `{"html":"<b>"}`}, "text": {actor.TypeText, "žluť"}, "bytes": {actor.TypeBinary, "\x00\xff"},
		"reader": {actor.TypeBinary, "read"}, "number": {actor.TypeJSON, "1.5"},
	} {
		record, err := store.Open(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(record.Body)
		record.Body.Close()
		if err != nil || string(data) != want[1] || record.ContentType != want[0] {
			t.Errorf("%s: %q, %q, %v", key, record.ContentType, data, err)
		}
	}
	var keys []string
	for key, err := range store.Keys(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.Key)
	}
	if want := []string{"bytes", "number", "object", "reader", "text"}; !slices.Equal(keys, want) {
		t.Errorf("keys %v", keys)
	}
	if err := a.SetValue(ctx, "object", nil); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := a.Value(ctx, "object", &v); !fault.Is(err, fault.NotFound) || v != nil {
		t.Errorf("%v, %v", v, err)
	}
	if err := a.SetValue(ctx, "bad", math.Inf(1)); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("got %v", err)
	}
	var s string
	if err := a.Value(ctx, "text", &s); err != nil || s != "žluť" {
		t.Errorf("%q, %v", s, err)
	}
	if err := a.Value(ctx, "text", new(int)); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("got %v", err)
	}
}

func TestReadersThatFailStoreNothing(t *testing.T) {
	a, ctx := outside(t), t.Context()
	if err := a.SetValue(ctx, "k", "before"); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := a.KeyValueStore().Put(ctx, "k", "text/plain", io.MultiReader(strings.NewReader("half"), failing{broken}))
	var s string
	if !errors.Is(err, broken) || a.Value(ctx, "k", &s) != nil || s != "before" {
		t.Errorf("%v, %q", err, s)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestPushIsAllOrNothing(t *testing.T) {
	a, ctx := outside(t), t.Context()
	good := map[string]int{"n": 1}
	for _, bad := range []any{1, "text", nil, []int{1}, func() {}} {
		if err := a.PushData(ctx, good, bad); !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "item 2") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	for range a.Dataset().Items(ctx) {
		t.Error("something was pushed")
	}
}

func TestNothingIsCreatedByReading(t *testing.T) {
	a, ctx := outside(t), t.Context()
	if err := a.Input(ctx, new(any)); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	for range a.Dataset().Items(ctx) {
		t.Error("an item from nowhere")
	}
	for range a.KeyValueStore().Keys(ctx, "") {
		t.Error("a key from nowhere")
	}
	if err := a.KeyValueStore().Delete(ctx, "k"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(a.Config().StorageDir); err == nil {
		t.Error("a folder was made")
	}
}

func TestFromEnv(t *testing.T) {
	env := map[string]string{
		"APIFY_IS_AT_HOME": "1", "ACTOR_RUN_ID": "new", "APIFY_ACTOR_RUN_ID": "old", "APIFY_DEFAULT_DATASET_ID": "D",
		"CRAWLEE_STORAGE_DIR": "there", "ACTOR_MEMORY_MBYTES": "512", "ACTOR_STARTED_AT": "2026-01-02T03:04:05.678Z",
		"ACTOR_TIMEOUT_AT": "nonsense", "ACTOR_WEB_SERVER_PORT": "-1",
	}
	c := actor.FromEnv(func(name string) string { return env[name] })
	if !c.AtHome || c.RunID != "new" || c.DefaultDatasetID != "D" || c.DefaultKeyValueStoreID != "default" || c.InputKey != "INPUT" ||
		c.StorageDir != "there" || c.MemoryMbytes != 512 || c.StartedAt.UnixMilli() != 1767323045678 || !c.TimeoutAt.IsZero() ||
		c.WebServerPort != 4321 || c.BaseURL != client.DefaultBaseURL {
		t.Errorf("%+v", c)
	}
	for value, want := range map[string]bool{"": false, "0": false, "false": false, "FALSE": false, "1": true, "true": true, "yes": true} {
		if got := actor.FromEnv(func(string) string { return value }).AtHome; got != want {
			t.Errorf("APIFY_IS_AT_HOME=%q: %v", value, got)
		}
	}
}

func TestMemoryInfo(t *testing.T) {
	m, err := actor.MemoryInfo()
	if err != nil || m.TotalBytes < 1<<20 || m.UsedBytes == 0 || m.UsedBytes+m.FreeBytes != m.TotalBytes {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestMainSaysWhy runs this test binary as an Actor whose program fails.
func TestMainSaysWhy(t *testing.T) {
	if os.Getenv("BE_AN_ACTOR") != "" {
		actor.Main(func(context.Context, *actor.Actor) error { return errors.New("the site is down") })
	}
	s := newService(t, 404)
	cmd := exec.Command(os.Args[0], "-test.run=^TestMainSaysWhy$")
	cmd.Env = append(os.Environ(), "BE_AN_ACTOR=1", "APIFY_IS_AT_HOME=1", "ACTOR_RUN_ID=R", "APIFY_TOKEN=t", "APIFY_API_BASE_URL="+s.URL)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || string(out) != "error: the site is down\n" {
		t.Errorf("%v, %q", err, out)
	}
	want := []string{`PUT /v2/actor-runs/R {"runId":"R","statusMessage":"the site is down","isStatusMessageTerminal":true}`}
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked %q", s.asked)
	}
}
