package server

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
)

func TestStoragesOfEveryKind(t *testing.T) {
	for _, kind := range []string{"datasets", "key-value-stores", "request-queues"} {
		t.Run(kind, func(t *testing.T) {
			p := newPlatform(t)
			base := "/v2/" + kind
			created := p.do("POST", base+"?name=first", nil).want(201).is("first", "data", "name").is("me", "data", "username")
			id := created.str("data", "id")
			if got := created.header.Get("Location"); got != p.URL+base+"/"+id {
				t.Errorf("Location %q", got)
			}
			if got := created.str("data", "consoleUrl"); !strings.HasPrefix(got, p.URL+"/") {
				t.Errorf("consoleUrl %q", got)
			}
			p.do("POST", base+"?name=first", `{}`).want(200).is(id, "data", "id")
			p.do("POST", base+"?name=~first", nil, "Content-Type", "application/x-www-form-urlencoded").want(200).is(id, "data", "id")
			for _, ref := range []string{id, "first", "~first", "me~first", "me%7Efirst", "user1~first"} {
				p.do("GET", base+"/"+ref, nil).want(200).is(id, "data", "id")
			}
			p.do("GET", base+"/you~first", nil).fails(404, "record-not-found")
			p.do("GET", base+"/nobody", nil).fails(404, "record-not-found")

			unnamed := p.do("POST", base, nil).want(201).is(nil, "data", "name").str("data", "id")
			p.do("GET", base, nil).want(200).is(1, "data", "total").is(1, "data", "count").is(1000, "data", "limit").
				is(false, "data", "unnamed").is("first", "data", "items", 0, "name")
			all := p.do("GET", base+"?unnamed=1&desc=1&limit=0", nil).want(200).is(2, "data", "total").
				is(true, "data", "desc").is(1000, "data", "limit")
			if all.str("data", "items", 0, "createdAt") < all.str("data", "items", 1, "createdAt") {
				t.Error("desc must give the newest first")
			}
			p.do("GET", base+"?offset=5&unnamed=true", nil).want(200).is(0, "data", "count").is([]any{}, "data", "items")
			p.do("GET", base+"?ownership=sharedWithMe", nil).want(200).is(0, "data", "total")
			p.do("GET", base+"?limit=-1", nil).fails(400, "invalid-parameter")
			p.do("GET", base+"?desc=perhaps", nil).fails(400, "invalid-parameter")

			p.do("PUT", base+"/"+id, `{"name":"second"}`).want(200).is("second", "data", "name")
			p.do("GET", base+"/first", nil).fails(404, "record-not-found")
			p.do("PUT", base+"/"+unnamed, `{"name":"second"}`).fails(409, "name-not-unique")
			p.do("PUT", base+"/"+id, `{"name":"no/name"}`).want(400)
			p.do("PUT", base+"/"+id, `{"name":7}`).fails(400, "invalid-request")
			p.do("PUT", base+"/"+id, `[]`).fails(400, "invalid-request")
			p.do("PUT", base+"/"+id, `{"generalAccess":"EVERYBODY"}`).fails(400, "invalid-value")
			p.do("PUT", base+"/"+id, `{"name":null}`).want(200).is(nil, "data", "name")
			p.do("DELETE", base+"/"+id, nil).want(204)
			p.do("GET", base+"/"+id, nil).fails(404, "record-not-found")
			p.do("DELETE", base+"/"+id, nil).fails(404, "record-not-found")
			p.do("POST", base+"?name=no%2Fname", nil).want(400)
			p.do("PATCH", base, nil).fails(405, "method-not-allowed")
		})
	}
}

func TestDatasetItems(t *testing.T) {
	p := newPlatform(t)
	id := p.do("POST", "/v2/datasets?name=things", nil).want(201).str("data", "id")
	items := "/v2/datasets/" + id + "/items"
	pushed := p.do("POST", items, `{"z":1.50,"#h":1}`).want(201)
	if string(pushed.body) != "{}" || pushed.header.Get("Location") != p.URL+items {
		t.Errorf("push answered %s, %s", pushed.body, pushed.header.Get("Location"))
	}
	p.do("POST", items, `[{"a":{"b":[1]}},"{\"c\":\"<é>\"}",{}]`).want(201)
	p.do("POST", items, `[]`).want(201)
	for _, encoding := range []string{"br", "gzip", "deflate"} {
		p.do("POST", items, compressed(t, encoding, []byte(`{"e":"`+encoding+`"}`)), "Content-Encoding", encoding).want(201)
	}
	p.do("POST", items, `[{},5]`).fails(400, "invalid-request")
	p.do("POST", items, `{"a":`).fails(400, "invalid-request")
	p.do("POST", items, nil).fails(400, "invalid-request")
	p.do("POST", items, `{}`, "Content-Encoding", "bla").fails(415, "unsupported-content-encoding")
	p.do("POST", items, bytes.Repeat([]byte(" "), maxBody+1)).fails(413, "request-too-large")

	const all = `[{"z":1.50,"#h":1},{"a":{"b":[1]}},{"c":"<é>"},{},{"e":"br"},{"e":"gzip"},{"e":"deflate"}]`
	for query, want := range map[string]string{
		"":                             all,
		"?format=json&chunkSize=5":     all,
		"?limit=0":                     all,
		"?limit=2":                     `[{"z":1.50,"#h":1},{"a":{"b":[1]}}]`,
		"?limit=2&desc=1":              `[{"e":"deflate"},{"e":"gzip"}]`,
		"?offset=5&limit=5":            `[{"e":"gzip"},{"e":"deflate"}]`,
		"?offset=1&limit=2&desc=true":  `[{"e":"gzip"},{"e":"br"}]`,
		"?offset=50":                   `[]`,
		"?clean=1&limit=4":             `[{"z":1.50},{"a":{"b":[1]}},{"c":"<é>"}]`,
		"?fields=e,z&skipEmpty=1":      `[{"z":1.50},{"e":"br"},{"e":"gzip"},{"e":"deflate"}]`,
		"?omit=z,a,c,e,%23h&clean=1":   `[]`,
		"?flatten=a&limit=1&offset=1":  `[{"a.b":[1]}]`,
		"?unwind=a&limit=1&offset=1":   `[{"b":[1]}]`,
		"?format=jsonl&limit=2":        "{\"z\":1.50,\"#h\":1}\n{\"a\":{\"b\":[1]}}\n",
		"?format=csv&fields=z,c&bom=0": "z,c\n1.50,\n,\n,<é>\n,\n,\n,\n,\n",
	} {
		if got := string(p.do("GET", items+query, nil).want(200).body); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	page := p.do("GET", items+"?offset=5&limit=5&attachment=1", nil).want(200)
	for name, want := range map[string]string{
		"X-Apify-Pagination-Total": "7", "X-Apify-Pagination-Offset": "5", "X-Apify-Pagination-Limit": "5",
		"X-Apify-Pagination-Count": "2", "X-Apify-Pagination-Desc": "false",
		"Content-Type": "application/json; charset=utf-8", "Content-Disposition": "attachment; filename*=UTF-8''dataset_" + id + ".json",
	} {
		if got := page.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	head := p.do("HEAD", items, nil).want(200)
	if got := head.header.Get("X-Apify-Pagination-Limit"); got != "999999999999" {
		t.Errorf("the limit of all is %s", got)
	}
	p.do("GET", items+"?view=overview", nil).fails(400, "dataset-does-not-have-schema")
	p.do("GET", items+"?format=yaml", nil).fails(400, "invalid-value")
	p.do("GET", items+"?fields=a&outputFields=a,b", nil).fails(400, "invalid-value")
	p.do("GET", items+"?offset=x", nil).fails(400, "invalid-parameter")
	p.do("GET", "/v2/datasets/nothing/items", nil).fails(404, "record-not-found")
	p.do("GET", "/v2/datasets/"+id, nil).want(200).is(7, "data", "itemCount")
}

func TestRecords(t *testing.T) {
	p := newPlatform(t)
	id := p.do("POST", "/v2/key-value-stores?name=values", nil).want(201).str("data", "id")
	base := "/v2/key-value-stores/" + id
	records := base + "/records/"
	const odd = `application/JSON;  charset="UTF-8"; Odd=1`
	put := p.do("PUT", records+"value", `{ "a":1.0 }`, "Content-Type", odd).want(201)
	if string(put.body) != "{}" || put.header.Get("Location") != p.URL+records+"value" {
		t.Errorf("put answered %s, %s", put.body, put.header.Get("Location"))
	}
	got := p.do("GET", records+"value?attachment=true", nil).want(200)
	if string(got.body) != `{ "a":1.0 }` || got.header.Get("Content-Type") != odd || got.header.Get("Content-Length") != "11" {
		t.Errorf("got %s, %v", got.body, got.header)
	}
	if got.header.Get("Content-Disposition") == "" {
		t.Error("no attachment")
	}
	head := p.do("HEAD", records+"value", nil).want(200)
	if head.header.Get("Content-Length") != "11" || head.header.Get("Content-Type") != odd {
		t.Errorf("head %v", head.header)
	}
	p.do("HEAD", records+"missing", nil).want(404)
	p.do("GET", records+"missing", nil).fails(404, "record-not-found")

	// POST is an alias, a method can be overridden, and keys keep their shape.
	p.do("POST", records+"posted.txt", "text", "Content-Type", "text/plain").want(201)
	p.do("GET", records+"posted.txt?method=delete", nil).want(204)
	p.do("DELETE", records+"posted.txt", nil).want(204)
	for _, key := range []string{"(a)'b!c", "..", ".", "a.b-c_d"} {
		escaped := strings.ReplaceAll(key, ".", "%2E")
		p.do("PUT", records+escaped, key, "Content-Type", "text/plain").want(201)
		if got := string(p.do("GET", records+escaped, nil).want(200).body); got != key {
			t.Errorf("key %q holds %q", key, got)
		}
	}
	for _, key := range []string{"a/b", "a%2Fb", "a%20b", "%C3%A9", strings.Repeat("k", 257)} {
		p.do("PUT", records+key, "x").fails(400, "invalid-record-key")
	}

	// Bodies arrive compressed, in chunks, and of any size.
	for _, encoding := range []string{"br", "gzip", "deflate"} {
		p.do("PUT", records+encoding, compressed(t, encoding, []byte(strings.Repeat("text ", 300))), "Content-Encoding", encoding, "Content-Type", "text/plain; charset=utf-8").want(201)
		if got := p.do("GET", records+encoding, nil).want(200); len(got.body) != 1500 || got.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d bytes, %v", encoding, len(got.body), got.header)
		}
	}
	p.do("PUT", records+"value", "x", "Content-Encoding", "compress").fails(415, "unsupported-content-encoding")
	p.do("PUT", records+"value", compressed(t, "gzip", []byte("some text"))[:14], "Content-Encoding", "gzip").fails(400, "invalid-request")
	if got := string(p.do("GET", records+"value", nil).want(200).body); got != `{ "a":1.0 }` {
		t.Errorf("a broken upload left %q", got)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16+maxBody/16)
	p.do("PUT", records+"big", struct{ io.Reader }{bytes.NewReader(big)}, "Content-Type", "application/octet-stream").want(201)
	if got := p.do("GET", records+"big", nil).want(200); !bytes.Equal(got.body, big) {
		t.Errorf("%d bytes came back, want %d", len(got.body), len(big))
	}
	if got := p.do("GET", records+"big", nil, "Range", "bytes=1-3"); got.status != 206 || string(got.body) != "123" {
		t.Errorf("range: %d %.20s", got.status, got.body)
	}
	p.do("DELETE", records+"big", nil).want(204)

	page := p.do("GET", base+"/keys?limit=2", nil).want(200).is(2, "data", "count").is(true, "data", "isTruncated").is(nil, "data", "exclusiveStartKey")
	if url := page.str("data", "items", 0, "recordPublicUrl"); !strings.HasPrefix(url, p.URL+records) {
		t.Errorf("recordPublicUrl %q", url)
	}
	seen := 2
	for next := page.get("data", "nextExclusiveStartKey"); next != nil; next = page.get("data", "nextExclusiveStartKey") {
		page = p.do("GET", base+"/keys?limit=2&exclusiveStartKey="+strings.NewReplacer("(", "%28", ".", "%2E").Replace(next.(string)), nil).want(200).is(next, "data", "exclusiveStartKey")
		seen += int(page.get("data", "count").(float64))
		if seen > 50 {
			t.Fatal("the pages do not end")
		}
	}
	if seen != 8 {
		t.Errorf("%d keys listed, want 8", seen)
	}
	if !strings.Contains(string(page.body), `"nextExclusiveStartKey":null`) {
		t.Errorf("the last page must say null: %s", page.body)
	}
	p.do("GET", base+"/keys?prefix=g", nil).want(200).is("gzip", "data", "items", 0, "key").is(1, "data", "count")
	p.do("GET", base+"/keys?collection=images", nil).fails(400, "invalid-collection")

	archive := p.do("GET", base+"/records?prefix=g", nil).want(200)
	z, err := zip.NewReader(bytes.NewReader(archive.body), int64(len(archive.body)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "gzip" || z.File[0].UncompressedSize64 != 1500 {
		t.Errorf("archive %v, %v", z, err)
	}
	p.do("PUT", records+"page", "<script>", "Content-Type", "text/html").want(201)
	if csp := p.do("GET", records+"page", nil).want(200).header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox") {
		t.Errorf("a stored page may act as this server: %q", csp)
	}
}

func TestStoragesNamedLikeParts(t *testing.T) {
	p := newPlatform(t)
	for _, kind := range []string{"datasets", "key-value-stores", "request-queues"} {
		for _, name := range []string{"records", "keys", "items", "requests", "head"} {
			p.do("POST", "/v2/"+kind+"?name="+name, nil).want(201)
		}
	}
	p.do("POST", "/v2/datasets/records/items", `{"a":1}`).want(201)
	p.do("GET", "/v2/datasets/records/items", nil).want(200).is(1, 0, "a")
	p.do("PUT", "/v2/key-value-stores/records/records/records", `"text"`).want(201)
	p.do("GET", "/v2/key-value-stores/records/keys", nil).want(200).is("records", "data", "items", 0, "key")
	p.do("GET", "/v2/key-value-stores/records", nil).want(200)
	p.do("GET", "/v2/key-value-stores/records/records", nil).want(200)
	p.do("GET", "/v2/request-queues/records/head", nil).want(200)
	p.do("GET", "/v2/key-value-stores/records/records/", nil).fails(404, "page-not-found")
}

func TestUploadThatBreaksOff(t *testing.T) {
	p := newPlatform(t)
	p.do("POST", "/v2/key-value-stores?name=values", nil).want(201)
	record := "/v2/key-value-stores/values/records/key"
	p.do("PUT", record, "before", "Content-Type", "text/plain").want(201)
	for _, framing := range []string{"Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s", record, ownerToken, framing)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		reply, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.1 400 ") {
			t.Errorf("answered %q, %v", reply, err)
		}
		conn.Close()
	}
	if got := string(p.do("GET", record, nil).want(200).body); got != "before" {
		t.Errorf("the record is %q", got)
	}
}

func TestRequestQueue(t *testing.T) {
	p := newPlatform(t)
	id := p.do("POST", "/v2/request-queues?name=todo", nil).want(201).str("data", "id")
	base := "/v2/request-queues/" + id
	request := func(n int) string { return fmt.Sprintf(`{"url":"http://example.com/%d","uniqueKey":"key-%d"}`, n, n) }
	rid := func(n int) string { return store.RequestID(fmt.Sprintf("key-%d", n)) }

	p.do("POST", base+"/requests?clientKey=me", request(1)).want(201).
		is(rid(1), "data", "requestId").is(false, "data", "wasAlreadyPresent").is(false, "data", "wasAlreadyHandled")
	p.do("POST", base+"/requests?clientKey=me", request(1)).want(201).is(true, "data", "wasAlreadyPresent")
	p.do("POST", base+"/requests?clientKey=me&forefront=1", request(0)).want(201)
	batch := p.do("POST", base+"/requests/batch?clientKey=me&forefront=false",
		"["+request(2)+","+request(1)+`,{"url":"http://example.com/3","uniqueKey":"key-3","handledAt":"2026-11-22 04:01:22.477832+00:00"}]`).want(201)
	batch.is([]any{}, "data", "unprocessedRequests").is("key-2", "data", "processedRequests", 0, "uniqueKey").
		is(true, "data", "processedRequests", 1, "wasAlreadyPresent").is(rid(3), "data", "processedRequests", 2, "requestId")
	p.do("POST", base+"/requests/batch", "[]").want(201).is([]any{}, "data", "processedRequests")
	p.do("POST", base+"/requests/batch", "["+strings.Repeat(request(9)+",", 25)+request(9)+"]").fails(400, "too-many-values")
	p.do("POST", base+"/requests/batch", "["+request(9)+`,{}]`).fails(400, "invalid-request")
	p.do("POST", base+"/requests/batch", `{}`).fails(400, "invalid-request")
	p.do("POST", base+"/requests", `{"uniqueKey":"x"}`).fails(400, "invalid-request")
	p.do("POST", base+"/requests", `{"url":"http://a","uniqueKey":"x","id":"wrong"}`).fails(400, "request-id-invalid")
	p.do("POST", base+"/requests?clientKey="+strings.Repeat("k", 33), request(9)).fails(400, "invalid-client-key")

	p.do("GET", base+"/head?limit=2&clientKey=me", nil).want(200).is(2, "data", "limit").is(false, "data", "hadMultipleClients").
		is(rid(0), "data", "items", 0, "id").is("GET", "data", "items", 0, "method").is(0, "data", "items", 0, "retryCount").
		is(rid(1), "data", "items", 1, "id")
	p.do("GET", base, nil).want(200).is(4, "data", "totalRequestCount").is(1, "data", "handledRequestCount").is(3, "data", "pendingRequestCount")

	one := p.do("GET", base+"/requests/"+rid(1), nil).want(200)
	one.is(map[string]any{
		"id": rid(1), "uniqueKey": "key-1", "url": "http://example.com/1", "method": "GET",
		"retryCount": 0, "headers": map[string]any{}, "userData": map[string]any{}, "noRetry": false,
	}, "data")
	p.do("GET", base+"/requests/"+rid(3), nil).want(200).is("2026-11-22T04:01:22.477Z", "data", "handledAt")
	p.do("GET", base+"/requests/nothing", nil).fails(404, "record-not-found")

	p.do("POST", base+"/head/lock?clientKey=me", nil).fails(400, "parameter-required")
	locked := p.do("POST", base+"/head/lock?lockSecs=60&limit=2&clientKey=me", nil).want(201).
		is(60, "data", "lockSecs").is("me", "data", "clientKey").is(true, "data", "queueHasLockedRequests").
		is(rid(0), "data", "items", 0, "id").is(rid(1), "data", "items", 1, "id")
	first := locked.str("data", "items", 0, "lockExpiresAt")
	p.do("POST", base+"/head/lock?lockSecs=60&clientKey=other", nil).want(201).is(rid(2), "data", "items", 0, "id").is(nil, "data", "items", 1)
	time.Sleep(5 * time.Millisecond)
	if again := p.do("PUT", base+"/requests/"+rid(0)+"/lock?lockSecs=60&clientKey=me", nil).want(200).str("data", "lockExpiresAt"); again <= first {
		t.Errorf("the lock was prolonged from %s to %s", first, again)
	}
	p.do("PUT", base+"/requests/"+rid(0)+"/lock?lockSecs=60&clientKey=other", nil).fails(403, "insufficient-permissions")
	p.do("DELETE", base+"/requests/"+rid(0)+"/lock?clientKey=other", nil).fails(403, "insufficient-permissions")
	p.do("DELETE", base+"/requests/"+rid(0)+"/lock?clientKey=me&forefront=1", nil).want(204)
	p.do("DELETE", base+"/requests/"+rid(0)+"/lock?clientKey=me", nil).want(204)
	p.do("DELETE", base+"/requests/nothing/lock?clientKey=me", nil).fails(404, "record-not-found")

	// Handling ends the lock and is told once.
	done := fmt.Sprintf(`{"id":%q,"url":"http://example.com/1","uniqueKey":"key-1","method":"GET","handledAt":"2026-11-22T04:01:22.477Z"}`, rid(1))
	p.do("PUT", base+"/requests/"+rid(1)+"?clientKey=me", done).want(200).is(rid(1), "data", "requestId").
		is(true, "data", "wasAlreadyPresent").is(false, "data", "wasAlreadyHandled")
	p.do("PUT", base+"/requests/"+rid(1)+"?clientKey=me", done).want(200).is(true, "data", "wasAlreadyHandled")
	p.do("GET", base, nil).want(200).is(2, "data", "handledRequestCount").is(true, "data", "hadMultipleClients")
	p.do("PUT", base+"/requests/"+rid(7), request(8)).fails(400, "request-id-invalid")
	p.do("PUT", base+"/requests/"+rid(7), request(7)).want(200).is(false, "data", "wasAlreadyPresent")

	p.do("GET", base+"/requests?filter=locked", nil).want(200).is(rid(2), "data", "items", 0, "id").is(nil, "data", "items", 1)
	p.do("GET", base+"/requests?filter=nonsense", nil).fails(400, "invalid-parameter")
	total := 0
	for query := "?limit=2"; query != ""; {
		page := p.do("GET", base+"/requests"+query, nil).want(200).is(2, "data", "limit")
		items, _ := page.get("data", "items").([]any)
		total += len(items)
		query = ""
		if next, ok := page.get("data", "nextCursor").(string); ok {
			query = "?limit=2&cursor=" + next
		}
	}
	if total != 5 {
		t.Errorf("the pages hold %d requests, want 5", total)
	}
	p.do("GET", base+"/requests?exclusiveStartId="+rid(1)+"&limit=0", nil).want(200).is(10000, "data", "limit")
	p.do("GET", base+"/requests?cursor=nonsense", nil).fails(400, "invalid-parameter")

	p.do("POST", base+"/requests/unlock?clientKey=other", nil).want(200).is(1, "data", "unlockedCount")
	p.do("POST", base+"/head/lock?lockSecs=60&limit=1&clientKey=other", nil).want(201)
	deleted := p.do("DELETE", base+"/requests/batch?clientKey=me", fmt.Sprintf(`[{"id":%q},{"uniqueKey":"key-7"},{"id":%q}]`, rid(0), rid(3))).want(200)
	deleted.is(rid(0), "data", "unprocessedRequests", 0, "id").is("http://example.com/0", "data", "unprocessedRequests", 0, "url").
		is("key-7", "data", "processedRequests", 0, "uniqueKey").is(rid(3), "data", "processedRequests", 1, "id")
	p.do("DELETE", base+"/requests/batch", `[{}]`).fails(400, "invalid-request")
	p.do("DELETE", base+"/requests/"+rid(0)+"?clientKey=me", nil).fails(403, "insufficient-permissions")
	p.do("DELETE", base+"/requests/"+rid(2)+"?clientKey=me", nil).want(204)
	p.do("DELETE", base+"/requests/"+rid(2)+"?clientKey=me", nil).fails(404, "record-not-found")
}

func TestAccess(t *testing.T) {
	p := newPlatform(t)
	p.as("", "GET", "/v2/users/me", nil).fails(401, "token-not-provided")
	p.as("wrong", "GET", "/v2/users/me", nil).fails(401, "user-or-token-not-found")
	p.as("", "GET", "/v2/users/me?token="+ownerToken, nil).want(200)
	p.as("", "GET", "/v2/users/me?token=wrong", nil).fails(401, "user-or-token-not-found")
	for _, path := range []string{"/v2/nowhere", "/v2/datasets//items", "/nowhere", "/greenroom/backup", "/metrics"} {
		p.as("", "GET", path, nil).fails(401, "token-not-provided")
	}
	p.do("GET", "/v2/users/me", nil, "Authorization", "Basic eDp5").fails(401, "token-not-provided")
	p.do("GET", "/v2/users/me", nil, "Host", "rebound.example.com").fails(403, "insufficient-permissions")
	p.do("GET", "/v2/users/me", nil, "Origin", "http://evil.example.com").fails(403, "insufficient-permissions")
	p.do("GET", "/v2/users/me", nil, "Origin", "null").fails(403, "insufficient-permissions")
	p.do("GET", "/v2/users/me", nil, "Origin", p.URL).want(200)
	p.as("", "GET", "/healthz", nil).want(200)
}

func TestUnknownPathsAndMethods(t *testing.T) {
	p := newPlatform(t)
	for _, path := range []string{"/", "/v2", "/v2/", "/v3/datasets", "/v2/nowhere", "/v2/datasets/", "/v2/datasets//items", "/v2/datasets/a/../b", "/v2/actsx"} {
		p.do("GET", path, nil).fails(404, "page-not-found")
	}
	for _, operation := range []string{
		"GET /v2/store", "POST /v2/acts",
	} {
		method, path, _ := strings.Cut(operation, " ")
		p.do(method, path, nil).fails(501, "not-implemented")
	}
	got := p.do("PUT", "/v2/datasets", nil).fails(405, "method-not-allowed")
	if allow := got.header.Get("Allow"); allow != "GET,HEAD,OPTIONS,POST" {
		t.Errorf("Allow: %q", allow)
	}
}

// TestEveryOperationIsKnown compares the routes with the document: each of its
// operations is served or answers 501.
func TestEveryOperationIsKnown(t *testing.T) {
	p := newPlatform(t)
	for path, methods := range p.contract.paths {
		for method := range methods {
			target := path
			for strings.Contains(target, "{") {
				start, end := strings.Index(target, "{"), strings.Index(target, "}")
				target = target[:start] + "x" + target[end+1:]
			}
			r, err := http.NewRequest(strings.ToUpper(method), p.URL+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+ownerToken)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusMethodNotAllowed || bytes.Contains(body, []byte("page-not-found")) {
				t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, body)
			}
		}
	}
}
