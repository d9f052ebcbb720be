package runlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/runlog"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
)

func openStore(t testing.TB) store.Logs {
	t.Helper()
	root, err := embedded.Open(t.TempDir(), embedded.Options{Durability: embedded.Relaxed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root.Logs()
}

func open(t testing.TB, mark runlog.Mark, opts runlog.Options) *runlog.Log {
	t.Helper()
	l, err := runlog.Open(t.Context(), "run", mark, opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var stamp = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z `)

// lines gives a log without its times.
func lines(t testing.TB, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return stamp.ReplaceAllString(string(text), "")
}

func stored(t testing.TB, logs store.Logs) string {
	t.Helper()
	r, err := logs.Open(t.Context(), "run", 0)
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, r)
}

func pieces(texts ...string) []runlog.Piece {
	var all []runlog.Piece
	for _, text := range texts {
		all = append(all, runlog.Piece{Stream: 1, Time: time.Now(), Data: []byte(text)})
	}
	return all
}

func TestLinesOfStreams(t *testing.T) {
	logs := openStore(t)
	l := open(t, runlog.Mark{}, runlog.Options{Logs: logs, Secrets: []string{"hunter2", ""}})
	l.Say("ACTOR: hello")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	l.Take([]runlog.Piece{
		{Stream: 1, Time: at, Data: []byte("one\r\ntw")},
		{Stream: 2, Time: at, Data: []byte("hunter2\n")},
		{Stream: 1, Time: at, Data: []byte("o\nthree")},
	}, "")
	if got, want := stored(t, logs), "ACTOR: hello\none\n*****\ntwo\n"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
	l.Flush()
	l.End()
	text, err := io.ReadAll(l.Reader(t.Context(), true))
	if err != nil || !strings.Contains(string(text), "2026-01-02T03:04:05.006Z two\n") {
		t.Errorf("%s, %v", text, err)
	}
	if got, want := lines(t, l.Reader(t.Context(), false)), "ACTOR: hello\none\n*****\ntwo\nthree\n"; got != want {
		t.Errorf("read %q, want %q", got, want)
	}
}

// A build that was interrupted gets a last line behind what it wrote; then the
// log is read from the store.
func TestWhatIsStoredOfALogStays(t *testing.T) {
	logs := openStore(t)
	for _, text := range []string{"one\ntwo", "three\n"} {
		l := open(t, runlog.Mark{}, runlog.Options{Logs: logs})
		l.Mask([]string{"two"})
		if n, err := io.WriteString(l.Writer(1), text); n != len(text) || err != nil {
			t.Errorf("wrote %d bytes, %v", n, err)
		}
		l.Flush()
		l.Say("end")
		l.End()
	}
	if got, want := stored(t, logs), "one\n*****\nend\nthree\nend\n"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// Writing moves no position: that is of another source of output.
func TestWritingKeepsThePosition(t *testing.T) {
	l := open(t, runlog.Mark{Position: "7"}, runlog.Options{Logs: openStore(t)})
	fmt.Fprintln(l.Writer(2), "hello")
	if l.Position() != "7" || lines(t, l.Reader(t.Context(), false)) != "hello\n" {
		t.Errorf("at %q", l.Position())
	}
}

func TestALineWithoutEndIsCut(t *testing.T) {
	l := open(t, runlog.Mark{}, runlog.Options{Logs: openStore(t)})
	for range 70 {
		l.Take(pieces(strings.Repeat("x", 1<<10)), "")
	}
	l.Flush()
	l.End()
	got := lines(t, l.Reader(t.Context(), true))
	if parts := strings.Split(strings.TrimSpace(got), "\n"); len(parts) != 2 || len(parts[0]) != 64<<10 || len(parts[1]) != 6<<10 {
		t.Errorf("%d lines", len(parts))
	}
}

func TestTheBeginningOfALongLogIsDropped(t *testing.T) {
	logs := openStore(t)
	l := open(t, runlog.Mark{}, runlog.Options{Logs: logs})
	slow := l.Reader(t.Context(), true)
	line := strings.Repeat("y", 4000) + "\n"
	n := 0
	for range 25 {
		var all []runlog.Piece
		for range 200 {
			all = append(all, runlog.Piece{Stream: 1, Time: time.Unix(0, 0), Data: []byte(fmt.Sprintf("%08d %s", n, line))})
			n++
		}
		l.Take(all, "")
	}
	l.End()
	got := stored(t, logs)
	if len(got) > runlog.MaxBytes || !strings.HasSuffix(got, fmt.Sprintf("%08d %s", n-1, line)) {
		t.Fatalf("stored %d bytes that end with %q", len(got), got[len(got)-120:])
	}
	text, err := io.ReadAll(slow)
	if err != nil || len(text) < runlog.KeptBytes || !bytes.HasSuffix(text, []byte(line)) {
		t.Errorf("a late reader read %d bytes, %v", len(text), err)
	}
}

func TestFollowersSeeEverythingOnce(t *testing.T) {
	logs := openStore(t)
	l := open(t, runlog.Mark{}, runlog.Options{Logs: logs})
	var readers sync.WaitGroup
	got := make([]string, 50)
	for i := range got {
		r := l.Reader(t.Context(), true)
		readers.Go(func() { got[i] = lines(t, r) })
	}
	var want strings.Builder
	for i := range 2000 {
		text := fmt.Sprintf("line %d %s\n", i, strings.Repeat("z", i%300))
		want.WriteString(text)
		l.Take(pieces(text), "")
	}
	l.End()
	readers.Wait()
	for i := range got {
		if got[i] != want.String() {
			t.Errorf("reader %d read %d bytes, want %d", i, len(got[i]), want.Len())
		}
	}
	if stored(t, logs) != want.String() {
		t.Error("something else is stored")
	}
}

func TestAFollowerThatLeaves(t *testing.T) {
	l := open(t, runlog.Mark{}, runlog.Options{Logs: openStore(t)})
	ctx, cancel := context.WithCancel(t.Context())
	r := l.Reader(ctx, true)
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := r.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A process may be killed between storing a piece and its mark: the next one is
// given the piece again.
func TestTakingOver(t *testing.T) {
	logs := openStore(t)
	var mark runlog.Mark
	fail := false
	opts := runlog.Options{Logs: logs, Save: func(_ context.Context, m runlog.Mark) error {
		if fail {
			return errors.New("killed")
		}
		mark = m
		return nil
	}}
	l := open(t, runlog.Mark{}, opts)
	l.Take(pieces("one\n", "tw"), "2")
	fail = true
	l.Take(pieces("o\n", "three\n"), "4")
	if got := stored(t, logs); got != "one\ntwo\nthree\n" {
		t.Fatalf("stored %q", got)
	}
	fail = false
	next := open(t, mark, opts)
	if next.Position() != "2" {
		t.Errorf("it goes on at %q", next.Position())
	}
	next.Take(pieces("o\n", "three\n", "four\n"), "5")
	next.End()
	if got := lines(t, next.Reader(t.Context(), true)); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("read %q", got)
	}
	if mark.Position != "5" {
		t.Errorf("the mark is %+v", mark)
	}
}

func BenchmarkManyReaders(b *testing.B) {
	l := open(b, runlog.Mark{}, runlog.Options{Logs: openStore(b)})
	var readers sync.WaitGroup
	for range 50 {
		r := l.Reader(b.Context(), true)
		readers.Go(func() { _, _ = io.Copy(io.Discard, r) })
	}
	for b.Loop() {
		l.Take(pieces("a line of the length that lines of logs have, more or less, it seems\n"), "")
	}
	l.End()
	readers.Wait()
}
