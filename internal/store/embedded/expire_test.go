package embedded

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// older makes all storages look as if nobody had used them for a time.
func older(t *testing.T, r *Root, by time.Duration) {
	t.Helper()
	must(t, r.db.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec("UPDATE storage SET created_at = created_at - ?1, modified_at = modified_at - ?1, accessed_at = accessed_at - ?1", int64(by))
		return err
	}))
}

// reopened closes a directory and opens it again, so that memory knows nothing.
func reopened(t *testing.T, r *Root) *Root {
	t.Helper()
	must(t, r.Close())
	return open(t, r.dir, Options{})
}

func TestExpire(t *testing.T) {
	r := open(t, t.TempDir(), Options{})
	create := func(name string) (ids []string) {
		d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: name})
		must(t, err)
		k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{Name: name})
		must(t, err)
		q, _, err := r.RequestQueues().Create(t.Context(), store.CreateOptions{Name: name})
		must(t, err)
		return []string{d.ID(), k.ID(), q.ID()}
	}
	named, old, kept, used := create("named"), create(""), create(""), create("")
	older(t, r, 10*24*time.Hour)
	r = reopened(t, r)
	fresh := create("")
	d, err := r.Datasets().Open(t.Context(), used[0])
	must(t, err)
	must(t, d.Append(t.Context(), []json.RawMessage{[]byte(`{}`)}))
	k, err := r.KeyValueStores().Open(t.Context(), used[1])
	must(t, err)
	_, err = k.Get(t.Context(), "K")
	if !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	q, err := r.RequestQueues().Open(t.Context(), used[2])
	must(t, err)
	_, err = q.Add(t.Context(), []store.Request{{UniqueKey: "a"}}, false, store.Client{})
	must(t, err)

	keep := func(id string) bool { return slices.Contains(kept, id) }
	if n, err := r.Expire(t.Context(), time.Now().Add(-11*24*time.Hour), keep); n != 0 || err != nil {
		t.Fatalf("too early: %d, %v", n, err)
	}
	if n, err := r.Expire(t.Context(), time.Now().Add(-9*24*time.Hour), keep); n != len(old) || err != nil {
		t.Errorf("%d expired, %v", n, err)
	}
	there := func(ids []string, want bool) {
		t.Helper()
		_, err1 := r.Datasets().Open(t.Context(), ids[0])
		_, err2 := r.KeyValueStores().Open(t.Context(), ids[1])
		_, err3 := r.RequestQueues().Open(t.Context(), ids[2])
		for _, err := range []error{err1, err2, err3} {
			if want && err != nil || !want && !fault.Is(err, fault.NotFound) {
				t.Errorf("there: %v, %v", want, err)
			}
		}
	}
	for range 2 {
		for _, ids := range [][]string{named, kept, used, fresh} {
			there(ids, true)
		}
		there(old, false)
		r = reopened(t, r)
	}
}

// A storage that is named or written to while storages expire is never lost to
// whoever was told that it was.
func TestExpireWhileUsed(t *testing.T) {
	r := open(t, t.TempDir(), Options{Durability: Relaxed})
	const many = 60
	var ids []string
	for range many {
		d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{})
		must(t, err)
		ids = append(ids, d.ID())
	}
	older(t, r, 48*time.Hour)
	r = reopened(t, r)
	var mu sync.Mutex
	promised := map[string]bool{}
	var users sync.WaitGroup
	for i, id := range ids {
		users.Go(func() {
			time.Sleep(time.Duration(i) * 5 * time.Millisecond) // some are faster than the sweep
			d, err := r.Datasets().Open(t.Context(), id)
			if err == nil && i%2 == 0 {
				err = d.Rename(t.Context(), fmt.Sprint("name", i))
			} else if err == nil {
				err = d.Append(t.Context(), []json.RawMessage{[]byte(`{}`)})
			}
			if err == nil {
				mu.Lock()
				promised[id] = true
				mu.Unlock()
			} else if !fault.Is(err, fault.NotFound) {
				t.Error(err)
			}
		})
	}
	n, err := r.Expire(t.Context(), time.Now().Add(-24*time.Hour), func(string) bool { return false })
	must(t, err)
	users.Wait()
	for _, id := range ids {
		_, err := r.Datasets().Open(t.Context(), id)
		if promised[id] && err != nil || !promised[id] && err == nil {
			t.Errorf("promised: %v, %v", promised[id], err)
		}
	}
	if len(promised)+n != many {
		t.Errorf("%d promised and %d expired of %d", len(promised), n, many)
	}
	t.Logf("%d of %d expired", n, many)
	if left, err := r.Datasets().List(t.Context(), store.ListOptions{Unnamed: true}); err != nil || left.Total != len(promised) {
		t.Errorf("%d are left, %v", left.Total, err)
	}
}
