// Package runlog writes the logs of runs and builds that are under way and lets
// any number of readers follow them: lines with the time before them, as clients
// expect, and with secrets masked.
package runlog

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// maxLine is where a line without an end is cut.
const maxLine = 64 << 10

// Live knows the logs that still grow. Safe for concurrent use.
type Live struct {
	logs store.Logs

	mu   sync.Mutex
	open map[string]*Log
}

// New gives the live logs of a store.
func New(logs store.Logs) *Live { return &Live{logs: logs, open: map[string]*Log{}} }

// Start begins a log, or goes on with the one that there is. The caller ends it.
func (l *Live) Start(id string) *Log {
	log := &Log{id: id, live: l, grown: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[id] = log
	return log
}

// Open opens a log. With follow, reading a log that still grows waits for more
// until it has ended; ctx ends the waiting.
func (l *Live) Open(ctx context.Context, id string, follow bool) (io.ReadCloser, error) {
	l.mu.Lock()
	log := l.open[id]
	l.mu.Unlock()
	if log == nil || !follow {
		return l.logs.Open(ctx, id, 0)
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(log.follow(ctx, w)) }()
	return r, nil
}

// Log is a log that grows. Safe for concurrent use.
type Log struct {
	id   string
	live *Live

	mu      sync.Mutex
	masks   *strings.Replacer // nil when there are no secrets
	grown   chan struct{}     // closed and replaced at every growth
	ended   bool
	failure error
}

// Mask masks the values of secrets from now on.
func (l *Log) Mask(secrets []string) {
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, "*****")
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.masks = nil; pairs != nil {
		l.masks = strings.NewReplacer(pairs...)
	}
}

// Line writes one line.
func (l *Log) Line(text string) { l.Lines([]byte(text)) }

// Lines writes whole lines. A failure to write is told by End.
func (l *Log) Lines(lines ...[]byte) {
	if len(lines) == 0 {
		return
	}
	stamp := time.Now().UTC().Format(api.TimeFormat)
	l.mu.Lock()
	defer l.mu.Unlock()
	var out bytes.Buffer
	for _, line := range lines {
		out.WriteString(stamp)
		out.WriteByte(' ')
		if l.masks != nil {
			out.WriteString(l.masks.Replace(string(line)))
		} else {
			out.Write(line)
		}
		out.WriteByte('\n')
	}
	// The log is worth less than what it is about: a full disk must not end that.
	if err := l.live.logs.Append(context.Background(), l.id, out.Bytes()); err != nil && l.failure == nil {
		l.failure = err
	}
	close(l.grown)
	l.grown = make(chan struct{})
}

// End says that nothing follows, and gives the first failure to write.
func (l *Log) End() error {
	l.mu.Lock()
	l.ended = true
	close(l.grown)
	l.grown = make(chan struct{})
	failure := l.failure
	l.mu.Unlock()
	l.live.mu.Lock()
	defer l.live.mu.Unlock()
	if l.live.open[l.id] == l {
		delete(l.live.open, l.id)
	}
	return failure
}

func (l *Log) state() (grown <-chan struct{}, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grown, l.ended
}

func (l *Log) follow(ctx context.Context, w io.Writer) error {
	var offset int64
	for {
		// Taken before reading: what is appended meanwhile wakes us.
		grown, ended := l.state()
		f, err := l.live.logs.Open(ctx, l.id, offset)
		if err != nil {
			return err
		}
		n, err := io.Copy(w, f)
		f.Close()
		offset += n
		if err != nil || ended {
			return err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Writer writes what a program says to a log, line by line. One goroutine at a
// time may use it.
type Writer struct {
	log  *Log
	line []byte // what has no end yet
}

// Writer gives a writer to the log; the caller flushes it.
func (l *Log) Writer() *Writer { return &Writer{log: l} }

// Write implements io.Writer; it never fails.
func (w *Writer) Write(p []byte) (int, error) {
	var lines [][]byte
	rest := p
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		line := rest[:i]
		if len(w.line) > 0 {
			line = append(w.line, line...)
			w.line = nil
		}
		lines = append(lines, bytes.TrimSuffix(line, []byte("\r")))
		rest = rest[i+1:]
	}
	w.line = append(w.line, rest...)
	if len(w.line) >= maxLine {
		lines = append(lines, w.line)
		w.line = nil
	}
	w.log.Lines(lines...)
	return len(p), nil
}

// Flush writes a last line that has no end.
func (w *Writer) Flush() {
	if len(w.line) > 0 {
		w.log.Lines(w.line)
		w.line = nil
	}
}
