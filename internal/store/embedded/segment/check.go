package segment

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/disk"
)

// Report is what a look through all segments of a log found.
type Report struct {
	Items   int            // that the log has, damaged ones included
	Damage  []*DamageError // one for each row of items that cannot be read
	Lost    int            // how many items that are
	Torn    int64          // bytes of an unfinished append at the end, which opening cuts off
	Indexes []string       // index files that are wrong, or were until they were repaired
}

// Placeholder is what a repair puts in the place of an item that cannot be read,
// so that all others keep their numbers.
var Placeholder = []byte("{}")

// Check reads a whole log that nobody has open. With repair, wrong indexes are
// made again, a torn end is cut off, and a Placeholder takes the place of each
// item that is lost. The segment as it was is kept beside it under a name that
// ends in .damaged.
func Check(dir string, repair bool) (r Report, err error) {
	firsts, err := segments(dir)
	if err != nil {
		return r, err
	}
	if len(firsts) > 0 && firsts[0] > 0 {
		firsts = slices.Insert(firsts, 0, 0) // which is not there
	}
	for i, first := range firsts {
		p := part{first: first}
		path := filepath.Join(dir, p.name())
		known, indexed := index{}, false
		if data, err := os.ReadFile(filepath.Join(dir, indexName(p.name()))); err == nil {
			known, indexed = parseIndex(data)
		}
		last := i == len(firsts)-1
		var x index
		var faults []int64
		damage := len(r.Damage)
		if last {
			data, err := os.ReadFile(path)
			if err != nil {
				return r, err
			}
			s := scan(data, 0, 0)
			p.count = max(len(s.offsets), len(known.offsets))
			r.Torn = int64(len(data)) - max(s.end, known.end)
			r.Torn = max(r.Torn, 0)
		} else {
			p.count = firsts[i+1] - first
		}
		if x, faults, err = rebuild(path, p.count); err != nil {
			return r, err
		}
		r.Items = first + p.count
		for n, offset := range x.offsets {
			if offset == missing {
				r.Lost++
			}
			if offset == missing && (n == 0 || x.offsets[n-1] != missing) {
				e := &DamageError{Segment: p.name(), Item: first + n}
				if len(faults) > 0 {
					e.Offset, faults = faults[0], faults[1:]
				}
				r.Damage = append(r.Damage, e)
			}
		}
		// The last segment's index may end before the segment, or not be there.
		sound := (last || indexed && len(known.offsets) == p.count) && agree(known.offsets, x.offsets)
		if !sound {
			r.Indexes = append(r.Indexes, indexName(p.name()))
		}
		if !repair {
			continue
		}
		if len(r.Damage) > damage {
			if x, err = mend(dir, p, x); err != nil {
				return r, err
			}
			sound = false
		} else if last && r.Torn > 0 {
			if err := cut(path, x.end); err != nil {
				return r, err
			}
		}
		if !sound {
			if err := writeIndex(dir, indexName(p.name()), x, (*os.File).Sync); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// agree tells whether the offsets of an index are those that were found in the
// segment, as far as the one goes and the others could be found.
func agree(index, found []uint32) bool {
	if len(index) > len(found) {
		return false
	}
	for n, offset := range index {
		if found[n] != missing && offset != found[n] {
			return false
		}
	}
	return true
}

// cut takes away what is behind the end of a segment.
func cut(path string, end int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Truncate(end)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// mend writes a segment again with placeholders for what cannot be read of it,
// and gives its new index. Either the old or the new segment is there.
func mend(dir string, p part, old index) (x index, err error) {
	path := filepath.Join(dir, p.name())
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return x, err
	}
	if err == nil {
		if err := keepDamaged(path, data); err != nil {
			return x, err
		}
	}
	var mended []byte
	for n, offset := range old.offsets {
		x.offsets = append(x.offsets, uint32(len(mended)))
		if offset == missing {
			mended = appendFrame(mended, uint32(n), firstOfCommit|lastOfAppend, Placeholder)
			continue
		}
		f, ok := readFrame(data[offset:])
		if !ok {
			return x, &DamageError{Segment: p.name(), Offset: int64(offset), Item: p.first + n}
		}
		mended = appendFrame(mended, uint32(n), f.flags, f.item)
	}
	x.end = int64(len(mended))
	// The old index would lead to wrong places in the new segment.
	if err := os.Remove(filepath.Join(dir, indexName(p.name()))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return x, err
	}
	if err := replace(path, mended, (*os.File).Sync); err != nil {
		return x, err
	}
	return x, disk.SyncFolder(dir)
}

// keepDamaged keeps bytes of a segment under the first name that is free.
func keepDamaged(path string, data []byte) error {
	base := strings.TrimSuffix(path, ".seg")
	name := base + ".damaged"
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return replace(name, data, (*os.File).Sync)
		}
		name = base + "-" + strconv.Itoa(n) + ".damaged"
	}
}
