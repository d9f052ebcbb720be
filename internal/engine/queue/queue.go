// Package queue shares out the memory of a machine among runs: who does not fit
// waits, and is let in in the order of arrival.
package queue

import (
	"slices"
	"sync"
)

// Queue has so much memory and so many places. Safe for concurrent use.
type Queue struct {
	mu      sync.Mutex
	total   int // mebibytes; 0 has no limit
	most    int // how many may be in at once; 0 has no limit
	used    int
	inside  int
	waiting []*Ticket
}

// Ticket is one claim on memory, from its place in the queue until it is left.
type Ticket struct {
	queue  *Queue
	mbytes int
	ready  chan struct{}
	in     bool
	left   bool
}

// New makes a queue for totalMbytes and most tickets at once; 0 sets no limit.
func New(totalMbytes, most int) *Queue { return &Queue{total: totalMbytes, most: most} }

// Total is all the memory there is, in mebibytes; 0 when there is no limit.
func (q *Queue) Total() int { return q.total }

// Most is how many may be in at once; 0 when there is no limit.
func (q *Queue) Most() int { return q.most }

// Fits reports whether so much memory can ever be had.
func (q *Queue) Fits(mbytes int) bool { return q.total == 0 || mbytes <= q.total }

// Enter takes a place at the end of the queue. Nobody is overtaken: one that
// needs much would wait for ever behind a stream of those that need little.
func (q *Queue) Enter(mbytes int) *Ticket {
	t := &Ticket{queue: q, mbytes: mbytes, ready: make(chan struct{})}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, t)
	q.admit()
	return t
}

// Occupy counts in what is running already, whether it fits or not.
func (q *Queue) Occupy(mbytes int) *Ticket {
	t := &Ticket{queue: q, mbytes: mbytes, ready: make(chan struct{})}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.let(t)
	return t
}

// Load tells how much memory is in use and how many tickets are in and waiting.
func (q *Queue) Load() (usedMbytes, inside, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.used, q.inside, len(q.waiting)
}

// admit lets in from the front whoever fits.
func (q *Queue) admit() {
	for len(q.waiting) > 0 {
		next := q.waiting[0]
		if q.total > 0 && q.inside > 0 && q.used+next.mbytes > q.total || q.most > 0 && q.inside >= q.most {
			return
		}
		q.waiting = q.waiting[1:]
		q.let(next)
	}
}

func (q *Queue) let(t *Ticket) {
	t.in = true
	q.used += t.mbytes
	q.inside++
	close(t.ready)
}

// Ready is closed once the memory is there.
func (t *Ticket) Ready() <-chan struct{} { return t.ready }

// Leave gives back the memory, or the place in the queue. Leaving twice does
// nothing.
func (t *Ticket) Leave() {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.left {
		return
	}
	t.left = true
	if t.in {
		q.used -= t.mbytes
		q.inside--
	} else if i := slices.Index(q.waiting, t); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	q.admit()
}
