// Package encoding decompresses what HTTP names in Content-Encoding, without
// making a decompressor anew each time.
package encoding

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Supported is what NewReader decompresses, as the value of Accept-Encoding.
const Supported = "br, gzip, deflate, zstd"

// Kept reports whether a content can be kept compressed that way. What is called
// deflate is one of two formats, of which many clients understand one.
func Kept(name string) bool { return name == "br" || name == "gzip" || name == "zstd" }

var (
	brotliReaders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zstdReaders   = sync.Pool{New: func() any {
		// 8 MiB is the window that HTTP allows (RFC 9659): a frame may ask for
		// any, and gets it before a byte of it is decompressed. Without
		// concurrency there are no goroutines to be ended.
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			panic(err) // the options are wrong
		}
		return r
	}}
)

// NewReader decompresses what r gives. The caller closes it, which leaves r
// alone. An encoding that is not supported is fault.UnsupportedMedia.
func NewReader(name string, r io.Reader) (io.ReadCloser, error) {
	switch name {
	case "br":
		d := brotliReaders.Get().(*brotli.Reader)
		if err := d.Reset(r); err != nil {
			return nil, err
		}
		whole := &ended{Reader: d}
		return reader{whole, func() {
			// One that did not get to the end keeps, through Reset, what it had
			// read ahead, and would begin somebody else's body with it.
			if whole.eof {
				brotliReaders.Put(d)
			}
		}}, nil
	case "gzip", "x-gzip":
		d := gzipReaders.Get().(*gzip.Reader)
		if err := d.Reset(r); err != nil {
			return nil, err
		}
		return reader{d, func() { gzipReaders.Put(d) }}, nil
	case "deflate":
		d, err := newDeflateReader(r)
		if err != nil {
			return nil, err
		}
		return d, nil
	case "zstd":
		d := zstdReaders.Get().(*zstd.Decoder)
		if err := d.Reset(r); err != nil {
			return nil, err
		}
		return reader{d, func() {
			_ = d.Reset(nil) // lets go of the body
			zstdReaders.Put(d)
		}}, nil
	}
	return nil, fault.New(fault.UnsupportedMedia, "content encoding %.40q is not supported: use br, gzip, deflate, zstd or identity", name)
}

// reader gives its decompressor back when it is closed.
type reader struct {
	io.Reader
	release func()
}

// Close implements io.Closer.
func (r reader) Close() error {
	r.release()
	return nil
}

// ended notes whether a reader came to its end.
type ended struct {
	io.Reader
	eof bool
}

// Read implements io.Reader.
func (e *ended) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	e.eof = e.eof || err == io.EOF
	return n, err
}

// newDeflateReader reads what HTTP calls deflate: a zlib stream, or, as some
// clients send it, the bare deflate stream inside one.
func newDeflateReader(r io.Reader) (io.ReadCloser, error) {
	var head [2]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && n == 0 {
		return nil, err
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), r)
	if n == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(whole)
	}
	return flate.NewReader(whole), nil
}

// Plain opens the content of a record decompressed. It closes the record.
func Plain(record *store.Record) (io.ReadCloser, error) {
	if record.Encoding == "" {
		return record.Body, nil
	}
	d, err := NewReader(record.Encoding, bufio.NewReaderSize(record.Body, 64<<10))
	if err != nil {
		record.Body.Close()
		return nil, fault.Wrap(fault.Internal, err, "record %q is stored malformed", record.Key)
	}
	return both{d, record.Body}, nil
}

// both is a decompressor with what it reads from.
type both struct {
	io.ReadCloser
	below io.Closer
}

// Close implements io.Closer.
func (b both) Close() error {
	_ = b.ReadCloser.Close()
	return b.below.Close()
}

// Accepts reports whether who sent the header Accept-Encoding can decompress
// that encoding, by RFC 9110: the name itself counts before the asterisk, and a
// weight of 0 means no.
func Accepts(header, name string) bool {
	accepted := false
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(parameters, " ", "")), "q="); ok {
			if value, err := strconv.ParseFloat(q, 64); err == nil {
				weight = value
			}
		}
		switch coding {
		case name, "x-" + name:
			return weight > 0
		case "*":
			accepted = weight > 0
		}
	}
	return accepted
}
