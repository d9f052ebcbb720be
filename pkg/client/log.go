package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// LogOptions select how a log is read. Stream keeps the answer open until the
// run ends; Raw keeps escape sequences.
type LogOptions struct{ Stream, Raw bool }

// openLog reads a log.
func (c *Client) openLog(ctx context.Context, path string, opts LogOptions) (io.ReadCloser, error) {
	query := url.Values{}
	if opts.Stream {
		query.Set("stream", "1")
	}
	if opts.Raw {
		query.Set("raw", "1")
	}
	resp, err := c.send(ctx, call{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Log reads the run's log. The caller closes it.
func (r Run) Log(ctx context.Context, opts LogOptions) (io.ReadCloser, error) {
	return r.c.openLog(ctx, r.path+"/log", opts)
}

// Log reads the build's log. The caller closes it.
func (b Build) Log(ctx context.Context, opts LogOptions) (io.ReadCloser, error) {
	return b.c.openLog(ctx, b.path+"/log", opts)
}

// followPatience is how long a log that is followed may be out of reach.
const followPatience = time.Minute

// FollowLog writes the run's log to w as it grows, until the run has ended. A
// connection that breaks is made anew, without gap and repetition; only what is
// out of reach for a minute is fault.Unavailable.
func (r Run) FollowLog(ctx context.Context, w io.Writer, raw bool) error {
	return follow(ctx, w, raw, r.Log, func(ctx context.Context) (bool, error) {
		run, err := r.Get(ctx, 0)
		return run.Value.Status.Terminal(), err
	})
}

// FollowLog writes the build's log to w as it grows, as that of a run.
func (b Build) FollowLog(ctx context.Context, w io.Writer, raw bool) error {
	return follow(ctx, w, raw, b.Log, func(ctx context.Context) (bool, error) {
		build, err := b.Get(ctx, 0)
		return build.Value.Status.Terminal(), err
	})
}

func follow(
	ctx context.Context, w io.Writer, raw bool,
	open func(context.Context, LogOptions) (io.ReadCloser, error), ended func(context.Context) (bool, error),
) error {
	out := &counted{w: w}
	lastSeen, pause := time.Now(), firstPause
	for last := false; ; {
		before := out.n
		err := out.copyFrom(ctx, open, LogOptions{Stream: !last, Raw: raw})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case out.err != nil:
			return out.err
		case err == nil && last:
			return nil
		case err != nil && !broken(err):
			return err
		case err != nil && time.Since(lastSeen) > followPatience:
			return err
		}
		if err == nil || out.n > before {
			lastSeen, pause = time.Now(), firstPause
		}
		if !last {
			// What was written after the last answer had ended is read once more.
			if last, err = ended(ctx); err == nil && last {
				continue
			} else if err != nil && (!broken(err) || time.Since(lastSeen) > followPatience) {
				return err
			}
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, 5*time.Second)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// broken tells whether an error may go away by itself: a connection that ended
// early, or a server that restarts.
func broken(err error) bool {
	var e *fault.Error
	return !errors.As(err, &e) || e.Code == fault.Unavailable
}

// counted writes what it was not yet given: a log begins anew with every
// connection.
type counted struct {
	w   io.Writer
	n   int64
	err error // of w
}

func (c *counted) copyFrom(ctx context.Context, open func(context.Context, LogOptions) (io.ReadCloser, error), opts LogOptions) error {
	body, err := open(ctx, opts)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.CopyN(io.Discard, body, c.n); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // a resurrected run has a new log, shorter than the old one
		}
		return err
	}
	_, err = io.Copy(c, body)
	return err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	if err != nil {
		c.err = err
	}
	return n, err
}

// readAll reads a whole answer.
func readAll(ctx context.Context, body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(body)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return text, fault.Wrap(fault.Unavailable, err, "the API's answer ended early")
}
