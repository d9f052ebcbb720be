package export

import (
	"context"
	"io"
)

// A Document is an export as a file that is open for reading: its length is
// known, and it can be read from any position. Nothing of it is kept; it is made
// again for every position that is read from, and what lies before is made in
// vain. The items must be the same every time.
type Document struct {
	write  func(io.Writer) error
	size   int64
	at     int64
	reader *io.PipeReader // from at on, nil before the first Read
}

// Open makes an export once, to measure it. The errors are those of Write.
func Open(ctx context.Context, items Items, o Options) (*Document, error) {
	d := &Document{write: func(w io.Writer) error { return Write(ctx, w, items, o) }}
	var counter tail
	err := d.write(&counter)
	d.size = counter.n
	return d, err
}

// Seek implements io.Seeker.
func (d *Document) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += d.at
	case io.SeekEnd:
		offset += d.size
	}
	if offset < 0 {
		return d.at, io.ErrUnexpectedEOF
	}
	if offset != d.at {
		d.Close()
	}
	d.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (d *Document) Read(p []byte) (int, error) {
	if d.reader == nil {
		reader, writer := io.Pipe()
		d.reader = reader
		skip := d.at
		go func() { writer.CloseWithError(d.write(&tail{skip: skip, to: writer})) }()
	}
	n, err := d.reader.Read(p)
	d.at += int64(n)
	return n, err
}

// Close ends what Read began. The document can be read again afterwards.
func (d *Document) Close() error {
	if d.reader == nil {
		return nil
	}
	err := d.reader.Close()
	d.reader = nil
	return err
}

// tail counts the bytes that are written and passes on those after the first,
// to nobody when to is nil.
type tail struct {
	n, skip int64
	to      io.Writer
}

func (t *tail) Write(p []byte) (int, error) {
	if t.to != nil && t.n+int64(len(p)) > t.skip {
		if _, err := t.to.Write(p[max(0, t.skip-t.n):]); err != nil {
			return 0, err
		}
	}
	t.n += int64(len(p))
	return len(p), nil
}
