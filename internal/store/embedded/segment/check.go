package segment

import (
	"os"
	"path/filepath"
	"slices"
)

// Report is what a look through all segments of a log found.
type Report struct {
	Items   int            // that the log has, damaged ones included
	Damage  []*DamageError // one for each row of items that cannot be read
	Torn    int64          // bytes of an unfinished append at the end, which opening cuts off
	Indexes []string       // index files that are wrong, or were until they were repaired
}

// Check reads a whole log that nobody has open. With repair, wrong indexes are
// made again; damaged items stay what they are.
func Check(dir string, repair bool) (r Report, err error) {
	firsts, err := segments(dir)
	if err != nil {
		return r, err
	}
	if len(firsts) > 0 && firsts[0] > 0 {
		r.Damage = append(r.Damage, &DamageError{Segment: part{}.name()})
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
			if offset == missing && (n == 0 || x.offsets[n-1] != missing) {
				e := &DamageError{Segment: p.name(), Item: first + n}
				if len(faults) > 0 {
					e.Offset, faults = faults[0], faults[1:]
				}
				r.Damage = append(r.Damage, e)
			}
		}
		// The last segment's index may end before the segment, or not be there.
		sound := indexed && len(known.offsets) == p.count && slices.Equal(known.offsets, x.offsets)
		if last {
			sound = len(known.offsets) <= len(x.offsets) && slices.Equal(known.offsets, x.offsets[:len(known.offsets)])
		}
		if sound {
			continue
		}
		r.Indexes = append(r.Indexes, indexName(p.name()))
		if repair && !last {
			if err := writeIndex(dir, indexName(p.name()), x, (*os.File).Sync); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}
