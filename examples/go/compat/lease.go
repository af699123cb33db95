package compat

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

const (
	leaseIssuer   = "pulse-pro-entitlement-lease"
	leaseAudience = "pulse-pro-entitlement-cache"
	leaseDays     = 14 // of a lease that names no expiry
)

// DecodePublicKey is pkg/licensing.DecodePublicKey: base64, standard or URL-safe, of a public key.
func DecodePublicKey(encoded string) (ed25519.PublicKey, error) {
	names, err := pulsetrust.DescribePublicKey(encoded)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(names.PublicKey)
}

// PublicKeyFingerprint is pkg/licensing.PublicKeyFingerprint, for logs: SHA256:... It is empty if key is not a key.
func PublicKeyFingerprint(key ed25519.PublicKey) string {
	names, err := pulsetrust.DescribePublicKey(base64.StdEncoding.EncodeToString(key))
	if err != nil {
		return ""
	}
	return names.LogFingerprint
}

// SignEntitlementLeaseToken is pkg/licensing.SignEntitlementLeaseToken: a missing issuer, audience, issue time or expiry
// gets the usual value, and the host is written in its normal form. Claims that the library does not know are not signed.
func SignEntitlementLeaseToken(privateKey ed25519.PrivateKey, claims any, now time.Time) (string, error) {
	if now.IsZero() {
		return "", refused("the time is the zero time.Time: expected a time such as time.Now()")
	}
	text, err := marshal(claims)
	if err != nil {
		return "", err
	}
	var members map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber() // times stay integers
	if err := decoder.Decode(&members); err != nil {
		return "", err
	}
	if members == nil {
		return "", refused("the claims are nil: expected a struct or a map of claims")
	}
	org, _ := members["org_id"].(string)
	if members["org_id"] = strings.TrimSpace(org); members["org_id"] == "" {
		return "", ErrLeaseOrgIDMissing
	}
	host, _ := members["instance_host"].(string)
	if strings.TrimSpace(host) == "" {
		return "", ErrLeaseInstanceMissing
	}
	normalized, err := NormalizeHost(host)
	if err != nil {
		return "", err
	}
	members["instance_host"] = normalized.name
	if issuer, _ := members["iss"].(string); strings.TrimSpace(issuer) == "" {
		members["iss"] = leaseIssuer
	}
	if members["aud"] == nil {
		members["aud"] = []string{leaseAudience}
	}
	if members["iat"] == nil {
		members["iat"] = now.Unix()
	}
	if members["exp"] == nil {
		members["exp"] = now.AddDate(0, 0, leaseDays).Unix()
		if ends := members["trial_ends_at"]; ends != nil {
			members["exp"] = ends
		}
	}
	if text, err = marshal(members); err != nil {
		return "", err
	}
	if len(privateKey) != ed25519.PrivateKeySize {
		return "", ErrLeasePrivateKey
	}
	key, err := pulsetrust.SigningKeyFromBase64(base64.StdEncoding.EncodeToString(privateKey))
	if err != nil {
		return "", sentinel(err, ErrLeasePrivateKey)
	}
	defer key.Close()
	token, err := pulsetrust.SignToken(key, pulsetrust.KindLease, text, false)
	return token, contextOf("sign entitlement lease token", err)
}

// VerifyEntitlementLeaseToken is pkg/licensing.VerifyEntitlementLeaseToken: signature, issuer, audience, term and host.
// Where the deployed function takes "" for any host, this one takes [AnyHost], and no lease matches the zero [Host].
func VerifyEntitlementLeaseToken[Claims any](token string, keys *pulsetrust.TrustKeys, expected Host, now time.Time) (*Claims, error) {
	lease, err := pulsetrust.VerifyToken(keys, strings.TrimSpace(token), expected.checks(), now)
	if err != nil {
		return nil, leaseError(err)
	}
	defer lease.Close()
	kind, err := lease.Kind()
	if err != nil {
		return nil, err
	}
	if kind != pulsetrust.KindLease {
		return nil, notALease(kind.String())
	}
	text, err := lease.ClaimsJSON()
	if err != nil {
		return nil, err
	}
	return decode[Claims](text)
}

// ParseEntitlementLeaseToken is pkg/licensing.ParseEntitlementLeaseToken: the same without the term, for display. Its
// result must not be used where a verified lease is required.
func ParseEntitlementLeaseToken[Claims any](token string, keys *pulsetrust.TrustKeys, expected Host, now time.Time) (*Claims, error) {
	inspected, err := pulsetrust.InspectToken(keys, strings.TrimSpace(token), expected.checks(), now)
	if err != nil {
		return nil, leaseError(err)
	}
	if inspected.Kind != "lease" {
		return nil, notALease(inspected.Kind)
	}
	return decode[Claims](inspected.Claims)
}

func leaseError(err error) error {
	return sentinel(err, ErrHostMismatch, ErrLeaseOrgIDMissing, ErrLeaseInstanceMissing)
}

func notALease(kind string) error {
	return &pulsetrust.Error{Code: pulsetrust.ErrTokenKind, Message: "expected a lease, received a " + kind}
}

func decode[T any](text []byte) (*T, error) {
	value := new(T)
	if err := json.Unmarshal(text, value); err != nil {
		return nil, fmt.Errorf("into %T: %w", value, err)
	}
	return value, nil
}
