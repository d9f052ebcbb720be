package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func item(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(format, args...))
}

// numbered makes items {"n": from} to {"n": to-1}.
func numbered(from, to int) (items []json.RawMessage) {
	for n := from; n < to; n++ {
		items = append(items, item(`{"n":%d}`, n))
	}
	return items
}

// contents reads items, made compact.
func contents(t *testing.T, d store.Dataset, offset, limit int, desc bool) (items []string) {
	t.Helper()
	for raw, err := range d.Items(t.Context(), offset, limit, desc) {
		must(t, "read an item", err)
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			t.Fatalf("item %q: %v", raw, err)
		}
		items = append(items, b.String())
	}
	return items
}

func numbers(numbers ...int) (items []string) {
	for _, n := range numbers {
		items = append(items, fmt.Sprintf(`{"n":%d}`, n))
	}
	return items
}

func testDatasets(t *testing.T, open opener) {
	t.Run("AppendAndRead", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		wantEqual(t, "items of an empty dataset", len(contents(t, d, 0, -1, false)), 0)
		must(t, "append", d.Append(t.Context(), numbered(0, 3)))
		must(t, "append nothing", d.Append(t.Context(), nil))
		must(t, "append", d.Append(t.Context(), numbered(3, 5)))
		for range 2 {
			i := info(t, d)
			wantEqual(t, "count", i.ItemCount, 5)
			wantEqual(t, "clean count", i.CleanItemCount, 5)
			for _, c := range []struct {
				offset, limit int
				desc          bool
				want          []int
			}{
				{0, -1, false, []int{0, 1, 2, 3, 4}},
				{0, -1, true, []int{4, 3, 2, 1, 0}},
				{1, 2, false, []int{1, 2}},
				{1, 2, true, []int{3, 2}},
				{3, 99, false, []int{3, 4}},
				{3, 99, true, []int{1, 0}},
				{5, -1, false, nil},
				{99, 5, true, nil},
				{0, 0, false, nil},
				{-3, 1, false, []int{0}},
			} {
				wantSlice(t, fmt.Sprintf("offset %d limit %d desc %v", c.offset, c.limit, c.desc),
					contents(t, d, c.offset, c.limit, c.desc), numbers(c.want...))
			}
			p.reopen()
			d = openStorage(t, p.Datasets(), "d")
		}
		must(t, "append after reopening", d.Append(t.Context(), numbered(5, 6)))
		wantSlice(t, "items", contents(t, d, 0, -1, false), numbers(0, 1, 2, 3, 4, 5))
	})
	t.Run("ValuesAreKept", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		values := []json.RawMessage{
			item(`{}`), item(`{"z":1,"a":{"b":[{},[],null,true]}}`), item(`{"text":"<é\u2028\n😀&>"}`),
			item(`{"big":123456789012345678901234567890.5e-3,"zero":1.0}`), item(" \n{\"spaced\" : 1}\t"),
		}
		must(t, "append", d.Append(t.Context(), values))
		p.reopen()
		got := contents(t, openStorage(t, p.Datasets(), "d"), 0, -1, false)
		for i, v := range values {
			var want bytes.Buffer
			json.Compact(&want, v)
			wantEqual(t, "value", got[i], want.String())
		}
	})
	t.Run("AllOrNothing", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		for _, bad := range []string{``, `[]`, `1`, `"x"`, `null`, `{`, `{"a":1}{}`, `{"a":1},`, `nonsense`} {
			err := d.Append(t.Context(), []json.RawMessage{item(`{"a":1}`), item("%s", bad), item(`{"b":1}`)})
			wantCode(t, fmt.Sprintf("append %q", bad), err, fault.InvalidRequest)
		}
		if err := d.Append(cancelled(t), numbered(0, 2)); err == nil {
			t.Error("append ignored its context")
		}
		wantEqual(t, "count", info(t, d).ItemCount, 0)
		must(t, "append", d.Append(t.Context(), numbered(0, 1)))
		wantSlice(t, "items", contents(t, d, 0, -1, false), numbers(0))
	})
	t.Run("ReadingStops", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		must(t, "append", d.Append(t.Context(), numbered(0, 10)))
		for range d.Items(t.Context(), 0, -1, false) {
			break
		}
		var failed error
		for _, err := range d.Items(cancelled(t), 0, -1, false) {
			failed = errors.Join(failed, err)
		}
		if failed == nil {
			t.Error("reading ignored its context")
		}
	})
	t.Run("WriteWhileReading", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		must(t, "append", d.Append(t.Context(), numbered(0, 3)))
		seen := 0
		for _, err := range d.Items(t.Context(), 0, -1, false) {
			must(t, "read", err)
			must(t, "append while reading", d.Append(t.Context(), numbered(9, 10)))
			seen++
		}
		if seen < 3 || seen > 6 {
			t.Errorf("saw %d items", seen)
		}
	})
	t.Run("Deleted", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		must(t, "append", d.Append(t.Context(), numbered(0, 3)))
		must(t, "delete", d.Delete(t.Context()))
		wantCode(t, "append", d.Append(t.Context(), numbered(0, 1)), fault.NotFound)
		for _, err := range d.Items(t.Context(), 0, -1, false) {
			wantCode(t, "items", err, fault.NotFound)
		}
		again := create(t, p.Datasets(), "d")
		wantEqual(t, "count of the new one", info(t, again).ItemCount, 0)
	})
	t.Run("Renamed", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		must(t, "append", d.Append(t.Context(), numbered(0, 2)))
		must(t, "rename", d.Rename(t.Context(), "e"))
		must(t, "append", d.Append(t.Context(), numbered(2, 3)))
		p.reopen()
		wantSlice(t, "items", contents(t, openStorage(t, p.Datasets(), "e"), 0, -1, false), numbers(0, 1, 2))
	})
	// Two roots stand for two processes, with several goroutines each.
	t.Run("Concurrent", func(t *testing.T) {
		p := newPlace(t, open)
		create(t, p.Datasets(), "d")
		const writers, appends, batch = 6, 12, 3
		roots := []store.Root{p, p.another()}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				d, err := roots[w%2].Datasets().Open(t.Context(), "d")
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				for n := range appends {
					var items []json.RawMessage
					for i := range batch {
						items = append(items, item(`{"w":%d,"n":%d}`, w, n*batch+i))
					}
					if err := d.Append(t.Context(), items); err != nil {
						t.Errorf("append: %v", err)
					}
				}
			})
		}
		wg.Wait()
		p.reopen()
		d := openStorage(t, p.Datasets(), "d")
		wantEqual(t, "count", info(t, d).ItemCount, writers*appends*batch)
		next := map[int]int{}
		inBatch, last := 0, -1
		for raw, err := range d.Items(t.Context(), 0, -1, false) {
			must(t, "read", err)
			var v struct{ W, N int }
			must(t, "parse", json.Unmarshal(raw, &v))
			wantEqual(t, fmt.Sprintf("next of writer %d", v.W), v.N, next[v.W])
			next[v.W]++
			if inBatch > 0 && v.W != last {
				t.Errorf("writer %d came into a batch of writer %d", v.W, last)
			}
			inBatch, last = (inBatch+1)%batch, v.W
		}
		for w := range writers {
			wantEqual(t, "items of a writer", next[w], appends*batch)
		}
	})
}
