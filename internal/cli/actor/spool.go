package actor

import (
	"bytes"
	"errors"
	"io"
	"os"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// inMemory is the most bytes of a value that are held in memory while its kind
// is found out; what is larger goes through a temporary file.
const inMemory = 1 << 20

// spooled is a value that was read to its end, or far enough to know its kind.
type spooled struct {
	io.Reader
	file       *os.File
	json, text bool
}

func (s *spooled) contentType() string {
	switch {
	case s.json:
		return actor.TypeJSON
	case s.text:
		return actor.TypeText
	}
	return actor.TypeBinary
}

// Close removes the temporary file, if there is one.
func (s *spooled) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// spool reads in until it is known whether it gives JSON, other text or neither.
// The first invalid byte settles that, so binary streams pass through without
// a stop. The caller closes the result.
func spool(in io.Reader) (*spooled, error) {
	var kind sniffer
	head := make([]byte, 0, 32<<10)
	for {
		if len(head) == cap(head) {
			if len(head) >= inMemory {
				break
			}
			head = append(head, 0)[:len(head)]
		}
		n, err := in.Read(head[len(head):cap(head)])
		kind.write(head[len(head) : len(head)+n])
		head = head[:len(head)+n]
		if kind.binary {
			return &spooled{Reader: io.MultiReader(bytes.NewReader(head), in)}, nil
		}
		if err == io.EOF {
			json, text := kind.end()
			return &spooled{Reader: bytes.NewReader(head), json: json, text: text}, nil
		}
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "read the value")
		}
	}
	file, err := os.CreateTemp("", "actor-value-*")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the value is larger than %d bytes and needs a temporary file: %w", inMemory, err).
			WithHint("give --content-type: then the value is stored as it is read")
	}
	s := &spooled{file: file}
	rest, err := s.fill(&kind, head, in)
	if err != nil {
		s.Close()
		return nil, fault.Wrap(fault.Unavailable, err, "keep the value in a temporary file")
	}
	s.Reader = file
	if kind.binary {
		s.Reader = io.MultiReader(onlyReader{file}, bytes.NewReader(rest), in)
		return s, nil
	}
	s.json, s.text = kind.end()
	return s, nil
}

// onlyReader hides Seek: the end of the file is not the end of the value.
type onlyReader struct{ io.Reader }

// fill writes head and what in gives to the file, and rewinds it. It stops at
// the first binary chunk, which it returns.
func (s *spooled) fill(kind *sniffer, head []byte, in io.Reader) (rest []byte, err error) {
	if _, err := s.file.Write(head); err != nil {
		return nil, err
	}
	chunk := make([]byte, 64<<10)
	for {
		n, err := in.Read(chunk)
		if kind.write(chunk[:n]); kind.binary {
			rest = chunk[:n]
			break
		}
		if _, err := s.file.Write(chunk[:n]); err != nil {
			return nil, err
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	_, err = s.file.Seek(0, io.SeekStart)
	return rest, err
}

// sniffer tells JSON, text and binary data apart as they stream by.
type sniffer struct {
	json   jsonChecker
	split  []byte // the beginning of a character that the next chunk completes
	binary bool
}

func (s *sniffer) write(p []byte) {
	if s.binary {
		return
	}
	s.json.write(p)
	if bytes.IndexByte(p, 0) >= 0 {
		s.binary = true
		return
	}
	if len(s.split) > 0 {
		n := min(utf8.UTFMax-len(s.split), len(p))
		joined := append(s.split, p[:n]...)
		if !utf8.FullRune(joined) {
			s.split = joined
			return
		}
		r, size := utf8.DecodeRune(joined)
		if r == utf8.RuneError && size <= 1 {
			s.binary = true
			return
		}
		p = p[size-len(s.split):]
		s.split = nil
	}
	tail := len(p)
	for i := 1; i <= min(utf8.UTFMax-1, len(p)); i++ {
		if utf8.RuneStart(p[len(p)-i]) {
			if !utf8.FullRune(p[len(p)-i:]) {
				tail = len(p) - i
			}
			break
		}
	}
	if !utf8.Valid(p[:tail]) {
		s.binary = true
		return
	}
	s.split = bytes.Clone(p[tail:])
}

// end gives the verdict on what was written.
func (s *sniffer) end() (json, text bool) {
	text = !s.binary && len(s.split) == 0
	return text && s.json.end(), text
}
