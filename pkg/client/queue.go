package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxBatch is how many requests the API takes at once.
const maxBatch = 25

// RequestQueue is the handle of one queue; making it calls nothing.
type RequestQueue struct {
	c  *Client
	id string
}

// RequestQueue names a queue by its id, its name, or as "user/name".
func (c *Client) RequestQueue(idOrName string) RequestQueue { return RequestQueue{c, idOrName} }

func (q RequestQueue) path(verb string) string { return "/request-queues/" + ref(q.id) + verb }

// Head reads the first requests that are not handled, without locking them.
// Limit 0 leaves their number to the API (100).
func (q RequestQueue) Head(ctx context.Context, limit int) (api.QueueHead, error) {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return get[api.QueueHead](ctx, q.c, q.path("/head"), query)
}

// Add adds requests, each the text of a JSON object with a url and a uniqueKey,
// in as few calls as the API's limits allow, to the end of the queue or, with
// forefront, to its front. Those whose uniqueKey is there already are counted as
// present and change nothing, so that adding may be repeated. What the API does
// not process is tried again; what it still does not process is in
// UnprocessedRequests. When a call fails, the result holds what was added before.
func (q RequestQueue) Add(ctx context.Context, requests []json.RawMessage, forefront bool) (api.BatchAddResult, error) {
	result := api.BatchAddResult{ProcessedRequests: []api.RequestRegistration{}, UnprocessedRequests: []api.RequestDraft{}}
	for i, r := range requests {
		if len(r)+2 > MaxBody {
			return result, fault.New(fault.TooLarge, "request %d has %d bytes, and the API takes at most %d", i+1, len(r), MaxBody-2)
		}
	}
	for len(requests) > 0 {
		n, size := 0, 1
		for n < min(len(requests), maxBatch) && size+len(requests[n])+1 <= MaxBody {
			size += len(requests[n]) + 1
			n++
		}
		if err := q.addBatch(ctx, requests[:n], forefront, &result); err != nil {
			return result, err
		}
		requests = requests[n:]
	}
	return result, nil
}

func (q RequestQueue) addBatch(ctx context.Context, batch []json.RawMessage, forefront bool, result *api.BatchAddResult) error {
	add := call{method: http.MethodPost, path: q.path("/requests/batch"), header: jsonHeader()}
	if forefront {
		add.query = url.Values{"forefront": {"true"}}
	}
	for attempt := 0; ; attempt++ {
		var body bytes.Buffer
		body.WriteByte('[')
		body.Write(bytes.Join(rawBytes(batch), []byte{','}))
		body.WriteByte(']')
		add.body, add.size = bytesBody(body.Bytes())
		answer, err := fetch[api.BatchAddResult](ctx, q.c, add)
		if err != nil {
			return err
		}
		result.ProcessedRequests = append(result.ProcessedRequests, answer.ProcessedRequests...)
		if len(answer.UnprocessedRequests) == 0 {
			return nil
		}
		left := unprocessed(batch, answer.UnprocessedRequests)
		if attempt+1 == attempts || len(left) == 0 {
			result.UnprocessedRequests = append(result.UnprocessedRequests, answer.UnprocessedRequests...)
			return nil
		}
		batch = left
		select {
		case <-time.After(firstPause << attempt):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// unprocessed gives the requests of a batch that the API gave back.
func unprocessed(batch []json.RawMessage, drafts []api.RequestDraft) (left []json.RawMessage) {
	given := map[string]bool{}
	for _, draft := range drafts {
		given[draft.UniqueKey] = true
	}
	for _, text := range batch {
		var draft api.RequestDraft
		if json.Unmarshal(text, &draft) == nil && given[draft.UniqueKey] {
			left = append(left, text)
		}
	}
	return left
}

func rawBytes(texts []json.RawMessage) [][]byte {
	out := make([][]byte, len(texts))
	for i, text := range texts {
		out[i] = text
	}
	return out
}
