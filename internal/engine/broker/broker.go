// Package broker hands the events of a run to everybody who listens.
package broker

import (
	"sync"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Broker hands events to all who listen. The zero value is ready; it is safe for
// concurrent use.
type Broker struct {
	mu     sync.Mutex
	subs   map[chan api.Event]struct{}
	closed bool
}

// Subscribe returns a channel of the events from now on, and its cancel.
func (b *Broker) Subscribe() (<-chan api.Event, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// Room for more than a minute of system information: a listener that is
	// slower loses events rather than holding up the run.
	ch := make(chan api.Event, 64)
	if b.closed {
		close(ch)
		return ch, func() {}
	}
	if b.subs == nil {
		b.subs = map[chan api.Event]struct{}{}
	}
	b.subs[ch] = struct{}{}
	return ch, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if _, ok := b.subs[ch]; ok {
			delete(b.subs, ch)
			close(ch)
		}
	}
}

// Publish sends an event to all and reports how many there are.
func (b *Broker) Publish(name string, data any) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	event := api.Event{Name: name, CreatedAt: api.Now(), Data: data}
	for ch := range b.subs {
		select {
		case ch <- event:
		default:
		}
	}
	return len(b.subs)
}

// Close ends all subscriptions, and those that are still to come.
func (b *Broker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for ch := range b.subs {
		close(ch)
	}
	b.subs = nil
}
