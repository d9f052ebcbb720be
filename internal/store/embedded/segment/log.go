// Package segment keeps an append-only list of items in files of a folder: a
// row of segments named by the number of their first item, and beside each an
// index of where its items are.
//
// An append is all or nothing and, unless the log is relaxed, on the disk when
// it returns; appends that come together share one fsync. What a killed process
// or a power loss left unfinished at the end is cut off when the log is opened.
// Damage anywhere else is reported by segment and offset, and the rest stays
// readable.
package segment

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DefaultSize is the size in bytes at which the next segment begins.
const DefaultSize = 16 << 20

// Options say how a log is kept.
type Options struct {
	Size    int64 // of a segment before the next one begins; 0 means DefaultSize
	Relaxed bool  // appends do not wait for the disk
}

// DamageError says that an item cannot be read.
type DamageError struct {
	Segment string // the name of its file
	Offset  int64  // where the damage begins in it
	Item    int    // the item's number in the log, from 0
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("segment %s is damaged at byte %d (item %d)", e.Segment, e.Offset, e.Item)
}

// Errors of appends.
var (
	ErrClosed   = errors.New("the log is closed")
	ErrTooLarge = errors.New("an item or an append is too large")
)

// part is one segment. The last one is the one that is written to.
type part struct {
	first int // number of its first item
	count int // its items; those of all but the last follow from the names
}

func (p part) name() string { return fmt.Sprintf("%012d.seg", p.first) }

func indexName(segment string) string { return strings.TrimSuffix(segment, ".seg") + ".idx" }

// Log is an open list. Its methods may be used by many goroutines.
type Log struct {
	dir string
	o   Options

	mu       sync.RWMutex // everything below
	parts    []part
	offsets  []uint32 // of the last part
	end      int64    // of the last part: where the next frame belongs
	before   int64    // bytes of the other parts
	modified time.Time
	cut      int64 // bytes of a torn end that opening cut off

	queue   []*batch
	writing bool // somebody is the leader, who alone touches what follows
	file    *os.File
	// suspect says that a write failed and the file may be longer than end.
	suspect bool
	closed  bool
}

// Open opens the log in a folder, which need not exist before the first append.
func Open(dir string, o Options) (*Log, error) {
	if o.Size <= 0 {
		o.Size = DefaultSize
	}
	l := &Log{dir: dir, o: o}
	names, err := segments(dir)
	if err != nil {
		return nil, err
	}
	for _, first := range names {
		if n := len(l.parts); n > 0 {
			l.parts[n-1].count = first - l.parts[n-1].first
			// One that cannot be looked at is reported when it is read.
			if info, err := os.Stat(filepath.Join(dir, l.parts[n-1].name())); err == nil {
				l.before += info.Size()
			}
		}
		l.parts = append(l.parts, part{first: first})
	}
	if len(l.parts) == 0 {
		return l, nil
	}
	return l, l.openLast()
}

// segments lists the first numbers of the segments in a folder.
func segments(dir string) (firsts []int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		number, ok := strings.CutSuffix(e.Name(), ".seg")
		if n, err := strconv.Atoi(number); ok && err == nil && n >= 0 {
			firsts = append(firsts, n)
		}
	}
	slices.Sort(firsts)
	return firsts, nil
}

// openLast finds the end of the last segment and cuts off what is behind it.
func (l *Log) openLast() error {
	last := &l.parts[len(l.parts)-1]
	path := filepath.Join(l.dir, last.name())
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	l.modified = info.ModTime()
	var known index
	if data, err := os.ReadFile(filepath.Join(l.dir, indexName(last.name()))); err == nil {
		known, _ = parseIndex(data)
	}
	l.offsets, l.end = known.offsets, known.end
	if info.Size() > known.end {
		data := make([]byte, info.Size()-known.end)
		if _, err := f.ReadAt(data, known.end); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		s := scan(data, known.end, len(known.offsets))
		l.offsets, l.end = append(l.offsets, s.offsets...), s.end
	}
	last.count = len(l.offsets)
	if l.cut = info.Size() - l.end; l.cut > 0 {
		// A file system that can only be read keeps its torn end, which is
		// behind everything that counts.
		if err := l.truncate(path); err != nil {
			l.suspect = true
		}
	}
	return nil
}

// truncate cuts the last segment's file at its end.
func (l *Log) truncate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Truncate(l.end)
	if err == nil {
		err = l.sync(f)
	}
	return errors.Join(err, f.Close())
}

func (l *Log) sync(f *os.File) error {
	if l.o.Relaxed {
		return nil
	}
	return f.Sync()
}

// Count is the number of items that can be read.
func (l *Log) Count() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.count()
}

func (l *Log) count() int {
	if len(l.parts) == 0 {
		return 0
	}
	last := l.parts[len(l.parts)-1]
	return last.first + last.count
}

// Bytes is what the items take on the disk.
func (l *Log) Bytes() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.before + l.end
}

// Modified is when the last segment was written to; zero when there is none.
func (l *Log) Modified() time.Time {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.modified
}

// Cut is how many bytes of an unfinished append were cut off at opening.
func (l *Log) Cut() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.cut
}

// Close writes the index of the last segment, which makes the next opening
// quick, and closes the file. Appends must have ended.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.file == nil {
		return nil
	}
	err := l.writeIndex()
	return errors.Join(err, l.file.Close())
}

// writeIndex writes the index of the last segment.
func (l *Log) writeIndex() error {
	name := indexName(l.parts[len(l.parts)-1].name())
	return writeIndex(l.dir, name, index{l.offsets, l.end}, l.sync)
}

func writeIndex(dir, name string, x index, sync func(*os.File) error) error {
	return replace(filepath.Join(dir, name), x.bytes(), sync)
}

// replace writes a file in one step.
func replace(path string, data []byte, sync func(*os.File) error) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = sync(f)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		os.Remove(path + ".new")
	}
	return err
}
