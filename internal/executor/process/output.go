package process

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// drainLimit is how long a pipe may stay silent after the run has ended: long
// enough for what is in it, short enough for strangers that hold it open.
const drainLimit = 500 * time.Millisecond

// output copies what the code writes to one pipe, as it is written.
type output struct {
	from  *os.File
	done  chan struct{}
	ended atomic.Bool // the run has ended

	mu sync.Mutex // guards to: nobody writes to it after close
	to io.Writer
}

// newOutput makes a pipe. The second result is for the code.
func newOutput(to io.Writer) (*output, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return &output{from: r, to: to, done: make(chan struct{})}, w, nil
}

func (o *output) start() {
	go func() {
		defer close(o.done)
		buf := make([]byte, 32<<10)
		for {
			n, err := o.from.Read(buf)
			if n > 0 {
				o.write(buf[:n])
			}
			if err != nil {
				return
			}
			// After the end only silence is limited, not how much there is.
			if o.ended.Load() {
				_ = o.from.SetReadDeadline(time.Now().Add(drainLimit))
			}
		}
	}()
}

// write passes on what it can. Output that nobody takes any more is swallowed:
// the code must not be held up by it.
func (o *output) write(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.to == nil {
		return
	}
	if _, err := o.to.Write(p); err != nil {
		o.to = nil
	}
}

// drain waits until everything that was written is passed on, but not for those
// who hold the pipe open in silence.
func (o *output) drain() {
	o.ended.Store(true)
	if o.from.SetReadDeadline(time.Now().Add(drainLimit)) == nil {
		<-o.done
	} else {
		// Pipes of Windows know no deadlines. Nothing of a job that was ended
		// holds one open, but other programs may have been handed it.
		select {
		case <-o.done:
		case <-time.After(drainLimit):
		}
	}
	o.close()
}

// close gives up the pipe. After it nothing is written any more.
func (o *output) close() {
	o.mu.Lock()
	o.to = nil
	o.mu.Unlock()
	o.from.Close()
}
