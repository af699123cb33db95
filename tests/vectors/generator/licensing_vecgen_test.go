package licensing

// Writes what this package resolves for tokens made with throw-away keys. Copied into a scratch checkout by generate.sh.

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func vecSeedKey(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("pulse-trust throw-away test key " + os.Getenv("VEC_SEED") + ": " + name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func vecPub(k ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
}

func vecWrite(t *testing.T, name string, v any) {
	t.Helper()
	out := os.Getenv("VEC_OUT")
	if out == "" {
		t.Skip("VEC_OUT not set")
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, name), append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func vecRaw(t *testing.T, key ed25519.PrivateKey, header, payload string) string {
	t.Helper()
	in := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return in + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(in)))
}

func vecClass(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, jwt.ErrTokenExpired):
		return "expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return "not_yet_valid"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, ErrSignatureInvalid):
		return "signature"
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return "issuer"
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "audience"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "claim_missing"
	case errors.Is(err, ErrHostedEntitlementHostMismatch):
		return "host_mismatch"
	case errors.Is(err, ErrEntitlementLeaseOrgIDMissing):
		return "org_missing"
	case errors.Is(err, ErrEntitlementLeaseInstanceMissing):
		return "host_missing"
	case errors.Is(err, ErrExpiredLicense):
		return "expired_past_grace"
	case errors.Is(err, ErrMalformedLicense):
		return "malformed"
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "malformed"
	case errors.Is(err, jwt.ErrTokenUnverifiable):
		return "provider_chain"
	default:
		return "other: " + err.Error()
	}
}

type vecResolved struct {
	SubscriptionState string           `json:"subscription_state"`
	PlanVersion       string           `json:"plan_version"`
	Capabilities      []string         `json:"capabilities"`
	Limits            map[string]int64 `json:"limits"`
}

type vecLease struct {
	Name         string          `json:"name"`
	Stricter     string          `json:"stricter,omitempty"`
	Token        string          `json:"token"`
	ExpectedHost string          `json:"expected_host"`
	Now          int64           `json:"now"`
	Verify       string          `json:"verify_error"`
	Claims       json.RawMessage `json:"verified_claims,omitempty"`
	Inspect      string          `json:"inspect_error"`
	Inspected    json.RawMessage `json:"inspected_claims,omitempty"`
	Resolved     vecResolved     `json:"resolved_billing_state"`
	GrantsRelay  bool            `json:"grants_relay"`
	InspectOurs  string          `json:"inspect_ours,omitempty"`
	ResolvedOurs string          `json:"resolved_ours,omitempty"`
}

func TestVecgenLeases(t *testing.T) {
	hosted, attacker, licenseKey, provider := vecSeedKey("hosted lease"), vecSeedKey("attacker"), vecSeedKey("license"), vecSeedKey("provider")
	now := time.Date(2026, 3, 25, 12, 0, 0, 0, time.UTC)
	n := now.Unix()
	host := "t-vec0000001.cloud.example.test"
	t.Setenv(HostedEntitlementPublicKeyEnvVar, vecPub(hosted))
	SetPublicKey(licenseKey.Public().(ed25519.PublicKey))
	t.Cleanup(func() { SetPublicKey(nil) })

	paid := func(mod func(*EntitlementLeaseClaims)) EntitlementLeaseClaims {
		c := EntitlementLeaseClaims{
			OrgID: "default", Email: "owner@example.test", InstanceHost: host, PlanVersion: "cloud_starter",
			SubscriptionState: SubStateActive, Capabilities: DeriveCapabilitiesFromTier(TierCloud, nil),
			Limits: map[string]int64{}, MetersEnabled: []string{},
			RegisteredClaims: jwt.RegisteredClaims{IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(24 * time.Hour))},
		}
		if mod != nil {
			mod(&c)
		}
		return c
	}
	sign := func(key ed25519.PrivateKey, c EntitlementLeaseClaims) string {
		tok, err := SignEntitlementLeaseToken(key, c)
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	lic := func(key ed25519.PrivateKey, m map[string]any) string {
		b, _ := json.Marshal(m)
		return vecRaw(t, key, `{"alg":"EdDSA","typ":"JWT"}`, string(b))
	}
	providerLicense := lic(licenseKey, map[string]any{"lid": "lic_msp_1", "email": "msp@example.test", "tier": "msp", "iat": n, "exp": int64(4102444800), "entitlement_signing_public_key": vecPub(provider)})
	proLicense := lic(licenseKey, map[string]any{"lid": "lic_pro_1", "email": "pro@example.test", "tier": "pro", "iat": n, "exp": int64(4102444800), "entitlement_signing_public_key": vecPub(provider)})
	noKeyLicense := lic(licenseKey, map[string]any{"lid": "lic_msp_2", "email": "msp@example.test", "tier": "msp", "iat": n, "exp": int64(4102444800)})
	forgedLicense := lic(attacker, map[string]any{"lid": "lic_msp_1", "email": "msp@example.test", "tier": "msp", "iat": n, "exp": int64(4102444800), "entitlement_signing_public_key": vecPub(attacker)})

	i64 := func(v int64) *int64 { return &v }
	raw := func(payload string) string { return vecRaw(t, hosted, `{"alg":"EdDSA","typ":"JWT"}`, payload) }
	base := `"org_id":"default","instance_host":"` + host + `","plan_version":"cloud_starter","subscription_state":"active","capabilities":["relay"],"iss":"pulse-pro-entitlement-lease"`
	tail := `,"exp":` + jsonInt(n+86400) + `,"iat":` + jsonInt(n) + `}`
	aud := `,"aud":["pulse-pro-entitlement-cache"]`

	cases := []vecLease{
		{Name: "paid-cloud", Token: sign(hosted, paid(nil)), ExpectedHost: host, Now: n},
		{Name: "paid-cloud-no-expected-host", Token: sign(hosted, paid(nil)), Now: n},
		{Name: "host-spelled-as-url", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.InstanceHost = "https://T-VEC0000001.cloud.example.test:443/x" })), ExpectedHost: "T-vec0000001.Cloud.example.test:8443", Now: n},
		{Name: "another-host", Token: sign(hosted, paid(nil)), ExpectedHost: "t-vec0000002.cloud.example.test", Now: n},
		{Name: "one-second-before-expiry", Token: sign(hosted, paid(nil)), ExpectedHost: host, Now: n + 86399},
		{Name: "at-expiry", Token: sign(hosted, paid(nil)), ExpectedHost: host, Now: n + 86400},
		{Name: "one-second-after-expiry", Token: sign(hosted, paid(nil)), ExpectedHost: host, Now: n + 86401},
		{Name: "issued-in-the-future", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.IssuedAt = jwt.NewNumericDate(now.Add(time.Hour)) })), ExpectedHost: host, Now: n},
		{Name: "not-before-at-now", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.NotBefore = jwt.NewNumericDate(now) })), ExpectedHost: host, Now: n},
		{Name: "not-before-one-second-ahead", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.NotBefore = jwt.NewNumericDate(now.Add(time.Second)) })), ExpectedHost: host, Now: n},
		{Name: "trial-running", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) {
			c.SubscriptionState = SubStateTrial
			c.PlanVersion = "trial"
			c.TrialStartedAt = i64(n - 86400)
			c.TrialEndsAt = i64(n + 13*86400)
			c.ExpiresAt = jwt.NewNumericDate(now.Add(13 * 24 * time.Hour))
			c.Subject = "trial_req_1"
		})), ExpectedHost: host, Now: n},
		{Name: "trial-ended-lease-not-expired", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) {
			c.SubscriptionState = SubStateTrial
			c.TrialEndsAt = i64(n - 1)
		})), ExpectedHost: host, Now: n},
		{Name: "trial-ends-now", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) {
			c.SubscriptionState = SubStateTrial
			c.TrialEndsAt = i64(n)
		})), ExpectedHost: host, Now: n},
		{Name: "trial-without-end", Stricter: "a trial without an end grants nothing (it verifies)", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.SubscriptionState = SubStateTrial })), ExpectedHost: host, Now: n},
		{Name: "state-grace", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.SubscriptionState = SubStateGrace })), ExpectedHost: host, Now: n},
		{Name: "state-suspended", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.SubscriptionState = SubStateSuspended; c.Capabilities = nil })), ExpectedHost: host, Now: n},
		{Name: "state-canceled-with-capabilities", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.SubscriptionState = SubStateCanceled })), ExpectedHost: host, Now: n},
		{Name: "msp-hosted", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) {
			c.PlanVersion = "MSP-hosted-v1"
			c.Capabilities = DeriveCapabilitiesFromTier(TierMSP, []string{FeatureWhiteLabel})
		})), ExpectedHost: host, Now: n},
		{Name: "limits-are-scrubbed", Token: raw(`{` + base + `,"limits":{"max_monitored_systems":5,"max_agents":1,"max_nodes":2,"max_guests":7,"max_users":3,"other":-9}` + aud + tail), ExpectedHost: host, Now: n},
		{Name: "limits-of-a-self-hosted-plan", Token: raw(strings.Replace(`{`+base, "cloud_starter", " Pro ", 1) + `,"limits":{"max_guests":7,"max_users":3}` + aud + tail), ExpectedHost: host, Now: n},
		{Name: "unknown-claims-are-ignored", Token: raw(`{` + base + `,"x_future":{"a":[1,2,{"b":null}]}` + aud + tail), ExpectedHost: host, Now: n},
		{Name: "org-and-host-with-spaces", Token: raw(strings.Replace(strings.Replace(`{`+base, `"default"`, `"  default  "`, 1), host, "  "+strings.ToUpper(host)+"  ", 1) + aud + tail), ExpectedHost: host, Now: n},
		{Name: "no-optional-claims", Token: raw(`{"org_id":"default","instance_host":"` + host + `","plan_version":"","subscription_state":"active","iss":"pulse-pro-entitlement-lease"` + aud + tail), ExpectedHost: host, Now: n},
		{Name: "org-empty", Token: raw(strings.Replace(`{`+base, `"default"`, `" "`, 1) + aud + tail), ExpectedHost: host, Now: n},
		{Name: "host-empty", Token: raw(strings.Replace(`{`+base, host, "", 1) + aud + tail), ExpectedHost: host, Now: n},
		{Name: "audience-as-string", Token: raw(`{` + base + `,"aud":"pulse-pro-entitlement-cache"` + tail), ExpectedHost: host, Now: n},
		{Name: "audience-of-another", Token: raw(`{` + base + `,"aud":["someone-else"]` + tail), ExpectedHost: host, Now: n},
		{Name: "audience-missing", Token: raw(`{` + base + tail), ExpectedHost: host, Now: n},
		{Name: "audience-with-others", Stricter: "the audience must stand alone", Token: raw(`{` + base + `,"aud":["someone-else","pulse-pro-entitlement-cache"]` + tail), ExpectedHost: host, Now: n},
		{Name: "issuer-of-another", Token: raw(strings.Replace(`{`+base, "pulse-pro-entitlement-lease", "pulse-pro-trial-signup", 1) + aud + tail), ExpectedHost: host, Now: n},
		{Name: "expiry-missing", Stricter: "an expiry is required", Token: raw(`{` + base + aud + `,"iat":` + jsonInt(n) + `}`), ExpectedHost: host, Now: n},
		{Name: "expiry-with-fraction", Stricter: "times are integers", Token: raw(`{` + base + aud + `,"exp":` + jsonInt(n+100) + `.5,"iat":` + jsonInt(n) + `}`), ExpectedHost: host, Now: n},
		{Name: "claim-names-in-other-case", Stricter: "claim names are exact", Token: raw(strings.Replace(`{`+base, `"org_id"`, `"ORG_ID"`, 1) + aud + tail), ExpectedHost: host, Now: n},
		{Name: "claim-twice", Stricter: "no claim twice", Token: raw(`{"instance_host":"t-other.cloud.example.test",` + base + aud + tail), ExpectedHost: host, Now: n},
		{Name: "header-member-unknown", Stricter: "header members are alg, typ, kid", Token: vecRaw(t, hosted, `{"alg":"EdDSA","typ":"JWT","x":1}`, `{`+base+aud+tail), ExpectedHost: host, Now: n},
		{Name: "header-typ-lower-case", Token: vecRaw(t, hosted, `{"alg":"EdDSA","typ":"jwt"}`, `{`+base+aud+tail), ExpectedHost: host, Now: n},
		{Name: "header-without-typ", Token: vecRaw(t, hosted, `{"alg":"EdDSA"}`, `{`+base+aud+tail), ExpectedHost: host, Now: n},
		{Name: "header-alg-none", Token: vecRaw(t, hosted, `{"alg":"none","typ":"JWT"}`, `{`+base+aud+tail), ExpectedHost: host, Now: n},
		{Name: "header-alg-hs256", Token: vecRaw(t, hosted, `{"alg":"HS256","typ":"JWT"}`, `{`+base+aud+tail), ExpectedHost: host, Now: n},
		{Name: "signed-by-another-key", Token: sign(attacker, paid(nil)), ExpectedHost: host, Now: n},
		{Name: "signed-by-the-license-key", Token: sign(licenseKey, paid(nil)), ExpectedHost: host, Now: n},
		{Name: "provider-chain", Token: sign(provider, paid(func(c *EntitlementLeaseClaims) {
			c.ProviderLicense = providerLicense
			c.PlanVersion = "msp_starter"
			c.Capabilities = DeriveCapabilitiesFromTier(TierEnterprise, nil)
		})), ExpectedHost: host, Now: n},
		{Name: "provider-chain-signed-by-hosted-key", Token: sign(hosted, paid(func(c *EntitlementLeaseClaims) { c.ProviderLicense = providerLicense })), ExpectedHost: host, Now: n},
		{Name: "provider-license-of-another-tier", Token: sign(provider, paid(func(c *EntitlementLeaseClaims) { c.ProviderLicense = proLicense })), ExpectedHost: host, Now: n},
		{Name: "provider-license-without-key", Token: sign(provider, paid(func(c *EntitlementLeaseClaims) { c.ProviderLicense = noKeyLicense })), ExpectedHost: host, Now: n},
		{Name: "provider-license-forged", Token: sign(attacker, paid(func(c *EntitlementLeaseClaims) { c.ProviderLicense = forgedLicense })), ExpectedHost: host, Now: n},
		{Name: "provider-lease-without-license", Token: sign(provider, paid(nil)), ExpectedHost: host, Now: n},
	}
	pub := hosted.Public().(ed25519.PublicKey)
	for i := range cases {
		c := &cases[i]
		at := time.Unix(c.Now, 0).UTC()
		if claims, err := VerifyEntitlementLeaseToken(c.Token, pub, c.ExpectedHost, at); err != nil {
			c.Verify = vecClass(err)
		} else {
			c.Claims, _ = json.Marshal(claims)
		}
		if claims, err := ParseEntitlementLeaseToken(c.Token, pub, c.ExpectedHost); err != nil {
			c.Inspect = vecClass(err)
		} else {
			c.Inspected, _ = json.Marshal(claims)
		}
		r := ResolveEntitlementLeaseBillingState(BillingState{EntitlementJWT: c.Token}, c.ExpectedHost, at)
		c.Resolved = vecResolved{string(r.SubscriptionState), r.PlanVersion, r.Capabilities, r.Limits}
		c.GrantsRelay = subscriptionStateHasPaidFeatures(r.SubscriptionState) && slices.Contains(r.Capabilities, FeatureRelay)
		if c.Inspect == "" && (c.Verify == "audience" || c.Verify == "claim_missing" || c.Verify == "issuer") {
			c.InspectOurs = "refused: issuer and audience are checked when a lease is inspected too"
			c.ResolvedOurs = "plan and state empty, as after a bad signature"
		}
	}
	vecWrite(t, "leases.json", map[string]any{
		"about":              "Hosted leases and what the deployed runtime reads from them. verify_error/inspect_error: empty means accepted. grants_relay: whether it then lets the relay feature run. A case with 'stricter' is accepted there and refused here, on verify and inspect (or grants nothing beyond free, where it says so), for that reason; inspect_ours likewise. Claims are shown as Go prints them after normalization. resolved_billing_state: what a billing state holding this lease becomes in memory (formats.md#billing-state).",
		"hosted_public_key":  vecPub(hosted),
		"hosted_private_key": base64.StdEncoding.EncodeToString(hosted),
		"license_public_key": vecPub(licenseKey),
		"cases":              cases,
	})
}

func jsonInt(v int64) string { b, _ := json.Marshal(v); return string(b) }

func TestVecgenLicenses(t *testing.T) {
	key, attacker := vecSeedKey("license"), vecSeedKey("attacker")
	SetPublicKey(key.Public().(ed25519.PublicKey))
	t.Cleanup(func() { SetPublicKey(nil) })
	n := time.Now().Unix()
	type vec struct {
		Name         string           `json:"name"`
		Token        string           `json:"token"`
		Now          int64            `json:"now"`
		Error        string           `json:"error"`
		InGrace      bool             `json:"in_grace"`
		GraceEnd     int64            `json:"grace_period_end,omitempty"`
		Lifetime     bool             `json:"lifetime"`
		State        string           `json:"subscription_state,omitempty"`
		Plan         string           `json:"plan_version"`
		Capabilities []string         `json:"capabilities,omitempty"`
		Limits       map[string]int64 `json:"limits,omitempty"`
	}
	mk := func(k ed25519.PrivateKey, m map[string]any) string {
		b, _ := json.Marshal(m)
		return vecRaw(t, k, `{"alg":"EdDSA","typ":"JWT"}`, string(b))
	}
	b := func(over map[string]any) map[string]any {
		m := map[string]any{"lid": "lic_1", "email": "a@example.test", "tier": "pro", "iat": n - 86400*30, "exp": n + 86400*300}
		for k, v := range over {
			if v == nil {
				delete(m, k)
			} else {
				m[k] = v
			}
		}
		return m
	}
	day := int64(86400)
	cases := []vec{
		{Name: "pro-in-term", Token: mk(key, b(nil))},
		{Name: "lifetime-without-exp", Token: mk(key, b(map[string]any{"exp": nil, "tier": "lifetime"}))},
		{Name: "exp-zero", Token: mk(key, b(map[string]any{"exp": 0}))},
		{Name: "expired-3-days", Token: mk(key, b(map[string]any{"exp": n - 3*day}))},
		{Name: "expired-6-days-23-hours", Token: mk(key, b(map[string]any{"exp": n - 7*day + 3600}))},
		{Name: "expired-7-days", Token: mk(key, b(map[string]any{"exp": n - 7*day - 1}))},
		{Name: "expired-8-days", Token: mk(key, b(map[string]any{"exp": n - 8*day}))},
		{Name: "no-lid", Token: mk(key, b(map[string]any{"lid": nil}))},
		{Name: "no-email", Token: mk(key, b(map[string]any{"email": nil}))},
		{Name: "no-tier", Token: mk(key, b(map[string]any{"tier": nil}))},
		{Name: "another-key", Token: mk(attacker, b(nil))},
		{Name: "features-beside-tier", Token: mk(key, b(map[string]any{"tier": "relay", "features": []string{"rbac", "relay"}}))},
		{Name: "capabilities-override", Token: mk(key, b(map[string]any{"capabilities": []string{"relay"}, "features": []string{"rbac"}}))},
		{Name: "free", Token: mk(key, b(map[string]any{"tier": "free"}))},
		{Name: "unknown-tier", Token: mk(key, b(map[string]any{"tier": "platinum"}))},
		{Name: "msp-with-signing-key", Token: mk(key, b(map[string]any{"tier": "msp", "entitlement_signing_public_key": vecPub(attacker)}))},
		{Name: "enterprise", Token: mk(key, b(map[string]any{"tier": "enterprise"}))},
		{Name: "max-guests-self-hosted", Token: mk(key, b(map[string]any{"max_guests": 5, "max_users": 3}))},
		{Name: "max-guests-cloud", Token: mk(key, b(map[string]any{"tier": "cloud", "plan_version": "cloud-power", "max_guests": 5, "max_users": 3}))},
		{Name: "limits-claim", Token: mk(key, b(map[string]any{"tier": "cloud", "limits": map[string]int64{"max_agents": 3, "max_guests": 9, "x": 1}}))},
		{Name: "state-suspended", Token: mk(key, b(map[string]any{"subscription_state": "suspended"}))},
		{Name: "with-spaces-around", Token: " \n" + mk(key, b(nil)) + "\t"},
	}
	for i := range cases {
		c := &cases[i]
		c.Now = n
		lic, err := ValidateLicense(c.Token)
		if err != nil {
			c.Error = vecClass(err)
			continue
		}
		if lic.GracePeriodEnd != nil {
			c.InGrace, c.GraceEnd = true, lic.GracePeriodEnd.Unix()
		}
		c.Lifetime = lic.IsLifetime()
		c.State = string(lic.Claims.EntitlementSubscriptionState())
		c.Plan = lic.Claims.EntitlementPlanVersion()
		c.Capabilities = lic.Claims.EffectiveCapabilities()
		c.Limits = lic.Claims.EffectiveLimits()
	}
	vecWrite(t, "licenses.json", map[string]any{
		"about":               "Classic licenses and what the deployed runtime reads from them at 'now'. The deployed reader trims; the verifier here does not (case with-spaces-around), file and setting readers do.",
		"license_public_key":  vecPub(key),
		"license_private_key": base64.StdEncoding.EncodeToString(key),
		"cases":               cases,
	})
}

func TestVecgenGrants(t *testing.T) {
	key, attacker := vecSeedKey("license"), vecSeedKey("attacker")
	SetPublicKey(key.Public().(ed25519.PublicKey))
	t.Cleanup(func() { SetPublicKey(nil) })
	n := time.Now().Unix()
	type vec struct {
		Name         string           `json:"name"`
		Token        string           `json:"token"`
		Error        string           `json:"error"`
		Effective    string           `json:"effective_state,omitempty"`
		GrantsRelay  bool             `json:"grants_relay"`
		Claims       *GrantClaims     `json:"claims,omitempty"`
		State        string           `json:"subscription_state,omitempty"`
		Capabilities []string         `json:"capabilities,omitempty"`
		Limits       map[string]int64 `json:"limits,omitempty"`
		Stricter     string           `json:"stricter,omitempty"`
	}
	mk := func(k ed25519.PrivateKey, mod func(*GrantClaims)) string {
		g := GrantClaims{Issuer: "pulse-license-server", Audience: "pulse-runtime", LicenseID: "lic_1", InstallationID: "inst_1", LicenseVersion: 7, State: "active", Tier: "pro", PlanKey: "pro", Features: []string{}, MaxGuests: 0, MaxUsers: 5, IssuedAt: n, ExpiresAt: n + 72*3600, GraceUntil: n + 7*86400, JTI: "grant_1", Email: "a@example.test"}
		if mod != nil {
			mod(&g)
		}
		b, _ := json.Marshal(g)
		return vecRaw(t, k, `{"alg":"EdDSA","typ":"JWT"}`, string(b))
	}
	cases := []vec{
		{Name: "active", Token: mk(key, nil)},
		{Name: "past-due", Token: mk(key, func(g *GrantClaims) { g.State = "past_due" })},
		{Name: "grace", Token: mk(key, func(g *GrantClaims) { g.State = "grace" })},
		{Name: "suspended", Token: mk(key, func(g *GrantClaims) { g.State = "suspended" })},
		{Name: "state-unknown", Token: mk(key, func(g *GrantClaims) { g.State = "Active" })},
		{Name: "state-empty", Token: mk(key, func(g *GrantClaims) { g.State = "" })},
		{Name: "features", Token: mk(key, func(g *GrantClaims) { g.Tier = "relay"; g.Features = []string{"audit_logging"} })},
		{Name: "business", Token: mk(key, func(g *GrantClaims) { g.Tier = "business"; g.PlanKey = "business_annual"; g.MaxUsers = 50 })},
		{Name: "no-lid", Token: mk(key, func(g *GrantClaims) { g.LicenseID = "" })},
		{Name: "no-tier", Token: mk(key, func(g *GrantClaims) { g.Tier = "" })},
		{Name: "no-installation", Token: mk(key, func(g *GrantClaims) { g.InstallationID = "" })},
		{Name: "another-key", Token: mk(attacker, nil)},
		{Name: "past-expiry-before-grace-until", Token: mk(key, func(g *GrantClaims) { g.ExpiresAt = n - 60; g.GraceUntil = n + 3600 })},
		{Name: "past-grace-until", Token: mk(key, func(g *GrantClaims) { g.ExpiresAt = n - 7200; g.GraceUntil = n - 3600 })},
		{Name: "past-expiry-no-grace-until", Token: mk(key, func(g *GrantClaims) { g.ExpiresAt = n - 86400; g.GraceUntil = 0 })},
		{Name: "past-seven-days-no-grace-until", Token: mk(key, func(g *GrantClaims) { g.ExpiresAt = n - 8*86400; g.GraceUntil = 0 })},
		{Name: "grace-until-before-expiry", Token: mk(key, func(g *GrantClaims) { g.GraceUntil = n - 3600 })},
		{Name: "suspended-past-expiry", Token: mk(key, func(g *GrantClaims) { g.State = "suspended"; g.ExpiresAt = n - 60 })},
		{Name: "free-tier", Token: mk(key, func(g *GrantClaims) { g.Tier = "free" })},
		{Name: "period-end", Token: mk(key, func(g *GrantClaims) { g.CurrentPeriodEnd = n + 300*86400 })},
	}
	for i := range cases {
		c := &cases[i]
		gc, err := verifyAndParseGrantJWT(c.Token)
		if err != nil {
			c.Error = vecClass(err)
			if strings.HasPrefix(c.Error, "other: grant missing") {
				c.Error = "malformed"
			}
			continue
		}
		c.Claims = gc
		cl := grantClaimsToClaims(gc)
		c.State = string(cl.EntitlementSubscriptionState())
		c.Capabilities = cl.EffectiveCapabilities()
		c.Limits = cl.EffectiveLimits()
		svc := NewService()
		svc.license = grantClaimsToLicense(gc, c.Token)
		c.Effective = string(svc.currentJWTSubscriptionStateLocked(time.Now()))
		c.GrantsRelay = svc.HasFeature(FeatureRelay)
	}
	vecWrite(t, "grants.json", map[string]any{
		"about":              "Grants and what the deployed runtime reads from them at 'now': subscription_state and capabilities as claimed, effective_state once time counts, grants_relay whether the relay feature then runs.",
		"now":                n,
		"license_public_key": vecPub(key),
		"cases":              cases,
	})
}

func TestVecgenTables(t *testing.T) {
	hosts := []string{"", " ", "t-abc.cloud.pulserelay.pro", "T-ABC.Cloud.PulseRelay.PRO", "https://T-ABC.cloud.pulserelay.pro:443/x?y#z", "http://t-abc.cloud.pulserelay.pro", "t-abc.cloud.pulserelay.pro:8443", "t-abc.cloud.pulserelay.pro:", "[2001:db8::1]:7655", "[2001:DB8::1]", "2001:db8::1", "https://[2001:db8::1]:7655/", "  t-abc.cloud.pulserelay.pro\n", "localhost:7655", "10.0.0.5:7655", "wss://relay.example.test/ws/instance", "https://user:pw@t-abc.example.test/x", "t-abc.example.test.", "://x", "https://", "t-abc.example.test/path", "a:b:c"}
	type hv struct {
		In   string `json:"in"`
		Out  string `json:"out"`
		Ours string `json:"ours,omitempty"`
	}
	refused := map[string]string{"": "empty", " ": "empty", "://x": "empty", "https://": "empty", "t-abc.cloud.pulserelay.pro:": "empty port", "https://user:pw@t-abc.example.test/x": "user info", "t-abc.example.test.": "empty label", "t-abc.example.test/path": "slash", "a:b:c": "colon outside an IPv6 address"}
	var hs []hv
	for _, h := range hosts {
		o := ""
		if r, ok := refused[h]; ok {
			o = "error: " + r
		}
		hs = append(hs, hv{h, normalizeHost(h), o})
	}
	plans := []string{"", "cloud", "Cloud", " starter ", "cloud-v1", "cloud_v1", "CLOUD-STARTER", "cloud_starter", "msp", "msp-hosted-v1", "msp_hosted_v1", "msp-starter", "msp_starter", "msp-eval", "MSP_EVAL", "power", "cloud-power", "cloud_power", "max", "cloud-max", "cloud_max", "founding", "cloud-founding", "cloud_founding", "msp_growth", "MSP_Scale", "pro", " Pro ", "business_annual", "trial", "expired", "v5_pro_monthly_grandfathered", "x"}
	var ps []hv
	for _, p := range plans {
		ps = append(ps, hv{In: p, Out: CanonicalizePlanVersion(p)})
	}
	type lv struct {
		Plan string           `json:"plan_version"`
		In   map[string]int64 `json:"in"`
		Out  map[string]int64 `json:"out"`
	}
	full := map[string]int64{"max_monitored_systems": 1, "max_agents": 2, "max_nodes": 3, "max_guests": 4, "max_users": 5, "zero": 0, "minus": -1}
	var ls []lv
	for _, p := range append(plans, "community", "free", "relay", "pro_plus", "pro_annual", "lifetime", "business", "v5_lifetime_grandfathered", "v5_pro_annual_grandfathered", "enterprise") {
		c := &EntitlementLeaseClaims{PlanVersion: p, Limits: map[string]int64{}}
		for k, v := range full {
			c.Limits[k] = v
		}
		normalizeEntitlementLeaseClaims(c)
		ls = append(ls, lv{p, full, c.Limits})
	}
	type tv struct {
		Tier     string   `json:"tier"`
		Features []string `json:"features"`
		Out      []string `json:"capabilities"`
	}
	var ts []tv
	for _, tier := range []string{"free", "relay", "pro", "pro_plus", "pro_annual", "lifetime", "business", "cloud", "msp", "enterprise", "", "PRO", "unknown"} {
		ts = append(ts, tv{tier, nil, DeriveCapabilitiesFromTier(Tier(tier), nil)})
		ts = append(ts, tv{tier, []string{"white_label", "relay", "zz_custom"}, DeriveCapabilitiesFromTier(Tier(tier), []string{"white_label", "relay", "zz_custom"})})
	}
	ceiling := ProviderChainedLeaseCapabilities()
	sort.Strings(ceiling)
	vecWrite(t, "tables.json", map[string]any{
		"about":                  "Pure functions of the deployed runtime. hosts: where 'ours' is given, the same input is that error here.",
		"hosts":                  hs,
		"plans":                  ps,
		"lease_limits":           ls,
		"tiers":                  ts,
		"provider_chain_ceiling": ceiling,
	})

	// a key whose text tells the two alphabets apart
	var k ed25519.PrivateKey
	var pub ed25519.PublicKey
	for i := 0; ; i++ {
		k = vecSeedKey("keys table " + jsonInt(int64(i)))
		pub = k.Public().(ed25519.PublicKey)
		if s := base64.StdEncoding.EncodeToString(pub); strings.Contains(s, "+") && strings.Contains(s, "/") && strings.ContainsAny(base64.StdEncoding.EncodeToString(k.Seed()), "+/") {
			break
		}
	}
	type kv struct {
		In  string `json:"in"`
		Hex string `json:"hex,omitempty"`
		Err bool   `json:"error"`
	}
	std, url := base64.StdEncoding, base64.URLEncoding
	var pubs, privs []kv
	for _, s := range []string{std.EncodeToString(pub), base64.RawURLEncoding.EncodeToString(pub), std.EncodeToString(pub) + "\n", " " + std.EncodeToString(pub), base64.RawStdEncoding.EncodeToString(pub), url.EncodeToString(pub), std.EncodeToString(pub[:31]), std.EncodeToString(append(append([]byte{}, pub...), 0)), "", "!!!!", hex.EncodeToString(pub)} {
		key, err := DecodePublicKey(s)
		pubs = append(pubs, kv{s, hex.EncodeToString(key), err != nil})
	}
	seed := k.Seed()
	for _, s := range []string{std.EncodeToString(k), base64.RawStdEncoding.EncodeToString(k), url.EncodeToString(k), base64.RawURLEncoding.EncodeToString(k), std.EncodeToString(seed), base64.RawStdEncoding.EncodeToString(seed), url.EncodeToString(seed), base64.RawURLEncoding.EncodeToString(seed), " " + std.EncodeToString(seed) + "\n", std.EncodeToString(seed[:31]), std.EncodeToString(k[:63]), "", "%%%"} {
		key, err := DecodeEd25519PrivateKey(s)
		h := ""
		if err == nil {
			h = hex.EncodeToString(key.Public().(ed25519.PublicKey))
		}
		privs = append(privs, kv{s, h, err != nil})
	}
	vecWrite(t, "keys.json", map[string]any{
		"about":           "Key decoding. public: hex of the 32 bytes. private: hex of the public key it yields.",
		"public":          pubs,
		"private":         privs,
		"log_fingerprint": map[string]string{"public_key": vecPub(k), "fingerprint": PublicKeyFingerprint(pub)},
	})
}
