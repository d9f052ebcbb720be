package localdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// listing tells which files of a folder are records of which keys.
type listing struct {
	store *keyValueStore
	dir   folder
	// has are the names in the folder.
	has map[string]bool
	// files are those of each key, mostly one.
	files map[string][]string
}

// list reads the names in the folder, and the few sidecars without which a key
// cannot be told. Wanted narrows it to what may be of one key; "" means all.
func (k *keyValueStore) list(dir folder, wanted string) (*listing, error) {
	f, err := os.Open(k.path())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	l := &listing{store: k, dir: dir, has: make(map[string]bool, len(entries)), files: map[string][]string{}}
	for _, e := range entries {
		if !e.IsDir() && (wanted == "" || strings.HasPrefix(e.Name(), wanted)) {
			l.has[e.Name()] = true
		}
	}
	for file := range l.has {
		if isContent(file) {
			if key := l.keyOf(file); validKey(key) && (wanted == "" || key == wanted) {
				l.files[key] = append(l.files[key], file)
			}
		}
	}
	return l, nil
}

// keyOf tells the key of a file.
func (l *listing) keyOf(file string) string {
	stem, own := readName(file)
	for _, base := range []string{file, stem} {
		if !l.has[base+sidecarSuffix] {
			continue
		}
		// Only escaped names, and those that the Python SDK gives to an input
		// that somebody else put there, are not the key themselves.
		python := base == file && base != stem && own != ""
		if !python && !strings.ContainsAny(base, escapeMark+"%") {
			return base
		}
		s, ok := l.store.sidecarOf(view{folder: l.dir}, base+sidecarSuffix)
		switch {
		case !ok:
			return base
		case python && s.python && s.Key == file:
			return stem
		}
		return s.Key
	}
	return stem
}

// found gives the record of a key, if it is one.
func (l *listing) found(key string) (found, bool) {
	var all []found
	for _, file := range l.files[key] {
		info, err := os.Stat(l.store.path(file))
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		stem, contentType := readName(file)
		f := found{file: file, contentType: contentType, size: info.Size(), modified: info.ModTime()}
		for _, base := range []string{file, stem} {
			if !l.has[base+sidecarSuffix] {
				continue
			}
			if s, ok := l.store.sidecarOf(view{folder: l.dir}, base+sidecarSuffix); ok {
				f.contentType, f.current = s.typeOf(f), s.Next != nil && s.Next.describes(f)
				break
			}
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		return found{}, false
	}
	return newest(all), true
}

// typeOf is the content type that the sidecar gives to a file.
func (s sidecar) typeOf(f found) string {
	if s.Next != nil && s.Next.describes(f) {
		return s.Next.ContentType
	}
	return s.ContentType
}

// describes reports whether a file is the one that was announced.
func (n *nextRecord) describes(f found) bool {
	return n.File == f.file && n.Size == f.size && n.Modified == f.modified.UnixNano()
}

// search looks for files of a key with names that only other programs give.
func (k *keyValueStore) search(dir folder, key string) []found {
	if l, err := k.list(dir, key); err == nil {
		if f, ok := l.found(key); ok {
			return []found{f}
		}
	}
	// Somebody who put a file there may ask for it by its whole name.
	if strings.ContainsRune(key, '.') && plainKey(key) {
		if info, err := os.Stat(k.path(key)); err == nil && info.Mode().IsRegular() {
			_, contentType := readName(key)
			return []found{{file: key, contentType: contentType, size: info.Size(), modified: info.ModTime()}}
		}
	}
	return nil
}

// Keys lists records in the byte order of their keys.
func (k *keyValueStore) Keys(ctx context.Context, opts store.KeysOptions) (store.KeysPage, error) {
	end, err := k.beginRead(ctx)
	if err != nil {
		return store.KeysPage{}, err
	}
	defer end()
	k.count(store.Stats{Lists: 1})
	dir, err := openFolder(k.path())
	if errors.Is(err, fs.ErrNotExist) {
		return store.KeysPage{}, nil
	}
	if err != nil {
		return store.KeysPage{}, internal(err, "list key-value store %q", k.folder)
	}
	defer dir.close()
	l, err := k.list(dir, "")
	if err != nil {
		return store.KeysPage{}, internal(err, "list key-value store %q", k.folder)
	}
	keys := make([]string, 0, len(l.files))
	for key := range l.files {
		if strings.HasPrefix(key, opts.Prefix) && (opts.ExclusiveStartKey == "" || key > opts.ExclusiveStartKey) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var page store.KeysPage
	for _, key := range keys {
		f, ok := l.found(key)
		if !ok {
			continue
		}
		if opts.Limit > 0 && len(page.Items) == opts.Limit {
			page.More = true
			break
		}
		if f.contentType == "" {
			f.contentType = k.sniff(f)
		}
		page.Items = append(page.Items, f.info(key))
	}
	return page, nil
}
