package localdir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// DefaultInputKey is the key of the input in the default key-value store unless
// the environment names another.
const DefaultInputKey = "INPUT"

// LockRuns claims the default storages for one run at a time: two would purge
// and overwrite each other's results. The claim ends with Close or with the
// process. While another process has it, the error is fault.Conflict.
func (r *Root) LockRuns(ctx context.Context) (io.Closer, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	f, err := openLockFile(r.path(privateFolder, "locks", "run.lock"), true)
	if err != nil {
		return nil, internal(err, "claim the storages in %s", r.dir)
	}
	if err := tryLockFile(f); err != nil {
		f.Close()
		return nil, fault.New(fault.Conflict, "another run is using the storages in %s", r.dir).
			WithHint("wait until it ends, or give this run a folder of its own")
	}
	return f, nil
}

// Purge empties the default storages as the official tools do before a run. It
// removes the default dataset and request queue, and every record of the
// default key-value store except the input, which is any file called by one of
// the keys (DefaultInputKey if there are none), with or without an extension,
// and what describes it. Other storages stay as they are. A process that is
// killed while it purges leaves whole items and records only.
func (r *Root) Purge(ctx context.Context, inputKeys ...string) error {
	if len(inputKeys) == 0 {
		inputKeys = []string{DefaultInputKey}
	}
	for _, c := range []registry{r.datasets, r.queues} {
		s, err := c.find(ctx, DefaultFolder)
		if err != nil {
			return err
		}
		if err := s.purge(ctx, func() error { return r.discard(s.path()) }); err != nil {
			return err
		}
	}
	s, err := r.values.find(ctx, DefaultFolder)
	if err != nil {
		return err
	}
	return s.purge(ctx, func() error { return purgeRecords(s, inputKeys) })
}

// purge runs empty with the storage locked, if it has a folder. The storage
// keeps its id for whoever has it open.
func (s *storage) purge(ctx context.Context, empty func() error) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := os.Lstat(s.path()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := s.locked.lock(); err != nil {
		return err
	}
	defer s.locked.unlock()
	if err := empty(); err != nil {
		return err
	}
	if s.reset != nil {
		s.reset()
	}
	if s.kind == requestQueues {
		// Other processes that have the queue open must look again.
		if err := s.locked.file.Truncate(0); err != nil {
			return internal(err, "purge the default request queue")
		}
	}
	if _, err := os.Lstat(s.path()); err != nil {
		i := &s.meta.Info
		i.ItemCount, i.CleanItemCount, i.TotalRequests, i.HandledRequests = 0, 0, 0, 0
		i.HadMultipleClients = false
		s.onDisk, s.stale = false, false
	}
	return nil
}

// purgeRecords removes the files of a key-value store except the input and the
// store's metadata.
func purgeRecords(s *storage, inputKeys []string) error {
	entries, err := os.ReadDir(s.path())
	if err != nil {
		return internal(err, "purge the default key-value store")
	}
	// Records go before what describes them, which means nothing by itself.
	for _, describing := range []bool{false, true} {
		for _, e := range entries {
			name := e.Name()
			if name == metafile.Name || isContent(name) == describing || isInput(name, inputKeys) {
				continue
			}
			if err := os.RemoveAll(s.path(name)); err != nil {
				return internal(err, "purge the default key-value store")
			}
		}
	}
	return nil
}

func isInput(file string, keys []string) bool {
	for _, key := range keys {
		if file == key || strings.HasPrefix(file, key+".") || strings.HasPrefix(file, escapedBase(key)+".") {
			return true
		}
	}
	return false
}

// Input opens the input that is stored in the default key-value store under a
// key (DefaultInputKey if empty): INPUT.json, INPUT.txt, INPUT.bin, a file of
// any other extension, or one without, whose content tells whether it is JSON.
// No input is fault.NotFound. Nothing is created.
func (r *Root) Input(ctx context.Context, key string) (*store.Record, error) {
	if key == "" {
		key = DefaultInputKey
	}
	s, err := r.values.Open(ctx, DefaultFolder)
	if err != nil {
		return nil, err
	}
	record, err := s.Get(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.NotFound, "there is no input: record %q was not found in %s", key, r.path(string(keyValueStores), DefaultFolder)).
			WithHint("write it to %s", r.path(string(keyValueStores), DefaultFolder, key+".json"))
	}
	return record, err
}
