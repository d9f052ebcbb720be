package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/encoding"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxBody is the platform's limit for request bodies other than records, after
// decompression.
const maxBody = 9 << 20

// maxRecord is what a compressed record may come to, in bytes, unless Config
// says otherwise: a few kilobytes can hold what fills a disk. Records that are
// sent as they are have no limit.
const maxRecord = 1 << 30

// maxEncodings is how many encodings a body may have on top of each other. More
// than one is rare; each costs memory, and a header has room for thousands.
const maxEncodings = 3

// content opens the request's body as it was before compression. Its errors are
// faults: whatever else fails while reading is not the client's doing.
func (c *call) content() (*decoded, error) {
	return c.decode(&source{Reader: c.r.Body, limit: -1}, c.recordLimit())
}

// recordLimit is what a compressed record may come to.
func (c *call) recordLimit() int64 {
	if c.s.MaxDecodedRecord > 0 {
		return c.s.MaxDecodedRecord
	}
	return maxRecord
}

// decode opens a body that may become as large as limit by decompression.
func (c *call) decode(body *source, limit int64) (*decoded, error) {
	d := &decoded{Reader: body, source: body, limit: -1}
	names := c.encodings()
	if len(names) > maxEncodings {
		return nil, fault.New(fault.UnsupportedMedia, "more than %d content encodings on top of each other are not supported", maxEncodings)
	}
	for _, name := range slices.Backward(names) { // the last one was applied last
		if err := d.decode(name); err != nil {
			_ = d.Close()
			if fault.Is(err, fault.UnsupportedMedia) {
				c.Header().Set("Accept-Encoding", encoding.Supported)
			}
			return nil, err
		}
		d.limit = limit
	}
	return d, nil
}

// encodings are those of the body, in the order in which they were applied.
func (c *call) encodings() []string {
	var names []string
	for _, header := range c.r.Header["Content-Encoding"] {
		for name := range strings.SplitSeq(header, ",") {
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case "", "identity", "none":
			default:
				if names = append(names, name); len(names) > maxEncodings {
					return names
				}
			}
		}
	}
	return names
}

// source is a body as it arrives. A limit of less than 0 is none.
type source struct {
	io.Reader
	n, limit int64
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.n += int64(n); s.limit >= 0 && s.n > s.limit {
		return n, errTooLarge(-1)
	}
	return n, err
}

// decoded reads through decompressors and gives them back when closed. failure
// is what reading failed with, whatever the reader's user makes of it.
type decoded struct {
	io.Reader
	source   *source
	n, limit int64 // of what is decompressed; a limit of less than 0 is none
	release  []func()
	failure  error
}

func (d *decoded) decode(name string) error {
	r, err := encoding.NewReader(name, d.Reader)
	if err != nil {
		return errBody(err)
	}
	d.Reader = r
	d.release = append(d.release, func() { _ = r.Close() })
	return nil
}

// Read implements io.Reader; its errors are faults.
func (d *decoded) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	d.n += int64(n)
	switch {
	case d.limit >= 0 && d.n > d.limit:
		err = fault.New(fault.TooLarge, "the request body comes to more than %d bytes when it is decompressed", d.limit).
			WithType("record-too-large").WithHint("send it as it is, without a Content-Encoding")
	case err == io.EOF && d.limit >= 0 && d.source.n == 0: // nothing is no valid compressed body
		err = errBody(err)
	case err == nil || err == io.EOF:
		return n, err
	default:
		err = errBody(err)
	}
	d.failure = err
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
	var e *fault.Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, io.EOF) { // an empty body is no valid compressed one
		err = io.ErrUnexpectedEOF
	}
	return &fault.Error{Code: fault.InvalidRequest, Message: fmt.Sprintf("the request body cannot be read: %v", err), Err: err}
}

// read gives the whole body of a request that the size limit holds for, both as
// it arrives and decompressed.
func (c *call) read() ([]byte, error) {
	if c.r.ContentLength > maxBody {
		return nil, errTooLarge(c.r.ContentLength)
	}
	plain := len(c.encodings()) == 0
	if c.r.ContentLength == 0 && plain {
		return nil, nil
	}
	content, err := c.decode(&source{Reader: c.r.Body, limit: maxBody}, maxBody+1)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if length := c.r.ContentLength; length > 0 && plain {
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
	return decodeJSON(text, v)
}

// readObject gives a body that must be a JSON object.
func (c *call) readObject() ([]byte, error) {
	text, err := c.read()
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, errJSON(err)
	}
	if object == nil {
		return nil, fault.New(fault.InvalidRequest, "the request body must be a JSON object")
	}
	return text, nil
}

func decodeJSON(text []byte, v any) error {
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
