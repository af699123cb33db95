package pulsetrust_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

type leaseVectors struct {
	HostedPublicKey  string `json:"hosted_public_key"`
	HostedPrivateKey string `json:"hosted_private_key"`
	LicensePublicKey string `json:"license_public_key"`
	Cases            []struct {
		Name         string `json:"name"`
		Token        string `json:"token"`
		ExpectedHost string `json:"expected_host"`
		Now          int64  `json:"now"`
		VerifyError  string `json:"verify_error"`
		Stricter     any    `json:"stricter"`
		Verified     *struct {
			Capabilities []string `json:"capabilities"`
		} `json:"verified_claims"`
	} `json:"cases"`
}

func checksFor(host string) pulsetrust.LeaseChecks {
	if host == "" {
		return pulsetrust.LeaseChecks{Host: pulsetrust.AnyHost()}
	}
	return pulsetrust.LeaseChecks{Host: pulsetrust.RequireHost(host)}
}

func TestClaimsThatNoVerifierAcceptsAreNotSigned(t *testing.T) {
	key := must[*pulsetrust.SigningKey](t)(pulsetrust.GenerateSigningKey())
	grant := []byte(`{"iss":"pulse-pro-entitlement-lease","iid":"i","lid":"l","tier":"relay","exp":4102444800}`)
	for _, nameKey := range []bool{false, true} {
		if _, err := pulsetrust.SignToken(key, pulsetrust.KindGrant, grant, nameKey); !errors.Is(err, pulsetrust.ErrClaimsUnsignable) {
			t.Errorf("the key named: %v: %v", nameKey, err)
		}
	}
}

func TestLeasesVerifyAsDeployed(t *testing.T) {
	vectors := read[leaseVectors](t, "leases.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, vectors.LicensePublicKey))
	accepted := 0
	for _, c := range vectors.Cases {
		lease, err := pulsetrust.VerifyToken(keys, c.Token, checksFor(c.ExpectedHost), time.Unix(c.Now, 0))
		if err == nil {
			accepted++
			lease.Close()
		}
		// Ours is stricter than the deployed code, never laxer.
		if err == nil && c.VerifyError != "" {
			t.Errorf("%s: accepted, the deployed runtime says %s", c.Name, c.VerifyError)
		}
		if err != nil && c.VerifyError == "" && c.Stricter == nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		var refusal *pulsetrust.Error
		if err != nil && !errors.As(err, &refusal) {
			t.Errorf("%s: %T", c.Name, err)
		}
	}
	if accepted < 5 {
		t.Errorf("%d leases accepted", accepted)
	}
}

func TestAVerifiedLeaseIsAskedAgain(t *testing.T) {
	vectors := read[leaseVectors](t, "leases.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, ""))
	c := vectors.Cases[0]
	now := time.Unix(c.Now, 0)
	lease := must[*pulsetrust.Token](t)(pulsetrust.VerifyToken(keys, c.Token, checksFor(c.ExpectedHost), now))
	if err := lease.Check("relay", now); err != nil {
		t.Error(err)
	}
	if err := lease.Check("relay", now.AddDate(1, 0, 0)); !errors.Is(err, pulsetrust.ErrExpired) {
		t.Errorf("in a year: %v", err)
	}
	if err := lease.Check("no_such", now); !errors.Is(err, pulsetrust.ErrCapabilityMissing) {
		t.Errorf("another capability: %v", err)
	}
	if err := lease.CheckHost("HTTPS://" + c.ExpectedHost); err != nil {
		t.Error(err)
	}
	if err := lease.CheckHost("another.example.test"); !errors.Is(err, pulsetrust.ErrHostMismatch) {
		t.Errorf("another host: %v", err)
	}
	capabilities := must[[]string](t)(lease.Capabilities(now))
	for _, capability := range c.Verified.Capabilities {
		if !slices.Contains(capabilities, capability) {
			t.Errorf("%s is missing", capability)
		}
	}
	kind := must[pulsetrust.Kind](t)(lease.Kind())
	at, ok, err := lease.CountsUntil()
	if kind != pulsetrust.KindLease || !ok || err != nil || !at.After(now) {
		t.Errorf("%v %v %v %v", kind, at, ok, err)
	}
	lease.Close()
	lease.Close()
	if err := lease.Check("relay", now); err == nil {
		t.Error("a closed token answers")
	}
}

func TestSignedTokensVerify(t *testing.T) {
	vectors := read[leaseVectors](t, "leases.json")
	c := vectors.Cases[0]
	now := time.Unix(c.Now, 0)
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, ""))
	lease := must[*pulsetrust.Token](t)(pulsetrust.VerifyToken(keys, c.Token, checksFor(""), now))
	claims := must[[]byte](t)(lease.ClaimsJSON())
	key := must[*pulsetrust.SigningKey](t)(pulsetrust.SigningKeyFromBase64(vectors.HostedPrivateKey))
	token := must[string](t)(pulsetrust.SignToken(key, pulsetrust.KindLease, claims, true))
	must[*pulsetrust.Token](t)(pulsetrust.VerifyToken(keys, token, checksFor(c.ExpectedHost), now)).Close()
	inspected, err := pulsetrust.InspectToken(keys, token, checksFor(""), now.AddDate(9, 0, 0))
	if err != nil || inspected.Kind != "lease" {
		t.Errorf("%+v %v", inspected, err)
	}
}

// Many goroutines share one set of keys and one token.
func TestManyGoroutines(t *testing.T) {
	vectors := read[leaseVectors](t, "leases.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, vectors.LicensePublicKey))
	c := vectors.Cases[0]
	now := time.Unix(c.Now, 0)
	shared := must[*pulsetrust.Token](t)(pulsetrust.VerifyToken(keys, c.Token, checksFor(c.ExpectedHost), now))
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 200 {
				lease, err := pulsetrust.VerifyToken(keys, c.Token, checksFor(c.ExpectedHost), now)
				if err != nil {
					t.Error(err)
					return
				}
				if err := errors.Join(lease.Check("relay", now), shared.Check("relay", now)); err != nil {
					t.Error(err)
				}
				if _, err := pulsetrust.VerifyToken(keys, c.Token+"A", checksFor(""), now); err == nil {
					t.Error("a changed token is accepted")
				}
			}
		})
	}
	wait.Wait()
}

// One verifier that many goroutines use while its keys get their tables. How many a second it does, the benches say.
func TestOneVerifierUnderLoad(t *testing.T) {
	const goroutines = 16
	calls := 2000
	if testing.Short() {
		calls = 100
	}
	vectors := read[leaseVectors](t, "leases.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, vectors.LicensePublicKey))
	c := vectors.Cases[0]
	now, checks := time.Unix(c.Now, 0), checksFor(c.ExpectedHost)
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for call := range calls {
				if call%64 == 0 {
					if _, err := pulsetrust.VerifyToken(keys, c.Token, checks, now.AddDate(1, 0, 0)); !errors.Is(err, pulsetrust.ErrExpired) {
						t.Errorf("in a year: %v", err)
						return
					}
					continue
				}
				lease, err := pulsetrust.VerifyToken(keys, c.Token, checks, now)
				if err != nil {
					t.Error(err)
					return
				}
				lease.Close()
			}
		})
	}
	wait.Wait()
}
