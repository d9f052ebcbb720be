package localdir

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/filetype"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// keyValueStore keeps one file per record, and a sidecar where the file's name
// does not tell the key and content type.
type keyValueStore struct {
	*storage
	// foldsCase says that the file system takes names that differ by case for
	// one; found out at the first write.
	foldsCase, caseKnown bool
	// known tells which file held a key when it was last looked for.
	known map[string]string
	// listed are the names in the folder, unlisted counts the changes since
	// they were last up to date: see view.
	listed   *names
	unlisted int
}

func newKeyValueStore(s *storage) store.KeyValueStore { return &keyValueStore{storage: s} }

// Info gives the store's metadata.
func (k *keyValueStore) Info(ctx context.Context) (store.Info, error) {
	end, err := k.beginRead(ctx)
	if err != nil {
		return store.Info{}, err
	}
	defer end()
	return k.info(), nil
}

func checkKey(key string) error {
	if validKey(key) {
		return nil
	}
	return fault.New(fault.InvalidRequest, "%q cannot be the key of a record", key).
		WithType("invalid-record-key").
		WithHint("use 1 to 256 of the characters a-zA-Z0-9!-_.'()")
}

func (k *keyValueStore) noRecord(key string) error {
	return fault.New(fault.NotFound, "record %q was not found in key-value store %q", key, k.id)
}

// found is a record as it lies in the folder.
type found struct {
	file        string
	contentType string // "" when only the content can tell
	size        int64
	modified    time.Time
	// current says that a sidecar names this very file as the record.
	current bool
}

func (f found) info(key string) store.RecordInfo {
	return store.RecordInfo{Key: key, ContentType: f.contentType, Size: f.size, ModifiedAt: f.modified}
}

// Put stores a record. The content goes to an unfinished file first, which
// then takes the record's place under the store's lock.
func (k *keyValueStore) Put(ctx context.Context, key, contentType string, r io.Reader) (store.RecordInfo, error) {
	if err := checkKey(key); err != nil {
		return store.RecordInfo{}, err
	}
	if err := live(ctx); err != nil {
		return store.RecordInfo{}, err
	}
	if contentType == "" {
		contentType = filetype.OctetStream
	}
	tmp, stat, err := k.spool(ctx, r)
	if err != nil {
		return store.RecordInfo{}, err
	}
	if err := k.begin(ctx); err != nil {
		os.Remove(tmp)
		return store.RecordInfo{}, err
	}
	err = k.replace(key, contentType, tmp, stat)
	if errors.Is(err, fs.ErrNotExist) {
		if err = k.materialise(); err == nil { // somebody removed the folder
			err = k.replace(key, contentType, tmp, stat)
		}
	}
	if err == nil {
		k.count(store.Stats{Writes: 1})
	}
	k.end(err == nil)
	if err != nil {
		os.Remove(tmp)
		return store.RecordInfo{}, internal(err, "store record %q", key)
	}
	return store.RecordInfo{Key: key, ContentType: contentType, Size: stat.Size(), ModifiedAt: stat.ModTime()}, nil
}

// spool writes all that r gives to an unfinished file.
func (k *keyValueStore) spool(ctx context.Context, r io.Reader) (path string, stat fs.FileInfo, err error) {
	path, err = k.root.unfinished()
	if err != nil {
		return "", nil, err
	}
	// The name is nobody else's; the file may have been made ahead.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return "", nil, internal(err, "create a file for the record")
	}
	buf := copyBuffers.Get().(*[]byte)
	_, err = io.CopyBuffer(onlyWriter{f}, readerUntil{ctx, r}, *buf)
	copyBuffers.Put(buf)
	if err == nil {
		stat, err = f.Stat()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		os.Remove(path)
		return "", nil, internal(err, "read the record's content")
	}
	return path, stat, nil
}

// copyBuffers spares a 32 KB allocation for each small record.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// onlyWriter hides os.File's ReadFrom, which would allocate a buffer of its own.
type onlyWriter struct{ io.Writer }

// readerUntil is a reader that fails once ctx is done.
type readerUntil struct {
	ctx context.Context
	r   io.Reader
}

func (r readerUntil) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// replace puts a finished file in the place of a key's record. At each moment
// the folder shows either the old record or the new one, type included.
func (k *keyValueStore) replace(key, contentType, tmp string, stat fs.FileInfo) error {
	opened, err := openFolder(k.path())
	if err != nil {
		return err
	}
	defer opened.close()
	dir := k.view(opened)
	defer func() { k.settle(dir) }()
	name := nameRecord(key, contentType, false)
	if k.taken(dir, key, name) {
		name = nameRecord(key, contentType, true)
	}
	old := k.candidates(dir, key)
	_, hadSidecar := k.sidecarOf(dir, name.sidecar)
	final := sidecar{Key: key, ContentType: contentType, Extension: filetype.ExtensionFor(contentType)}
	switch {
	case !hadSidecar && !name.needed:
	case len(old) == 0 && !name.needed:
	case len(old) == 0:
		err = k.writeSidecar(dir, name.sidecar, final)
	default:
		// Until the new file is there, the sidecar speaks for the old one.
		present := newest(old)
		if present.file == name.file && present.contentType == contentType && hadSidecar && name.needed {
			break
		}
		change := sidecar{Key: key, ContentType: present.contentType, Extension: final.Extension}
		if change.ContentType == "" {
			change.ContentType = k.sniff(present)
		}
		change.Next = &nextRecord{name.file, contentType, stat.Size(), stat.ModTime().UnixNano()}
		err = k.writeSidecar(dir, name.sidecar, change)
		hadSidecar = true
	}
	if err != nil {
		return err
	}
	if err := replaceFile(tmp, k.path(name.file)); err != nil {
		return err
	}
	dir.added(name.file)
	// The new record holds from here on; the rest is tidying up, which the next
	// change repeats if it fails.
	k.remember(key, name.file)
	for _, f := range old {
		if f.file != name.file {
			dir.remove(f.file)
		}
	}
	switch {
	case name.needed && len(old) > 0:
		k.writeSidecar(dir, name.sidecar, final)
	case hadSidecar && !name.needed:
		dir.remove(name.sidecar)
	}
	for _, other := range k.sidecarNames(key) {
		if other != name.sidecar {
			dir.remove(other)
		}
	}
	return nil
}

func (k *keyValueStore) writeSidecar(dir view, name string, s sidecar) error {
	data, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	if err := k.root.writeAtomically(k.path(name), data); err != nil {
		return err
	}
	dir.added(name)
	return nil
}

// sidecarNames are the sidecars that may speak for a key, the likeliest first.
func (k *keyValueStore) sidecarNames(key string) []string {
	if plainKey(key) {
		return []string{key + sidecarSuffix, escapedBase(key) + sidecarSuffix}
	}
	return []string{escapedBase(key) + sidecarSuffix}
}

// sidecarOf reads a sidecar.
func (k *keyValueStore) sidecarOf(dir view, name string) (sidecar, bool) {
	data, err := dir.read(name, nil)
	if err != nil {
		return sidecar{}, false
	}
	return readSidecar(data)
}

// taken reports whether a file name that a key would get belongs to another
// key: "a" as JSON and "a.json" would both be a.json.
func (k *keyValueStore) taken(dir view, key string, name recordName) bool {
	if k.folds(dir) && k.differsByCase(key, name) {
		return true
	}
	if !dir.exists(name.file) {
		return false
	}
	return !k.owns(dir, key, name.file)
}

// owns reports whether an existing file is a record of the key.
func (k *keyValueStore) owns(dir view, key, file string) bool {
	if s, ok := k.sidecarOf(dir, file+sidecarSuffix); ok {
		// The Python SDK calls INPUT.json a record of that name.
		return s.Key == key || s.python && key != file
	}
	stem, _ := readName(file)
	return stem == key || stem == escapedBase(key)
}

// folds reports whether the file system ignores case: it does if it finds the
// metadata file under a name in capitals.
func (k *keyValueStore) folds(dir view) bool {
	if !k.caseKnown {
		k.foldsCase, k.caseKnown = dir.folder.exists(strings.ToUpper(metafile.Name)), true
	}
	return k.foldsCase
}

// differsByCase reports whether a record's name would fall on that of a record
// whose key differs by case alone.
func (k *keyValueStore) differsByCase(key string, name recordName) bool {
	entries, _ := os.ReadDir(k.path())
	for _, e := range entries {
		file := e.Name()
		if strings.EqualFold(file, name.file) && file != name.file ||
			strings.EqualFold(file, name.sidecar) && file != name.sidecar {
			return true
		}
		if stem, _ := readName(file); isContent(file) && stem != key && strings.EqualFold(stem, key) {
			return true
		}
	}
	return false
}

// Get opens a record. What the caller reads is what was there at that moment,
// even if the record is replaced meanwhile.
func (k *keyValueStore) Get(ctx context.Context, key string) (*store.Record, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	end, err := k.beginRead(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	f, err := k.lookUp(key)
	if err != nil {
		return nil, err
	}
	file, err := openShared(k.path(f.file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, k.noRecord(key)
	}
	if err != nil {
		return nil, internal(err, "open record %q", key)
	}
	if info, err := file.Stat(); err == nil {
		f.size, f.modified = info.Size(), info.ModTime()
	}
	k.count(store.Stats{Reads: 1})
	return &store.Record{RecordInfo: f.info(key), Body: file}, nil
}

// Stat describes a record.
func (k *keyValueStore) Stat(ctx context.Context, key string) (store.RecordInfo, error) {
	return k.stat(ctx, key, store.Stats{Reads: 1})
}

func (k *keyValueStore) stat(ctx context.Context, key string, use store.Stats) (store.RecordInfo, error) {
	if err := checkKey(key); err != nil {
		return store.RecordInfo{}, err
	}
	end, err := k.beginRead(ctx)
	if err != nil {
		return store.RecordInfo{}, err
	}
	defer end()
	f, err := k.lookUp(key)
	if err != nil {
		return store.RecordInfo{}, err
	}
	k.count(use)
	return f.info(key), nil
}

// DeleteRecord removes a record.
func (k *keyValueStore) DeleteRecord(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := live(ctx); err != nil {
		return err
	}
	if _, err := k.stat(ctx, key, store.Stats{}); fault.Is(err, fault.NotFound) && !k.gone() {
		return nil
	}
	if err := k.begin(ctx); err != nil {
		return err
	}
	removed := false
	for range 100 { // once, unless other programs left several files of the key
		f, err := k.lookUp(key)
		if fault.Is(err, fault.NotFound) {
			break
		}
		if err == nil {
			err = os.Remove(k.path(f.file))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			k.end(removed)
			return internal(err, "delete record %q", key)
		}
		removed = true
		os.Remove(k.path(f.file + sidecarSuffix))
	}
	for _, name := range k.sidecarNames(key) {
		os.Remove(k.path(name))
	}
	if removed {
		k.count(store.Stats{Deletes: 1})
	}
	k.end(removed)
	return nil
}

// gone reports whether the storage was deleted.
func (s *storage) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deleted
}
