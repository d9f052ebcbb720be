package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func testRecords(t *testing.T, open opener) {
	t.Run("Finding", func(t *testing.T) { testFinding(t, open) })
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

// book is a record that is found by everything a record can be found by.
type book struct {
	Name, Shelf, Colour string
	Year                int
}

var books = store.Kind[book]{Name: "test-book", Index: func(b book) store.Index {
	return store.Index{
		Unique: b.Name, At: time.Date(b.Year, 1, 1, 0, 0, 0, 0, time.UTC),
		Fields: map[string]string{"shelf": b.Shelf, store.ByStatus: b.Colour},
	}
}}

func testFinding(t *testing.T, open opener) {
	p := newPlace(t, open)
	all := func() store.Records[book] { return store.RecordsOf(p, books) }
	for i, b := range []book{
		{"one", "low", "red", 2001}, {"two", "high", "red", 2002}, {"three", "low", "blue", 2003},
		{"four", "", "red", 2004}, {"five", "low", "red", 2005},
	} {
		must(t, "create", all().Create(t.Context(), fmt.Sprint("id", i), b))
		time.Sleep(2 * time.Millisecond)
	}
	wantCode(t, "a name that is taken", all().Create(t.Context(), "other", book{Name: "two"}), fault.Conflict)
	_, err := all().Get(t.Context(), "other")
	wantCode(t, "get what was not created", err, fault.NotFound)
	_, err = all().Update(t.Context(), "id0", func(b *book) error { b.Name, b.Shelf = "two", "high"; return nil })
	wantCode(t, "rename to what is taken", err, fault.Conflict)

	year := func(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC) }
	where := func(pairs ...string) map[string][]string {
		m := map[string][]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = append(m[pairs[i]], pairs[i+1])
		}
		return m
	}
	expect := func(name string, q store.Query, total int, want ...string) {
		t.Helper()
		page, err := all().Page(t.Context(), q)
		must(t, name, err)
		var names []string
		for _, b := range page.Items {
			names = append(names, b.Name)
		}
		wantEqual(t, name+": total", page.Total, total)
		wantSlice(t, name, names, want)
	}
	for range 2 {
		expect("all", store.Query{}, 5, "one", "two", "three", "four", "five")
		expect("newest", store.Query{Desc: true, Limit: 2, Offset: 1}, 5, "four", "three")
		expect("past the end", store.Query{Offset: 9, Limit: 1}, 5)
		expect("unique", store.Query{Unique: "three"}, 1, "three")
		expect("one field", store.Query{Where: where("shelf", "low")}, 3, "one", "three", "five")
		expect("two fields", store.Query{Where: where("shelf", "low", store.ByStatus, "red"), Desc: true}, 2, "five", "one")
		expect("several values", store.Query{Where: where("shelf", "low", "shelf", "high", store.ByStatus, "red"), Limit: 2}, 3, "one", "two")
		expect("no value", store.Query{Where: map[string][]string{"shelf": {}}}, 0)
		expect("unknown field", store.Query{Where: where("height", "low")}, 0)
		expect("between", store.Query{After: year(2002), Before: year(2004)}, 3, "two", "three", "four")
		expect("field and time", store.Query{After: year(2002), Where: where(store.ByStatus, "red"), Limit: 1, Offset: 1}, 3, "four")
		p.reopen()
	}
	_, err = all().Update(t.Context(), "id1", func(b *book) error { b.Name, b.Shelf, b.Colour, b.Year = "second", "low", "", 1999; return nil })
	must(t, "update", err)
	expect("after an update, old field", store.Query{Where: where("shelf", "high")}, 0)
	expect("after an update, new field", store.Query{Where: where("shelf", "low")}, 4, "one", "second", "three", "five")
	expect("after an update, old unique", store.Query{Unique: "two"}, 0)
	expect("after an update, time", store.Query{Before: year(2000)}, 1, "second")
	must(t, "reuse of a name", all().Create(t.Context(), "id9", book{Name: "two", Shelf: "low"}))
	must(t, "delete", all().Delete(t.Context(), "id9"))
	expect("after a deletion", store.Query{Where: where("shelf", "low")}, 4, "one", "second", "three", "five")
	_, err = all().First(t.Context(), store.Query{Unique: "two"})
	wantCode(t, "first of none", err, fault.NotFound)
	if b, err := all().First(t.Context(), store.Query{Desc: true}); err != nil || b.Name != "five" {
		t.Errorf("first is %v, %v", b, err)
	}
	other, err := store.RecordsOf(p, store.Kind[book]{Name: "test-other"}).List(t.Context())
	must(t, "another kind", err)
	wantEqual(t, "records of another kind", len(other), 0)
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
