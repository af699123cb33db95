package api

// Writes hosted bootstraps, registration credentials and onboarding answers of this package. Copied into a scratch checkout by generate.sh.

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/rcourtman/pulse-go-rewrite/internal/config"
	"github.com/rcourtman/pulse-go-rewrite/internal/relay"
	pkglicensing "github.com/rcourtman/pulse-go-rewrite/pkg/licensing"
)

func vecKey(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("pulse-trust throw-away test key " + os.Getenv("VEC_SEED") + ": " + name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func vecWrite(t *testing.T, name string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("VEC_OUT"), name), append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func vecToken(t *testing.T, key ed25519.PrivateKey, v any) string {
	t.Helper()
	b, _ := json.Marshal(v)
	in := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(b)
	return in + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(in)))
}

func TestVecgenTenants(t *testing.T) {
	out := os.Getenv("VEC_OUT")
	if out == "" {
		t.Skip("VEC_OUT not set")
	}
	hosted, license, attacker := vecKey("hosted lease"), vecKey("license"), vecKey("attacker")
	pubOf := func(k ed25519.PrivateKey) string {
		return base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
	}
	t.Setenv(pkglicensing.TrialActivationPublicKeyEnvVar, pubOf(hosted))
	pkglicensing.SetPublicKey(license.Public().(ed25519.PublicKey))
	t.Cleanup(func() { pkglicensing.SetPublicKey(nil) })
	now := time.Now().UTC().Truncate(time.Second)
	host := "t-vec0000001.cloud.example.test"

	lease := func(key ed25519.PrivateKey, mod func(*pkglicensing.EntitlementLeaseClaims)) string {
		c := pkglicensing.EntitlementLeaseClaims{
			OrgID: "default", Email: "owner@example.test", InstanceHost: host, PlanVersion: "cloud_starter", SubscriptionState: "active",
			Capabilities: pkglicensing.DeriveCapabilitiesFromTier(pkglicensing.TierCloud, nil), Limits: map[string]int64{}, MetersEnabled: []string{},
			RegisteredClaims: jwt.RegisteredClaims{IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(10 * 365 * 24 * time.Hour))},
		}
		if mod != nil {
			mod(&c)
		}
		tok, err := pkglicensing.SignEntitlementLeaseToken(key, c)
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	type vec struct {
		Name         string        `json:"name"`
		Hosted       bool          `json:"hosted_mode"`
		Host         string        `json:"expected_host"`
		Error        string        `json:"error,omitempty"`
		Config       *relay.Config `json:"config,omitempty"`
		Bootstrapped bool          `json:"relay_enc_written"`
		Identity     string        `json:"identity"`
		Credential   string        `json:"registration_credential"`
		Stricter     string        `json:"stricter,omitempty"`
		Ours         string        `json:"ours,omitempty"`
		OursCred     string        `json:"ours_credential,omitempty"`
	}
	var vs []vec
	one := func(name string, hostedMode bool, publicURL, expectedHost, stricter string, prepare func(dir string, p *config.ConfigPersistence, lp *pkglicensing.Persistence)) {
		dir := t.TempDir()
		cfg := &config.Config{DataPath: dir, FrontendPort: 7655, PublicURL: publicURL}
		mtp := config.NewMultiTenantPersistence(dir)
		p, err := mtp.GetPersistence("default")
		if err != nil {
			t.Fatal(err)
		}
		lp, err := pkglicensing.NewPersistence(dir)
		if err != nil {
			t.Fatal(err)
		}
		prepare(dir, p, lp)
		if err := os.CopyFS(filepath.Join(out, "tenants", name, "before"), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(filepath.Join(dir, "relay.enc"))
		start, _ := p.LoadRelayConfig()
		router := &Router{config: cfg, persistence: p, licenseHandlers: NewLicenseHandlers(mtp, hostedMode, cfg)}
		c, err := router.loadRelayConfigForRuntime(context.Background())
		v := vec{Name: name, Hosted: hostedMode, Host: expectedHost, Config: c, Stricter: stricter}
		if err != nil {
			v.Error = "load"
		}
		after, _ := os.ReadFile(filepath.Join(dir, "relay.enc"))
		v.Bootstrapped = string(before) != string(after)
		v.Identity = "none"
		if c != nil && c.IdentityPublicKey != "" {
			v.Identity = "made"
			if start != nil && start.IdentityPublicKey == c.IdentityPublicKey {
				v.Identity = "kept"
			}
		}
		v.Credential = router.relayRegistrationToken(context.Background())
		if err := os.CopyFS(filepath.Join(out, "tenants", name, "after"), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		vs = append(vs, v)
	}
	saveBilling := func(dir string, st pkglicensing.BillingState) {
		if err := config.NewFileBillingStore(dir).SaveBillingState("default", &st); err != nil {
			t.Fatal(err)
		}
	}
	leaseOnly := func(tok string) func(string, *config.ConfigPersistence, *pkglicensing.Persistence) {
		return func(dir string, _ *config.ConfigPersistence, _ *pkglicensing.Persistence) {
			saveBilling(dir, pkglicensing.BillingState{Capabilities: []string{}, Limits: map[string]int64{}, MetersEnabled: []string{}, EntitlementJWT: tok, EntitlementRefreshToken: "etr_hosted_test", StripeCustomerID: "cus_1"})
		}
	}
	url := "https://" + host
	one("fresh-hosted", true, url, host, "", leaseOnly(lease(hosted, nil)))
	one("fresh-hosted-no-public-url", true, "", "", "", leaseOnly(lease(hosted, nil)))
	one("fresh-hosted-trial", true, url, host, "", leaseOnly(lease(hosted, func(c *pkglicensing.EntitlementLeaseClaims) {
		end := now.Add(10 * 365 * 24 * time.Hour).Unix()
		c.SubscriptionState, c.TrialEndsAt = "trial", &end
	})))
	one("lease-without-relay", true, url, host, "", leaseOnly(lease(hosted, func(c *pkglicensing.EntitlementLeaseClaims) { c.Capabilities = []string{"sso"} })))
	one("lease-expired", true, url, host, "", leaseOnly(lease(hosted, func(c *pkglicensing.EntitlementLeaseClaims) { c.ExpiresAt = jwt.NewNumericDate(now.Add(-time.Hour)) })))
	one("lease-of-another-key", true, url, host, "", leaseOnly(lease(attacker, nil)))
	one("lease-for-another-host", true, url, host, "", leaseOnly(lease(hosted, func(c *pkglicensing.EntitlementLeaseClaims) { c.InstanceHost = "t-other.cloud.example.test" })))
	one("lease-suspended", true, url, host, "", leaseOnly(lease(hosted, func(c *pkglicensing.EntitlementLeaseClaims) { c.SubscriptionState = "suspended" })))
	one("not-hosted-mode", false, url, host, "", leaseOnly(lease(hosted, nil)))
	one("no-billing", true, url, host, "", func(string, *config.ConfigPersistence, *pkglicensing.Persistence) {})
	one("operator-disabled", true, url, host, "", func(dir string, p *config.ConfigPersistence, _ *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		p.SaveRelayConfig(relay.Config{Enabled: false, ServerURL: "wss://own.example.test/ws/instance", InstanceSecret: "own-secret"})
	})
	one("operator-disabled-url-only", true, url, host, "", func(dir string, p *config.ConfigPersistence, _ *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		p.SaveRelayConfig(relay.Config{Enabled: false, ServerURL: "wss://own.example.test/ws/instance"})
	})
	one("operator-enabled-no-identity", true, url, host, "", func(dir string, p *config.ConfigPersistence, _ *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		p.SaveRelayConfig(relay.Config{Enabled: true, ServerURL: "wss://own.example.test/ws/instance", InstanceSecret: "own-secret"})
	})
	one("enabled-partial-identity", true, url, host, "", func(dir string, p *config.ConfigPersistence, _ *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		_, pk, _, _ := relay.GenerateIdentityKeyPair()
		p.SaveRelayConfig(relay.Config{Enabled: true, ServerURL: relay.DefaultServerURL, InstanceSecret: host, IdentityPublicKey: pk})
	})
	one("already-bootstrapped", true, url, host, "", func(dir string, p *config.ConfigPersistence, _ *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		a, b, c, _ := relay.GenerateIdentityKeyPair()
		p.SaveRelayConfig(relay.Config{Enabled: true, ServerURL: relay.DefaultServerURL, InstanceSecret: host, IdentityPrivateKey: a, IdentityPublicKey: b, IdentityFingerprint: c})
	})
	licenseToken := vecToken(t, license, map[string]any{"lid": "lic_1", "email": "a@example.test", "tier": "pro", "iat": now.Unix(), "exp": now.Add(10 * 365 * 24 * time.Hour).Unix()})
	grantToken := vecToken(t, license, map[string]any{"iss": "pulse-license-server", "aud": "pulse-runtime", "lid": "lic_1", "iid": "inst_1", "lv": 3, "st": "active", "tier": "pro", "plan": "pro", "feat": []string{}, "max_guests": 0, "max_users": 5, "iat": now.Unix(), "exp": now.Add(10 * 365 * 24 * time.Hour).Unix(), "grace_until": now.Add(10 * 365 * 24 * time.Hour).Unix(), "jti": "g1", "email": "a@example.test"})
	relayOn := func(p *config.ConfigPersistence) {
		a, b, c, _ := relay.GenerateIdentityKeyPair()
		p.SaveRelayConfig(relay.Config{Enabled: true, ServerURL: relay.DefaultServerURL, InstanceSecret: "self-hosted-secret", IdentityPrivateKey: a, IdentityPublicKey: b, IdentityFingerprint: c})
	}
	activation := func(suspended bool) *pkglicensing.ActivationState {
		return &pkglicensing.ActivationState{InstallationID: "inst_1", InstallationToken: "pit_live_test", LicenseID: "lic_1", GrantJWT: grantToken, GrantJTI: "g1", GrantExpiresAt: now.Add(10 * 365 * 24 * time.Hour).Unix(), LicenseVersion: 3, PaidAccessSuspended: suspended, InstanceFingerprint: "00000000-0000-4000-8000-000000000000", LicenseServerURL: "http://127.0.0.1:1", ActivatedAt: now.Unix(), LastRefreshedAt: now.Unix()}
	}
	one("self-hosted-license", false, url, "", "", func(dir string, p *config.ConfigPersistence, lp *pkglicensing.Persistence) {
		if err := lp.Save(licenseToken); err != nil {
			t.Fatal(err)
		}
		relayOn(p)
	})
	vs[len(vs)-1].Ours, vs[len(vs)-1].OursCred = "the deployed runtime first exchanges a license for a grant with the license server (not reachable here); ours offers the license itself", licenseToken
	one("self-hosted-activation", false, url, "", "", func(dir string, p *config.ConfigPersistence, lp *pkglicensing.Persistence) {
		if err := lp.SaveActivationState(activation(false)); err != nil {
			t.Fatal(err)
		}
		relayOn(p)
	})
	one("self-hosted-activation-suspended", false, url, "", "", func(dir string, p *config.ConfigPersistence, lp *pkglicensing.Persistence) {
		if err := lp.SaveActivationState(activation(true)); err != nil {
			t.Fatal(err)
		}
		relayOn(p)
	})
	one("hosted-with-activation", true, url, host, "", func(dir string, p *config.ConfigPersistence, lp *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		if err := lp.SaveActivationState(activation(false)); err != nil {
			t.Fatal(err)
		}
	})
	one("hosted-with-suspended-activation", true, url, host, "", func(dir string, p *config.ConfigPersistence, lp *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		if err := lp.SaveActivationState(activation(true)); err != nil {
			t.Fatal(err)
		}
	})
	vs[len(vs)-1].Ours = "a suspended activation blocks every credential: nothing is offered here"
	one("activation-of-another-key", true, url, host, "", func(dir string, p *config.ConfigPersistence, lp *pkglicensing.Persistence) {
		leaseOnly(lease(hosted, nil))(dir, p, nil)
		a := activation(false)
		a.GrantJWT = vecToken(t, attacker, map[string]any{"lid": "lic_1", "iid": "inst_1", "st": "active", "tier": "pro", "plan": "pro", "exp": now.Add(10 * 365 * 24 * time.Hour).Unix()})
		if err := lp.SaveActivationState(a); err != nil {
			t.Fatal(err)
		}
	})
	one("self-hosted-nothing", false, url, "", "", func(string, *config.ConfigPersistence, *pkglicensing.Persistence) {})
	vecWrite(t, "tenants.json", map[string]any{
		"about":              "Tenant directories: tenants/NAME/before/ as found, tenants/NAME/after/ as the deployed runtime left it once it had loaded its relay config; 'config' is what it then uses, registration_credential what it would hand to the relay (empty: nothing). Identities it made are random: compare the rest. (Leases, license and grant in these directories last ten years, so that they can be run today.) after/ may also hold a billing.json that the runtime signed or marked and an instance-fingerprint: not this library's work. Where 'ours' is given, ours_credential is what is offered here.",
		"now":                now.Unix(),
		"hosted_public_key":  pubOf(hosted),
		"license_public_key": pubOf(license),
		"cases":              vs,
	})
}

func TestVecgenOnboarding(t *testing.T) {
	out := os.Getenv("VEC_OUT")
	if out == "" {
		t.Skip("VEC_OUT not set")
	}
	ident := vecKey("identity")
	pk := base64.StdEncoding.EncodeToString(ident.Public().(ed25519.PublicKey))
	fp, err := relay.ComputeFingerprint(pk)
	if err != nil {
		t.Fatal(err)
	}
	whole := relay.Config{Enabled: true, ServerURL: "wss://relay.example.test/ws/instance", InstanceSecret: "s", IdentityPublicKey: pk, IdentityFingerprint: fp}
	with := func(f func(*relay.Config)) relay.Config { c := whole; f(&c); return c }
	type vec struct {
		Name       string          `json:"name"`
		PublicURL  string          `json:"instance_url"`
		Config     relay.Config    `json:"relay_config"`
		InstanceID string          `json:"instance_id"`
		AuthToken  string          `json:"auth_token"`
		Ready      bool            `json:"ready"`
		Payload    json.RawMessage `json:"payload,omitempty"`
		Codes      []string        `json:"diagnostic_codes"`
		OursCodes  *[]string       `json:"ours_diagnostic_codes,omitempty"`
	}
	cases := []vec{
		{Name: "ready", PublicURL: "https://t-vec0000001.cloud.example.test", Config: whole, InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
		{Name: "characters-to-escape", PublicURL: "https://t.example.test/p a?x=1&y=é+~*'()", Config: with(func(c *relay.Config) { c.ServerURL = "wss://relay.example.test:8443/base/ws+x" }), InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "a b+c/d=e&f%20~é"},
		{Name: "http-instance-url", PublicURL: "http://10.0.0.5:7655", Config: whole, InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
		{Name: "no-instance-url", PublicURL: "", Config: whole, InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
		{Name: "relay-disabled", PublicURL: "https://t.example.test", Config: with(func(c *relay.Config) { c.Enabled = false }), InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
		{Name: "not-registered", PublicURL: "https://t.example.test", Config: whole, AuthToken: "tok-1"},
		{Name: "no-token", PublicURL: "https://t.example.test", Config: whole, InstanceID: "relay_2e1b0929e6fd7c52"},
		{Name: "nothing", PublicURL: "", Config: with(func(c *relay.Config) { c.Enabled = false })},
		{Name: "no-identity", PublicURL: "https://t.example.test", Config: with(func(c *relay.Config) { c.IdentityPublicKey, c.IdentityFingerprint = "", "" }), InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
		{Name: "server-url-empty", PublicURL: "https://t.example.test", Config: with(func(c *relay.Config) { c.ServerURL = " " }), InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
		{Name: "server-url-without-path", PublicURL: "https://t.example.test", Config: with(func(c *relay.Config) { c.ServerURL = "WSS://Relay.Example.Test" }), InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
		{Name: "server-url-other-path", PublicURL: "https://t.example.test", Config: with(func(c *relay.Config) { c.ServerURL = "ws://127.0.0.1:9000/other/" }), InstanceID: "relay_2e1b0929e6fd7c52", AuthToken: "tok-1"},
	}
	for i := range cases {
		c := &cases[i]
		r := &Router{config: &config.Config{PublicURL: c.PublicURL}}
		if c.InstanceID != "" {
			r.relayClient = fakeRelayRuntimeClient{status: relay.ClientStatus{Connected: true, InstanceID: c.InstanceID}}
		}
		// the request has no usable host of its own, so that only the configured URL counts
		req := httptest.NewRequest(http.MethodGet, "/api/onboarding/qr", nil)
		req.Host = ""
		cfg := c.Config
		p, diags := r.buildOnboardingPayload(req, &cfg, c.AuthToken)
		if p.InstanceURL != c.PublicURL && strings.HasPrefix(c.PublicURL, "https://") {
			t.Fatalf("%s: instance url %q", c.Name, p.InstanceURL)
		}
		c.Ready = !hasOnboardingError(diags)
		c.Codes = []string{}
		for i, d := range diags {
			c.Codes = append(c.Codes, d.Code)
			diags[i].Message = ""
		}
		if c.PublicURL == "" {
			ours := []string{}
			for _, code := range c.Codes {
				if code != "instance_url_not_https" {
					ours = append(ours, code)
				}
			}
			c.OursCodes = &ours
		}
		if c.Ready {
			if len(diags) > 0 {
				p.Diagnostics = diags
			}
			c.Payload, _ = json.Marshal(p.normalizeCollections())
		}
	}
	type uv struct {
		In         string `json:"in"`
		Normalized string `json:"normalized"`
		OK         bool   `json:"ok"`
		App        string `json:"app_url"`
	}
	var us []uv
	for _, u := range []string{"", "wss://relay.pulserelay.pro/ws/instance", "wss://relay.pulserelay.pro/ws/instance/", "WSS://Relay.PulseRelay.Pro:443/ws/instance", "wss://relay.example.test", "wss://relay.example.test/", "ws://127.0.0.1:8080/ws/app", "ws://127.0.0.1:8080/ws/app/", "wss://relay.example.test/a/b/", "wss://relay.example.test/a#frag", "https://relay.example.test/", "relay.example.test", "wss://", "wss://relay.example.test/ws/instance?x=1", "wss://[2001:DB8::1]:8443/ws/instance", " wss://relay.example.test/ws/instance "} {
		n, ok := normalizeRelayURL(u)
		us = append(us, uv{u, n, ok, normalizeOnboardingRelayAppURL(u)})
	}
	type rv struct {
		Failures int   `json:"failures"`
		Seconds  int64 `json:"backoff_seconds"`
	}
	var rs []rv
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 12, 100} {
		rs = append(rs, rv{n, int64(hostedEntitlementRefreshBackoff(n).Seconds())})
	}
	vecWrite(t, "onboarding.json", map[string]any{
		"about":           "Pairing payloads and deep links as the deployed runtime builds them; the wording of messages is left out (ours to write), so compare all but 'message'. An empty instance_url means none is known: the deployed runtime then falls back to a localhost URL and warns; here there is no warning (ours_diagnostic_codes, and no diagnostics in the payload). relay_urls: normal form and the form handed to the app. refresh_backoff: wait after that many failed refreshes in a row.",
		"cases":           cases,
		"relay_urls":      us,
		"refresh_backoff": rs,
	})
}
