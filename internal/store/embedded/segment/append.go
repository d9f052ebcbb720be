package segment

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/disk"
)

// batch is one append on its way.
type batch struct {
	items [][]byte
	size  int64
	done  func()
	// turn is answered with the result, or told to lead.
	turn chan result
}

type result struct {
	lead bool
	err  error
}

// largestCommit is how many bytes are written before an fsync, unless a single
// append has more.
const largestCommit = 8 << 20

// Append adds the items in their order, all or none, with nothing in between.
// done, which may be nil, is called once they are on the disk and before they
// can be read, in the order of the log and never at the same time as another.
func (l *Log) Append(items [][]byte, done func()) error {
	if len(items) == 0 {
		return nil
	}
	b := &batch{items: items, done: done, turn: make(chan result, 1)}
	for _, item := range items {
		if len(item) > MaxItem {
			return ErrTooLarge
		}
		b.size += headerSize + int64(len(item))
	}
	if b.size > math.MaxUint32/2 {
		return ErrTooLarge
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	l.queue = append(l.queue, b)
	if l.writing {
		l.mu.Unlock()
		if r := <-b.turn; !r.lead {
			return r.err
		}
		l.mu.Lock()
	}
	// The leader writes for all who wait, itself among them as the first.
	l.writing = true
	n, size := 0, int64(0)
	for n < len(l.queue) && (n == 0 || size+l.queue[n].size <= largestCommit) {
		size += l.queue[n].size
		n++
	}
	group := l.queue[:n:n]
	l.queue = l.queue[n:]
	l.mu.Unlock()

	err := l.commit(group, size)

	l.mu.Lock()
	if len(l.queue) > 0 {
		l.queue[0].turn <- result{lead: true}
	} else {
		l.writing, l.queue = false, nil
	}
	l.mu.Unlock()
	for _, other := range group[1:] {
		other.turn <- result{err: err}
	}
	return err
}

// commit writes a group of appends and makes it visible. Only the leader is
// here, so it may read what is guarded by mu without it.
func (l *Log) commit(group []*batch, size int64) error {
	if err := l.ready(); err != nil {
		return err
	}
	count := len(l.offsets)
	if size > math.MaxUint32-l.end || count > math.MaxUint32/2 {
		return ErrTooLarge
	}
	buf := make([]byte, 0, size)
	offsets := make([]uint32, 0, len(group))
	flags := uint32(firstOfCommit)
	for _, b := range group {
		for i, item := range b.items {
			if i == len(b.items)-1 {
				flags |= lastOfAppend
			}
			offsets = append(offsets, uint32(l.end)+uint32(len(buf)))
			buf = appendFrame(buf, uint32(count+len(offsets)-1), flags, item)
			flags = 0
		}
	}
	_, err := l.file.WriteAt(buf, l.end)
	if err == nil {
		err = l.sync(l.file)
	}
	if err != nil {
		// What reached the file is behind its end, and goes before the next
		// append; at best now.
		l.suspect = true
		l.mend()
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range group {
		if b.done != nil {
			b.done()
		}
	}
	l.offsets = append(l.offsets, offsets...)
	l.parts[len(l.parts)-1].count = len(l.offsets)
	l.end += int64(len(buf))
	l.modified = time.Now()
	return nil
}

// ready makes sure that there is a file to write to, clean up to its end.
func (l *Log) ready() error {
	if l.file == nil && len(l.parts) > 0 {
		f, err := os.OpenFile(filepath.Join(l.dir, l.parts[len(l.parts)-1].name()), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		l.file = f
	}
	if l.suspect {
		if err := l.mend(); err != nil {
			return err
		}
	}
	if l.file == nil || l.end >= l.o.Size {
		return l.next()
	}
	return nil
}

// mend cuts off what a failed write left.
func (l *Log) mend() error {
	err := l.file.Truncate(l.end)
	if err == nil {
		err = l.sync(l.file)
	}
	if err == nil {
		l.suspect = false
	}
	return err
}

// next begins a new segment.
func (l *Log) next() error {
	if l.file == nil {
		if err := disk.MakeFolder(l.dir, l.o.Relaxed); err != nil {
			return err
		}
	} else if err := l.writeIndex(); err != nil {
		return err
	}
	p := part{first: l.count()}
	path := filepath.Join(l.dir, p.name())
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		// Left by a process that died before it wrote to it.
		f, err = os.OpenFile(path, os.O_RDWR|os.O_TRUNC, 0o600)
	}
	if err != nil {
		return err
	}
	if err := l.syncFolder(l.dir); err != nil {
		f.Close()
		os.Remove(path)
		return err
	}
	if l.file != nil {
		l.file.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file, l.offsets, l.before, l.end = f, nil, l.before+l.end, 0
	l.parts = append(l.parts, p)
	return nil
}

func (l *Log) syncFolder(dir string) error {
	if l.o.Relaxed {
		return nil
	}
	return disk.SyncFolder(dir)
}
