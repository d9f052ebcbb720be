package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// fields gives the statistics of a dataset in a line.
func fields(t *testing.T, d store.Dataset) string {
	t.Helper()
	s, err := d.Statistics(t.Context())
	must(t, "statistics", err)
	parts := []string{fmt.Sprint(s.Items)}
	for _, f := range s.Fields {
		part := fmt.Sprintf("%s null %d empty %d", f.Name, f.Nulls, f.Empty)
		if f.Min != nil {
			part += fmt.Sprintf(" from %v to %v", *f.Min, *f.Max)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func testStatistics(t *testing.T, open opener) {
	t.Run("Kept", func(t *testing.T) {
		p := newPlace(t, open)
		d := create(t, p.Datasets(), "d")
		wantEqual(t, "statistics of nothing", fields(t, d), "0")
		must(t, "append", d.Append(t.Context(), numbered(3, 5)))
		must(t, "append", d.Append(t.Context(), numbered(1, 2)))
		wantEqual(t, "statistics", fields(t, d), "3; n null 0 empty 0 from 1 to 4")
		must(t, "append", d.Append(t.Context(), []json.RawMessage{item(`{"#hidden":"abc","n":null}`), item(`{}`), item(`{"#hidden":[]}`), item(` { "text" : "é" } `)}))
		const want = "7; n null 1 empty 3 from 1 to 4; #hidden null 0 empty 5 from 0 to 3; text null 0 empty 6 from 1 to 1"
		for range 2 {
			wantEqual(t, "statistics", fields(t, d), want)
			wantEqual(t, "items", info(t, d).ItemCount, 7)
			wantEqual(t, "clean items", info(t, d).CleanItemCount, 5)
			p.reopen()
			wantEqual(t, "listed clean items", listed(t, p.Datasets()).CleanItemCount, 5)
			d = openStorage(t, p.Datasets(), "d")
		}
		must(t, "append after reopening", d.Append(t.Context(), []json.RawMessage{item(`{"n":-1}`), item(`{}`)}))
		wantEqual(t, "clean items", info(t, d).CleanItemCount, 6)
		wantEqual(t, "statistics", fields(t, d), strings.NewReplacer("7;", "9;", "empty 3 from 1", "empty 4 from -1", "empty 5", "empty 7", "empty 6", "empty 8").Replace(want))
		other := openStorage(t, p.another().Datasets(), "d")
		must(t, "append", other.Append(t.Context(), []json.RawMessage{item(`{"n":9}`)}))
		wantEqual(t, "clean items with another's", info(t, d).CleanItemCount, 7)
		if got := fields(t, d); !strings.HasPrefix(got, "10; n null 1 empty 4 from -1 to 9;") {
			t.Errorf("statistics with another's: %s", got)
		}
		if _, err := d.Statistics(cancelled(t)); err == nil {
			t.Error("statistics ignored their context")
		}
		must(t, "delete", d.Delete(t.Context()))
		_, err := d.Statistics(t.Context())
		wantCode(t, "statistics", err, fault.NotFound)
		wantEqual(t, "statistics of the next", fields(t, create(t, p.Datasets(), "d")), "0")
	})
	t.Run("Concurrent", func(t *testing.T) {
		p := newPlace(t, open)
		create(t, p.Datasets(), "d")
		roots := []store.Root{p, p.another()}
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				d, err := roots[w%2].Datasets().Open(t.Context(), "d")
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				for n := range 10 {
					if err := d.Append(t.Context(), []json.RawMessage{item(`{"n":%d}`, w*10+n), item(`{"w%d":1}`, w), item(`{}`)}); err != nil {
						t.Errorf("append: %v", err)
					}
					if _, err := d.Statistics(t.Context()); err != nil {
						t.Errorf("statistics: %v", err)
					}
				}
			})
		}
		wg.Wait()
		for range 2 {
			d := openStorage(t, p.Datasets(), "d")
			wantEqual(t, "clean items", info(t, d).CleanItemCount, 120)
			s, err := d.Statistics(t.Context())
			must(t, "statistics", err)
			wantEqual(t, "items", s.Items, 180)
			wantEqual(t, "fields", len(s.Fields), 7)
			for _, f := range s.Fields {
				if f.Name == "n" {
					wantEqual(t, "range of n", fmt.Sprint(*f.Min, *f.Max, f.Empty), "0 59 120")
				} else {
					wantEqual(t, "items without "+f.Name, f.Empty, 170)
				}
			}
			p.reopen()
		}
	})
}
