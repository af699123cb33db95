package compat

import (
	"strings"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A Host says which host a lease may be for: one host in its normal form, or explicitly [AnyHost]. The zero value, which is
// returned with an error, is not a host, and no lease matches it. Compare hosts with ==.
type Host struct {
	name  string
	isAny bool
}

// AnyHost accepts a lease for whatever host it names. It turns host binding off.
var AnyHost = Host{isAny: true}

// NormalizeHost is pkg/licensing.normalizeHost: it takes a host, a host with a port or a URL, in any spelling. Text that is
// not a host is an error, and so is an empty text: the deployed function returns "" for these, which there means any host.
func NormalizeHost(text string) (Host, error) {
	name, err := pulsetrust.NormalizeHost(text)
	return Host{name: name}, err
}

// HostOfPublicURL is the host that a runtime's leases must be for, from its setting PULSE_PUBLIC_URL. If the setting is
// missing, that is any host; if it names no host, that is an error.
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
