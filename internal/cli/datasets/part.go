package datasets

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// part is a file that is not complete yet.
type part struct {
	file *os.File
	rows rows
}

// openPart opens the part, with the whole rows that it has, or empty.
func openPart(path string, csv, empty bool) (*part, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fault.Wrap(fault.Usage, err, "write the export")
	}
	p := &part{file: file, rows: rows{csv: csv}}
	if !empty {
		_, err = io.Copy(&p.rows, bufio.NewReaderSize(file, 128<<10))
	}
	if err == nil {
		err = p.cut(p.rows.end)
	}
	if err != nil {
		_ = file.Close() // the first error says more
		return nil, failed(err)
	}
	return p, nil
}

func failed(err error) error { return fault.Wrap(fault.Unavailable, err, "write the export") }

// cut leaves the first bytes, which are whole rows or none.
func (p *part) cut(size int64) error {
	if err := p.file.Truncate(size); err != nil {
		return failed(err)
	}
	if _, err := p.file.Seek(size, io.SeekStart); err != nil {
		return failed(err)
	}
	p.rows.pos, p.rows.quoted = size, false
	if size == 0 {
		p.rows = rows{csv: p.rows.csv}
	}
	return nil
}

func (p *part) write(b []byte) error {
	if _, err := p.file.Write(b); err != nil {
		return failed(err)
	}
	_, err := p.rows.Write(b)
	return err
}

// header is the first row.
func (p *part) header() (string, error) {
	text := make([]byte, p.rows.first)
	if _, err := p.file.ReadAt(text, 0); err != nil {
		return "", failed(err)
	}
	return string(text), nil
}

// finish makes the part the file.
func (p *part) finish(file string) error {
	err := p.file.Sync()
	if closing := p.file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(p.file.Name(), file)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// close keeps or removes what was written.
func (p *part) close(remove bool) error {
	err := p.file.Close()
	if remove {
		err = os.Remove(p.file.Name())
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// progress tells on a terminal how far an export is.
type progress struct {
	io     *cmdkit.IO
	inRows bool
	total  int // items in all, -1 for unknown
	last   time.Time
	shown  bool
}

func newProgress(io *cmdkit.IO, inRows bool) *progress {
	return &progress{io: io, inRows: inRows, total: -1}
}

// begin is told how many items are there and how many are to come.
func (p *progress) begin(have, coming int, part *part) {
	p.total = -1
	if coming >= 0 {
		p.total = have + coming
	}
	p.tick(part)
}

func (p *progress) tick(part *part) {
	if !p.io.ErrTTY || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	of := ""
	if p.total >= 0 {
		of = " of " + amount(p.total, "item")
	}
	if p.inRows {
		fmt.Fprintf(p.io.Err, "\r\x1b[K%d%s, %s", part.rows.items(), of, size(part.rows.pos))
	} else {
		fmt.Fprintf(p.io.Err, "\r\x1b[K%s%s", size(part.rows.pos), of)
	}
}

// end clears the line for what is to be said next.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.io.Err, "\r\x1b[K")
		p.shown = false
	}
}

// done says what was written in all.
func (p *progress) done(part *part) string {
	if p.inRows {
		return amount(part.rows.items(), "item") + ", " + size(part.rows.pos)
	}
	return size(part.rows.pos)
}

// size writes a number of bytes for people, in powers of 1000.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
