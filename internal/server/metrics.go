package server

import (
	"bytes"
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// latencyBuckets are the upper bounds of the latency histogram in seconds: from
// an append to waiting for the end of a run.
var latencyBuckets = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// endpoint is what requests are counted by. Both come from the table of routes
// and never from a request, so that there are not more than a few hundred.
type endpoint struct{ method, route string }

// counts are the requests to one endpoint.
type counts struct {
	mu       sync.Mutex
	statuses map[int]uint64
	buckets  [len(latencyBuckets)]uint64 // each counts what no smaller one holds
	timed    uint64
	seconds  float64
}

type metrics struct {
	inFlight atomic.Int64
	mu       sync.RWMutex
	counts   map[endpoint]*counts
}

const (
	// statusUpgraded is what connections end as that became a WebSocket.
	statusUpgraded = http.StatusSwitchingProtocols
	// statusGone counts requests whose client did not wait for the answer; the
	// number is what servers commonly log for it.
	statusGone = 499
)

// begin counts a request in. What it gives counts it out, and must be called
// when it has been answered.
func (c *call) begin() (end func()) {
	m := &c.s.metrics
	m.inFlight.Add(1)
	start := time.Now()
	return func() {
		m.inFlight.Add(-1)
		took := time.Since(start)
		e := endpoint{c.knownMethod(), cmp.Or(c.route, "none")}
		status := c.outcome()
		m.of(e).add(status, took)
		// The query stays out: it may hold a token.
		c.s.Logger.LogAttrs(c.r.Context(), slog.LevelDebug, "request", slog.String("method", e.method),
			slog.String("path", c.r.URL.Path), slog.String("route", e.route), slog.Int("status", status), slog.Duration("duration", took))
	}
}

// knownMethod is the request's method, unless it made one up.
func (c *call) knownMethod() string {
	switch c.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return c.r.Method
	}
	return "other"
}

// outcome is the status that the request was answered with.
func (c *call) outcome() int {
	switch {
	case c.status != 0:
		return c.status
	case c.wroteHeader:
		return statusUpgraded // by somebody who took over the connection
	case c.r.Context().Err() != nil:
		return statusGone
	}
	return http.StatusOK // which net/http makes of no answer at all
}

func (m *metrics) of(e endpoint) *counts {
	m.mu.RLock()
	n := m.counts[e]
	m.mu.RUnlock()
	if n != nil {
		return n
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n = m.counts[e]; n == nil {
		if m.counts == nil {
			m.counts = map[endpoint]*counts{}
		}
		n = &counts{statuses: map[int]uint64{}}
		m.counts[e] = n
	}
	return n
}

func (n *counts) add(status int, took time.Duration) {
	seconds := took.Seconds()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.statuses[status]++
	if status == statusUpgraded {
		return // it took as long as there was something to tell
	}
	n.timed++
	n.seconds += seconds
	if i, _ := slices.BinarySearch(latencyBuckets[:], seconds); i < len(n.buckets) {
		n.buckets[i]++
	}
}

// exposition is text in the format that Prometheus reads, version 0.0.4.
type exposition struct{ bytes.Buffer }

// family begins a metric. What it measures and its kind stand before its samples.
func (x *exposition) family(name, kind, help string) {
	x.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes one value; labels are names and values.
func (x *exposition) sample(name string, value float64, labels ...string) {
	x.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		x.WriteByte("{,"[min(i, 1)])
		x.WriteString(labels[i] + `="` + escapeLabel.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		x.WriteByte('}')
	}
	x.WriteByte(' ')
	x.WriteString(strconv.FormatFloat(value, 'g', -1, 64))
	x.WriteByte('\n')
}

func (m *metrics) write(x *exposition) {
	m.mu.RLock()
	all := maps.Clone(m.counts)
	m.mu.RUnlock()
	endpoints := slices.SortedFunc(maps.Keys(all), func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.method, b.method))
	})
	x.family("greenroom_http_requests_total", "counter", "Requests answered, by the route's pattern and the status.")
	for _, e := range endpoints {
		n := all[e]
		n.mu.Lock()
		for _, status := range slices.Sorted(maps.Keys(n.statuses)) {
			x.sample("greenroom_http_requests_total", float64(n.statuses[status]),
				"method", e.method, "route", e.route, "status", strconv.Itoa(status))
		}
		n.mu.Unlock()
	}
	const latency = "greenroom_http_request_duration_seconds"
	x.family(latency, "histogram", "Time from the head of a request to the end of its answer.")
	for _, e := range endpoints {
		all[e].writeLatency(x, latency, e)
	}
	x.family("greenroom_http_requests_in_flight", "gauge", "Requests being answered, this one included.")
	x.sample("greenroom_http_requests_in_flight", float64(m.inFlight.Load()))
}

func (n *counts) writeLatency(x *exposition, name string, e endpoint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.timed == 0 {
		return
	}
	sum := uint64(0)
	for i, bound := range latencyBuckets {
		sum += n.buckets[i]
		x.sample(name+"_bucket", float64(sum), "method", e.method, "route", e.route, "le", strconv.FormatFloat(bound, 'g', -1, 64))
	}
	x.sample(name+"_bucket", float64(n.timed), "method", e.method, "route", e.route, "le", "+Inf")
	x.sample(name+"_sum", n.seconds, "method", e.method, "route", e.route)
	x.sample(name+"_count", float64(n.timed), "method", e.method, "route", e.route)
}

// serveMetrics answers with everything that is measured.
func (c *call) serveMetrics() error {
	c.route = "/metrics"
	if c.caller.StoragesOf != "" || c.caller.runID != "" {
		return fault.New(fault.Forbidden, "the token of a run does not give access to metrics")
	}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		c.Header().Set("Allow", "GET,HEAD")
		return fault.New(fault.MethodNotAllowed, "this API endpoint can only be accessed using the following HTTP methods: GET,HEAD")
	}
	x := &exposition{}
	c.s.metrics.write(x)
	c.s.measured.write(c.ctx(), c.s, x)
	x.family("greenroom_start_time_seconds", "gauge", "When the server started, in Unix time.")
	x.sample("greenroom_start_time_seconds", float64(c.s.started.UnixMilli())/1000)
	x.family("greenroom_goroutines", "gauge", "Goroutines of the process.")
	x.sample("greenroom_goroutines", float64(runtime.NumGoroutine()))
	h := c.Header()
	h["Content-Type"] = []string{"text/plain; version=0.0.4; charset=utf-8"}
	h["Content-Length"] = []string{strconv.Itoa(x.Len())}
	c.WriteHeader(http.StatusOK)
	_, _ = c.Write(x.Bytes())
	return nil
}
