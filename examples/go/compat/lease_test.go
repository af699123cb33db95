package compat_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

// leaseClaims is a struct such as the runtime has.
type leaseClaims struct {
	OrgID             string           `json:"org_id"`
	Email             string           `json:"email,omitempty"`
	InstanceHost      string           `json:"instance_host"`
	PlanVersion       string           `json:"plan_version"`
	SubscriptionState string           `json:"subscription_state"`
	Capabilities      []string         `json:"capabilities,omitempty"`
	Limits            map[string]int64 `json:"limits,omitempty"`
	MetersEnabled     []string         `json:"meters_enabled,omitempty"`
	TrialStartedAt    *int64           `json:"trial_started_at,omitempty"`
	TrialEndsAt       *int64           `json:"trial_ends_at,omitempty"`
	registeredClaims
}

// registeredClaims are the claims of jwt.RegisteredClaims, which the runtime embeds.
type registeredClaims struct {
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  audience `json:"aud,omitempty"`
	ExpiresAt int64    `json:"exp,omitempty"`
	NotBefore int64    `json:"nbf,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	ID        string   `json:"jti,omitempty"`
}

// An audience is one string, or an array of them.
type audience []string

func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

type leaseVectors struct {
	HostedPublicKey  string `json:"hosted_public_key"`
	HostedPrivateKey string `json:"hosted_private_key"`
	LicensePublicKey string `json:"license_public_key"`
	Cases            []struct {
		Name         string       `json:"name"`
		Token        string       `json:"token"`
		ExpectedHost string       `json:"expected_host"`
		Now          int64        `json:"now"`
		VerifyError  string       `json:"verify_error"`
		InspectError string       `json:"inspect_error"`
		InspectOurs  *string      `json:"inspect_ours"`
		Stricter     *string      `json:"stricter"`
		Verified     *leaseClaims `json:"verified_claims"`
		Inspected    *leaseClaims `json:"inspected_claims"`
	} `json:"cases"`
}

// What the deployed functions say of each token, these say, but where the vectors name a stricter rule.
func TestLeasesAsTheDeployedFunctionsReadThem(t *testing.T) {
	v := read[leaseVectors](t, "leases.json")
	lease := must[ed25519.PublicKey](t)(compat.DecodePublicKey(v.HostedPublicKey))
	license := must[ed25519.PublicKey](t)(compat.DecodePublicKey(v.LicensePublicKey))
	keys := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(lease, license))
	compared := 0
	for _, c := range v.Cases {
		now := time.Unix(c.Now, 0)
		host, hostErr := compat.HostOfPublicURL(c.ExpectedHost)
		verified, err := compat.VerifyEntitlementLeaseToken[leaseClaims](" "+c.Token+"\n", keys, host, now)
		inspected, inspectErr := compat.ParseEntitlementLeaseToken[leaseClaims](c.Token, keys, host, now)
		if hostErr != nil && (err == nil || inspectErr == nil) {
			t.Errorf("%s: a lease for no host", c.Name)
		}
		if c.VerifyError != "" && err == nil || c.InspectError != "" && inspectErr == nil {
			t.Errorf("%s: laxer than the deployed functions", c.Name)
		}
		if c.Stricter != nil {
			continue
		}
		if c.VerifyError == "" && (err != nil || !reflect.DeepEqual(verified, c.Verified)) {
			t.Errorf("%s: verified %+v %v\ndeployed %+v", c.Name, verified, err, c.Verified)
		}
		if c.InspectError == "" && c.InspectOurs == nil && (inspectErr != nil || !reflect.DeepEqual(inspected, c.Inspected)) {
			t.Errorf("%s: parsed %+v %v\ndeployed %+v", c.Name, inspected, inspectErr, c.Inspected)
		}
		compared++
	}
	if compared < 30 {
		t.Errorf("only %d leases were compared", compared)
	}
}

func TestSignedLeasesVerify(t *testing.T) {
	v := read[leaseVectors](t, "leases.json")
	private := must[[]byte](t)(base64.StdEncoding.DecodeString(v.HostedPrivateKey))
	keys := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(must[ed25519.PublicKey](t)(compat.DecodePublicKey(v.HostedPublicKey)), nil))
	now := time.Unix(1_800_000_000, 0)
	ends := now.Unix() + 3600
	for name, c := range map[string]struct {
		claims  leaseClaims
		expires int64
	}{
		"paid":  {leaseClaims{OrgID: "default", InstanceHost: "T-1.example.test", SubscriptionState: "active"}, now.AddDate(0, 0, 14).Unix()},
		"trial": {leaseClaims{OrgID: "default", InstanceHost: "t-1.example.test", SubscriptionState: "trial", TrialEndsAt: &ends}, ends},
	} {
		token := must[string](t)(compat.SignEntitlementLeaseToken(private, c.claims, now))
		claims := must[*leaseClaims](t)(compat.VerifyEntitlementLeaseToken[leaseClaims](token, keys, hostOf(t, "t-1.example.test"), now))
		if claims.ExpiresAt != c.expires || claims.InstanceHost != "t-1.example.test" {
			t.Errorf("%s: %+v", name, claims)
		}
		_, err := compat.VerifyEntitlementLeaseToken[leaseClaims](token, keys, hostOf(t, "t-2.example.test"), now)
		if !errors.Is(err, pulsetrust.ErrHostMismatch) {
			t.Errorf("%s for another host: %v", name, err)
		}
	}
	if _, err := compat.SignEntitlementLeaseToken(private, leaseClaims{InstanceHost: "t-1.example.test"}, now); !errors.Is(err, pulsetrust.ErrOrgMissing) {
		t.Errorf("no organization: %v", err)
	}
	if _, err := compat.SignEntitlementLeaseToken(private, leaseClaims{OrgID: "default"}, now); err == nil {
		t.Error("a lease without a host is signed")
	}
	if _, err := compat.SignEntitlementLeaseToken(private[:20], leaseClaims{OrgID: "default", InstanceHost: "t-1.example.test"}, now); !errors.Is(err, pulsetrust.ErrKeyEncoding) {
		t.Errorf("a short key: %v", err)
	}
}

func TestPublicKeysAsDeployed(t *testing.T) {
	type vectors struct {
		Public []struct {
			In    string  `json:"in"`
			Hex   string  `json:"hex"`
			Error bool    `json:"error"`
			Ours  *string `json:"ours"`
		} `json:"public"`
		LogFingerprint struct {
			Fingerprint string `json:"fingerprint"`
			PublicKey   string `json:"public_key"`
		} `json:"log_fingerprint"`
	}
	v := read[vectors](t, "keys.json")
	for _, c := range v.Public {
		key, err := compat.DecodePublicKey(c.In)
		if c.Error && err == nil || !c.Error && c.Ours == nil && (err != nil || hex.EncodeToString(key) != c.Hex) {
			t.Errorf("%q: %x %v", c.In, key, err)
		}
	}
	key := must[ed25519.PublicKey](t)(compat.DecodePublicKey(v.LogFingerprint.PublicKey))
	if fingerprint := compat.PublicKeyFingerprint(key); fingerprint != v.LogFingerprint.Fingerprint {
		t.Error(fingerprint)
	}
	if fingerprint := compat.PublicKeyFingerprint(nil); fingerprint != "" {
		t.Errorf("no key: %s", fingerprint)
	}
}
