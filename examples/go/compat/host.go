package compat

import (
	"strings"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A Host is one that leases may be for: a host in its normal form, or [AnyHost] where that is meant. The zero value, which
// is what comes with an error, is no host, and no lease is for it. Hosts are compared with ==.
type Host struct {
	name  string
	isAny bool
}

// AnyHost takes a lease for whatever host it names. It turns host binding off.
var AnyHost = Host{isAny: true}

// NormalizeHost is pkg/licensing.normalizeHost: of a host, a host with a port or a URL, in any spelling. What is no host
// is an error, and the empty text is none: the deployed function gives "" for it, which there means any host.
func NormalizeHost(text string) (Host, error) {
	name, err := pulsetrust.NormalizeHost(text)
	return Host{name: name}, err
}

// HostOfPublicURL is the host that a runtime's leases must be for, from its setting PULSE_PUBLIC_URL: any where the
// setting is not there, and an error where it names no host.
func HostOfPublicURL(setting string) (Host, error) {
	if strings.TrimSpace(setting) == "" {
		return AnyHost, nil
	}
	return NormalizeHost(setting)
}

// String is the host's normal form, "any host", or "no host".
func (h Host) String() string {
	switch {
	case h.isAny:
		return "any host"
	case h.name == "":
		return "no host"
	}
	return h.name
}

func (h Host) checks() pulsetrust.LeaseChecks {
	if h.isAny {
		return pulsetrust.LeaseChecks{Host: pulsetrust.AnyHost()}
	}
	return pulsetrust.LeaseChecks{Host: pulsetrust.RequireHost(h.name)}
}
