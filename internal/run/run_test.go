package run

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestOnlyLegalTransitions(t *testing.T) {
	all := []api.Status{api.StatusReady, api.StatusRunning, api.StatusSucceeded, api.StatusFailed,
		api.StatusTimingOut, api.StatusTimedOut, api.StatusAborting, api.StatusAborted}
	for _, from := range all {
		for _, to := range all {
			r := api.Run{ID: "r", Status: from, StartedAt: api.Now()}
			err := Move(&r, to, api.Now())
			if CanMove(from, to) != (err == nil) {
				t.Errorf("%s to %s: CanMove %v, Move %v", from, to, CanMove(from, to), err)
			}
			if err != nil && r.Status != from {
				t.Errorf("%s to %s: a refused step changed the status", from, to)
			}
			if err == nil && to.Terminal() != (r.FinishedAt != nil) {
				t.Errorf("%s to %s: finishedAt %v", from, to, r.FinishedAt)
			}
		}
		if from.Terminal() && CanMove(from, api.StatusFailed) {
			t.Errorf("%s ends twice", from)
		}
	}
}

func environment() Environment {
	started := api.TimeOf(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	number := "0.1.2"
	return Environment{
		Run: api.Run{
			ID: "run1", ActorID: "actor1", UserID: "user1", BuildID: "build1", BuildNumber: &number, StartedAt: started,
			Options:          api.RunOptions{MemoryMbytes: 1024, TimeoutSecs: 60},
			DefaultDatasetID: "ds1", DefaultKeyValueStoreID: "kv1", DefaultRequestQueueID: "rq1",
			StorageIDs: api.StorageIDs{Datasets: map[string]string{"default": "ds1"},
				KeyValueStores: map[string]string{"default": "kv1"}, RequestQueues: map[string]string{"default": "rq1"}},
			Meta: api.RunMeta{Origin: "DEVELOPMENT"},
		},
		TimeoutAt: api.TimeOf(started.Add(time.Minute)),
		ActorName: "crawler", Username: "me", Token: "secret", BaseURL: "http://127.0.0.1:1234",
		EventsURL: "ws://127.0.0.1:1234/events", InputKey: "INPUT", WebServerPort: 4321,
		WebServerURL: "http://127.0.0.1:4321", DedicatedCPUs: 0.25, NoProxy: []string{"127.0.0.1", "localhost"},
		InheritedNoProxy: "example.com, localhost",
	}
}

func lookup(t *testing.T, vars []string, name string) string {
	t.Helper()
	i := slices.IndexFunc(vars, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if i < 0 {
		return ""
	}
	return strings.TrimPrefix(vars[i], name+"=")
}

func TestEnvironmentIsThePlatforms(t *testing.T) {
	vars := environment().Vars(map[string]string{"MY": "own", "ACTOR_RUN_ID": "forged", "APIFY_LOG_LEVEL": "DEBUG"})
	for name, want := range map[string]string{
		"APIFY_IS_AT_HOME": "1", "ACTOR_RUN_ID": "run1", "APIFY_ACT_RUN_ID": "run1", "APIFY_TOKEN": "secret",
		"ACTOR_FULL_NAME": "me/crawler", "ACTOR_STARTED_AT": "2026-01-02T03:04:05.678Z",
		"ACTOR_TIMEOUT_AT": "2026-01-02T03:05:05.678Z", "APIFY_DEDICATED_CPUS": "0.25",
		"NO_PROXY": "example.com,localhost,127.0.0.1", "no_proxy": "example.com,localhost,127.0.0.1",
		"MY": "own", "APIFY_LOG_LEVEL": "DEBUG", "ACTOR_BUILD_NUMBER": "0.1.2",
		"ACTOR_STORAGES_JSON": `{"datasets":{"default":"ds1"},"keyValueStores":{"default":"kv1"},"requestQueues":{"default":"rq1"}}`,
	} {
		if got := lookup(t, vars, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for name, others := range aliases {
		for _, other := range others {
			if a, b := lookup(t, vars, name), lookup(t, vars, other); a != b {
				t.Errorf("%s = %q but %s = %q", name, a, other, b)
			}
		}
	}
	for _, v := range vars {
		if name, value, _ := strings.Cut(v, "="); value == "" {
			t.Errorf("%s is empty: SDKs fail on that", name)
		}
	}
}

func TestNotAtHomeKnowsNoAPI(t *testing.T) {
	e := environment()
	e.StorageDir = "/tmp/storage"
	for _, v := range e.Vars(nil) {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "APIFY_IS_AT_HOME", "APIFY_TOKEN", "APIFY_API_BASE_URL", "ACTOR_RUN_ID", "ACTOR_EVENTS_WEBSOCKET_URL", "ACTOR_DEFAULT_DATASET_ID":
			t.Errorf("%s=%s leads the SDK to an API", name, value)
		}
	}
	if got := lookup(t, e.Vars(nil), "CRAWLEE_STORAGE_DIR"); got != "/tmp/storage" {
		t.Errorf("CRAWLEE_STORAGE_DIR = %q", got)
	}
}

func TestRestartsAreLimited(t *testing.T) {
	now := time.Now()
	var restarts []api.Time
	for i := range 3 {
		var ok bool
		if restarts, ok = MayRestart(restarts, now.Add(time.Duration(i)*time.Second)); !ok {
			t.Fatalf("restart %d is refused", i)
		}
	}
	if _, ok := MayRestart(restarts, now.Add(59*time.Second)); ok {
		t.Error("a fourth within a minute is allowed")
	}
	if recent, ok := MayRestart(restarts, now.Add(61*time.Second)); !ok || len(recent) != 2 {
		t.Errorf("after a minute: %v, %v", recent, ok)
	}
}

func TestAccount(t *testing.T) {
	r := api.Run{Options: api.RunOptions{MemoryMbytes: 2048}}
	Account(&r, 30*time.Minute)
	if r.Stats.DurationMillis != 1800000 || r.Stats.RunTimeSecs != 1800 || r.Stats.ComputeUnits != 1 {
		t.Errorf("%+v", r.Stats)
	}
}

func TestScrub(t *testing.T) {
	got := Scrub([]string{"PATH=/bin", "APIFY_TOKEN=x", "ACTOR_RUN_ID=y", "CRAWLEE_STORAGE_DIR=z", "ACTORS=3"})
	if want := []string{"PATH=/bin", "ACTORS=3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOptions(t *testing.T) {
	one, big, odd, neg := 60, 512, 300, -1
	o, err := Options("", &one, &big, 1024)
	if err != nil || o.MemoryMbytes != 512 || o.TimeoutSecs != 60 || o.DiskMbytes != 1024 || o.Build != "latest" {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := Options("", nil, nil, 256); err != nil || o.MemoryMbytes != 256 {
		t.Errorf("the Actor's default is ignored: %+v, %v", o, err)
	}
	if _, err := Options("", nil, &odd, 0); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("300 MB is not a power of two: %v", err)
	}
	if _, err := Options("", &neg, nil, 0); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a negative timeout passed: %v", err)
	}
}
