package pulsetrust_test

import (
	"errors"
	"math"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A leeway was cut to 32 bits of seconds before it was looked at.
func TestALeewayIsBetweenZeroAndFiveMinutes(t *testing.T) {
	vectors := read[leaseVectors](t, "leases.json")
	c := vectors.Cases[0]
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, ""))
	verify := func(leeway time.Duration) error {
		_, err := pulsetrust.VerifyToken(keys, c.Token, pulsetrust.LeaseChecks{Host: pulsetrust.AnyHost(), Leeway: leeway}, time.Unix(c.Now, 0))
		return err
	}
	admit := func(leeway time.Duration) error {
		_, err := pulsetrust.NewAdmission(keys, leeway)
		return err
	}
	for _, takes := range []func(time.Duration) error{verify, admit} {
		for _, leeway := range []time.Duration{0, 1, 1500 * time.Millisecond, 5 * time.Minute} {
			if err := takes(leeway); err != nil {
				t.Errorf("%s: %v", leeway, err)
			}
		}
		for leeway, code := range map[time.Duration]pulsetrust.Code{
			5*time.Minute + 1: pulsetrust.ErrLeewayTooLarge, (1 << 32) * time.Second: pulsetrust.ErrLeewayTooLarge,
			(1<<32 + 60) * time.Second: pulsetrust.ErrLeewayTooLarge, math.MaxInt64: pulsetrust.ErrLeewayTooLarge,
			-1: pulsetrust.ErrInvalidArgument, -time.Hour: pulsetrust.ErrInvalidArgument, math.MinInt64: pulsetrust.ErrInvalidArgument,
		} {
			if err := takes(leeway); !errors.Is(err, code) {
				t.Errorf("%s: %v, expected %s", leeway, err, code.Name())
			}
		}
	}
	const expected = "clock leeway of 9223372036855 ms, at most 300000 ms are allowed (310 LEEWAY_TOO_LARGE)"
	if err := verify(math.MaxInt64); err == nil || err.Error() != expected {
		t.Errorf("%v, expected %s", err, expected)
	}
}

// The time that is allowed is whole seconds: a part of one is dropped.
func TestAPartOfASecondOfLeewayIsDropped(t *testing.T) {
	key := must[*pulsetrust.SigningKey](t)(pulsetrust.GenerateSigningKey())
	const claims = `{"org_id":"default","instance_host":"t-abc.cloud.example.test","subscription_state":"active","capabilities":["relay"],"exp":4102444800}`
	lease := must[string](t)(pulsetrust.SignToken(key, pulsetrust.KindLease, []byte(claims), false))
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(must[string](t)(key.PublicKey()), ""))
	for leeway, isEnough := range map[time.Duration]bool{1999 * time.Millisecond: false, 2 * time.Second: true} {
		checks := pulsetrust.LeaseChecks{Host: pulsetrust.AnyHost(), Leeway: leeway}
		if _, err := pulsetrust.VerifyToken(keys, lease, checks, time.Unix(4102444801, 0)); (err == nil) != isEnough {
			t.Errorf("%s: %v", leeway, err)
		}
	}
}
