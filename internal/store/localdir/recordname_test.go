package localdir

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/filetype"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
)

func FuzzRecordFileName(f *testing.F) {
	keys := []string{
		"INPUT", "a", "a.json", "A", ".", "..", ".json", "con", "nul.txt", "__metadata__", "__metadata__.json", "x.__metadata__",
		"x.__METADATA__.json", "key-a~", "'()!", strings.Repeat("a", 256), strings.Repeat("a", 238), strings.Repeat("a", 230) + ".png",
	}
	types := []string{"application/json; charset=utf-8", "application/json", "text/plain", "", "x/y", "image/png", "\x00/../.."}
	for i, key := range keys {
		f.Add(key, keys[(i+1)%len(keys)], types[i%len(types)], types[(i/2)%len(types)])
	}
	f.Fuzz(func(t *testing.T, key, other, contentType, otherType string) {
		if !store.ValidKey(key) || !store.ValidKey(other) {
			t.Skip()
		}
		for _, escaped := range []bool{false, true} {
			n := nameRecord(key, contentType, escaped)
			for _, name := range []string{n.file, n.sidecar} {
				if len(name) > 255 || filepath.Base(name) != name || !filepath.IsLocal(name) || name == "." || strings.ContainsAny(name, `/\:`+"\x00") {
					t.Errorf("%q leaves the folder or is too long", name)
				}
				if reservedOnWindows(name) || strings.HasSuffix(name, ".") || strings.EqualFold(name, metafile.Name) {
					t.Errorf("%q is reserved", name)
				}
			}
			if !isContent(n.file) || isContent(n.sidecar) {
				t.Errorf("%+v: content and sidecar cannot be told apart", n)
			}
			if readKey, readType := readName(n.file); !n.needed && (readKey != key || readType != contentType) {
				t.Errorf("%+v reads as %q, %q", n, readKey, readType)
			}
		}
		if key != other && escapedBase(key) == escapedBase(other) {
			t.Errorf("%q and %q are escaped alike", key, other)
		}
		if len(contentType) > 1000 || len(otherType) > 1000 {
			return
		}
		// Together in one folder, on a file system that tells case apart and on
		// one that does not.
		for _, folds := range []bool{false, true} {
			r := Open(t.TempDir())
			k := defaultStore(t, r).(*keyValueStore)
			k.foldsCase, k.caseKnown = folds, true
			put := func(key, contentType string) {
				_, err := k.Put(t.Context(), key, contentType, strings.NewReader("content of "+key))
				check(t, err)
			}
			put(key, contentType)
			put(other, otherType)
			check(t, r.Close())
			again := defaultStore(t, Open(r.dir))
			want := map[string]string{key: contentType, other: otherType}
			for key, contentType := range want {
				content, gotType := value(t, again, key)
				if contentType == "" {
					contentType = filetype.OctetStream
				}
				if content != "content of "+key || gotType != strings.ToValidUTF8(contentType, "\ufffd") {
					t.Errorf("%q: %q as %q, want type %q", key, content, gotType, contentType)
				}
			}
			page, err := again.Keys(t.Context(), store.KeysOptions{})
			check(t, err)
			if len(page.Items) != len(want) {
				t.Errorf("keys %+v", page.Items)
			}
			if folds {
				lower := map[string]string{}
				for name := range tree(t, r.dir) {
					if before, ok := lower[strings.ToLower(name)]; ok {
						t.Errorf("%s and %s are one file where case does not count", before, name)
					}
					lower[strings.ToLower(name)] = name
				}
			}
		}
	})
}

// TestReplacedHalfway puts a store in each state that a process can leave it in
// when it is killed while it replaces a record.
func TestReplacedHalfway(t *testing.T) {
	const folder = "key_value_stores/default/"
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	next := func(file, contentType, content string) *nextRecord {
		return &nextRecord{file, contentType, int64(len(content)), at.UnixNano()}
	}
	for name, c := range map[string]struct {
		files                map[string]string
		sidecar              sidecar
		content, contentType string
	}{
		"announced": {
			map[string]string{"K.txt": "old"},
			sidecar{Key: "K", ContentType: "text/plain", Extension: "bin", Next: next("K.bin", "a/b", "newer")}, "old", "text/plain",
		},
		"announced in the same file": {
			map[string]string{"K.bin": "old"},
			sidecar{Key: "K", ContentType: "c/d", Extension: "bin", Next: next("K.bin", "a/b", "newer")}, "old", "c/d",
		},
		"replaced in the same file": {
			map[string]string{"K.bin": "newer"},
			sidecar{Key: "K", ContentType: "c/d", Extension: "bin", Next: next("K.bin", "a/b", "newer")}, "newer", "a/b",
		},
		"replaced, the old one still there": {
			map[string]string{"K.txt": "old", "K.bin": "newer"},
			sidecar{Key: "K", ContentType: "text/plain", Extension: "bin", Next: next("K.bin", "a/b", "newer")}, "newer", "a/b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range c.files {
				plant(t, dir, map[string]string{folder + file: content})
				date := at
				if content == "old" {
					date = at.Add(-time.Hour)
				}
				check(t, os.Chtimes(filepath.Join(dir, folder, file), date, date))
			}
			text, err := json.Marshal(c.sidecar)
			check(t, err)
			plant(t, dir, map[string]string{folder + "K" + sidecarSuffix: string(text)})
			k := defaultStore(t, Open(dir))
			if content, contentType := value(t, k, "K"); content != c.content || contentType != c.contentType {
				t.Errorf("%q as %s, want %q as %s", content, contentType, c.content, c.contentType)
			}
			page, err := k.Keys(t.Context(), store.KeysOptions{})
			check(t, err)
			if len(page.Items) != 1 || page.Items[0].ContentType != c.contentType {
				t.Errorf("listed as %+v", page.Items)
			}
			_, err = k.Put(t.Context(), "K", "application/json; charset=utf-8", strings.NewReader("1"))
			check(t, err)
			if content, contentType := value(t, k, "K"); content != "1" || contentType != "application/json; charset=utf-8" {
				t.Errorf("then %q as %s", content, contentType)
			}
			if files := tree(t, dir+"/"+folder); len(files) != 2 {
				t.Errorf("left %v", files)
			}
		})
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		// Root may write anywhere; a file in the way stops it too.
		dir := t.TempDir()
		plant(t, dir, map[string]string{"datasets": "a file"})
		err := defaultDataset(t, Open(dir)).Append(t.Context(), []json.RawMessage{[]byte(`{}`)})
		if err == nil || errors.Is(err, os.ErrNotExist) {
			t.Errorf("append into a file: %v", err)
		}
		return
	}
	dir := t.TempDir()
	plant(t, dir, map[string]string{"datasets/x/000000001.json": `{"a":1}`})
	for _, name := range []string{"datasets/x", "datasets", "."} {
		check(t, os.Chmod(filepath.Join(dir, name), 0o555))
	}
	t.Cleanup(func() { os.Chmod(dir, 0o777); os.Chmod(dir+"/datasets", 0o777); os.Chmod(dir+"/datasets/x", 0o777) })
	d, err := Open(dir).Datasets().Open(t.Context(), "x")
	check(t, err)
	if got := allItems(t, d); len(got) != 1 {
		t.Error(got)
	}
	if d.Append(t.Context(), []json.RawMessage{[]byte(`{}`)}) == nil {
		t.Error("wrote")
	}
}
