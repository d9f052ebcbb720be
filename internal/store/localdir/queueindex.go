package localdir

import (
	"container/heap"
	"slices"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// state says which part of the index holds a request.
type state uint8

const (
	handled state = iota // off the queue
	ready                // waiting, in order of place
	locked               // handed out, in order of expiry
)

// entry is what the index knows of a request; the rest is in its file.
type entry struct {
	id, uniqueKey, url, method string
	retryCount                 int

	state  state
	place  ticks        // while ready: in the queue; while locked: the expiry, negative for the front
	before ticks        // while locked: the place it had, 0 if unknown
	filed  ticks        // the place in its file, 0 if that is a lock
	holder store.Client // while locked: who holds it, empty if unknown
	index  int          // in its heap
}

// rank orders a heap.
func (e *entry) rank() ticks {
	if e.state == locked {
		return e.place.abs()
	}
	return e.place
}

// heldBy reports whether a client may change the lock.
func (e *entry) heldBy(c store.Client) bool {
	return c.Key != "" && e.holder.Key == c.Key || c.RunID != "" && e.holder.RunID == c.RunID
}

func (e *entry) headItem() store.HeadItem {
	return store.HeadItem{ID: e.id, UniqueKey: e.uniqueKey, URL: e.url, Method: e.method, RetryCount: e.retryCount}
}

// entries is a heap by rank.
type entries []*entry

func (h entries) Len() int { return len(h) }
func (h entries) Less(i, j int) bool {
	a, b := h[i].rank(), h[j].rank()
	return a < b || a == b && h[i].id < h[j].id
}
func (h entries) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *entries) Push(x any) {
	e := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}
func (h *entries) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}

// first lists up to n entries in order without changing the heap, in time that
// depends on n only.
func (h entries) first(n int) []*entry {
	n = min(n, len(h))
	if n <= 0 {
		return nil
	}
	out := make([]*entry, 0, n)
	// The candidates for the next one are the children of those already taken.
	next := frontier{of: h, at: []int{0}}
	for len(out) < n {
		i := heap.Pop(&next).(int)
		out = append(out, h[i])
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			heap.Push(&next, child)
		}
	}
	return out
}

// frontier is a heap of positions in another heap.
type frontier struct {
	of entries
	at []int
}

func (f frontier) Len() int           { return len(f.at) }
func (f frontier) Less(i, j int) bool { return f.of.Less(f.at[i], f.at[j]) }
func (f frontier) Swap(i, j int)      { f.at[i], f.at[j] = f.at[j], f.at[i] }
func (f *frontier) Push(x any)        { f.at = append(f.at, x.(int)) }
func (f *frontier) Pop() any {
	last := len(f.at) - 1
	x := f.at[last]
	f.at = f.at[:last]
	return x
}

// queueIndex finds requests by id, place and expiry.
type queueIndex struct {
	byID     map[string]*entry
	ready    entries
	locked   entries
	handled  int
	back     ticks // the furthest place given out at either end
	front    ticks
	order    []string // ids in order, some of them gone since
	unsorted []string // ids added after order was made
}

func newQueueIndex() *queueIndex { return &queueIndex{byID: map[string]*entry{}} }

// put adds an entry, or files it anew after change altered it.
func (x *queueIndex) put(e *entry, change func()) {
	if x.byID[e.id] == e {
		x.takeOut(e)
	} else {
		if old := x.byID[e.id]; old != nil {
			x.takeOut(old)
		} else {
			x.unsorted = append(x.unsorted, e.id)
		}
		x.byID[e.id] = e
	}
	if change != nil {
		change()
	}
	switch e.state {
	case handled:
		x.handled++
	case ready:
		heap.Push(&x.ready, e)
		if e.place > 0 {
			x.back = max(x.back, e.place)
		} else {
			x.front = max(x.front, -e.place)
		}
	case locked:
		heap.Push(&x.locked, e)
	}
}

// lock files a request under the lock that c describes.
func (x *queueIndex) lock(e *entry, c change) {
	x.put(e, func() {
		if e.state == ready {
			e.before = e.place
		}
		e.state, e.place, e.holder = locked, c.expiry, c.holder
	})
}

// follow does what a line of the journal says, which is older than now and, but
// for the place of a lock that ended, than the request's file.
func (x *queueIndex) follow(e *entry, c change, now ticks) {
	switch {
	case c.expiry.abs() > now:
		x.lock(e, c)
	case e.filed == 0: // another program locked it in the file
	case c.expiry.abs() > e.filed.abs():
		x.put(e, func() { e.state, e.place, e.holder = ready, c.expiry, store.Client{} })
	default:
		x.put(e, func() { e.state, e.place, e.holder = ready, e.filed, store.Client{} })
	}
}

// told is what a journal must say of requests whose files do not.
func (x *queueIndex) told() (lines []change) {
	for _, e := range x.ready {
		if e.place != e.filed {
			lines = append(lines, change{id: e.id, expiry: e.place})
		}
	}
	for _, e := range x.locked {
		if e.before != 0 && e.before != e.filed {
			lines = append(lines, change{id: e.id, expiry: e.before})
		}
		lines = append(lines, change{e.id, e.holder, e.place})
	}
	return lines
}

func (x *queueIndex) takeOut(e *entry) {
	switch e.state {
	case handled:
		x.handled--
	case ready:
		heap.Remove(&x.ready, e.index)
	case locked:
		heap.Remove(&x.locked, e.index)
	}
}

func (x *queueIndex) remove(id string) {
	if e := x.byID[id]; e != nil {
		x.takeOut(e)
		delete(x.byID, id)
	}
}

// expire ends the locks whose time is over. Their requests wait in the order of
// their expiry, as they do for other readers of the files.
func (x *queueIndex) expire(now ticks) {
	for len(x.locked) > 0 && x.locked[0].place.abs() <= now {
		e := x.locked[0]
		x.put(e, func() { e.state, e.holder = ready, store.Client{} })
	}
}

// newPlace gives a place at an end of the queue, no two alike.
func (x *queueIndex) newPlace(forefront bool) ticks {
	now := ticksOf(time.Now())
	if forefront {
		x.front = max(now, x.front+1)
		return -x.front
	}
	x.back = max(now, x.back+1)
	return x.back
}

// after lists the ids that follow one, in order.
func (x *queueIndex) after(id string) []string {
	if len(x.unsorted) > 0 || len(x.order) > 2*len(x.byID)+64 {
		x.order = append(x.order, x.unsorted...)
		x.unsorted = nil
		x.order = slices.DeleteFunc(x.order, func(id string) bool { return x.byID[id] == nil })
		slices.Sort(x.order)
		x.order = slices.Compact(x.order)
	}
	i, found := slices.BinarySearch(x.order, id)
	if found {
		i++
	}
	return x.order[i:]
}
