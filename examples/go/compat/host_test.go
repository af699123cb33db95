package compat_test

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

func hostOf(t *testing.T, text string) compat.Host {
	t.Helper()
	return must[compat.Host](t)(compat.NormalizeHost(text))
}

// What comes with the error of an invalid host must not be taken for "any host", however the error is treated: shown
// with the names that public URLs have and that the library does not take.
func TestAHostThatIsNoneTurnsNoBindingOff(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	keys := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(public, nil))
	now := time.Unix(1_800_000_000, 0)
	claims := leaseClaims{OrgID: "default", InstanceHost: "t-1.example.test", SubscriptionState: "active"}
	token := must[string](t)(compat.SignEntitlementLeaseToken(private, claims, now))
	for _, text := range []string{
		"", " ", "münchen.example.test", "https://münchen.example.test/", "https://MÜNCHEN.example.test:443",
		"t-1.example.test.", "https://t-1.example.test./", ".example.test", "https://", "a:b:c", "t-1.example.test/x",
	} {
		ignored, hostErr := compat.NormalizeHost(text)
		if !errors.Is(hostErr, pulsetrust.ErrHostInvalid) || ignored == compat.AnyHost || ignored != (compat.Host{}) {
			t.Errorf("%q is %s, %v", text, ignored, hostErr)
		}
		if _, err := compat.VerifyEntitlementLeaseToken[leaseClaims](token, keys, ignored, now); !errors.Is(err, pulsetrust.ErrHostInvalid) {
			t.Errorf("%q: a lease for no host verifies: %v", text, err)
		}
		if _, err := compat.ParseEntitlementLeaseToken[leaseClaims](token, keys, ignored, now); !errors.Is(err, pulsetrust.ErrHostInvalid) {
			t.Errorf("%q: a lease for no host is parsed: %v", text, err)
		}
	}
	// The A-label is what a lease and a public URL name such a host by.
	if host := hostOf(t, "https://XN--Mnchen-3ya.example.test:8443/x"); host.String() != "xn--mnchen-3ya.example.test" {
		t.Errorf("%s", host)
	}
	for name, host := range map[string]compat.Host{"any": compat.AnyHost, "the lease's": hostOf(t, "https://T-1.Example.Test:443/x")} {
		if _, err := compat.VerifyEntitlementLeaseToken[leaseClaims](token, keys, host, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if hostOf(t, "T-1.example.test:443") != hostOf(t, "https://t-1.EXAMPLE.test/") {
		t.Error("two spellings of a host are two")
	}
}

func TestTheHostOfAPublicURL(t *testing.T) {
	for setting, expected := range map[string]string{
		"": "any host", "  ": "any host", "https://T-1.example.test/x": "t-1.example.test", "https://münchen.example.test": "no host",
		"https://t-1.example.test.": "no host", "https://": "no host",
	} {
		host, err := compat.HostOfPublicURL(setting)
		if host.String() != expected || (err != nil) != (expected == "no host") {
			t.Errorf("%q: %s %v", setting, host, err)
		}
	}
}
