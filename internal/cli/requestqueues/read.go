package requestqueues

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxLine is the longest line of input; an API takes no longer requests.
const maxLine = 9 << 20

// read reads requests: a JSON array of them, or one a line, a URL or an object.
// Empty lines and lines that begin with # are passed over. What is no request is
// fault.InvalidInput, which says where it is.
func read(in io.Reader) ([]json.RawMessage, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // they are buffered
	}
	for {
		b, err := buffered.ReadByte()
		if err == io.EOF {
			return nil, fault.New(fault.InvalidInput, "standard input holds no requests")
		}
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "read standard input")
		}
		if b == ' ' || b == '\t' || b == '\r' {
			continue
		}
		if err := buffered.UnreadByte(); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "read standard input")
		}
		if b == '[' {
			return readArray(buffered)
		}
		return readLines(buffered)
	}
}

func readArray(in io.Reader) (requests []json.RawMessage, err error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read standard input")
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(text, &elements); err != nil {
		return nil, fault.New(fault.InvalidInput, "standard input is no JSON array: %w", err)
	}
	for i, element := range elements {
		request, err := complete(element)
		if err != nil {
			return nil, fault.New(fault.InvalidInput, "request %d: %w", i+1, err)
		}
		requests = append(requests, request)
	}
	return requests, nil
}

func readLines(in io.Reader) (requests []json.RawMessage, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		element := json.RawMessage(bytes.Clone(line))
		if line[0] != '{' && line[0] != '"' {
			if !utf8.Valid(line) {
				return nil, fault.New(fault.InvalidInput, "line %d of standard input is no UTF-8 text", n)
			}
			if element, err = json.Marshal(string(line)); err != nil {
				return nil, fault.Wrap(fault.Internal, err, "encode a URL")
			}
		}
		request, err := complete(element)
		if err != nil {
			return nil, fault.New(fault.InvalidInput, "line %d of standard input: %w", n, err)
		}
		requests = append(requests, request)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fault.New(fault.InvalidInput, "line %d of standard input is longer than %d bytes", n+1, maxLine)
	}
	if err := lines.Err(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read standard input")
	}
	if len(requests) == 0 {
		return nil, fault.New(fault.InvalidInput, "standard input holds no requests")
	}
	return requests, nil
}

// complete makes a request of a URL or of an object, and gives an object without
// a unique key its URL for one. Its other fields stay as they are.
func complete(element json.RawMessage) (json.RawMessage, error) {
	var text string
	if json.Unmarshal(element, &text) == nil && element[0] == '"' {
		if err := checkURL(text); err != nil {
			return nil, err
		}
		return json.Marshal(map[string]string{"url": text, "uniqueKey": text, "method": "GET"})
	}
	if element[0] != '{' {
		return nil, fmt.Errorf("it is neither a URL nor a JSON object: %.60s", element)
	}
	var fields map[string]json.RawMessage // the API tells url from URL
	if err := json.Unmarshal(element, &fields); err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	var key string
	if json.Unmarshal(fields["url"], &text) != nil {
		return nil, errors.New("it has no url, or one that is no text")
	}
	if err := checkURL(text); err != nil {
		return nil, err
	}
	if raw := fields["uniqueKey"]; raw != nil && json.Unmarshal(raw, &key) != nil {
		return nil, errors.New("its uniqueKey is no text")
	}
	if key != "" {
		return element, nil
	}
	fields["uniqueKey"] = fields["url"]
	return json.Marshal(fields)
}

// checkURL refuses what no crawler could visit.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf("%.200q is no absolute URL", text)
	}
	return nil
}
