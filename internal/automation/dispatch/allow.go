package dispatch

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Allow lists the private addresses that webhooks may call; public ones they may
// always. The zero Allow lets the owner's webhooks, and not those of a run's
// code, call this machine.
type Allow struct {
	prefixes []netip.Prefix
	loopback bool // for everybody
	any      bool
}

// ParseAllow reads a list of addresses, networks such as 10.0.0.0/8, and the
// words loopback (this machine, also for webhooks that the code of a run makes)
// and any.
func ParseAllow(list []string) (Allow, error) {
	var a Allow
	for _, text := range list {
		switch text = strings.TrimSpace(text); text {
		case "":
		case "loopback":
			a.loopback = true
		case "any":
			a.any = true
		default:
			prefix, err := netip.ParsePrefix(text)
			if err != nil {
				var addr netip.Addr
				if addr, err = netip.ParseAddr(text); err == nil {
					prefix = netip.PrefixFrom(addr, addr.BitLen())
				}
			}
			if err != nil {
				return a, fault.New(fault.Usage, "%q is no address, no network such as 10.0.0.0/8, and neither loopback nor any", text)
			}
			a.prefixes = append(a.prefixes, prefix.Masked())
		}
	}
	return a, nil
}

// reserved are networks that are not public and that netip has no name for.
// Source: the IANA registries of special-purpose addresses.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	// Addresses of version 4 inside of those of version 6.
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("fec0::/10"),
}

// check refuses addresses that may not be called.
func (a Allow) check(address string, byRun bool) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is no address", address)
	}
	ip := to.Addr().Unmap().WithZone("")
	if a.any || public(ip) {
		return nil
	}
	if ip.IsLoopback() && (a.loopback || !byRun) {
		return nil
	}
	for _, prefix := range a.prefixes {
		if prefix.Contains(ip) {
			return nil
		}
	}
	if ip.IsLoopback() {
		return fmt.Errorf("webhooks of runs may not call this machine (%s): start the server with --webhook-allow loopback", ip)
	}
	return fmt.Errorf("webhooks may not call the private address %s: start the server with --webhook-allow %s", ip, ip)
}

func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, prefix := range reserved {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}
