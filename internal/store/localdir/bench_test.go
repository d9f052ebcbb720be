package localdir

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
)

func benchmarkItems(n int) []json.RawMessage {
	items := make([]json.RawMessage, n)
	for i := range items {
		items[i] = fmt.Appendf(nil, `{"number":%d,"url":"https://example.com/%d","title":"An item of a usual size","price":12.5}`, i, i)
	}
	return items
}

func openDefaultDataset(b *testing.B, dir string) (*Root, store.Dataset) {
	b.Helper()
	r := Open(dir)
	d, err := r.Datasets().Open(b.Context(), DefaultFolder)
	if err != nil {
		b.Fatal(err)
	}
	return r, d
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 25, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r, d := openDefaultDataset(b, b.TempDir())
			items := benchmarkItems(n)
			for b.Loop() {
				if err := d.Append(b.Context(), items); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/item")
			r.Close()
		})
	}
}

// BenchmarkAppendByNewProcess is the share of the store in a process that adds
// one item to a large dataset and ends.
func BenchmarkAppendByNewProcess(b *testing.B) {
	dir := b.TempDir()
	r, d := openDefaultDataset(b, dir)
	for range 100 {
		if err := d.Append(b.Context(), benchmarkItems(1000)); err != nil {
			b.Fatal(err)
		}
	}
	r.Close()
	items := benchmarkItems(1)
	for b.Loop() {
		r, d := openDefaultDataset(b, dir)
		if err := d.Append(b.Context(), items); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

// BenchmarkCreateFile is what everything else is measured against.
func BenchmarkCreateFile(b *testing.B) {
	dir := b.TempDir()
	data := benchmarkItems(1)[0]
	n := 0
	for b.Loop() {
		n++
		if err := os.WriteFile(filepath.Join(dir, itemName(n)), data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadItems(b *testing.B) {
	r, d := openDefaultDataset(b, b.TempDir())
	defer r.Close()
	if err := d.Append(b.Context(), benchmarkItems(1000)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, err := range d.Items(b.Context(), 0, -1, false) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*1000), "µs/item")
}

func BenchmarkKeyValue(b *testing.B) {
	value := strings.Repeat("0123456789abcdef", 64)
	open := func(b *testing.B) store.KeyValueStore {
		r := Open(b.TempDir())
		b.Cleanup(func() { r.Close() })
		k, err := r.KeyValueStores().Open(b.Context(), DefaultFolder)
		if err != nil {
			b.Fatal(err)
		}
		return k
	}
	put := func(b *testing.B, k store.KeyValueStore, key, contentType string) {
		if _, err := k.Put(b.Context(), key, contentType, strings.NewReader(value)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("PutSameKey", func(b *testing.B) {
		k := open(b)
		for b.Loop() {
			put(b, k, "OUTPUT", "application/json; charset=utf-8")
		}
	})
	b.Run("PutNewKey", func(b *testing.B) {
		k, n := open(b), 0
		for b.Loop() {
			n++
			put(b, k, fmt.Sprint("key-", n), "application/json; charset=utf-8")
		}
	})
	b.Run("PutWithSidecar", func(b *testing.B) {
		k := open(b)
		for b.Loop() {
			put(b, k, "OUTPUT", "application/json")
		}
	})
	b.Run("Get", func(b *testing.B) {
		k := open(b)
		put(b, k, "OUTPUT", "application/json; charset=utf-8")
		for b.Loop() {
			r, err := k.Get(b.Context(), "OUTPUT")
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	})
	b.Run("GetMissing", func(b *testing.B) {
		k := open(b)
		for n := range 100 {
			put(b, k, fmt.Sprint("key-", n), "application/json; charset=utf-8")
		}
		for b.Loop() {
			k.Get(b.Context(), "nothing")
		}
	})
}

// BenchmarkQueue measures the calls of a request's life in a queue of 10,000.
func BenchmarkQueue(b *testing.B) {
	me := store.Client{Key: "client", RunID: "run"}
	request := func(n int) store.Request {
		u := fmt.Sprintf("https://example.com/some/page?number=%d", n)
		return store.Request{UniqueKey: u, URL: u, Method: "GET",
			JSON: fmt.Appendf(nil, `{"url":%q,"uniqueKey":%q,"method":"GET","retryCount":0,"userData":{"label":"DETAIL","depth":3},"headers":{}}`, u, u)}
	}
	open := func(b *testing.B) store.RequestQueue {
		r := Open(b.TempDir())
		b.Cleanup(func() { r.Close() })
		q, err := r.RequestQueues().Open(b.Context(), DefaultFolder)
		if err != nil {
			b.Fatal(err)
		}
		return q
	}
	fill := func(b *testing.B, q store.RequestQueue, n int) {
		for from := 0; from < n; from += 25 {
			var batch []store.Request
			for i := range 25 {
				batch = append(batch, request(-1-from-i))
			}
			if _, err := q.Add(b.Context(), batch, false, me); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("Add", func(b *testing.B) {
		q, n := open(b), 0
		for b.Loop() {
			n++
			if _, err := q.Add(b.Context(), []store.Request{request(n)}, false, me); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("AddBatchOf25", func(b *testing.B) {
		q, n := open(b), 0
		for b.Loop() {
			var batch []store.Request
			for range 25 {
				n++
				batch = append(batch, request(n))
			}
			if _, err := q.Add(b.Context(), batch, false, me); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*25), "µs/request")
	})
	b.Run("Head200", func(b *testing.B) {
		q := open(b)
		fill(b, q, 10000)
		for b.Loop() {
			if _, err := q.Head(b.Context(), 200, me); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Get", func(b *testing.B) {
		q := open(b)
		fill(b, q, 100)
		id := store.RequestID(request(-1).UniqueKey)
		for b.Loop() {
			if _, err := q.Request(b.Context(), id); err != nil {
				b.Fatal(err)
			}
		}
	})
	// Add, lock, prolong, get and handle: five calls.
	b.Run("Cycle", func(b *testing.B) {
		q, n := open(b), 0
		fill(b, q, 10000)
		for b.Loop() {
			n++
			if _, err := q.Add(b.Context(), []store.Request{request(n)}, true, me); err != nil {
				b.Fatal(err)
			}
			h, err := q.Lock(b.Context(), 1, time.Minute, me)
			if err != nil || len(h.Items) != 1 {
				b.Fatal(h, err)
			}
			id := h.Items[0].ID
			if _, err := q.Prolong(b.Context(), id, time.Minute, false, me); err != nil {
				b.Fatal(err)
			}
			r, err := q.Request(b.Context(), id)
			if err != nil {
				b.Fatal(err)
			}
			now := time.Now()
			r.HandledAt = &now
			if _, err := q.Update(b.Context(), r, false, me); err != nil {
				b.Fatal(err)
			}
		}
	})
}
