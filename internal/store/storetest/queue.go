package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var (
	alice = store.Client{Key: "alice", RunID: "run-a"}
	bob   = store.Client{Key: "bob", RunID: "run-b"}
)

// request makes a request for a URL, with a field that no store knows.
func request(url string) store.Request {
	raw, _ := json.Marshal(map[string]any{
		"url": url, "uniqueKey": url, "method": "GET", "retryCount": 0, "userData": map[string]any{"<x>": "é&"}, "unknown": []int{1},
	})
	return store.Request{UniqueKey: url, URL: url, Method: "GET", JSON: raw}
}

func requests(urls ...string) (reqs []store.Request) {
	for _, u := range urls {
		reqs = append(reqs, request(u))
	}
	return reqs
}

func add(t *testing.T, q store.RequestQueue, forefront bool, urls ...string) {
	t.Helper()
	_, err := q.Add(t.Context(), requests(urls...), forefront, alice)
	must(t, "add", err)
}

func urls(items []store.HeadItem) (urls []string) {
	for _, i := range items {
		urls = append(urls, i.URL)
	}
	return urls
}

func head(t *testing.T, q store.RequestQueue, limit int) []string {
	t.Helper()
	h, err := q.Head(t.Context(), limit, alice)
	must(t, "head", err)
	return urls(h.Items)
}

func lock(t *testing.T, q store.RequestQueue, limit int, d time.Duration, c store.Client) store.Head {
	t.Helper()
	h, err := q.Lock(t.Context(), limit, d, c)
	must(t, "lock", err)
	return h
}

func handle(t *testing.T, q store.RequestQueue, url string, c store.Client) store.Registration {
	t.Helper()
	now := time.Now()
	r := request(url)
	r.HandledAt = &now
	r.ID = store.RequestID(url)
	reg, err := q.Update(t.Context(), r, false, c)
	must(t, "update", err)
	return reg
}

func testRequestQueues(t *testing.T, open opener) {
	newQueue := func(t *testing.T) (*place, store.RequestQueue) {
		p := newPlace(t, open)
		return p, create(t, p.RequestQueues(), "q")
	}
	reopen := func(p *place) store.RequestQueue {
		p.reopen()
		return openStorage(p.t, p.RequestQueues(), "q")
	}

	t.Run("Add", func(t *testing.T) {
		p, q := newQueue(t)
		done := request("http://done/")
		at := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
		done.HandledAt = &at
		batch := append(requests("http://a/", "http://b/", "http://a/"), done)
		regs, err := q.Add(t.Context(), batch, false, alice)
		must(t, "add", err)
		want := []store.Registration{
			{ID: store.RequestID("http://a/"), UniqueKey: "http://a/"},
			{ID: store.RequestID("http://b/"), UniqueKey: "http://b/"},
			{ID: store.RequestID("http://a/"), UniqueKey: "http://a/", WasAlreadyPresent: true},
			{ID: store.RequestID("http://done/"), UniqueKey: "http://done/"},
		}
		wantSlice(t, "registrations", regs, want)
		for range 2 {
			i := info(t, q)
			wantEqual(t, "total", i.TotalRequests, 3)
			wantEqual(t, "handled", i.HandledRequests, 1)
			wantSlice(t, "head", head(t, q, 10), []string{"http://a/", "http://b/"})
			regs, err = q.Add(t.Context(), requests("http://done/", "http://b/"), true, alice)
			must(t, "add again", err)
			wantEqual(t, "present", regs[0].WasAlreadyPresent && regs[1].WasAlreadyPresent, true)
			wantEqual(t, "done handled", regs[0].WasAlreadyHandled, true)
			wantEqual(t, "b handled", regs[1].WasAlreadyHandled, false)
			wantSlice(t, "head stays", head(t, q, 10), []string{"http://a/", "http://b/"})
			r, err := q.Request(t.Context(), store.RequestID("http://done/"))
			must(t, "request", err)
			if r.HandledAt == nil || !r.HandledAt.Equal(at) {
				t.Errorf("handled at %v, want %v", r.HandledAt, at)
			}
			q = reopen(p)
		}
		regs, err = q.Add(t.Context(), nil, false, alice)
		must(t, "add nothing", err)
		wantEqual(t, "registrations of nothing", len(regs), 0)
	})
	t.Run("BadRequests", func(t *testing.T) {
		_, q := newQueue(t)
		bad := []store.Request{
			{URL: "http://a/", JSON: []byte(`{}`)},
			{UniqueKey: "a", JSON: []byte(`[]`)},
			{UniqueKey: "a", JSON: []byte(`{`)},
			{UniqueKey: "a", ID: "../../escape", JSON: []byte(`{}`)},
		}
		for i, r := range bad {
			_, err := q.Add(t.Context(), append(requests("http://good/"), r), false, alice)
			wantCode(t, fmt.Sprintf("add %d", i), err, fault.InvalidRequest)
			_, err = q.Update(t.Context(), r, false, alice)
			wantCode(t, fmt.Sprintf("update %d", i), err, fault.InvalidRequest)
		}
		wantEqual(t, "total", info(t, q).TotalRequests, 0)
	})
	t.Run("JSONIsKept", func(t *testing.T) {
		p, q := newQueue(t)
		add(t, q, false, "http://a/?<&>=é")
		for range 2 {
			r, err := q.Request(t.Context(), store.RequestID("http://a/?<&>=é"))
			must(t, "request", err)
			wantEqual(t, "id", r.ID, store.RequestID("http://a/?<&>=é"))
			wantEqual(t, "url", r.URL, "http://a/?<&>=é")
			wantEqual(t, "method", r.Method, "GET")
			if r.HandledAt != nil {
				t.Error("handled")
			}
			var got, sent map[string]any
			must(t, "parse", json.Unmarshal(r.JSON, &got))
			must(t, "parse", json.Unmarshal(request("http://a/?<&>=é").JSON, &sent))
			for name, v := range sent {
				a, _ := json.Marshal(v)
				b, _ := json.Marshal(got[name])
				wantEqual(t, "field "+name, string(b), string(a))
			}
			for name := range got {
				if _, ok := sent[name]; !ok && name != "id" {
					t.Errorf("field %s was added", name)
				}
			}
			lock(t, q, 1, time.Millisecond, alice)
			q = reopen(p)
		}
	})
	t.Run("Order", func(t *testing.T) {
		p, q := newQueue(t)
		var want []string
		for n := range 40 {
			u := fmt.Sprintf("http://%d/", n)
			want = append(want, u)
			if n%2 == 0 {
				add(t, q, false, u)
			} else if n%4 == 1 {
				add(t, q, false, u, fmt.Sprintf("http://%d/", n-1))
			} else {
				add(t, q, false, u)
			}
		}
		wantSlice(t, "head", head(t, q, 100), want)
		wantSlice(t, "a short head", head(t, q, 3), want[:3])
		wantEqual(t, "no head", len(head(t, q, 0)), 0)
		q = reopen(p)
		wantSlice(t, "head after reopening", head(t, q, 100), want)
		add(t, q, true, "http://first/")
		add(t, q, true, "http://very-first/")
		add(t, q, false, "http://last/")
		want = append([]string{"http://very-first/", "http://first/"}, append(want, "http://last/")...)
		wantSlice(t, "head with a forefront", head(t, q, 100), want)
		q = reopen(p)
		wantSlice(t, "head after reopening", head(t, q, 100), want)
	})
	t.Run("OrderInABatch", func(t *testing.T) {
		p, q := newQueue(t)
		var want []string
		for n := range 100 {
			want = append(want, fmt.Sprintf("http://%d/", n))
		}
		add(t, q, false, want...)
		wantSlice(t, "head", head(t, q, 100), want)
		q = reopen(p)
		wantSlice(t, "head after reopening", head(t, q, 100), want)
		lock(t, q, 50, 30*time.Millisecond, alice)
		time.Sleep(50 * time.Millisecond)
		got := urls(lock(t, q, 100, time.Minute, alice).Items)
		// Those whose lock expired come after those that were never handed out.
		wantSlice(t, "after expiry", got, append(slices.Clone(want[50:]), want[:50]...))
	})
	t.Run("Update", func(t *testing.T) {
		p, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/", "http://c/")
		r := request("http://a/")
		r.ID, r.RetryCount = store.RequestID("http://a/"), 1
		reg, err := q.Update(t.Context(), r, false, alice)
		must(t, "update", err)
		wantEqual(t, "registration", reg, store.Registration{ID: r.ID, UniqueKey: "http://a/", WasAlreadyPresent: true})
		wantSlice(t, "head", head(t, q, 9), []string{"http://b/", "http://c/", "http://a/"})
		r.URL, r.UniqueKey, r.ID = "http://c/", "http://c/", store.RequestID("http://c/")
		r.JSON = request("http://c/").JSON
		_, err = q.Update(t.Context(), r, true, alice)
		must(t, "update", err)
		wantSlice(t, "head", head(t, q, 9), []string{"http://c/", "http://b/", "http://a/"})
		wantEqual(t, "handled before", handle(t, q, "http://b/", alice).WasAlreadyHandled, false)
		wantEqual(t, "handled before", handle(t, q, "http://b/", alice).WasAlreadyHandled, true)
		wantEqual(t, "handled", info(t, q).HandledRequests, 1)
		fresh := request("http://new/")
		reg, err = q.Update(t.Context(), fresh, false, alice)
		must(t, "update of a missing one", err)
		wantEqual(t, "registration", reg, store.Registration{ID: store.RequestID("http://new/"), UniqueKey: "http://new/"})
		for range 2 {
			wantSlice(t, "head", head(t, q, 9), []string{"http://c/", "http://a/", "http://new/"})
			i := info(t, q)
			wantEqual(t, "total", i.TotalRequests, 4)
			wantEqual(t, "handled", i.HandledRequests, 1)
			got, err := q.Request(t.Context(), store.RequestID("http://b/"))
			must(t, "request", err)
			if got.HandledAt == nil {
				t.Error("not handled")
			}
			q = reopen(p)
		}
		back := request("http://b/")
		reg, err = q.Update(t.Context(), back, false, alice)
		must(t, "update of a handled one", err)
		wantEqual(t, "handled before", reg.WasAlreadyHandled, true)
		wantEqual(t, "handled", info(t, q).HandledRequests, 0)
		_, err = q.Request(t.Context(), "nothing")
		wantCode(t, "missing request", err, fault.NotFound)
		_, err = q.Request(t.Context(), "../q/__metadata__")
		wantCode(t, "no request", err, fault.NotFound)
	})
	t.Run("Lock", func(t *testing.T) {
		p, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/", "http://c/")
		before := time.Now()
		h := lock(t, q, 2, time.Minute, alice)
		wantSlice(t, "handed out", urls(h.Items), []string{"http://a/", "http://b/"})
		wantEqual(t, "has locked", h.HasLocked, true)
		for _, i := range h.Items {
			if d := i.LockExpiresAt.Sub(before); d < 59*time.Second || d > 70*time.Second {
				t.Errorf("lock of %s ends in %v", i.URL, d)
			}
		}
		wantSlice(t, "left for another", urls(lock(t, q, 9, time.Minute, bob).Items), []string{"http://c/"})
		h = lock(t, q, 9, time.Minute, bob)
		wantEqual(t, "left", len(h.Items), 0)
		wantEqual(t, "has locked", h.HasLocked, true)
		full, err := q.Head(t.Context(), 9, alice)
		must(t, "head", err)
		all := urls(full.Items)
		slices.Sort(all)
		wantSlice(t, "the head lists what is in progress", all, []string{"http://a/", "http://b/", "http://c/"})
		for _, i := range full.Items {
			wantEqual(t, i.URL+" is locked for alice", !i.LockExpiresAt.IsZero(), i.URL != "http://c/")
		}
		handle(t, q, "http://a/", alice)
		handle(t, q, "http://b/", alice)
		wantEqual(t, "has locked while another holds one", lock(t, q, 9, time.Minute, alice).HasLocked, true)
		handle(t, q, "http://c/", bob)
		wantEqual(t, "has locked", lock(t, q, 9, time.Minute, alice).HasLocked, false)
		_, _ = p, q
	})
	t.Run("LocksExpire", func(t *testing.T) {
		_, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/")
		lock(t, q, 2, 40*time.Millisecond, alice)
		wantEqual(t, "left", len(lock(t, q, 2, time.Minute, bob).Items), 0)
		time.Sleep(60 * time.Millisecond)
		h := lock(t, q, 2, time.Minute, bob)
		wantSlice(t, "after expiry", urls(h.Items), []string{"http://a/", "http://b/"})
		_, err := q.Prolong(t.Context(), h.Items[0].ID, time.Minute, false, alice)
		wantCode(t, "prolong what another took over", err, fault.Forbidden)
	})
	t.Run("LocksOutliveTheRoot", func(t *testing.T) {
		p, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/")
		lock(t, q, 1, time.Minute, alice)
		q = reopen(p)
		h := lock(t, q, 9, time.Minute, bob)
		wantSlice(t, "left", urls(h.Items), []string{"http://b/"})
		wantEqual(t, "has locked", h.HasLocked, true)
	})
	t.Run("Prolong", func(t *testing.T) {
		_, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/")
		id := lock(t, q, 1, 50*time.Millisecond, alice).Items[0].ID
		before := time.Now()
		until, err := q.Prolong(t.Context(), id, time.Minute, false, alice)
		must(t, "prolong", err)
		if d := until.Sub(before); d < 59*time.Second || d > 70*time.Second {
			t.Errorf("lock ends in %v", d)
		}
		_, err = q.Prolong(t.Context(), id, time.Minute, false, bob)
		wantCode(t, "prolong by another", err, fault.Forbidden)
		_, err = q.Prolong(t.Context(), id, time.Minute, false, store.Client{Key: "other", RunID: alice.RunID})
		must(t, "prolong by the same run", err)
		_, err = q.Prolong(t.Context(), "nothing", time.Minute, false, alice)
		wantCode(t, "prolong nothing", err, fault.NotFound)
		_, err = q.Prolong(t.Context(), store.RequestID("http://b/"), time.Minute, false, bob)
		must(t, "prolong what nobody holds", err)
		wantEqual(t, "left", len(lock(t, q, 9, time.Minute, alice).Items), 0)
		handle(t, q, "http://a/", alice)
		if _, err := q.Prolong(t.Context(), id, time.Minute, false, alice); err == nil {
			t.Error("a handled request was locked")
		}
		time.Sleep(60 * time.Millisecond)
		wantEqual(t, "left after the first expiry", len(lock(t, q, 9, time.Minute, alice).Items), 0)
	})
	t.Run("Release", func(t *testing.T) {
		_, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/", "http://c/")
		ids := map[string]string{}
		for _, i := range lock(t, q, 2, time.Minute, alice).Items {
			ids[i.URL] = i.ID
		}
		wantCode(t, "release by another", q.Release(t.Context(), ids["http://a/"], false, bob), fault.Forbidden)
		wantCode(t, "release nothing", q.Release(t.Context(), "nothing", false, bob), fault.NotFound)
		must(t, "release to the back", q.Release(t.Context(), ids["http://a/"], false, store.Client{Key: "x", RunID: alice.RunID}))
		must(t, "release to the front", q.Release(t.Context(), ids["http://b/"], true, alice))
		must(t, "release again", q.Release(t.Context(), ids["http://b/"], false, bob))
		wantSlice(t, "head", head(t, q, 9), []string{"http://b/", "http://c/", "http://a/"})
		wantEqual(t, "handed out", len(lock(t, q, 9, time.Minute, bob).Items), 3)
	})
	t.Run("UpdateEndsTheLock", func(t *testing.T) {
		_, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/")
		lock(t, q, 1, time.Minute, alice)
		_, err := q.Update(t.Context(), request("http://a/"), true, alice)
		must(t, "update", err)
		wantSlice(t, "handed out", urls(lock(t, q, 9, time.Minute, bob).Items), []string{"http://a/", "http://b/"})
	})
	t.Run("Unlock", func(t *testing.T) {
		_, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/", "http://c/", "http://d/")
		lock(t, q, 1, time.Minute, alice)
		lock(t, q, 1, time.Minute, store.Client{Key: "x", RunID: alice.RunID})
		lock(t, q, 1, time.Minute, bob)
		n, err := q.Unlock(t.Context(), alice)
		must(t, "unlock", err)
		wantEqual(t, "unlocked", n, 2)
		n, err = q.Unlock(t.Context(), store.Client{})
		must(t, "unlock by nobody", err)
		wantEqual(t, "unlocked by nobody", n, 0)
		wantSlice(t, "handed out", urls(lock(t, q, 9, time.Minute, alice).Items), []string{"http://a/", "http://b/", "http://d/"})
	})
	t.Run("Delete", func(t *testing.T) {
		p, q := newQueue(t)
		add(t, q, false, "http://a/", "http://b/")
		lock(t, q, 1, time.Minute, alice)
		id := store.RequestID("http://a/")
		wantCode(t, "delete what another holds", q.DeleteRequest(t.Context(), id, bob), fault.Forbidden)
		must(t, "delete", q.DeleteRequest(t.Context(), id, alice))
		wantCode(t, "delete again", q.DeleteRequest(t.Context(), id, alice), fault.NotFound)
		q = reopen(p)
		wantCode(t, "delete after reopening", q.DeleteRequest(t.Context(), id, alice), fault.NotFound)
		wantEqual(t, "total", info(t, q).TotalRequests, 1)
		add(t, q, false, "http://a/")
		wantSlice(t, "head", head(t, q, 9), []string{"http://b/", "http://a/"})
		must(t, "delete the queue", q.Delete(t.Context()))
		_, err := q.Head(t.Context(), 1, alice)
		wantCode(t, "head", err, fault.NotFound)
		_, err = q.Add(t.Context(), requests("http://a/"), false, alice)
		wantCode(t, "add", err, fault.NotFound)
		_, err = q.Request(t.Context(), id)
		wantCode(t, "request", err, fault.NotFound)
	})
	t.Run("ManyClients", func(t *testing.T) {
		p, q := newQueue(t)
		add(t, q, false, "http://a/")
		head(t, q, 1)
		info(t, q)
		head(t, q, 1)
		wantEqual(t, "had multiple clients with one", info(t, q).HadMultipleClients, false)
		h, err := q.Head(t.Context(), 1, store.Client{})
		must(t, "head", err)
		wantEqual(t, "had multiple clients", h.HadMultipleClients, true)
		wantEqual(t, "had multiple clients", info(t, q).HadMultipleClients, true)
		time.Sleep(100 * time.Millisecond)
		q = reopen(p)
		wantEqual(t, "had multiple clients after reopening", info(t, q).HadMultipleClients, true)
		other := create(t, p.RequestQueues(), "other")
		lock(t, other, 1, time.Minute, alice)
		wantEqual(t, "had multiple clients", lock(t, other, 1, time.Minute, bob).HadMultipleClients, true)
	})
	t.Run("List", func(t *testing.T) {
		p, q := newQueue(t)
		var ids []string
		for n := range 7 {
			u := fmt.Sprintf("http://%d/", n)
			add(t, q, false, u)
			ids = append(ids, store.RequestID(u))
		}
		lock(t, q, 2, time.Minute, alice) // 0 and 1
		handle(t, q, "http://6/", alice)
		list := func(limit int, f store.RequestsFilter) (got []string) {
			start := ""
			for {
				page, err := q.Requests(t.Context(), start, limit, f)
				must(t, "list", err)
				for _, r := range page.Items {
					got = append(got, r.ID)
					if !strings.Contains(string(r.JSON), r.URL) {
						t.Errorf("%s lacks its content", r.ID)
					}
				}
				if page.NextID == "" {
					return got
				}
				wantEqual(t, "page size", len(page.Items), limit)
				start = page.NextID
			}
		}
		sorted := func(ids ...string) []string {
			ids = slices.Clone(ids)
			slices.Sort(ids)
			return ids
		}
		for range 2 {
			wantSlice(t, "all", list(0, store.RequestsFilter{}), sorted(ids...))
			wantSlice(t, "in pages", list(3, store.RequestsFilter{}), sorted(ids...))
			wantSlice(t, "in pages of all", list(7, store.RequestsFilter{}), sorted(ids...))
			wantSlice(t, "locked", list(1, store.RequestsFilter{Locked: true}), sorted(ids[:2]...))
			wantSlice(t, "pending", list(2, store.RequestsFilter{Pending: true}), sorted(ids[:6]...))
			wantSlice(t, "both", list(2, store.RequestsFilter{Pending: true, Locked: true}), sorted(ids[:6]...))
			q = reopen(p)
		}
		must(t, "delete", q.DeleteRequest(t.Context(), ids[6], alice))
		add(t, q, false, "http://7/")
		wantSlice(t, "after changes", list(2, store.RequestsFilter{}), sorted(append(ids[:6:6], store.RequestID("http://7/"))...))
	})
	t.Run("Cancelled", func(t *testing.T) {
		_, q := newQueue(t)
		ctx := cancelled(t)
		if _, err := q.Add(ctx, requests("http://a/"), false, alice); err == nil {
			t.Error("add ignored its context")
		}
		wantEqual(t, "total", info(t, q).TotalRequests, 0)
		add(t, q, false, "http://a/")
		if _, err := q.Lock(ctx, 1, time.Minute, alice); err == nil {
			t.Error("lock ignored its context")
		}
		wantEqual(t, "handed out", len(lock(t, q, 9, time.Minute, bob).Items), 1)
	})
	t.Run("AnotherProcess", func(t *testing.T) {
		p, q := newQueue(t)
		theirs := openStorage(t, p.another().RequestQueues(), "q")
		add(t, q, false, "http://a/", "http://b/")
		wantSlice(t, "their head", head(t, theirs, 9), []string{"http://a/", "http://b/"})
		add(t, theirs, true, "http://c/")
		wantSlice(t, "our head", head(t, q, 9), []string{"http://c/", "http://a/", "http://b/"})
		id := lock(t, theirs, 1, time.Minute, bob).Items[0].ID
		wantSlice(t, "left for us", urls(lock(t, q, 1, time.Minute, alice).Items), []string{"http://a/"})
		wantCode(t, "release their lock", q.Release(t.Context(), id, false, alice), fault.Forbidden)
		handle(t, theirs, "http://c/", bob)
		wantEqual(t, "handled", info(t, q).HandledRequests, 1)
		must(t, "delete", q.DeleteRequest(t.Context(), store.RequestID("http://b/"), alice))
		_, err := theirs.Request(t.Context(), store.RequestID("http://b/"))
		wantCode(t, "what we deleted", err, fault.NotFound)
		wantEqual(t, "their total", info(t, theirs).TotalRequests, 2)
	})
	// Two roots stand for two processes; every request is handled exactly once.
	t.Run("Concurrent", func(t *testing.T) {
		p, _ := newQueue(t)
		roots := []store.Root{p, p.another()}
		const workers, each = 4, 30
		var wg sync.WaitGroup
		var mu sync.Mutex
		done := map[string]int{}
		for w := range workers {
			wg.Go(func() {
				me := store.Client{Key: fmt.Sprintf("client-%d", w)}
				q, err := roots[w%2].RequestQueues().Open(t.Context(), "q")
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				for n := range each {
					// Half of the requests are added by everybody.
					u := fmt.Sprintf("http://%d/", n)
					if n%2 == 0 {
						u = fmt.Sprintf("http://%d-%d/", w, n)
					}
					if _, err := q.Add(t.Context(), requests(u), n%3 == 0, me); err != nil {
						t.Errorf("add: %v", err)
					}
					h, err := q.Lock(t.Context(), 2, time.Minute, me)
					if err != nil {
						t.Errorf("lock: %v", err)
					}
					for _, i := range h.Items {
						now := time.Now()
						r := request(i.URL)
						r.ID, r.HandledAt = i.ID, &now
						reg, err := q.Update(t.Context(), r, false, me)
						if err != nil || reg.WasAlreadyHandled || !reg.WasAlreadyPresent {
							t.Errorf("update: %+v, %v", reg, err)
						}
						mu.Lock()
						done[i.URL]++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		q := reopen(p)
		const want = each/2 + workers*each/2
		for _, i := range lock(t, q, want, time.Minute, alice).Items {
			done[i.URL]++
		}
		wantEqual(t, "requests", len(done), want)
		for u, n := range done {
			wantEqual(t, u+" handed out", n, 1)
		}
		wantEqual(t, "total", info(t, q).TotalRequests, want)
	})
}
