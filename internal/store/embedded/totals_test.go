package embedded

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// The sums are those of a listing, whatever is open, closed, or left by a server
// that died.
func TestTotals(t *testing.T) {
	r := open(t, t.TempDir(), Options{})
	for n := range 5 {
		d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{})
		must(t, err)
		for range n {
			must(t, d.Append(t.Context(), []json.RawMessage{[]byte(`{"a":1}`), []byte(`{}`)}))
		}
		k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{})
		must(t, err)
		_, err = k.Put(t.Context(), "K", "text/plain", strings.NewReader(strings.Repeat("x", 10*n)))
		must(t, err)
		q, _, err := r.RequestQueues().Create(t.Context(), store.CreateOptions{Name: fmt.Sprint("q", n)})
		must(t, err)
		_, err = q.Add(t.Context(), []store.Request{{UniqueKey: "a", JSON: []byte(`{}`)}, {UniqueKey: "b", JSON: []byte(`{}`)}}, false, store.Client{})
		must(t, err)
		if n == 3 {
			must(t, d.Delete(t.Context()))
		}
	}
	check := func() {
		t.Helper()
		got, err := r.Totals(t.Context())
		must(t, err)
		want := map[string]store.Totals{}
		for path, list := range map[string]func() (store.ListPage, error){
			"datasets": func() (store.ListPage, error) {
				return r.Datasets().List(t.Context(), store.ListOptions{Unnamed: true})
			},
			"key-value-stores": func() (store.ListPage, error) {
				return r.KeyValueStores().List(t.Context(), store.ListOptions{Unnamed: true})
			},
			"request-queues": func() (store.ListPage, error) { return r.RequestQueues().List(t.Context(), store.ListOptions{}) },
		} {
			page, err := list()
			must(t, err)
			sum := store.Totals{Storages: page.Total}
			for _, i := range page.Items {
				sum.Items += i.ItemCount
				sum.Requests += i.TotalRequests
				sum.Handled += i.HandledRequests
				sum.Bytes += i.Stats.Bytes
			}
			want[path] = sum
		}
		for path, w := range want {
			if got[path] != w {
				t.Errorf("%s: %+v, want %+v", path, got[path], w)
			}
		}
		if d := got["datasets"]; d.Storages != 4 || d.Items != 14 || d.Bytes == 0 || got["request-queues"].Requests != 10 {
			t.Errorf("totals %+v", got)
		}
	}
	check()
	r = reopened(t, r)
	check()
	page, err := r.Datasets().List(t.Context(), store.ListOptions{Unnamed: true, Desc: true, Limit: 1})
	must(t, err)
	d, err := r.Datasets().Open(t.Context(), page.Items[0].ID)
	must(t, err)
	must(t, d.Append(t.Context(), []json.RawMessage{[]byte(`{"more":1}`)}))
	must(t, d.Delete(t.Context()))
	d, _, err = r.Datasets().Create(t.Context(), store.CreateOptions{})
	must(t, err)
	for range 4 {
		must(t, d.Append(t.Context(), []json.RawMessage{[]byte(`{}`), []byte(`{}`)}))
	}
	check()
	if size, err := r.DatabaseSize(); err != nil || size < 4096 {
		t.Errorf("the database has %d bytes, %v", size, err)
	}
}
