package entitlements

// Writes tenant directories as this control plane provisions them. Copied into a scratch checkout by generate.sh.

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rcourtman/pulse-go-rewrite/internal/cloudcp/registry"
	"github.com/rcourtman/pulse-go-rewrite/internal/config"
	pkglicensing "github.com/rcourtman/pulse-go-rewrite/pkg/licensing"
)

func vecKey(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("pulse-trust throw-away test key " + os.Getenv("VEC_SEED") + ": " + name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func TestVecgenProvision(t *testing.T) {
	out := os.Getenv("VEC_OUT")
	if out == "" {
		t.Skip("VEC_OUT not set")
	}
	key := vecKey("hosted lease")
	now := time.Now().UTC().Truncate(time.Second)
	reg, err := registry.NewTenantRegistry(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	svc := NewService(reg, "https://cloud.example.test:8443/path", base64.StdEncoding.EncodeToString(key))
	svc.SetNow(func() time.Time { return now })

	type hostCase struct {
		Base   string `json:"base_url"`
		Tenant string `json:"tenant_id"`
		Host   string `json:"instance_host"`
		Ours   string `json:"ours,omitempty"`
	}
	var hosts []hostCase
	for _, b := range []string{"https://cloud.pulserelay.pro", "http://cloud.example.test:8080/x", "cloud.example.test", "HTTPS://cloud.example.test", "https://", "", "https://Cloud.Example.Test/"} {
		for _, id := range []string{"t-J4HTS14PNC", " t-abc ", ""} {
			h, our := tenantInstanceHost(b, id), ""
			if h == "" {
				our = "error: empty"
			} else if strings.HasPrefix(b, "HTTPS") {
				our = "error: scheme not recognized"
			}
			hosts = append(hosts, hostCase{b, id, h, our})
		}
	}
	write(t, filepath.Join(out, "tenant_hosts.json"), map[string]any{"about": "Instance host that the control plane derives from its base URL and a tenant id; where 'ours' is given, the same input is that error here.", "cases": hosts})

	type issue struct {
		Name  string                         `json:"name"`
		ID    string                         `json:"tenant_id"`
		Email string                         `json:"email"`
		State pkglicensing.SubscriptionState `json:"subscription_state"`
		Plan  string                         `json:"plan_version"`
		Lease json.RawMessage                `json:"lease_claims,omitempty"`
		File  json.RawMessage                `json:"billing_state"`
	}
	var issued []issue
	for i, c := range []struct {
		name  string
		state pkglicensing.SubscriptionState
		plan  string
	}{{"cloud-active", pkglicensing.SubStateActive, "cloud_starter"}, {"cloud-alias", pkglicensing.SubStateActive, "cloud-v1"}, {"cloud-grace", pkglicensing.SubStateGrace, "cloud_power"}, {"msp-active", pkglicensing.SubStateActive, "msp_growth"}, {"suspended", pkglicensing.SubStateSuspended, "cloud_starter"}, {"canceled", pkglicensing.SubStateCanceled, "cloud_starter"}, {"default-plan", "", ""}} {
		tenant := &registry.Tenant{ID: "t-VEC000000" + string(rune('1'+i)), Email: "owner@example.test", State: registry.TenantStateActive, PlanVersion: c.plan}
		if err := reg.Create(tenant); err != nil {
			t.Fatal(err)
		}
		st, err := svc.IssueTenantBillingState(tenant, c.state, c.plan, "cus_1", "sub_1", "price_1")
		if err != nil {
			t.Fatal(err)
		}
		e := issue{Name: c.name, ID: tenant.ID, Email: tenant.Email, State: c.state, Plan: c.plan}
		if st.EntitlementJWT != "" {
			cl, err := pkglicensing.ParseEntitlementLeaseToken(st.EntitlementJWT, key.Public().(ed25519.PublicKey), "")
			if err != nil {
				t.Fatal(err)
			}
			e.Lease, _ = json.Marshal(cl)
		}
		dir := filepath.Join(out, "issued", c.name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := config.NewFileBillingStore(dir).SaveBillingState("default", st); err != nil {
			t.Fatal(err)
		}
		e.File, _ = json.Marshal(st)
		issued = append(issued, e)
	}
	write(t, filepath.Join(out, "issued.json"), map[string]any{
		"about":             "What the control plane writes for a tenant: issued/NAME/ is the directory (billing.json and the key file made with it); billing_state is the same with its two secrets in plain. Expiry of paid leases: 24 h after 'now'. An empty subscription_state or plan_version in the input means: not given. Stripe ids given: cus_1, sub_1, price_1.",
		"base_url":          "https://cloud.example.test:8443/path",
		"now":               now.Unix(),
		"hosted_public_key": base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		"cases":             issued,
	})
}

func write(t *testing.T, path string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
