// Package recordtest is an API that records what commands ask it and answers as a
// test says. It is for the commands' own logic: flags, forms of input, what is
// printed and the exit status. What a server makes of it is for stories.
package recordtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

// API is a server with answers of its own.
type API struct {
	URL string

	t       *testing.T
	mu      sync.Mutex
	answers map[string][]Answer
	calls   []Call
	// Env is the environment of the commands besides the API's address and token.
	Env map[string]string
}

// Answer is what one call gets.
type Answer struct {
	Status int // 200 when 0
	Body   string
}

// Call is a call that was made.
type Call struct {
	Method, Path, Query, Body, Type string
}

// New starts an API that knows one user, me. Everything that no answer was given
// for is a 404.
func New(t *testing.T) *API {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	a := &API{t: t, answers: map[string][]Answer{}, Env: map[string]string{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.URL = server.URL
	a.On("GET /users/me", `{"data":{"id":"U1","username":"me"}}`)
	return a
}

// On sets what a call such as "GET /actor-runs/R1" is answered, one answer after
// the other; the last one stays. A body that is an object or a list is put into
// the API's envelope unless it has one.
func (a *API) On(call string, bodies ...string) *API {
	var answers []Answer
	for _, body := range bodies {
		if !strings.HasPrefix(body, `{"data":`) && (strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[")) {
			body = `{"data":` + body + `}`
		}
		answers = append(answers, Answer{Body: body})
	}
	return a.Answer(call, answers...)
}

// Answer sets answers as they are.
func (a *API) Answer(call string, answers ...Answer) *API {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[call] = answers
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what is cut off is not what the test expects
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/v2")
	a.mu.Lock()
	a.calls = append(a.calls, Call{r.Method, path, r.URL.RawQuery, string(body), r.Header.Get("Content-Type")})
	answers := a.answers[r.Method+" "+path]
	if len(answers) > 1 {
		a.answers[r.Method+" "+path] = answers[1:]
	}
	a.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer token" {
		http.Error(w, `{"error":{"type":"user-or-token-not-found","message":"User was not found"}}`, http.StatusUnauthorized)
		return
	}
	if len(answers) == 0 {
		http.Error(w, `{"error":{"type":"record-not-found","message":"There is no such thing"}}`, http.StatusNotFound)
		return
	}
	if strings.HasPrefix(answers[0].Body, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	if answers[0].Status != 0 {
		w.WriteHeader(answers[0].Status)
	}
	_, _ = io.WriteString(w, answers[0].Body)
}

// Calls gives the calls so far, as "METHOD /path", but for GET /users/me.
func (a *API) Calls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for _, c := range a.calls {
		if c.Path != "/users/me" {
			list = append(list, c.Method+" "+c.Path)
		}
	}
	return list
}

// Last gives the last call of the kind; the test fails without one.
func (a *API) Last(method, path string) Call {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(a.calls) - 1; i >= 0; i-- {
		if a.calls[i].Method == method && a.calls[i].Path == path {
			return a.calls[i]
		}
	}
	a.t.Fatalf("%s %s was not called: %+v", method, path, a.calls)
	return Call{}
}

// Forget forgets the calls.
func (a *API) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = nil
}

// Result is what a command has left.
type Result struct {
	t              *testing.T
	line           string
	Stdout, Stderr string
	Status         int
}

// Run runs a command; in is its standard input, nil for none.
func (a *API) Run(new func(*cmdkit.Factory) *cobra.Command, in io.Reader, args ...string) Result {
	a.t.Helper()
	var out, err bytes.Buffer
	streams := &cmdkit.IO{In: in, Out: &out, Err: &err}
	env := map[string]string{"APIFY_CLIENT_BASE_URL": a.URL, "APIFY_TOKEN": "token"}
	for name, value := range a.Env {
		env[name] = value
	}
	root := &cobra.Command{Use: "apify"}
	cmd := new(&cmdkit.Factory{IO: streams, Version: "test", Getenv: func(name string) string { return env[name] }})
	root.AddCommand(cmd)
	root.SetArgs(append([]string{cmd.Name()}, args...))
	status := cmdkit.Run(a.t.Context(), streams, root)
	return Result{a.t, cmd.Name() + " " + strings.Join(args, " "), out.String(), err.String(), status}
}

// Exits checks the exit status.
func (r Result) Exits(status int) Result {
	r.t.Helper()
	if r.Status != status {
		r.t.Errorf("apify %s: exit status %d, want %d\n%s%s", r.line, r.Status, status, r.Stdout, r.Stderr)
	}
	return r
}

// Prints checks that standard output has all texts.
func (r Result) Prints(texts ...string) Result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.Stdout, text) {
			r.t.Errorf("apify %s: %q is not in\n%s\n(stderr: %s)", r.line, text, r.Stdout, r.Stderr)
		}
	}
	return r
}

// Says checks that standard error has all texts.
func (r Result) Says(texts ...string) Result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.Stderr, text) {
			r.t.Errorf("apify %s: %q is not in\n%s", r.line, text, r.Stderr)
		}
	}
	return r
}
