package actor

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Content types that Set chooses.
const (
	TypeJSON   = "application/json; charset=utf-8"
	TypeText   = "text/plain; charset=utf-8"
	TypeBinary = "application/octet-stream"
)

// KeyValueStore maps keys to values with a content type.
type KeyValueStore struct {
	name   string
	remote func(ctx context.Context) (client.KeyValueStore, error)
	local  func(ctx context.Context, create bool) (store.KeyValueStore, error)
}

// KeyValueStore is the run's default key-value store.
func (a *Actor) KeyValueStore() *KeyValueStore {
	s := &KeyValueStore{name: a.config.DefaultKeyValueStoreID}
	if a.config.AtHome {
		s.remote = func(context.Context) (client.KeyValueStore, error) {
			c, err := a.api()
			if err != nil {
				return client.KeyValueStore{}, err
			}
			return c.KeyValueStore(s.name), nil
		}
		return s
	}
	s.local = a.localKeyValueStore(s.name)
	return s
}

// OpenKeyValueStore opens a store by id or name, as OpenDataset does a dataset;
// paths are not supported.
func (a *Actor) OpenKeyValueStore(ctx context.Context, idOrName string) (*KeyValueStore, error) {
	if idOrName == "" || idOrName == "default" {
		return a.KeyValueStore(), nil
	}
	if a.config.AtHome {
		c, err := a.api()
		if err != nil {
			return nil, err
		}
		id, err := find(ctx, c, idOrName, "key-value store",
			func(name string) (string, error) { meta, err := c.KeyValueStore(name).Get(ctx); return meta.ID, err },
			func(name string) (string, error) { meta, err := c.CreateKeyValueStore(ctx, name); return meta.ID, err })
		if err != nil {
			return nil, err
		}
		remote := c.KeyValueStore(id)
		return &KeyValueStore{name: idOrName, remote: func(context.Context) (client.KeyValueStore, error) { return remote, nil }}, nil
	}
	name := ownName(idOrName)
	open := a.localKeyValueStore(name)
	if _, err := open(ctx, !looksLikeID(name)); err != nil {
		return nil, err
	}
	return &KeyValueStore{name: idOrName, local: open}, nil
}

func (a *Actor) localKeyValueStore(name string) func(context.Context, bool) (store.KeyValueStore, error) {
	return func(ctx context.Context, create bool) (store.KeyValueStore, error) {
		root, err := a.local()
		if err != nil {
			return nil, err
		}
		return openLocal(ctx, root.KeyValueStores(), name, create)
	}
}

// Record is an open value. Size is in bytes, -1 when not known; the caller
// closes Body.
type Record struct {
	ContentType string
	Size        int64
	Body        io.ReadCloser
}

func (r *Record) decode(v any) error {
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "read the value")
	}
	switch v := v.(type) {
	case *[]byte:
		*v = data
	case *string:
		*v = string(data)
		if strings.HasPrefix(r.ContentType, "application/json") {
			return json.Unmarshal(data, v)
		}
	default:
		if err := json.Unmarshal(data, v); err != nil {
			return fault.Wrap(fault.InvalidInput, err, "decode the value")
		}
	}
	return nil
}

// Open opens the value under key as it was stored. A missing one is
// fault.NotFound.
func (s *KeyValueStore) Open(ctx context.Context, key string) (*Record, error) {
	if s.remote != nil {
		remote, err := s.remote(ctx)
		if err != nil {
			return nil, err
		}
		record, err := remote.Record(ctx, key)
		if err != nil {
			if fault.Is(err, fault.NotFound) {
				return nil, s.missing(key, err)
			}
			return nil, within(err, "value %s", key)
		}
		return &Record{record.ContentType, record.Size, record.Body}, nil
	}
	record, err := s.record(ctx, key)
	if err != nil {
		return nil, err
	}
	return &Record{record.ContentType, record.Size, record.Body}, nil
}

// missing words what is not there; a finer type of the API's is kept.
func (s *KeyValueStore) missing(key string, cause error) error {
	e := fault.New(fault.NotFound, "there is no value %q in key-value store %s", key, s.name)
	if known, ok := cause.(*fault.Error); ok {
		e.Type = known.Type
	}
	return e
}

func (s *KeyValueStore) record(ctx context.Context, key string) (*store.Record, error) {
	local, err := s.local(ctx, false)
	var record *store.Record
	if err == nil {
		record, err = local.Get(ctx, key)
	}
	if fault.Is(err, fault.NotFound) {
		return nil, s.missing(key, err)
	}
	return record, err
}

// Get decodes the value under key into v: as it is for *[]byte, as text for
// *string, and from JSON for anything else.
func (s *KeyValueStore) Get(ctx context.Context, key string, v any) error {
	record, err := s.Open(ctx, key)
	if err != nil {
		return err
	}
	return within(record.decode(v), "value %s", key)
}

// Set stores v under key: []byte and io.Reader as they are, string as text,
// anything else as JSON. Nil removes the key.
func (s *KeyValueStore) Set(ctx context.Context, key string, v any) error {
	switch v := v.(type) {
	case nil:
		return s.Delete(ctx, key)
	case []byte:
		return s.Put(ctx, key, TypeBinary, bytes.NewReader(v))
	case string:
		return s.Put(ctx, key, TypeText, strings.NewReader(v))
	case io.Reader:
		return s.Put(ctx, key, TypeBinary, v)
	}
	text, err := encode(v)
	if err != nil {
		return within(err, "value %s", key)
	}
	return s.Put(ctx, key, TypeJSON, bytes.NewReader(text))
}

// Put stores what r gives until EOF under key, without holding it in memory.
// When r fails, what was there stays.
func (s *KeyValueStore) Put(ctx context.Context, key, contentType string, r io.Reader) error {
	if s.remote != nil {
		remote, err := s.remote(ctx)
		if err != nil {
			return err
		}
		return within(remote.Put(ctx, key, contentType, r), "value %s", key)
	}
	local, err := s.local(ctx, true)
	if err != nil {
		return err
	}
	_, err = local.Put(ctx, key, contentType, r)
	return err
}

// Delete removes the value under key; a missing one is not an error.
func (s *KeyValueStore) Delete(ctx context.Context, key string) error {
	if s.remote != nil {
		remote, err := s.remote(ctx)
		if err != nil {
			return err
		}
		err = remote.DeleteRecord(ctx, key)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return within(err, "value %s", key)
	}
	local, err := s.local(ctx, false)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return local.DeleteRecord(ctx, key)
}

// Key is one key of a store. Size is in bytes; ModifiedAt is zero when the
// platform does not say.
type Key struct {
	Key        string
	Size       int64
	ModifiedAt time.Time
}

// Keys yields the keys that begin with prefix, in byte order.
func (s *KeyValueStore) Keys(ctx context.Context, prefix string) iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		start := ""
		for {
			page, next, err := s.page(ctx, prefix, start)
			if err != nil {
				yield(Key{}, err)
				return
			}
			for _, key := range page {
				if !yield(key, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			start = next
		}
	}
}

// page reads the keys after start; next is the start of the following page, ""
// on the last.
func (s *KeyValueStore) page(ctx context.Context, prefix, start string) (keys []Key, next string, err error) {
	if s.remote != nil {
		remote, err := s.remote(ctx)
		if err != nil {
			return nil, "", err
		}
		page, err := remote.Keys(ctx, client.KeysOptions{Prefix: prefix, ExclusiveStartKey: start})
		if err != nil {
			return nil, "", within(err, "key-value store %s", s.name)
		}
		for _, key := range page.Items {
			keys = append(keys, Key{Key: key.Key, Size: key.Size})
		}
		if page.NextExclusiveStartKey != nil {
			next = *page.NextExclusiveStartKey
		}
		return keys, next, nil
	}
	local, err := s.local(ctx, false)
	if fault.Is(err, fault.NotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	page, err := local.Keys(ctx, store.KeysOptions{Prefix: prefix, ExclusiveStartKey: start, Limit: 1000})
	if err != nil {
		return nil, "", err
	}
	for _, info := range page.Items {
		keys = append(keys, Key{info.Key, info.Size, info.ModifiedAt})
	}
	if page.More && len(keys) > 0 {
		next = keys[len(keys)-1].Key
	}
	return keys, next, nil
}

// PublicURL is an address under which the value can be read: in a run one that
// anybody can open, whether the value is there yet or not; outside one that of
// its file, which must exist.
func (s *KeyValueStore) PublicURL(ctx context.Context, key string) (string, error) {
	if s.remote != nil {
		remote, err := s.remote(ctx)
		if err != nil {
			return "", err
		}
		address, err := remote.PublicURL(ctx, key)
		return address, within(err, "key-value store %s", s.name)
	}
	record, err := s.record(ctx, key)
	if err != nil {
		return "", err
	}
	defer record.Body.Close()
	file, ok := record.Body.(interface{ Name() string })
	if !ok {
		return "", fault.New(fault.NotImplemented, "value %s has no file of its own", key)
	}
	path, err := filepath.Abs(file.Name())
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "find the file of value %s", key)
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a Windows drive
	}
	return (&url.URL{Scheme: "file", Path: path}).String(), nil
}
