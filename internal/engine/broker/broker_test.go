package broker

import "testing"

func TestEventsReachAllWhoListen(t *testing.T) {
	var b Broker
	if n := b.Publish("aborting", nil); n != 0 {
		t.Errorf("%d listen", n)
	}
	first, leave := b.Subscribe()
	second, _ := b.Subscribe()
	if n := b.Publish("aborting", nil); n != 2 {
		t.Errorf("%d listen", n)
	}
	leave()
	leave()
	for range 100 { // more than anybody has room for: the run is not held up
		b.Publish("systemInfo", nil)
	}
	if event := <-first; event.Name != "aborting" {
		t.Errorf("the first got %q", event.Name)
	}
	if _, open := <-first; open {
		t.Error("who has left gets more")
	}
	b.Close()
	n := 0
	for event := range second {
		if n == 0 && event.Name != "aborting" {
			t.Errorf("the second got %q first", event.Name)
		}
		n++
	}
	if n != 64 {
		t.Errorf("the second got %d events", n)
	}
	late, _ := b.Subscribe()
	if _, open := <-late; open {
		t.Error("there are events after the end")
	}
}
