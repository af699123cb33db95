package compat

import (
	"encoding/json"
	"maps"
	"reflect"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// LoadBillingState is internal/config.FileBillingStore.GetBillingState: the billing state of an organization as the file
// has it, with secrets in plain text; nil if there is no file. State is the runtime's BillingState. Unlike in the deployed
// function, a file that was modified outside Pulse is an error and does not count as missing.
func LoadBillingState[State any](dir *pulsetrust.DataDir, org string) (state *State, warnings []string, err error) {
	billing, _, warnings, err := dir.BillingState(org)
	if err != nil || billing == nil {
		return nil, warnings, contextOf("billing state for org "+org, err)
	}
	state, err = decode[State](billing)
	return state, warnings, err
}

// SaveBillingState is internal/config.FileBillingStore.SaveBillingState. It returns the integrity code, and sets it in the
// state as the deployed function does. Members of the file stay that State does not have by their JSON names; of a map or of
// a State that writes its own JSON, the members that the library does not know. A file that cannot be read, or was modified
// outside Pulse, is not replaced.
func SaveBillingState[State any](dir *pulsetrust.DataDir, org string, state *State) (integrity string, warnings []string, err error) {
	own, err := membersOf(state)
	if err != nil {
		return "", nil, err
	}
	stored, revision, _, err := dir.BillingState(org)
	if err != nil {
		return "", nil, contextOf("billing state for org "+org, err)
	}
	members := map[string]json.RawMessage{}
	if stored != nil {
		if err := json.Unmarshal(stored, &members); err != nil {
			return "", nil, err
		}
	}
	drop(members, reflect.TypeFor[State](), billingMembers)
	maps.Copy(members, own)
	text, err := marshal(members)
	if err != nil {
		return "", nil, err
	}
	saved, err := dir.SaveBillingState(org, text, revision)
	if err != nil {
		return "", nil, contextOf("billing state for org "+org, err)
	}
	code, err := marshal(map[string]string{"integrity": saved.Integrity})
	if err != nil {
		return "", nil, err
	}
	return saved.Integrity, saved.Warnings, json.Unmarshal(code, state)
}

// ResolveBillingState is pkg/licensing.ResolveEntitlementLeaseBillingState: it verifies the lease in a billing state and
// says what the state is worth now. The lease has to be for the organization org; an empty org accepts a lease for any, as
// the deployed function does. The expected host is that of the runtime's public URL. The reason says why a lease does not
// count; it is nil if the lease counts or there is none.
func ResolveBillingState[State any](dir *pulsetrust.DataDir, runtime pulsetrust.RuntimeConfig, keys *pulsetrust.TrustKeys, org string, state *State, now time.Time) (resolved *State, reason *pulsetrust.Reason, err error) {
	members, err := membersOf(state)
	if err != nil {
		return nil, nil, err
	}
	text, err := marshal(members)
	if err != nil {
		return nil, nil, err
	}
	counts, err := dir.ResolveBilling(runtime, keys, org, text, now)
	if err != nil {
		return nil, nil, err
	}
	decided, err := convert[map[string]json.RawMessage](counts)
	if err != nil {
		return nil, nil, err
	}
	// The deployed state has neither of these.
	delete(*decided, "lease_error")
	delete(*decided, "granted")
	maps.Copy(members, *decided)
	resolved, err = convert[State](members)
	return resolved, counts.LeaseError, err
}

// billingMembers are the members that the library knows.
var billingMembers = []string{
	"capabilities", "limits", "meters_enabled", "entitlement_jwt", "entitlement_refresh_token", "commercial_migration",
	"plan_version", "subscription_state", "trial_started_at", "trial_ends_at", "trial_extended_at", "overflow_granted_at",
	"quickstart_credits_granted", "quickstart_credits_used", "quickstart_credits_granted_at", "integrity",
	"stripe_customer_id", "stripe_subscription_id", "stripe_price_id",
}
