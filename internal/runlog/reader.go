package runlog

import (
	"context"
	"errors"
	"io"
)

// Reader reads a log from its beginning. With follow it waits at the end for
// more, until the log or ctx ends; without, it ends where the log ended when it
// was opened.
func (l *Log) Reader(ctx context.Context, follow bool) io.ReadCloser {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &reader{log: l, ctx: ctx, follow: follow, at: l.dropped, end: l.size}
}

type reader struct {
	log    *Log
	ctx    context.Context
	follow bool
	at     int64 // of the next byte, in all that was ever added
	end    int64 // where one that does not follow ends
	file   io.ReadCloser
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if !r.follow {
			if r.at >= r.end {
				return 0, io.EOF
			}
			p = p[:min(int64(len(p)), r.end-r.at)]
		}
		if r.file != nil {
			n, err := r.file.Read(p)
			r.at += int64(n)
			if n > 0 {
				return n, nil
			}
			r.file.Close()
			r.file = nil
			if !errors.Is(err, io.EOF) {
				return 0, err
			}
		}
		n, grown, err := r.latest(p)
		if n > 0 || err != nil {
			return n, err
		}
		if grown == nil {
			continue // there is a file to read
		}
		select {
		case <-grown:
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
}

// latest copies what is at hand in memory. It opens what is stored when that is
// not enough, and gives what to wait for when there is nothing.
func (r *reader) latest(p []byte) (n int, grown <-chan struct{}, err error) {
	l := r.log
	l.mu.Lock()
	r.at = min(max(r.at, l.dropped), l.size)
	first := l.size - int64(len(l.recent))
	if r.at >= first {
		n = copy(p, l.recent[r.at-first:])
		r.at += int64(n)
		if n == 0 && l.ended {
			err = io.EOF
		}
		grown = l.grown
		l.mu.Unlock()
		return n, grown, err
	}
	offset := r.at - l.dropped
	l.mu.Unlock()
	// What memory has no more was stored before.
	file, err := l.opts.Logs.Open(r.ctx, l.id, offset)
	if err != nil {
		return 0, nil, err
	}
	var one [1]byte
	n, err = file.Read(one[:])
	if n == 0 {
		file.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		r.at = max(r.at, l.size-int64(len(l.recent)))
		return 0, nil, nil
	}
	p[0] = one[0]
	r.at++
	r.file = file
	return 1, nil, nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	if r.file != nil {
		return r.file.Close()
	}
	return nil
}
