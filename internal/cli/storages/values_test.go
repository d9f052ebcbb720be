package storages_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	p := newPlatform(t)
	p.apify("kvs", "create", "s").ok()
	p.apify("kvs", "set-value", "s", "state", `{"b": 1.0, "a": [1]}`).ok().prints("")
	p.apify("kvs", "get-value", "s", "state").ok().prints(`{"b": 1.0, "a": [1]}`).says("application/json")
	p.apify("kvs", "get-value", "s", "state", "--json").ok().prints("{\n  \"b\": 1.0,\n  \"a\": [\n    1\n  ]\n}\n")
	p.apify("kvs", "get-value", "s", "state", "--jq", ".a[]").ok().prints("1\n")
	p.apify("kvs", "get-value", "s", "state", "--only-content-type").ok().prints("application/json\n")
	p.apify("kvs", "set-value", "s", "greeting", "hello", "-c", "text/plain; charset=utf-8").ok()
	p.apify("kvs", "get-value", "s", "greeting").ok().prints("hello").says("text/plain; charset=utf-8")
	p.apify("kvs", "get-value", "s", "greeting", "--json").fails(5, "not JSON but text/plain")
	p.piped(strings.NewReader("{\n  \"a\": x}"), "kvs", "set-value", "s", "state").fails(5, "line 2, column 8", "--content-type text/plain")
	p.piped(strings.NewReader(""), "kvs", "set-value", "s", "state").fails(5, "line 1, column 1")
	p.apify("kvs", "get-value", "s", "state", "--jq", ".b").ok().prints("1\n")

	binary := make([]byte, 10<<20)
	if _, err := rand.Read(binary); err != nil {
		t.Fatal(err)
	}
	p.piped(bytes.NewReader(binary), "kvs", "set-value", "s", "big.bin", "--content-type", "application/octet-stream").ok()
	p.apify("kvs", "get-value", "s", "big.bin").ok().prints(string(binary))
	// From a pipe, whose length nobody knows.
	p.piped(io.MultiReader(bytes.NewReader(binary)), "kvs", "set-value", "s", "piped.bin", "-", "-c", "application/octet-stream").ok()
	p.apify("kvs", "get-value", "s", "piped.bin").ok().prints(string(binary))
	p.piped(io.MultiReader(bytes.NewReader(binary), broken{}), "kvs", "set-value", "s", "broken.bin", "-c", "image/png").fails(1, "on fire")
	p.apify("kvs", "get-value", "s", "broken.bin").fails(250, `has no record "broken.bin"`, "keys")
	p.piped(strings.NewReader(""), "kvs", "set-value", "s", "empty", "-c", "text/plain").ok()
	p.apify("kvs", "get-value", "s", "empty").ok().prints("")

	keys := p.apify("kvs", "keys", "s", "--limit", "2").ok().says("--exclusive-start-key empty")
	keys.prints("KEY      SIZE\nbig.bin  10485760\nempty    0\n")
	p.apify("kvs", "keys", "s", "--exclusive-start-key", "empty", "--jq", ".items[].key").ok().prints("greeting\npiped.bin\nstate\n")
	p.apify("kvs", "keys", "s", "--prefix", "nosuch").ok().prints("").says("no such keys")

	p.apify("kvs", "delete-value", "s", "empty").fails(1, "--yes")
	p.tty = true
	p.piped(strings.NewReader("\n"), "kvs", "delete-value", "s", "empty").fails(3)
	p.piped(strings.NewReader("y\n"), "kvs", "delete-value", "s", "empty").ok()
	p.apify("kvs", "delete-value", "s", "empty", "-y").fails(250)
}

// folder makes a directory of files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSync(t *testing.T) {
	p := newPlatform(t)
	p.apify("kvs", "create", "s").ok()
	dir := folder(t, map[string]string{"index.html": "<p>", "data.json": "{}", "INPUT": "{}", "blob": "\x00\xff"})
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	puts := 0
	p.wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				puts++
			}
			next.ServeHTTP(w, r)
		})
	}
	// An input without an extension keeps the type that it has.
	p.apify("kvs", "set-value", "s", "INPUT", `{"old":true}`).ok()
	puts = 0
	p.apify("kvs", "sync", "s", dir, "--push", "--dry-run").ok().says("would add index.html").says("would replace INPUT").says("passed over below")
	if puts != 0 {
		t.Errorf("a dry run stored %d records", puts)
	}
	p.apify("kvs", "sync", "s", dir, "--push", "--jq", ".changes[] | .action + \" \" + .key").ok().
		prints("replace INPUT\nadd blob\nadd data.json\nadd index.html\n")
	for key, want := range map[string]string{
		"INPUT": "application/json", "blob": "application/octet-stream", "data.json": "application/json; charset=utf-8", "index.html": "text/html; charset=utf-8",
	} {
		p.apify("kvs", "get-value", "s", key, "--only-content-type").ok().prints(want + "\n")
	}
	puts = 0
	p.apify("kvs", "sync", "s", dir, "--push").ok().says("nothing to do")
	p.apify("kvs", "sync", "s", dir, "--push", "--json").ok().prints("{\n  \"changes\": []\n}\n")
	if puts != 0 {
		t.Errorf("%d records that are alike were stored", puts)
	}
	// Same size, other content: one record is sent.
	if err := os.WriteFile(filepath.Join(dir, "data.json"), []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.apify("kvs", "set-value", "s", "extra", "1").ok()
	puts = 0
	p.apify("kvs", "sync", "s", dir, "--push").ok().says("replace data.json")
	if puts != 1 {
		t.Errorf("%d records were stored", puts)
	}
	p.apify("kvs", "get-value", "s", "extra").ok() // nothing is deleted unasked
	p.apify("kvs", "sync", "s", dir, "--push", "--delete").ok().says("delete extra")
	p.apify("kvs", "get-value", "s", "extra").fails(250)

	// The other way.
	other := filepath.Join(t.TempDir(), "new", "folder")
	p.apify("kvs", "sync", "s", other, "--pull", "--dry-run").ok().says("would add blob")
	if _, err := os.Stat(other); err == nil {
		t.Error("a dry run made the directory")
	}
	p.apify("kvs", "sync", "s", other, "--pull").ok().says("add blob")
	for name, want := range map[string]string{"index.html": "<p>", "data.json": "[]", "INPUT": "{}", "blob": "\x00\xff"} {
		if got, err := os.ReadFile(filepath.Join(other, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	p.apify("kvs", "sync", "s", other, "--pull").ok().says("nothing to do")
	if err := os.WriteFile(filepath.Join(other, "mine"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "blob"), []byte("zz"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.apify("kvs", "sync", "s", other, "--pull", "--jq", ".changes[].action").ok().prints("replace\n")
	if _, err := os.Stat(filepath.Join(other, "mine")); err != nil {
		t.Error("a file was deleted unasked")
	}
	p.apify("kvs", "sync", "s", other, "--pull", "--delete").ok().says("delete mine")
	if _, err := os.Stat(filepath.Join(other, "mine")); err == nil {
		t.Error("a file was not deleted")
	}

	bad := folder(t, map[string]string{"good": "1", "with space": "2"})
	p.apify("kvs", "sync", "s", bad, "--push").fails(5, `"with space" cannot be a key`, "nothing was copied")
	p.apify("kvs", "get-value", "s", "good").fails(250)
}

// TestSyncTrustsNoKeys pulls from a server whose keys would lead out of the
// directory, and one whose files were replaced by links.
func TestSyncTrustsNoKeys(t *testing.T) {
	p := newPlatform(t)
	p.apify("kvs", "create", "s").ok()
	for _, key := range []string{"../escaped", "/escaped", "..", ".", "a/b", `a\b`, ""} {
		p.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/keys") {
					fmt.Fprintf(w, `{"data":{"items":[{"key":%q,"size":1}],"nextExclusiveStartKey":null}}`, key)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
		dir := t.TempDir()
		p.apify("kvs", "sync", "s", dir, "--pull").fails(5, "cannot be the name of a file")
	}
	p.wrap = nil
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Skip("no symbolic links here")
	}
	p.apify("kvs", "set-value", "s", "link", "1").ok()
	p.apify("kvs", "sync", "s", dir, "--pull").ok()
	if got, err := os.ReadFile(outside); err != nil || string(got) != "before" {
		t.Errorf("a link was followed: %q, %v", got, err)
	}
}

func TestQueues(t *testing.T) {
	p := newPlatform(t)
	p.apify("request-queues", "create", "q").ok()
	p.apify("request-queues", "head", "q").ok().prints("").says("no request is waiting")
	p.apify("request-queues", "add", "q", "https://example.com/1", "https://example.com/2").ok().prints("").says("added 2 requests").says("0 were there already")
	p.apify("request-queues", "add", "q", "https://example.com/1", "--jq", ".processedRequests[].wasAlreadyPresent").ok().prints("true\n").says("1 were there")
	p.apify("request-queues", "add", "q", "https://example.com/0", "--forefront", "-X", "post", "--payload", "p=1", "-H", "A: b:c", "--user-data", `{"depth":1}`, "--unique-key", "zero").ok()
	p.apify("request-queues", "head", "q", "--jq", `.items[] | "\(.method) \(.url) \(.uniqueKey)"`).ok().
		prints("POST https://example.com/0 zero\nGET https://example.com/1 https://example.com/1\nGET https://example.com/2 https://example.com/2\n")
	table := p.apify("request-queues", "head", "q", "--limit", "1").ok().stdout
	if rows := strings.Split(table, "\n"); !strings.HasPrefix(rows[0], "ID ") || !strings.HasSuffix(rows[1], "POST    0        https://example.com/0") || len(rows) != 3 {
		t.Errorf("head printed %q", rows)
	}
	var many strings.Builder
	many.WriteString("# pages\n\n")
	for i := range 120 {
		fmt.Fprintf(&many, "https://example.com/many/%d\r\n", i)
	}
	many.WriteString(`{"url":"https://example.com/many/own","uniqueKey":"own","userData":{"n":1.0}}` + "\n\"https://example.com/quoted\"")
	p.piped(strings.NewReader(many.String()), "request-queues", "add", "q").ok().says("added 122 requests")
	p.piped(strings.NewReader(`[{"url":"https://example.com/array"},"https://example.com/text"]`), "request-queues", "add", "q", "-").ok().says("added 2 requests")
	p.apify("request-queues", "info", "q", "--jq", ".totalRequestCount").ok().prints("127\n")
	for in, said := range map[string]string{
		"":                          "holds no requests",
		"# nothing\n":               "holds no requests",
		"https://a.b\nnot a url":    "line 2",
		"{\"url\":7}":               "line 1",
		"{\"URL\":\"https://a.b\"}": "no url",
		"{\"url\":\"https://a.b\"":  "line 1",
		"[\"https://a.b\",7]":       "request 2",
		"[\"https://a.b\"":          "no JSON array",
		"\xff":                      "UTF-8",
		"{\"url\":\"https://a.b\",\"uniqueKey\":1}": "uniqueKey",
	} {
		p.piped(strings.NewReader(in), "request-queues", "add", "q").fails(5, said)
	}
	p.apify("request-queues", "info", "q", "--jq", ".totalRequestCount").ok().prints("127\n")
}
