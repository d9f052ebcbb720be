package datasets

import "bytes"

// rows finds where the rows of JSON lines or CSV end. It is a writer, so that it
// can read along; a line's end inside quotes belongs to its row.
type rows struct {
	csv    bool
	quoted bool
	// pos is how many bytes were seen, end how many of them are whole rows, and
	// count how many rows that is.
	pos, end int64
	count    int
	// first is how long the first row is: a CSV's header.
	first int64
}

func (r *rows) Write(p []byte) (int, error) {
	for rest := p; ; {
		i := bytes.IndexByte(rest, '\n')
		line := rest
		if i >= 0 {
			line = rest[:i]
		}
		// A doubled quote inside quotes changes nothing, twice.
		if r.csv && bytes.Count(line, []byte{'"'})%2 == 1 {
			r.quoted = !r.quoted
		}
		if i < 0 {
			r.pos += int64(len(rest))
			return len(p), nil
		}
		r.pos += int64(i + 1)
		rest = rest[i+1:]
		if r.quoted {
			continue
		}
		r.count++
		r.end = r.pos
		if r.count == 1 {
			r.first = r.end
		}
	}
}

// items is how many of the whole rows are items.
func (r *rows) items() int {
	if r.csv {
		return max(0, r.count-1)
	}
	return r.count
}
