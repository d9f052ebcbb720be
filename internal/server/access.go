package server

import (
	"crypto/subtle"
	"net"
	"net/url"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// principal is who calls: the owner, or, when runID is set, the code of a run.
type principal struct{ runID string }

// mayControl reports whether the caller may change or end the run. Runs may do
// that to themselves only.
func (p principal) mayControl(runID string) bool { return p.runID == "" || p.runID == runID }

// admit checks where the request was sent to, where it comes from and whose
// token it carries.
func (c *call) admit() error {
	if err := c.checkHost(); err != nil {
		return err
	}
	token := c.token()
	switch {
	case token == "":
		return fault.New(fault.Unauthenticated, "authentication token was not provided").
			WithType("token-not-provided").
			WithHint("send it in the header Authorization: Bearer, or as the query parameter token")
	case subtle.ConstantTimeCompare([]byte(token), []byte(c.s.OwnerToken)) == 1 && c.s.OwnerToken != "":
		return nil
	}
	if runID, ok := c.s.Engine.RunOfToken(token); ok {
		c.caller.runID = runID
		return nil
	}
	return fault.New(fault.Unauthenticated, "user was not found or authentication token is not valid")
}

func (c *call) token() string {
	if header := c.r.Header.Get("Authorization"); header != "" {
		if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(token)
		}
	}
	return c.query().Get("token")
}

// checkHost refuses names that a web page could have pointed at this machine
// (DNS rebinding), and requests that a page of another site makes.
func (c *call) checkHost() error {
	if !c.s.hostAllowed(c.r.Host) {
		return fault.New(fault.Forbidden, "this server does not answer under the host name %q", c.r.Host)
	}
	origin := c.r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, c.r.Host) {
		return nil
	}
	return fault.New(fault.Forbidden, "this server does not answer pages of %q", origin)
}

func (s *server) hostAllowed(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || s.hosts[host] {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// control refuses callers that may not change the run.
func (c *call) control(runID string) error {
	if c.caller.mayControl(runID) {
		return nil
	}
	return fault.New(fault.Forbidden, "the token of run %s does not give access to run %s", c.caller.runID, runID)
}
