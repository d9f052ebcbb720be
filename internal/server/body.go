package server

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxBody is the platform's limit for request bodies other than records, after
// decompression.
const maxBody = 9 << 20

// content opens the request's body as it was before compression. Its errors are
// faults: whatever else fails while reading is not the client's doing.
func (c *call) content() (*decoded, error) {
	encodings := c.r.Header.Get("Content-Encoding")
	if encodings == "" {
		return &decoded{Reader: c.r.Body}, nil
	}
	d := &decoded{Reader: c.r.Body}
	names := strings.Split(encodings, ",")
	for i := len(names) - 1; i >= 0; i-- { // the last one was applied last
		name := strings.ToLower(strings.TrimSpace(names[i]))
		if err := d.decode(name); err != nil {
			_ = d.Close()
			return nil, err
		}
	}
	return d, nil
}

// decoded reads through decompressors and gives them back when closed. failure
// is what reading failed with, whatever the reader's user makes of it.
type decoded struct {
	io.Reader
	release []func()
	failure error
}

var (
	brotliReaders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

func (d *decoded) decode(encoding string) error {
	switch encoding {
	case "", "identity", "none":
	case "br":
		r := brotliReaders.Get().(*brotli.Reader)
		if err := r.Reset(d.Reader); err != nil {
			return errBody(err)
		}
		d.Reader = r
		d.release = append(d.release, func() { brotliReaders.Put(r) })
	case "gzip", "x-gzip":
		r := gzipReaders.Get().(*gzip.Reader)
		if err := r.Reset(d.Reader); err != nil {
			return errBody(err)
		}
		d.Reader = r
		d.release = append(d.release, func() { gzipReaders.Put(r) })
	case "deflate":
		r, err := newDeflateReader(d.Reader)
		if err != nil {
			return errBody(err)
		}
		d.Reader = r
		d.release = append(d.release, func() { _ = r.Close() })
	default:
		return fault.New(fault.UnsupportedMedia, "content encoding %q is not supported: use br, gzip, deflate or identity", encoding)
	}
	return nil
}

// Read implements io.Reader; its errors are faults.
func (d *decoded) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = errBody(err)
		d.failure = err
	}
	return n, err
}

// Close gives the decompressors back; the body itself belongs to net/http.
func (d *decoded) Close() error {
	for _, release := range d.release {
		release()
	}
	d.release = nil
	return nil
}

func errBody(err error) error {
	if errors.Is(err, io.EOF) { // an empty body is no valid compressed one
		err = io.ErrUnexpectedEOF
	}
	return &fault.Error{Code: fault.InvalidRequest, Message: fmt.Sprintf("the request body cannot be read: %v", err), Err: err}
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

// read gives the whole body of a request that the size limit holds for.
func (c *call) read() ([]byte, error) {
	if c.r.ContentLength > maxBody {
		return nil, errTooLarge(c.r.ContentLength)
	}
	if c.r.ContentLength == 0 && c.r.Header.Get("Content-Encoding") == "" {
		return nil, nil
	}
	content, err := c.content()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if length := c.r.ContentLength; length > 0 && c.r.Header.Get("Content-Encoding") == "" {
		text := make([]byte, length)
		_, err := io.ReadFull(content, text)
		return text, err
	}
	text, err := io.ReadAll(io.LimitReader(content, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBody {
		return nil, errTooLarge(-1)
	}
	return text, nil
}

func errTooLarge(length int64) error {
	if length < 0 {
		return fault.New(fault.TooLarge, "the request body is too large (limit: %d bytes)", maxBody)
	}
	return fault.New(fault.TooLarge, "the request body is too large (limit: %d bytes, actual length: %d bytes)", maxBody, length)
}

// readJSON decodes the body into v. An empty body leaves v as it is: clients
// send none where all fields are optional.
func (c *call) readJSON(v any) error {
	text, err := c.read()
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return errJSON(err)
	}
	return nil
}

// errJSON says what is wrong with a body without the decoder's Go names.
func errJSON(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fault.New(fault.InvalidRequest, "field %s of the request body cannot be %s", wrongType.Field, article(wrongType.Value))
	case errors.As(err, &wrongType):
		return fault.New(fault.InvalidRequest, "the request body must be a JSON object, got %s", article(wrongType.Value))
	case errors.As(err, &syntax):
		return fault.New(fault.InvalidRequest, "the request body is not valid JSON: %v at byte %d", syntax, syntax.Offset)
	}
	return fault.New(fault.InvalidRequest, "the request body cannot be decoded: %v", err)
}

func article(noun string) string {
	if noun != "" && strings.Contains("aeiou", noun[:1]) {
		return "an " + noun
	}
	return "a " + noun
}

func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}
