package embedded

import (
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// FuzzKeys stores records under keys that may be anything, and looks for them by
// key, prefix and start.
func FuzzKeys(f *testing.F) {
	r := open(f, f.TempDir(), Options{Durability: Relaxed})
	for _, seed := range [][3]string{
		{"INPUT", "INP", "A"}, {"a", "a", "a"}, {"a%_b", "a%", ""}, {"..", ".", ""}, {"é", "", "é"}, {"a/b", "a/", ""},
		{"\x00", "", ""}, {"k\xff", "k\xff", ""}, {strings.Repeat("k", 257), "", ""}, {"a'b(c)!-_.", "a'", "a&"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, key, prefix, start string) {
		k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{})
		must(t, err)
		defer k.Delete(t.Context())
		all := []string{"INPUT", "a'b", "middle", "z.9"}
		for _, other := range all {
			_, err := k.Put(t.Context(), other, "text/plain", strings.NewReader(other))
			must(t, err)
		}
		switch _, err = k.Put(t.Context(), key, "text/plain", strings.NewReader(key)); {
		case err == nil:
			record, err := k.Get(t.Context(), key)
			must(t, err)
			value, err := io.ReadAll(record.Body)
			record.Body.Close()
			must(t, err)
			if string(value) != key || record.Key != key || !utf8.ValidString(key) {
				t.Fatalf("%q holds %q", key, value)
			}
			all = append(all, key)
		case !fault.Is(err, fault.InvalidRequest):
			t.Fatalf("put %q: %v", key, err)
		default:
			if _, err := k.Get(t.Context(), key); err == nil {
				t.Fatalf("%q was refused and is there", key)
			}
		}
		slices.Sort(all)
		want := slices.DeleteFunc(slices.Compact(all), func(key string) bool { return key <= start || !strings.HasPrefix(key, prefix) })
		var got []string
		for more := true; more; {
			page, err := k.Keys(t.Context(), store.KeysOptions{ExclusiveStartKey: start, Prefix: prefix, Limit: 2})
			must(t, err)
			for _, i := range page.Items {
				got = append(got, i.Key)
				start = i.Key
			}
			more = page.More
		}
		if !slices.Equal(got, want) {
			t.Fatalf("listed with prefix %q: %q, want %q", prefix, got, want)
		}
	})
}
