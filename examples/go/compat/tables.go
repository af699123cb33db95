package compat

import (
	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// CanonicalizePlanVersion is pkg/licensing.CanonicalizePlanVersion. If the library cannot be started, the plan stays as it
// is.
func CanonicalizePlanVersion(plan string) string {
	canonical, err := pulsetrust.CanonicalPlan(plan)
	if err != nil {
		return plan
	}
	return canonical
}

// DeriveCapabilitiesFromTier is pkg/licensing.DeriveCapabilitiesFromTier: sorted, each name once.
func DeriveCapabilitiesFromTier(tier string, features []string) ([]string, error) {
	return pulsetrust.TierCapabilities(tier, features...)
}

// ScrubLimits returns the limits that still count for a plan.
func ScrubLimits(plan string, limits map[string]int64) (map[string]int64, error) {
	return pulsetrust.ScrubLimits(plan, limits)
}
