// Package runlog keeps the log of a run or a build that goes on: whole lines with
// the time before each, secrets masked, a size that stays below a limit, and any
// number of readers at once that follow it.
package runlog

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const (
	// MaxBytes is what a log may come to; then its beginning is dropped, but for
	// KeptBytes. Source: the platform's limits (ten million characters) and its
	// API's document, which promises the last five millions of them.
	MaxBytes  = 10 << 20
	KeptBytes = 5 << 20

	// maxLine is where a line without an end is cut.
	maxLine = 64 << 10
	// recentBytes is how much of the end is at hand in memory for those that
	// follow; it may become twice as much.
	recentBytes = 64 << 10
	// A log that is written to all the time is stored burst times at once, and
	// then every pause: each time costs the disk the same, however much it is.
	burst = 10
	pause = 200 * time.Millisecond
)

// Mark says how much of a log is stored, so that a later process goes on there.
// It is itself stored right after each piece of the log: a log that is longer
// than its mark says has a piece that will come again.
type Mark struct {
	// Size is what was ever stored, Dropped what of that is gone from the
	// beginning, in bytes.
	Size    int64 `json:"size"`
	Dropped int64 `json:"dropped,omitempty"`
	// Position is how much of the code's output that is, in whatever terms its
	// executor uses.
	Position string `json:"position,omitempty"`
	// Partial is the output behind it that is no whole line yet, by stream.
	Partial map[int]string `json:"partial,omitempty"`
}

// Options are what a log is made with. Logs is needed.
type Options struct {
	Logs store.Logs
	// Secrets are masked wherever they are printed.
	Secrets []string
	// Save stores the mark of the log, when it is to be taken over by a later
	// process. Nil is for logs that end with this one.
	Save func(context.Context, Mark) error
	// Logger is told when the log cannot be stored.
	Logger *slog.Logger
}

// Log is a log that grows. Safe for concurrent use.
type Log struct {
	id     string
	opts   Options
	masked []string
	masks  *strings.Replacer // of masked; nil when there are no secrets

	// storing is held by the one who stores; it is taken before mu.
	storing sync.Mutex
	credits float64
	paid    time.Time

	mu       sync.Mutex
	size     int64 // of all that was ever added
	dropped  int64 // from the beginning of what is stored
	stored   int64
	recent   []byte // the last bytes, at least those that are not stored yet
	position string
	partial  map[int][]byte
	grown    chan struct{} // closed and replaced at every growth
	ended    bool
}

// Open gives the log of a run or a build, by its id. The mark is where a log that
// was taken over stands, its zero value that of a new one. What was stored behind
// it is cut off: it comes again. A new log without Save is the only writer of what
// nobody takes over: what is stored of it stays before what is added.
func Open(ctx context.Context, id string, mark Mark, opts Options) (*Log, error) {
	l := &Log{
		id: id, opts: opts, size: mark.Size, stored: mark.Size, dropped: mark.Dropped, position: mark.Position,
		partial: map[int][]byte{}, grown: make(chan struct{}), credits: burst, paid: time.Now(),
	}
	for stream, text := range mark.Partial {
		l.partial[stream] = []byte(text)
	}
	l.Mask(opts.Secrets)
	if mark.Size > 0 || opts.Save != nil {
		if err := opts.Logs.Cut(ctx, id, 0, mark.Size-mark.Dropped); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Mask makes the log mask these too from now on. Of two that begin alike, the
// first one counts.
func (l *Log) Mask(secrets []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range secrets {
		if s != "" {
			l.masked = append(l.masked, s, "*****")
		}
	}
	if l.masked != nil {
		l.masks = strings.NewReplacer(l.masked...)
	}
}

// Position is how much of the code's output is in the log.
func (l *Log) Position() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.position
}

// Say adds a line of the platform's own.
func (l *Log) Say(text string) {
	l.mu.Lock()
	l.add(time.Now(), []byte(text))
	l.wake()
	l.mu.Unlock()
	l.store()
}

// Piece is some output of the code. A zero Time is now.
type Piece struct {
	Stream int
	Time   time.Time
	Data   []byte
}

// Take adds output, whose end is position in its executor's terms. It returns
// once that is stored.
func (l *Log) Take(pieces []Piece, position string) {
	l.mu.Lock()
	for _, p := range pieces {
		l.take(p)
	}
	l.position = position
	l.wake()
	l.mu.Unlock()
	l.throttle()
	l.store()
}

func (l *Log) take(p Piece) {
	rest := p.Data
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		line := rest[:i]
		if begun := l.partial[p.Stream]; len(begun) > 0 {
			line = append(begun, line...)
			delete(l.partial, p.Stream)
		}
		l.add(p.Time, bytes.TrimSuffix(line, []byte("\r")))
		rest = rest[i+1:]
	}
	if len(rest) > 0 {
		l.partial[p.Stream] = append(l.partial[p.Stream], rest...)
	}
	if begun := l.partial[p.Stream]; len(begun) >= maxLine {
		l.add(p.Time, begun)
		delete(l.partial, p.Stream)
	}
}

// add appends one line.
func (l *Log) add(at time.Time, line []byte) {
	if at.IsZero() {
		at = time.Now()
	}
	start := len(l.recent)
	l.recent = at.UTC().AppendFormat(l.recent, api.TimeFormat)
	l.recent = append(l.recent, ' ')
	if l.masks != nil {
		l.recent = append(l.recent, l.masks.Replace(string(line))...)
	} else {
		l.recent = append(l.recent, line...)
	}
	l.recent = append(l.recent, '\n')
	l.size += int64(len(l.recent) - start)
}

func (l *Log) wake() {
	close(l.grown)
	l.grown = make(chan struct{})
}

// Writer gives a writer for what a program says on a stream (0, 1 or 2); writing
// never fails. Flush adds a last line that has no end.
func (l *Log) Writer(stream int) io.Writer { return writer{l, stream} }

type writer struct {
	log    *Log
	stream int
}

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) {
	w.log.Take([]Piece{{Stream: w.stream, Data: p}}, w.log.Position())
	return len(p), nil
}

// throttle waits while the log is stored too often. What comes meanwhile waits
// with the executor, and is then stored at once.
func (l *Log) throttle() {
	if l.opts.Save == nil {
		return // the next process does not need it: the disk is not waited for
	}
	l.storing.Lock()
	now := time.Now()
	l.credits = min(burst, l.credits+now.Sub(l.paid).Seconds()/pause.Seconds()) - 1
	l.paid = now
	wait := time.Duration(-l.credits * float64(pause))
	l.storing.Unlock()
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		l.mu.Lock()
		ended, grown := l.ended, l.grown
		l.mu.Unlock()
		if ended {
			return
		}
		select {
		case <-timer.C:
			return
		case <-grown:
		}
	}
}

// store stores what is pending, and the mark behind it. The log is worth less
// than what it is about: a full disk must not end that.
func (l *Log) store() {
	ctx := context.Background()
	l.storing.Lock()
	defer l.storing.Unlock()
	l.mu.Lock()
	text := l.recent[int64(len(l.recent))-(l.size-l.stored):]
	mark := l.mark()
	length := mark.Size - mark.Dropped
	l.mu.Unlock()
	if len(text) > 0 {
		if err := l.opts.Logs.Append(ctx, l.id, text); err != nil {
			l.complain("writing a log", err)
			l.mu.Lock()
			// It stays for the next time, unless it becomes too much.
			if lost := l.size - l.stored - MaxBytes/10; lost > 0 {
				l.recent = slices.Clone(l.recent[int64(len(l.recent))-MaxBytes/10:])
				l.size -= lost // it never was
			}
			l.mu.Unlock()
			return
		}
		l.mu.Lock()
		l.stored = mark.Size
		if keep := max(recentBytes, int(l.size-l.stored)); len(l.recent) > 2*keep {
			l.recent = slices.Clone(l.recent[len(l.recent)-keep:])
		}
		l.mu.Unlock()
	}
	l.save(ctx, mark)
	if length <= MaxBytes {
		return
	}
	if err := l.opts.Logs.Cut(ctx, l.id, length-KeptBytes, length); err != nil {
		l.complain("cutting a log", err)
		return
	}
	l.mu.Lock()
	l.dropped += length - KeptBytes
	mark.Dropped = l.dropped
	l.mu.Unlock()
	l.save(ctx, mark)
}

// mark describes the log with all that is pending.
func (l *Log) mark() Mark {
	m := Mark{Size: l.size, Dropped: l.dropped, Position: l.position}
	for stream, text := range l.partial {
		if m.Partial == nil {
			m.Partial = map[int]string{}
		}
		m.Partial[stream] = string(text)
	}
	return m
}

func (l *Log) save(ctx context.Context, m Mark) {
	if l.opts.Save == nil {
		return
	}
	if err := l.opts.Save(ctx, m); err != nil {
		l.complain("noting how far a log is", err)
	}
}

func (l *Log) complain(what string, err error) {
	if l.opts.Logger != nil {
		l.opts.Logger.Error(what, "id", l.id, "error", err)
	}
}

// Flush adds last lines that have no end, because none will come.
func (l *Log) Flush() {
	l.mu.Lock()
	for _, stream := range []int{0, 1, 2} {
		if text := l.partial[stream]; len(text) > 0 {
			l.add(time.Now(), text)
			delete(l.partial, stream)
		}
	}
	l.wake()
	l.mu.Unlock()
	l.store()
}

// Renew says that the output that follows is that of something new.
func (l *Log) Renew() {
	l.Flush()
	l.mu.Lock()
	l.position = ""
	l.mu.Unlock()
	l.store()
}

// End says that nothing follows.
func (l *Log) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}
