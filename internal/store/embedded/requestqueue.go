package embedded

import (
	"context"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/queue"
)

// requestQueue is a queue.Queue as a storage.
type requestQueue struct {
	*storage
	*queue.Queue
}

func newRequestQueue(ctx context.Context, s *storage) (store.RequestQueue, error) {
	q, err := queue.Open(ctx, s.root.db, s.key, s.id, s.use)
	return &requestQueue{s, q}, err
}

// Info gives the queue's metadata and counts.
func (q *requestQueue) Info(ctx context.Context) (store.Info, error) {
	i, err := q.storage.Info(ctx)
	i.HadMultipleClients = i.HadMultipleClients || q.Many()
	return i, err
}
