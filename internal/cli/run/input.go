package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// stdinPatience is how long we wait for a pipe on standard input to say
// something when nobody has asked for it: a pipe that stays open and silent,
// as CI systems leave it, must not hang the command.
const stdinPatience = 5 * time.Second

// input gives the input of the command line as JSON, nil when there is none.
func (o *Options) input(ctx context.Context, view *view) ([]byte, error) {
	switch {
	case o.HasInput && o.Input == "-", o.InputFile == "-":
		body, err := io.ReadAll(o.factory.IO.In)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "reading the input from standard input")
		}
		return checked(body, "standard input")
	case o.HasInput:
		if looksLikePath(o.Input) && !json.Valid([]byte(o.Input)) {
			return nil, fault.New(fault.InvalidInput, "--input takes JSON, but %q is a path", o.Input).
				WithHint("use --input-file %s", o.Input)
		}
		return checked([]byte(o.Input), "--input")
	case o.InputFile != "":
		body, err := os.ReadFile(o.InputFile)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.InvalidInput, "input file %s does not exist", o.InputFile)
		} else if err != nil {
			return nil, fault.Wrap(fault.InvalidInput, err, "reading the input file")
		}
		return checked(body, o.InputFile)
	case len(o.Pairs) > 0:
		body, err := cmdkit.ParsePairs(o.Pairs)
		if err != nil {
			return nil, fault.Wrap(fault.InvalidInput, err, "input arguments")
		}
		return body, nil
	}
	return o.piped(ctx, view)
}

// piped gives the JSON object on standard input, when something is piped there.
func (o *Options) piped(ctx context.Context, view *view) ([]byte, error) {
	if o.factory.IO.InTTY || !o.factory.IO.Piped() {
		return nil, nil
	}
	first, all := make(chan struct{}), make(chan []byte, 1)
	go func() {
		var head [1]byte
		n, err := io.ReadFull(o.factory.IO.In, head[:])
		close(first)
		if err != nil {
			all <- nil
			return
		}
		// One JSON value is enough: what keeps the pipe open may live on.
		var value json.RawMessage
		in := &tee{Reader: io.MultiReader(bytes.NewReader(head[:n]), o.factory.IO.In)}
		switch err := json.NewDecoder(in).Decode(&value); {
		case err == nil:
			all <- value
		case errors.Is(err, io.EOF):
			all <- nil // white space
		default:
			all <- in.seen.Bytes() // checked says what is wrong with it
		}
	}()
	patience := time.NewTimer(stdinPatience)
	defer patience.Stop()
	select {
	case <-first:
	case <-patience.C:
		view.notice("standard input is open but silent: going on without it (give --input-file - to wait for it)")
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case body := <-all:
		if body == nil {
			return nil, nil
		}
		return checked(body, "standard input")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tee remembers what was read, for the error message.
type tee struct {
	io.Reader
	seen bytes.Buffer
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.seen.Write(p[:n])
	return n, err
}

// checked accepts a JSON object.
func checked(body []byte, source string) ([]byte, error) {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	var object map[string]json.RawMessage
	if err := json.Unmarshal(trimmed, &object); err != nil || object == nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line, column := position(trimmed, syntax.Offset)
			return nil, fault.New(fault.InvalidInput, "%s is not valid JSON: line %d, column %d: %w", source, line, column, err)
		}
		return nil, fault.New(fault.InvalidInput, "%s must be a JSON object, got %s", source, kind(trimmed)).
			WithHint(`an input looks like {"key": "value"}`)
	}
	return trimmed, nil
}

// position turns the offset of a JSON error into a line and a column.
func position(text []byte, offset int64) (line, column int) {
	before := text[:min(max(int(offset)-1, 0), len(text))]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, len(before) - bytes.LastIndexByte(before, '\n')
}

func kind(text []byte) string {
	if len(text) == 0 {
		return "nothing"
	}
	switch text[0] {
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// looksLikePath reports whether somebody gave --input a file name.
func looksLikePath(s string) bool {
	ext := filepath.Ext(s)
	return ext == ".json" || ext == ".json5" || filepath.IsAbs(s) || strings.HasPrefix(s, "./") ||
		strings.HasPrefix(s, "../") || strings.HasPrefix(s, "~") || (s != "" && exists(s))
}

func contentType(input []byte) string {
	if input == nil {
		return ""
	}
	return "application/json; charset=utf-8"
}
