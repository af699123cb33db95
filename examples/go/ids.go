package pulsetrust

import (
	"math/rand/v2"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// InstanceIDOfHost is the instance id of a hosted tenant, derived from its host. The host is normalized first.
func InstanceIDOfHost(host string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) { return engine.InstanceIDOfHost(in, host) })
}

// InstanceIDOfLicense is the id of an instance with a license or grant.
func InstanceIDOfLicense(licenseID, instanceSecret string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) {
		return engine.InstanceIDOfLicense(in, licenseID, instanceSecret)
	})
}

// NormalizeHost is the normal form of a host.
func NormalizeHost(host string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) { return engine.HostNormalize(in, host) })
}

// TenantHost is the host of a hosted tenant, from its id and the control plane's base URL.
func TenantHost(tenantID, baseURL string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) { return engine.TenantHost(in, tenantID, baseURL) })
}

// RefreshDelay is how long to wait before the next refresh of a lease with this expiry, with a random spread.
func RefreshDelay(expiresAt, now time.Time) (time.Duration, error) {
	seconds, err := secondsOf(now)
	if err != nil {
		return 0, err
	}
	in, err := anyInstance()
	if err != nil {
		return 0, err
	}
	milliseconds := engine.RefreshDelayMs(in, expiresAt.Unix(), seconds, rand.Uint32())
	return time.Duration(milliseconds) * time.Millisecond, nil
}

// RefreshBackoff is how long to wait after this many failed refreshes in a row.
func RefreshBackoff(failures uint32) (time.Duration, error) {
	in, err := anyInstance()
	if err != nil {
		return 0, err
	}
	return time.Duration(engine.RefreshBackoffMs(in, failures)) * time.Millisecond, nil
}

// onAny makes a call that needs no handle and returns a string.
func onAny(job func(*engine.Instance) ([]byte, error)) (string, error) {
	in, err := anyInstance()
	if err != nil {
		return "", err
	}
	bytes, err := job(in)
	return string(bytes), wrap(err)
}
