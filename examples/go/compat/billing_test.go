package compat_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

// billingState is a struct such as the runtime's BillingState.
type billingState struct {
	Capabilities               []string         `json:"capabilities"`
	Limits                     map[string]int64 `json:"limits"`
	MetersEnabled              []string         `json:"meters_enabled"`
	EntitlementJWT             string           `json:"entitlement_jwt,omitempty"`
	EntitlementRefreshToken    string           `json:"entitlement_refresh_token,omitempty"`
	PlanVersion                string           `json:"plan_version"`
	SubscriptionState          string           `json:"subscription_state"`
	TrialStartedAt             *int64           `json:"trial_started_at,omitempty"`
	TrialEndsAt                *int64           `json:"trial_ends_at,omitempty"`
	TrialExtendedAt            *int64           `json:"trial_extended_at,omitempty"`
	OverflowGrantedAt          *int64           `json:"overflow_granted_at,omitempty"`
	QuickstartCreditsGranted   bool             `json:"quickstart_credits_granted,omitempty"`
	QuickstartCreditsUsed      int              `json:"quickstart_credits_used,omitempty"`
	QuickstartCreditsGrantedAt *int64           `json:"quickstart_credits_granted_at,omitempty"`
	Integrity                  string           `json:"integrity,omitempty"`
	StripeCustomerID           string           `json:"stripe_customer_id,omitempty"`
	StripeSubscriptionID       string           `json:"stripe_subscription_id,omitempty"`
	StripePriceID              string           `json:"stripe_price_id,omitempty"`
}

func TestBillingStatesAsDeployed(t *testing.T) {
	v := read[struct {
		HostedPublicKey string `json:"hosted_public_key"`
		Now             int64  `json:"now"`
		Cases           []struct {
			Name           string       `json:"name"`
			Org            string       `json:"org"`
			Present        bool         `json:"state_present"`
			Resolved       billingState `json:"resolved"`
			IntegrityAfter string       `json:"integrity_after"`
		} `json:"cases"`
	}](t, "billing.json")
	// What only this library decides.
	ours := map[string]struct {
		Load           string `json:"load"`
		IntegrityAfter string `json:"integrity_after"`
	}{}
	all := must[map[string]json.RawMessage](t)(readOurs())
	if err := json.Unmarshal(all["billing"], &ours); err != nil {
		t.Fatal(err)
	}
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(v.HostedPublicKey, ""))
	runtime := pulsetrust.RuntimeConfig{Hosted: true}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			dir := open(t, copied(t, filepath.Join("billing", c.Name)))
			state, _, err := compat.LoadBillingState[billingState](dir, c.Org)
			if ours[c.Name].Load != "" || !c.Present {
				if err == nil {
					t.Fatal("a file that was modified is read")
				}
				if _, _, err := compat.SaveBillingState(dir, c.Org, &billingState{}); err == nil {
					t.Fatal("a file that was modified is replaced")
				}
				return
			}
			if err != nil || state.Integrity != c.IntegrityAfter {
				t.Fatalf("%+v %v", state, err)
			}
			resolved, _, err := compat.ResolveBillingState(dir, runtime, keys, "", state, time.Unix(v.Now, 0))
			if err != nil || !reflect.DeepEqual(normal(resolved), normal(&c.Resolved)) {
				t.Errorf("%+v %v\ndeployed %+v", resolved, err, c.Resolved)
			}
			// A state that is kept as a map has the deployed members and no others.
			members := must[*map[string]any](t)(first(compat.LoadBillingState[map[string]any](dir, c.Org)))
			whole, _, err := compat.ResolveBillingState(dir, runtime, keys, "", members, time.Unix(v.Now, 0))
			for _, name := range []string{"granted", "lease_error"} {
				if _, ok := (*whole)[name]; ok || err != nil {
					t.Errorf("resolved with %s: %v", name, err)
				}
			}
			integrity, _, err := compat.SaveBillingState(dir, c.Org, state)
			if err != nil || integrity != state.Integrity || integrity != c.IntegrityAfter {
				t.Errorf("saved with %s, was %s %v", integrity, c.IntegrityAfter, err)
			}
			again, _, err := compat.LoadBillingState[billingState](dir, c.Org)
			if err != nil || !reflect.DeepEqual(again, state) {
				t.Errorf("%+v, saved %+v %v", again, state, err)
			}
		})
	}
}

// normal has what is empty in one form.
func normal(state *billingState) billingState {
	same := *state
	same.Capabilities = append([]string{}, state.Capabilities...)
	same.MetersEnabled = append([]string{}, state.MetersEnabled...)
	if len(state.Limits) == 0 {
		same.Limits = nil
	}
	return same
}

func readOurs() (all map[string]json.RawMessage, err error) {
	bytes, err := os.ReadFile("../../../tests/vectors/ours.json")
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(bytes, &all)
}

// An organization's lease is for that organization, and is in its folder.
func TestTheLeaseOfAnOrganization(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	keys := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(public, nil))
	path := filepath.Join(t.TempDir(), "data", "pulse")
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.CreateDataDir(path, ""))
	defer dir.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("the directory that was made: %v %v", info, err)
	}
	now := time.Unix(1_800_000_000, 0)
	lease := func(org string, at time.Time) string {
		claims := leaseClaims{
			OrgID: org, InstanceHost: "t-1.example.test", SubscriptionState: "active", PlanVersion: "Cloud-V1", Capabilities: []string{"relay"},
		}
		return must[string](t)(compat.SignEntitlementLeaseToken(private, claims, at))
	}
	state := billingState{EntitlementJWT: lease("org-1", now), EntitlementRefreshToken: "etr_hosted_1", StripeCustomerID: "cus_1"}
	integrity, _, err := compat.SaveBillingState(dir, "org-1", &state)
	if err != nil || len(integrity) != 64 || state.Integrity != integrity {
		t.Fatalf("%q %v", integrity, err)
	}
	stored := must[*billingState](t)(first(compat.LoadBillingState[billingState](dir, "org-1")))
	runtime := pulsetrust.RuntimeConfig{Hosted: true, PublicURL: "https://t-1.example.test"}
	for org, plan := range map[string]string{"": "cloud_starter", "org-1": "cloud_starter", "default": "", "org-2": ""} {
		resolved, reason, err := compat.ResolveBillingState(dir, runtime, keys, org, stored, now)
		if err != nil || resolved.PlanVersion != plan || resolved.StripeCustomerID != "cus_1" || (reason == nil) != (plan != "") {
			t.Errorf("for %q: %+v %v %v", org, resolved, reason, err)
		}
		if reason != nil && reason.Code != pulsetrust.ErrOrgMismatch {
			t.Errorf("for %q: %+v", org, reason)
		}
	}
	runtime.PublicURL = "https://münchen.example.test"
	if resolved, reason, err := compat.ResolveBillingState(dir, runtime, keys, "org-1", stored, now); err != nil || resolved.PlanVersion != "" || reason == nil {
		t.Errorf("under a public URL that names no host: %+v %v %v", resolved, reason, err)
	}
	runtime.PublicURL = "https://t-1.example.test"

	// A refresh of that lease.
	later := now.Add(24 * time.Hour)
	ask := func(status int, answer string, failures uint32) (time.Duration, pulsetrust.RefreshOutcome, error) {
		return compat.RefreshLease(t.Context(), dir, runtime, keys, "org-1", failures, later,
			func(_ context.Context, body []byte) (int, []byte, error) {
				expected := `{"org_id":"org-1","instance_host":"t-1.example.test","entitlement_refresh_token":"etr_hosted_1"}`
				if string(body) != expected {
					t.Errorf("%s", body)
				}
				return status, []byte(answer), nil
			})
	}
	// The control plane issues another lease while it answers the refresh of the one before.
	for _, status := range []int{http.StatusGone, http.StatusOK} {
		reissued := func(token string) {
			billing := must[*billingState](t)(first(compat.LoadBillingState[billingState](dir, "org-1")))
			billing.EntitlementRefreshToken = token
			if _, _, err := compat.SaveBillingState(dir, "org-1", billing); err != nil {
				t.Fatal(err)
			}
		}
		next, outcome, err := compat.RefreshLease(t.Context(), dir, runtime, keys, "org-1", 0, now,
			func(context.Context, []byte) (int, []byte, error) {
				reissued("etr_hosted_2")
				return status, []byte(`{"entitlement_jwt":"` + lease("org-1", now) + `"}`), nil
			})
		if outcome != compat.LeaseSuperseded || next == 0 || err != nil {
			t.Errorf("%d, too late: %v %s %v", status, next, outcome, err)
		}
		after := must[*billingState](t)(first(compat.LoadBillingState[billingState](dir, "org-1")))
		if after.EntitlementJWT != stored.EntitlementJWT || after.EntitlementRefreshToken != "etr_hosted_2" {
			t.Errorf("%d, too late: %+v", status, after)
		}
		reissued("etr_hosted_1")
	}
	if next, outcome, err := ask(http.StatusServiceUnavailable, "", 1); outcome != pulsetrust.LeaseRetry || next != time.Minute || err != nil {
		t.Errorf("503: %v %s %v", next, outcome, err)
	}
	forOther := `{"entitlement_jwt":"` + lease("default", later) + `"}`
	if next, outcome, err := ask(http.StatusOK, forOther, 0); outcome != pulsetrust.LeaseRetry || next != 30*time.Second || !errors.Is(err, pulsetrust.ErrOrgMismatch) {
		t.Errorf("a lease for another organization: %v %s %v", next, outcome, err)
	}
	renewed := lease("org-1", later)
	next, outcome, err := ask(http.StatusOK, `{"entitlement_jwt":"`+renewed+`"}`, 0)
	stored = must[*billingState](t)(first(compat.LoadBillingState[billingState](dir, "org-1")))
	if outcome != pulsetrust.LeaseRefreshed || next < 4*time.Hour || err != nil || stored.EntitlementJWT != renewed {
		t.Errorf("a new lease: %v %s %v", next, outcome, err)
	}
	next, outcome, err = ask(http.StatusGone, "", 0)
	stored = must[*billingState](t)(first(compat.LoadBillingState[billingState](dir, "org-1")))
	if outcome != pulsetrust.LeaseLost || next != 0 || err != nil || stored.EntitlementJWT != "" || stored.SubscriptionState != "expired" {
		t.Errorf("410: %v %s %v %+v", next, outcome, err, stored)
	}
	if next, outcome, err := ask(http.StatusOK, "", 0); next != 0 || outcome != "" || err != nil {
		t.Errorf("nothing to refresh: %v %s %v", next, outcome, err)
	}
}

// What a newer runtime wrote is not lost by an older one's struct, and what is empty there is dropped.
func TestUnknownBillingMembersSurvive(t *testing.T) {
	dir := open(t, copied(t, "billing/current"))
	newer := must[*map[string]any](t)(first(compat.LoadBillingState[map[string]any](dir, "default")))
	(*newer)["from_the_future"] = "kept"
	if _, _, err := compat.SaveBillingState(dir, "default", newer); err != nil {
		t.Fatal(err)
	}
	state := must[*billingState](t)(first(compat.LoadBillingState[billingState](dir, "default")))
	state.StripeCustomerID = ""
	if _, _, err := compat.SaveBillingState(dir, "default", state); err != nil {
		t.Fatal(err)
	}
	after := must[*map[string]any](t)(first(compat.LoadBillingState[map[string]any](dir, "default")))
	if _, there := (*after)["stripe_customer_id"]; there || (*after)["from_the_future"] != "kept" {
		t.Errorf("%v", *after)
	}
	if _, _, err := compat.LoadBillingState[billingState](dir, "../x"); !errors.Is(err, pulsetrust.ErrOrgIDInvalid) || !strings.HasPrefix(err.Error(), "billing state for org ../x: ") {
		t.Errorf("%v", err)
	}
}
