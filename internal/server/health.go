package server

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	// healthMaxAge is how long the outcome of a check counts: the question needs
	// no token, so that asking it often must cost nothing.
	healthMaxAge = time.Second
	// healthTimeout is how long the store may take before it counts as broken.
	healthTimeout = 2 * time.Second
)

// health remembers the last check of the store. There is one under way at most.
type health struct {
	check   func(context.Context) error
	timeout time.Duration

	mu      sync.Mutex
	at      time.Time
	err     error
	running chan struct{} // closed at its end; nil when there is none
}

// ask gives the outcome of a check that is not old.
func (h *health) ask() error {
	h.mu.Lock()
	if h.running == nil {
		if !h.at.IsZero() && time.Since(h.at) < healthMaxAge {
			defer h.mu.Unlock()
			return h.err
		}
		h.running = make(chan struct{})
		go h.run(h.running)
	}
	running := h.running
	h.mu.Unlock()
	select {
	case <-running:
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.err
	case <-time.After(h.timeout):
		return fault.New(fault.Unavailable, "the store does not answer")
	}
}

func (h *health) run(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), h.timeout)
	defer cancel()
	err := h.check(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at, h.err, h.running = time.Now(), err, nil
	close(done)
}

// checkStore looks for a run that there cannot be, which is one look into the
// index of a store.
func (s *server) checkStore(ctx context.Context) error {
	_, err := s.Store.Runs().Get(ctx, "00000000000000000")
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// healthz tells whoever asks whether requests are worth sending here. It says
// no more than that: it is open to everybody.
func (c *call) healthz() {
	c.route = "/healthz"
	status, text := http.StatusOK, `{"status":"ok"}`
	if c.s.Draining != nil && c.s.Draining() {
		status, text = http.StatusServiceUnavailable, `{"status":"draining"}`
	} else if err := c.s.health.ask(); err != nil {
		c.s.Logger.Error("the store is not healthy", "error", err)
		status, text = http.StatusServiceUnavailable, `{"status":"unavailable"}`
	}
	c.Header()["Content-Type"] = jsonType
	c.Header()["Cache-Control"] = []string{"no-store"}
	c.WriteHeader(status)
	_, _ = io.WriteString(c, text)
}
