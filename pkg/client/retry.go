package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	attempts   = 6 // about 3 s of pauses in all, against minutes in the official clients
	firstPause = 100 * time.Millisecond
	longPause  = 10 * time.Second // the most that a Retry-After may ask for
)

// retry decides whether a failed attempt is worth another, and after what
// pause. What the server cannot have acted on may always be repeated: a
// connection that was refused, and 429. What it may have acted on is repeated
// only when doing it twice does no harm.
func retry(call call, attempt int, resp *http.Response, err error) (time.Duration, bool) {
	if attempt+1 >= attempts {
		return 0, false
	}
	pause := firstPause << attempt
	pause += rand.N(pause / 2) // many shells that were refused together come back apart
	if err != nil {
		var dial *net.OpError
		refused := errors.As(err, &dial) && dial.Op == "dial"
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return 0, false
		}
		var read readError
		if errors.As(err, &read) {
			return 0, false
		}
		// Anything else that is not a failure of the transport repeats itself,
		// and a server that let us wait for minutes would do so again.
		var transport *url.Error
		if !errors.As(err, &transport) || transport.Timeout() && !refused {
			return 0, false
		}
		return pause, refused || !call.once
	}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		if call.once && call.body != nil && call.size < 0 {
			return 0, false // the body is gone
		}
		if secs, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && secs > 0 {
			pause = min(time.Duration(secs)*time.Second, longPause)
		}
		return pause, true
	case resp.StatusCode == http.StatusNotImplemented:
		return 0, false
	case resp.StatusCode >= 500:
		return pause, !call.once
	}
	return 0, false
}

// maxRefusal bounds the body of an error: that of a push lists every item that is
// wrong.
const maxRefusal = 16 << 20

// refusal turns an answer of 300 and up into an error.
func refusal(call call, resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	code := codeOf(resp.StatusCode)
	var envelope api.ErrorEnvelope
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Error.Type == "" && envelope.Error.Message == "" {
		if call.method == http.MethodHead && resp.StatusCode == http.StatusNotFound {
			return fault.New(fault.NotFound, "%s does not exist", call.path)
		}
		return fault.New(code, "%s %s: %s, without the body that the API sends", call.method, call.path, resp.Status).
			WithHint("is %s the address of an API?", resp.Request.URL.Scheme+"://"+resp.Request.URL.Host)
	}
	e := fault.New(code, "%s", strings.TrimSuffix(strings.TrimSpace(envelope.Error.Message), ".")).
		WithType(envelope.Error.Type)
	if e.Message == "" {
		e.Message = envelope.Error.Type
	}
	switch envelope.Error.Type {
	case "invalid-input", "schema-validation-error", "schema-validation-failed":
		e.Code = fault.InvalidInput
	}
	if len(envelope.Error.Data) > 0 {
		e.Data = envelope.Error.Data
	}
	if e.Code == fault.Unauthenticated {
		e.Hint = "set APIFY_TOKEN to a token that this API knows"
	}
	return e
}

func codeOf(status int) fault.Code {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fault.InvalidRequest
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden, http.StatusPaymentRequired:
		return fault.Forbidden
	case http.StatusNotFound, http.StatusGone:
		return fault.NotFound
	case http.StatusMethodNotAllowed:
		return fault.MethodNotAllowed
	case http.StatusRequestTimeout:
		return fault.TimedOut
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusUnsupportedMediaType:
		return fault.UnsupportedMedia
	case http.StatusNotImplemented:
		return fault.NotImplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fault.Unavailable
	}
	return fault.Internal
}

func bytesBody(data []byte) (func() (io.Reader, error), int64) {
	return func() (io.Reader, error) { return bytes.NewReader(data), nil }, int64(len(data))
}

// streamBody makes a body of r. What can be rewound can be sent again; replay
// tells. Nobody but the caller closes r.
func streamBody(r io.Reader) (body func() (io.Reader, error), size int64, replay bool) {
	seeker, ok := r.(io.Seeker)
	if ok {
		if start, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			if end, err := seeker.Seek(0, io.SeekEnd); err == nil && end >= start {
				return func() (io.Reader, error) {
					if _, err := seeker.Seek(start, io.SeekStart); err != nil {
						return nil, readError{err}
					}
					return source{r}, nil
				}, end - start, true
			}
		}
	}
	return func() (io.Reader, error) { return source{r}, nil }, -1, false
}

// source hides Close, which net/http would call, and marks read failures.
type source struct{ r io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = readError{err}
	}
	return n, err
}
