package server

import (
	"io"

	"github.com/greenroom-dev/greenroom/internal/encoding"
	"github.com/greenroom-dev/greenroom/internal/store"
)

// packed is a body that is to be kept as it comes. What is read of it goes
// to a decompressor besides: nothing is kept that nobody could read.
type packed struct {
	raw     io.Reader
	feed    *io.PipeWriter
	checked chan struct{} // closed once the two below are set
	size    int64         // decompressed
	failure error
}

// keepCompressed opens the body for a store that can keep it compressed. It is
// nil when the body has to be decompressed.
func (c *call) keepCompressed(kvs store.KeyValueStore) (store.Compressing, *packed) {
	into, ok := kvs.(store.Compressing)
	names := c.encodings()
	if !ok || len(names) != 1 || !encoding.Kept(names[0]) {
		return nil, nil
	}
	r, w := io.Pipe()
	b := &packed{raw: c.r.Body, feed: w, checked: make(chan struct{})}
	go func() {
		defer close(b.checked)
		d, err := c.decode(&source{Reader: r, limit: -1}, c.recordLimit())
		if err == nil {
			b.size, err = io.Copy(io.Discard, d)
			if d.failure != nil {
				err = d.failure
			}
			_ = d.Close()
		}
		if err == nil {
			// A decompressor may stop at the end of what it knows.
			_, err = io.Copy(io.Discard, r)
		}
		b.failure = err
		_ = r.CloseWithError(err)
	}()
	return into, b
}

// Read implements io.Reader. Its end is the end of the check.
func (b *packed) Read(p []byte) (int, error) {
	n, err := b.raw.Read(p)
	if n > 0 {
		if _, failed := b.feed.Write(p[:n]); failed != nil {
			<-b.checked
			return 0, b.failure
		}
	}
	switch {
	case err == io.EOF:
		_ = b.feed.Close()
		<-b.checked
		if b.failure != nil {
			return n, b.failure
		}
	case err != nil:
		err = errBody(err)
		_ = b.feed.CloseWithError(err)
		<-b.checked
		b.failure = err
	}
	return n, err
}

// Close ends the check.
func (b *packed) Close() {
	_ = b.feed.CloseWithError(io.ErrUnexpectedEOF)
	<-b.checked
}
