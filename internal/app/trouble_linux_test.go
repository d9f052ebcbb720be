package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

// serveVariable makes the test binary a server on the directory that it names,
// which ends with its standard input.
const serveVariable = "GREENROOM_TEST_SERVE"

func TestMain(m *testing.M) {
	dir := os.Getenv(serveVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	os.Exit(child(dir))
}

func child(dir string) int {
	s, err := startServer(context.Background(), cmdkit.ServerOptions{
		Listen: "127.0.0.1:0", DataDir: filepath.Join(dir, "data"), Executor: "process", Drain: time.Second,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		ready := filepath.Join(dir, "ready")
		if err = os.WriteFile(ready+".new", []byte(s.BaseURL()+" "+s.Token()), 0o600); err == nil {
			err = os.Rename(ready+".new", ready)
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// smallDisk mounts a file system of a few megabytes. Only root may; in CI, which
// is root, it must work.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("CI") == "true" && os.Getuid() == 0 {
			t.Fatalf("a small file system must be mounted in CI: %v", err)
		}
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// writer writes all kinds of things through the API and remembers what was
// acknowledged.
type writer struct {
	t                             *testing.T
	ask                           func(method, path, body string) (int, string)
	items, records, requests, all int
	pad                           string
}

func newWriter(t *testing.T, ask func(method, path, body string) (int, string)) *writer {
	w := &writer{t: t, ask: ask, pad: strings.Repeat("p", 40<<10)}
	for _, path := range []string{"/v2/datasets?name=d", "/v2/key-value-stores?name=k", "/v2/request-queues?name=q"} {
		if status, text := ask("POST", path, ""); status != 201 {
			t.Fatal(status, text)
		}
	}
	return w
}

// step writes one of each and counts those that were refused.
func (w *writer) step() (refused int) {
	w.t.Helper()
	w.all++
	write := func(method, path, body string, acknowledged *int) {
		w.t.Helper()
		switch status, text := w.ask(method, path, body); {
		case status == 200 || status == 201:
			*acknowledged++
		case status >= 500 && strings.Contains(text, `"error"`):
			refused++
		default:
			w.t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
	}
	write("POST", "/v2/datasets/local~d/items", fmt.Sprintf(`[{"n":%d,"p":%q},{}]`, w.items, w.pad), &w.items)
	write("PUT", fmt.Sprintf("/v2/key-value-stores/local~k/records/K%d", w.all), `"`+w.pad+`"`, &w.records)
	write("POST", "/v2/request-queues/local~q/requests", fmt.Sprintf(`{"url":"http://a/%d","uniqueKey":"%d","payload":%q}`, w.all, w.all, w.pad), &w.requests)
	return refused
}

// check compares what can be read with what was acknowledged.
func (w *writer) check() {
	w.t.Helper()
	get := func(path string) string {
		status, text := w.ask("GET", path, "")
		if status != 200 {
			w.t.Fatalf("%s: %d %s", path, status, text)
		}
		return text
	}
	var items []struct {
		N *int
		P string
	}
	must(w.t, json.Unmarshal([]byte(get("/v2/datasets/local~d/items")), &items))
	for n := 0; n < len(items); n += 2 {
		if items[n].N == nil || *items[n].N != n/2 || items[n].P != w.pad {
			w.t.Fatalf("item %d is not what was pushed", n)
		}
	}
	var info struct {
		Data struct{ ItemCount, TotalRequestCount int }
	}
	must(w.t, json.Unmarshal([]byte(get("/v2/datasets/local~d")), &info))
	must(w.t, json.Unmarshal([]byte(get("/v2/request-queues/local~q")), &info))
	var keys struct {
		Data struct{ Items []struct{ Key string } }
	}
	must(w.t, json.Unmarshal([]byte(get("/v2/key-value-stores/local~k/keys?limit=1000")), &keys))
	if len(items) != 2*w.items || info.Data.ItemCount != 2*w.items || info.Data.TotalRequestCount != w.requests || len(keys.Data.Items) != w.records {
		w.t.Fatalf("%d items (%d told), %d records, %d requests; acknowledged were %d, %d, %d", len(items), info.Data.ItemCount,
			len(keys.Data.Items), info.Data.TotalRequestCount, 2*w.items, w.records, w.requests)
	}
	for _, k := range keys.Data.Items {
		if text := get("/v2/key-value-stores/local~k/records/" + k.Key); text != `"`+w.pad+`"` {
			w.t.Fatalf("record %s has %d bytes", k.Key, len(text))
		}
	}
}

// recover writes until nothing is refused any more.
func (w *writer) recover() {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); w.step() > 0; {
		if time.Now().After(deadline) {
			w.t.Fatal("writing does not go on")
		}
	}
}

// A full disk refuses writes, leaves nothing half-visible, and reading goes on;
// so does writing when there is space again.
func TestServeFullDisk(t *testing.T) {
	disk := smallDisk(t, "12m")
	o := cmdkit.ServerOptions{DataDir: filepath.Join(disk, "data"), Executor: "process"}
	s := started(t, o)
	w := newWriter(t, func(method, path, body string) (int, string) { return ask(t, s, method, path, body) })
	ballast := filepath.Join(disk, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 5<<20), 0o600))
	for full := 0; full < 3; full = w.step() {
		if w.all > 1000 {
			t.Fatal("the disk is never full")
		}
	}
	w.step()
	w.check()
	if status, text := ask(t, s, "GET", "/healthz", ""); status != 200 {
		t.Errorf("health: %d %s", status, text)
	}
	must(t, os.Remove(ballast))
	w.recover()
	w.check()
	must(t, s.Close())
	s = started(t, o)
	w.check()
	must(t, s.Close())
}

// A read-only file system is told at the start.
func TestServeReadOnly(t *testing.T) {
	disk := smallDisk(t, "8m")
	o := cmdkit.ServerOptions{DataDir: filepath.Join(disk, "data"), Executor: "process"}
	must(t, started(t, o).Close())
	must(t, unix.Mount("none", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	o.Listen, o.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	if _, err := startServer(t.Context(), o); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("started: %v", err)
	}
	must(t, unix.Mount("none", disk, "", unix.MS_REMOUNT, ""))
	must(t, started(t, o).Close())
}

// A server that runs out of file handles refuses what needs one, and goes on
// when there are some again.
func TestServeTooManyOpenFiles(t *testing.T) {
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	child := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -n 80 && exec "$0"`, os.Args[0])
	child.Env = append(os.Environ(), serveVariable+"="+dir)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	must(t, err)
	must(t, child.Start())
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	t.Cleanup(func() { child.Process.Kill() })
	var address, token string
	for deadline := time.Now().Add(20 * time.Second); token == ""; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(ready)
		address, token, _ = strings.Cut(string(text), " ")
		if time.Now().After(deadline) {
			t.Fatal("the server does not start")
		}
	}
	// One connection that stays, so that asking needs no handle.
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}, Timeout: 30 * time.Second}
	w := newWriter(t, func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, address+path, strings.NewReader(body))
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := client.Do(r)
		must(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		must(t, err)
		return answer.StatusCode, string(text)
	})
	if refused := w.step(); refused > 0 {
		t.Fatalf("%d writes were refused", refused)
	}
	var others []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
		must(t, err)
		others = append(others, conn)
	}
	refused := 0
	for deadline := time.Now().Add(10 * time.Second); refused < 5; refused += w.step() {
		if time.Now().After(deadline) {
			t.Fatal("nothing is ever refused")
		}
	}
	for _, conn := range others {
		must(t, conn.Close())
	}
	w.recover()
	w.check()
	must(t, stdin.Close())
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
