package adapter

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Format says what a program prints.
type Format string

// The formats. Auto looks at what comes: JSON values make items, so do CSV and
// TSV tables with a heading, and anything else is one value.
const (
	Auto  Format = "auto"
	JSON  Format = "json"  // objects and arrays of objects, one after the other
	Lines Format = "lines" // an item {"line": …} for each line
	CSV   Format = "csv"   // an item for each row, named by the first one
	TSV   Format = "tsv"
	Value Format = "value" // one value, whatever its type
	None  Format = "none"  // only the log
)

// Formats lists the formats, as --output takes them.
var Formats = []Format{Auto, JSON, Lines, CSV, TSV, Value, None}

const (
	// undecided is how many bytes Auto looks at before it settles on what it is.
	undecided = 16 << 20
	// longestLine is the most bytes of one line; the platform takes no larger
	// item.
	longestLine = 9 << 20
)

// Results is what a program printed, told apart.
type Results struct {
	// Items gives JSON objects, one after the other, or nil. Closing it early
	// still reads the program's output to its end, so that the program can end.
	Items io.ReadCloser
	// Value is the one value that was printed, or nil; ContentType is its type.
	Value       io.Reader
	ContentType string
}

// Read looks at what comes from out and says what it is. Both members of the
// result are nil when nothing was printed. Lines between JSON values that are no
// JSON go to log.
func Read(out io.Reader, format Format, log io.Writer) (Results, error) {
	in := bufio.NewReaderSize(out, 64<<10)
	if mark, err := in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = in.Discard(3)
	}
	switch format {
	case JSON:
		return Results{Items: io.NopCloser(in)}, nil
	case Lines:
		return items(in, lines), nil
	case CSV:
		return items(in, table(',')), nil
	case TSV:
		return items(in, table('\t')), nil
	case Value:
		return one(in)
	}
	return guess(in, log)
}

// guess is Read for Auto.
func guess(in *bufio.Reader, log io.Writer) (Results, error) {
	var blank []byte
	for {
		b, err := in.ReadByte()
		if err == io.EOF {
			return Results{}, nil
		}
		if err != nil {
			return Results{}, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' || len(blank) == 1<<10 {
			_ = in.UnreadByte()
			if b == '{' || b == '[' {
				break
			}
			return guessTable(in, blank)
		}
		blank = append(blank, b)
	}
	line, err := in.ReadSlice('\n')
	head := bytes.Clone(line)
	if err == nil && json.Valid(head) {
		return items(io.MultiReader(bytes.NewReader(head), in), jsonLines(log)), nil
	}
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return Results{}, err
	}
	// A value over several lines: whether it is one shows at its end.
	rest, more, err := readAtMost(in, undecided)
	if err != nil {
		return Results{}, err
	}
	head = append(head, rest...)
	if more {
		return Results{Items: io.NopCloser(io.MultiReader(bytes.NewReader(head), in))}, nil
	}
	if onlyJSON(head) {
		return items(bytes.NewReader(head), jsonValues), nil
	}
	return one(io.MultiReader(bytes.NewReader(blank), bytes.NewReader(head)))
}

func guessTable(in *bufio.Reader, blank []byte) (Results, error) {
	head, more, err := readAtMost(in, undecided)
	if err != nil {
		return Results{}, err
	}
	if !more && len(blank) == 0 {
		for _, comma := range []rune{',', '\t'} {
			if isTable(head, comma) {
				return items(bytes.NewReader(head), table(comma)), nil
			}
		}
	}
	return one(io.MultiReader(bytes.NewReader(blank), bytes.NewReader(head), in))
}

func readAtMost(in io.Reader, limit int) (head []byte, more bool, err error) {
	head, err = io.ReadAll(io.LimitReader(in, int64(limit)+1))
	return head, len(head) > limit, err
}

// onlyJSON tells whether text is JSON values and nothing else.
func onlyJSON(text []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return err == io.EOF
		}
	}
}

// isTable tells whether text is a table with a heading rather than text that
// happens to have commas: at least two rows of equally many fields, at least
// two, the first row short names that differ.
func isTable(text []byte, comma rune) bool {
	if !utf8.Valid(text) {
		return false
	}
	reader := newTable(bytes.NewReader(text), comma)
	heading, err := reader.Read()
	if err != nil || len(heading) < 2 {
		return false
	}
	seen := map[string]bool{}
	for _, name := range heading {
		if name == "" || len(name) > 64 || seen[name] || strings.TrimSpace(name) != name || strings.ContainsAny(name, "\n.:;") {
			return false
		}
		seen[name] = true
	}
	rows := 0
	for {
		if _, err := reader.Read(); err != nil {
			// The reader itself insists on as many fields as the heading has.
			return err == io.EOF && rows > 0
		}
		rows++
	}
}

func newTable(in io.Reader, comma rune) *csv.Reader {
	reader := csv.NewReader(in)
	reader.Comma = comma
	reader.LazyQuotes = comma == '\t'
	reader.ReuseRecord = false
	return reader
}

// one is the whole output as one value, with the type that its beginning shows.
func one(in io.Reader) (Results, error) {
	head, _, err := readAtMost(in, 64<<10)
	if err != nil {
		return Results{}, err
	}
	if len(head) == 0 {
		return Results{}, nil
	}
	kind := http.DetectContentType(head)
	if strings.HasPrefix(kind, "text/plain") {
		kind = "text/plain; charset=utf-8"
		if b := bytes.TrimSpace(head); len(head) <= 64<<10 && len(b) > 0 && (b[0] == '{' || b[0] == '[') && json.Valid(b) {
			kind = "application/json; charset=utf-8"
		}
	}
	return Results{Value: io.MultiReader(bytes.NewReader(head), in), ContentType: kind}, nil
}

// items starts a conversion of in to JSON objects.
func items(in io.Reader, convert func(in io.Reader, emit func([]byte) error) error) Results {
	reader, writer := io.Pipe()
	go func() {
		buffered := bufio.NewWriterSize(writer, 32<<10)
		err := convert(&flushing{in, buffered}, func(item []byte) error {
			_, err := buffered.Write(append(item, '\n'))
			return err
		})
		if flushed := buffered.Flush(); err == nil {
			err = flushed
		}
		if errors.Is(err, io.ErrClosedPipe) {
			err = nil
		}
		_, _ = io.Copy(io.Discard, in)
		_ = writer.CloseWithError(err)
	}()
	return Results{Items: reader}
}

// flushing hands on what was made before it waits for more.
type flushing struct {
	io.Reader
	out *bufio.Writer
}

func (f *flushing) Read(p []byte) (int, error) {
	if err := f.out.Flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(p)
}

// object makes items of a JSON value: an object is one, an array holds some, and
// anything else becomes {"value": …}.
func object(raw json.RawMessage, emit func([]byte) error) error {
	switch first(raw) {
	case '{':
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return err
		}
		return emit(compact.Bytes())
	case '[':
		var array []json.RawMessage
		if err := json.Unmarshal(raw, &array); err != nil {
			return err
		}
		for _, element := range array {
			if first(element) == '[' {
				element = fmt.Appendf(nil, `{"value":%s}`, element)
			}
			if err := object(element, emit); err != nil {
				return err
			}
		}
		return nil
	}
	return emit(fmt.Appendf(nil, `{"value":%s}`, bytes.TrimSpace(raw)))
}

func jsonValues(in io.Reader, emit func([]byte) error) error {
	decoder := json.NewDecoder(in)
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := object(raw, emit); err != nil {
			return err
		}
	}
}

func jsonLines(log io.Writer) func(io.Reader, func([]byte) error) error {
	return func(in io.Reader, emit func([]byte) error) error {
		return eachLine(in, func(line []byte) error {
			if trimmed := bytes.TrimSpace(line); len(trimmed) == 0 {
				return nil
			} else if c := trimmed[0]; (c == '{' || c == '[') && json.Valid(trimmed) {
				return object(trimmed, emit)
			}
			_, _ = log.Write(append(line, '\n'))
			return nil
		})
	}
}

func lines(in io.Reader, emit func([]byte) error) error {
	return eachLine(in, func(line []byte) error { return emit(record([]string{"line"}, []string{string(line)})) })
}

// eachLine calls do with every line, without its end.
func eachLine(in io.Reader, do func([]byte) error) error {
	reader := bufio.NewReaderSize(in, 64<<10)
	for {
		var line []byte
		var err error
		for {
			var part []byte
			part, err = reader.ReadSlice('\n')
			if line = append(line, part...); len(line) > longestLine {
				return fault.New(fault.InvalidInput, "a line has more than %d bytes", longestLine)
			}
			if err != bufio.ErrBufferFull {
				break
			}
		}
		if len(line) > 0 {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
			if err := do(line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func table(comma rune) func(io.Reader, func([]byte) error) error {
	return func(in io.Reader, emit func([]byte) error) error {
		reader := newTable(in, comma)
		reader.FieldsPerRecord = -1
		heading, err := reader.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fault.New(fault.InvalidInput, "the table's heading cannot be read: %w", err)
		}
		for {
			row, err := reader.Read()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return fault.New(fault.InvalidInput, "the table cannot be read: %w", err)
			}
			if err := emit(record(heading, row)); err != nil {
				return err
			}
		}
	}
}

// record writes a JSON object with text as values, its fields in their order.
// Values without a name are called after their column, from 1; of a name that
// comes twice, the first counts.
func record(names, values []string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	text := func(s string) {
		_ = encoder.Encode(strings.ToValidUTF8(s, "\uFFFD")) // text always has a JSON form
		out.Truncate(out.Len() - 1)
	}
	seen := make(map[string]bool, len(values))
	for i, v := range values {
		name := fmt.Sprintf("column%d", i+1)
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		if out.Len() == 0 {
			out.WriteByte('{')
		} else {
			out.WriteByte(',')
		}
		text(name)
		out.WriteByte(':')
		text(v)
	}
	if out.Len() == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes()
}
