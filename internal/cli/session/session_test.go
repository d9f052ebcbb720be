package session

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

func TestWordsForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 400 * time.Millisecond: "0.4s", 12 * time.Second: "12s", 185 * time.Second: "3m05s", 124 * time.Minute: "2h04m", 123 * time.Hour: "5d03h",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%s) = %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 1000 << 20: "1.0 GiB", 3 << 40: "3.0 TiB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
	start := api.TimeOf(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	end := api.TimeOf(start.Add(90 * time.Second))
	if got := Took(start, &end); got != "1m30s" {
		t.Errorf("took %s", got)
	}
	if Took(api.Time{}, nil) != "" || Moment(nil) != "" || Moment(&start) != "2026-11-01T00:00:00Z" {
		t.Error("moments are wrong")
	}
}

func TestVersionsAreNumbers(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"0.9", "0.10", -1}, {"1.0", "0.99", 1}, {"0.1", "0.1", 0}, {"", "0.1", -1}} {
		if got := CompareVersions(test.a, test.b); got != test.want {
			t.Errorf("%s to %s: %d", test.a, test.b, got)
		}
	}
}

func TestExitStatus(t *testing.T) {
	code := func(n int) *int { return &n }
	for _, test := range []struct {
		status api.Status
		code   *int
		want   int
	}{
		{api.StatusSucceeded, code(0), 0}, {api.StatusRunning, nil, 0}, {api.StatusReady, nil, 0}, {api.StatusFailed, code(42), 42}, {api.StatusFailed, code(0), 1},
		{api.StatusFailed, nil, 1}, {api.StatusTimedOut, code(137), 2}, {api.StatusTimingOut, nil, 2}, {api.StatusAborted, code(1), 3}, {api.StatusAborting, nil, 3},
	} {
		if got := ExitStatus(test.status, test.code); got != test.want {
			t.Errorf("%s with %v: %d, want %d", test.status, test.code, got, test.want)
		}
	}
}

// TestThreeInterrupts sees the first end a run gracefully, the second at once, and
// the third only leave.
func TestThreeInterrupts(t *testing.T) {
	var said bytes.Buffer
	s := New(&cmdkit.Factory{IO: &cmdkit.IO{Err: &said}})
	ctx, leave := context.WithCancelCause(t.Context())
	defer leave(nil)
	signals := make(chan os.Signal)
	var mu sync.Mutex
	var aborts []bool
	var asked sync.WaitGroup
	asked.Add(2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.abortOn(ctx, signals, "run", "gracefully", func(_ context.Context, atOnce bool) error {
			mu.Lock()
			defer mu.Unlock()
			aborts = append(aborts, atOnce)
			asked.Done()
			return nil
		}, leave)
	}()
	for range 3 {
		signals <- os.Interrupt
		time.Sleep(10 * time.Millisecond) // the order of the aborts is what is looked at
	}
	asked.Wait()
	<-done
	if len(aborts) != 2 || aborts[0] || !aborts[1] || context.Cause(ctx) != errLeft {
		t.Errorf("aborts %v, left because of %v", aborts, context.Cause(ctx))
	}
	if text := said.String(); !strings.Contains(text, "gracefully") || !strings.Contains(text, "ending the run at once") {
		t.Errorf("said %s", text)
	}
}
