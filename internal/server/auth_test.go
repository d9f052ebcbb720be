package server

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/token"
)

// withTokens makes the server know the tokens of a store.
func (p *platform) withTokens() *token.Store {
	p.t.Helper()
	tokens, err := token.Open(p.t.TempDir())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { tokens.Close() })
	p.server.Authenticate = func(text string) (Access, bool) {
		id, ok := tokens.Lookup(text)
		return Access{ReadOnly: id.Scope == token.ReadOnly, StoragesOf: id.Scope.RunID(), Guest: id.ID != token.OwnerID}, ok
	}
	return tokens
}

func newToken(t *testing.T, tokens *token.Store, scope token.Scope) string {
	t.Helper()
	text, _, err := tokens.Create("", scope, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTokensOfAServer(t *testing.T) {
	p := newPlatform(t)
	tokens := p.withTokens()
	p.server.OwnerToken = "" // the store knows it
	owner, err := tokens.Owner()
	if err != nil {
		t.Fatal(err)
	}
	full := newToken(t, tokens, token.Full)
	for _, good := range []string{owner, full} {
		p.as(good, "POST", "/v2/datasets?name=mine", nil)
		p.as(good, "GET", "/v2/datasets/mine", nil).want(200)
		p.as("", "GET", "/v2/datasets/mine?token="+good, nil).want(200)
		p.as("", "GET", "/v2/datasets/mine", nil, "Authorization", "bearer   "+good+" ").want(200)
		p.as("", "GET", "/v2/datasets/mine?token="+good, nil, "Authorization", "Basic "+good).want(200)
	}
	p.as("", "GET", "/v2/datasets/mine", nil).fails(401, "token-not-provided")
	p.as("", "GET", "/v2/datasets/mine?token=", nil, "Authorization", "Bearer ").fails(401, "token-not-provided")
	for _, bad := range []string{ownerToken, full + "x", token.Prefix + strings.Repeat("a", 36), strings.Repeat("x", 10_000)} {
		p.as(bad, "GET", "/v2/datasets/mine", nil).fails(401, "user-or-token-not-found")
	}
	if _, err := tokens.Revoke(full); err != nil {
		t.Fatal(err)
	}
	p.as(full, "GET", "/v2/datasets/mine", nil).fails(401, "user-or-token-not-found")
}

// TestReadOnlyTokens tries every operation that is not a GET, in every way that
// a request can ask for it.
func TestReadOnlyTokens(t *testing.T) {
	p := newPlatform(t)
	p.server.ProxyPassword = "secret"
	readOnly := newToken(t, p.withTokens(), token.ReadOnly)
	actor, _ := p.actor("exit 0")
	run := p.do("POST", "/v2/acts/"+actor.ID+"/runs?waitForFinish=60", nil).want(201).str("data", "id")

	for _, path := range []string{"/v2/datasets", "/v2/actor-runs/" + run, "/v2/actor-runs/" + run + "/dataset/items",
		"/v2/actor-runs/" + run + "/key-value-store/keys", "/v2/actor-runs/" + run + "/request-queue/head", "/v2/logs/" + run, "/v2/users/me"} {
		p.as(readOnly, "GET", path, nil).want(200)
	}
	p.as(readOnly, "HEAD", "/v2/actor-runs/"+run+"/dataset/items", nil).want(200)
	p.as(readOnly, "GET", "/v2/users/me", nil).is(nil, "data", "proxy")
	p.do("GET", "/v2/users/me", nil).is("secret", "data", "proxy", "password")

	refused := 0
	for _, r := range p.server.routes() {
		path := strings.NewReplacer("{runId}", run, "{actorId}", actor.ID).Replace(r.path)
		for strings.Contains(path, "{") {
			start, end := strings.Index(path, "{"), strings.Index(path, "}")
			path = path[:start] + "x" + path[end+1:]
		}
		if r.method == "GET" && !strings.Contains(path, "/run-sync") || r.method == "HEAD" ||
			r.path == "/v2/browser-info" || r.path == "/v2/tools/decode-and-verify" || strings.HasSuffix(r.path, "/validate-input") {
			continue // nothing changes
		}
		refused++
		p.as(readOnly, r.method, path, nil).fails(403, "insufficient-permissions")
		if r.method != "GET" {
			p.as(readOnly, "GET", path+"?method="+strings.ToLower(r.method), nil).fails(403, "insufficient-permissions")
		}
	}
	if refused < 50 {
		t.Errorf("only %d operations were tried", refused)
	}
	p.do("GET", "/v2/actor-runs", nil).is(1, "data", "total")
}

func TestTokensForOneRun(t *testing.T) {
	p := newPlatform(t)
	tokens := p.withTokens()
	p.actor("exit 0")
	start := func() answer { return p.do("POST", "/v2/acts/~scripted/runs?waitForFinish=60", nil).want(201) }
	mine, other := start(), start()
	id := mine.str("data", "id")
	limited := newToken(t, tokens, token.OneRun(id))

	good := func(method, path string, status int, body any) {
		t.Helper()
		p.as(limited, method, path, body).want(status)
	}
	dataset := "/v2/datasets/" + mine.str("data", "defaultDatasetId")
	good("POST", dataset+"/items", 201, `{"a":1}`)
	good("GET", "/v2/actor-runs/"+id+"/dataset/items", 200, nil)
	good("PUT", "/v2/key-value-stores/"+mine.str("data", "defaultKeyValueStoreId")+"/records/KEY", 201, "{}")
	good("GET", "/v2/actor-runs/"+id+"/key-value-store/records/KEY", 200, nil)
	good("POST", "/v2/request-queues/"+mine.str("data", "defaultRequestQueueId")+"/head/lock?lockSecs=9&clientKey=c", 201, nil)
	good("GET", "/v2/actor-runs/"+id, 200, nil)
	good("GET", "/v2/users/me", 200, nil)

	for _, operation := range []string{
		"GET /v2/datasets", "POST /v2/datasets?name=new", "GET /v2/datasets/missing",
		"GET /v2/datasets/" + other.str("data", "defaultDatasetId"),
		"GET /v2/datasets/~" + mine.str("data", "defaultDatasetId"),
		"GET /v2/datasets/" + mine.str("data", "defaultRequestQueueId"),
		"PUT /v2/key-value-stores/" + other.str("data", "defaultKeyValueStoreId") + "/records/KEY",
		"GET /v2/actor-runs/" + other.str("data", "id"), "GET /v2/actor-runs/" + other.str("data", "id") + "/dataset/items",
		"GET /v2/actors/~scripted/runs/last/dataset/items", "GET /v2/actor-runs", "GET /v2/logs/" + id, "GET /v2/actor-runs/" + id + "/log",
		"PUT /v2/actor-runs/" + id, "DELETE /v2/actor-runs/" + id, "POST /v2/actor-runs/" + id + "/abort",
		"POST /v2/actors/~scripted/runs", "GET /v2/actors/~scripted/run-sync", "GET /v2/users/me/limits", "POST /v2/webhooks",
	} {
		method, path, _ := strings.Cut(operation, " ")
		if got := p.as(limited, method, path, nil); got.status != 403 || got.str("error", "type") != "insufficient-permissions" {
			t.Errorf("%s: %d %s", operation, got.status, got.body)
		}
	}
	p.do("DELETE", "/v2/actor-runs/"+id, nil).want(204)
	p.as(limited, "GET", dataset, nil).fails(403, "insufficient-permissions")
}

// lockedBuffer takes what requests log while others read it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestTokensAreNotLogged makes the server log all that it ever does.
func TestTokensAreNotLogged(t *testing.T) {
	p := newPlatform(t)
	var log lockedBuffer
	p.server.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	secret := newToken(t, p.withTokens(), token.Full)
	p.as("", "GET", "/v2/datasets?token="+secret, nil).want(200)
	p.as("", "GET", "/v2/datasets?token=wrong"+secret, nil).want(401)
	p.as("", "GET", "/v2/nothing?token="+secret, nil).want(404)
	// A handler that fails, one that panics, and an answer that breaks off.
	for path, handle := range map[string]handler{
		"/v2/fails":  func(*call) error { return io.ErrUnexpectedEOF },
		"/v2/panics": func(*call) error { panic("a bug") },
		"/v2/breaks": func(c *call) error { c.WriteHeader(200); _, _ = c.Write([]byte("half")); return io.ErrUnexpectedEOF },
	} {
		p.server.add(path, handle)
		resp, err := http.Get(p.URL + path + "?token=" + secret)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if !strings.Contains(log.String(), path) {
			t.Errorf("%s was not logged", path)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); strings.Count(log.String(), "msg=request") < 6 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // requests are logged after they were answered
	}
	if n := strings.Count(log.String(), "msg=request"); n < 6 { // the client may repeat what broke off
		t.Errorf("%d of 6 requests were logged", n)
	}
	if strings.Contains(log.String(), secret) || strings.Contains(log.String(), "token=") {
		t.Errorf("the log holds the token:\n%s", log.String())
	}
}

// add adds a route to a server that has its own already.
func (s *server) add(path string, handle handler) {
	s.mux.Handle(path, s.dispatch(path, map[string]handler{http.MethodGet: handle}))
}
