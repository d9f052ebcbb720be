package embedded

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
)

func BenchmarkAppend(b *testing.B) {
	item := json.RawMessage(`{"url":"https://example.com/","title":"` + strings.Repeat("t", 100) + `"}`)
	for _, c := range []struct {
		items, writers int
	}{{1, 1}, {1, 16}, {1000, 1}} {
		b.Run(fmt.Sprintf("%d items, %d writers", c.items, c.writers), func(b *testing.B) {
			d, _, err := open(b, b.TempDir(), Options{}).Datasets().Create(b.Context(), store.CreateOptions{})
			must(b, err)
			items := make([]json.RawMessage, c.items)
			for i := range items {
				items[i] = item
			}
			b.SetBytes(int64(c.items * len(item)))
			b.SetParallelism(c.writers)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					must(b, d.Append(b.Context(), items))
				}
			})
		})
	}
}

// A page costs the page, wherever it is.
func BenchmarkPage(b *testing.B) {
	d, _, err := open(b, b.TempDir(), Options{Durability: Relaxed}).Datasets().Create(b.Context(), store.CreateOptions{})
	must(b, err)
	const total = 500_000
	for n := 0; n < total; {
		items := make([]json.RawMessage, 5000)
		for i := range items {
			items[i] = fmt.Appendf(nil, `{"n":%d,"pad":%q}`, n, "0123456789012345678901234567890123456789")
			n++
		}
		must(b, d.Append(b.Context(), items))
	}
	for _, offset := range []int{0, total / 2, total - 1000} {
		b.Run(fmt.Sprint("at ", offset), func(b *testing.B) {
			for b.Loop() {
				n := 0
				for _, err := range d.Items(b.Context(), offset, 1000, false) {
					must(b, err)
					n++
				}
				if n != 1000 {
					b.Fatalf("%d items", n)
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		b.Run(fmt.Sprint(size, " bytes"), func(b *testing.B) {
			k, _, err := open(b, b.TempDir(), Options{}).KeyValueStores().Create(b.Context(), store.CreateOptions{})
			must(b, err)
			value := strings.Repeat("v", size)
			b.SetBytes(int64(size))
			n := 0
			for b.Loop() {
				n++
				_, err := k.Put(b.Context(), fmt.Sprint("key-", n%1000), "text/plain", strings.NewReader(value))
				must(b, err)
			}
		})
	}
}

// A long queue is no slower than a short one.
func BenchmarkQueue(b *testing.B) {
	for _, length := range []int{1000, 200_000} {
		b.Run(fmt.Sprint(length, " requests"), func(b *testing.B) {
			q, _, err := open(b, b.TempDir(), Options{Durability: Relaxed}).RequestQueues().Create(b.Context(), store.CreateOptions{})
			must(b, err)
			request := func(n int) store.Request {
				u := fmt.Sprintf("https://example.com/%d", n)
				return store.Request{UniqueKey: u, URL: u, JSON: fmt.Appendf(nil, `{"url":%q}`, u)}
			}
			n := 0
			for n < length {
				reqs := make([]store.Request, 1000)
				for i := range reqs {
					reqs[i] = request(n)
					n++
				}
				_, err := q.Add(b.Context(), reqs, false, store.Client{})
				must(b, err)
			}
			me := store.Client{Key: "me"}
			for b.Loop() { // one comes, one is taken, locked again and handled
				_, err := q.Add(b.Context(), []store.Request{request(n)}, false, me)
				must(b, err)
				n++
				head, err := q.Lock(b.Context(), 1, time.Minute, me)
				must(b, err)
				_, err = q.Prolong(b.Context(), head.Items[0].ID, time.Minute, false, me)
				must(b, err)
				now := time.Now()
				done := store.Request{ID: head.Items[0].ID, UniqueKey: head.Items[0].UniqueKey, URL: head.Items[0].URL, HandledAt: &now}
				_, err = q.Update(b.Context(), done, false, me)
				must(b, err)
			}
		})
	}
}
