package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// until waits for a condition that another process brings about.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

func (p *platform) waitStatus(id string, status api.Status) {
	p.t.Helper()
	until(p.t, "status "+string(status)+" of "+id, func() bool {
		return p.do("GET", "/v2/actor-runs/"+id, nil).want(200).str("data", "status") == string(status)
	})
}

// waitFile waits for a file that an Actor writes, and gives what is in it.
func (p *platform) waitFile(path string) string {
	p.t.Helper()
	var text []byte
	until(p.t, "file "+path, func() bool {
		text, _ = os.ReadFile(path)
		return len(text) > 0 && text[len(text)-1] == '\n'
	})
	return strings.TrimSpace(string(text))
}

// waits is an Actor that tells its token and then waits for the file "go".
const waits = `
echo "$APIFY_TOKEN" >token
until [ -e go ]; do sleep 0.02; done
rm go
`

func TestRunToItsEnd(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor(`printf '\033[31mred\033[0m line\nlast line'; exit 3`)
	runs := "/v2/acts/me~scripted/runs"
	started := p.do("POST", runs+"?waitForFinish=60&timeout=100&memory=256&maxItems=5&maxTotalChargeUsd=1.5", nil,
		"Content-Type", "application/x-www-form-urlencoded", "User-Agent", "test-agent").want(201)
	id := started.str("data", "id")
	started.is("FAILED", "data", "status").is(3, "data", "exitCode").is(actor.ID, "data", "actId").
		is(256, "data", "options", "memoryMbytes").is(100, "data", "options", "timeoutSecs").is(5, "data", "options", "maxItems").
		is("API", "data", "meta", "origin").is("test-agent", "data", "meta", "userAgent")
	if got := started.header.Get("Location"); got != p.URL+"/v2/actor-runs/"+id {
		t.Errorf("Location %q", got)
	}
	for _, path := range []string{"/v2/actor-runs/" + id, "/v2/actors/" + actor.ID + "/runs/" + id, "/v2/actors/~scripted/runs/last?status=FAILED&origin=API"} {
		p.do("GET", path, nil).want(200).is(id, "data", "id")
	}
	p.do("GET", "/v2/actors/~scripted/runs/last?status=SUCCEEDED", nil).fails(404, "record-not-found")
	p.do("GET", "/v2/actors/~scripted/runs/last?status=NONSENSE", nil).fails(400, "invalid-parameter")
	p.do("GET", "/v2/actors/nobody/runs/last", nil).fails(404, "record-not-found")
	p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=999999", nil).want(200).is("FAILED", "data", "status")
	p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=soon", nil).fails(400, "invalid-parameter")

	p.do("GET", "/v2/actor-runs", nil).want(200).is(1, "data", "total").is(id, "data", "items", 0, "id")
	p.do("GET", runs+"?status=FAILED,ABORTED&desc=1&startedAfter=2020-01-01T00:00:00Z", nil).want(200).is(1, "data", "count")
	p.do("GET", runs+"?status=SUCCEEDED", nil).want(200).is(0, "data", "total")
	p.do("GET", "/v2/actor-runs?startedBefore=2020-01-01T00:00:00Z", nil).want(200).is(0, "data", "total")
	p.do("GET", "/v2/actor-runs?startedBefore=never", nil).fails(400, "invalid-parameter")

	plain := p.do("GET", "/v2/actor-runs/"+id+"/log?download=1", nil).want(200)
	if text := string(plain.body); !strings.Contains(text, "Z red line\n") || !strings.HasSuffix(text, "last line\n") && !strings.Contains(text, "last line") {
		t.Errorf("log %q", text)
	}
	if plain.header.Get("Content-Type") != "text/plain; charset=utf-8" || plain.header.Get("Content-Disposition") == "" {
		t.Errorf("log header %v", plain.header)
	}
	if raw := string(p.do("GET", "/v2/logs/"+id+"?raw=1", nil).want(200).body); !strings.Contains(raw, "\x1b[31mred\x1b[0m line") {
		t.Errorf("raw log %q", raw)
	}
	p.do("GET", "/v2/actor-runs/"+id+"/log?stream=1&raw=1", nil).want(200) // ends at once
	p.do("GET", "/v2/logs/nothing", nil).fails(404, "record-not-found")

	other, _ := p.actor("exit 0")
	build := started.str("data", "buildId")
	p.do("GET", "/v2/actors/"+other.ID+"/runs/"+id, nil).fails(404, "record-not-found")
	p.do("GET", "/v2/actors/"+other.ID+"/builds/"+build, nil).fails(404, "record-not-found")
	p.do("GET", "/v2/actors/"+other.ID+"/builds", nil).want(200).is(0, "data", "total")
	p.do("GET", "/v2/actors/"+other.ID+"/runs", nil).want(200).is(0, "data", "total")
	p.do("GET", "/v2/actor-builds/"+build, nil).want(200).is("SUCCEEDED", "data", "status")
	p.do("GET", "/v2/actors/"+actor.ID+"/builds/"+build, nil).want(200).is(build, "data", "id")
	p.do("GET", "/v2/actor-builds", nil).want(200).is(1, "data", "total")
	p.do("GET", "/v2/actors/"+actor.ID+"/builds", nil).want(200).is(build, "data", "items", 0, "id")
	p.do("GET", "/v2/actor-builds/"+build+"/log", nil).want(200)
	p.do("GET", "/v2/actors/"+actor.ID, nil).want(200).is("scripted", "data", "name")
	p.do("GET", "/v2/actors?my=1&sortBy=createdAt", nil).want(200).is("scripted", "data", "items", 0, "name")
	p.do("GET", "/v2/actors?sortBy=colour", nil).fails(400, "invalid-parameter")

	p.do("GET", "/v2/actors/"+actor.ID+"/runs/last/log", nil).want(200)
	p.do("POST", "/v2/actor-runs/"+id+"/abort", nil).want(200).is("FAILED", "data", "status")
	p.do("POST", "/v2/actors/"+actor.ID+"/runs/"+id+"/abort", nil).want(200).is("FAILED", "data", "status")
	p.do("POST", "/v2/actor-runs/"+id+"/reboot", nil).fails(400, "job-finished")
	p.do("POST", "/v2/actor-runs/"+id+"/exit", `{"exitCode":0}`).fails(400, "job-finished")
	p.do("DELETE", "/v2/actor-runs/"+id, nil).want(204)
	p.do("GET", "/v2/actor-runs/"+id, nil).fails(404, "record-not-found")

	p.do("POST", "/v2/acts/nobody/runs", nil).fails(404, "record-not-found")
	p.do("POST", runs+"?memory=lots", nil).fails(400, "invalid-parameter")
	p.do("POST", runs+"?webhooks=e30", nil).fails(400, "invalid-parameter")
	p.do("POST", runs, bytesOf(maxBody+1)).fails(413, "request-too-large")
	p.do("GET", "/v2/actor-runs", nil).want(200).is(0, "data", "total")
}

func bytesOf(n int) []byte { return []byte(strings.Repeat(" ", n)) }

func TestInputOfARun(t *testing.T) {
	p := newPlatform(t)
	p.actor("exit 0")
	for name, test := range map[string]struct {
		body        any
		contentType string
		want        string // "" means that there is no input
	}{
		"object":         {`{ "a":1.0 }`, "application/json", `{ "a":1.0 }`},
		"text":           {"plain", "text/plain; charset=utf-8", "plain"},
		"form":           {"a=b", "application/x-www-form-urlencoded", "a=b"},
		"none":           {nil, "", ""},
		"empty form":     {"", "application/x-www-form-urlencoded", ""},
		"empty JSON":     {"", "application/json", ""},
		"null of Python": {"null", "application/json", ""},
	} {
		run := p.do("POST", "/v2/acts/~scripted/runs?waitForFinish=60", test.body, "Content-Type", test.contentType).want(201)
		record := p.do("GET", "/v2/key-value-stores/"+run.str("data", "defaultKeyValueStoreId")+"/records/INPUT", nil)
		if test.want == "" {
			if record.status != 404 {
				t.Errorf("%s: the input is %d %q", name, record.status, record.body)
			}
		} else if string(record.body) != test.want || record.header.Get("Content-Type") != test.contentType {
			t.Errorf("%s: the input is %q, %s", name, record.body, record.header.Get("Content-Type"))
		}
	}
}

func TestCodeOfARunMayActOnItselfOnly(t *testing.T) {
	p := newPlatform(t)
	_, dir := p.actor(waits)
	id := p.do("POST", "/v2/acts/~scripted/runs", nil).want(201).str("data", "id")
	token := p.waitFile(filepath.Join(dir, "token"))
	run := "/v2/actor-runs/" + id

	p.as(token, "PUT", run, `{"runId":"x","statusMessage":"Working","isStatusMessageTerminal":false,"level":"INFO"}`).want(200).
		is("Working", "data", "statusMessage")
	p.as(token, "PUT", run, `[]`).fails(400, "invalid-request")
	p.as(token, "GET", run, nil).want(200).is("Working", "data", "statusMessage")
	p.as(token, "POST", run+"/dataset/items", `{"a":1}`).want(201)
	p.as(token, "POST", "/v2/datasets?name=mine", nil).want(201)
	other := p.as(token, "POST", "/v2/acts/~scripted/runs", nil).want(201).is("ACTOR", "data", "meta", "origin").str("data", "id")
	for _, operation := range []string{"PUT ", "POST /abort", "POST /reboot", "POST /exit", "DELETE "} {
		method, path, _ := strings.Cut(operation, " ")
		p.as(token, method, "/v2/actor-runs/"+other+path, `{}`).fails(403, "insufficient-permissions")
	}
	p.as(token, "POST", run+"/exit", `{"exitCode":7,"statusMessage":"Enough"}`).want(200)
	p.waitStatus(id, api.StatusFailed)
	p.do("GET", run, nil).want(200).is(7, "data", "exitCode").is("Enough", "data", "statusMessage")
	p.do("POST", "/v2/actor-runs/"+other+"/abort", nil).want(200)
	p.waitStatus(other, api.StatusAborted)
}

func TestLocksBelongToTheRun(t *testing.T) {
	p := newPlatform(t)
	_, dir := p.actor(waits)
	id := p.do("POST", "/v2/acts/~scripted/runs", nil).want(201).str("data", "id")
	token := p.waitFile(filepath.Join(dir, "token"))
	queue := "/v2/actor-runs/" + id + "/request-queue"
	p.do("POST", queue+"/requests", `{"url":"http://a"}`).want(201)
	p.as(token, "POST", queue+"/head/lock?lockSecs=60&clientKey=before", nil).want(201).is("http://a", "data", "items", 0, "url")
	p.do("POST", queue+"/requests/unlock?clientKey=other", nil).want(200).is(0, "data", "unlockedCount")
	p.as(token, "POST", queue+"/requests/unlock?clientKey=after", nil).want(200).is(1, "data", "unlockedCount")
	p.do("POST", "/v2/actor-runs/"+id+"/abort", nil).want(200)
}

func TestRebootAndLongPoll(t *testing.T) {
	p := newPlatform(t)
	_, dir := p.actor("echo start >>starts; " + waits)
	id := p.do("POST", "/v2/acts/~scripted/runs", nil).want(201).str("data", "id")
	p.waitFile(filepath.Join(dir, "token"))
	p.do("POST", "/v2/acts/~scripted/runs/last/reboot", nil).want(200)
	until(t, "the second start", func() bool {
		starts, _ := os.ReadFile(filepath.Join(dir, "starts"))
		return strings.Count(string(starts), "start\n") == 2
	})
	p.do("POST", "/v2/actor-runs/"+id+"/reboot", nil).want(200)
	until(t, "the third start", func() bool {
		starts, _ := os.ReadFile(filepath.Join(dir, "starts"))
		return strings.Count(string(starts), "start\n") == 3
	})
	begun := time.Now()
	p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=0.2", nil).want(200).is("RUNNING", "data", "status")
	if took := time.Since(begun); took < 200*time.Millisecond || took > 20*time.Second {
		t.Errorf("the long poll took %v", took)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = os.WriteFile(filepath.Join(dir, "go"), nil, 0o600) })
	p.do("GET", "/v2/acts/~scripted/runs/"+id+"?waitForFinish=60", nil).want(200).is("SUCCEEDED", "data", "status")
}

func TestLogIsStreamedUntilTheRunEnds(t *testing.T) {
	p := newPlatform(t)
	_, dir := p.actor("echo first;" + waits + "echo second")
	id := p.do("POST", "/v2/acts/~scripted/runs", nil).want(201).str("data", "id")
	r, err := http.NewRequest("GET", p.URL+"/v2/actor-runs/"+id+"/log?stream=true&raw=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+ownerToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(text.String(), "first") {
		n, err := resp.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			t.Fatalf("the log ended early: %q, %v", text.String(), err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(rest), "second") {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

func TestWritesOutliveTheirConnection(t *testing.T) {
	p := newPlatform(t)
	p.actor("exit 0")
	run := "/v2/actor-runs/" + p.do("POST", "/v2/acts/~scripted/runs?waitForFinish=60", nil).want(201).str("data", "id")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"statusMessage":"last words","isStatusMessageTerminal":true}`
	fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", run, ownerToken, len(body), body)
	conn.Close()
	until(t, "the update", func() bool {
		return p.do("GET", run, nil).want(200).get("data", "statusMessage") == "last words"
	})

	// The same when the server has noticed before it did anything.
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for _, write := range []struct{ method, path, body string }{
		{"PUT", run, `{"statusMessage":"very last words","isStatusMessageTerminal":true}`},
		{"PUT", run + "/key-value-store/records/STATE", `{"a":1}`},
		{"POST", run + "/dataset/items", `{"a":1}`},
		{"POST", run + "/request-queue/requests", `{"url":"http://a"}`},
	} {
		r := httptest.NewRequest(write.method, p.URL+write.path, strings.NewReader(write.body)).WithContext(gone)
		r.Header.Set("Authorization", "Bearer "+ownerToken)
		p.server.ServeHTTP(httptest.NewRecorder(), r)
	}
	p.do("GET", run, nil).want(200).is("very last words", "data", "statusMessage")
	p.do("GET", run+"/key-value-store/records/STATE", nil).want(200)
	p.do("GET", run+"/dataset", nil).want(200).is(1, "data", "itemCount")
	p.do("GET", run+"/request-queue", nil).want(200).is(1, "data", "totalRequestCount")
}

func TestRunSync(t *testing.T) {
	p := newPlatform(t)
	_, dir := p.actor(waits + `exit "$(cat code 2>/dev/null || echo 0)"`)
	// helper is what the run's code would do: it stores results and ends.
	helper := func(code string, output bool) {
		token := p.waitFile(filepath.Join(dir, "token"))
		if err := os.Remove(filepath.Join(dir, "token")); err != nil {
			t.Error(err)
		}
		if output {
			p.as(token, "PUT", "/v2/acts/~scripted/runs/last/key-value-store/records/OUTPUT", "<p>done</p>", "Content-Type", "text/html").want(201)
			p.as(token, "PUT", "/v2/acts/~scripted/runs/last/key-value-store/records/OTHER", "other", "Content-Type", "text/plain").want(201)
			p.as(token, "POST", "/v2/acts/~scripted/runs/last/dataset/items", `[{"n":1},{"n":2}]`).want(201)
		}
		// The code reads its exit status as soon as it may go.
		for _, file := range [][2]string{{"code", code}, {"go", "now"}} {
			if err := os.WriteFile(filepath.Join(dir, file[0]), []byte(file[1]), 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	with := func(code string, output bool, call func() answer) answer {
		t.Helper()
		done := make(chan struct{})
		go func() { defer close(done); helper(code, output) }()
		a := call()
		<-done
		return a
	}
	sync, items := "/v2/acts/~scripted/run-sync", "/v2/acts/~scripted/run-sync-get-dataset-items"
	got := with("0", true, func() answer { return p.do("POST", sync, `{"in":1}`) }).want(201)
	if string(got.body) != "<p>done</p>" || got.header.Get("Content-Type") != "text/html" {
		t.Errorf("output %s, %v", got.body, got.header)
	}
	got = with("0", true, func() answer { return p.do("GET", sync+"?outputRecordKey=OTHER", nil) }).want(201)
	if string(got.body) != "other" {
		t.Errorf("output %s", got.body)
	}
	got = with("0", false, func() answer { return p.do("GET", sync, nil) }).want(201)
	if len(got.body) != 0 {
		t.Errorf("output %s", got.body)
	}
	got = with("0", true, func() answer { return p.do("POST", items+"?limit=1&desc=1", `{}`) }).want(201)
	if string(got.body) != `[{"n":2}]` || got.header.Get("X-Apify-Pagination-Total") != "2" {
		t.Errorf("items %s, %v", got.body, got.header)
	}
	got = with("0", true, func() answer { return p.do("GET", items+"?format=jsonl", nil) }).want(201)
	if string(got.body) != "{\"n\":1}\n{\"n\":2}\n" {
		t.Errorf("items %s", got.body)
	}
	with("5", false, func() answer { return p.do("POST", sync, nil) }).fails(400, "run-failed")
	p.do("GET", items+"?format=yaml", nil).fails(400, "invalid-value")

	p.server.syncWait = 50 * time.Millisecond
	p.do("GET", items, nil).fails(408, "run-timeout-exceeded")
	p.reaches(p.do("GET", "/v2/acts/~scripted/runs/last", nil).want(200).str("data", "id"), api.StatusRunning) // it goes on
	p.do("POST", "/v2/acts/~scripted/runs/last/abort", nil).want(200)
	p.do("GET", "/v2/acts/~scripted/runs/last?waitForFinish=10", nil).want(200).is("ABORTED", "data", "status")
}

func TestEvents(t *testing.T) {
	p := newPlatform(t)
	_, dir := p.actor(waits)
	id := p.do("POST", "/v2/acts/~scripted/runs", nil).want(201).str("data", "id")
	token := p.waitFile(filepath.Join(dir, "token"))
	url := "ws" + strings.TrimPrefix(p.URL, "http") + "/v2/actor-runs/" + id + "/events"
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, resp, err := websocket.Dial(ctx, url, nil); err == nil || resp.StatusCode != 401 {
		t.Errorf("without a token: %v", err)
	}
	p.do("GET", "/v2/actor-runs/"+id+"/events", nil).fails(400, "invalid-request")
	conn, _, err := websocket.Dial(ctx, url+"?token="+token, &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	read := func(name string) string {
		t.Helper()
		for {
			kind, text, err := conn.Read(ctx)
			if err != nil {
				t.Fatalf("waiting for %s: %v", name, err)
			}
			if kind != websocket.MessageText {
				t.Errorf("a frame of kind %v", kind)
			}
			if strings.HasPrefix(string(text), `{"name":"`+name+`"`) {
				return string(text)
			}
		}
	}
	info := read("systemInfo")
	for _, field := range []string{"memAvgBytes", "memCurrentBytes", "memMaxBytes", "cpuAvgUsage", "cpuMaxUsage", "cpuCurrentUsage", "isCpuOverloaded", "createdAt"} {
		if !strings.Contains(info, `"`+field+`":`) {
			t.Errorf("systemInfo has no %s: %s", field, info)
		}
	}
	p.do("POST", "/v2/actor-runs/"+id+"/abort?gracefully=1", nil).want(200).is("ABORTING", "data", "status")
	if aborting := read("aborting"); strings.Contains(aborting, "null") {
		t.Errorf("the Python SDK cannot read %s", aborting)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = conn.Read(ctx)
	}
	if status := websocket.CloseStatus(err); status != websocket.StatusNormalClosure {
		t.Errorf("closed with %v (%v)", status, err)
	}
}
