package server

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/greenroom-dev/greenroom/internal/token"
)

var (
	commentLine = regexp.MustCompile(`^# (HELP|TYPE) ([a-z_]+) (.+)$`)
	sampleLine  = regexp.MustCompile(`^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (\S+)$`)
)

// samples reads the metrics as a collector does: each family has a kind before
// its samples, and stands in one place.
func (p *platform) samples() map[string]float64 {
	p.t.Helper()
	got := p.do("GET", "/metrics", nil).want(200)
	if contentType := got.header.Get("Content-Type"); contentType != "text/plain; version=0.0.4; charset=utf-8" {
		p.t.Errorf("content type %q", contentType)
	}
	samples, kinds, family := map[string]float64{}, map[string]string{}, ""
	for line := range strings.Lines(string(got.body)) {
		line = strings.TrimSuffix(line, "\n")
		if m := commentLine.FindStringSubmatch(line); m != nil {
			if m[1] == "HELP" {
				if family = m[2]; kinds[family] != "" {
					p.t.Errorf("%s comes twice", family)
				}
			} else if kinds[m[2]] = m[3]; m[2] != family {
				p.t.Errorf("the kind of %s stands at %s", m[2], family)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			p.t.Errorf("no sample: %q", line)
			continue
		}
		name := m[1]
		if kinds[family] == "histogram" {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				name = strings.TrimSuffix(name, suffix)
			}
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if _, twice := samples[m[1]+m[2]]; err != nil || twice || name != family || kinds[family] == "" {
			p.t.Errorf("a sample of %s (%s): %q", family, kinds[family], line)
		}
		samples[m[1]+m[2]] = value
	}
	return samples
}

func TestMetrics(t *testing.T) {
	p := newPlatform(t)
	p.server.measured.maxAge = 0
	p.server.DiskUsage = func(context.Context) (map[string]int64, error) {
		return map[string]int64{"records": 7, "items": 1 << 40}, nil
	}
	p.actor("exit 0")
	run := p.do("POST", "/v2/acts/~scripted/runs?waitForFinish=60", nil).want(201)
	for _, name := range []string{"one", "two"} {
		p.do("POST", "/v2/datasets?name="+name, nil).want(201)
		p.do("POST", "/v2/datasets/"+name+"/items", `[{"a":1},{"a":2}]`).want(201)
	}
	p.do("GET", "/v2/datasets/secret-name", nil).want(404)
	p.do("POST", "/v2/request-queues?name=work", nil).want(201)
	p.do("POST", "/v2/request-queues/work/requests/batch", `[{"url":"http://a","uniqueKey":"a"},{"url":"http://b","uniqueKey":"b"}]`).want(201)
	p.do("PUT", "/v2/key-value-stores/"+run.str("data", "defaultKeyValueStoreId")+"/records/secret-key", "{}").want(201)
	p.as("", "GET", "/v2/datasets/secret-name", nil).want(401)
	p.do("GET", "/secret-path", nil).want(404)
	p.do("BREW", "/v2/datasets", nil).want(405)
	p.do("GET", "/v2/datasets?method=POST&name=three", nil).want(201)
	conn, _, err := websocket.Dial(t.Context(), p.URL+"/v2/actor-runs/"+run.str("data", "id")+"/events?token="+ownerToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil { // until the server says that the run has ended
		_, _, err = conn.Read(t.Context())
	}

	events := `greenroom_http_requests_total{method="GET",route="/v2/actor-runs/{runId}/events",status="101"}`
	samples := p.samples()
	for deadline := time.Now().Add(5 * time.Second); samples[events] == 0 && time.Now().Before(deadline); samples = p.samples() {
		time.Sleep(5 * time.Millisecond)
	}
	for name, want := range map[string]float64{
		events: 1,
		`greenroom_http_requests_total{method="POST",route="/v2/datasets",status="201"}`:                                        3,
		`greenroom_http_requests_total{method="GET",route="/v2/datasets/{storageId}",status="404"}`:                             1,
		`greenroom_http_requests_total{method="PUT",route="/v2/key-value-stores/{storageId}/records/{recordKey}",status="201"}`: 1,
		`greenroom_http_requests_total{method="GET",route="/v2/datasets/{storageId}",status="401"}`:                             1,
		`greenroom_http_requests_total{method="GET",route="none",status="404"}`:                                                 1,
		`greenroom_http_requests_total{method="other",route="/v2/datasets",status="405"}`:                                       1,
		`greenroom_http_request_duration_seconds_count{method="POST",route="/v2/datasets/{storageId}/items"}`:                   2,
		`greenroom_http_request_duration_seconds_bucket{method="POST",route="/v2/datasets/{storageId}/items",le="+Inf"}`:        2,
		`greenroom_http_request_duration_seconds_bucket{method="POST",route="/v2/datasets/{storageId}/items",le="300"}`:         2,
		`greenroom_http_requests_in_flight`:                 1,
		`greenroom_store_measured`:                          1,
		`greenroom_runs{status="SUCCEEDED"}`:                1,
		`greenroom_runs{status="RUNNING"}`:                  0,
		`greenroom_dataset_items`:                           4,
		`greenroom_request_queue_requests{state="pending"}`: 2,
		`greenroom_request_queue_depth{queue="work"}`:       2,
		`greenroom_store_bytes{kind="items"}`:               1 << 40,
		`greenroom_store_bytes{kind="records"}`:             7,
	} {
		if got, ok := samples[name]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
		}
	}
	if took := samples[`greenroom_http_request_duration_seconds_sum{method="POST",route="/v2/actors/{actorId}/runs"}`]; took <= 0 || took > 60 {
		t.Errorf("starting a run took %v s", took)
	}
	if got := samples[`greenroom_storages{kind="datasets"}`]; got < 3 {
		t.Errorf("%v datasets", got)
	}
	for name := range samples {
		if strings.Contains(name, "secret") || strings.Contains(name, run.str("data", "id")) || strings.Contains(name, "BREW") {
			t.Errorf("a label comes from a request: %s", name)
		}
		if strings.Contains(name, "_duration_") && strings.Contains(name, "/events") {
			t.Errorf("the life of a WebSocket is no latency: %s", name)
		}
	}
}

func TestLabelsAreEscaped(t *testing.T) {
	x := &exposition{}
	x.sample("m", 0.5, "a", "q\"b\\n\nx", "b", "é")
	if got, want := x.String(), "m{a=\"q\\\"b\\\\n\\nx\",b=\"é\"} 0.5\n"; got != want || !sampleLine.MatchString(strings.TrimSuffix(got, "\n")) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBuckets(t *testing.T) {
	n := &counts{statuses: map[int]uint64{}}
	for _, took := range []time.Duration{0, time.Millisecond, 1001 * time.Microsecond, time.Hour} {
		n.add(200, took)
	}
	x := &exposition{}
	n.writeLatency(x, "m", endpoint{"GET", "/"})
	for _, want := range []string{`le="0.001"} 2`, `le="0.0025"} 3`, `le="300"} 3`, `le="+Inf"} 4`, `m_count{method="GET",route="/"} 4`} {
		if !strings.Contains(x.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, x)
		}
	}
}

func TestWhoSeesMetrics(t *testing.T) {
	p := newPlatform(t)
	tokens := p.withTokens()
	p.as("", "GET", "/metrics", nil).fails(401, "token-not-provided")
	p.as("wrong", "GET", "/metrics", nil).fails(401, "user-or-token-not-found")
	p.as(newToken(t, tokens, token.ReadOnly), "GET", "/metrics", nil).want(200)
	p.as(newToken(t, tokens, token.OneRun("abcdefghij1234567")), "GET", "/metrics", nil).fails(403, "insufficient-permissions")
	p.do("POST", "/metrics", nil).fails(405, "method-not-allowed")
	p.do("GET", "/metrics", nil, "Host", "evil.example").want(403)
	p.server.PublicMetrics = true
	p.as("", "GET", "/metrics", nil).want(200)
	p.as("", "GET", "/metrics", nil, "Host", "evil.example").want(403)
	p.as("", "GET", "/v2/datasets", nil).want(401)
}

func TestHealth(t *testing.T) {
	p := newPlatform(t)
	p.as("", "GET", "/healthz", nil).want(200).is("ok", "status")

	var broken error
	p.server.health.check = func(context.Context) error { return broken }
	broken = errors.New("the disk is on fire")
	p.as("", "GET", "/healthz", nil).want(200) // known from a moment ago
	p.server.health.at = time.Now().Add(-healthMaxAge)
	failed := p.as("", "GET", "/healthz", nil).want(503).is("unavailable", "status")
	if strings.Contains(string(failed.body), "fire") {
		t.Errorf("everybody is told %s", failed.body)
	}
	if !strings.Contains(p.log.String(), "the disk is on fire") {
		t.Errorf("the log says %q", p.log.String())
	}
	broken = nil
	p.server.health.at = time.Time{}
	p.as("", "GET", "/healthz", nil).want(200)

	// A store that hangs is asked once, and everybody gets an answer.
	release, asked := make(chan struct{}), make(chan struct{}, 10)
	p.server.health = health{timeout: 20 * time.Millisecond, check: func(context.Context) error {
		asked <- struct{}{}
		<-release
		return nil
	}}
	for range 3 {
		p.as("", "GET", "/healthz", nil).want(503)
	}
	if len(asked) != 1 {
		t.Errorf("the store was asked %d times", len(asked))
	}
	close(release)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if p.as("", "GET", "/healthz", nil).status == 200 {
			break
		}
	}
	p.as("", "GET", "/healthz", nil).want(200)

	p.server.Draining = func() bool { return true }
	p.as("", "GET", "/healthz", nil).want(503).is("draining", "status")
	p.do("GET", "/v2/datasets", nil).want(200) // what has come is answered
	p.log.Reset()
}

// TestMetricsOfABrokenStore keeps what is known of requests.
func TestMetricsOfABrokenStore(t *testing.T) {
	p := newPlatform(t)
	p.server.DiskUsage = func(context.Context) (map[string]int64, error) { return nil, errors.New("too many open files") }
	p.do("GET", "/v2/datasets", nil).want(200)
	samples := p.samples()
	if got, ok := samples["greenroom_store_measured"]; !ok || got != 0 {
		t.Errorf("measured: %v, %v", got, ok)
	}
	if samples[`greenroom_http_requests_total{method="GET",route="/v2/datasets",status="200"}`] != 1 {
		t.Error("the requests are not counted")
	}
	if !strings.Contains(p.log.String(), "too many open files") {
		t.Errorf("the log says %q", p.log.String())
	}
	p.log.Reset()
}

func TestRequestsNobodyWaitsFor(t *testing.T) {
	p := newPlatform(t)
	p.actor("sleep 30")
	run := p.do("POST", "/v2/acts/~scripted/runs", nil).want(201).str("data", "id")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", p.URL+"/v2/actor-runs/"+run+"?waitForFinish=60&token="+ownerToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(r); err == nil {
		resp.Body.Close()
		t.Fatal("the run ended")
	}
	gone := `greenroom_http_requests_total{method="GET",route="/v2/actor-runs/{runId}",status="499"}`
	for deadline := time.Now().Add(5 * time.Second); p.samples()[gone] != 1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it was not counted")
		}
	}
	p.do("POST", "/v2/actor-runs/"+run+"/abort", nil).want(200)
}
