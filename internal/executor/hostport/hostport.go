// Package hostport finds ports of this machine that nobody uses.
package hostport

import (
	"fmt"
	"net"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Free finds a TCP port on which nothing listens on loopback: prefer when that
// is free, else one chosen by the system, as always when prefer is 0.
//
// Nothing holds the port for the caller. The system hands out its own choices
// in turn, so that two callers at the same moment get different ones.
func Free(prefer int) (int, error) {
	if prefer > 0 && prefer <= 65535 {
		// A wildcard listener takes the port too, and on some systems does not
		// keep loopback from being bound; so both have to be free.
		if _, err := listen("127.0.0.1", prefer); err == nil {
			if port, err := listen("", prefer); err == nil {
				return port, nil
			}
		}
	}
	port, err := listen("127.0.0.1", 0)
	if err != nil {
		return 0, fault.New(fault.Unavailable, "no free TCP port on loopback: %w", err)
	}
	return port, nil
}

// listen tries a port and gives it back at once.
func listen(host string, port int) (int, error) {
	l, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", host, port))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
