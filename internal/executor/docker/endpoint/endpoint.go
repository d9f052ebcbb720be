// Package endpoint finds the way from the containers of an engine to this machine.
package endpoint

import (
	"context"
	"net"
	"net/url"
	"runtime"
	"strings"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/docker/connect"
)

// Endpoint is where containers reach us, with the lines that they need in their
// list of hosts for that.
type Endpoint struct {
	executor.Endpoint
	ExtraHosts []string
}

// Find finds out where containers of an engine see this machine:
//
//   - An engine on this machine: at the gateway of the container network, an
//     address that nothing outside of this machine can reach.
//   - An engine in a virtual machine or a user namespace of this machine: under
//     a name that leads to the loopback interface.
//   - An engine elsewhere: at the address from which this machine speaks to it.
//
// It takes two round trips. Errors are those of the client.
func Find(ctx context.Context, cli *client.Client) (Endpoint, error) {
	if ip := addressTowards(cli.DaemonHost()); ip != "" {
		return Endpoint{Endpoint: executor.Endpoint{ListenIP: ip, Host: ip}}, nil
	}
	type versionAnswer struct {
		types.Version
		err error
	}
	answer := make(chan versionAnswer, 1)
	go func() {
		v, err := cli.ServerVersion(ctx)
		answer <- versionAnswer{v, err}
	}()
	gateway := gatewayOf(ctx, cli)
	version := <-answer
	if version.err != nil {
		return Endpoint{}, version.err
	}

	// Docker Desktop's virtual machine has a bridge too, whose gateway may by
	// chance be an address of this machine.
	desktop := strings.Contains(version.Platform.Name, "Docker Desktop")
	if runtime.GOOS == "linux" && !desktop && canListen(gateway) {
		return Endpoint{Endpoint: executor.Endpoint{ListenIP: gateway, Host: gateway}}, nil
	}
	r := Endpoint{Endpoint: executor.Endpoint{ListenIP: "127.0.0.1", Host: "host.docker.internal"}}
	switch {
	case isPodman(version.Version):
		r.Host = "host.containers.internal" // Podman writes it into every container
	case runtime.GOOS == "linux" && !desktop:
		r.ExtraHosts = []string{r.Host + ":host-gateway"}
	}
	return r, nil
}

// gatewayOf is the address of the default container network's gateway, or "".
func gatewayOf(ctx context.Context, cli *client.Client) string {
	for _, name := range []string{network.NetworkBridge, "podman"} {
		n, err := cli.NetworkInspect(ctx, name, network.InspectOptions{})
		if err != nil {
			continue
		}
		for _, c := range n.IPAM.Config {
			if ip := net.ParseIP(c.Gateway); ip.To4() != nil {
				return ip.String()
			}
			// Engines do not always say; then it is the address that this
			// machine has in that network.
			if ip := addressIn(c.Subnet); ip != "" {
				return ip
			}
		}
	}
	return ""
}

// addressIn is this machine's IPv4 address in a network, or "".
func addressIn(subnet string) string {
	_, in, err := net.ParseCIDR(subnet)
	if err != nil {
		return ""
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && in.Contains(n.IP) {
			return n.IP.String()
		}
	}
	return ""
}

// canListen says whether ip is an address of this machine.
func canListen(ip string) bool {
	if ip == "" {
		return false
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// addressTowards is the address of this machine that an engine on another one
// sees, or "" when the engine is on this one.
func addressTowards(host string) string {
	u, err := url.Parse(host)
	if err != nil || connect.Local(host) || u.Hostname() == "" {
		return ""
	}
	// Connecting a UDP socket sends nothing; it only chooses the route.
	c, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), "9"))
	if err != nil {
		return ""
	}
	defer c.Close()
	ip := c.LocalAddr().(*net.UDPAddr).IP
	if ip.IsLoopback() {
		return ""
	}
	return ip.String()
}

func isPodman(v types.Version) bool {
	for _, c := range v.Components {
		if strings.HasPrefix(c.Name, "Podman") {
			return true
		}
	}
	return false
}
