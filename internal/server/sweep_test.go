package server

import (
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// storageOperations are one good request of every operation below a storage, in
// an order in which each can succeed. The kind stands before the colon.
const storageOperations = `
dataset: GET ; 200
dataset: PUT ; 200 {}
dataset: POST /items; 201 {"a":1}
dataset: GET /items; 200
dataset: HEAD /items; 200
dataset: GET /statistics; 200
key-value-store: GET ; 200
key-value-store: PUT ; 200 {}
key-value-store: PUT /records/KEY; 201 {"a":1}
key-value-store: POST /records/KEY; 201 {"a":1}
key-value-store: GET /records/KEY; 200
key-value-store: HEAD /records/KEY; 200
key-value-store: GET /records; 200
key-value-store: GET /keys; 200
key-value-store: DELETE /records/KEY; 204
request-queue: GET ; 200
request-queue: PUT ; 200 {}
request-queue: POST /requests; 201 {"url":"http://a","uniqueKey":"a"}
request-queue: POST /requests/batch; 201 [{"url":"http://b","uniqueKey":"b"}]
request-queue: GET /requests; 200
request-queue: GET /head; 200
request-queue: POST /head/lock?lockSecs=9&clientKey=c; 201
request-queue: PUT /requests/{a}/lock?lockSecs=9&clientKey=c; 200
request-queue: DELETE /requests/{a}/lock?clientKey=c; 204
request-queue: POST /requests/unlock?clientKey=c; 200
request-queue: GET /requests/{a}; 200
request-queue: PUT /requests/{a}; 200 {"url":"http://a","uniqueKey":"a"}
request-queue: DELETE /requests/{a}; 204
request-queue: DELETE /requests/batch; 200 [{"uniqueKey":"b"}]
dataset: DELETE ; 204
key-value-store: DELETE ; 204
request-queue: DELETE ; 204
`

// TestEveryWayToNameAStorage makes the same requests to a run's storages, and
// without a token, to a missing storage and to a missing run.
func TestEveryWayToNameAStorage(t *testing.T) {
	p := newPlatform(t)
	p.actor("exit 0")
	p.do("POST", "/v2/actor-tasks", `{"actId":"me~scripted","name":"sweep"}`).want(201)
	p.do("POST", "/v2/actor-tasks/~sweep/runs?waitForFinish=60", nil).want(201)
	id := p.do("POST", "/v2/acts/~scripted/runs?waitForFinish=60", nil).want(201).str("data", "id")
	other := p.do("POST", "/v2/acts/~scripted/runs?waitForFinish=60", nil).want(201).str("data", "id")
	if id == other {
		t.Fatal("two runs have one id")
	}
	direct := map[string]string{}
	for _, kind := range []string{"dataset", "key-value-store", "request-queue"} {
		direct[kind] = "/v2/" + kind + "s/" + p.do("POST", "/v2/"+kind+"s", nil).want(201).str("data", "id")
	}
	for line := range strings.Lines(strings.TrimSpace(storageOperations)) {
		kind, rest, _ := strings.Cut(line, ": ")
		operation, rest, _ := strings.Cut(rest, ";")
		method, path, _ := strings.Cut(operation, " ")
		path = strings.ReplaceAll(path, "{a}", store.RequestID("a"))
		status, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
		var body any
		if text != "" {
			body = text
		}
		// The runs' own storages and the last run's are different ones.
		for _, base := range []string{
			"/v2/actor-runs/" + id + "/" + kind, "/v2/actors/~scripted/runs/last/" + kind, "/v2/actor-tasks/~sweep/runs/last/" + kind, direct[kind],
		} {
			if got := p.do(method, base+path, body); got.status != atoi(status) {
				t.Errorf("%s %s: %d %s", method, base+path, got.status, got.body)
			}
		}
		for _, base := range []string{
			"/v2/actor-runs/missing/" + kind, "/v2/actors/missing/runs/last/" + kind, "/v2/actor-tasks/missing/runs/last/" + kind, "/v2/" + kind + "s/missing",
		} {
			if got := p.do(method, base+path, body); got.status != 404 {
				t.Errorf("%s %s: %d %s", method, base+path, got.status, got.body)
			}
			if got := p.as("", method, base+path, body); got.status != 401 {
				t.Errorf("%s %s: %d %s", method, base+path, got.status, got.body)
			}
		}
	}
}

// TestEveryStatusOfOperations has every operation of storages, logs, users and
// tools answer with each status that does not depend on what it does: to a
// request that is malformed, that comes without a token or under a name that is
// not this server's, and with a body that is too large or cannot be read.
func TestEveryStatusOfOperations(t *testing.T) {
	p := newPlatform(t)
	p.server.MaxDecodedRecord = maxBody
	p.actor("exit 0")
	p.do("POST", "/v2/actor-tasks", `{"actId":"me~scripted","name":"sweep"}`).want(201)
	run := p.do("POST", "/v2/actor-tasks/~sweep/runs?waitForFinish=60", nil).want(201).str("data", "id")
	known := map[string]string{"runId": run, "actorTaskId": "~sweep", "actorId": "~scripted", "recordKey": "KEY", "requestId": store.RequestID("a"), "userId": "user1", "buildOrRunId": run}
	for parameter, kind := range map[string]string{"datasetId": "datasets", "storeId": "key-value-stores", "queueId": "request-queues"} {
		known[parameter] = p.do("POST", "/v2/"+kind, nil).want(201).str("data", "id")
	}
	bomb := compressed(t, "gzip", make([]byte, maxBody+1))
	many := "?" + strings.Repeat("a&", maxQueryParams+1)
	served := map[string]bool{}
	for _, r := range p.server.routes() {
		if name := p.contract.match(r.path); r.handle != nil && strict(name) {
			served[r.method+" "+name] = true
		}
	}
	for name, methods := range p.contract.paths {
		path := fill(name, known)
		missing := fill(name, nil)
		for method, operation := range methods {
			method = strings.ToUpper(method)
			if !served[method+" "+name] {
				continue
			}
			expect := func(status string, got answer) {
				t.Helper()
				if _, ok := operation.Responses[status]; ok && got.status != atoi(status) {
					t.Errorf("%s %s answered %d instead of %s: %s", method, name, got.status, status, got.body)
				}
			}
			if _, ok := operation.Responses["400"]; ok {
				expect("400", p.do(method, path+many, nil))
			}
			if _, ok := operation.Responses["401"]; ok {
				expect("401", p.as("", method, path, nil))
			}
			if _, ok := operation.Responses["403"]; ok {
				expect("403", p.do(method, path, nil, "Host", "rebound.example.com"))
			}
			if _, ok := operation.Responses["404"]; ok {
				body := `{"url":"http://a","uniqueKey":"a"}`
				if strings.HasSuffix(name, "/batch") {
					body = `[{"uniqueKey":"a","url":"http://a"}]`
				}
				expect("404", p.do(method, missing+"?lockSecs=9", body))
			}
			if _, ok := operation.Responses["413"]; ok {
				expect("413", p.do(method, path, bomb, "Content-Encoding", "gzip"))
			}
			if _, ok := operation.Responses["415"]; ok {
				expect("415", p.do(method, path, "{}", "Content-Encoding", "rot13"))
			}
		}
	}
}

// fill gives a path of the document with values for its parameters.
func fill(name string, values map[string]string) string {
	segments := strings.Split(name, "/")
	for i, segment := range segments {
		if parameter, ok := strings.CutPrefix(segment, "{"); ok {
			parameter = strings.TrimSuffix(parameter, "}")
			if segments[i] = values[parameter]; segments[i] == "" {
				segments[i] = "missing"
			}
		}
	}
	return strings.Join(segments, "/")
}

func atoi(text string) int {
	n := 0
	for _, digit := range text {
		n = n*10 + int(digit-'0')
	}
	return n
}

// TestEveryOperationNeedsAToken makes every served request without one.
func TestEveryOperationNeedsAToken(t *testing.T) {
	p := newPlatform(t)
	for _, r := range p.server.routes() {
		path := r.path
		for strings.Contains(path, "{") {
			start, end := strings.Index(path, "{"), strings.Index(path, "}")
			path = path[:start] + "x" + path[end+1:]
		}
		if r.handle != nil && !openToAll(r.path) {
			p.as("", r.method, path, nil).want(401)
			p.as("wrong", r.method, path+"?token=wrong", nil).want(401)
		}
	}
}

func TestUsers(t *testing.T) {
	p := newPlatform(t)
	me := p.do("GET", "/v2/users/me", nil).want(200).is("user1", "data", "id").is("me", "data", "username").is(false, "data", "isPaying")
	if features, _ := me.get("data", "effectivePlatformFeatures").(map[string]any); len(features) != 10 {
		t.Errorf("the Python client needs ten features, got %d", len(features))
	}
	me.is(nil, "data", "proxy").is(false, "data", "effectivePlatformFeatures", "PROXY", "isEnabled")
	p.server.ProxyPassword = "secret"
	p.do("GET", "/v2/users/me", nil).want(200).is("secret", "data", "proxy", "password").
		is(true, "data", "effectivePlatformFeatures", "PROXY", "isEnabled")
	for _, feature := range []string{"SCHEDULER", "WEBHOOKS", "ACTORS", "STORAGE"} {
		me.is(true, "data", "effectivePlatformFeatures", feature, "isEnabled")
	}
	me.is([]any{"ACTORS", "SCHEDULER", "STORAGE", "WEBHOOKS"}, "data", "plan", "enabledPlatformFeatures")
	p.do("GET", "/v2/users/me/limits", nil).want(200).is(0, "data", "current", "actorTaskCount").is(0, "data", "current", "scheduleCount")
	p.actor("true")
	p.do("POST", "/v2/actor-tasks", `{"actId":"me~scripted","name":"one-task"}`).want(201)
	p.do("POST", "/v2/schedules", `{"name":"one-schedule","cronExpression":"@daily","timezone":"UTC","isEnabled":false,"isExclusive":true,"actions":[]}`).want(201)
	p.do("GET", "/v2/users/me/limits", nil).want(200).is(1, "data", "current", "actorTaskCount").is(1, "data", "current", "scheduleCount")
	for _, id := range []string{"me", "user1", "~me"} {
		p.do("GET", "/v2/users/"+id, nil).want(200).is("me", "data", "username")
	}
	p.do("GET", "/v2/users/you", nil).fails(404, "record-not-found")
}
