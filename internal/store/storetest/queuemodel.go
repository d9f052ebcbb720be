package storetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// testQueueModel does the same to a request queue and to a model of one, at
// random and with a clock of its own, and compares what they say.
func testQueueModel(t *testing.T, open opener) {
	runs, steps := 8, 200
	if testing.Short() {
		runs = 3
	}
	for seed := range runs {
		synctest.Test(t, func(t *testing.T) {
			p := newPlace(t, open)
			m := &queueModel{
				t: t, random: rand.New(rand.NewPCG(uint64(seed), 7)),
				queue: create(t, p.RequestQueues(), "model"), entries: map[string]*modelled{},
			}
			for step := range steps {
				m.did = ""
				if m.random.IntN(25) == 0 {
					p.reopen()
					m.queue = openStorage(t, p.RequestQueues(), "model")
					m.did = "reopen; "
				}
				// Nothing happens at the same moment.
				time.Sleep(time.Duration(1+m.random.IntN(20_000)) * time.Millisecond)
				m.step()
				m.compare()
				if t.Failed() {
					t.Fatalf("seed %d, step %d: %s", seed, step, m.did)
				}
			}
			must(t, "close", p.Root.Close())
		})
	}
}

// queueModel is a request queue as the interface describes it, slow and plain.
type queueModel struct {
	t       *testing.T
	random  *rand.Rand
	queue   store.RequestQueue
	entries map[string]*modelled // by id
	did     string
}

// modelled is a request of the model. Its rank orders it among those that wait:
// a moment, negative for the front, and a number among those of one moment.
type modelled struct {
	url     string
	handled bool
	retries int
	rank    rank

	holder  store.Client
	expires time.Time // of the lock; zero without one
	before  rank      // the lock
}

type rank struct {
	moment time.Duration // since the model's clock began
	number int
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where synctest's clock begins

func at(when time.Time, front bool, number int) rank {
	moment := when.Sub(epoch)
	if front {
		moment = -moment
	}
	return rank{moment, number}
}

func (r rank) front() bool { return r.moment < 0 }

func (e *modelled) locked() bool { return !e.handled && e.expires.After(time.Now()) }

func (e *modelled) heldBy(c store.Client) bool {
	return e.locked() && (c.Key != "" && e.holder.Key == c.Key || c.RunID != "" && e.holder.RunID == c.RunID)
}

// free ends the lock.
func (e *modelled) free() { e.holder, e.expires = store.Client{}, time.Time{} }

// waiting gives the ids of those that nobody holds, in order.
func (m *queueModel) waiting() []string {
	ids := slices.DeleteFunc(slices.Collect(maps.Keys(m.entries)), func(id string) bool {
		return m.entries[id].handled || m.entries[id].locked()
	})
	slices.SortFunc(ids, func(a, b string) int {
		x, y := m.entries[a].rank, m.entries[b].rank
		return cmp.Or(cmp.Compare(x.moment, y.moment), cmp.Compare(x.number, y.number))
	})
	return ids
}

// some picks an id that is or was in the queue, or none that ever was.
func (m *queueModel) some() (id, url string) {
	url = fmt.Sprintf("http://%d/", m.random.IntN(30))
	return store.RequestID(url), url
}

func (m *queueModel) client() store.Client {
	return []store.Client{alice, bob, {Key: "alone"}, {Key: "alice-too", RunID: alice.RunID}}[m.random.IntN(4)]
}

func (m *queueModel) note(format string, args ...any) { m.did += fmt.Sprintf(format, args...) }

// step does one thing to both.
func (m *queueModel) step() {
	c, front := m.client(), m.random.IntN(3) == 0
	d := time.Duration(m.random.IntN(60_000)) * time.Millisecond
	steps := []func(store.Client, bool, time.Duration){
		m.add, m.add, m.add, m.lock, m.lock, m.update, m.update, m.remove, m.prolong, m.release, m.unlock,
	}
	steps[m.random.IntN(len(steps))](c, front, d+time.Millisecond)
}

func (m *queueModel) add(c store.Client, front bool, _ time.Duration) {
	var reqs []store.Request
	var want []store.Registration
	for i := range m.random.IntN(5) {
		id, url := m.some()
		r := request(url)
		now := time.Now()
		if m.random.IntN(8) == 0 {
			r.HandledAt = &now
		}
		reqs = append(reqs, r)
		registration := store.Registration{ID: id, UniqueKey: url}
		if e, there := m.entries[id]; there {
			registration.WasAlreadyPresent = true
			// One that came in this batch cannot have been handled before it.
			registration.WasAlreadyHandled = e.handled && !slices.ContainsFunc(want, func(r store.Registration) bool { return r.ID == id && !r.WasAlreadyPresent })
		} else {
			m.entries[id] = &modelled{url: url, handled: r.HandledAt != nil, rank: at(now, front, i)}
		}
		want = append(want, registration)
	}
	m.note("%s adds %d, front %v", c.Key, len(reqs), front)
	got, err := m.queue.Add(m.t.Context(), reqs, front, c)
	must(m.t, "add", err)
	wantSlice(m.t, "registrations", got, want)
}

func (m *queueModel) lock(c store.Client, _ bool, d time.Duration) {
	limit := m.random.IntN(6)
	chosen := m.waiting()
	chosen = chosen[:min(limit, len(chosen))]
	until := time.Now().Add(d)
	m.note("%s locks %d for %v", c.Key, limit, d)
	for i, id := range chosen {
		e := m.entries[id]
		e.before, e.rank = e.rank, at(until, e.rank.front(), i)
		e.holder, e.expires = c, until
	}
	head, err := m.queue.Lock(m.t.Context(), limit, d, c)
	must(m.t, "lock", err)
	var got []string
	for _, item := range head.Items {
		got = append(got, item.ID)
		if off := item.LockExpiresAt.Sub(until).Abs(); off > time.Millisecond {
			m.t.Errorf("the lock of %s is %v off", item.URL, off)
		}
	}
	wantSlice(m.t, "locked", got, chosen)
	wantEqual(m.t, "has locked", head.HasLocked, m.anyLocked())
}

func (m *queueModel) anyLocked() bool {
	for _, e := range m.entries {
		if e.locked() {
			return true
		}
	}
	return false
}

func (m *queueModel) update(c store.Client, front bool, _ time.Duration) {
	id, url := m.some()
	r := request(url)
	r.ID, r.RetryCount = id, m.random.IntN(9)
	now := time.Now()
	if m.random.IntN(2) == 0 {
		r.HandledAt = &now
	}
	m.note("%s updates %s, front %v, handled %v", c.Key, url, front, r.HandledAt != nil)
	want := store.Registration{ID: id, UniqueKey: url}
	e, there := m.entries[id]
	if there {
		want.WasAlreadyPresent, want.WasAlreadyHandled = true, e.handled
	} else {
		e = &modelled{url: url}
		m.entries[id] = e
	}
	e.free()
	e.handled, e.retries, e.rank = r.HandledAt != nil, r.RetryCount, at(now, front, 0)
	got, err := m.queue.Update(m.t.Context(), r, front, c)
	must(m.t, "update", err)
	wantEqual(m.t, "registration", got, want)
}

// wantOutcome compares an error with what the model says of a request that c
// wants to change; it reports whether the change is allowed.
func (m *queueModel) wantOutcome(what, id string, c store.Client, err error) bool {
	m.t.Helper()
	e, there := m.entries[id]
	switch {
	case !there:
		wantCode(m.t, what+" what is not there", err, fault.NotFound)
	case e.locked() && !e.heldBy(c):
		wantCode(m.t, what+" what another holds", err, fault.Forbidden)
	default:
		return true
	}
	return false
}

func (m *queueModel) remove(c store.Client, _ bool, _ time.Duration) {
	id, url := m.some()
	m.note("%s deletes %s", c.Key, url)
	err := m.queue.DeleteRequest(m.t.Context(), id, c)
	if m.wantOutcome("delete", id, c, err) {
		must(m.t, "delete", err)
		delete(m.entries, id)
	}
}

func (m *queueModel) prolong(c store.Client, front bool, d time.Duration) {
	id, url := m.some()
	m.note("%s prolongs %s by %v, front %v", c.Key, url, d, front)
	until, err := m.queue.Prolong(m.t.Context(), id, d, front, c)
	if e := m.entries[id]; e != nil && e.handled {
		wantCode(m.t, "prolong a handled one", err, fault.InvalidRequest)
	} else if m.wantOutcome("prolong", id, c, err) {
		must(m.t, "prolong", err)
		want := time.Now().Add(d)
		if off := until.Sub(want).Abs(); off > time.Millisecond {
			m.t.Errorf("the lock is %v off", off)
		}
		if !e.locked() {
			e.before = e.rank
		}
		e.holder, e.expires, e.rank = c, want, at(want, front, 0)
	}
}

func (m *queueModel) release(c store.Client, front bool, _ time.Duration) {
	id, url := m.some()
	m.note("%s releases %s, front %v", c.Key, url, front)
	err := m.queue.Release(m.t.Context(), id, front, c)
	if m.wantOutcome("release", id, c, err) {
		must(m.t, "release", err)
		if e := m.entries[id]; e.locked() {
			e.free()
			e.rank = at(time.Now(), front, 0)
		}
	}
}

func (m *queueModel) unlock(c store.Client, _ bool, _ time.Duration) {
	m.note("%s unlocks", c.Key)
	want := 0
	for _, e := range m.entries {
		if e.heldBy(c) {
			want++
			e.free()
			e.rank = e.before
		}
	}
	got, err := m.queue.Unlock(m.t.Context(), c)
	must(m.t, "unlock", err)
	wantEqual(m.t, "unlocked", got, want)
}

// compare looks at everything without changing it.
func (m *queueModel) compare() {
	m.t.Helper()
	total, handled := len(m.entries), 0
	var pending, locked []string
	for id, e := range m.entries {
		if e.handled {
			handled++
			continue
		}
		pending = append(pending, id)
		if e.locked() {
			locked = append(locked, id)
		}
	}
	slices.Sort(pending)
	slices.Sort(locked)
	i := info(m.t, m.queue)
	wantEqual(m.t, "total", i.TotalRequests, total)
	wantEqual(m.t, "handled", i.HandledRequests, handled)

	waiting := m.waiting()
	head, err := m.queue.Head(m.t.Context(), total+1, alice)
	must(m.t, "head", err)
	wantEqual(m.t, "has locked", head.HasLocked, len(locked) > 0)
	var listed []string
	for _, item := range head.Items {
		listed = append(listed, item.ID)
		e := m.entries[item.ID]
		if e == nil {
			m.t.Errorf("%s is in the head", item.URL)
			continue
		}
		wantEqual(m.t, item.URL+" is locked for alice", !item.LockExpiresAt.IsZero(), e.heldBy(alice))
		wantEqual(m.t, item.URL+" retries", item.RetryCount, e.retries)
	}
	wantSlice(m.t, "what waits in the head", slices.DeleteFunc(slices.Clone(listed), func(id string) bool {
		return m.entries[id] == nil || m.entries[id].locked()
	}), waiting)
	slices.Sort(listed)
	wantSlice(m.t, "head", listed, pending)

	for _, f := range []struct {
		filter store.RequestsFilter
		want   []string
	}{
		{store.RequestsFilter{}, slices.Sorted(maps.Keys(m.entries))},
		{store.RequestsFilter{Pending: true}, pending},
		{store.RequestsFilter{Locked: true}, locked},
	} {
		var got []string
		limit := 1 + m.random.IntN(total+2)
		for start := ""; ; {
			page, err := m.queue.Requests(m.t.Context(), start, limit, f.filter)
			must(m.t, "list", err)
			for _, r := range page.Items {
				got = append(got, r.ID)
				if e := m.entries[r.ID]; e == nil || e.url != r.URL || e.handled != (r.HandledAt != nil) || !json.Valid(r.JSON) {
					m.t.Errorf("listed: %+v", r)
				}
			}
			if start = page.NextID; start == "" {
				break
			}
		}
		wantSlice(m.t, fmt.Sprintf("requests %+v", f.filter), got, f.want)
	}
}
