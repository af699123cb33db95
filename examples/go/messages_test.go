package pulsetrust_test

import (
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// Both engines say the same to the letter: this test runs on each, and the texts that hold something from outside are
// the ones that could differ, as the WebAssembly is built without Rust's Debug output.
func TestMessagesToTheLetter(t *testing.T) {
	vectors := read[leaseVectors](t, "leases.json")
	c := vectors.Cases[0]
	now := time.Unix(c.Now, 0)
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, ""))
	lease := func(change ...string) string {
		claims := must[[]byte](t)(must[*pulsetrust.Token](t)(pulsetrust.VerifyToken(keys, c.Token, checksFor(""), now)).ClaimsJSON())
		key := must[*pulsetrust.SigningKey](t)(pulsetrust.SigningKeyFromBase64(vectors.HostedPrivateKey))
		changed := strings.NewReplacer(change...).Replace(string(claims))
		return must[string](t)(pulsetrust.SignToken(key, pulsetrust.KindLease, []byte(changed), false))
	}
	host := c.ExpectedHost
	for expected, call := range map[string]func() error{
		`organization: expected "\u{fc}\"", received "default" (305 ORG_MISMATCH)`: func() error {
			checks := pulsetrust.LeaseChecks{Host: pulsetrust.RequireHost(host), Org: "ü\""}
			_, err := pulsetrust.VerifyToken(keys, lease(), checks, now)
			return err
		},
		`host: expected other.example.test, the lease is for ` + host + ` (308 HOST_MISMATCH)`: func() error {
			_, err := pulsetrust.VerifyToken(keys, lease(), checksFor("other.example.test"), now)
			return err
		},
		`the lease is in state "suspended", which grants nothing beyond the free plan (311 SUBSCRIPTION_INACTIVE)`: func() error {
			suspended := lease(`"subscription_state":"active"`, `"subscription_state":"suspended"`)
			return must[*pulsetrust.Token](t)(pulsetrust.VerifyToken(keys, suspended, checksFor(""), now)).Check("relay", now)
		},
		`clock leeway of 301000 ms, at most 300000 ms are allowed (310 LEEWAY_TOO_LARGE)`: func() error {
			checks := pulsetrust.LeaseChecks{Host: pulsetrust.AnyHost(), Leeway: 301 * time.Second}
			_, err := pulsetrust.VerifyToken(keys, lease(), checks, now)
			return err
		},
		`pairing code: expected schema pulse-mobile-onboarding-v1, received "v\"2" (604 PAIRING_SCHEMA)`: func() error {
			_, err := pulsetrust.ParsePairingCode("pulse://connect?auth_token=t&instance_id=relay_2e1b0929e6fd7c52" +
				"&relay_url=wss%3A%2F%2Frelay.example.test%2Fws%2Fapp&schema=v%222")
			return err
		},
		`frame version: expected 1, received 2 (501 FRAME_VERSION)`: func() error {
			_, err := pulsetrust.DecodeFrame([]byte{2, 1, 0, 0, 0, 0})
			return err
		},
	} {
		if err := call(); err == nil || err.Error() != expected {
			t.Errorf("%v\nexpected %s", err, expected)
		}
	}

	config := pulsetrust.RelayConfig{ServerURL: "wss://relay.example.test/ws/instance"}
	_, warnings, err := config.WithEnvironment("ja\t", "")
	if err != nil || len(warnings) != 1 || !strings.HasSuffix(warnings[0], `received "ja"`) {
		t.Errorf("%q %v", warnings, err)
	}
}
