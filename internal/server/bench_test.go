package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/server/queuejson"
)

// benchmarks are the calls that Actors make one by one. Each gives the n-th
// request.
var benchmarks = []struct {
	name string
	call func(base string, n int) (method, path, body string)
}{
	{"nothing", func(string, int) (string, string, string) { return "GET", "/healthz", "" }},
	{"push", func(string, int) (string, string, string) {
		return "POST", "/v2/datasets/bench/items", `{"url":"http://example.com/1","title":"Example","price":12.5,"tags":["a","b"]}`
	}},
	{"set", func(_ string, n int) (string, string, string) {
		return "PUT", fmt.Sprintf("/v2/key-value-stores/bench/records/key-%d", n%100), `{"state":{"page":1,"done":["a","b"]}}`
	}},
	{"get", func(string, int) (string, string, string) {
		return "GET", "/v2/key-value-stores/bench/records/INPUT", ""
	}},
	{"add", func(_ string, n int) (string, string, string) {
		return "POST", "/v2/request-queues/bench/requests?clientKey=bench", benchRequest(n, "")
	}},
	{"lock", func(string, int) (string, string, string) {
		return "POST", "/v2/request-queues/bench/head/lock?limit=1&lockSecs=1000&clientKey=bench", ""
	}},
	{"handle", func(_ string, n int) (string, string, string) {
		return "PUT", "/v2/request-queues/bench/requests/" + requestID(n) + "?clientKey=bench",
			benchRequest(n, `"handledAt":"2026-01-02T03:04:05.000Z",`)
	}},
}

func benchRequest(n int, extra string) string {
	return fmt.Sprintf(`{%s"url":"http://example.com/%d","uniqueKey":"http://example.com/%d","method":"GET","retryCount":0,"headers":{},"userData":{"label":"DETAIL"}}`, extra, n, n)
}

func requestID(n int) string {
	req, _ := queuejson.Decode([]byte(benchRequest(n, "")), "")
	return req.ID
}

func (p *platform) benchStorages(b *testing.B, adds int) {
	b.Helper()
	for _, kind := range []string{"datasets", "key-value-stores", "request-queues"} {
		p.do("POST", "/v2/"+kind+"?name=bench", nil).want(201)
	}
	p.do("PUT", "/v2/key-value-stores/bench/records/INPUT", `{"a":1}`).want(201)
	for n := 0; n < adds; n += 25 {
		var batch []string
		for i := n; i < min(n+25, adds); i++ {
			batch = append(batch, benchRequest(i, ""))
		}
		p.do("POST", "/v2/request-queues/bench/requests/batch", "["+strings.Join(batch, ",")+"]").want(201)
	}
}

// BenchmarkHandler measures the server's own work, without a connection.
func BenchmarkHandler(b *testing.B) {
	runBenchmarks(b, func(p *platform, method, path, body string) int {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Host = "127.0.0.1"
		r.Header.Set("Authorization", "Bearer "+ownerToken)
		w := httptest.NewRecorder()
		p.server.ServeHTTP(w, r)
		return w.Code
	})
}

// BenchmarkHTTP measures whole round trips over loopback, the client's part
// included.
func BenchmarkHTTP(b *testing.B) {
	runBenchmarks(b, func(p *platform, method, path, body string) int {
		r, err := http.NewRequest(method, p.URL+path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+ownerToken)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return resp.StatusCode
	})
}

func runBenchmarks(b *testing.B, do func(p *platform, method, path, body string) int) {
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			p := newPlatform(b)
			adds := 0
			if bench.name == "lock" || bench.name == "handle" {
				adds = b.N
			}
			p.benchStorages(b, adds)
			b.ReportAllocs()
			b.ResetTimer()
			for n := range b.N {
				method, path, body := bench.call(p.URL, n)
				if status := do(p, method, path, body); status >= 300 {
					b.Fatalf("%s %s: %d", method, path, status)
				}
			}
		})
	}
}
