package engine

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

// maxLogLine is where a line without an end is cut in the log.
const maxLogLine = 64 << 10

// logState is the log of an active run: what was appended wakes its followers.
type logState struct {
	id    string
	logs  store.Logs
	masks *strings.Replacer // nil when there are no secrets

	mu      sync.Mutex
	grown   chan struct{} // closed and replaced at every growth
	ended   bool
	failure error
}

func newLogState(id string, logs store.Logs, secrets []string) *logState {
	l := &logState{id: id, logs: logs, grown: make(chan struct{})}
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, "*****")
		}
	}
	if pairs != nil {
		l.masks = strings.NewReplacer(pairs...)
	}
	return l
}

// append writes whole lines, each with the time before it as clients expect.
func (l *logState) append(lines ...[]byte) {
	if len(lines) == 0 {
		return
	}
	stamp := time.Now().UTC().Format(api.TimeFormat)
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
	l.mu.Lock()
	defer l.mu.Unlock()
	// The log is worth less than the run: a full disk must not end it. The
	// failure is told once the run has ended.
	if err := l.logs.Append(context.Background(), l.id, out.Bytes()); err != nil && l.failure == nil {
		l.failure = err
	}
	close(l.grown)
	l.grown = make(chan struct{})
}

// end says that nothing follows.
func (l *logState) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *logState) state() (grown <-chan struct{}, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grown, l.ended
}

// Log opens the log of a run or a build. With follow, reading waits for more
// until the run has ended; ctx ends the waiting.
func (e *Engine) Log(ctx context.Context, id string, follow bool) (io.ReadCloser, error) {
	e.mu.Lock()
	l := e.logs[id]
	e.mu.Unlock()
	if l == nil || !follow {
		if l == nil {
			if err := e.exists(ctx, id); err != nil {
				return nil, err
			}
		}
		return e.cfg.Store.Logs().Open(ctx, id, 0)
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(l.follow(ctx, w)) }()
	return r, nil
}

func (e *Engine) exists(ctx context.Context, id string) error {
	_, err := e.Run(ctx, id)
	if err != nil {
		if _, buildErr := e.cfg.Store.Builds().Get(ctx, id); buildErr == nil {
			return nil
		}
	}
	return err
}

func (l *logState) follow(ctx context.Context, w io.Writer) error {
	var offset int64
	for {
		// Taken before reading: what is appended meanwhile wakes us.
		grown, ended := l.state()
		f, err := l.logs.Open(ctx, l.id, offset)
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

// output is the writer an executor gets for one stream: it passes everything on
// as it is, and its lines to the log.
type output struct {
	pass io.Writer
	log  *logState
	line []byte // what has no end yet
}

func (o *output) Write(p []byte) (int, error) {
	// Our own reader may be gone (a closed pipe); the Actor goes on.
	if o.pass != nil {
		if _, err := o.pass.Write(p); err != nil {
			o.pass = nil
		}
	}
	var lines [][]byte
	rest := p
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		line := rest[:i]
		if len(o.line) > 0 {
			line = append(o.line, line...)
			o.line = nil
		}
		lines = append(lines, bytes.TrimSuffix(line, []byte("\r")))
		rest = rest[i+1:]
	}
	o.line = append(o.line, rest...)
	if len(o.line) >= maxLogLine {
		lines = append(lines, o.line)
		o.line = nil
	}
	o.log.append(lines...)
	return len(p), nil
}

// flush logs a last line that has no end.
func (o *output) flush() {
	if len(o.line) > 0 {
		o.log.append(o.line)
		o.line = nil
	}
}
