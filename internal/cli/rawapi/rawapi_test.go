package rawapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cli/rawapi"
	"github.com/greenroom-dev/greenroom/internal/cli/recordtest"
)

func TestRequests(t *testing.T) {
	a := recordtest.New(t)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		a.Answer(method+" /things/a~b", recordtest.Answer{Body: `{"data":{"n":1.0}}`})
	}
	body := filepath.Join(t.TempDir(), "b.json")
	if err := os.WriteFile(body, []byte(`[1]`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want recordtest.Call
	}{
		{[]string{"things/a~b"}, recordtest.Call{Method: "GET"}},
		{[]string{"/v2/things/a~b?x=1"}, recordtest.Call{Method: "GET", Query: "x=1"}},
		{[]string{"get", "v2/things/a~b", "-p", `{"limit":1,"desc":true,"s":"a b","none":null}`}, recordtest.Call{Method: "GET", Query: "desc=true&limit=1&s=a+b"}},
		{[]string{"DELETE", "things/a~b"}, recordtest.Call{Method: "DELETE"}},
		{[]string{"things/a~b", "-d", `{}`}, recordtest.Call{Method: "POST", Body: "{}", Type: "application/json; charset=utf-8"}},
		{[]string{"-X", "PUT", "things/a~b", "-d", "@" + body}, recordtest.Call{Method: "PUT", Body: "[1]", Type: "application/json; charset=utf-8"}},
		{[]string{"PATCH", "things/a~b", "-d", "-", "-H", "content-type: text/plain"}, recordtest.Call{Method: "PATCH", Body: "piped", Type: "text/plain"}},
		{[]string{"POST", "things/a~b", "-d", "x", "-H", `{"Content-Type":"text/x"}`}, recordtest.Call{Method: "POST", Body: "x", Type: "text/x"}},
	} {
		test.want.Path = "/things/a~b"
		r := a.Run(rawapi.New, strings.NewReader("piped"), test.args...).Exits(0).Says("200 OK")
		if r.Stdout != "{\n  \"data\": {\n    \"n\": 1.0\n  }\n}\n" {
			t.Errorf("%q prints %q", test.args, r.Stdout)
		}
		if got := a.Last(test.want.Method, test.want.Path); got != test.want {
			t.Errorf("%q sends %+v", test.args, got)
		}
	}
	a.Run(rawapi.New, nil, "things/a~b", "--jq", ".data.n").Exits(0).Prints("1\n")
	a.Forget()
	for line, status := range map[string]int{
		"": 1, "FETCH things": 1, "-X FETCH things": 1, "GET things -X POST": 1, "GET things -d {}": 1, "http://elsewhere/v2/things": 1,
		"things -d {": 5, "things -d @nosuch": 5, "things -p [1]": 5, `things -p {"a":[1]}`: 5, "things -H nothing": 1,
	} {
		a.Run(rawapi.New, nil, strings.Fields(line)...).Exits(status)
	}
	if calls := a.Calls(); len(calls) > 0 {
		t.Errorf("wrong lines have called %q", calls)
	}
	a.Run(rawapi.New, nil, "nosuch").Exits(1).Says("404 Not Found").Prints("record-not-found")
}

func TestReference(t *testing.T) {
	a := recordtest.New(t)
	file := filepath.Join(t.TempDir(), "openapi.json")
	document := `{"paths":{"/v2/actor-runs/{runId}":{"get":{"summary":"Get run","description":"Reads it.\nAll of it."},"delete":{"summary":"Delete run"}},"/v2/store":{"get":{"summary":"Search"}}}}`
	if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	r := a.Run(rawapi.New, nil, "-l", "--openapi", file).Exits(0).Prints("/v2/store", "Get run")
	if n := strings.Count(r.Stdout, "\n"); n != 4 {
		t.Errorf("%d lines: %s", n, r.Stdout)
	}
	if r := a.Run(rawapi.New, nil, "-s", "RUN delete", "--openapi", file).Exits(0).Prints("DELETE"); strings.Contains(r.Stdout, "GET") {
		t.Errorf("found %s", r.Stdout)
	}
	a.Run(rawapi.New, nil, "--search", "nosuch", "--openapi", file).Exits(250)
	a.Run(rawapi.New, nil, "--describe", "actor-runs/{runId}", "--openapi", file).Exits(0).Prints("GET  Get run", "  All of it.", "DELETE")
	a.Run(rawapi.New, nil, "--describe", "nosuch", "--openapi", file).Exits(250)
	a.Run(rawapi.New, nil, "-l", "--openapi", filepath.Join(t.TempDir(), "none")).Exits(1).Says("--openapi")
	a.Answer("GET /openapi.json", recordtest.Answer{Body: document})
	a.Run(rawapi.New, nil, "-l", "store").Exits(1)
}
