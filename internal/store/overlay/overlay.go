// Package overlay puts records over a store without writing them: a run reads
// the input it was given, and the input stored beside it stays untouched,
// whatever happens to the process.
package overlay

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// Root is a store.Root with records held over its key-value stores.
type Root struct {
	store.Root
	held *held
}

type held struct {
	mu      sync.RWMutex
	records map[string]record // by store id and key
}

type record struct {
	info store.RecordInfo
	body []byte
}

// New lays an empty overlay over root.
func New(root store.Root) *Root {
	return &Root{Root: root, held: &held{records: map[string]record{}}}
}

// Hold makes key of the store read as body until it is written or deleted
// there; what the store itself has under key stays as it is until then.
func (r *Root) Hold(storeID, key, contentType string, body []byte) {
	r.held.mu.Lock()
	defer r.held.mu.Unlock()
	r.held.records[storeID+"/"+key] = record{
		info: store.RecordInfo{Key: key, ContentType: contentType, Size: int64(len(body)), ModifiedAt: time.Now()},
		body: bytes.Clone(body),
	}
}

func (h *held) get(storeID, key string) (record, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	rec, ok := h.records[storeID+"/"+key]
	return rec, ok
}

func (h *held) drop(storeID, key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.records, storeID+"/"+key)
}

func (h *held) of(storeID string) []store.RecordInfo {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var infos []store.RecordInfo
	for id, rec := range h.records {
		if strings.HasPrefix(id, storeID+"/") {
			infos = append(infos, rec.info)
		}
	}
	return infos
}

// KeyValueStores gives the stores with what is held over them.
func (r *Root) KeyValueStores() store.Collection[store.KeyValueStore] {
	return stores{r.Root.KeyValueStores(), r.held}
}

type stores struct {
	store.Collection[store.KeyValueStore]
	held *held
}

func (s stores) Open(ctx context.Context, idOrName string) (store.KeyValueStore, error) {
	kvs, err := s.Collection.Open(ctx, idOrName)
	if err != nil {
		return nil, err
	}
	return keyValueStore{kvs, s.held}, nil
}

func (s stores) Create(ctx context.Context, opts store.CreateOptions) (store.KeyValueStore, bool, error) {
	kvs, created, err := s.Collection.Create(ctx, opts)
	if err != nil {
		return nil, false, err
	}
	return keyValueStore{kvs, s.held}, created, nil
}

type keyValueStore struct {
	store.KeyValueStore
	held *held
}

func (k keyValueStore) Put(ctx context.Context, key, contentType string, r io.Reader) (store.RecordInfo, error) {
	info, err := k.KeyValueStore.Put(ctx, key, contentType, r)
	if err == nil {
		k.held.drop(k.ID(), key)
	}
	return info, err
}

func (k keyValueStore) DeleteRecord(ctx context.Context, key string) error {
	if err := k.KeyValueStore.DeleteRecord(ctx, key); err != nil {
		return err
	}
	k.held.drop(k.ID(), key)
	return nil
}

func (k keyValueStore) Get(ctx context.Context, key string) (*store.Record, error) {
	if rec, ok := k.held.get(k.ID(), key); ok {
		return &store.Record{RecordInfo: rec.info, Body: nopCloser{bytes.NewReader(rec.body)}}, nil
	}
	return k.KeyValueStore.Get(ctx, key)
}

func (k keyValueStore) Stat(ctx context.Context, key string) (store.RecordInfo, error) {
	if rec, ok := k.held.get(k.ID(), key); ok {
		return rec.info, nil
	}
	return k.KeyValueStore.Stat(ctx, key)
}

func (k keyValueStore) Keys(ctx context.Context, opts store.KeysOptions) (store.KeysPage, error) {
	page, err := k.KeyValueStore.Keys(ctx, opts)
	if err != nil {
		return page, err
	}
	for _, info := range k.held.of(k.ID()) {
		if !strings.HasPrefix(info.Key, opts.Prefix) || info.Key <= opts.ExclusiveStartKey {
			continue
		}
		i, found := slices.BinarySearchFunc(page.Items, info.Key, func(a store.RecordInfo, key string) int {
			return strings.Compare(a.Key, key)
		})
		switch {
		case found:
			page.Items[i] = info
		case i == len(page.Items) && page.More:
			// It belongs to a later page.
		default:
			page.Items = slices.Insert(page.Items, i, info)
		}
	}
	if opts.Limit > 0 && len(page.Items) > opts.Limit {
		page.Items, page.More = page.Items[:opts.Limit], true
	}
	return page, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
