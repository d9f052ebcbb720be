package server

import (
	"net"
	"net/url"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

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
