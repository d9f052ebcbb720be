package engine

import (
	"context"
	"io"
)

type follower struct {
	io.ReadCloser
	leave func()
}

func (f follower) Close() error {
	f.leave()
	return f.ReadCloser.Close()
}

// Log opens the log of a run or a build. With follow, reading waits for more
// until the run has ended; ctx ends the waiting.
func (e *Engine) Log(ctx context.Context, id string, follow bool) (io.ReadCloser, error) {
	if a := e.lookup(id); a != nil {
		if !follow {
			return a.log.Reader(ctx, false), nil
		}
		ctx, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(e.patience, cancel)
		return follower{a.log.Reader(ctx, true), func() { stop(); cancel() }}, nil
	}
	if _, err := e.stored(ctx, id); err != nil {
		if _, buildErr := e.cfg.Store.Builds().Get(ctx, id); buildErr != nil {
			return nil, err
		}
	}
	return e.cfg.Store.Logs().Open(ctx, id, 0)
}
