package localdir

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// collection finds the storages of one kind. It reads the metadata of other
// storages than the one asked for only when no folder has the name.
type collection[S store.Storage] struct {
	root *Root
	kind kind
	wrap func(*storage) S

	mu sync.Mutex
	// byFolder holds the storages seen so far, by the lower case of their
	// folder: names do not differ by case alone.
	byFolder map[string]*storage
	// byID maps every id that a storage was seen under.
	byID map[string]*storage
	// names serialises changes of names between processes.
	names   fileLock
	namesMu sync.Mutex
}

func newCollection[S store.Storage](r *Root, k kind, wrap func(*storage) S) *collection[S] {
	return &collection[S]{
		root: r, kind: k, wrap: wrap,
		names: fileLock{path: r.path(privateFolder, "locks", string(k)+".lock")},
	}
}

// Open finds a storage by its name or id.
func (c *collection[S]) Open(ctx context.Context, idOrName string) (S, error) {
	s, err := c.find(ctx, idOrName)
	if err != nil {
		var none S
		return none, err
	}
	return c.face(s), nil
}

// face is the storage as its kind.
func (c *collection[S]) face(s *storage) S { return s.face.(S) }

// find implements registry.
func (c *collection[S]) find(ctx context.Context, idOrName string) (*storage, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	if !safeFolder(idOrName) {
		return nil, c.unknown(idOrName)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.byID[idOrName]; ok && c.stillThere(s) {
		return s, nil
	}
	if metafile.IsDefault(idOrName) {
		return c.at(DefaultFolder), nil
	}
	if s, ok := c.byFolder[strings.ToLower(idOrName)]; ok && c.stillThere(s) {
		if now, _ := s.whereabouts(); strings.EqualFold(now, idOrName) {
			return s, nil
		}
	}
	if info, err := os.Stat(c.root.path(string(c.kind), idOrName)); err == nil && info.IsDir() {
		return c.at(idOrName), nil
	}
	folders, err := c.folders()
	if err != nil {
		return nil, err
	}
	var byName *storage
	for _, f := range folders {
		s := c.at(f)
		switch {
		case s.id == idOrName, s.storedID() == idOrName:
			return s, nil
		case strings.EqualFold(f, idOrName), strings.EqualFold(s.named(), idOrName):
			byName = s
		}
	}
	if byName != nil {
		return byName, nil
	}
	return nil, c.unknown(idOrName)
}

func (c *collection[S]) unknown(idOrName string) error {
	return fault.New(fault.NotFound, "%s %q was not found", c.kind.noun(), idOrName)
}

// named is the storage's name by its metadata.
func (s *storage) named() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meta.Info.Name
}

// storedID is the id in the metadata file, which differs from the storage's own
// when another process created the default storage after this one looked.
func (s *storage) storedID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meta.Info.ID
}

// whereabouts is the storage's present folder, and whether it was deleted.
func (s *storage) whereabouts() (folder string, deleted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.folder, s.deleted
}

// stillThere checks that no other process removed or renamed a known storage;
// if one did, the storage is forgotten.
func (c *collection[S]) stillThere(s *storage) bool {
	folder, deleted := s.whereabouts()
	if deleted {
		c.drop(s)
		return false
	}
	if metafile.IsDefault(folder) {
		return true
	}
	if _, err := os.Stat(c.root.path(string(c.kind), folder)); err == nil {
		return true
	}
	c.drop(s)
	return false
}

// at gives the storage of a folder; c.mu is held.
func (c *collection[S]) at(folder string) *storage {
	key := strings.ToLower(folder)
	if s, ok := c.byFolder[key]; ok {
		if now, deleted := s.whereabouts(); !deleted && strings.EqualFold(now, folder) {
			return s
		}
		delete(c.byFolder, key) // it was renamed or deleted
	}
	s := &storage{root: c.root, kind: c.kind, home: c, folder: folder}
	s.locked.path = s.lockPath()
	s.load()
	if !s.onDisk && !metafile.IsDefault(folder) {
		// A folder made by another program gets an id that lasts. One that
		// cannot be written to is still readable.
		if s.begin(context.Background()) == nil {
			s.end(false)
		}
	}
	s.face = c.wrap(s)
	c.keep(s)
	return s
}

// keep remembers a storage; c.mu is held.
func (c *collection[S]) keep(s *storage) {
	if c.byFolder == nil {
		c.byFolder = map[string]*storage{}
		c.byID = map[string]*storage{}
	}
	c.byFolder[strings.ToLower(s.folder)] = s
	c.byID[s.id] = s
}

// drop forgets a storage; c.mu is held.
func (c *collection[S]) drop(s *storage) {
	for key, other := range c.byFolder {
		if other == s {
			delete(c.byFolder, key)
		}
	}
	for id, other := range c.byID {
		if other == s {
			delete(c.byID, id)
		}
	}
}

// forget implements registry.
func (c *collection[S]) forget(s *storage) {
	// Called with s.mu held, while c.mu may be held by somebody waiting for
	// s.mu; hence not at once.
	go func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.drop(s)
	}()
}

// folders lists the folders of all storages.
func (c *collection[S]) folders() ([]string, error) {
	entries, err := os.ReadDir(c.root.path(string(c.kind)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, internal(err, "list the %ss", c.kind.noun())
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !safeFolder(name) {
			continue
		}
		if e.IsDir() {
			names = append(names, name)
		} else if e.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(c.root.path(string(c.kind), name)); err == nil && info.IsDir() {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// lockNames implements registry.
func (c *collection[S]) lockNames() (func(), error) {
	c.namesMu.Lock()
	if err := c.names.lock(); err != nil {
		c.namesMu.Unlock()
		return nil, err
	}
	return func() {
		c.names.unlock()
		c.namesMu.Unlock()
	}, nil
}

// Create makes a storage, or finds the one that has the name or id already.
func (c *collection[S]) Create(ctx context.Context, opts store.CreateOptions) (S, bool, error) {
	var none S
	if opts.Name != "" && !store.ValidName(opts.Name) {
		return none, false, store.InvalidName(opts.Name)
	}
	if opts.ID != "" && !safeFolder(opts.ID) {
		return none, false, fault.New(fault.InvalidRequest, "%q cannot be the id of a storage", opts.ID)
	}
	schema, err := store.CompactSchema(opts.Schema)
	if err != nil {
		return none, false, err
	}
	unlock, err := c.lockNames()
	if err != nil {
		return none, false, err
	}
	defer unlock()
	for _, wanted := range []string{opts.Name, opts.ID} {
		if wanted == "" {
			continue
		}
		s, err := c.find(ctx, wanted)
		if err == nil {
			return c.face(s), false, nil
		}
		if !fault.Is(err, fault.NotFound) {
			return none, false, err
		}
	}
	if err := live(ctx); err != nil {
		return none, false, err
	}
	id := opts.ID
	if id == "" {
		id = store.NewID()
	}
	now := time.Now()
	s := &storage{root: c.root, kind: c.kind, home: c, id: id, folder: folderFor(cmp.Or(opts.Name, id), id)}
	s.locked.path = s.lockPath()
	s.meta.Info = store.Info{
		ID: id, Name: opts.Name, ActorID: opts.ActorID, RunID: opts.RunID, Schema: schema,
		CreatedAt: now, ModifiedAt: now, AccessedAt: now,
	}
	s.face = c.wrap(s)
	if err := s.begin(ctx); err != nil {
		return none, false, err
	}
	s.end(false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(s)
	return c.face(s), true, nil
}

// List gives the metadata of all storages.
func (c *collection[S]) List(ctx context.Context, opts store.ListOptions) (store.ListPage, error) {
	if err := live(ctx); err != nil {
		return store.ListPage{}, err
	}
	folders, err := c.folders()
	if err != nil {
		return store.ListPage{}, err
	}
	var all []store.Info
	for _, f := range folders {
		c.mu.Lock()
		s := c.at(f)
		c.mu.Unlock()
		if !opts.Unnamed && s.named() == "" {
			continue
		}
		info, err := c.face(s).Info(ctx)
		if fault.Is(err, fault.NotFound) {
			continue // deleted just now
		}
		if err != nil {
			return store.ListPage{}, err
		}
		all = append(all, info)
	}
	slices.SortFunc(all, func(a, b store.Info) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	if opts.Desc {
		slices.Reverse(all)
	}
	page := store.ListPage{Total: len(all)}
	all = all[min(max(opts.Offset, 0), len(all)):]
	if opts.Limit > 0 && len(all) > opts.Limit {
		all = all[:opts.Limit]
	}
	page.Items = all
	return page, nil
}

func (c *collection[S]) close() error {
	c.mu.Lock()
	var open []*storage
	for _, s := range c.byID {
		open = append(open, s)
	}
	c.mu.Unlock()
	for _, s := range open {
		s.close()
	}
	c.namesMu.Lock()
	defer c.namesMu.Unlock()
	c.names.close()
	return nil
}

// safeFolder reports whether a name from outside may be looked for as a folder:
// it is one element of a path and not one of ours.
func safeFolder(name string) bool {
	return name != "" && len(name) <= 255 && name[0] != '.' &&
		!strings.ContainsAny(name, "/\\:\x00")
}

// folderFor gives the folder for a new storage: its name, unless Windows
// reserves that.
func folderFor(name, id string) string {
	if reservedOnWindows(name) {
		return id
	}
	return name
}

// looksLikeID reports whether a folder without metadata is called by an id: a
// UUID, as the JavaScript SDK makes them.
func looksLikeID(folder string) bool {
	if len(folder) != 36 {
		return false
	}
	for i, r := range folder {
		switch i {
		case 8, 13, 18, 23:
			if r != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
				return false
			}
		}
	}
	return true
}

// reservedOnWindows reports whether Windows takes a file's name for a device,
// whatever its extension.
func reservedOnWindows(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	switch stem = strings.ToUpper(stem); stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(stem) == 4 && (stem[:3] == "COM" || stem[:3] == "LPT") && stem[3] >= '0' && stem[3] <= '9'
}
