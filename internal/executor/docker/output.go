package docker

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/pkg/stdcopy"
)

// drainLimit is how long the stream of a container that has ended may stay
// silent without ending itself.
const drainLimit = 5 * time.Second

// output takes the two streams of a container apart and passes them on as they
// come.
type output struct {
	stream types.HijackedResponse
	ended  atomic.Bool   // the container has ended
	killed atomic.Bool   // Kill was called
	copied chan struct{} // closed when err is the result of copying
	err    error
}

func newOutput(stream types.HijackedResponse, stdout, stderr io.Writer) *output {
	o := &output{stream: stream, copied: make(chan struct{})}
	go func() {
		defer close(o.copied)
		_, o.err = stdcopy.StdCopy(&sink{to: stdout}, &sink{to: stderr}, o)
	}()
	return o
}

// Read reads the multiplexed stream. The limit counts only while waiting for
// the engine: a reader of ours may be as slow as it likes.
func (o *output) Read(p []byte) (int, error) {
	if o.ended.Load() {
		_ = o.stream.Conn.SetReadDeadline(time.Now().Add(drainLimit))
	}
	return o.stream.Reader.Read(p)
}

// drain waits until everything a container that has ended has printed is
// written.
func (o *output) drain() error {
	o.ended.Store(true)
	_ = o.stream.Conn.SetReadDeadline(time.Now().Add(drainLimit)) // for a Read that waits already
	<-o.copied
	o.stream.Close()
	return o.err
}

// abandon ends the copying. After it nothing is written any more.
func (o *output) abandon() {
	o.stream.Close()
	<-o.copied
}

// sink passes on what it can. Output that nobody takes any more is swallowed:
// the container must not be held up by it.
type sink struct {
	to     io.Writer
	failed bool
}

func (s *sink) Write(p []byte) (int, error) {
	if s.to != nil && !s.failed {
		if _, err := s.to.Write(p); err != nil {
			s.failed = true
		}
	}
	return len(p), nil
}
