package meter

import (
	"bytes"
	"fmt"
	"time"
)

// Follower notes the numbers of a worker's lines, and how old they are when
// they come.
type Follower struct {
	rest    []byte
	Numbers []int
	Ages    Samples // in seconds
	Last    time.Time
}

// Write implements io.Writer.
func (f *Follower) Write(p []byte) (int, error) {
	f.Last = time.Now()
	f.rest = append(f.rest, p...)
	for {
		line, rest, whole := bytes.Cut(f.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		f.rest = rest
		var number int
		var at int64
		_, text, _ := bytes.Cut(line, []byte("line "))
		if _, err := fmt.Sscan(string(text), &number, &at); err == nil {
			f.Numbers = append(f.Numbers, number)
			f.Ages = append(f.Ages, f.Last.Sub(time.Unix(0, at)).Seconds())
		}
	}
}
