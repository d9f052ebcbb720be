package storetest

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
)

func testLogs(t *testing.T, open opener) {
	read := func(t *testing.T, r store.Root, id string, offset int64) string {
		t.Helper()
		log, err := r.Logs().Open(t.Context(), id, offset)
		must(t, "open", err)
		defer log.Close()
		text, err := io.ReadAll(log)
		must(t, "read", err)
		return string(text)
	}
	t.Run("AppendAndRead", func(t *testing.T) {
		p := newPlace(t, open)
		wantEqual(t, "a log nobody wrote", read(t, p, "one", 0), "")
		must(t, "append", p.Logs().Append(t.Context(), "one", []byte("first\n")))
		must(t, "append", p.Logs().Append(t.Context(), "one", []byte("sec\x00nd")))
		must(t, "append", p.Logs().Append(t.Context(), "two", []byte("other")))
		for range 2 {
			wantEqual(t, "log", read(t, p, "one", 0), "first\nsec\x00nd")
			wantEqual(t, "tail", read(t, p, "one", 6), "sec\x00nd")
			wantEqual(t, "past the end", read(t, p, "one", 600), "")
			p.reopen()
		}
		log, err := p.Logs().Open(t.Context(), "one", 0)
		must(t, "open", err)
		must(t, "append", p.Logs().Append(t.Context(), "one", []byte("!")))
		text, err := io.ReadAll(log)
		must(t, "read", err)
		must(t, "close", log.Close())
		wantEqual(t, "log as of its opening", string(text), "first\nsec\x00nd")
		must(t, "delete", p.Logs().Delete(t.Context(), "one"))
		must(t, "delete again", p.Logs().Delete(t.Context(), "one"))
		wantEqual(t, "log after deleting", read(t, p, "one", 0), "")
		wantEqual(t, "the other log", read(t, p, "two", 0), "other")
	})
	t.Run("Cut", func(t *testing.T) {
		p := newPlace(t, open)
		must(t, "cut a log nobody wrote", p.Logs().Cut(t.Context(), "one", 0, 5))
		must(t, "append", p.Logs().Append(t.Context(), "one", []byte("0123456789")))
		must(t, "cut the end off", p.Logs().Cut(t.Context(), "one", 0, 8))
		wantEqual(t, "without its end", read(t, p, "one", 0), "01234567")
		log, err := p.Logs().Open(t.Context(), "one", 0)
		must(t, "open", err)
		must(t, "cut the beginning off", p.Logs().Cut(t.Context(), "one", 3, 100))
		must(t, "close", log.Close())
		p.reopen()
		wantEqual(t, "without its beginning", read(t, p, "one", 0), "34567")
		must(t, "append", p.Logs().Append(t.Context(), "one", []byte("89")))
		must(t, "cut both", p.Logs().Cut(t.Context(), "one", 1, 6))
		wantEqual(t, "the middle", read(t, p, "one", 0), "45678")
		must(t, "cut all", p.Logs().Cut(t.Context(), "one", 50, 60))
		wantEqual(t, "nothing", read(t, p, "one", 0), "")
		must(t, "append", p.Logs().Append(t.Context(), "one", []byte("new")))
		wantEqual(t, "what came later", read(t, p, "one", 0), "new")
	})
	t.Run("BadIDs", func(t *testing.T) {
		p := newPlace(t, open)
		for _, id := range []string{"", "..", "../../x", "a/b"} {
			if p.Logs().Append(t.Context(), id, []byte("x")) == nil {
				t.Errorf("wrote a log of %q", id)
			}
		}
	})
	t.Run("Concurrent", func(t *testing.T) {
		p := newPlace(t, open)
		roots := []store.Root{p, p.another()}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for n := range 25 {
					line := fmt.Sprintf("%d %d %s\n", w, n, strings.Repeat("x", n))
					if err := roots[w%2].Logs().Append(t.Context(), "one", []byte(line)); err != nil {
						t.Errorf("append: %v", err)
					}
				}
			})
		}
		wg.Wait()
		next := map[int]int{}
		for line := range strings.Lines(read(t, p, "one", 0)) {
			var w, n int
			var rest string
			fmt.Sscanf(line, "%d %d %s", &w, &n, &rest)
			if n != next[w] || rest != strings.Repeat("x", n) {
				t.Errorf("line %q, want number %d", line, next[w])
			}
			next[w]++
		}
		for w := range 4 {
			wantEqual(t, "lines of a writer", next[w], 25)
		}
	})
}
