package storetest

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// testAccess tests that a storage keeps the general access that it was given.
func testAccess[S store.Storage](t *testing.T, open opener, of func(store.Root) store.Collection[S]) {
	p := newPlace(t, open)
	s := create(t, of(p), "s")
	wantEqual(t, "access of a new storage", info(t, s).Access, "")
	for _, access := range []string{"ANYONE_WITH_ID_CAN_READ", "RESTRICTED", "ANYONE_WITH_NAME_CAN_READ"} {
		must(t, "set access", s.SetAccess(t.Context(), access))
		wantEqual(t, "access", info(t, s).Access, access)
	}
	if s.SetAccess(cancelled(t), "RESTRICTED") == nil {
		t.Error("a change ignored its context")
	}
	p.reopen()
	s = openStorage(t, of(p), "s")
	wantEqual(t, "access after reopening", info(t, s).Access, "ANYONE_WITH_NAME_CAN_READ")
	must(t, "delete", s.Delete(t.Context()))
	wantCode(t, "set access after deletion", s.SetAccess(t.Context(), "RESTRICTED"), fault.NotFound)
}

func testSecrets(t *testing.T, open opener) {
	p := newPlace(t, open)
	var wg sync.WaitGroup
	roots := []store.Root{p, p.another()}
	secrets := make([][]byte, 8)
	for n := range secrets {
		wg.Go(func() {
			secret, err := roots[n%2].Secret(t.Context(), "urls")
			if err != nil {
				t.Errorf("secret: %v", err)
			}
			secrets[n] = secret
		})
	}
	wg.Wait()
	wantEqual(t, "length", len(secrets[0]), 32)
	for _, other := range secrets {
		if !bytes.Equal(other, secrets[0]) {
			t.Error("two who asked at once got different secrets")
		}
	}
	other, err := p.Secret(t.Context(), "others")
	must(t, "another secret", err)
	if bytes.Equal(other, secrets[0]) {
		t.Error("two secrets are the same")
	}
	p.reopen()
	again, err := p.Secret(t.Context(), "urls")
	must(t, "secret after reopening", err)
	if !bytes.Equal(again, secrets[0]) {
		t.Error("the secret changed")
	}
	wantEqual(t, "a secret of another folder is the same", bytes.Equal(again, first(newPlace(t, open).Secret(t.Context(), "urls"))), false)
}

func first[T any](v T, _ error) T { return v }

// testStats tests what is counted, by the metadata and after a clean end.
func testStats(t *testing.T, open opener) {
	t.Run("Dataset", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		wantStats(t, p, info(t, d), store.Stats{})
		must(t, "append", d.Append(t.Context(), numbered(0, 5)))
		must(t, "append", d.Append(t.Context(), numbered(5, 6)))
		if d.Append(t.Context(), []json.RawMessage{item(`[]`)}) == nil {
			t.Error("an array was appended")
		}
		contents(t, d, 2, 3, true)
		contents(t, d, 9, -1, false)
		want := store.Stats{Writes: 6, Reads: 3, Bytes: 6 * int64(len(`{"n":0}`))}
		wantStats(t, p, info(t, d), want)
		p.reopen()
		wantStats(t, p, listed(t, p.Datasets()), want)
		d = openStorage(t, p.Datasets(), "d")
		contents(t, d, 0, 1, false)
		want.Reads++
		wantStats(t, p, info(t, d), want)
		wantStats(t, p, listed(t, p.Datasets()), want)
	})
	t.Run("KeyValueStore", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		put(t, k, "a", "text/plain", "12345")
		put(t, k, "b", "text/plain", "1")
		put(t, k, "a", "text/plain", "123")
		r, err := k.Get(t.Context(), "a")
		must(t, "get", err)
		r.Body.Close()
		_, err = k.Stat(t.Context(), "a")
		must(t, "stat", err)
		_, err = k.Get(t.Context(), "nothing")
		wantCode(t, "get", err, fault.NotFound)
		keysOf(t, k, store.KeysOptions{})
		must(t, "delete", k.DeleteRecord(t.Context(), "b"))
		must(t, "delete what is gone", k.DeleteRecord(t.Context(), "b"))
		want := store.Stats{Writes: 3, Reads: 2, Lists: 1, Deletes: 1, Bytes: 3}
		wantStats(t, p, info(t, k), want)
		p.reopen()
		wantStats(t, p, info(t, openStorage(t, p.KeyValueStores(), "k")), want)
		wantStats(t, p, listed(t, p.KeyValueStores()), want)
	})
	t.Run("RequestQueue", func(t *testing.T) {
		p := newPlace(t, open)
		q := create(t, p.RequestQueues(), "q")
		me := store.Client{Key: "me"}
		_, err := q.Add(t.Context(), []store.Request{request("a"), request("b"), request("a")}, false, me)
		must(t, "add", err)
		_, err = q.Add(t.Context(), []store.Request{request("a")}, false, me) // nothing new
		must(t, "add again", err)
		_, err = q.Head(t.Context(), 10, me)
		must(t, "head", err)
		_, err = q.Lock(t.Context(), 10, time.Minute, me)
		must(t, "lock", err)
		_, err = q.Lock(t.Context(), 10, time.Minute, me) // nothing left
		must(t, "lock again", err)
		a := store.RequestID("a")
		_, err = q.Prolong(t.Context(), a, time.Minute, false, me)
		must(t, "prolong", err)
		must(t, "release", q.Release(t.Context(), a, false, me))
		must(t, "release again", q.Release(t.Context(), a, false, me))
		n, err := q.Unlock(t.Context(), me)
		must(t, "unlock", err)
		wantEqual(t, "unlocked", n, 1)
		_, err = q.Request(t.Context(), a)
		must(t, "request", err)
		_, err = q.Requests(t.Context(), "", 10, store.RequestsFilter{})
		must(t, "requests", err)
		_, err = q.Update(t.Context(), request("b"), false, me)
		must(t, "update", err)
		must(t, "delete", q.DeleteRequest(t.Context(), a, me))
		wantCode(t, "delete again", q.DeleteRequest(t.Context(), a, me), fault.NotFound)
		left, err := q.Request(t.Context(), store.RequestID("b"))
		must(t, "request", err)
		want := store.Stats{
			Writes: 2 + 2 + 1 + 1 + 1 + 1, // added, locked, prolonged, released, unlocked, updated
			Reads:  1 + 2 + 1, Deletes: 1, HeadReads: 2 + 2, Bytes: int64(len(left.JSON)),
		}
		wantStats(t, p, info(t, q), want)
		p.reopen()
		wantStats(t, p, info(t, openStorage(t, p.RequestQueues(), "q")), want)
		wantStats(t, p, listed(t, p.RequestQueues()), want)
	})
	// Two processes count together, once each has written what it knows.
	t.Run("TwoProcesses", func(t *testing.T) {
		p := newPlace(t, open)
		other := p.another()
		for n, root := range []store.Root{p, other, p, other} {
			d := create(t, root.Datasets(), "d")
			must(t, "append", d.Append(t.Context(), numbered(n, n+1)))
			contents(t, d, 0, 1, false)
		}
		if !open.has(Exclusive) {
			must(t, "close", other.Close())
		}
		p.reopen()
		got := info(t, openStorage(t, p.Datasets(), "d")).Stats
		wantEqual(t, "writes", got.Writes, 4)
		wantEqual(t, "reads", got.Reads, 4)
	})
}

// wantStats compares statistics, sizes within what an implementation needs to
// keep order.
func wantStats(t *testing.T, p *place, i store.Info, want store.Stats) {
	t.Helper()
	got := i.Stats
	if p.open.has(NoSizes) {
		wantEqual(t, "size", got.Bytes, int64(-1))
	} else if got.Bytes < want.Bytes || got.Bytes > want.Bytes+int64(want.Writes*64) {
		t.Errorf("size: got %d, want about %d", got.Bytes, want.Bytes)
	}
	got.Bytes = want.Bytes
	wantEqual(t, "statistics", got, want)
}

// listed is the metadata of the only storage in a list.
func listed[S store.Storage](t *testing.T, c store.Collection[S]) store.Info {
	t.Helper()
	page, err := c.List(t.Context(), store.ListOptions{})
	must(t, "list", err)
	if len(page.Items) != 1 {
		t.Fatalf("%d storages", len(page.Items))
	}
	return page.Items[0]
}

// testCompressed tests what implementations can that keep contents compressed.
func testCompressed(t *testing.T, open opener) {
	p := newPlace(t, open)
	k := create(t, p.KeyValueStores(), "k")
	c, ok := any(k).(store.Compressing)
	if !ok {
		t.Skip("this store keeps contents as they are")
	}
	for _, squeezed := range []string{"12", string(bytes.Repeat([]byte("x"), 100<<10))} {
		i, err := c.PutCompressed(t.Context(), "key", "text/plain", store.Compressed{
			Encoding: "gzip", Reader: bytes.NewReader([]byte(squeezed)), Size: func() int64 { return 1 << 40 },
		})
		must(t, "put", err)
		for range 2 {
			wantEqual(t, "encoding", i.Encoding, "gzip")
			wantEqual(t, "size", i.Size, 1<<40)
			wantEqual(t, "stored", i.Stored, int64(len(squeezed)))
			r, err := k.Get(t.Context(), "key")
			must(t, "get", err)
			text, err := io.ReadAll(r.Body)
			must(t, "read", err)
			r.Body.Close()
			wantEqual(t, "content", string(text), squeezed)
			wantEqual(t, "what is stored", info(t, k).Stats.Bytes, int64(len(squeezed)))
			page, err := k.Keys(t.Context(), store.KeysOptions{})
			must(t, "keys", err)
			wantEqual(t, "listed size", page.Items[0].Size, 1<<40)
			i = r.RecordInfo
			p.reopen()
			k = openStorage(t, p.KeyValueStores(), "k")
			c = any(k).(store.Compressing)
		}
	}
	put(t, k, "key", "text/plain", "as it is")
	wantRecord(t, k, "key", "text/plain", "as it is")
	i, err := k.Stat(t.Context(), "key")
	must(t, "stat", err)
	wantEqual(t, "encoding", i.Encoding, "")
}
