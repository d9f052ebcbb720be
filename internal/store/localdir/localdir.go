// Package localdir keeps everything in a folder that people know: ./storage in
// the layout that the official SDKs read and write.
//
//	datasets/<folder>/000000001.json            one object per file, from 1, no gaps
//	key_value_stores/<folder>/<key>.<ext>       the extension follows the content type
//	request_queues/<folder>/<request id>.json   position and request
//	*/<folder>/__metadata__.json                ids, names, times and counts
//	.greenroom/                                 runs, builds, logs, locks, unfinished files
//
// Several processes may use one folder at once: every change happens under a
// file lock that the kernel releases when its holder dies, and becomes visible
// through one rename. A process that is killed leaves nothing half-written;
// power loss is not covered, since nothing is synced to the disk.
//
// The smallest program of this module links this package, so it costs nothing
// to initialise, and opening a root touches no file.
package localdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// DefaultFolder is the folder, below each kind's own, of the default storage;
// opening a storage of this name opens the default one.
const DefaultFolder = metafile.DefaultFolder

// privateFolder holds what the SDKs know nothing of. It stays out of the
// storages' own folders because the SDKs take every file there for content.
const privateFolder = ".greenroom"

// kind is a kind of storage, written as its folder.
type kind string

const (
	datasets       kind = metafile.Datasets
	keyValueStores kind = "key_value_stores"
	requestQueues  kind = metafile.RequestQueues
)

// noun names one storage of the kind in messages.
func (k kind) noun() string {
	switch k {
	case datasets:
		return "dataset"
	case keyValueStores:
		return "key-value store"
	default:
		return "request queue"
	}
}

// Root is a store.Root on one folder.
type Root struct {
	dir string

	datasets *collection[store.Dataset]
	values   *collection[store.KeyValueStore]
	queues   *collection[store.RequestQueue]
	objects  sync.Map // kind → *objects

	sweep sync.Once
	spare atomic.Pointer[spares] // nil unless KeepSpares was called
}

var _ store.Root = (*Root)(nil)

// Open makes a root of a folder, which need not exist: it is created with the
// first thing written to it. Nothing is read.
func Open(dir string) *Root {
	r := &Root{dir: dir}
	r.datasets = newCollection(r, datasets, newDataset)
	r.values = newCollection(r, keyValueStores, newKeyValueStore)
	r.queues = newCollection(r, requestQueues, newRequestQueue)
	return r
}

// Dir is the root's folder, as it was given to Open.
func (r *Root) Dir() string { return r.dir }

// Datasets gives the datasets.
func (r *Root) Datasets() store.Collection[store.Dataset] { return r.datasets }

// KeyValueStores gives the key-value stores.
func (r *Root) KeyValueStores() store.Collection[store.KeyValueStore] { return r.values }

// RequestQueues gives the request queues.
func (r *Root) RequestQueues() store.Collection[store.RequestQueue] { return r.queues }

// Runs gives the records of runs.
func (r *Root) Runs() store.Records[api.Run] { return store.RecordsOf(r, store.RunKind) }

// Builds gives the records of builds.
func (r *Root) Builds() store.Records[api.Build] { return store.RecordsOf(r, store.BuildKind) }

// Objects gives the records of a kind.
func (r *Root) Objects(kind string) store.Objects { return r.objectsOf(kind) }

// Logs gives the logs of runs and builds.
func (r *Root) Logs() store.Logs { return logs{r} }

// Close writes counts and times that are only cached, and releases the locks'
// files. The root may be used again afterwards.
func (r *Root) Close() error {
	return errors.Join(r.datasets.close(), r.values.close(), r.queues.close(), r.spare.Swap(nil).close())
}

// path joins elements below the root's folder.
func (r *Root) path(elements ...string) string {
	return filepath.Join(append([]string{r.dir}, elements...)...)
}

// unfinished gives the path of a file to write and then move to its place: an
// empty one that was made ahead, or one that does not exist yet.
func (r *Root) unfinished() (string, error) {
	if path, ok := r.spare.Load().take(); ok {
		return path, nil
	}
	return r.temporary()
}

// temporary gives a fresh name for an unfinished file or folder, and makes sure
// that the folder for it exists. It is on the same file system as everything
// else, so a rename moves it to its place.
func (r *Root) temporary() (string, error) {
	dir := r.path(privateFolder, "tmp")
	var err error
	r.sweep.Do(func() {
		if err = os.MkdirAll(dir, 0o777); err == nil {
			sweepTemporary(dir, time.Now())
		}
	})
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "create the folder for unfinished files")
	}
	return filepath.Join(dir, temporaryName()), nil
}

// staleAfter is the age at which an unfinished file counts as left behind by a
// process that was killed. One that is still being written has a young date.
const staleAfter = 15 * time.Minute

// sweepTemporary removes what killed processes left unfinished.
func sweepTemporary(dir string, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > staleAfter {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// temporaryName is unique among all processes.
func temporaryName() string { return store.NewID() }

// writeAside writes data to an unfinished file and gives its path.
func (r *Root) writeAside(data []byte) (path string, err error) {
	if path, err = r.unfinished(); err != nil {
		return "", err
	}
	err = writeUnfinished(path, data)
	if errors.Is(err, fs.ErrNotExist) {
		// Somebody has removed the whole private folder meanwhile.
		if err = os.MkdirAll(filepath.Dir(path), 0o777); err == nil {
			err = writeUnfinished(path, data)
		}
	}
	return path, err
}

// writeAtomically puts data at path in one step, creating its folder.
func (r *Root) writeAtomically(path string, data []byte) error {
	tmp, err := r.writeAside(data)
	if err != nil {
		return err
	}
	err = replaceFile(tmp, path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o777); err == nil {
			err = replaceFile(tmp, path)
		}
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}

// discard takes a file or folder out of sight in one step, then removes it.
func (r *Root) discard(path string) error {
	tmp, err := r.temporary()
	if err != nil {
		return err
	}
	err = os.Rename(path, tmp)
	switch {
	case err == nil:
		// What cannot be removed now is swept later; it is out of sight.
		os.RemoveAll(tmp)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	// Another file system may be mounted there: remove in place.
	if err := os.RemoveAll(path); err != nil {
		return fault.Wrap(fault.Internal, err, "remove stored files")
	}
	return nil
}

// live gives ctx's error, with the code that fits.
func live(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Aborted, err, "stopped before the storage was touched")
	}
	return nil
}

// internal wraps an operating system's error.
func internal(err error, format string, args ...any) error {
	return fault.Wrap(fault.Internal, err, format, args...)
}
