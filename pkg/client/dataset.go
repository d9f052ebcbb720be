package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// MaxBody is the most bytes that the API takes in one request body, except for
// records of key-value stores. Source: the platform's 413 answer.
const MaxBody = 9 << 20

// Dataset is the handle of one dataset; making it calls nothing.
type Dataset struct {
	c  *Client
	id string
}

// Dataset names a dataset by its id, its name, or as "user/name".
func (c *Client) Dataset(idOrName string) Dataset { return Dataset{c, idOrName} }

// CreateDataset finds the caller's dataset of that name or makes it; an empty
// name makes an unnamed one.
func (c *Client) CreateDataset(ctx context.Context, name string) (api.Dataset, error) {
	return fetch[api.Dataset](ctx, c, creation("/datasets", name))
}

// creation of a named thing may be repeated: it finds what the first one made.
func creation(path, name string) call {
	create := call{method: http.MethodPost, path: path, once: name == ""}
	if name != "" {
		create.query = url.Values{"name": {name}}
	}
	return create
}

func (d Dataset) path(verb string) string { return "/datasets/" + ref(d.id) + verb }

// Get reads the dataset's metadata.
func (d Dataset) Get(ctx context.Context) (api.Dataset, error) {
	return get[api.Dataset](ctx, d.c, d.path(""), nil)
}

// Delete removes the dataset with all its items.
func (d Dataset) Delete(ctx context.Context) error {
	return d.c.discard(ctx, call{method: http.MethodDelete, path: d.path("")})
}

// Push appends items, each the text of a JSON object, in as few requests as
// MaxBody allows. Each request is stored whole or not at all; pushed counts
// the items of those that were answered, also when a later one failed. An item
// that is larger than MaxBody by itself is fault.TooLarge, and nothing is sent.
// Items that the dataset's schema rejects are fault.InvalidInput, whose message
// names them and whose Data is the API's error.data.
func (d Dataset) Push(ctx context.Context, items []json.RawMessage) (pushed int, err error) {
	for i, item := range items {
		if len(item)+2 > MaxBody {
			return 0, fault.New(fault.TooLarge, "item %d has %d bytes, and the API takes at most %d", i+1, len(item), MaxBody-2).
				WithHint("store large values in the key-value store and push their keys")
		}
	}
	for len(items) > 0 {
		n, size := 0, 1
		for n < len(items) && size+len(items[n])+1 <= MaxBody {
			size += len(items[n]) + 1
			n++
		}
		var buf bytes.Buffer
		buf.Grow(size)
		buf.WriteByte('[')
		for i, item := range items[:n] {
			if i > 0 {
				buf.WriteByte(',')
			}
			buf.Write(item)
		}
		buf.WriteByte(']')
		push := call{method: http.MethodPost, path: d.path("/items"), header: jsonHeader(), once: true}
		push.body, push.size = bytesBody(buf.Bytes())
		if err := d.c.discard(ctx, push); err != nil {
			return pushed, explain(err, pushed)
		}
		pushed += n
		items = items[n:]
	}
	return pushed, nil
}

// ItemsOptions select items and their form. Limit 0 means all.
type ItemsOptions struct {
	Offset, Limit int
	Desc          bool
	// Clean leaves out empty items and hidden fields.
	Clean bool
	// Format is json (when empty), jsonl, csv, xml, rss, html or xlsx.
	Format string
	// More are further parameters of the API, such as fields and unwind.
	More url.Values
}

// Items streams the items as one document in the chosen format. The caller
// closes it.
func (d Dataset) Items(ctx context.Context, opts ItemsOptions) (io.ReadCloser, error) {
	download, err := d.Download(ctx, opts)
	if err != nil {
		return nil, err
	}
	return download.Body, nil
}

// Each yields the items one by one as they arrive; Format is ignored. The bytes
// are the caller's.
func (d Dataset) Each(ctx context.Context, opts ItemsOptions) iter.Seq2[json.RawMessage, error] {
	opts.Format = "json"
	return func(yield func(json.RawMessage, error) bool) {
		body, err := d.Items(ctx, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		defer body.Close()
		dec := json.NewDecoder(body)
		if _, err = dec.Token(); err == nil {
			for dec.More() {
				var item json.RawMessage
				if err = dec.Decode(&item); err != nil {
					break
				}
				if !yield(item, nil) {
					return
				}
			}
			if err == nil {
				_, err = dec.Token()
			}
		}
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			err = fault.New(fault.Unavailable, "the items of dataset %s ended early: %w", d.id, err)
		} else {
			err = ctx.Err()
		}
		yield(nil, err)
	}
}
