package pulsetrust

import (
	"encoding/json"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// CanonicalPlan is the canonical name of a plan: for "Cloud-V1" it is "cloud_starter". A name that is not an alias is only
// trimmed.
func CanonicalPlan(plan string) (string, error) {
	return onAny(func(in *engine.Instance) ([]byte, error) { return engine.PlanCanonical(in, plan) })
}

// ScrubLimits returns the limits that count for a plan, without those that no longer do. The given map is not changed.
func ScrubLimits(plan string, limits map[string]int64) (scrubbed map[string]int64, err error) {
	if limits == nil {
		limits = map[string]int64{}
	}
	text, err := marshal(limits)
	if err != nil {
		return nil, err
	}
	return jsonOnAny[map[string]int64](func(in *engine.Instance) ([]byte, error) {
		return engine.LimitsScrub(in, plan, string(text))
	})
}

// TierCapabilities returns the capabilities of a tier of licenses and grants together with further features, sorted, each
// name once. An unknown tier has none of its own.
func TierCapabilities(tier string, features ...string) ([]string, error) {
	text, err := marshal(append([]string{}, features...))
	if err != nil {
		return nil, err
	}
	return jsonOnAny[[]string](func(in *engine.Instance) ([]byte, error) {
		return engine.TierCapabilities(in, tier, string(text))
	})
}

// jsonOnAny makes a call that needs no handle and returns JSON.
func jsonOnAny[T any](job func(*engine.Instance) ([]byte, error)) (value T, err error) {
	text, err := onAny(job)
	if err != nil {
		return value, err
	}
	return value, json.Unmarshal([]byte(text), &value)
}
