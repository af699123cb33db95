package config

// Writes billing.json integrity variants and sealed files made by this package. Copied into a scratch checkout by generate.sh.

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/rcourtman/pulse-go-rewrite/internal/crypto"
	"github.com/rcourtman/pulse-go-rewrite/internal/relay"
	pkglicensing "github.com/rcourtman/pulse-go-rewrite/pkg/licensing"
)

func vecKey(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("pulse-trust throw-away test key " + os.Getenv("VEC_SEED") + ": " + name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func vecCopy(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestVecgenBilling(t *testing.T) {
	out := os.Getenv("VEC_OUT")
	if out == "" {
		t.Skip("VEC_OUT not set")
	}
	key := vecKey("hosted lease")
	pub := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	t.Setenv(pkglicensing.HostedEntitlementPublicKeyEnvVar, pub)
	now := time.Now().UTC().Truncate(time.Second)
	host := "t-vec0000001.cloud.example.test"
	lease := func(exp time.Time) string {
		tok, err := pkglicensing.SignEntitlementLeaseToken(key, pkglicensing.EntitlementLeaseClaims{
			OrgID: "default", Email: "owner@example.test", InstanceHost: host, PlanVersion: "cloud_starter", SubscriptionState: "active",
			Capabilities:     pkglicensing.DeriveCapabilitiesFromTier(pkglicensing.TierCloud, nil),
			RegisteredClaims: jwt.RegisteredClaims{IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(exp)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	i64 := func(v int64) *int64 { return &v }
	type vec struct {
		Name     string                     `json:"name"`
		Org      string                     `json:"org"`
		Present  bool                       `json:"state_present"`
		State    *pkglicensing.BillingState `json:"resolved,omitempty"`
		Rewrites bool                       `json:"file_rewritten"`
		After    string                     `json:"integrity_after"`
	}
	var vs []vec
	one := func(name, org string, make func(dir string)) {
		dir := t.TempDir()
		make(dir)
		vecCopy(t, dir, filepath.Join(out, "billing", name))
		path := filepath.Join(dir, "billing.json")
		if org != "default" {
			path = filepath.Join(dir, "orgs", org, "billing.json")
		}
		before, _ := os.ReadFile(path)
		st, err := NewFileBillingStore(dir).GetBillingState(org)
		if err != nil {
			t.Fatal(name, err)
		}
		after, _ := os.ReadFile(path)
		v := vec{Name: name, Org: org, Present: st != nil, State: st, Rewrites: string(before) != string(after)}
		var f pkglicensing.BillingState
		if json.Unmarshal(after, &f) == nil {
			v.After = f.Integrity
		}
		vs = append(vs, v)
	}
	save := func(dir, org string, st pkglicensing.BillingState) {
		if err := NewFileBillingStore(dir).SaveBillingState(org, &st); err != nil {
			t.Fatal(err)
		}
	}
	full := pkglicensing.BillingState{
		Capabilities: []string{"sso", "relay"}, Limits: map[string]int64{"max_users": 3, "a": 1}, MetersEnabled: []string{"m1"},
		EntitlementJWT: lease(now.Add(24 * time.Hour)), EntitlementRefreshToken: "etr_hosted_<&>\u2028", PlanVersion: "cloud_starter", SubscriptionState: "active",
		TrialStartedAt: i64(1), TrialEndsAt: i64(4102444800), TrialExtendedAt: i64(3), OverflowGrantedAt: i64(4), QuickstartCreditsGranted: true, QuickstartCreditsUsed: 5, QuickstartCreditsGrantedAt: i64(6),
		StripeCustomerID: "cus_1", StripeSubscriptionID: "sub_1", StripePriceID: "price_1",
	}
	one("current", "default", func(d string) { save(d, "default", full) })
	one("current-org", "acme", func(d string) { save(d, "acme", full) })
	one("lease-expired", "default", func(d string) { s := full; s.EntitlementJWT = lease(now.Add(-time.Hour)); save(d, "default", s) })
	one("no-lease", "default", func(d string) {
		s := full
		s.EntitlementJWT, s.EntitlementRefreshToken = "", ""
		s.TrialStartedAt, s.TrialEndsAt = nil, nil
		crypto.NewCryptoManagerAt(d)
		save(d, "default", s)
	})
	edit := func(dir string, f func(m map[string]any)) {
		p := filepath.Join(dir, "billing.json")
		b, _ := os.ReadFile(p)
		m := map[string]any{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		f(m)
		b, _ = json.Marshal(m)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one("tampered-plan", "default", func(d string) {
		save(d, "default", full)
		edit(d, func(m map[string]any) { m["plan_version"] = "enterprise" })
	})
	one("tampered-capability", "default", func(d string) {
		s := full
		s.EntitlementJWT, s.EntitlementRefreshToken = "", ""
		crypto.NewCryptoManagerAt(d)
		save(d, "default", s)
		edit(d, func(m map[string]any) { m["capabilities"] = []string{"relay", "sso", "white_label"} })
	})
	one("no-key-file", "default", func(d string) {
		s := full
		s.EntitlementJWT, s.EntitlementRefreshToken = "", ""
		save(d, "default", s)
	})
	one("stripe-id-changed", "default", func(d string) {
		save(d, "default", full)
		edit(d, func(m map[string]any) { m["stripe_customer_id"] = "cus_2" })
	})
	one("integrity-empty", "default", func(d string) { save(d, "default", full); edit(d, func(m map[string]any) { delete(m, "integrity") }) })
	one("secrets-in-plain", "default", func(d string) {
		s := full
		save(d, "default", s)
		edit(d, func(m map[string]any) {
			m["entitlement_jwt"] = s.EntitlementJWT
			m["entitlement_refresh_token"] = s.EntitlementRefreshToken
		})
	})
	one("integrity-before-quickstart", "default", func(d string) {
		s := full
		s.EntitlementJWT, s.EntitlementRefreshToken = "", ""
		s.QuickstartCreditsGranted, s.QuickstartCreditsUsed, s.QuickstartCreditsGrantedAt = false, 0, nil
		crypto.NewCryptoManagerAt(d)
		save(d, "default", s)
		k, err := NewFileBillingStore(d).loadHMACKey()
		if err != nil {
			t.Fatal(err)
		}
		n := pkglicensing.NormalizeBillingState(&s)
		edit(d, func(m map[string]any) { m["integrity"] = billingIntegrityV6PreQuickstart(n, k) })
	})
	one("integrity-oldest", "default", func(d string) {
		s := full
		s.EntitlementJWT, s.EntitlementRefreshToken = "", ""
		crypto.NewCryptoManagerAt(d)
		save(d, "default", s)
		k, err := NewFileBillingStore(d).loadHMACKey()
		if err != nil {
			t.Fatal(err)
		}
		n := pkglicensing.NormalizeBillingState(&s)
		edit(d, func(m map[string]any) { m["integrity"] = billingIntegrityLegacy(n, k) })
	})
	vb, _ := json.MarshalIndent(map[string]any{
		"about":             "billing.json variants: billing/NAME/ is the directory before, 'resolved' what the deployed runtime makes of it at 'now', file_rewritten whether it then rewrote the file. state_present false: taken as tampered (there: no state; here: an error that says so). No expected host is given. integrity_after: the code in the file afterwards.",
		"now":               now.Unix(),
		"hosted_public_key": pub,
		"cases":             vs,
	}, "", "  ")
	if err := os.WriteFile(filepath.Join(out, "billing.json"), append(vb, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}

	// relay.enc variants
	type rv struct {
		Name     string        `json:"name"`
		Error    bool          `json:"error"`
		Config   *relay.Config `json:"config,omitempty"`
		Rewrites bool          `json:"file_rewritten"`
		Stricter string        `json:"stricter,omitempty"`
	}
	var rs []rv
	priv, pk, fp, err := relay.GenerateIdentityKeyPair()
	if err != nil {
		t.Fatal(err)
	}
	whole := relay.Config{Enabled: true, ServerURL: "wss://relay.example.test/ws/instance", InstanceSecret: "secret <&> \u2028 é", IdentityPrivateKey: priv, IdentityPublicKey: pk, IdentityFingerprint: fp}
	two := func(name, stricter string, make func(dir string)) {
		dir := t.TempDir()
		crypto.NewCryptoManagerAt(dir)
		make(dir)
		vecCopy(t, dir, filepath.Join(out, "relay_enc", name))
		p := filepath.Join(dir, "relay.enc")
		before, _ := os.ReadFile(p)
		c, err := NewConfigPersistence(dir).LoadRelayConfig()
		after, _ := os.ReadFile(p)
		rs = append(rs, rv{name, err != nil, c, string(before) != string(after), stricter})
	}
	two("whole", "", func(d string) { NewConfigPersistence(d).SaveRelayConfig(whole) })
	two("default", "", func(d string) { NewConfigPersistence(d).SaveRelayConfig(*relay.DefaultConfig()) })
	two("absent", "", func(d string) {})
	two("legacy-plain", "", func(d string) {
		b, _ := json.MarshalIndent(whole, "", "  ")
		os.WriteFile(filepath.Join(d, "relay.enc"), b, 0o600)
	})
	two("legacy-plain-compact-partial", "", func(d string) { os.WriteFile(filepath.Join(d, "relay.enc"), []byte(`{"enabled":true}`), 0o600) })
	two("unknown-member", "", func(d string) {
		os.WriteFile(filepath.Join(d, "relay.enc"), []byte(`{"enabled":true,"future":1}`), 0o600)
	})
	two("empty-file", "", func(d string) { os.WriteFile(filepath.Join(d, "relay.enc"), nil, 0o600) })
	two("not-json", "", func(d string) { os.WriteFile(filepath.Join(d, "relay.enc"), []byte("hello"), 0o600) })
	two("truncated", "", func(d string) {
		NewConfigPersistence(d).SaveRelayConfig(whole)
		b, _ := os.ReadFile(filepath.Join(d, "relay.enc"))
		os.WriteFile(filepath.Join(d, "relay.enc"), b[:len(b)-1], 0o600)
	})
	two("one-bit-flipped", "", func(d string) {
		NewConfigPersistence(d).SaveRelayConfig(whole)
		b, _ := os.ReadFile(filepath.Join(d, "relay.enc"))
		b[20] ^= 1
		os.WriteFile(filepath.Join(d, "relay.enc"), b, 0o600)
	})
	rb, _ := json.MarshalIndent(map[string]any{
		"about": "relay.enc variants: relay_enc/NAME/ is the directory before; 'config' is what the deployed runtime loads (its saved bytes are nonce, ciphertext, tag of the two-space indented JSON). The member that unknown-member holds is not shown there, but is kept in the file.",
		"cases": rs,
	}, "", "  ")
	if err := os.WriteFile(filepath.Join(out, "relay_enc.json"), append(rb, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
