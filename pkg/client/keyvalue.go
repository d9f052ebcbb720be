package client

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strconv"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// KeyValueStore is the handle of one store; making it calls nothing.
type KeyValueStore struct {
	c  *Client
	id string
}

// KeyValueStore names a store by its id, its name, or as "user/name".
func (c *Client) KeyValueStore(idOrName string) KeyValueStore { return KeyValueStore{c, idOrName} }

// CreateKeyValueStore finds the caller's store of that name or makes it; an
// empty name makes an unnamed one.
func (c *Client) CreateKeyValueStore(ctx context.Context, name string) (api.KeyValueStore, error) {
	return fetch[api.KeyValueStore](ctx, c, creation("/key-value-stores", name))
}

func (s KeyValueStore) path(verb string) string { return "/key-value-stores/" + ref(s.id) + verb }

func (s KeyValueStore) record(key string) string { return s.path("/records/" + segment(key)) }

// Get reads the store's metadata.
func (s KeyValueStore) Get(ctx context.Context) (api.KeyValueStore, error) {
	return get[api.KeyValueStore](ctx, s.c, s.path(""), nil)
}

// Delete removes the store with all its records.
func (s KeyValueStore) Delete(ctx context.Context) error {
	return s.c.discard(ctx, call{method: http.MethodDelete, path: s.path("")})
}

// Record is an open record. Size is in bytes, -1 when the API did not say; the
// caller closes Body.
type Record struct {
	ContentType string
	Size        int64
	Body        io.ReadCloser
}

// Record opens a record as it was stored; a missing one is fault.NotFound.
func (s KeyValueStore) Record(ctx context.Context, key string) (*Record, error) {
	// Without attachment the cloud rewrites HTML.
	resp, err := s.c.send(ctx, call{method: http.MethodGet, path: s.record(key), query: url.Values{"attachment": {"true"}}})
	if err != nil {
		return nil, err
	}
	return &Record{ContentType: resp.Header.Get("Content-Type"), Size: resp.ContentLength, Body: resp.Body}, nil
}

// Exists tells whether there is such a record.
func (s KeyValueStore) Exists(ctx context.Context, key string) (bool, error) {
	err := s.c.discard(ctx, call{method: http.MethodHead, path: s.record(key)})
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Put stores what r gives until EOF, without holding it in memory. When r
// fails, nothing is stored and the error is r's. A reader that can seek lets
// the call be repeated.
func (s KeyValueStore) Put(ctx context.Context, key, contentType string, r io.Reader) error {
	put := call{method: http.MethodPut, path: s.record(key), header: http.Header{"Content-Type": {contentType}}}
	var replay bool
	put.body, put.size, replay = streamBody(r)
	put.once = !replay
	return s.c.discard(ctx, put)
}

// DeleteRecord removes a record; a missing one is not an error.
func (s KeyValueStore) DeleteRecord(ctx context.Context, key string) error {
	return s.c.discard(ctx, call{method: http.MethodDelete, path: s.record(key)})
}

// KeysOptions select a page of keys. Limit 0 leaves it to the API (1000).
type KeysOptions struct {
	ExclusiveStartKey string
	Prefix            string
	Limit             int
}

// Keys lists a page of keys in byte order.
func (s KeyValueStore) Keys(ctx context.Context, opts KeysOptions) (api.ListOfKeys, error) {
	query := url.Values{}
	if opts.ExclusiveStartKey != "" {
		query.Set("exclusiveStartKey", opts.ExclusiveStartKey)
	}
	if opts.Prefix != "" {
		query.Set("prefix", opts.Prefix)
	}
	if opts.Limit > 0 {
		query.Set("limit", strconv.Itoa(opts.Limit))
	}
	return get[api.ListOfKeys](ctx, s.c, s.path("/keys"), query)
}

// PublicURL is the address under which anybody can read the record. The record
// need not exist yet.
func (s KeyValueStore) PublicURL(ctx context.Context, key string) (string, error) {
	page, err := s.Keys(ctx, KeysOptions{Prefix: key, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(page.Items) == 1 && page.Items[0].Key == key && page.Items[0].RecordPublicURL != "" {
		return page.Items[0].RecordPublicURL, nil
	}
	type store struct {
		ID     string `json:"id"`
		Secret string `json:"urlSigningSecretKey"`
	}
	meta, err := get[store](ctx, s.c, s.path(""), nil)
	if err != nil {
		return "", err
	}
	address := s.c.public + "/key-value-stores/" + segment(meta.ID) + "/records/" + segment(key)
	if meta.Secret != "" {
		address += "?signature=" + sign(meta.Secret, key)
	}
	return address, nil
}

// sign is the platform's signature of a record: the first 30 hexadecimal digits
// of the HMAC-SHA256 in base 62.
func sign(secret, message string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(message))
	n, _ := new(big.Int).SetString(hex.EncodeToString(mac.Sum(nil))[:30], 16)
	return n.Text(62) // digits, lower case, upper case: the platform's alphabet
}
