package localdir

import (
	"io/fs"
	"os"
	"time"
)

// view is a store's folder as one change sees it. With names it knows what is
// not there without asking: a new record has some fifty names under which an
// older one of its key could lie.
type view struct {
	folder
	names *names // nil: ask the file system
}

// names are the names in a folder, as they were when it was last changed.
type names struct {
	changed time.Time
	has     map[string]struct{}
}

// probesPerListing is how many names in a folder can be listed at the price of
// looking for one record's possible files.
const probesPerListing = 50

// view gives the folder with its names, if that pays: in a server, and not more
// often than every so many changes when other programs write there too. A
// program that changes the folder in the same tick of the file system's clock as
// we did, and writes the same key as we do next, can be missed; its file is then
// found the next time. The store is locked.
func (k *keyValueStore) view(dir folder) view {
	if k.root.spare.Load() == nil {
		return view{folder: dir}
	}
	info, err := os.Stat(k.path())
	if err != nil {
		return view{folder: dir}
	}
	if k.listed != nil && info.ModTime().Equal(k.listed.changed) {
		return view{dir, k.listed}
	}
	k.unlisted++
	if k.listed != nil && k.unlisted*probesPerListing < len(k.listed.has) {
		return view{folder: dir}
	}
	entries, err := os.ReadDir(k.path())
	if err != nil {
		return view{folder: dir}
	}
	n := &names{changed: info.ModTime(), has: make(map[string]struct{}, len(entries))}
	for _, e := range entries {
		n.has[e.Name()] = struct{}{}
	}
	k.listed, k.unlisted = n, 0
	return view{dir, n}
}

// settle notes that what changed in the folder since view was our own doing.
func (k *keyValueStore) settle(v view) {
	if v.names == nil {
		return
	}
	if info, err := os.Stat(k.path()); err == nil {
		v.names.changed = info.ModTime()
	}
}

func (v view) exists(name string) bool {
	if v.names != nil {
		if _, ok := v.names.has[name]; !ok {
			return false
		}
	}
	return v.folder.exists(name)
}

func (v view) read(name string, buf []byte) ([]byte, error) {
	if v.names != nil {
		if _, ok := v.names.has[name]; !ok {
			return nil, fs.ErrNotExist
		}
	}
	return v.folder.read(name, buf)
}

// remove removes a file that may be there.
func (v view) remove(name string) {
	if v.names != nil {
		if _, ok := v.names.has[name]; !ok {
			return
		}
		delete(v.names.has, name)
	}
	_ = v.folder.remove(name) // what stays is tidied up by the next change
}

// added notes a file that was put into the folder.
func (v view) added(name string) {
	if v.names != nil {
		v.names.has[name] = struct{}{}
	}
}
