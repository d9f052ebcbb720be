package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// serve starts an HTTP server on loopback and a client of it.
func serve(t *testing.T, handler http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := client.New(client.Options{BaseURL: server.URL, Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryRefusalHasItsCode(t *testing.T) {
	for _, test := range []struct {
		status  int
		typ     string
		want    fault.Code
		message string
	}{
		{400, "invalid-record-key", fault.InvalidRequest, "Key is wrong."},
		{400, "invalid-input", fault.InvalidInput, "Input is wrong"},
		{401, "user-or-token-not-found", fault.Unauthenticated, "Who are you"},
		{403, "insufficient-permissions", fault.Forbidden, "No"},
		{404, "record-not-found", fault.NotFound, "Gone"},
		{405, "method-not-allowed", fault.MethodNotAllowed, "No"},
		{409, "name-not-unique", fault.Conflict, "Taken"},
		{413, "request-too-large", fault.TooLarge, "Big"},
		{501, "not-implemented", fault.NotImplemented, "Never"},
	} {
		t.Run(test.typ, func(t *testing.T) {
			var calls atomic.Int32
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				w.WriteHeader(test.status)
				fmt.Fprintf(w, `{"error":{"type":%q,"message":%q}}`, test.typ, test.message)
			})
			_, err := c.Run("x").Get(t.Context(), 0)
			var got *fault.Error
			if !errors.As(err, &got) || got.Code != test.want || got.Type != test.typ {
				t.Fatalf("got %#v, want code %s", err, test.want)
			}
			if want := strings.TrimSuffix(test.message, "."); got.Error() != want {
				t.Errorf("message %q, want %q", got.Error(), want)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("a refusal was asked for %d times", n)
			}
		})
	}
}

func TestRequestsSayWhoAndWhat(t *testing.T) {
	var seen []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.RequestURI+" "+string(body))
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("authorization %q", r.Header.Get("Authorization"))
		}
		fmt.Fprint(w, `{"data":{"id":"x","status":"RUNNING"}}`)
	})
	ctx := t.Context()
	message, final := "half done", true
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	_, err := c.Run("r1").Get(ctx, 90*time.Second)
	check(err)
	_, err = c.Run("r1").Update(ctx, api.RunUpdate{StatusMessage: &message, IsStatusMessageTerminal: &final})
	check(err)
	_, err = c.Run("r1").Abort(ctx, true)
	check(err)
	_, err = c.Run("r1").Reboot(ctx)
	check(err)
	check(c.Run("r1").Exit(ctx, api.RunExit{ExitCode: 3, StatusMessage: "m"}))
	memory := 256
	_, err = c.Actor("bob/finder").Start(ctx, client.StartOptions{Input: []byte(`{}`), MemoryMbytes: &memory, Build: "beta"})
	check(err)
	_, err = c.CreateDataset(ctx, "results")
	check(err)
	check(c.KeyValueStore("s").DeleteRecord(ctx, ".."))
	check(c.KeyValueStore("s").Put(ctx, "a b/c", "text/plain", strings.NewReader("v")))
	want := []string{
		"GET /v2/actor-runs/r1?waitForFinish=60 ",
		`PUT /v2/actor-runs/r1 {"statusMessage":"half done","isStatusMessageTerminal":true}`,
		"POST /v2/actor-runs/r1/abort?gracefully=1 ",
		"POST /v2/actor-runs/r1/reboot ",
		`POST /v2/actor-runs/r1/exit {"exitCode":3,"statusMessage":"m"}`,
		"POST /v2/actors/bob~finder/runs?build=beta&memory=256 {}",
		"POST /v2/datasets?name=results ",
		"DELETE /v2/key-value-stores/s/records/%2E%2E ",
		"PUT /v2/key-value-stores/s/records/a%20b%2Fc v",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
}

func TestPushesAreCutToTheLimit(t *testing.T) {
	var sizes []int
	var stored []json.RawMessage
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sizes = append(sizes, len(body))
		var items []json.RawMessage
		if err := json.Unmarshal(body, &items); err != nil {
			t.Error(err)
		}
		stored = append(stored, items...)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{}`)
	})
	item := json.RawMessage(`{"n":1.0,"x":"` + strings.Repeat("y", 3<<20) + `"}`)
	items := slices.Repeat([]json.RawMessage{item}, 7)
	pushed, err := c.Dataset("d").Push(t.Context(), items)
	if err != nil || pushed != 7 || len(stored) != 7 {
		t.Fatalf("pushed %d, stored %d, error %v", pushed, len(stored), err)
	}
	if len(sizes) != 4 || slices.Max(sizes) > client.MaxBody {
		t.Errorf("request sizes %v", sizes)
	}
	if !bytes.Equal(stored[3], item) {
		t.Error("an item changed on its way")
	}
	sizes = nil
	_, err = c.Dataset("d").Push(t.Context(), append(items, bytes.Repeat([]byte("z"), client.MaxBody)))
	if !fault.Is(err, fault.TooLarge) || len(sizes) != 0 {
		t.Errorf("error %v after %d requests", err, len(sizes))
	}
}

func TestRepeatsOnlyWhatIsHarmless(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		do     func(context.Context, *client.Client) error
		want   int32 // calls seen, the third of which succeeds
	}{
		{"read", 503, func(ctx context.Context, c *client.Client) error { _, err := c.Me(ctx); return err }, 3},
		{"push", 503, func(ctx context.Context, c *client.Client) error {
			_, err := c.Dataset("d").Push(ctx, []json.RawMessage{json.RawMessage(`{}`)})
			return err
		}, 1},
		{"push over the rate", 429, func(ctx context.Context, c *client.Client) error {
			_, err := c.Dataset("d").Push(ctx, []json.RawMessage{json.RawMessage(`{}`)})
			return err
		}, 3},
		{"value that can be read again", 500, func(ctx context.Context, c *client.Client) error {
			return c.KeyValueStore("s").Put(ctx, "k", "text/plain", strings.NewReader("value"))
		}, 3},
		{"value from a pipe", 500, func(ctx context.Context, c *client.Client) error {
			return c.KeyValueStore("s").Put(ctx, "k", "text/plain", io.MultiReader(strings.NewReader("value")))
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var calls atomic.Int32
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.Method == http.MethodPut && string(body) != "value" {
					t.Errorf("attempt %d sent %q", calls.Load(), body)
				}
				if calls.Add(1) < 3 {
					w.WriteHeader(test.status)
					return
				}
				fmt.Fprint(w, `{"data":{}}`)
			})
			err := test.do(t.Context(), c)
			if got := calls.Load(); got != test.want || (test.want == 3) != (err == nil) {
				t.Errorf("%d calls, error %v", got, err)
			}
		})
	}
}

func TestFailingReaderStoresNothing(t *testing.T) {
	aborted := make(chan bool, 1)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		aborted <- err != nil
	})
	broken := errors.New("the disk is on fire")
	err := c.KeyValueStore("s").Put(t.Context(), "k", "text/plain",
		io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotestErr{broken}))
	if !errors.Is(err, broken) || strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("got %v", err)
	}
	if !<-aborted {
		t.Error("the server took half a value for a whole one")
	}
}

type iotestErr struct{ err error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.err }

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	c, err := client.New(client.Options{BaseURL: "http://" + address + "/v2/"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err = c.Me(ctx); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v", err)
	}
	for _, address := range []string{"nonsense", "ftp://x", "://", "http://"} {
		if _, err := client.New(client.Options{BaseURL: address}); !fault.Is(err, fault.Usage) {
			t.Errorf("%q gives %v", address, err)
		}
	}
}

func TestAServerThatNeverAnswersIsAskedOnce(t *testing.T) {
	var calls atomic.Int32
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		<-over
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	c, err := client.New(client.Options{
		BaseURL: server.URL, HTTP: &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: 50 * time.Millisecond}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Me(t.Context()); !fault.Is(err, fault.Unavailable) || calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

func TestLoopbackNeedsNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:9")
	t.Setenv("NO_PROXY", "")
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"data":{"username":"bob"}}`) })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if me, err := c.Me(ctx); err != nil || me.Value.Username != "bob" {
		t.Errorf("%v, %v", me, err)
	}
}

func TestWaitEndsWithTheRunOrTheContext(t *testing.T) {
	var calls atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status := "RUNNING"
		if calls.Add(1) > 2 {
			status = "SUCCEEDED"
		}
		fmt.Fprintf(w, `{"data":{"id":"r","status":%q}}`, status)
	})
	run, err := c.Run("r").Wait(t.Context())
	if err != nil || run.Value.Status != api.StatusSucceeded || calls.Load() != 3 {
		t.Errorf("%s after %d calls, %v", run.Value.Status, calls.Load(), err)
	}
	calls.Store(-1000)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Run("r").Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestEachYieldsWhatArrivedAndSaysWhenMoreIsMissing(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/datasets/whole/items" {
			fmt.Fprint(w, `[{"a":1.0},{"a":2}]`)
			return
		}
		fmt.Fprint(w, `[{"a":1.0},{"a":`)
	})
	for name, fails := range map[string]bool{"whole": false, "half": true} {
		var items []string
		var failed error
		for item, err := range c.Dataset(name).Each(t.Context(), client.ItemsOptions{}) {
			if failed = err; err == nil {
				items = append(items, string(item))
			}
		}
		if items[0] != `{"a":1.0}` || (failed != nil) != fails || len(items) == 2 == fails {
			t.Errorf("%s: %v, %v", name, items, failed)
		}
	}
}

func TestPublicURLIsSigned(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/keys") {
			fmt.Fprint(w, `{"data":{"items":[{"key":"there","recordPublicUrl":"http://x/there"}]}}`)
			return
		}
		fmt.Fprint(w, `{"data":{"id":"S","urlSigningSecretKey":"hmac-secret"}}`)
	})
	got, err := c.KeyValueStore("s").PublicURL(t.Context(), "there")
	if err != nil || got != "http://x/there" {
		t.Errorf("%q, %v", got, err)
	}
	// The signature is a vector of the platform's own client.
	got, err = c.KeyValueStore("s").PublicURL(t.Context(), "my-record-key")
	want := c.BaseURL() + "/v2/key-value-stores/S/records/my-record-key?signature=qweuo3E7A2wiW24turpL"
	if err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}
