package jwt

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

type leaseClaims struct {
	OrgID             string           `json:"org_id"`
	Email             string           `json:"email"`
	InstanceHost      string           `json:"instance_host"`
	PlanVersion       string           `json:"plan_version"`
	SubscriptionState string           `json:"subscription_state"`
	Capabilities      []string         `json:"capabilities"`
	Limits            map[string]int64 `json:"limits"`
	jwt.RegisteredClaims
}

type lease struct {
	key   string
	Token string `json:"token"`
	Host  string `json:"expected_host"`
	Now   int64  `json:"now"`
}

// firstLease is a lease that the deployed control plane signed.
func firstLease(t testing.TB) lease {
	t.Helper()
	text, err := os.ReadFile("../../../../tests/vectors/deployed/leases.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Key   string  `json:"hosted_public_key"`
		Cases []lease `json:"cases"`
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	first := vectors.Cases[0]
	first.key = vectors.Key
	return first
}

func pulseTrust(t testing.TB, lease lease) func() error {
	keys, err := pulsetrust.NewTrustKeys(lease.key, "")
	if err != nil {
		t.Fatal(err)
	}
	if keys, err = keys.WithTables(pulsetrust.TablesLarge); err != nil {
		t.Fatal(err)
	}
	checks := pulsetrust.LeaseChecks{Host: pulsetrust.RequireHost(lease.Host)}
	return func() error {
		verified, err := pulsetrust.VerifyToken(keys, lease.Token, checks, time.Unix(lease.Now, 0))
		if err == nil {
			verified.Close()
		}
		return err
	}
}

func golangJWT(t testing.TB, lease lease) func() error {
	public, err := base64.StdEncoding.DecodeString(lease.key)
	if err != nil {
		t.Fatal(err)
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer("pulse-pro-entitlement-lease"),
		jwt.WithAudience("pulse-pro-entitlement-cache"), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return time.Unix(lease.Now, 0) }))
	return func() error {
		var claims leaseClaims
		_, err := parser.ParseWithClaims(lease.Token, &claims, func(*jwt.Token) (any, error) { return ed25519.PublicKey(public), nil })
		if err == nil && claims.InstanceHost != lease.Host {
			return jwt.ErrTokenInvalidClaims
		}
		return err
	}
}

// What is measured accepts the lease, and refuses it past its expiry.
func TestBothVerify(t *testing.T) {
	valid, expired := firstLease(t), firstLease(t)
	expired.Now += 365 * 24 * 3600
	for name, verifier := range map[string]func(testing.TB, lease) func() error{"pulsetrust": pulseTrust, "golang-jwt": golangJWT} {
		if err := verifier(t, valid)(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if verifier(t, expired)() == nil {
			t.Errorf("%s: accepted a lease past its expiry", name)
		}
	}
}

func BenchmarkLeasePulseTrust(b *testing.B) { measure(b, pulseTrust(b, firstLease(b))) }

func BenchmarkLeaseGolangJWT(b *testing.B) { measure(b, golangJWT(b, firstLease(b))) }

func measure(b *testing.B, verify func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := verify(); err != nil {
			b.Fatal(err)
		}
	}
}
