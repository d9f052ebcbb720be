package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// served is an apify serve of the built command, as a user has it.
type served struct {
	t     testing.TB
	apify string
	dir   string // its data directory
	// address stays the same when the server starts anew.
	address string
	args    []string // further ones
	asker

	cmd  *exec.Cmd
	said *bytes.Buffer
}

// asker speaks to a server. It stays good when the server starts anew.
type asker struct{ url, token string }

// startServed starts a server on a directory of its own.
func startServed(t testing.TB, args ...string) *served {
	t.Helper()
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	// A port that was free a moment ago, so that it can be had again.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, apify: built.apify, dir: filepath.Join(t.TempDir(), "data"), address: listener.Addr().String(), args: args}
	listener.Close()
	s.start()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.said)
		}
	})
	return s
}

var exported = regexp.MustCompile(`^export (\w+)=(\S+)$`)

// start starts the server and returns once it answers.
func (s *served) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.apify, append([]string{"serve", "--listen", s.address, "--data-dir", s.dir}, s.args...)...)
	s.said = &bytes.Buffer{}
	s.cmd.Stderr = s.said
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for s.url, s.token = "", ""; (s.url == "" || s.token == "") && lines.Scan(); {
		switch m := exported.FindStringSubmatch(lines.Text()); {
		case m == nil:
		case m[1] == "APIFY_CLIENT_BASE_URL":
			s.url = m[2]
		case m[1] == "APIFY_TOKEN":
			s.token = m[2]
		}
	}
	if s.url == "" || s.token == "" {
		s.cmd.Wait()
		s.t.Fatalf("the server did not start: %s", s.said)
	}
}

// send sends a request. An answer that did not come whole is none.
func (a asker) send(ctx context.Context, method, path string, body []byte) (status int, answer []byte, ok bool) {
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, false
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, false
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err == nil
}

// kill ends the server as the system does it when memory is short.
func (s *served) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// stop ends the server in order.
func (s *served) stop() {
	s.t.Helper()
	if runtime.GOOS == "windows" {
		s.kill() // there is no such signal
		return
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("the server did not end in order: %v\n%s", err, s.said)
	}
}

// environment is what tells clients and SDKs where the server is.
func (s *served) environment() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "APIFY_") && !strings.HasPrefix(entry, "ACTOR_") && !strings.HasPrefix(entry, "CRAWLEE_") {
			env = append(env, entry)
		}
	}
	return append(env,
		"APIFY_API_BASE_URL="+s.url, "APIFY_API_PUBLIC_BASE_URL="+s.url, "APIFY_TOKEN="+s.token,
		"NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost")
}

// official is a program of testdata/judges, with the official client beside it.
func (s *served) official(name string, args ...string) *exec.Cmd {
	s.t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", "judges", name))
	if err != nil {
		s.t.Fatal(err)
	}
	program, variable := "node", "GREENROOM_TEST_NODE_MODULES"
	if strings.HasSuffix(name, ".py") {
		variable = "GREENROOM_TEST_PYTHON"
		program = os.Getenv(variable)
	}
	if os.Getenv(variable) == "" {
		skip(s.t, variable+" is not set; scripts/test-sdks.sh prints it")
	}
	cmd := exec.Command(program, append([]string{path}, args...)...)
	cmd.Dir = s.t.TempDir() // what it leaves about goes with the test
	cmd.Env = s.environment()
	if program == "node" {
		// Modules are looked for beside the file, whatever NODE_PATH says.
		copied := filepath.Join(cmd.Dir, name)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(copied, text, 0o600)
		}
		if err == nil {
			err = os.Symlink(os.Getenv(variable), filepath.Join(cmd.Dir, "node_modules"))
		}
		if err != nil {
			s.t.Fatal(err)
		}
		cmd.Args[1] = copied
	}
	return cmd
}

func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}
