package server

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	datasetschema "github.com/greenroom-dev/greenroom/internal/schema/dataset"
	"github.com/greenroom-dev/greenroom/internal/server/ansi"
	"github.com/greenroom-dev/greenroom/internal/server/queuejson"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func callOf(method, target string, body io.Reader, headers ...string) *call {
	r := httptest.NewRequest(method, target, body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return &call{ResponseWriter: httptest.NewRecorder(), r: r, s: &server{}}
}

// compressed gives text in an encoding of HTTP.
func compressed(t testing.TB, encoding string, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "br":
		w = brotli.NewWriter(&out)
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "zstd":
		w, _ = zstd.NewWriter(&out)
	case "raw deflate":
		w, _ = flate.NewWriter(&out, flate.DefaultCompression)
	default:
		return text
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBodiesAreDecompressed(t *testing.T) {
	text := []byte(strings.Repeat(`{"a":"b"} `, 500))
	for header, body := range map[string][]byte{
		"":           text,
		"identity":   text,
		"br":         compressed(t, "br", text),
		"GZIP":       compressed(t, "gzip", text),
		"x-gzip":     compressed(t, "gzip", text),
		"deflate":    compressed(t, "deflate", text),
		" deflate ":  compressed(t, "raw deflate", text),
		"zstd":       compressed(t, "zstd", text),
		"gzip, br":   compressed(t, "br", compressed(t, "gzip", text)),
		"br, zstd":   compressed(t, "zstd", compressed(t, "br", text)),
		"gzip, none": compressed(t, "gzip", text),
	} {
		for range 2 { // the second time with a decompressor that was used before
			got, err := callOf("POST", "/", bytes.NewReader(body), "Content-Encoding", header).read()
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%q: %d bytes, %v", header, len(got), err)
			}
		}
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	huge := bytes.Repeat([]byte(" "), maxBody+1)
	for name, test := range map[string]struct {
		encoding string
		body     []byte
		chunked  bool
		want     fault.Code
	}{
		"unknown encoding": {"compress", []byte("x"), false, fault.UnsupportedMedia},
		"too many":         {"gzip,gzip,gzip,gzip", []byte("x"), false, fault.UnsupportedMedia},
		"not zstd":         {"zstd", []byte("this is no zstd"), false, fault.InvalidRequest},
		"empty zstd":       {"zstd", nil, false, fault.InvalidRequest},
		"zstd bomb":        {"zstd", compressed(t, "zstd", huge), false, fault.TooLarge},
		"not brotli":       {"br", []byte("this is no brotli"), false, fault.InvalidRequest},
		"not gzip":         {"gzip", []byte("this is no gzip"), false, fault.InvalidRequest},
		"cut gzip":         {"gzip", compressed(t, "gzip", []byte("some text"))[:12], false, fault.InvalidRequest},
		"empty gzip":       {"gzip", nil, false, fault.InvalidRequest},
		"too long":         {"", huge, false, fault.TooLarge},
		"too long chunked": {"", huge, true, fault.TooLarge},
		"bomb":             {"br", compressed(t, "br", huge), false, fault.TooLarge},
	} {
		c := callOf("POST", "/", bytes.NewReader(test.body), "Content-Encoding", test.encoding)
		if test.chunked {
			c.r.ContentLength = -1
		}
		if _, err := c.read(); !fault.Is(err, test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

func TestDecodeItems(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1}`:                         `[{"a":1}]`,
		` [ {"a":1} , {"b":2.50} ] `:      `[{"a":1},{"b":2.50}]`,
		`[]`:                              `[]`,
		`[{"a":1},"{\"b\":\"\\u00e9\"}"]`: `[{"a":1},{"b":"\u00e9"}]`,
	} {
		items, err := decodeItems([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = string(item)
		}
		if got := "[" + strings.Join(texts, ",") + "]"; got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
	for body, want := range map[string]string{
		``:              "empty",
		`{"a":`:         "not valid JSON",
		`"{\"a\":1}"`:   "got a string",
		`5`:             "got a number",
		`null`:          "got null",
		`[{}, 5]`:       "item 1 is a number",
		`[[{}]]`:        "item 0 is an array",
		`["no object"]`: "item 0 is a string that does not hold",
		`["[1]"]`:       "item 0 is a string that does not hold",
		`["{\"a\":"]`:   "item 0 is a string that does not hold",
		`[null]`:        "item 0 is null",
	} {
		_, err := decodeItems([]byte(body))
		if !fault.Is(err, fault.InvalidRequest) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func TestDecodeRequest(t *testing.T) {
	req, err := queuejson.Decode([]byte(`{"url":"http://example.com","uniqueKey":"http://example.com","method":"post",
		"retryCount":2,"userData":{"x":1.0},"handledAt":"2026-11-22 04:01:22.477832+00:00","own":[1, 2]}`), "8OamqXBCpPHxyH9")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"8OamqXBCpPHxyH9","uniqueKey":"http://example.com","url":"http://example.com","method":"post",` +
		`"retryCount":2,"userData":{"x":1.0},"handledAt":"2026-11-22T04:01:22.477Z","own":[1, 2]}`
	if string(req.JSON) != want {
		t.Errorf("got  %s\nwant %s", req.JSON, want)
	}
	if req.Method != "POST" || req.RetryCount != 2 || req.HandledAt == nil ||
		!req.HandledAt.Equal(time.Date(2026, 11, 22, 4, 1, 22, 477e6, time.UTC)) {
		t.Errorf("got %+v", req)
	}
	for body, want := range map[string]struct {
		path string
		typ  string
	}{
		`[]`:                                  {"", "invalid-request"},
		`{}`:                                  {"", "invalid-request"},
		`{"url":5}`:                           {"", "invalid-request"},
		`{"url":"u","retryCount":-1}`:         {"", "invalid-request"},
		`{"url":"u","retryCount":1.5}`:        {"", "invalid-request"},
		`{"url":"u","handledAt":"yesterday"}`: {"", "invalid-request"},
		`{"url":"u","uniqueKey":"u","id":"other"}`: {"", "request-id-invalid"},
		`{"url":"u","uniqueKey":"u"}`:              {"other", "request-id-invalid"},
	} {
		_, err := queuejson.Decode([]byte(body), want.path)
		if e, ok := err.(*fault.Error); !ok || e.WireType() != want.typ {
			t.Errorf("%s: got %v, want %s", body, err, want.typ)
		}
	}
}

func TestEncodeRequestGivesWhatTheClientsNeed(t *testing.T) {
	handled := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		req  store.Request
		want string
	}{
		{store.Request{ID: "i", UniqueKey: "k", URL: "http://u", JSON: json.RawMessage(
			`{"url":"http://u","uniqueKey":"k","payload":null,"loadedUrl":"","headers":null,"errorMessages":null,"own":0}`)},
			`{"id":"i","url":"http://u","uniqueKey":"k","own":0,"method":"GET","retryCount":0,"headers":{},"userData":{},"noRetry":false}`},
		{store.Request{ID: "i", Method: "POST", HandledAt: &handled, JSON: json.RawMessage(
			`{"id":"i","uniqueKey":"k","url":"http://u","method":"post","retryCount":3,"headers":{"a":"b"},"userData":{"c":1},"noRetry":true,"handledAt":"2020-01-01 00:00:00+00:00","lockByClient":"x","lockExpiresAt":null}`)},
			`{"id":"i","uniqueKey":"k","url":"http://u","method":"POST","retryCount":3,"headers":{"a":"b"},"userData":{"c":1},"noRetry":true,"handledAt":"2026-01-02T03:04:05.000Z"}`},
	} {
		got, err := queuejson.Encode(test.req)
		if err != nil || string(got) != test.want {
			t.Errorf("got  %s (%v)\nwant %s", got, err, test.want)
		}
	}
}

func TestAnsiStripper(t *testing.T) {
	for text, want := range map[string]string{
		"plain é\tline\r\n":                        "plain é\tline\r\n",
		"\x1b[90m[apify]\x1b[0m \x1b[32mINFO":      "[apify] INFO",
		"\x1b]0;title\x07after\x1b]8;;u\x1b\\link": "afterlink",
		"\x1b(Bcharset\x1b7saved":                  "charsetsaved",
		"bell\x07 null\x00 del\x7f":                "bell null del",
		"cut \x1b[31\nnext":                        "cut \nnext",
	} {
		for size := 1; size <= len(text); size++ { // sequences may be split anywhere
			var strip ansi.Stripper
			var got []byte
			for rest := []byte(text); len(rest) > 0; {
				n := min(size, len(rest))
				got = append(got, strip.Strip(bytes.Clone(rest[:n]))...)
				rest = rest[n:]
			}
			if string(got) != want {
				t.Fatalf("%q in pieces of %d: got %q, want %q", text, size, got, want)
			}
		}
	}
}

func TestQueryParameters(t *testing.T) {
	c := callOf("GET", "/?yes=1&also=TRUE&no=0&empty=&bad=maybe&n=7&big=2275587362044&half=1.5&neg=-1&l=a,b%2Cc&l=d&t=2026-01-02T03:04:05Z", nil)
	for name, want := range map[string]bool{"yes": true, "also": true, "no": false, "empty": false, "absent": false} {
		if got, err := c.boolean(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := c.boolean("bad"); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("bad: %v", err)
	}
	for name, want := range map[string]int{"n": 7, "absent": 9, "empty": 9, "big": 1<<31 - 1} {
		if got, err := c.integer(name, 9); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"half", "neg", "bad"} {
		if _, err := c.integer(name, 0); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := strings.Join(c.list("l"), "|"); got != "a|b|c|d" {
		t.Errorf("list: %s", got)
	}
	if got, err := c.moment("t"); err != nil || got.Unix() != 1767323045 {
		t.Errorf("moment: %v, %v", got, err)
	}
}

func TestHosts(t *testing.T) {
	s := &server{hosts: map[string]bool{"host.docker.internal": true, "172.17.0.1": true}}
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:8080": true, "127.0.0.1:1": true, "127.9.9.9": true, "[::1]:80": true,
		"x.localhost:80": true, "host.docker.internal:8010": true, "172.17.0.1:80": true,
		"example.com": false, "127.0.0.1.example.com:80": false, "localhost.example.com": false, "10.0.0.1:80": false, "": false,
	} {
		if got := s.hostAllowed(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "desc=1&limit=5&offset=2", "limit=1e400&offset=NaN", "fields=a,,b&unwind=%zz", "bom=2&delimiter=%00", "format=xlsx"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/", RawQuery: query}}
		c := &call{r: r}
		if p, err := c.page(); err == nil && (p.limit < 1 || p.limit > maxPage || p.offset < 0) {
			t.Fatalf("page %+v", p)
		}
		if o, err := c.exportOptions(datasetschema.Transformation{}); err == nil && o.Validate() != nil {
			t.Fatalf("options %+v", o)
		}
		if offset, limit, _, err := c.itemRange(datasetschema.Transformation{}); err == nil && (offset < 0 || limit == 0 || limit < -1) {
			t.Fatalf("range %d %d", offset, limit)
		}
		_, _ = c.statuses()
		_, _ = c.moment("startedAfter")
		_, _ = c.optionalAmount("limit")
		_, _ = decodeCursor(c.query().Get("cursor"))
	})
}

func FuzzDecodeItems(f *testing.F) {
	for _, seed := range []string{`{}`, `[{"a":1},"{\"b\":2}"]`, `[`, `["{"]`, "\xff", `[{}]x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := decodeItems(body)
		if err != nil {
			return
		}
		for _, item := range items {
			var object map[string]json.RawMessage
			if err := json.Unmarshal(item, &object); err != nil || object == nil {
				t.Fatalf("%q was accepted with the item %q", body, item)
			}
		}
	})
}

func FuzzDecodeRequest(f *testing.F) {
	for _, seed := range []string{`{"url":"u"}`, `{"url":"u","uniqueKey":"\u0000","id":null,"handledAt":"2026-11-22 04:01:22+00:00"}`,
		`{"url":"u","retryCount":1e9,"method":"é"}`, `{"url":"u","url":null}`, `{"url":"u","handledAt":"9999-12-31T23:59:59.999Z"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		req, err := queuejson.Decode(body, "")
		if err != nil {
			return
		}
		if !json.Valid(req.JSON) {
			t.Fatalf("%q is kept as %q", body, req.JSON)
		}
		text, err := queuejson.Encode(req)
		if err != nil || !json.Valid(text) {
			t.Fatalf("%q comes back as %q (%v)", body, text, err)
		}
		again, err := queuejson.Decode(text, req.ID)
		if err != nil || again.ID != req.ID || again.UniqueKey != req.UniqueKey || again.URL != req.URL {
			t.Fatalf("%q came back as %q, and that as %+v (%v)", body, text, again, err)
		}
	})
}
