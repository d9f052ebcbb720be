package cmdkit

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

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// stdinPatience is how long we wait for a pipe on standard input to say
// something when nobody has asked for it: a pipe that stays open and silent,
// as CI systems leave it, must not hang the command.
const stdinPatience = 5 * time.Second

// Input is the input of an Actor as a command line gives it.
type Input struct {
	// Text is JSON, @FILE, or - for standard input; it counts when Given.
	Text  string
	Given bool
	// File holds JSON; - is standard input.
	File string
	// Pairs are key=value and key:=JSON.
	Pairs []string
}

// Once gives an error that names what is given when the input is given in more
// ways than one.
func (i *Input) Once(command string) error {
	given := 0
	for _, is := range []bool{i.Given, i.File != "", len(i.Pairs) > 0} {
		if is {
			given++
		}
	}
	if given > 1 {
		return UsageError(command, "the input is given more than once: --input, --input-file and key=value arguments exclude each other")
	}
	return nil
}

// Read gives the input as a JSON object: what the command line says, else what is
// piped into standard input; nil when there is neither. A pipe that stays open
// and silent is passed over, which notice is told. What is no JSON object is
// fault.InvalidInput.
func (i *Input) Read(ctx context.Context, s *IO, notice func(line string)) ([]byte, error) {
	text, file := i.Text, i.File
	if name, is := strings.CutPrefix(text, "@"); i.Given && is {
		file = name
	}
	switch {
	case i.Given && text == "-", file == "-":
		body, err := io.ReadAll(s.In)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "reading the input from standard input")
		}
		return checked(body, "standard input")
	case file != "":
		body, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.InvalidInput, "input file %s does not exist", file)
		} else if err != nil {
			return nil, fault.Wrap(fault.InvalidInput, err, "reading the input file")
		}
		return checked(body, file)
	case i.Given:
		if looksLikePath(text) && !json.Valid([]byte(text)) {
			return nil, fault.New(fault.InvalidInput, "--input takes JSON, but %q is a path", text).
				WithHint("use --input-file %s", text)
		}
		return checked([]byte(text), "--input")
	case len(i.Pairs) > 0:
		body, err := ParsePairs(i.Pairs)
		if err != nil {
			return nil, fault.Wrap(fault.InvalidInput, err, "input arguments")
		}
		return body, nil
	}
	return s.pipedInput(ctx, notice)
}

// pipedInput gives the JSON object on standard input, when something is piped
// there.
func (s *IO) pipedInput(ctx context.Context, notice func(line string)) ([]byte, error) {
	if s.InTTY || !s.Piped() {
		return nil, nil
	}
	first, all := make(chan struct{}), make(chan []byte, 1)
	go func() {
		var head [1]byte
		n, err := io.ReadFull(s.In, head[:])
		close(first)
		if err != nil {
			all <- nil
			return
		}
		// One JSON value is enough: what keeps the pipe open may live on.
		var value json.RawMessage
		in := &tee{Reader: io.MultiReader(bytes.NewReader(head[:n]), s.In)}
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
		notice("standard input is open but silent: going on without it (give --input-file - to wait for it)")
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
		return nil, fault.New(fault.InvalidInput, "%s must be a JSON object, got %s", source, jsontext.Kind(trimmed)).
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

// looksLikePath reports whether somebody gave --input a file name.
func looksLikePath(s string) bool {
	ext := filepath.Ext(s)
	return ext == ".json" || ext == ".json5" || filepath.IsAbs(s) || strings.HasPrefix(s, "./") ||
		strings.HasPrefix(s, "../") || strings.HasPrefix(s, "~") || (s != "" && exists(s))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
