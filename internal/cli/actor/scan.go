package actor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// group is some items that arrived together, or the error that ended the scan.
type group struct {
	items []json.RawMessage
	bytes int
	err   error
}

// maxItem is the most bytes of one item. The platform takes no more.
const maxItem = client.MaxBody

// scan sends the items of a source in groups and closes the channel. Before it
// waits for more input it sends what it has. Closing done stops it.
func scan(from source, groups chan<- group, done <-chan struct{}) {
	defer close(groups)
	s := &scanner{source: from, line: 1}
	send := func(g group) bool {
		select {
		case groups <- g:
			return true
		case <-done:
			return false
		}
	}
	var pending group
	s.waiting = func() bool {
		if len(pending.items) == 0 {
			return true
		}
		g := pending
		pending = group{items: make([]json.RawMessage, 0, len(g.items))}
		return send(g)
	}
	for {
		item, err := s.next()
		if err == io.EOF {
			if len(pending.items) > 0 || s.empty {
				// An empty array is something, though no item.
				send(pending)
			}
			return
		}
		if err == errStopped {
			return
		}
		if err != nil {
			// What was sent before may be pushed already; the rest is not.
			send(group{err: err})
			return
		}
		pending.items = append(pending.items, item)
		pending.bytes += len(item)
	}
}

var errStopped = errors.New("stopped")

// scanner cuts a stream into items in constant memory: JSON objects, alone or in
// arrays, or lines of key=value words.
type scanner struct {
	source
	waiting func() bool // called before a read; false stops

	buf     []byte // buf[pos:] is not consumed yet
	pos     int
	line    int // of buf[pos]
	eof     bool
	begun   bool
	words   bool // lines of key=value, not JSON
	array   arrayState
	empty   bool // an array without items was seen
	counted int  // items of the present array
}

// arrayState says where in a top-level array the scanner is.
type arrayState byte

const (
	outside    arrayState = iota
	wantsItem             // after [ or ,
	wantsComma            // after an item
)

// next gives the next item; its bytes stay as they are. io.EOF ends the stream.
func (s *scanner) next() (json.RawMessage, error) {
	for {
		b, err := s.peek()
		if err == io.EOF && s.array != outside {
			return nil, s.fail(s.line, "the array is not closed")
		}
		if err != nil {
			return nil, err
		}
		if !s.begun {
			s.begun = true
			s.words = !s.json && b != '{' && b != '['
		}
		if s.words {
			return s.pairs()
		}
		switch {
		case s.array == wantsComma:
			switch b {
			case ',':
				s.array = wantsItem
			case ']':
				s.array = outside
			default:
				return nil, s.fail(s.line, "expected , or ] after an item of the array, got %s", s.excerpt())
			}
			s.pos++
		case b == '{':
			item, err := s.object()
			if err == nil && s.array == wantsItem {
				s.array = wantsComma
				s.counted++
			}
			return item, err
		case b == '[' && s.array == outside:
			s.array, s.counted = wantsItem, 0
			s.pos++
		case b == ']' && s.array == wantsItem && s.counted == 0:
			s.array, s.empty = outside, true
			s.pos++
		default:
			return nil, s.fail(s.line, "an item must be a JSON object, got %s", s.excerpt())
		}
	}
}

// peek skips white space, and a byte order mark at the very beginning.
func (s *scanner) peek() (byte, error) {
	for {
		for s.pos < len(s.buf) {
			switch b := s.buf[s.pos]; b {
			case '\n':
				s.line++
				s.pos++
			case ' ', '\t', '\r':
				s.pos++
			case 0xEF:
				if !s.begun && len(s.buf)-s.pos < 3 && !s.eof {
					goto more
				}
				if !s.begun && bytes.HasPrefix(s.buf[s.pos:], []byte("\xef\xbb\xbf")) {
					s.pos += 3
					continue
				}
				return b, nil
			default:
				return b, nil
			}
		}
		if s.eof {
			return 0, io.EOF
		}
	more:
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

const bufferSize = 256 << 10

// fill reads once. Items point into the buffer, so what is in it stays in its
// place: when it is full, the unconsumed rest moves to a new one.
func (s *scanner) fill() error {
	if !s.waiting() {
		return errStopped
	}
	if len(s.buf) == cap(s.buf) {
		rest := s.buf[s.pos:]
		fresh := make([]byte, len(rest), max(bufferSize, 2*len(rest)))
		copy(fresh, rest)
		s.buf, s.pos = fresh, 0
	}
	n, err := s.in.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if err == io.EOF {
		s.eof = true
	} else if err != nil {
		return fault.Wrap(fault.Unavailable, err, "read %s", s.where(s.line))
	}
	return nil
}

// object takes the object that begins at pos. It finds the end by counting
// brackets; whether what is between them is JSON is checked then.
func (s *scanner) object() (json.RawMessage, error) {
	depth, inString := 0, false
	for i := 0; ; i++ {
		for s.pos+i >= len(s.buf) {
			if s.eof {
				return nil, s.invalid(len(s.buf) - s.pos)
			}
			if i >= maxItem {
				return nil, s.tooLarge()
			}
			if err := s.fill(); err != nil {
				return nil, err
			}
		}
		b := s.buf[s.pos+i]
		if inString {
			switch {
			case b == '"':
				inString = false
			case b == '\\':
				i++ // whatever follows, it does not end the string
			case b < ' ':
				return nil, s.invalid(i + 1)
			}
			continue
		}
		switch b {
		case '"':
			inString = true
		case '{', '[':
			if b == '{' && i > 0 && !opens(s.buf[s.pos:s.pos+i]) {
				return nil, s.invalid(i + 1)
			}
			depth++
		case '}', ']':
			if depth--; depth > 0 {
				continue
			}
			if i >= maxItem {
				return nil, s.tooLarge()
			}
			item := s.buf[s.pos : s.pos+i+1 : s.pos+i+1]
			if !json.Valid(item) {
				return nil, s.invalid(i + 1)
			}
			s.line += bytes.Count(item, []byte("\n"))
			s.pos += i + 1
			return json.RawMessage(item), nil
		}
	}
}

func (s *scanner) tooLarge() error {
	return s.fail(s.line, "an item has more than %d bytes, or never ends", maxItem)
}

// opens tells whether a value may follow text. It catches a line that was cut
// off before its last brace at the next line, instead of at the end of a stream.
func opens(text []byte) bool {
	text = bytes.TrimRight(text, " \t\r\n")
	switch text[len(text)-1] {
	case ',', ':', '[':
		return true
	}
	return false
}

// invalid words why the first n bytes of the item at pos are not JSON.
func (s *scanner) invalid(n int) error {
	item := s.buf[s.pos : s.pos+n]
	var value any
	err := json.Unmarshal(item, &value)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return s.fail(s.line, "the item is not JSON")
	}
	at := s.line + bytes.Count(item[:min(int(syntax.Offset), len(item))], []byte("\n"))
	if at > s.line && int(syntax.Offset) <= len(item) {
		return s.fail(s.line, "the item is not JSON: %w (on line %d)", syntax, at)
	}
	return s.fail(s.line, "the item is not JSON: %w", syntax)
}

// excerpt shows what is at pos.
func (s *scanner) excerpt() string {
	text := s.buf[s.pos:]
	if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
		text = text[:i]
	}
	if len(text) > 40 {
		return string(bytes.ToValidUTF8(text[:40], nil)) + "…"
	}
	return string(text)
}

func (s *scanner) where(line int) string {
	if s.name == "" {
		return "the argument"
	}
	return s.name + ", line " + strconv.Itoa(line)
}

func (s *scanner) fail(line int, format string, args ...any) error {
	err := fault.New(fault.InvalidInput, format, args...)
	return fault.Wrap(fault.InvalidInput, err, "%s", s.where(line))
}

// pairs takes the next line of key=value words.
func (s *scanner) pairs() (json.RawMessage, error) {
	scanned := 0
	for {
		if i := bytes.IndexByte(s.buf[s.pos+scanned:], '\n'); i >= 0 || s.eof {
			end := len(s.buf)
			if i >= 0 {
				end = s.pos + scanned + i
			}
			words, err := splitWords(string(s.buf[s.pos:end]))
			var item []byte
			if err == nil {
				item, err = cmdkit.ParsePairs(words)
			}
			if err != nil {
				return nil, s.fail(s.line, "%w", err)
			}
			s.pos = end
			return item, nil
		}
		if scanned = len(s.buf) - s.pos; scanned > maxItem {
			return nil, s.fail(s.line, "the line has more than %d bytes", maxItem)
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// splitWords cuts a line at spaces, with single quotes, double quotes and
// backslashes meaning what they mean in a shell. Nothing is expanded and # is
// an ordinary character.
func splitWords(line string) ([]string, error) {
	var words []string
	var word []byte
	var quote byte
	inWord := false
	for i := 0; i < len(line); i++ {
		b := line[i]
		switch {
		case quote == '\'':
			if b == '\'' {
				quote = 0
			} else {
				word = append(word, b)
			}
		case b == '\\' && (quote == 0 || i+1 < len(line) && (line[i+1] == '"' || line[i+1] == '\\')):
			if i++; i == len(line) {
				return nil, errors.New("the line ends after a backslash")
			}
			word, inWord = append(word, line[i]), true
		case b == '"' && quote == '"':
			quote = 0
		case quote == '"':
			word = append(word, b)
		case b == '\'' || b == '"':
			quote, inWord = b, true
		case b == ' ' || b == '\t' || b == '\r':
			if inWord {
				words, word, inWord = append(words, string(word)), nil, false
			}
		default:
			word, inWord = append(word, b), true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed: " + line)
	}
	if inWord {
		words = append(words, string(word))
	}
	return words, nil
}
