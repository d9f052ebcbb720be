package segment

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sort"
)

const (
	pageItems = 512       // how many items are read at once at most
	pageBytes = 512 << 10 // and how many bytes, unless one item has more
)

// page is a run of items that lie in one segment, as they are to be read.
type page struct {
	part    part
	from    int // number of the first in the segment
	offsets []uint32
	end     int64 // where the last one ends, missing when its header must tell
}

// Read yields the items from up to to, those that are there, the last first
// when desc. An item that is damaged gives a *DamageError; who goes on gets the
// rest. The bytes are valid until the next step.
func (l *Log) Read(ctx context.Context, from, to int, desc bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		from, to := max(from, 0), min(to, l.Count())
		var buf []byte
		for from < to {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			var p page
			var err error
			if desc {
				p, err = l.page(max(from, to-pageItems), to, true)
			} else {
				p, err = l.page(from, min(to, from+pageItems), false)
			}
			var items []item
			if err == nil {
				items, buf, err = l.load(p, buf)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range items {
				it := items[i]
				if desc {
					it = items[len(items)-1-i]
				}
				if !yield(it.data, it.err) {
					return
				}
			}
			if desc {
				to -= len(items)
			} else {
				from += len(items)
			}
		}
	}
}

type item struct {
	data []byte
	err  error
}

// page finds the beginning (or, when desc, the end) of the items from up to to
// that one segment holds and that fit into a page.
func (l *Log) page(from, to int, desc bool) (page, error) {
	l.mu.RLock()
	anchor := from
	if desc {
		anchor = to - 1
	}
	i := sort.Search(len(l.parts), func(i int) bool { return l.parts[i].first > anchor }) - 1
	if i < 0 {
		// The first segment is gone with its file.
		first := l.parts[0].first
		l.mu.RUnlock()
		n := min(to, first) - from
		return page{part: part{0, first}, from: from, offsets: allMissing(n)}, nil
	}
	p := page{part: l.parts[i]}
	a, b := max(from-p.part.first, 0), min(to-p.part.first, p.part.count)
	p.from = a
	if i == len(l.parts)-1 {
		p.offsets, p.end = l.offsets[a:b:b], l.end
		if b < len(l.offsets) {
			p.end = int64(l.offsets[b])
		}
		l.mu.RUnlock()
	} else {
		l.mu.RUnlock()
		var err error
		path := filepath.Join(l.dir, indexName(p.part.name()))
		p.offsets, p.end, err = readIndexPart(path, p.part.count, a, b)
		if err != nil {
			if p.offsets, p.end, err = l.reindex(p.part, a, b); err != nil {
				return page{}, err
			}
		}
	}
	p.fit(desc)
	return p, nil
}

func allMissing(n int) []uint32 {
	offsets := make([]uint32, n)
	for i := range offsets {
		offsets[i] = missing
	}
	return offsets
}

// fit drops items from the far side until the rest fits into a page.
func (p *page) fit(desc bool) {
	bounds := func(i, j int) int64 { // bytes of the items i up to j
		end := p.end
		if j < len(p.offsets) {
			end = int64(p.offsets[j])
		}
		if p.offsets[i] == missing || end == int64(missing) {
			return 0
		}
		return end - int64(p.offsets[i])
	}
	n := len(p.offsets)
	for n > 1 {
		if desc && bounds(len(p.offsets)-n, len(p.offsets)) <= pageBytes || !desc && bounds(0, n) <= pageBytes {
			break
		}
		n /= 2
	}
	if desc {
		p.from += len(p.offsets) - n
		p.offsets = p.offsets[len(p.offsets)-n:]
		return
	}
	if n < len(p.offsets) {
		p.end = int64(p.offsets[n])
	}
	p.offsets = p.offsets[:n]
}

// reindex makes the index of a segment again, from the segment itself.
func (l *Log) reindex(p part, from, to int) ([]uint32, int64, error) {
	x, _, err := rebuild(filepath.Join(l.dir, p.name()), p.count)
	if err != nil {
		return nil, 0, err
	}
	// One that cannot be written is made again the next time.
	writeIndex(l.dir, indexName(p.name()), x, l.sync)
	end := x.end
	if to < len(x.offsets) {
		end = int64(x.offsets[to])
	}
	return x.offsets[from:to], end, nil
}

// rebuild finds the items of a segment that is known to hold count, and where
// it is damaged.
func rebuild(path string, count int) (x index, faults []int64, err error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return index{}, nil, err
	}
	s := scan(data, 0, 0)
	if len(s.offsets) < count {
		s.faults = append(s.faults, s.end)
		s.offsets = append(s.offsets, allMissing(count-len(s.offsets))...)
	} else if len(s.offsets) > count {
		s.end = int64(s.offsets[count])
		s.offsets = s.offsets[:count]
	}
	return index{s.offsets, s.end}, s.faults, nil
}

// load reads the items of a page into buf, which it may replace.
func (l *Log) load(p page, buf []byte) ([]item, []byte, error) {
	items := make([]item, len(p.offsets))
	damaged := func(i int, offset int64) {
		items[i].err = &DamageError{Segment: p.part.name(), Offset: offset, Item: p.part.first + p.from + i}
	}
	f, err := os.Open(filepath.Join(l.dir, p.part.name()))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(l.dir); err != nil {
			return nil, buf, err // the whole log is gone
		}
		for i := range items {
			damaged(i, 0)
		}
		return items, buf, nil
	}
	if err != nil {
		return nil, buf, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, buf, err
	}
	var last int64 // where the last readable item ended
	for i := 0; i < len(items); {
		if p.offsets[i] == missing {
			damaged(i, last)
			i++
			continue
		}
		// A run of items without a gap is read at once.
		start, j := int64(p.offsets[i]), i+1
		for j < len(items) && p.offsets[j] != missing && p.offsets[j] > p.offsets[j-1] {
			j++
		}
		stop := p.end
		if j < len(items) {
			stop = int64(p.offsets[j])
		}
		if stop == int64(missing) {
			stop = endOf(f, int64(p.offsets[j-1]))
		}
		// An index that is not checked may say anything.
		if stop = min(stop, info.Size()); stop <= start {
			damaged(i, start)
			i++
			continue
		}
		at := len(buf)
		if i == 0 {
			at = 0
		}
		buf = append(buf[:at], make([]byte, stop-start)...)
		n, err := f.ReadAt(buf[at:], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, buf, err
		}
		data := buf[at : at+n]
		for ; i < j; i++ {
			offset := int64(p.offsets[i])
			frame, ok := readFrame(data[min(offset-start, int64(len(data))):])
			if !ok || int(frame.number) != p.from+i {
				damaged(i, offset)
				continue
			}
			items[i].data = frame.item
			last = offset + int64(frame.size())
		}
	}
	return items, buf, nil
}

// endOf gives the end of the frame at offset by its header, or offset itself
// when that cannot be.
func endOf(f *os.File, offset int64) int64 {
	var header [headerSize]byte
	if _, err := f.ReadAt(header[:], offset); err != nil {
		return offset
	}
	return offset + headerSize + int64(binary.LittleEndian.Uint32(header[4:])&MaxItem)
}
