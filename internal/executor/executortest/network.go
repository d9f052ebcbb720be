package executortest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor/hostport"
)

func (s suite) webServer(t *testing.T) {
	port, err := hostport.Free(0)
	if err != nil {
		t.Fatal(err)
	}
	r := s.start(t, s.executor(t), s.h.Serve(port))
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	body := ""
	for deadline := time.Now().Add(limit); body == "" && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if answer, err := http.Get(url); err == nil {
			data, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			body = string(data)
		}
	}
	if body != "hello" {
		t.Errorf("the web server says %q; stderr is %q", body, r.stderr)
	}
	// Nothing wider than loopback.
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.IsLoopback() || n.IP.To4() == nil {
			continue
		}
		c, err := net.DialTimeout("tcp", net.JoinHostPort(n.IP.String(), fmt.Sprint(port)), time.Second)
		if err == nil {
			c.Close()
			t.Errorf("the web server can be reached at %s", n.IP)
		}
	}
}

func (s suite) endpoint(t *testing.T) {
	e := s.executor(t)
	for range 2 {
		at, err := e.Endpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ip := net.ParseIP(at.ListenIP)
		if ip == nil || ip.IsUnspecified() {
			t.Fatalf("listen at %q", at.ListenIP)
		}
		l, err := net.Listen("tcp", net.JoinHostPort(at.ListenIP, "0"))
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "reached") })}
		go server.Serve(l)
		defer server.Close()
		port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
		r := s.start(t, e, s.h.Fetch("http://"+net.JoinHostPort(at.Host, port)+"/"))
		r.end(t)
		if got := r.stdout.String(); got != "reached" {
			t.Errorf("from inside, %s:%s gives %q, %q", at.Host, port, got, r.stderr)
		}
	}
}
