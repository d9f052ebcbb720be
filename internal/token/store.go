package token

import (
	"crypto/subtle"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// UsePrecision is how exact the last use of a token is known. Each token costs
// one write in that time at most, however many requests it opens.
const UsePrecision = 10 * time.Minute

// settled is the age from which a file's time of change tells all its changes
// apart; before that another one could have got the same.
const settled = 2 * time.Second

// Store is the tokens of one data directory. Any number of goroutines may use
// it at once, and other processes may use the same directory.
type Store struct {
	dir string
	now func() time.Time

	loading sync.Mutex
	known   atomic.Pointer[snapshot]

	uses sync.WaitGroup // writes of last uses that are under way
}

// snapshot is the file of tokens as it was read last.
type snapshot struct {
	info    fs.FileInfo // nil when there was no file
	read    time.Time
	entries map[hash]*entry
}

type entry struct {
	Token
	hash hash
	// used is the last use that somebody notes or has noted, in Unix seconds.
	used atomic.Int64
}

// Open opens the tokens of a data directory; nothing is made before there is
// something to keep. A damaged file is fault.InvalidInput.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, now: time.Now}
	if _, err := s.reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Close waits until the last uses of tokens are noted.
func (s *Store) Close() error {
	s.uses.Wait()
	return nil
}

// Lookup tells whom a token stands for. It looks at memory, but for asking the
// system whether the file has changed.
//
// Tokens are found by their hash, so that the time it takes says nothing about
// any token: who does not know one cannot choose what hash to ask for.
func (s *Store) Lookup(token string) (Identity, bool) {
	if !WellFormed(token) {
		return Identity{}, false
	}
	h := hashOf(token)
	e := s.current().entries[h]
	if e == nil || subtle.ConstantTimeCompare(e.hash[:], h[:]) != 1 {
		return Identity{}, false
	}
	now := s.now()
	if e.Expired(now) {
		return Identity{}, false
	}
	s.note(e, now)
	return Identity{ID: e.ID, Scope: e.Scope}, true
}

// current is the file of tokens as it is now. One that cannot be read, for want
// of memory or of file handles, counts as unchanged; one that has gone holds no
// tokens any more.
func (s *Store) current() *snapshot {
	known := s.known.Load()
	if s.fresh(known) {
		return known
	}
	// Whoever waits for the one who reads needs not read it again.
	s.loading.Lock()
	defer s.loading.Unlock()
	if known = s.known.Load(); s.fresh(known) {
		return known
	}
	if next, err := s.load(); err == nil {
		known = next
	}
	return known
}

func (s *Store) fresh(known *snapshot) bool {
	info, err := os.Stat(filepath.Join(s.dir, tokensFile))
	if err != nil {
		return known.info == nil || !errors.Is(err, fs.ErrNotExist)
	}
	return known.info != nil && os.SameFile(info, known.info) &&
		info.ModTime().Equal(known.info.ModTime()) && info.Size() == known.info.Size() &&
		known.read.Sub(info.ModTime()).Abs() > settled
}

func (s *Store) reload() (*snapshot, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	return s.load()
}

func (s *Store) load() (*snapshot, error) {
	next := &snapshot{entries: map[hash]*entry{}, read: time.Now()}
	// Before it is read: a change in between is then seen the next time.
	info, err := os.Stat(filepath.Join(s.dir, tokensFile))
	switch {
	case err == nil:
		next.info = info
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(fault.Unavailable, err, "read the API tokens")
	}
	records, err := load(s.dir)
	if err != nil {
		return nil, err
	}
	before := s.known.Load()
	for _, r := range records {
		e := &entry{Token: r.Token, hash: r.Hash}
		if !r.LastUsedAt.IsZero() {
			e.used.Store(r.LastUsedAt.Unix())
		}
		if before != nil {
			if old := before.entries[r.Hash]; old != nil {
				e.used.Store(max(e.used.Load(), old.used.Load()))
			}
		}
		next.entries[r.Hash] = e
	}
	s.known.Store(next)
	return next, nil
}

// note keeps the time of a use when the last one is long ago. The request does
// not wait for it, and it is no failure of the request's if it cannot be kept.
func (s *Store) note(e *entry, now time.Time) {
	last := e.used.Load()
	if now.Unix()-last < int64(UsePrecision/time.Second) || !e.used.CompareAndSwap(last, now.Unix()) {
		return
	}
	s.uses.Go(func() {
		_ = s.change(func(records []record) ([]record, error) {
			i := slices.IndexFunc(records, func(r record) bool { return r.Hash == e.hash })
			if i < 0 {
				return nil, errUnchanged
			}
			records[i].LastUsedAt = stamp(now)
			return records, nil
		})
	})
}

// stamp is a moment as files have it.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

var errUnchanged = errors.New("nothing has changed")

// change reads, changes and writes the tokens while nobody else does. An error
// of do changes nothing.
func (s *Store) change(do func([]record) ([]record, error)) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "keep the API tokens")
	}
	unlock, err := lock(s.dir)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "lock the API tokens")
	}
	defer unlock()
	records, err := load(s.dir)
	if err != nil {
		return err
	}
	if records, err = do(records); err != nil {
		if err == errUnchanged {
			return nil
		}
		return err
	}
	if err := save(s.dir, records); err != nil {
		return err
	}
	_, err = s.reload()
	return err
}

// Owner gives the owner's token, and makes it at the first time. It is whatever
// the file owner-token holds, which nobody but the user can read.
func (s *Store) Owner() (string, error) {
	var token string
	err := s.change(func(records []record) ([]record, error) {
		var err error
		if token, err = loadOwner(s.dir); err != nil {
			return nil, err
		}
		if token == "" {
			token = Prefix + random(secretLength)
			if err := saveOwner(s.dir, token); err != nil {
				return nil, err
			}
		}
		h := hashOf(token)
		kept := slices.DeleteFunc(records, func(r record) bool { return r.ID == OwnerID && r.Hash != h })
		if len(kept) == len(records) && slices.ContainsFunc(kept, func(r record) bool { return r.Hash == h }) {
			return nil, errUnchanged
		}
		return append(kept, record{Token{
			ID: OwnerID, Name: "the owner's own", Start: token[:shownLength], Scope: Full, CreatedAt: stamp(s.now()),
		}, h}), nil
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// Create makes a token. This is the only time that it can be seen. A zero expiry
// means never; one in the past, a bad name and a bad scope are fault.Usage.
func (s *Store) Create(name string, scope Scope, expiry time.Time) (token string, t Token, err error) {
	if err := checkName(name); err != nil {
		return "", Token{}, err
	}
	if _, err := ParseScope(string(scope)); err != nil {
		return "", Token{}, err
	}
	now := stamp(s.now())
	if !expiry.IsZero() && !expiry.After(now) {
		return "", Token{}, fault.New(fault.Usage, "the token would have expired at %s already", expiry.UTC().Format(time.RFC3339))
	}
	token = Prefix + random(secretLength)
	t = Token{
		ID: random(idLength), Name: name, Start: token[:shownLength], Scope: scope,
		CreatedAt: now, ExpiresAt: stamp(expiry),
	}
	if expiry.IsZero() {
		t.ExpiresAt = time.Time{}
	}
	err = s.change(func(records []record) ([]record, error) { return append(records, record{t, hashOf(token)}), nil })
	if err != nil {
		return "", Token{}, err
	}
	return token, t, nil
}

// List gives all tokens in the order of their creation, expired ones too.
func (s *Store) List() ([]Token, error) {
	records, err := load(s.dir)
	if err != nil {
		return nil, err
	}
	tokens := make([]Token, len(records))
	for i, r := range records {
		tokens[i] = r.Token
	}
	return tokens, nil
}

// Revoke makes a token worthless for good, and tells which it was. It is named
// by its ID, by the beginning of it (at least 4 letters) or of the token, or by
// the whole token.
// None of that name is fault.NotFound, several are fault.Conflict. Without the
// owner's token nobody is locked out: the next call of Owner makes another.
func (s *Store) Revoke(name string) (Token, error) {
	records, err := load(s.dir)
	if err != nil {
		return Token{}, err
	}
	if _, err := find(records, name); err != nil {
		return Token{}, err // before anything is made
	}
	var revoked Token
	err = s.change(func(records []record) ([]record, error) {
		i, err := find(records, name)
		if err != nil {
			return nil, err
		}
		revoked = records[i].Token
		if revoked.ID == OwnerID {
			// First: a file left behind would bring the token back.
			if err := os.Remove(filepath.Join(s.dir, ownerFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fault.Wrap(fault.Unavailable, err, "revoke the owner's token")
			}
		}
		return slices.Delete(records, i, i+1), nil
	})
	if err != nil {
		return Token{}, err
	}
	return revoked, nil
}

// minPrefix is how much of an ID is enough to name a token.
const minPrefix = 4

// find gives the index of the token that is meant.
func find(records []record, name string) (int, error) {
	var match func(record) bool
	shown := name
	switch {
	case WellFormed(name):
		h := hashOf(name)
		match = func(r record) bool { return r.Hash == h }
		shown = name[:shownLength] + "…"
	case strings.HasPrefix(name, Prefix) && len(name) > len(Prefix):
		// More than what is kept of its beginning cannot be compared.
		match = func(r record) bool { return len(name) <= len(r.Start) && strings.HasPrefix(r.Start, name) }
		shown = name[:min(len(name), shownLength)]
	default:
		// Fewer letters are more likely a slip than a choice.
		match = func(r record) bool { return len(name) >= minPrefix && strings.HasPrefix(r.ID, name) }
	}
	found := -1
	for i, r := range records {
		if r.ID == name {
			return i, nil
		}
		if !match(r) {
			continue
		}
		if found >= 0 {
			return -1, fault.New(fault.Conflict, "%.40q is the beginning of more than one token", shown).
				WithHint("give more of the token's id")
		}
		found = i
	}
	if found < 0 {
		return -1, fault.New(fault.NotFound, "there is no API token %.40q", shown).
			WithHint("apify token ls lists those that there are")
	}
	return found, nil
}
