package executor

import (
	"errors"
	"io"
	"sync"
	"time"
)

// An executor that is made for a server starts everything detached: it goes on
// when the process that started it ends, however that ends, and a later process
// of the same server takes it over. The server keeps three things for that:
//
//   - the Handle, as soon as Start has returned. Should it be killed before,
//     List finds the thing by its run id;
//   - the Position of the output, in the same transaction as the output itself;
//   - how the thing has ended, before it calls Remove.
//
// A server is known by an id that belongs to its data, so that two servers on
// one machine leave each other's things alone. No two processes are one server
// at the same time.

// Handle names something detached for good: a short text that means nothing to
// anybody else, to be stored.
type Handle string

// Stream says where output comes from.
type Stream uint8

// The streams.
const (
	Stdout Stream = 1
	Stderr Stream = 2
)

// Piece is a part of the output, as it came: not always whole lines. Whoever
// keeps whole lines stores the rest of the last one with the position.
type Piece struct {
	Stream Stream
	// Time is when the piece was printed, as far as that is known.
	Time time.Time
	// Data is valid until Output returns.
	Data []byte
	// Lost says that output was dropped before this piece, whose Data is empty:
	// the code had printed more than is kept while nobody took it.
	Lost bool
}

// Position is how much of the output was taken: a short text that means nothing
// to anybody else. "" is the beginning.
type Position string

// Output takes the next pieces of the output, in the order in which they came
// out as far as that is known. With after stored, Attach goes on exactly behind
// them. It is "" for what is not detached.
//
// To return nil is to say that the pieces are stored as durably as they need to
// be: what holds them may forget them. After an error there are no more calls,
// and the thing runs on.
type Output func(pieces []Piece, after Position) error

// TakeOver says how to go on with something that runs already.
type TakeOver struct {
	Output Output
	// After is the position of the last output that was taken.
	After Position
}

// Detached is something that List has found.
type Detached struct {
	RunID  string
	Handle Handle
	// Started is when the code was started; zero when that has not happened:
	// the start is going on, or was cut off and will never end.
	Started time.Time
	// Running is false once it has ended.
	Running bool
}

// Capabilities says what an executor enforces.
type Capabilities struct {
	Survives    bool // what it starts is detached
	MemoryLimit bool // Spec.MemoryMbytes
	DiskLimit   bool // Spec.DiskMbytes
	// Notices say for people what is not enforced and what would change that.
	Notices []string
}

// ErrClosed is what Wait gives when the executor was closed while something
// detached still ran.
var ErrClosed = errors.New("it runs on, but is no longer watched")

// Lost is why nobody can tell how something detached has ended. Nothing of it
// runs any more, unless it is LostEngine.
type Lost string

// What things get lost by.
const (
	LostRemoved    Lost = "removed"    // somebody else has removed it
	LostEngine     Lost = "engine"     // the container engine went away and did not come back
	LostSupervisor Lost = "supervisor" // the process that watched it was killed
	LostReboot     Lost = "reboot"     // the machine was started anew
	LostRecord     Lost = "record"     // what was noted about it cannot be read
)

// Error says what happened.
func (l Lost) Error() string {
	switch l {
	case LostRemoved:
		return "it was removed by somebody else"
	case LostEngine:
		return "the container engine went away and did not come back"
	case LostSupervisor:
		return "the process that watched it was killed"
	case LostReboot:
		return "the machine was started anew"
	case LostRecord:
		return "what was noted about it cannot be read"
	}
	return string(l)
}

// LostOf is the Lost that err wraps.
func LostOf(err error) (Lost, bool) {
	var l Lost
	ok := errors.As(err, &l)
	return l, ok
}

// Writers gives what takes the two streams: Stdout and Stderr, or writers that
// pass everything to Output.
func (s Spec) Writers() (stdout, stderr io.Writer) {
	if s.Output == nil {
		return s.Stdout, s.Stderr
	}
	var mu sync.Mutex
	return &pieces{s.Output, Stdout, &mu}, &pieces{s.Output, Stderr, &mu}
}

type pieces struct {
	to     Output
	stream Stream
	mu     *sync.Mutex
}

func (w *pieces) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.to([]Piece{{Stream: w.stream, Time: time.Now(), Data: p}}, ""); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Taker gives what takes pieces: Output, or what passes them to Stdout and
// Stderr. One of those that fails gets nothing more.
func (s Spec) Taker() Output {
	if s.Output != nil {
		return s.Output
	}
	to := map[Stream]io.Writer{Stdout: s.Stdout, Stderr: s.Stderr}
	return func(pieces []Piece, _ Position) error {
		for _, p := range pieces {
			if w := to[p.Stream]; w != nil {
				if _, err := w.Write(p.Data); err != nil {
					to[p.Stream] = nil
				}
			}
		}
		return nil
	}
}
