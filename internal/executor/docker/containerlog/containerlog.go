// Package containerlog reads the log that a container engine keeps of a
// container, from an exact position on.
//
// Engines know no positions in logs. Times do not do as such: two entries may
// have the same, parts of one long line have that of its beginning, and clocks
// are set back. So a position counts entries from the beginning of the log. When
// the engine has dropped the beginning, the entry that was read last is looked
// for by its time and stream.
package containerlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	// A batch ends when it has this many entries or bytes.
	maxEntries = 1000
	maxBytes   = 256 << 10

	headerLen = 8 // of a frame: stream, three zeros, length
	// maxFrame is what a frame may hold. Engines cut lines after 16 KiB.
	maxFrame = 16 << 20
)

// position is the content of an executor.Position.
type position struct {
	First mark  `json:"f"` // the first entry of the log
	Count int64 `json:"n"` // how many entries were read, from that one on
	Last  mark  `json:"l"` // the last of them
	Same  int64 `json:"k"` // how many of them have its time and stream
}

// mark tells an entry from others.
type mark struct {
	Time   int64           `json:"t"` // nanoseconds since 1970
	Stream executor.Stream `json:"s"`
}

func (p position) String() executor.Position {
	data, _ := json.Marshal(p)
	return executor.Position(data)
}

func parse(p executor.Position) (position, error) {
	var out position
	if p == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(p), &out); err != nil {
		return out, fault.Wrap(fault.Internal, err, "the position %q in a container's log", p)
	}
	return out, nil
}

// Source is a container's log at an engine.
type Source struct {
	Client    *client.Client
	Container string
}

// entry is one message of the log.
type entry struct {
	mark
	data []byte
}

// Reader reads a log.
type Reader struct {
	stream io.ReadCloser
	buf    *bufio.Reader
	at     position
	ahead  *entry // was read already
	lost   bool   // tell it before the next entry
	open   map[executor.Stream]part
}

// part is an entry whose line goes on in the next one of its stream.
type part struct {
	time int64
	size int
}

// Open reads behind a position. With follow, Next waits for what the container
// prints until it has ended; without, the log ends where it ends now.
func (s Source) Open(ctx context.Context, after executor.Position, follow bool) (*Reader, error) {
	want, err := parse(after)
	if err != nil {
		return nil, err
	}
	r, err := s.open(ctx, follow)
	if err != nil || want.Count == 0 {
		return r, err
	}
	// The log may lose its beginning between two looks at it.
	const tries = 10
	for range tries {
		skip, lost, first := want.Count, false, want.First
		head, err := r.head()
		if err == nil && head != first {
			skip, first, err = s.locate(ctx, want)
			lost = skip < 0
		}
		switch {
		case errors.Is(err, io.EOF):
			return r, nil // nothing is left of it, and nothing follows
		case err == nil && (lost || head == first):
			if lost {
				r.lost = true
				return r, nil
			}
			if err = r.skip(skip); err == nil || errors.Is(err, io.EOF) {
				return r, nil
			}
		}
		r.Close()
		if err != nil {
			return nil, err
		}
		if r, err = s.open(ctx, follow); err != nil {
			return nil, err
		}
	}
	r.lost = true
	return r, nil
}

func (s Source) open(ctx context.Context, follow bool) (*Reader, error) {
	stream, err := s.Client.ContainerLogs(ctx, s.Container, container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow,
	})
	if err != nil {
		return nil, err
	}
	return &Reader{stream: stream, buf: bufio.NewReaderSize(stream, maxBytes), open: map[executor.Stream]part{}}, nil
}

// locate counts the entries up to the last one of want in a log that has lost
// its beginning. The count is -1 when that entry is lost too.
func (s Source) locate(ctx context.Context, want position) (count int64, first mark, err error) {
	r, err := s.open(ctx, false)
	if err != nil {
		return 0, mark{}, err
	}
	defer r.Close()
	count = -1
	var same int64
	for n := int64(1); ; n++ {
		e, err := r.read()
		if errors.Is(err, io.EOF) {
			return count, first, nil
		}
		if err != nil {
			return 0, mark{}, err
		}
		if n == 1 {
			first = e.mark
		}
		if e.mark == want.Last {
			if same++; same <= want.Same {
				count = n
			}
		}
	}
}

// head looks at the first entry.
func (r *Reader) head() (mark, error) {
	if r.ahead == nil {
		e, err := r.read()
		if err != nil {
			return mark{}, err
		}
		r.ahead = &e
	}
	return r.ahead.mark, nil
}

// skip reads n entries.
func (r *Reader) skip(n int64) error {
	for r.at.Count < n {
		e, err := r.take()
		if err != nil {
			return err
		}
		r.count(e)
	}
	return nil
}

// Next gives at least one entry, and more when they are there already. io.EOF
// says that nothing follows.
func (r *Reader) Next() ([]executor.Piece, executor.Position, error) {
	var pieces []executor.Piece
	if r.lost {
		r.lost = false
		pieces = append(pieces, executor.Piece{Stream: executor.Stdout, Time: time.Now(), Lost: true})
	}
	for size := 0; ; {
		e, err := r.take()
		if err != nil {
			if len(pieces) > 0 {
				break // it is told the next time
			}
			return nil, "", err
		}
		r.count(e)
		pieces = append(pieces, executor.Piece{Stream: e.Stream, Time: time.Unix(0, e.Time).UTC(), Data: e.data})
		size += len(e.data)
		if size >= maxBytes || len(pieces) >= maxEntries || !r.ready() {
			break
		}
	}
	return pieces, r.at.String(), nil
}

func (r *Reader) take() (entry, error) {
	if e := r.ahead; e != nil {
		r.ahead = nil
		return *e, nil
	}
	return r.read()
}

// count moves the position behind an entry.
func (r *Reader) count(e entry) {
	if r.at.Count == 0 {
		r.at.First = e.mark
	}
	r.at.Count++
	if e.mark != r.at.Last {
		r.at.Last, r.at.Same = e.mark, 0
	}
	r.at.Same++
}

// ready says whether a whole entry can be read without waiting.
func (r *Reader) ready() bool {
	if r.ahead != nil {
		return true
	}
	if r.buf.Buffered() < headerLen {
		return false
	}
	header, err := r.buf.Peek(headerLen)
	return err == nil && r.buf.Buffered() >= headerLen+int(binary.BigEndian.Uint32(header[4:]))
}

// read reads a frame, which is an entry with its time before it.
func (r *Reader) read() (entry, error) {
	var header [headerLen]byte
	if _, err := io.ReadFull(r.buf, header[:]); err != nil {
		return entry{}, err // io.EOF between two entries only
	}
	size := binary.BigEndian.Uint32(header[4:])
	if size > maxFrame {
		return entry{}, fault.New(fault.Internal, "the engine sends an entry of %d bytes as part of a container's log", size)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r.buf, data); err != nil {
		return entry{}, io.ErrUnexpectedEOF
	}
	stream := executor.Stream(header[0])
	if stream != executor.Stdout && stream != executor.Stderr {
		// Engines tell here what went wrong in the middle of reading.
		return entry{}, fault.New(fault.Unavailable, "reading a container's log: %s", bytes.TrimSpace(data))
	}
	stamp, rest, _ := bytes.Cut(data, []byte(" "))
	t, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return entry{}, fault.Wrap(fault.Internal, err, "an entry of a container's log has no time")
	}
	e := entry{mark{t.UnixNano(), stream}, rest}
	r.endLine(&e)
	return e, nil
}

// endLine gives the last part of a long line its end, which Docker's driver
// "local" forgets up to version 20.10 at least. Parts have the time of their
// line's beginning and all but the last the same size. A long line without an
// end, which must be the last of its stream, gets one too.
func (r *Reader) endLine(e *entry) {
	before, long := r.open[e.Stream]
	delete(r.open, e.Stream)
	switch {
	case bytes.HasSuffix(e.data, []byte("\n")):
	case long && before.time == e.Time && len(e.data) < before.size:
		e.data = append(e.data, '\n')
	default:
		r.open[e.Stream] = part{e.Time, len(e.data)}
	}
}

// Close ends reading; a Next that waits gives an error.
func (r *Reader) Close() error { return r.stream.Close() }
