package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// drainLimit is how long the end of a run waits for the API to answer what the
// run's code had asked.
const drainLimit = 500 * time.Millisecond

// listeners is where the API listens: on loopback, and on the gateway of the
// container network once a container needs it. Nothing wider.
type listeners struct {
	ownerToken string
	server     *http.Server

	mu    sync.Mutex
	ports map[string]int // by IP address
	conns map[net.Conn]*peer
}

// peer is who is at the other end of a connection.
type peer struct{ owner atomic.Bool }

type peerKey struct{}

func newListeners(ownerToken string) *listeners {
	return &listeners{ownerToken: ownerToken, ports: map[string]int{}, conns: map[net.Conn]*peer{}}
}

// serve starts answering on loopback, on a port that the system chooses.
func (l *listeners) serve(ctx context.Context, handler http.Handler) error {
	l.server = &http.Server{
		Handler:           l.recognise(handler),
		ReadHeaderTimeout: 30 * time.Second,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			l.mu.Lock()
			defer l.mu.Unlock()
			p := &peer{}
			l.conns[c] = p
			return context.WithValue(ctx, peerKey{}, p)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				l.mu.Lock()
				defer l.mu.Unlock()
				delete(l.conns, c)
			}
		},
	}
	_, err := l.listen(ctx, "127.0.0.1")
	return err
}

// listen makes sure that we listen on ip, and gives the port.
func (l *listeners) listen(ctx context.Context, ip string) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if port, ok := l.ports[ip]; ok {
		return port, nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "listening for the API")
	}
	port := listener.Addr().(*net.TCPAddr).Port
	l.ports[ip] = port
	go func() {
		// Ends with ErrServerClosed; a listener that breaks makes the code's
		// requests fail, which is told there.
		_ = l.server.Serve(listener)
	}()
	return port, nil
}

// url is how code behind the endpoint reaches the API; it makes that possible.
func (l *listeners) url(ctx context.Context, ep executor.Endpoint) (string, error) {
	port, err := l.listen(ctx, ep.ListenIP)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("http://%s", net.JoinHostPort(ep.Host, fmt.Sprint(port))), nil
}

func (l *listeners) loopback() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("http://127.0.0.1:%d", l.ports["127.0.0.1"])
}

// recognise notes which connections are the owner's own.
func (l *listeners) recognise(next http.Handler) http.Handler {
	owner := "Bearer " + l.ownerToken
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, ok := r.Context().Value(peerKey{}).(*peer); ok && strings.EqualFold(r.Header.Get("Authorization"), owner) {
			p.owner.Store(true)
		}
		next.ServeHTTP(w, r)
	})
}

// drain waits until the connections of code that has ended are closed, which
// the server does after it has answered everything that was sent on them.
func (l *listeners) drain(string) {
	for deadline := time.Now().Add(drainLimit); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if !l.strangers() {
			return
		}
	}
}

func (l *listeners) strangers() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.conns {
		if !p.owner.Load() {
			return true
		}
	}
	return false
}

func (l *listeners) close() {
	if l.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := l.server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		_ = l.server.Close()
	}
}
