package server

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/signature"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
)

func TestPublicURLsOfTheJavaScriptClient(t *testing.T) {
	fromEnvironment(t, "GREENROOM_TEST_NODE_MODULES")
	runClient(t, newPlatform(t), exec.Command("node", filepath.Join("testdata", "urls.cjs")))
}

func TestPublicURLsOfThePythonClient(t *testing.T) {
	python := fromEnvironment(t, "GREENROOM_TEST_PYTHON")
	runClient(t, newPlatform(t), exec.Command(python, filepath.Join("testdata", "urls.py")))
}

func TestSignedURLs(t *testing.T) {
	p := newPlatform(t)
	kvs := p.do("POST", "/v2/key-value-stores?name=values", nil).want(201)
	id, key := kvs.str("data", "id"), kvs.str("data", "urlSigningSecretKey")
	base := "/v2/key-value-stores/" + id
	p.do("PUT", base+"/records/a", "text", "Content-Type", "text/plain").want(201)
	local := func(url string) string { return strings.TrimPrefix(url, p.URL) }
	kvs = p.do("GET", base, nil).want(200)

	// What the metadata and the listing give opens what they say, and no more.
	keys := local(kvs.str("data", "keysPublicUrl"))
	listed := p.as("", "GET", keys, nil).want(200)
	record := local(listed.str("data", "items", 0, "recordPublicUrl"))
	if got := p.as("", "GET", record, nil).want(200); string(got.body) != "text" {
		t.Errorf("record %q", got.body)
	}
	p.as("", "HEAD", record, nil).want(200)
	archive := p.as("", "GET", local(kvs.str("data", "recordsPublicUrl")), nil).want(200)
	if z, err := zip.NewReader(bytes.NewReader(archive.body), int64(len(archive.body))); err != nil || len(z.File) != 1 {
		t.Errorf("archive: %v", err)
	}
	_, query, _ := strings.Cut(keys, "?")
	_, ofRecord, _ := strings.Cut(record, "?")
	p.as("", "GET", base+"?"+query, nil).fails(403, "insufficient-permissions")
	p.as("", "GET", base+"/records/a?"+query, nil).fails(403, "insufficient-permissions")
	p.as("", "GET", base+"/keys?"+ofRecord, nil).fails(403, "insufficient-permissions")
	p.as("", "PUT", base+"/records/a?"+ofRecord, "other").fails(401, "token-not-provided")
	p.as("", "DELETE", base+"/records/a?"+ofRecord, nil).fails(401, "token-not-provided")
	p.as("", "GET", base+"/records/a?method=DELETE&"+ofRecord, nil).fails(401, "token-not-provided")
	p.as("", "GET", base+"/records/b?"+ofRecord, nil).fails(403, "insufficient-permissions")
	p.as("", "GET", base+"/records/b?signature="+signature.Sum(key, "b"), nil).fails(404, "record-not-found")
	p.as("", "GET", "/v2/key-value-stores/missing/records/b?signature=x", nil).fails(404, "record-not-found")
	p.as("", "GET", "/v2/key-value-stores/missing/records/b", nil).fails(401, "token-not-provided")
	p.as("wrong", "GET", record, nil).fails(401, "user-or-token-not-found")

	// Time is kept.
	at := func(d time.Duration) string {
		return base + "/keys?signature=" + signature.Content(key, id, time.Now().Add(d))
	}
	p.as("", "GET", at(time.Minute), nil).want(200)
	late := p.as("", "GET", at(-time.Minute), nil).fails(403, "insufficient-permissions")
	if !strings.Contains(late.str("error", "message"), "expired") {
		t.Errorf("message %s", late.body)
	}
	p.do("GET", at(-time.Minute), nil).want(200) // a token needs no signature

	// The key is for those who may write.
	dataset := p.do("POST", "/v2/datasets?name=things", nil).want(201)
	items := "/v2/datasets/" + dataset.str("data", "id") + "/items"
	p.do("POST", items, `{"a":1}`).want(201)
	if dataset.str("data", "urlSigningSecretKey") == key {
		t.Error("two storages have one key")
	}
	p.server.Authenticate = func(token string) (Access, bool) { return Access{ReadOnly: true}, token == "reader" }
	read := p.as("reader", "GET", "/v2/datasets/things", nil).want(200).is(nil, "data", "urlSigningSecretKey")
	p.as("", "GET", local(read.str("data", "itemsPublicUrl")), nil).want(200).is(1, 0, "a")
	p.as("", "HEAD", local(read.str("data", "itemsPublicUrl")), nil).want(200)
	p.as("", "GET", "/v2/datasets/things/statistics?"+strings.SplitN(read.str("data", "itemsPublicUrl"), "?", 2)[1], nil).want(403)
}

func TestGeneralAccess(t *testing.T) {
	p := newPlatform(t)
	for kind, paths := range map[string][]string{
		"datasets":         {"", "/items", "/statistics"},
		"key-value-stores": {"", "/keys", "/records", "/records/k"},
		"request-queues":   {"", "/head", "/requests", "/requests/" + "8OamqXBCpPHxyH9"},
	} {
		id := p.do("POST", "/v2/"+kind+"?name=shared", nil).want(201).is("RESTRICTED", "data", "generalAccess").str("data", "id")
		base := "/v2/" + kind + "/"
		switch kind {
		case "key-value-stores":
			p.do("PUT", base+id+"/records/k", "v").want(201)
		case "request-queues":
			p.do("POST", base+id+"/requests", `{"url":"http://example.com"}`).want(201)
		}
		for _, c := range []struct {
			access       string
			byID, byName int
		}{
			{"RESTRICTED", 401, 401},
			{"ANYONE_WITH_ID_CAN_READ", 200, 401},
			{"ANYONE_WITH_NAME_CAN_READ", 200, 200},
			{"FOLLOW_USER_SETTING", 401, 401},
		} {
			p.do("PUT", base+id, fmt.Sprintf(`{"generalAccess":%q}`, c.access)).want(200).is(c.access, "data", "generalAccess")
			for _, path := range paths {
				p.as("", "GET", base+id+path, nil).want(c.byID)
				p.as("", "GET", base+"me~shared"+path, nil).want(c.byName)
			}
			p.as("", "DELETE", base+id, nil).want(401)
			if c.byID == 200 {
				shown := p.as("", "GET", base+id, nil).is(nil, "data", "urlSigningSecretKey")
				if strings.Contains(string(shown.body), "signature=") {
					t.Errorf("a stranger got a signed URL: %s", shown.body)
				}
			}
		}
		p.do("PUT", base+id, `{"generalAccess":"ANYONE"}`).fails(400, "invalid-value")
		p.do("GET", base+id, nil).want(200).is("FOLLOW_USER_SETTING", "data", "generalAccess").is("shared", "data", "name")
	}
}

// A listing that is open to everybody does not hand out URLs
// that stay open when it is closed again.
func TestListingOfStrangers(t *testing.T) {
	p := newPlatform(t)
	id := p.do("POST", "/v2/key-value-stores?name=values", nil).want(201).str("data", "id")
	base := "/v2/key-value-stores/" + id
	p.do("PUT", base+"/records/k", "v").want(201)
	p.do("PUT", base, `{"generalAccess":"ANYONE_WITH_ID_CAN_READ"}`).want(200)
	url := p.as("", "GET", base+"/keys", nil).want(200).str("data", "items", 0, "recordPublicUrl")
	p.as("", "GET", strings.TrimPrefix(url, p.URL), nil).want(200)
	p.do("PUT", base, `{"generalAccess":"RESTRICTED"}`).want(200)
	p.as("", "GET", strings.TrimPrefix(url, p.URL), nil).want(401)
}

func TestTools(t *testing.T) {
	p := newPlatform(t)
	encoded := p.do("POST", "/v2/tools/encode-and-sign", `{ "a": [1.50] }`).want(200).str("data", "encoded")
	p.as("", "POST", "/v2/tools/decode-and-verify", map[string]string{"encoded": encoded}).want(200).
		is(map[string]any{"a": []any{1.5}}, "data", "decoded").is("user1", "data", "encodedByUserId").is(true, "data", "isVerifiedUser")
	p.as("", "POST", "/v2/tools/encode-and-sign", `{}`).fails(401, "token-not-provided")
	p.do("POST", "/v2/tools/encode-and-sign", `{"a":`).fails(400, "invalid-request")
	p.do("POST", "/v2/tools/encode-and-sign", nil).fails(400, "invalid-request")
	for _, bad := range []string{`{}`, `{"encoded":"e30="}`, `{"encoded":"%"}`, `[]`, `{"encoded":7}`} {
		p.as("", "POST", "/v2/tools/decode-and-verify", bad).want(400)
	}
	other := newPlatform(t)
	other.as("", "POST", "/v2/tools/decode-and-verify", map[string]string{"encoded": encoded}).fails(400, "invalid-signature")
}

func TestBrowserInfo(t *testing.T) {
	p := newPlatform(t)
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		var body any
		length := 0
		if method != "GET" {
			body, length = "12345", 5
		}
		got := p.as("", method, "/v2/browser-info", body, "X-Odd", "one").want(200).
			is(method, "method").is("127.0.0.1", "clientIp").is(length, "bodyLength").is("one", "headers", "x-odd").is(nil, "rawHeaders")
		if got.str("headers", "host") == "" {
			t.Error("no host")
		}
	}
	raw := p.as("", "GET", "/v2/browser-info?skipHeaders=1&rawHeaders=true", nil, "X-Odd", "one").want(200).is(nil, "headers")
	if list, _ := raw.get("rawHeaders").([]any); len(list)%2 != 0 || !strings.Contains(string(raw.body), `"X-Odd","one"`) {
		t.Errorf("raw headers %s", raw.body)
	}
	p.as("", "HEAD", "/v2/browser-info", nil).want(200)
	p.as("", "POST", "/v2/browser-info", bytes.Repeat([]byte("x"), maxBody+1)).want(413)
	p.as("", "TRACE", "/v2/browser-info", nil).fails(405, "method-not-allowed")
}

func TestMonthlyUsage(t *testing.T) {
	p := newPlatform(t)
	p.do("GET", "/v2/users/me/usage/monthly?date=2024-02-10", nil).want(200).
		is("2024-02-01T00:00:00.000Z", "data", "usageCycle", "startAt").is("2024-02-29T23:59:59.999Z", "data", "usageCycle", "endAt")
	p.do("GET", "/v2/users/me/usage/monthly", nil).want(200).is(0, "data", "totalUsageCreditsUsdAfterVolumeDiscount")
	p.do("GET", "/v2/users/me/usage/monthly?date=yesterday", nil).fails(400, "invalid-parameter")
	p.as("", "GET", "/v2/users/me", nil).fails(401, "token-not-provided")
	p.as("", "GET", "/v2/users/~me", nil).want(200).is("me", "data", "username") // no token needed
	p.as("", "GET", "/v2/users/you", nil).fails(404, "record-not-found")
}

func TestDatasetStatistics(t *testing.T) {
	p := newPlatform(t)
	const schema = `{"schema":{"actorSpecification":1,"fields":{"type":"object","properties":{"price":{"type":["number","null"]},"never":{}}}}}`
	for name, body := range map[string]string{"plain": `{}`, "typed": schema} {
		p.do("POST", "/v2/datasets?name="+name, body).want(201)
		base := "/v2/datasets/" + name
		p.do("POST", base+"/items", `[{"price":5,"text":"é"},{"price":null},{"#hidden":1}]`).want(201)
		got := p.do("GET", base+"/statistics", nil).want(200).
			is(map[string]any{"min": 5, "max": 5, "nullCount": 1, "emptyCount": 1}, "data", "fieldStatistics", "price")
		if name == "plain" {
			got.is(1, "data", "fieldStatistics", "text", "max").is(2, "data", "fieldStatistics", "text", "emptyCount")
		} else {
			got.is(nil, "data", "fieldStatistics", "text").
				is(map[string]any{"min": nil, "max": nil, "nullCount": 0, "emptyCount": 3}, "data", "fieldStatistics", "never")
		}
		p.do("GET", base, nil).want(200).is(3, "data", "itemCount").is(2, "data", "cleanItemCount").is(3, "data", "stats", "writeCount")
	}
}

// embeddedPlatform is a platform on the store of a server.
func embeddedPlatform(t *testing.T) *platform {
	t.Helper()
	root, err := embedded.Open(filepath.Join(t.TempDir(), "data"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return platformOn(t, root)
}

// raw is a transport that leaves compressed answers alone.
func (p *platform) raw() *platform {
	q := *p
	q.client = &http.Client{Transport: validating{p.t, p.contract, &http.Transport{DisableCompression: true}}}
	return &q
}

func TestCompressedRecords(t *testing.T) {
	p := embeddedPlatform(t).raw()
	id := p.do("POST", "/v2/key-value-stores?name=values", nil).want(201).str("data", "id")
	base := "/v2/key-value-stores/" + id
	text := strings.Repeat("some text, ", 5000)
	for _, encoding := range []string{"br", "gzip", "zstd", "deflate"} {
		squeezed := compressed(t, encoding, []byte(text))
		record := base + "/records/" + encoding
		p.do("PUT", record, squeezed, "Content-Encoding", encoding, "Content-Type", "text/plain").want(201)
		for _, accept := range []string{"", "identity", encoding + ";q=0", "x, " + encoding} {
			kept := encoding != "deflate" && strings.HasPrefix(accept, "x")
			want, sent, length := []byte(text), "", len(text)
			if kept {
				want, sent, length = squeezed, encoding, len(squeezed)
			}
			for _, method := range []string{"GET", "HEAD"} {
				got := p.do(method, record, nil, "Accept-Encoding", accept).want(200)
				if method == "GET" && !bytes.Equal(got.body, want) || got.header.Get("Content-Encoding") != sent || got.header.Get("Content-Length") != fmt.Sprint(length) {
					t.Errorf("%s %s with %q: %d bytes, %v", method, encoding, accept, len(got.body), got.header)
				}
				if encoding != "deflate" && got.header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%s: caches are not told that it varies", encoding)
				}
			}
		}
		p.do("PUT", record, squeezed[:len(squeezed)/2], "Content-Encoding", encoding).fails(400, "invalid-request")
		p.do("PUT", record, "", "Content-Encoding", encoding).fails(400, "invalid-request")
		if got := p.do("GET", record, nil).want(200); string(got.body) != text {
			t.Errorf("a broken upload left %d bytes", len(got.body))
		}
		p.do("GET", base+"/keys?prefix="+encoding, nil).want(200).is(len(text), "data", "items", 0, "size")
	}
	archive := p.do("GET", base+"/records", nil).want(200)
	z, err := zip.NewReader(bytes.NewReader(archive.body), int64(len(archive.body)))
	if err != nil || len(z.File) != 4 {
		t.Fatalf("archive: %v", err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != text {
			t.Errorf("%s: %d bytes, %v", f.Name, len(got), err)
		}
	}
	p.server.MaxDecodedRecord = 1000
	p.do("PUT", base+"/records/bomb", compressed(t, "gzip", []byte(text)), "Content-Encoding", "gzip").fails(413, "record-too-large")
	p.do("GET", base+"/records/bomb", nil).fails(404, "record-not-found")
	p.do("GET", base, nil).want(200).is(4, "data", "stats", "writeCount")
}

func TestConditionsOfRecords(t *testing.T) {
	p := newPlatform(t)
	id := p.do("POST", "/v2/key-value-stores?name=values", nil).want(201).str("data", "id")
	record := "/v2/key-value-stores/" + id + "/records/k"
	p.do("PUT", record, "0123456789", "Content-Type", "text/plain").want(201)
	if got := p.do("GET", record, nil).want(200); got.header.Get("Etag") != "" {
		t.Error("what may change at any moment has a tag")
	}
	time.Sleep(1100 * time.Millisecond)
	first := p.do("GET", record, nil).want(200)
	tag, modified := first.header.Get("Etag"), first.header.Get("Last-Modified")
	for _, method := range []string{"GET", "HEAD"} {
		same := p.do(method, record, nil, "If-None-Match", tag).want(304)
		if same.header.Get("Content-Type") != "" || len(same.body) != 0 {
			t.Errorf("304 with %v", same.header)
		}
		p.do(method, record, nil, "If-None-Match", `"other"`).want(200)
		p.do(method, record, nil, "If-Modified-Since", modified).want(304)
	}
	if part := p.do("GET", record, nil, "Range", "bytes=2-4", "If-Range", tag); part.status != 206 || string(part.body) != "234" {
		t.Errorf("a part: %d %q", part.status, part.body)
	}
	if part := p.do("GET", record, nil, "Range", "bytes=2-4", "If-Range", `"other"`); part.status != 200 {
		t.Errorf("a part of another: %d", part.status)
	}
	p.do("GET", record, nil, "Range", "bytes=50-").want(416)
	p.do("PUT", record, "9876543210", "Content-Type", "text/plain").want(201)
	p.do("GET", record, nil, "If-None-Match", tag).want(200)
}
