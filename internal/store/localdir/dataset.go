package localdir

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/summary"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// dataset keeps one item per file, numbered from 1 without gaps.
type dataset struct {
	*storage
	// fields is what the first items have in their fields; nil until somebody
	// asks.
	fields *summary.Summary
}

func newDataset(s *storage) store.Dataset {
	d := &dataset{storage: s}
	s.recount = d.recountItems
	return d
}

// itemName is the file of the nth item, counted from 1.
func itemName(n int) string { return fmt.Sprintf("%09d.json", n) }

// recountItems corrects the known number of items: another process may have added
// some, or a process may have died before it wrote the number. It looks at a
// few files, not at the folder.
func (d *dataset) recountItems() {
	dir, err := openFolder(d.path())
	if err != nil {
		d.meta.Info.ItemCount = 0
	} else {
		d.meta.Info.ItemCount = lastItem(dir, d.meta.Info.ItemCount)
		dir.close()
	}
	d.shrink(d.meta.Info.ItemCount)
}

// shrink forgets what was counted of items when there are fewer: those that are
// there may be others.
func (d *dataset) shrink(count int) {
	if count < d.meta.CleanOf {
		d.meta.CleanOf, d.meta.Info.CleanItemCount = 0, 0
	}
	if d.fields != nil && count < d.fields.Items() {
		d.fields = nil
	}
}

// countClean counts the clean items that others have added.
func (d *dataset) countClean(ctx context.Context) error {
	m := &d.meta
	if m.CleanOf == m.Info.ItemCount {
		return nil
	}
	more := &summary.Summary{}
	if err := d.summarise(ctx, more, m.CleanOf); err != nil {
		return err
	}
	m.Info.CleanItemCount += more.Clean()
	m.CleanOf, d.stale = m.Info.ItemCount, true
	return nil
}

// summarise adds the items behind the first ones to a summary. The dataset is
// locked.
func (d *dataset) summarise(ctx context.Context, s *summary.Summary, first int) error {
	dir, err := openFolder(d.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return internal(err, "open dataset %q", d.folder)
	}
	defer dir.close()
	var buf []byte
	for n := first + 1; n <= d.meta.Info.ItemCount; n++ {
		if err := live(ctx); err != nil {
			return err
		}
		buf, err = dir.read(itemName(n), buf[:0])
		switch item := bytes.TrimPrefix(buf, []byte("\xef\xbb\xbf")); {
		case errors.Is(err, fs.ErrNotExist), err == nil && !json.Valid(item):
			s.Skip() // somebody removed or broke it
		case err != nil:
			return internal(err, "read item %d of dataset %q", n, d.id)
		default:
			s.Add(item)
		}
	}
	return nil
}

// Statistics tell what is in the items' fields. Nothing of it is kept in the
// folder, since other programs add items: what is there is read once.
func (d *dataset) Statistics(ctx context.Context) (store.Statistics, error) {
	end, err := d.beginRead(ctx)
	if err != nil {
		return store.Statistics{}, err
	}
	defer end()
	d.recountItems()
	if d.fields == nil {
		d.fields = &summary.Summary{}
	}
	if err := d.summarise(ctx, d.fields, d.fields.Items()); err != nil {
		d.fields = nil
		return store.Statistics{}, err
	}
	return d.fields.Statistics(), nil
}

// lastItem finds the number of the last item, given a guess.
func lastItem(dir folder, guess int) int {
	has := func(n int) bool { return n == 0 || dir.exists(itemName(n)) }
	if guess < 0 || !has(guess) {
		// Fewer than thought: the files were removed, from the end or all.
		low, high := 0, max(guess, 1)
		for high-low > 1 {
			if mid := low + (high-low)/2; has(mid) {
				low = mid
			} else {
				high = mid
			}
		}
		guess = low
	}
	low, step := guess, 1
	for has(low + step) {
		low += step
		step *= 2
	}
	for high := low + step; high-low > 1; {
		if mid := low + (high-low)/2; has(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// Info gives the dataset's metadata.
func (d *dataset) Info(ctx context.Context) (store.Info, error) {
	end, err := d.beginRead(ctx)
	if err != nil {
		return store.Info{}, err
	}
	defer end()
	d.recountItems()
	if err := d.countClean(ctx); err != nil {
		return store.Info{}, err
	}
	return d.info(), nil
}

// Append adds items. They are written where nobody looks, then moved to their
// places in order, so that a process that dies leaves whole items only.
func (d *dataset) Append(ctx context.Context, items []json.RawMessage) error {
	if err := live(ctx); err != nil {
		return err
	}
	if len(items) == 0 {
		return nil
	}
	staged, err := d.stage(ctx, items)
	if err != nil {
		return err
	}
	defer staged.discard()
	if err := d.begin(ctx); err != nil {
		return err
	}
	added, err := d.place(staged)
	if added {
		d.storage.count(store.Stats{Writes: len(items)})
	}
	d.end(added)
	return err
}

// place moves staged items behind the present ones, all or none. The dataset
// is locked.
func (d *dataset) place(items *staged) (bool, error) {
	dir, err := openFolder(d.path())
	if errors.Is(err, fs.ErrNotExist) {
		// Somebody removed the folder while we had it open.
		if err := d.materialise(); err != nil {
			return false, err
		}
		dir, err = openFolder(d.path())
	}
	if err != nil {
		return false, internal(err, "open dataset %q", d.folder)
	}
	defer dir.close()
	last := lastItem(dir, d.meta.Info.ItemCount)
	before := last
	d.shrink(before)
	numbers := make([]int, 0, len(items.paths))
	for i := range items.paths {
		last++
		err := dir.take(items.paths[i], itemName(last))
		for errors.Is(err, fs.ErrExist) {
			// A program that does not know our lock added an item meanwhile.
			last = lastItem(dir, last) + 1
			err = dir.take(items.paths[i], itemName(last))
		}
		if err != nil {
			for j := len(numbers) - 1; j >= 0; j-- {
				dir.remove(itemName(numbers[j]))
			}
			return false, internal(err, "add to dataset %q", d.folder)
		}
		numbers = append(numbers, last)
		items.left = i + 1
	}
	if m := &d.meta; m.CleanOf == before && last == before+len(numbers) {
		m.CleanOf, m.Info.CleanItemCount = last, m.Info.CleanItemCount+items.clean
	}
	d.meta.Info.ItemCount = last
	return true, nil
}

// staged are items written but not yet visible.
type staged struct {
	paths []string
	left  int // the first of those still there
	clean int // how many have a field that is not hidden
}

func (s *staged) discard() {
	for _, path := range s.paths[s.left:] {
		os.Remove(path)
	}
}

// stage checks the items, and writes them indented as the JavaScript SDK does.
func (d *dataset) stage(ctx context.Context, items []json.RawMessage) (_ *staged, err error) {
	var counted summary.Summary
	s := &staged{paths: make([]string, 0, len(items))}
	defer func() {
		if err != nil {
			s.discard()
		}
	}()
	var text bytes.Buffer
	for i, item := range items {
		if i%256 == 0 {
			if err := live(ctx); err != nil {
				return nil, err
			}
		}
		item = bytes.TrimSpace(item)
		text.Reset()
		if len(item) == 0 || item[0] != '{' || json.Indent(&text, item, "", "\t") != nil {
			return nil, fault.New(fault.InvalidRequest, "item %d of %d is not a JSON object", i+1, len(items))
		}
		path, err := d.root.writeAside(text.Bytes())
		if err != nil {
			return nil, internal(err, "write to dataset %q", d.id)
		}
		s.paths = append(s.paths, path)
		counted.Add(item)
	}
	s.clean = counted.Clean()
	return s, nil
}

// Items yields the items from offset on, counted from the end when desc.
// Numbers that are missing, because somebody removed their files, are passed
// over.
func (d *dataset) Items(ctx context.Context, offset, limit int, desc bool) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		info, err := d.Info(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		offset := max(offset, 0)
		end := info.ItemCount
		if limit >= 0 {
			end = offset + min(limit, max(end-offset, 0))
		}
		if offset >= end {
			return
		}
		d.mu.Lock()
		path := d.path()
		d.mu.Unlock()
		dir, err := openFolder(path)
		if err != nil {
			yield(nil, internal(err, "open dataset %q", d.id))
			return
		}
		defer dir.close()
		read := 0
		defer func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.storage.count(store.Stats{Reads: read})
		}()
		var buf []byte
		for i := offset; i < end; i++ {
			if err := live(ctx); err != nil {
				yield(nil, err)
				return
			}
			n := i + 1
			if desc {
				n = info.ItemCount - i
			}
			buf, err = dir.read(itemName(n), buf[:0])
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				yield(nil, internal(err, "read item %d of dataset %q", n, d.id))
				return
			}
			item := bytes.TrimSpace(bytes.TrimPrefix(buf, []byte("\xef\xbb\xbf")))
			if !json.Valid(item) {
				yield(nil, fault.New(fault.Internal, "item %d of dataset %q is not valid JSON", n, d.id).
					WithHint("repair or remove %s", itemName(n)))
				return
			}
			read++
			if !yield(item, nil) {
				return
			}
		}
	}
}
