package impl

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/realclientip/realclientip-go"
)

// clientIP makes the function that finds the address of a caller. Headers count
// only if they come from a trusted proxy. If there are both Forwarded (RFC 7239)
// and X-Forwarded-For, they must agree: a proxy writes one of them, and passes
// the other on as the caller wrote it.
func clientIP(trusted []netip.Prefix) func(*http.Request) string {
	ranges := make([]net.IPNet, len(trusted))
	for i, p := range trusted {
		ranges[i] = net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	var strategies []realclientip.Strategy
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		strategies = append(strategies, realclientip.Must(realclientip.NewRightmostTrustedRangeStrategy(header, ranges)))
	}
	return func(r *http.Request) string {
		remote := remoteAddr(r)
		if !contains(trusted, remote) {
			return network(remote)
		}
		found := remote
		for _, s := range strategies {
			ip, err := netip.ParseAddr(s.ClientIP(r.Header, r.RemoteAddr))
			switch {
			case err != nil || ip == found:
			case found == remote:
				found = ip
			default:
				return network(remote)
			}
		}
		return network(found)
	}
}

func remoteAddr(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr().Unmap().WithZone("")
}

func contains(ranges []netip.Prefix, ip netip.Addr) bool {
	for _, p := range ranges {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// network gives an IPv4 address, or the network of 64 bits that an IPv6 address
// is in: one customer of a provider has at least that many (RFC 6177).
func network(ip netip.Addr) string {
	ip = ip.Unmap()
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
