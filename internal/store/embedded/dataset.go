package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/segment"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// dataset keeps its items in a log of segments.
type dataset struct{ *storage }

func newDataset(_ context.Context, s *storage) (store.Dataset, error) { return &dataset{s}, nil }

// Info gives the dataset's metadata.
func (d *dataset) Info(ctx context.Context) (store.Info, error) {
	found, err := d.row(ctx)
	if err != nil {
		return store.Info{}, err
	}
	if err := d.root.items.Complete(ctx, found.key, found.items.Valid, &found.info); err != nil {
		return store.Info{}, d.told(err, "read")
	}
	return found.info, nil
}

// told gives an error of a log the words of this dataset.
func (d *dataset) told(err error, verb string) error {
	var damage *segment.DamageError
	switch {
	case errors.As(err, &damage):
		f := fault.New(fault.Internal, "item %d of dataset %q cannot be read: %w", damage.Item, d.id, err).
			WithHint("the other items can; apify serve fsck tells all that is damaged")
		f.Data = map[string]any{"datasetId": d.id, "item": damage.Item, "segment": damage.Segment, "offset": damage.Offset}
		return f
	case errors.Is(err, segment.ErrClosed):
		return fault.New(fault.Unavailable, "the store is closed")
	case errors.Is(err, segment.ErrTooLarge):
		return fault.New(fault.TooLarge, "the items are too large for dataset %q", d.id)
	}
	return database.Failed(err, "%s dataset %q", verb, d.id)
}

// Append adds items, all or none.
func (d *dataset) Append(ctx context.Context, items []json.RawMessage) error {
	if err := database.Live(ctx); err != nil {
		return err
	}
	size := 0
	for _, item := range items {
		size += len(item)
	}
	text := make([]byte, 0, size)
	compact := make([][]byte, len(items))
	for i, item := range items {
		if i%256 == 255 {
			if err := database.Live(ctx); err != nil {
				return err
			}
		}
		start, ok := len(text), false
		if text, ok = jsontext.AppendCompact(text, item); !ok || text[start] != '{' {
			return fault.New(fault.InvalidRequest, "item %d of %d is not a JSON object", i+1, len(items))
		}
		// What is compact is never longer than what it was, so the buffer stays
		// where it is.
		compact[i] = text[start:len(text):len(text)]
	}
	d.gate.RLock()
	defer d.gate.RUnlock()
	if d.deleted {
		return d.missing()
	}
	if len(items) == 0 {
		return nil
	}
	l, err := d.root.items.Acquire(d.key)
	if err != nil {
		return d.told(err, "open")
	}
	defer d.root.items.Release(l)
	if err := d.root.items.Append(ctx, l, compact, d.missing); err != nil {
		return d.told(err, "write to")
	}
	d.use.Write(len(compact))
	return nil
}

// Items yields the items from offset on, counted from the end when desc.
func (d *dataset) Items(ctx context.Context, offset, limit int, desc bool) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		err := database.Live(ctx)
		if err == nil {
			err = d.present()
		}
		if err != nil {
			yield(nil, err)
			return
		}
		d.use.Touch()
		read := 0
		defer func() { d.use.Read(read) }()
		l, err := d.root.items.Acquire(d.key)
		if err != nil {
			yield(nil, d.told(err, "open"))
			return
		}
		defer d.root.items.Release(l)
		log := l.Segments()
		count := log.Count()
		offset := min(max(offset, 0), count)
		n := count - offset
		if limit >= 0 {
			n = min(n, limit)
		}
		from := offset
		if desc {
			from = count - offset - n
		}
		for item, err := range log.Read(ctx, from, from+n, desc) {
			if errors.Is(err, fs.ErrNotExist) && d.present() != nil {
				err = d.missing()
			}
			if err == nil {
				read++
			}
			if !yield(item, d.told(err, "read")) {
				return
			}
		}
	}
}

// Statistics tell what is in the items' fields.
func (d *dataset) Statistics(ctx context.Context) (store.Statistics, error) {
	err := database.Live(ctx)
	if err == nil {
		err = d.present()
	}
	if err != nil {
		return store.Statistics{}, err
	}
	d.use.Touch()
	s, err := d.root.items.Statistics(ctx, d.key)
	return s, d.told(err, "count the fields of")
}
