package pulsetrust_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// Each kind of revocation refuses what it names, and nothing else.
func TestEveryRevocationRefusesWhatItNames(t *testing.T) {
	now := time.Unix(1_774_440_000, 0)
	key := must[*pulsetrust.SigningKey](t)(pulsetrust.GenerateSigningKey())
	defer key.Close()
	public := must[string](t)(key.PublicKey())
	names := must[pulsetrust.PublicKeyNames](t)(pulsetrust.DescribePublicKey(public))
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(public, public))
	defer keys.Close()
	sign := func(kind pulsetrust.Kind, claims map[string]any) string {
		return must[string](t)(pulsetrust.SignToken(key, kind, must[[]byte](t)(json.Marshal(claims)), false))
	}
	lease := sign(pulsetrust.KindLease, map[string]any{
		"iss": "pulse-pro-entitlement-lease", "aud": "pulse-pro-entitlement-cache", "org_id": "default",
		"instance_host": "t-abc.example.test", "plan_version": "cloud_starter", "subscription_state": "active",
		"capabilities": []string{"relay"}, "exp": now.Unix() + 60, "jti": "lease-1",
	})
	grant := sign(pulsetrust.KindGrant, map[string]any{
		"lid": "lic_1", "iid": "inst_1", "lv": 2, "st": "active", "tier": "pro", "exp": now.Unix() + 60, "jti": "grant-1",
	})
	host := must[string](t)(pulsetrust.InstanceIDOfHost("t-abc.example.test"))
	by := func(what pulsetrust.Revocation, id string) func(*pulsetrust.Admission) error {
		return func(a *pulsetrust.Admission) error { return a.Revoke(what, id) }
	}
	below := func(version int64) func(*pulsetrust.Admission) error {
		return func(a *pulsetrust.Admission) error { return a.RevokeLicenseBelow("lic_1", version) }
	}
	for name, of := range map[string]struct {
		revoke       func(*pulsetrust.Admission) error
		lease, grant bool // whether it is refused
	}{
		"a license":                  {by(pulsetrust.RevokeLicense, "lic_1"), false, true},
		"an installation":            {by(pulsetrust.RevokeInstallation, "inst_1"), false, true},
		"the lease's id":             {by(pulsetrust.RevokeToken, "lease-1"), true, false},
		"the grant's id":             {by(pulsetrust.RevokeToken, "grant-1"), false, true},
		"a host in another spelling": {by(pulsetrust.RevokeHost, "https://T-ABC.example.test:443/x"), true, false},
		"an instance":                {by(pulsetrust.RevokeInstance, host), true, false},
		"the signing key":            {by(pulsetrust.RevokeSigningKey, names.KeyID), true, true},
		"versions below 3":           {below(3), false, true},
		"versions below 2":           {below(2), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			admission := must[*pulsetrust.Admission](t)(pulsetrust.NewAdmission(keys, 0))
			defer admission.Close()
			for _, token := range []string{lease, grant} {
				if _, err := admission.Admit(token, "secret", now); err != nil {
					t.Fatal(err)
				}
			}
			if err := of.revoke(admission); err != nil {
				t.Fatal(err)
			}
			for token, refused := range map[string]bool{lease: of.lease, grant: of.grant} {
				_, err := admission.Admit(token, "secret", now)
				var refusal *pulsetrust.Error
				if isRevoked := errors.As(err, &refusal) && refusal.Code == pulsetrust.ErrRevoked; isRevoked != refused {
					t.Errorf("refused: %v, expected %v", err, refused)
				}
			}
		})
	}
	admission := must[*pulsetrust.Admission](t)(pulsetrust.NewAdmission(keys, 0))
	defer admission.Close()
	for what, id := range map[pulsetrust.Revocation]string{
		pulsetrust.RevokeHost: "no host", pulsetrust.RevokeInstance: "no id", 99: "x", pulsetrust.RevokeLicense: "",
		pulsetrust.RevokeInstallation: "", pulsetrust.RevokeToken: "", pulsetrust.RevokeSigningKey: strings.ToUpper(names.KeyID),
	} {
		if err := admission.Revoke(what, id); err == nil {
			t.Errorf("revoked %d %q", what, id)
		}
	}
	if err := admission.RevokeLicenseBelow("", 3); err == nil {
		t.Error("revoked versions of no license")
	}
}
