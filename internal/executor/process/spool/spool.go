// Package spool keeps the output of a run in files until it is taken: one
// process writes, another reads, and either may be killed at any moment.
//
// The output is a row of files of a few MB, named by number. Each holds records:
// a byte for the stream, eight for the time, four for the length, and the data.
// What the reader has taken, it removes. When too much is left untaken, output
// is dropped, and a record says so.
package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	segmentSize = 4 << 20
	maxSegments = 16

	headerLen = 1 + 8 + 4
	maxRecord = 1 << 20

	// dropped is the stream of the record that stands for what was not kept.
	dropped = 0

	// Between two looks for room, and between two when nobody reads.
	pause    = 10 * time.Millisecond
	longLook = 200 * time.Millisecond
)

func segment(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("out-%08d", n)) }

// oldest finds the first segment that is still there; 0 when there is none.
func oldest(dir string) (first, count int) {
	names, err := filepath.Glob(filepath.Join(dir, "out-*"))
	if err != nil {
		return 0, 0
	}
	for _, name := range names {
		n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(name), "out-"))
		if err != nil {
			continue
		}
		if first == 0 || n < first {
			first = n
		}
		count++
	}
	return first, count
}

// Writer writes. Its fields are set before the first write.
type Writer struct {
	Dir string
	// Wake is called after a record was written.
	Wake func()
	// Read says whether somebody reads at present: the code is then held up
	// rather than output dropped when there is no room.
	Read func() bool

	mu     sync.Mutex
	n      int
	f      *os.File
	size   int64
	lost   bool // output was dropped and that is not told yet
	looked time.Time
}

// Stream gives the writer for one stream. It never fails.
func (w *Writer) Stream(s executor.Stream) io.Writer { return stream{w, s} }

type stream struct {
	to *Writer
	s  executor.Stream
}

func (s stream) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), maxRecord)
		s.to.put(byte(s.s), rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

func (w *Writer) put(stream byte, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.room() {
		w.lost = true
		return
	}
	if w.lost {
		if w.write(dropped, nil) != nil {
			return
		}
		w.lost = false
	}
	if w.write(stream, data) != nil {
		w.lost = true
	}
	w.Wake()
}

// room makes sure that there is a file to write to.
func (w *Writer) room() bool {
	if w.f != nil && w.size < segmentSize {
		return true
	}
	// After a refusal it is not worth looking at every write.
	if w.lost && time.Since(w.looked) < longLook {
		return false
	}
	for {
		w.looked = time.Now()
		if _, count := oldest(w.Dir); count < maxSegments {
			break
		}
		if !w.Read() {
			return false
		}
		time.Sleep(pause)
	}
	f, err := os.OpenFile(segment(w.Dir, w.n+1), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	if w.f != nil {
		w.f.Close()
	}
	w.n, w.f, w.size = w.n+1, f, 0
	return true
}

// write writes a record as a whole or not at all.
func (w *Writer) write(stream byte, data []byte) error {
	record := make([]byte, headerLen+len(data))
	record[0] = stream
	binary.BigEndian.PutUint64(record[1:], uint64(time.Now().UnixNano()))
	binary.BigEndian.PutUint32(record[9:], uint32(len(data)))
	copy(record[headerLen:], data)
	if _, err := w.f.Write(record); err != nil {
		_ = w.f.Truncate(w.size)
		_, _ = w.f.Seek(w.size, io.SeekStart)
		return err
	}
	w.size += int64(len(record))
	return nil
}

// Close makes what was written last, and notes when there was more.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return nil
	}
	if w.lost && w.write(dropped, nil) == nil {
		w.lost = false
	}
	return errors.Join(w.f.Sync(), w.f.Close())
}

// Reader reads behind a position.
type Reader struct {
	dir  string
	n    int
	off  int64
	f    *os.File
	buf  []byte
	lost bool
}

// Open begins to read behind a position.
func Open(dir string, after executor.Position) (*Reader, error) {
	r := &Reader{dir: dir, n: 1, buf: make([]byte, headerLen+maxRecord)}
	if after == "" {
		return r, nil
	}
	n, off, ok := strings.Cut(string(after), ":")
	var err, offErr error
	r.n, err = strconv.Atoi(n)
	r.off, offErr = strconv.ParseInt(off, 10, 64)
	if err = errors.Join(err, offErr); err != nil || !ok || r.n < 1 || r.off < 0 {
		return nil, fault.New(fault.Internal, "the position %q in the output of a run cannot be read", string(after))
	}
	return r, nil
}

func (r *Reader) position() executor.Position {
	return executor.Position(strconv.Itoa(r.n) + ":" + strconv.FormatInt(r.off, 10))
}

// Next gives what there is, at least one piece, or io.EOF when there is nothing
// at present.
func (r *Reader) Next() ([]executor.Piece, executor.Position, error) {
	for {
		if err := r.open(); err != nil {
			return nil, "", err
		}
		// Asked for before reading: once there is a next file, nothing is added
		// to this one.
		_, err := os.Stat(segment(r.dir, r.n+1))
		complete := err == nil
		pieces, err := r.read()
		if err != nil {
			return nil, "", err
		}
		if r.lost && (len(pieces) > 0 || !complete) {
			r.lost = false
			pieces = append([]executor.Piece{{Stream: executor.Stdout, Time: time.Now(), Lost: true}}, pieces...)
		}
		if len(pieces) > 0 {
			return pieces, r.position(), nil
		}
		if !complete {
			return nil, "", io.EOF
		}
		r.f.Close()
		r.n, r.off, r.f = r.n+1, 0, nil
	}
}

// open opens the present file, or the first there is when that one is gone.
func (r *Reader) open() error {
	if r.f != nil {
		return nil
	}
	f, err := os.Open(segment(r.dir, r.n))
	if errors.Is(err, fs.ErrNotExist) {
		first, _ := oldest(r.dir)
		if first == 0 || first < r.n || first == 1 && r.n == 1 {
			return io.EOF // not written yet
		}
		r.n, r.off, r.lost = first, 0, true
		f, err = os.Open(segment(r.dir, r.n))
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the output of a run")
	}
	r.f = f
	return nil
}

// read takes the whole records that there are.
func (r *Reader) read() ([]executor.Piece, error) {
	n, err := r.f.ReadAt(r.buf, r.off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(fault.Internal, err, "the output of a run")
	}
	var pieces []executor.Piece
	for data := r.buf[:n]; len(data) >= headerLen; {
		size := int(binary.BigEndian.Uint32(data[9:]))
		if size > maxRecord {
			return nil, fault.New(fault.Internal, "the output of a run is damaged: a piece of %d bytes", size)
		}
		if len(data) < headerLen+size {
			break
		}
		p := executor.Piece{Stream: executor.Stream(data[0]), Time: time.Unix(0, int64(binary.BigEndian.Uint64(data[1:]))).UTC()}
		if data[0] == dropped {
			p.Stream, p.Lost = executor.Stdout, true
		} else {
			p.Data = data[headerLen : headerLen+size]
		}
		pieces = append(pieces, p)
		data = data[headerLen+size:]
		r.off += int64(headerLen + size)
	}
	return pieces, nil
}

// Forget removes the files that were read to their ends.
func (r *Reader) Forget() {
	for n := r.n - 1; n > 0; n-- {
		if os.Remove(segment(r.dir, n)) != nil {
			return
		}
	}
}

// Close ends reading.
func (r *Reader) Close() {
	if r.f != nil {
		r.f.Close()
	}
}
