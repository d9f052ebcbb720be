// Package storetest is what every implementation of the store's interfaces must
// pass. It tests by what can be observed through the interfaces only, so the
// same suite fits files, databases and whatever comes later.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Open opens a root on a folder, which is empty or was used by an earlier root
// of the same implementation. Two roots may be open on one folder at once, as
// those of two processes are, unless the implementation is Exclusive; the suite
// closes what it opens.
type Open func(t *testing.T, dir string) store.Root

// A Trait is what an implementation rightly does otherwise than others.
type Trait int

const (
	// Exclusive says that a root has its folder for itself: what the suite would
	// do with a second root, it does with the same one.
	Exclusive Trait = iota
	// NoDefault says that there is no default storage.
	NoDefault
	// NoSizes says that the sizes of storages are not known.
	NoSizes
)

// opener is an implementation as the tests know it.
type opener struct {
	root   Open
	traits []Trait
}

func (o opener) has(t Trait) bool { return slices.Contains(o.traits, t) }

// Run tests an implementation.
func Run(t *testing.T, root Open, traits ...Trait) {
	open := opener{root, traits}
	suite := []struct {
		name string
		test func(t *testing.T, open opener)
	}{
		{"Collections", testCollections},
		{"Datasets", testDatasets},
		{"KeyValueStores", testKeyValueStores},
		{"RequestQueues", testRequestQueues},
		{"RequestQueuesLikeTheModel", testQueueModel},
		{"Records", testRecords},
		{"Logs", testLogs},
		{"Secrets", testSecrets},
		{"Stats", testStats},
		{"Statistics", testStatistics},
		{"Compressed", testCompressed},
	}
	for _, s := range suite {
		t.Run(s.name, func(t *testing.T) { s.test(t, open) })
	}
}

// place is a folder with a root that can be closed and opened again.
type place struct {
	store.Root
	t    *testing.T
	dir  string
	open opener
}

func newPlace(t *testing.T, open opener) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), open: open}
	p.Root = p.opened()
	return p
}

// another opens the same folder once more, as another process would, unless
// only one can.
func (p *place) another() store.Root {
	p.t.Helper()
	if p.open.has(Exclusive) {
		return p.Root
	}
	return p.opened()
}

func (p *place) opened() store.Root {
	p.t.Helper()
	r := p.open.root(p.t, p.dir)
	p.t.Cleanup(func() { r.Close() })
	return r
}

// reopen closes the root and opens it again.
func (p *place) reopen() {
	p.t.Helper()
	if err := p.Root.Close(); err != nil {
		p.t.Fatalf("close: %v", err)
	}
	p.Root = p.opened()
}

func create[S store.Storage](t *testing.T, c store.Collection[S], name string) S {
	t.Helper()
	s, _, err := c.Create(t.Context(), store.CreateOptions{Name: name})
	if err != nil {
		t.Fatalf("create %q: %v", name, err)
	}
	return s
}

func openStorage[S store.Storage](t *testing.T, c store.Collection[S], idOrName string) S {
	t.Helper()
	s, err := c.Open(t.Context(), idOrName)
	if err != nil {
		t.Fatalf("open %q: %v", idOrName, err)
	}
	return s
}

func info(t *testing.T, s store.Storage) store.Info {
	t.Helper()
	i, err := s.Info(t.Context())
	if err != nil {
		t.Fatalf("info: %v", err)
	}
	return i
}

func wantCode(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("%s: error %v (%s), want %s", what, err, fault.CodeOf(err), code)
	}
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantSlice[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// cancelled is a context that is done.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func testCollections(t *testing.T, open opener) {
	t.Run("Dataset", func(t *testing.T) {
		testCollection(t, open, func(r store.Root) store.Collection[store.Dataset] { return r.Datasets() })
	})
	t.Run("KeyValueStore", func(t *testing.T) {
		testCollection(t, open, func(r store.Root) store.Collection[store.KeyValueStore] { return r.KeyValueStores() })
	})
	t.Run("RequestQueue", func(t *testing.T) {
		testCollection(t, open, func(r store.Root) store.Collection[store.RequestQueue] { return r.RequestQueues() })
	})
}

func testCollection[S store.Storage](t *testing.T, open opener, of func(store.Root) store.Collection[S]) {
	t.Run("OpenMissing", func(t *testing.T) {
		p := newPlace(t, open)
		for _, name := range []string{"nowhere", "", "..", ".", "../..", "/etc", "a/b", `a\b`, "a\x00b", ".greenroom", "nul", "C:"} {
			_, err := of(p).Open(t.Context(), name)
			wantCode(t, fmt.Sprintf("open %q", name), err, fault.NotFound)
		}
	})
	t.Run("Create", func(t *testing.T) {
		p := newPlace(t, open)
		before := time.Now().Add(-time.Second)
		s, created, err := of(p).Create(t.Context(), store.CreateOptions{Name: "My-results", ActorID: "actor", RunID: "run"})
		must(t, "create", err)
		wantEqual(t, "created", created, true)
		i := info(t, s)
		wantEqual(t, "name", i.Name, "My-results")
		wantEqual(t, "actor", i.ActorID, "actor")
		wantEqual(t, "run", i.RunID, "run")
		wantEqual(t, "id", i.ID, s.ID())
		for _, at := range []time.Time{i.CreatedAt, i.ModifiedAt, i.AccessedAt} {
			if at.Before(before) || at.After(time.Now().Add(time.Second)) {
				t.Errorf("time %v is not the present", at)
			}
		}
		again, created, err := of(p).Create(t.Context(), store.CreateOptions{Name: "My-results"})
		must(t, "create again", err)
		wantEqual(t, "created again", created, false)
		wantEqual(t, "the same id", again.ID(), s.ID())
		for _, by := range []string{"My-results", "my-RESULTS", s.ID()} {
			wantEqual(t, "id by "+by, openStorage(t, of(p), by).ID(), s.ID())
		}
		p.reopen()
		for _, by := range []string{s.ID(), "My-results", "my-RESULTS"} {
			wantEqual(t, "id after reopening, by "+by, openStorage(t, of(p), by).ID(), s.ID())
		}
		after := info(t, openStorage(t, of(p), s.ID()))
		wantEqual(t, "name after reopening", after.Name, "My-results")
		wantEqual(t, "run after reopening", after.RunID, "run")
		if d := after.CreatedAt.Sub(i.CreatedAt).Abs(); d > time.Millisecond {
			t.Errorf("creation time moved by %v", d)
		}
	})
	t.Run("CreateUnnamed", func(t *testing.T) {
		p := newPlace(t, open)
		a, created, err := of(p).Create(t.Context(), store.CreateOptions{})
		must(t, "create", err)
		wantEqual(t, "created", created, true)
		b, _, err := of(p).Create(t.Context(), store.CreateOptions{ID: "chosenChosen12345"})
		must(t, "create with an id", err)
		wantEqual(t, "chosen id", b.ID(), "chosenChosen12345")
		if a.ID() == b.ID() || a.ID() == "" {
			t.Errorf("ids %q and %q", a.ID(), b.ID())
		}
		_, created, err = of(p).Create(t.Context(), store.CreateOptions{ID: "chosenChosen12345"})
		must(t, "create again", err)
		wantEqual(t, "created again", created, false)
		p.reopen()
		wantEqual(t, "name", info(t, openStorage(t, of(p), a.ID())).Name, "")
		openStorage(t, of(p), b.ID())
	})
	t.Run("Schema", func(t *testing.T) { testSchema(t, open, of) })
	t.Run("BadNames", func(t *testing.T) {
		p := newPlace(t, open)
		for _, name := range []string{"..", "a/b", "-a", "a-", "a b", "a_b", "é", "a.b", "0123456789012345678901234567890123456789012345678901234567890123"} {
			_, _, err := of(p).Create(t.Context(), store.CreateOptions{Name: name})
			wantCode(t, fmt.Sprintf("create %q", name), err, fault.InvalidRequest)
		}
		_, _, err := of(p).Create(t.Context(), store.CreateOptions{ID: "../escape"})
		wantCode(t, "create with a bad id", err, fault.InvalidRequest)
		s := create(t, of(p), "good")
		wantCode(t, "rename", s.Rename(t.Context(), "no good"), fault.InvalidRequest)
	})
	t.Run("DeviceNames", func(t *testing.T) {
		p := newPlace(t, open)
		s := create(t, of(p), "con")
		p.reopen()
		wantEqual(t, "id", openStorage(t, of(p), "con").ID(), s.ID())
	})
	t.Run("Rename", func(t *testing.T) {
		p := newPlace(t, open)
		s := create(t, of(p), "one")
		create(t, of(p), "taken")
		wantCode(t, "rename to a taken name", s.Rename(t.Context(), "taken"), fault.Conflict)
		wantCode(t, "rename to a taken name in capitals", s.Rename(t.Context(), "TAKEN"), fault.Conflict)
		must(t, "rename to itself", s.Rename(t.Context(), "one"))
		must(t, "rename", s.Rename(t.Context(), "two"))
		wantEqual(t, "name", info(t, s).Name, "two")
		check := func() {
			t.Helper()
			_, err := of(p).Open(t.Context(), "one")
			wantCode(t, "open by the old name", err, fault.NotFound)
			wantEqual(t, "id by the new name", openStorage(t, of(p), "two").ID(), s.ID())
			wantEqual(t, "id by id", openStorage(t, of(p), s.ID()).ID(), s.ID())
		}
		check()
		p.reopen()
		check()
		s = openStorage(t, of(p), "two")
		must(t, "change case", s.Rename(t.Context(), "Two"))
		wantEqual(t, "name", info(t, s).Name, "Two")
		must(t, "take the name away", s.Rename(t.Context(), ""))
		wantEqual(t, "name", info(t, s).Name, "")
		p.reopen()
		_, err := of(p).Open(t.Context(), "two")
		wantCode(t, "open by the name taken away", err, fault.NotFound)
		openStorage(t, of(p), s.ID())
	})
	t.Run("Delete", func(t *testing.T) {
		p := newPlace(t, open)
		s := create(t, of(p), "gone")
		other := openStorage(t, of(p), s.ID())
		must(t, "delete", s.Delete(t.Context()))
		wantCode(t, "delete again", s.Delete(t.Context()), fault.NotFound)
		_, err := s.Info(t.Context())
		wantCode(t, "info", err, fault.NotFound)
		_, err = other.Info(t.Context())
		wantCode(t, "info by another handle", err, fault.NotFound)
		for _, by := range []string{"gone", s.ID()} {
			_, err := of(p).Open(t.Context(), by)
			wantCode(t, "open "+by, err, fault.NotFound)
		}
		again, created, err := of(p).Create(t.Context(), store.CreateOptions{Name: "gone"})
		must(t, "create again", err)
		wantEqual(t, "created", created, true)
		if again.ID() == s.ID() {
			t.Error("a deleted storage's id was given out again")
		}
	})
	t.Run("List", func(t *testing.T) {
		p := newPlace(t, open)
		page, err := of(p).List(t.Context(), store.ListOptions{Unnamed: true})
		must(t, "list nothing", err)
		wantEqual(t, "total of nothing", page.Total, 0)
		var named []string
		for n := range 5 {
			named = append(named, fmt.Sprintf("s%d", 4-n)) // not in the order of names
			create(t, of(p), named[n])
			time.Sleep(2 * time.Millisecond)
		}
		unnamed, _, err := of(p).Create(t.Context(), store.CreateOptions{})
		must(t, "create", err)
		list := func(o store.ListOptions) (names []string, total int) {
			page, err := of(p).List(t.Context(), o)
			must(t, "list", err)
			for _, i := range page.Items {
				if i.ID == "" {
					t.Errorf("%q has no id", i.Name)
				}
				names = append(names, i.Name)
			}
			return names, page.Total
		}
		for range 2 {
			names, total := list(store.ListOptions{})
			wantSlice(t, "all named", names, named)
			wantEqual(t, "total", total, 5)
			names, total = list(store.ListOptions{Offset: 1, Limit: 2})
			wantSlice(t, "a page", names, named[1:3])
			wantEqual(t, "total", total, 5)
			names, _ = list(store.ListOptions{Desc: true, Limit: 2})
			wantSlice(t, "descending", names, []string{named[4], named[3]})
			names, _ = list(store.ListOptions{Offset: 99})
			wantEqual(t, "past the end", len(names), 0)
			names, total = list(store.ListOptions{Unnamed: true})
			wantSlice(t, "with unnamed", names, append(slices.Clone(named), ""))
			wantEqual(t, "total", total, 6)
			p.reopen()
		}
		must(t, "delete", openStorage(t, of(p), unnamed.ID()).Delete(t.Context()))
		_, total := list(store.ListOptions{Unnamed: true})
		wantEqual(t, "total after deleting", total, 5)
	})
	t.Run("Schema", func(t *testing.T) {
		p := newPlace(t, open)
		s, _, err := of(p).Create(t.Context(), store.CreateOptions{Name: "typed", Schema: []byte(`{"fields":{}}`)})
		must(t, "create", err)
		p.reopen()
		wantEqual(t, "schema", string(info(t, openStorage(t, of(p), s.ID())).Schema), `{"fields":{}}`)
	})
	t.Run("Access", func(t *testing.T) { testAccess(t, open, of) })
	t.Run("AnotherProcess", func(t *testing.T) {
		p := newPlace(t, open)
		other := p.another()
		s := create(t, of(p), "shared")
		theirs := openStorage(t, of(other), "shared")
		wantEqual(t, "id", theirs.ID(), s.ID())
		must(t, "delete", s.Delete(t.Context()))
		_, err := of(other).Open(t.Context(), "shared")
		wantCode(t, "open what another process deleted", err, fault.NotFound)
	})
	t.Run("ConcurrentCreate", func(t *testing.T) {
		p := newPlace(t, open)
		roots := []store.Root{p, p.another()}
		ids := make(chan string, 16)
		for n := range cap(ids) {
			go func() {
				s, _, err := of(roots[n%2]).Create(t.Context(), store.CreateOptions{Name: "same"})
				if err != nil {
					t.Errorf("create: %v", err)
					ids <- ""
					return
				}
				ids <- s.ID()
			}()
		}
		first := <-ids
		for range cap(ids) - 1 {
			wantEqual(t, "id", <-ids, first)
		}
	})
	t.Run("Cancelled", func(t *testing.T) {
		p := newPlace(t, open)
		if _, err := of(p).Open(cancelled(t), "x"); err == nil || fault.Is(err, fault.NotFound) {
			t.Errorf("open: %v", err)
		}
		if _, _, err := of(p).Create(cancelled(t), store.CreateOptions{Name: "x"}); err == nil {
			t.Error("create ignored its context")
		}
		if _, err := of(p).List(cancelled(t), store.ListOptions{}); err == nil {
			t.Error("list ignored its context")
		}
		_, err := of(p).Open(t.Context(), "x")
		wantCode(t, "open", err, fault.NotFound)
		s := create(t, of(p), "y")
		if s.Delete(cancelled(t)) == nil || s.Rename(cancelled(t), "z") == nil {
			t.Error("a change ignored its context")
		}
		wantEqual(t, "name", info(t, s).Name, "y")
	})
}
