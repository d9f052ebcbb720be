package storetest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func testRecords(t *testing.T, open opener) {
	t.Run("Runs", func(t *testing.T) {
		testRecordsOf(t, open, func(r store.Root) store.Records[api.Run] { return r.Runs() },
			func(id string) api.Run { return api.Run{ID: id, Status: api.StatusReady} },
			func(v *api.Run) (*string, *api.Status) { return &v.ID, &v.Status })
	})
	t.Run("Builds", func(t *testing.T) {
		testRecordsOf(t, open, func(r store.Root) store.Records[api.Build] { return r.Builds() },
			func(id string) api.Build { return api.Build{ID: id, Status: api.StatusReady} },
			func(v *api.Build) (*string, *api.Status) { return &v.ID, &v.Status })
	})
}

func testRecordsOf[T any](t *testing.T, open opener, of func(store.Root) store.Records[T], make func(id string) T, fields func(*T) (*string, *api.Status)) {
	idOf := func(v T) string { id, _ := fields(&v); return *id }
	statusOf := func(v T) api.Status { _, s := fields(&v); return *s }

	t.Run("CreateGetUpdateDelete", func(t *testing.T) {
		p := newPlace(t, open)
		r := of(p)
		_, err := r.Get(t.Context(), "one")
		wantCode(t, "get", err, fault.NotFound)
		if err != nil && !strings.Contains(err.Error(), "one") {
			t.Errorf("error %q does not name the record", err)
		}
		_, err = r.Update(t.Context(), "one", func(*T) error { return nil })
		wantCode(t, "update", err, fault.NotFound)
		wantCode(t, "delete", r.Delete(t.Context(), "one"), fault.NotFound)
		must(t, "create", r.Create(t.Context(), "one", make("one")))
		wantCode(t, "create again", r.Create(t.Context(), "one", make("one")), fault.Conflict)
		got, err := r.Update(t.Context(), "one", func(v *T) error {
			_, status := fields(v)
			*status = api.StatusRunning
			return nil
		})
		must(t, "update", err)
		wantEqual(t, "updated", statusOf(got), api.StatusRunning)
		refusal := errors.New("no")
		_, err = r.Update(t.Context(), "one", func(v *T) error {
			_, status := fields(v)
			*status = api.StatusFailed
			return refusal
		})
		if !errors.Is(err, refusal) {
			t.Errorf("update gave %v, want its change's error", err)
		}
		p.reopen()
		got, err = of(p).Get(t.Context(), "one")
		must(t, "get", err)
		wantEqual(t, "id", idOf(got), "one")
		wantEqual(t, "status", statusOf(got), api.StatusRunning)
		must(t, "delete", of(p).Delete(t.Context(), "one"))
		_, err = of(p).Get(t.Context(), "one")
		wantCode(t, "get", err, fault.NotFound)
	})
	t.Run("BadIDs", func(t *testing.T) {
		p := newPlace(t, open)
		for _, id := range []string{"", "..", "../runs", "a/b", `a\b`, "\x00"} {
			if err := of(p).Create(t.Context(), id, make(id)); err == nil {
				t.Errorf("created %q", id)
			}
			_, err := of(p).Get(t.Context(), id)
			wantCode(t, fmt.Sprintf("get %q", id), err, fault.NotFound)
			wantCode(t, fmt.Sprintf("delete %q", id), of(p).Delete(t.Context(), id), fault.NotFound)
		}
	})
	t.Run("ListIsInOrder", func(t *testing.T) {
		p := newPlace(t, open)
		all, err := of(p).List(t.Context())
		must(t, "list", err)
		wantEqual(t, "records", len(all), 0)
		want := []string{"c", "a", "b"}
		for _, id := range want {
			must(t, "create", of(p).Create(t.Context(), id, make(id)))
			time.Sleep(2 * time.Millisecond)
		}
		_, err = of(p).Update(t.Context(), "c", func(*T) error { return nil })
		must(t, "update", err)
		for range 2 {
			all, err := of(p).List(t.Context())
			must(t, "list", err)
			var ids []string
			for _, v := range all {
				ids = append(ids, idOf(v))
			}
			wantSlice(t, "ids", ids, want)
			p.reopen()
		}
	})
	t.Run("Concurrent", func(t *testing.T) {
		p := newPlace(t, open)
		must(t, "create", of(p).Create(t.Context(), "one", make("one")))
		roots := []store.Root{p, p.another()}
		var wg sync.WaitGroup
		const workers, each = 4, 20
		for w := range workers {
			wg.Go(func() {
				for range each {
					_, err := of(roots[w%2]).Update(t.Context(), "one", func(v *T) error {
						id, _ := fields(v)
						*id += "x"
						return nil
					})
					if err != nil {
						t.Errorf("update: %v", err)
					}
					if _, err := of(roots[w%2]).Get(t.Context(), "one"); err != nil {
						t.Errorf("get: %v", err)
					}
				}
			})
		}
		wg.Wait()
		got, err := of(p).Get(t.Context(), "one")
		must(t, "get", err)
		wantEqual(t, "updates that counted", len(idOf(got)), len("one")+workers*each)
	})
	t.Run("Cancelled", func(t *testing.T) {
		p := newPlace(t, open)
		if of(p).Create(cancelled(t), "one", make("one")) == nil {
			t.Error("create ignored its context")
		}
		_, err := of(p).Get(t.Context(), "one")
		wantCode(t, "get", err, fault.NotFound)
	})
}

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
