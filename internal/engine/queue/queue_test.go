package queue

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func in(t *Ticket) bool {
	select {
	case <-t.Ready():
		return true
	default:
		return false
	}
}

func TestNobodyIsOvertaken(t *testing.T) {
	q := New(1024, 0)
	first := q.Enter(512)
	big := q.Enter(1024)
	small := q.Enter(128)
	if !in(first) || in(big) || in(small) {
		t.Fatalf("in: %v %v %v", in(first), in(big), in(small))
	}
	if used, inside, waiting := q.Load(); used != 512 || inside != 1 || waiting != 2 {
		t.Errorf("used %d, in %d, waiting %d", used, inside, waiting)
	}
	first.Leave()
	first.Leave()
	if !in(big) || in(small) {
		t.Fatalf("after the first: %v %v", in(big), in(small))
	}
	big.Leave()
	if !in(small) {
		t.Fatal("the last one still waits")
	}
}

func TestWhoGivesUpHoldsUpNobody(t *testing.T) {
	q := New(1024, 0)
	first := q.Enter(1024)
	big, small := q.Enter(1024), q.Enter(128)
	first.Leave()
	if !in(big) {
		t.Fatal("the second waits for nothing")
	}
	third := q.Enter(1024)
	small.Leave()
	big.Leave()
	if !in(third) {
		t.Fatal("the third waits for one that is gone")
	}
}

func TestPlaces(t *testing.T) {
	q := New(0, 2)
	a, b, c := q.Enter(1), q.Enter(1), q.Enter(1)
	if !in(a) || !in(b) || in(c) {
		t.Fatal("two at once, no more")
	}
	b.Leave()
	if !in(c) {
		t.Fatal("the third was not let in")
	}
	if !q.Fits(1<<30) || New(1024, 0).Fits(1025) || !New(1024, 0).Fits(1024) {
		t.Error("what fits")
	}
}

// What was running before is counted, and others wait for it.
func TestOccupied(t *testing.T) {
	q := New(1024, 0)
	old := q.Occupy(2048)
	next := q.Enter(128)
	if !in(old) || in(next) {
		t.Fatal("there was no room")
	}
	old.Leave()
	if !in(next) {
		t.Fatal("there is room")
	}
}

func TestNeverMoreThanThereIs(t *testing.T) {
	q := New(4096, 8)
	var used, inside atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		mbytes := 128 << rand.IntN(6)
		all.Go(func() {
			ticket := q.Enter(mbytes)
			<-ticket.Ready()
			if u, n := used.Add(int64(mbytes)), inside.Add(1); u > 4096 || n > 8 {
				t.Errorf("%d MB in use by %d", u, n)
			}
			time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
			used.Add(-int64(mbytes))
			inside.Add(-1)
			ticket.Leave()
		})
	}
	all.Wait()
	if u, n, w := q.Load(); u != 0 || n != 0 || w != 0 {
		t.Errorf("left over: %d MB, %d in, %d waiting", u, n, w)
	}
}
