package client_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/client"
)

func TestStoragesKeepWhatTheAPISends(t *testing.T) {
	var seen []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.RequestURI+" "+string(body))
		switch {
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case strings.Contains(r.RequestURI, "offset"):
			fmt.Fprint(w, `{"data":{"total":1,"items":[{"id":"x","new":1.0}]}}`)
		default:
			fmt.Fprint(w, `{"data":{"id":"x","new":1.0}}`)
		}
	})
	ctx := t.Context()
	all := c.Storages(client.RequestQueues)
	page, err := all.List(ctx, client.ListOptions{Offset: 2, Limit: 3, Desc: true, Unnamed: true})
	if err != nil || len(page.Items) != 1 || string(page.Items[0]) != `{"id":"x","new":1.0}` {
		t.Errorf("listed %s, %v", page.Items, err)
	}
	for what, do := range map[string]func() (json.RawMessage, error){
		"created": func() (json.RawMessage, error) { return all.Create(ctx, "a") },
		"got":     func() (json.RawMessage, error) { return all.Get(ctx, "bob/a") },
		"renamed": func() (json.RawMessage, error) { return all.Rename(ctx, "x", "b") },
		"unnamed": func() (json.RawMessage, error) { return all.Rename(ctx, "x", "") },
	} {
		if data, err := do(); err != nil || string(data) != `{"id":"x","new":1.0}` {
			t.Errorf("%s %s, %v", what, data, err)
		}
	}
	if err := all.Delete(ctx, "x"); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"GET /v2/request-queues?desc=1&limit=3&offset=2&unnamed=1 ",
		"POST /v2/request-queues?name=a ",
		"GET /v2/request-queues/bob~a ",
		`PUT /v2/request-queues/x {"name":"b"}`,
		`PUT /v2/request-queues/x {"name":null}`,
		"DELETE /v2/request-queues/x ",
	} {
		if !strings.Contains(strings.Join(seen, "\n")+"\n", want) {
			t.Errorf("%q was not sent; sent were %q", want, seen)
		}
	}
}

func TestAddSendsBatchesAndWhatIsGivenBack(t *testing.T) {
	var sizes []int
	refused := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var batch []struct{ UniqueKey string }
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Error(err)
		}
		sizes = append(sizes, len(batch))
		var done, left []string
		for _, req := range batch {
			if req.UniqueKey == "never" || req.UniqueKey == "later" && refused < 2 {
				refused++
				left = append(left, fmt.Sprintf(`{"uniqueKey":%q}`, req.UniqueKey))
				continue
			}
			done = append(done, fmt.Sprintf(`{"requestId":"i","uniqueKey":%q}`, req.UniqueKey))
		}
		fmt.Fprintf(w, `{"data":{"processedRequests":[%s],"unprocessedRequests":[%s]}}`, strings.Join(done, ","), strings.Join(left, ","))
	})
	var requests []json.RawMessage
	for i := range 60 {
		requests = append(requests, json.RawMessage(fmt.Sprintf(`{"url":"u","uniqueKey":"k%d"}`, i)))
	}
	requests[3] = json.RawMessage(`{"url":"u","uniqueKey":"later"}`)
	result, err := c.RequestQueue("q").Add(t.Context(), requests, false)
	if err != nil || len(result.ProcessedRequests) != 60 || len(result.UnprocessedRequests) != 0 {
		t.Errorf("%d added, %v left, %v", len(result.ProcessedRequests), result.UnprocessedRequests, err)
	}
	if fmt.Sprint(sizes) != "[25 1 1 25 10]" {
		t.Errorf("batches of %v", sizes)
	}
	result, err = c.RequestQueue("q").Add(t.Context(), []json.RawMessage{json.RawMessage(`{"uniqueKey":"never"}`)}, true)
	if err != nil || len(result.UnprocessedRequests) != 1 {
		t.Errorf("%v, %v", result, err)
	}
}
