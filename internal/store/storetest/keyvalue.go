package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func put(t *testing.T, k store.KeyValueStore, key, contentType, value string) {
	t.Helper()
	i, err := k.Put(t.Context(), key, contentType, strings.NewReader(value))
	must(t, "put "+key, err)
	wantEqual(t, "key", i.Key, key)
	wantEqual(t, "size", i.Size, int64(len(value)))
}

// wantRecord checks a record by Get, Stat and Keys.
func wantRecord(t *testing.T, k store.KeyValueStore, key, contentType, value string) {
	t.Helper()
	r, err := k.Get(t.Context(), key)
	if err != nil {
		t.Errorf("get %q: %v", key, err)
		return
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	must(t, "read "+key, err)
	wantEqual(t, "value of "+key, string(got), value)
	wantEqual(t, "type of "+key, r.ContentType, contentType)
	wantEqual(t, "size of "+key, r.Size, int64(len(value)))
	if _, err := r.Body.Seek(0, io.SeekStart); err != nil {
		t.Errorf("seek: %v", err)
	}
	i, err := k.Stat(t.Context(), key)
	must(t, "stat "+key, err)
	if !i.ModifiedAt.Equal(r.ModifiedAt) || i.Key != key || i.ContentType != r.ContentType || i.Size != r.Size {
		t.Errorf("stat %+v is not get %+v", i, r.RecordInfo)
	}
	page, err := k.Keys(t.Context(), store.KeysOptions{Prefix: key})
	must(t, "keys", err)
	if len(page.Items) == 0 || page.Items[0].Key != key || page.Items[0].ContentType != contentType || page.Items[0].Size != int64(len(value)) {
		t.Errorf("listing of %q: %+v", key, page.Items)
	}
}

func keysOf(t *testing.T, k store.KeyValueStore, o store.KeysOptions) (keys []string, more bool) {
	t.Helper()
	page, err := k.Keys(t.Context(), o)
	must(t, "keys", err)
	for _, i := range page.Items {
		keys = append(keys, i.Key)
	}
	return keys, page.More
}

func testKeyValueStores(t *testing.T, open opener) {
	t.Run("PutAndGet", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		_, err := k.Get(t.Context(), "nothing")
		wantCode(t, "get", err, fault.NotFound)
		_, err = k.Stat(t.Context(), "nothing")
		wantCode(t, "stat", err, fault.NotFound)
		must(t, "delete what is not there", k.DeleteRecord(t.Context(), "nothing"))
		records := map[string][2]string{
			"OUTPUT":  {"application/json; charset=utf-8", `{ "kept" :  "as it is" }` + "\n"},
			"plain":   {"application/json", `[]`},
			"broken":  {"application/json; charset=utf-8", `{"not`},
			"text":    {"text/plain; charset=utf-8", "é\x00\r\n"},
			"text2":   {"text/plain", ""},
			"page":    {"text/html", "<p>"},
			"odd":     {"Text/HTML ;Charset=\"UTF-8\"", "<p>"},
			"unknown": {"application/x-never-heard; a=b", "x"},
			"weird":   {"not a content type", "x"},
			"photo":   {"image/jpeg", "\xff\xd8\xff"},
			"jpg":     {"image/jpg", "\xff\xd8\xff"},
			"binary":  {"application/octet-stream", "\x00\x01"},
		}
		for key, r := range records {
			put(t, k, key, r[0], r[1])
		}
		put(t, k, "untyped", "", "x")
		for range 2 {
			for key, r := range records {
				wantRecord(t, k, key, r[0], r[1])
			}
			wantRecord(t, k, "untyped", "application/octet-stream", "x")
			p.reopen()
			k = openStorage(t, p.KeyValueStores(), "k")
		}
	})
	t.Run("BreaksOff", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		put(t, k, "K", "text/plain", "whole")
		for _, broken := range []error{io.ErrUnexpectedEOF, fmt.Errorf("cut: %w", io.ErrUnexpectedEOF), fmt.Errorf("ended: %w", io.EOF), errors.New("other")} {
			for _, size := range []int{0, 1, 100, 100_000} {
				r := io.MultiReader(strings.NewReader(strings.Repeat("x", size)), iotest.ErrReader(broken))
				if _, err := k.Put(t.Context(), "K", "text/plain", r); err == nil {
					t.Errorf("%d bytes that end with %v were stored", size, broken)
				}
				wantRecord(t, k, "K", "text/plain", "whole")
			}
		}
	})
	t.Run("Overwrite", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		types := []string{
			"text/plain; charset=utf-8", "text/plain", "application/json", "application/json; charset=utf-8",
			"image/png", "x/y", "x/z", "application/octet-stream", "text/plain; charset=utf-8",
		}
		for _, from := range types {
			for _, to := range types {
				put(t, k, "K", from, "from "+from)
				put(t, k, "K", to, "to "+to)
				wantRecord(t, k, "K", to, "to "+to)
				if keys, _ := keysOf(t, k, store.KeysOptions{}); len(keys) != 1 {
					t.Fatalf("from %s to %s: keys %v", from, to, keys)
				}
			}
		}
		must(t, "delete", k.DeleteRecord(t.Context(), "K"))
		_, err := k.Get(t.Context(), "K")
		wantCode(t, "get", err, fault.NotFound)
		p.reopen()
		_, err = openStorage(t, p.KeyValueStores(), "k").Get(t.Context(), "K")
		wantCode(t, "get after reopening", err, fault.NotFound)
	})
	t.Run("Keys", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		// Everything that a file system may stumble over, and what may be taken
		// for something else.
		keys := []string{
			".", "..", "...", ".json", ".hidden", "a.", "-", "_", "!", "'", "()", "'()'", "-rf", "CON", "con", "nul.txt", "AUX.json",
			"LPT1", "lpt9.x", "COM0", "__metadata__", "__metadata__.json", "x.__metadata__", "x.__metadata__.json", "x.__METADATA__.json",
			"img", "img.png", "IMG", "IMG.PNG", "data", "data.json", "data.json.json", "json", "png", "bin", "a.b.c", "a.b.bin",
			"key", "Key", "KEY", "tmp", ".tmp", ".greenroom", "a.lock", "index.html", "html",
			strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("b", 237), strings.Repeat("b", 238),
			strings.Repeat("b", 230) + ".json", strings.Repeat("é", 0) + "z",
		}
		for _, contentType := range []string{"application/json; charset=utf-8", "image/png", "text/odd"} {
			for _, key := range keys {
				put(t, k, key, contentType, key+contentType)
			}
			p.reopen()
			k = openStorage(t, p.KeyValueStores(), "k")
			for _, key := range keys {
				wantRecord(t, k, key, contentType, key+contentType)
			}
			sorted := slices.Clone(keys)
			slices.Sort(sorted)
			got, _ := keysOf(t, k, store.KeysOptions{})
			wantSlice(t, "keys", got, sorted)
		}
		for i, key := range keys {
			must(t, "delete", k.DeleteRecord(t.Context(), key))
			got, _ := keysOf(t, k, store.KeysOptions{})
			wantEqual(t, "keys left after deleting "+key, len(got), len(keys)-i-1)
		}
	})
	t.Run("BadKeys", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		for _, key := range []string{"", "a/b", "../x", `a\b`, "a b", "é", "a\x00", "a~b", "a%2Fb", "a:b", strings.Repeat("a", 257)} {
			_, err := k.Put(t.Context(), key, "text/plain", strings.NewReader("x"))
			wantCode(t, fmt.Sprintf("put %q", key), err, fault.InvalidRequest)
			var f *fault.Error
			if errors.As(err, &f) {
				wantEqual(t, "error type", f.WireType(), "invalid-record-key")
			}
		}
		keys, _ := keysOf(t, k, store.KeysOptions{})
		wantEqual(t, "keys", len(keys), 0)
	})
	t.Run("Pages", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		var all []string
		for n := range 7 {
			all = append(all, fmt.Sprintf("a-%d", n))
		}
		all = append(all, "b-0", "b-1")
		for _, key := range all {
			put(t, k, key, "text/plain; charset=utf-8", key)
		}
		var paged []string
		for start, more := "", true; more; {
			var keys []string
			keys, more = keysOf(t, k, store.KeysOptions{ExclusiveStartKey: start, Limit: 3})
			if len(keys) == 0 {
				t.Fatal("an empty page")
			}
			paged = append(paged, keys...)
			start = keys[len(keys)-1]
		}
		wantSlice(t, "all pages", paged, all)
		keys, more := keysOf(t, k, store.KeysOptions{Limit: len(all)})
		wantSlice(t, "one full page", keys, all)
		wantEqual(t, "more after a full page", more, false)
		keys, _ = keysOf(t, k, store.KeysOptions{Prefix: "b-"})
		wantSlice(t, "prefix", keys, []string{"b-0", "b-1"})
		keys, more = keysOf(t, k, store.KeysOptions{Prefix: "a-", ExclusiveStartKey: "a-3x", Limit: 2})
		wantSlice(t, "prefix and a start that is no key", keys, []string{"a-4", "a-5"})
		wantEqual(t, "more", more, true)
		keys, more = keysOf(t, k, store.KeysOptions{Prefix: "c"})
		wantEqual(t, "no match", len(keys), 0)
		wantEqual(t, "more", more, false)
	})
	t.Run("FailingReader", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		broken := func() io.Reader {
			return io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("broken pipe")))
		}
		if _, err := k.Put(t.Context(), "K", "text/plain", broken()); err == nil {
			t.Error("put ignored its reader's error")
		}
		_, err := k.Get(t.Context(), "K")
		wantCode(t, "get", err, fault.NotFound)
		put(t, k, "K", "text/plain", "whole")
		if _, err := k.Put(t.Context(), "K", "application/json", broken()); err == nil {
			t.Error("put ignored its reader's error")
		}
		if _, err := k.Put(cancelled(t), "K", "application/json", strings.NewReader("{}")); err == nil {
			t.Error("put ignored its context")
		}
		wantRecord(t, k, "K", "text/plain", "whole")
	})
	t.Run("Large", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		value := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
		_, err := k.Put(t.Context(), "large", "application/zip", iotest.HalfReader(bytes.NewReader(value)))
		must(t, "put", err)
		r, err := k.Get(t.Context(), "large")
		must(t, "get", err)
		defer r.Body.Close()
		if _, err := r.Body.Seek(-16, io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		tail, err := io.ReadAll(r.Body)
		must(t, "read", err)
		wantEqual(t, "tail", string(tail), "0123456789abcdef")
		wantEqual(t, "size", r.Size, int64(len(value)))
	})
	t.Run("ReadWhileReplaced", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		put(t, k, "K", "text/plain; charset=utf-8", "old")
		r, err := k.Get(t.Context(), "K")
		must(t, "get", err)
		put(t, k, "K", "text/plain; charset=utf-8", "newer")
		old, err := io.ReadAll(r.Body)
		must(t, "read", err)
		wantEqual(t, "value", string(old), "old")
		must(t, "close", r.Body.Close())
		r, err = k.Get(t.Context(), "K")
		must(t, "get", err)
		must(t, "delete", k.DeleteRecord(t.Context(), "K"))
		newer, err := io.ReadAll(r.Body)
		must(t, "read", err)
		wantEqual(t, "value", string(newer), "newer")
		must(t, "close", r.Body.Close())
	})
	t.Run("Deleted", func(t *testing.T) {
		p := newPlace(t, open)
		k := create(t, p.KeyValueStores(), "k")
		put(t, k, "K", "text/plain", "x")
		must(t, "delete", k.Delete(t.Context()))
		_, err := k.Get(t.Context(), "K")
		wantCode(t, "get", err, fault.NotFound)
		_, err = k.Put(t.Context(), "K", "text/plain", strings.NewReader("x"))
		wantCode(t, "put", err, fault.NotFound)
		_, err = k.Keys(t.Context(), store.KeysOptions{})
		wantCode(t, "keys", err, fault.NotFound)
		wantCode(t, "delete a record", k.DeleteRecord(t.Context(), "K"), fault.NotFound)
	})
	t.Run("Concurrent", func(t *testing.T) {
		p := newPlace(t, open)
		create(t, p.KeyValueStores(), "k")
		roots := []store.Root{p, p.another()}
		types := []string{"text/plain; charset=utf-8", "application/json; charset=utf-8", "a/b", "c/d"}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				k, err := roots[w%2].KeyValueStores().Open(t.Context(), "k")
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				for n := range 25 {
					contentType := types[(w+n)%len(types)]
					if _, err := k.Put(t.Context(), "K", contentType, strings.NewReader(contentType)); err != nil {
						t.Errorf("put: %v", err)
					}
					if _, err := k.Put(t.Context(), fmt.Sprintf("own-%d-%d", w, n), contentType, strings.NewReader("x")); err != nil {
						t.Errorf("put: %v", err)
					}
					r, err := k.Get(t.Context(), "K")
					if err != nil {
						t.Errorf("get: %v", err)
						continue
					}
					value, _ := io.ReadAll(r.Body)
					r.Body.Close()
					// Each value is its own content type: a mixture would show.
					wantEqual(t, "value and type", string(value), r.ContentType)
				}
			})
		}
		wg.Wait()
		keys, _ := keysOf(t, openStorage(t, p.KeyValueStores(), "k"), store.KeysOptions{})
		wantEqual(t, "keys", len(keys), 1+4*25)
	})
}
