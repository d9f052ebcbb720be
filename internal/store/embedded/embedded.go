// Package embedded keeps everything of a server in one directory of its own:
//
//	lock               held while the directory is in use
//	greenroom.db       SQLite: storages, records of key-value stores, requests, runs, builds
//	datasets/<n>/<n>/  segments of items
//	content/<xx>/<id>  the larger records of key-value stores
//	logs/<id>.log      one append-only log per run and build
//
// A write that was answered has been put on the disk with fsync before, so it
// survives the death of the process and, with Full durability, power loss.
// Writes that come together share the wait for the disk. What a process that
// died left behind is cleared away by the next one.
package embedded

import (
	"context"
	"embed"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/access"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/content"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/dirlock"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/disk"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/items"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/logfile"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/object"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/segment"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/snapshot"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations gives the steps of the schema in their order.
func Migrations() []string {
	files, err := migrationFiles.ReadDir("migrations") // sorted by name
	if err != nil {
		panic(err) // they are in the program
	}
	var steps []string
	for _, f := range files {
		text, err := migrationFiles.ReadFile("migrations/" + f.Name())
		if err != nil {
			panic(err)
		}
		steps = append(steps, string(text))
	}
	return steps
}

// Durability says what an answered write survives.
type Durability int

const (
	// Full survives power loss: every write is followed by an fsync.
	Full Durability = iota
	// Relaxed survives the death of the process; power loss may take the last
	// writes back, and leave a dataset's end damaged.
	Relaxed
)

// Options say how a directory is used.
type Options struct {
	Durability Durability
	// SegmentSize is the size in bytes at which a dataset begins its next file;
	// 0 means segment.DefaultSize.
	SegmentSize int64
}

// Root is a store.Root on one directory, which it has for itself.
type Root struct {
	dir     string
	o       Options
	lock    *dirlock.Lock
	db      *database.DB
	content *content.Dir
	items   *items.Cache
	access  access.Log
	reaper  reaper

	datasets *collection[store.Dataset]
	values   *collection[store.KeyValueStore]
	queues   *collection[store.RequestQueue]
	objects  *object.Table
	logs     *logfile.Dir

	close sync.Once
	err   error // of closing
}

var _ store.Root = (*Root)(nil)

// Names in the directory.
const (
	DatabaseName = "greenroom.db"
	datasetsName = "datasets"
	ContentName  = "content"
	logsName     = "logs"
)

// Open opens a directory, which it creates when it is not there. While another
// process has it open the error is fault.Conflict.
func Open(dir string, o Options) (*Root, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, database.Failed(err, "find the data directory")
	}
	if err := disk.MakeFolder(dir, o.Durability == Relaxed); err != nil {
		return nil, database.Failed(err, "create the data directory %s", dir)
	}
	lock, err := dirlock.Take(dir)
	if err != nil {
		return nil, err
	}
	r := &Root{dir: dir, o: o, lock: lock}
	if err := r.open(); err != nil {
		if r.db != nil {
			r.db.Close()
		}
		lock.Release()
		return nil, err
	}
	return r, nil
}

func (r *Root) open() (err error) {
	relaxed := r.o.Durability == Relaxed
	if err := snapshot.Clear(r.dir); err != nil {
		return database.Failed(err, "open the data directory %s", r.dir)
	}
	r.db, err = database.Open(filepath.Join(r.dir, DatabaseName), database.Options{Relaxed: relaxed, Migrations: Migrations()})
	if err != nil {
		return err
	}
	if r.content, err = content.Open(filepath.Join(r.dir, ContentName), relaxed); err != nil {
		return database.Failed(err, "open the data directory %s", r.dir)
	}
	for _, name := range []string{datasetsName, logsName} {
		if err := os.MkdirAll(filepath.Join(r.dir, name), 0o700); err != nil {
			return database.Failed(err, "open the data directory %s", r.dir)
		}
	}
	if !relaxed {
		if err := disk.SyncFolder(r.dir); err != nil {
			return database.Failed(err, "open the data directory %s", r.dir)
		}
	}
	var clean bool
	err = r.db.Write(context.Background(), func(tx *database.Tx) error {
		if err := tx.Get("SELECT value FROM state WHERE name = 'clean'", nil, &clean); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE state SET value = 0 WHERE name = 'clean'")
		return err
	})
	if err != nil {
		return err
	}
	r.items = items.New(r.db, func(key int64) string { return ItemsFolder(r.dir, key) }, r.segmentOptions())
	r.access.DB = r.db
	r.datasets = &collection[store.Dataset]{root: r, kind: datasets, wrap: newDataset}
	r.values = &collection[store.KeyValueStore]{root: r, kind: keyValueStores, wrap: newKeyValueStore}
	r.queues = &collection[store.RequestQueue]{root: r, kind: requestQueues, wrap: newRequestQueue}
	r.objects = object.New(r.db)
	r.logs = logfile.New(filepath.Join(r.dir, logsName), relaxed)
	r.reaper.start(r, !clean)
	return nil
}

// Dir is the root's directory, an absolute path.
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
func (r *Root) Objects(kind string) store.Objects { return r.objects.Of(kind) }

// Logs gives the logs of runs and builds.
func (r *Root) Logs() store.Logs { return r.logs }

// Close writes what is only cached and gives the directory back. Operations
// that come later fail with fault.Unavailable. It may be called again.
func (r *Root) Close() error {
	r.close.Do(func() {
		r.reaper.stop()
		r.err = errors.Join(r.access.Flush(), r.items.Close())
		if r.err == nil {
			r.err = r.db.Write(context.Background(), func(tx *database.Tx) error {
				_, err := tx.Exec("UPDATE state SET value = 1 WHERE name = 'clean'")
				return err
			})
		}
		r.err = errors.Join(r.err, r.db.Close(), r.lock.Release())
	})
	return r.err
}

// ItemsFolder is where the segments of a dataset lie; what comes from outside
// has no part in the name.
func ItemsFolder(dir string, key int64) string {
	return filepath.Join(dir, datasetsName, formatKey(key%256), formatKey(key))
}

func (r *Root) segmentOptions() segment.Options {
	return segment.Options{Size: r.o.SegmentSize, Relaxed: r.o.Durability == Relaxed}
}
