package localdir

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// flushEvery is how often a busy storage writes its counts. Other programs
// trust the counts in metadata files, so they must not be old when a process
// is killed; this package itself checks them against the files.
const flushEvery = 50 * time.Millisecond

// accessPrecision is how much later than recorded a storage must be read for
// that to be recorded too: reading should not write each time.
const accessPrecision = time.Minute

// storage is what the three kinds have in common: a folder, its metadata, and
// the lock that serialises changes between goroutines and processes.
type storage struct {
	root *Root
	kind kind
	home registry
	id   string
	face any // the dataset, key-value store or request queue around it

	mu      sync.Mutex // everything below
	folder  string     // its name below the kind's folder
	meta    metafile.Metadata
	onDisk  bool // the metadata file was read or written
	stale   bool // meta has news for the metadata file
	flushed time.Time
	timer   *time.Timer
	deleted bool
	locked  fileLock
	// pending is what was counted since the metadata were written, which others
	// may have added to meanwhile.
	pending store.Stats
	// recount, if set, corrects the counts in meta before they are written;
	// called with the storage locked.
	recount func()
	// reset, if set, forgets cached content.
	reset func()
}

// registry is the side of a collection that its storages see.
type registry interface {
	find(ctx context.Context, idOrName string) (*storage, error)
	forget(s *storage)
	lockNames() (unlock func(), err error)
}

func (s *storage) path(names ...string) string {
	return s.root.path(append([]string{string(s.kind), s.folder}, names...)...)
}

// lockPath is the file that excludes other processes: it goes by the folder,
// which is all that they know in common.
func (s *storage) lockPath() string {
	return s.root.path(privateFolder, "locks", string(s.kind)+"-"+strings.ToLower(s.folder)+".lock")
}

// ID gives the storage's id.
func (s *storage) ID() string { return s.id }

// load reads the metadata file, making up what is missing.
func (s *storage) load() {
	data, err := readFile(s.path(metafile.Name), nil)
	now := time.Now()
	if err == nil {
		m, ok := metafile.Read(data, s.folder)
		if ok {
			s.meta, s.onDisk, s.id = m, true, m.Info.ID
			return
		}
		s.meta = m
	}
	i := &s.meta.Info
	i.ID = store.NewID()
	if i.Name == "" && !metafile.IsDefault(s.folder) {
		if looksLikeID(s.folder) {
			i.ID = s.folder
		} else {
			i.Name = s.folder
		}
	}
	for _, t := range []*time.Time{&i.CreatedAt, &i.ModifiedAt, &i.AccessedAt} {
		if t.IsZero() {
			*t = now
		}
	}
	s.id = i.ID
	if info, err := os.Stat(s.path()); err == nil {
		i.CreatedAt, i.ModifiedAt = info.ModTime(), info.ModTime()
	}
}

// begin starts a change: it excludes everybody else and makes sure that the
// folder is there. end ends it.
func (s *storage) begin(ctx context.Context) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	if err := s.beginLocked(); err != nil {
		s.mu.Unlock()
		return err
	}
	return nil
}

func (s *storage) beginLocked() error {
	if err := s.present(); err != nil {
		return err
	}
	if err := s.locked.lock(); err != nil {
		return err
	}
	if !s.onDisk {
		if err := s.materialise(); err != nil {
			s.locked.unlock()
			return err
		}
	}
	return nil
}

// end ends a change and, now and then, writes the metadata.
func (s *storage) end(changed bool) {
	if changed {
		now := time.Now()
		s.meta.Info.ModifiedAt, s.meta.Info.AccessedAt = now, now
		s.stale = true
		if now.Sub(s.flushed) >= flushEvery {
			s.writeMetadata()
		} else if s.timer == nil {
			s.timer = time.AfterFunc(flushEvery, s.flush)
		}
	}
	s.locked.unlock()
	s.mu.Unlock()
}

// beginRead excludes changes without creating anything.
func (s *storage) beginRead(ctx context.Context) (end func(), err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if err := s.present(); err != nil {
		s.mu.Unlock()
		return nil, err
	}
	locked, err := s.locked.lockIfThere()
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	if now := time.Now(); now.Sub(s.meta.Info.AccessedAt) > accessPrecision {
		s.meta.Info.AccessedAt, s.stale = now, true
	}
	return func() {
		if locked {
			s.locked.unlock()
		}
		s.mu.Unlock()
	}, nil
}

// info is the present metadata, under the id that the caller knows.
func (s *storage) info() store.Info {
	i := s.meta.Info
	i.ID = s.id
	i.Stats = sum(i.Stats, s.pending)
	i.Stats.Bytes = -1 // other programs write here too
	return i
}

// count adds to the statistics; s.mu is held.
func (s *storage) count(more store.Stats) {
	if more != (store.Stats{}) {
		s.pending, s.stale = sum(s.pending, more), true
	}
}

func sum(a, b store.Stats) store.Stats {
	return store.Stats{
		Reads: a.Reads + b.Reads, Writes: a.Writes + b.Writes, Deletes: a.Deletes + b.Deletes,
		Lists: a.Lists + b.Lists, HeadReads: a.HeadReads + b.HeadReads,
	}
}

// merge takes over what other processes have counted.
func (s *storage) merge() {
	if data, err := readFile(s.path(metafile.Name), nil); err == nil {
		if m, ok := metafile.Read(data, s.folder); ok {
			s.meta.Info.Stats = m.Info.Stats
		}
	}
	s.meta.Info.Stats = sum(s.meta.Info.Stats, s.pending)
	s.pending = store.Stats{}
}

// present fails for a storage that was deleted. The default one is always
// there, whether or not it has a folder.
func (s *storage) present() error {
	if s.deleted {
		return s.missing()
	}
	return nil
}

func (s *storage) missing() error {
	return fault.New(fault.NotFound, "%s %q was not found", s.kind.noun(), s.id)
}

// materialise creates the folder and its metadata. Another process may have
// been quicker: then its metadata hold, but for the id, which is ours already.
func (s *storage) materialise() error {
	if err := os.MkdirAll(s.path(), 0o777); err != nil {
		return internal(err, "create the folder of %s %q", s.kind.noun(), s.folder)
	}
	if data, err := readFile(s.path(metafile.Name), nil); err == nil {
		if m, ok := metafile.Read(data, s.folder); ok {
			s.meta, s.onDisk = m, true
			return nil
		}
	}
	if err := s.writeMetadata(); err != nil {
		return internal(err, "write the metadata of %s %q", s.kind.noun(), s.folder)
	}
	return nil
}

// writeMetadata writes the metadata file; the storage is locked.
func (s *storage) writeMetadata() error {
	if s.recount != nil {
		s.recount()
	}
	counted := s.pending
	s.merge()
	if err := s.root.writeAtomically(s.path(metafile.Name), s.meta.Bytes(string(s.kind), s.folder)); err != nil {
		s.pending = counted // the rest is read again
		return err
	}
	s.onDisk, s.stale, s.flushed = true, false, time.Now()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	return nil
}

// flush writes the metadata file if there is news. What it cannot write can be
// recomputed, so errors are of no consequence.
func (s *storage) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushLocked()
}

func (s *storage) flushLocked() {
	s.timer = nil
	// A folder that somebody removed meanwhile must not come back, nor must the
	// file of its lock.
	gone := func() bool { _, err := os.Lstat(s.path()); return err != nil }
	if !s.stale || s.deleted || !s.onDisk || gone() || s.locked.lock() != nil {
		return
	}
	defer s.locked.unlock()
	if !gone() {
		s.writeMetadata()
	}
}

// close flushes and gives up the lock's file.
func (s *storage) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.flushLocked()
	s.locked.close()
}

// Schema gives the storage's schema as it was when the metadata were read or
// last written here.
func (s *storage) Schema() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meta.Info.Schema
}

// SetSchema replaces the schema. Nothing is written when it is the same, or when
// there is neither a schema nor a folder.
func (s *storage) SetSchema(ctx context.Context, schema json.RawMessage) error {
	if err := live(ctx); err != nil {
		return err
	}
	schema, err := store.CompactSchema(schema)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if !s.deleted && bytes.Equal(s.meta.Info.Schema, schema) {
		s.mu.Unlock()
		return nil
	}
	if !s.deleted && !s.onDisk && len(schema) == 0 {
		s.meta.Info.Schema = nil
		s.mu.Unlock()
		return nil
	}
	if err := s.beginLocked(); err != nil {
		s.mu.Unlock()
		return err
	}
	defer s.end(false)
	before := s.meta.Info.Schema
	s.meta.Info.Schema = schema
	if err := s.writeMetadata(); err != nil {
		s.meta.Info.Schema = before
		return internal(err, "write the metadata of %s %q", s.kind.noun(), s.folder)
	}
	return nil
}

// SetAccess gives the storage a general access.
func (s *storage) SetAccess(ctx context.Context, access string) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end(false)
	before := s.meta.Info.Access
	s.meta.Info.Access = access
	if err := s.writeMetadata(); err != nil {
		s.meta.Info.Access = before
		return internal(err, "write the metadata of %s %q", s.kind.noun(), s.folder)
	}
	return nil
}

// Rename gives the storage a name, or takes it away.
func (s *storage) Rename(ctx context.Context, name string) error {
	if name != "" && !store.ValidName(name) {
		return store.InvalidName(name)
	}
	if err := live(ctx); err != nil {
		return err
	}
	unlock, err := s.home.lockNames()
	if err != nil {
		return err
	}
	defer unlock()
	if name != "" {
		switch other, err := s.home.find(ctx, name); {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return err
		case other != s:
			return fault.New(fault.Conflict, "there is a %s named %q already", s.kind.noun(), name)
		}
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer func() {
		s.end(true)
		s.mu.Lock()
		defer s.mu.Unlock()
		if path := s.lockPath(); s.locked.path != path {
			s.locked.close()
			s.locked.path = path
		}
	}()
	before := s.meta.Info.Name
	if before == name {
		return nil
	}
	target := s.id
	if name != "" {
		target = folderFor(name, s.id)
	}
	from := s.path()
	old := s.folder
	s.meta.Info.Name = name
	// The metadata come first: a storage is found by the name in them wherever
	// its folder is, so a process that dies here has renamed it all the same.
	if metafile.IsDefault(old) {
		s.folder = target
		err = s.root.writeAtomically(s.root.path(string(s.kind), old, metafile.Name), s.meta.Bytes(string(s.kind), target))
	} else {
		err = s.writeMetadata()
		s.folder = target
	}
	if err == nil && !strings.EqualFold(old, target) {
		err = os.Rename(from, s.path())
	} else if err == nil && old != target {
		s.folder = old
	}
	if err != nil {
		s.folder = old
		s.meta.Info.Name = before
		s.writeMetadata()
		return internal(err, "rename %s %q", s.kind.noun(), old)
	}
	if metafile.IsDefault(old) {
		s.home.forget(s)
	}
	if s.reset != nil {
		s.reset()
	}
	return nil
}

// Delete removes the storage.
func (s *storage) Delete(ctx context.Context) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.present(); err != nil {
		return err
	}
	if _, err := os.Lstat(s.path()); err == nil {
		if err := s.locked.lock(); err != nil {
			return err
		}
		defer s.locked.unlock()
		if err := s.root.discard(s.path()); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return internal(err, "delete %s %q", s.kind.noun(), s.folder)
	}
	if s.reset != nil {
		s.reset()
	}
	s.deleted, s.stale = true, false
	s.home.forget(s)
	return nil
}
