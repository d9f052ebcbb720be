package dispatch

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// request is what a dispatch sends, as it was when the event happened.
type request struct {
	URL      string            `json:"url"`
	Headers  map[string]string `json:"headers,omitempty"`
	Body     string            `json:"body"`               // JSON, byte for byte
	Insecure bool              `json:"insecure,omitempty"` // certificates are not checked
	Once     bool              `json:"once,omitempty"`     // there is no second try
	ByRun    bool              `json:"byRun,omitempty"`    // of a webhook that a run's code made
}

// answer is what came back. status is 0 when nothing did; err is nil for a
// success.
type answer struct {
	status int
	body   string
	err    error
}

// Limits of an answer: what is read, and what of it is kept, in bytes.
const (
	maxRead = 1 << 20
	maxKept = 16 << 10
)

// sender makes the calls.
type sender struct {
	cfg Config
	// safe and insecure are of the owner's webhooks, those with ByRun of others.
	clients map[bool]map[bool]*http.Client // by ByRun, by Insecure
}

func newSender(cfg Config) sender {
	s := sender{cfg: cfg, clients: map[bool]map[bool]*http.Client{}}
	for _, byRun := range []bool{false, true} {
		s.clients[byRun] = map[bool]*http.Client{}
		for _, insecure := range []bool{false, true} {
			s.clients[byRun][insecure] = s.client(byRun, insecure)
		}
	}
	return s
}

func (s sender) client(byRun, insecure bool) *http.Client {
	dialer := &net.Dialer{
		Timeout: 30 * time.Second,
		// Looking at the address that is connected to, and not at the URL, leaves
		// nothing to names that resolve to something else the second time.
		Control: func(_, address string, _ syscall.RawConn) error {
			if address == s.apiAddress() {
				return nil
			}
			return s.cfg.Allow.check(address, byRun)
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			// No proxy: it would connect for us, wherever that is.
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute, MaxIdleConns: 100,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: insecure}, // as the webhook says
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			from := via[0]
			if r.Method != http.MethodPost || r.URL.Scheme != from.URL.Scheme || r.URL.Host != from.URL.Host || len(via) > 5 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

func (s sender) close() {
	for _, clients := range s.clients {
		for _, client := range clients {
			client.CloseIdleConnections()
		}
	}
}

// apiAddress is the address, with port, of this server's API, "" for none.
func (s sender) apiAddress() string {
	if s.cfg.API == nil {
		return ""
	}
	u, err := url.Parse(s.cfg.API())
	if err != nil {
		return ""
	}
	return u.Host
}

// toAPI tells whether a URL is of this server's API, by whatever name of the
// machine itself.
func (s sender) toAPI(u *url.URL) bool {
	address := s.apiAddress()
	host, port, err := net.SplitHostPort(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	name := strings.ToLower(u.Hostname())
	if u.Host == address {
		return true
	}
	ip, own := net.ParseIP(name), net.ParseIP(host)
	local := name == "localhost" || ip != nil && ip.IsLoopback()
	return u.Port() == port && local && (own == nil || own.IsLoopback() || own.IsUnspecified())
}

// post makes one call. Any answer of 2xx is a success.
func (s sender) post(ctx context.Context, i item) answer {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.Request.URL, strings.NewReader(i.Request.Body))
	if err != nil {
		return answer{err: fmt.Errorf("the request cannot be made: %w", err)}
	}
	for name, value := range i.Request.Headers {
		r.Header.Set(name, value)
	}
	r.Host = "" // what the template says of it does not count
	for name, value := range map[string]string{
		"Host": "", "Content-Length": "", "Transfer-Encoding": "", "Connection": "",
		"Content-Type": "application/json; charset=utf-8", "X-Apify-Webhook": "true",
		"X-Apify-Webhook-Dispatch-Id": i.ID, "X-Apify-Request-Origin": "WEBHOOK",
	} {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "Greenroom webhooks")
	}
	if s.toAPI(r.URL) && !i.Request.ByRun && s.cfg.Token != "" && r.Header.Get("Authorization") == "" && r.URL.Query().Get("token") == "" {
		r.Header.Set("Authorization", "Bearer "+s.cfg.Token)
	}
	resp, err := s.clients[i.Request.ByRun][i.Request.Insecure].Do(r)
	if err != nil {
		// The error has the URL before it, which may have a password in it.
		if e, ok := err.(*url.Error); ok {
			err = e.Err
		}
		return answer{err: fmt.Errorf("the request failed: %w", err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRead))
	a := answer{status: resp.StatusCode, body: strings.ToValidUTF8(string(body[:min(len(body), maxKept)]), "�")}
	switch {
	case err != nil:
		a.err = fmt.Errorf("the answer broke off: %w", err)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		a.err = fmt.Errorf("the answer is a redirect, which webhooks do not follow to elsewhere: status %d", resp.StatusCode)
	case resp.StatusCode < 200 || resp.StatusCode >= 300:
		a.err = fmt.Errorf("the answer has the status %d", resp.StatusCode)
	}
	return a
}
