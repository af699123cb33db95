package compat

import (
	"context"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// LeaseSuperseded is the outcome of a round whose answer came too late: the control plane has issued another lease meanwhile,
// or somebody has cleared this one. The billing state was left as it is.
const LeaseSuperseded pulsetrust.RefreshOutcome = "superseded"

// RefreshLease is one round of the runtime's hosted entitlement refresh for an organization. It asks the control plane
// through post, which returns the status and the body of the answer. It saves what follows from the answer: the new lease,
// or that there no longer is one. It returns the time until the next round; 0 if there is nothing (or nothing more) to
// refresh. failures is the number of failed rounds before this one.
func RefreshLease(
	ctx context.Context, dir *pulsetrust.DataDir, runtime pulsetrust.RuntimeConfig, keys *pulsetrust.TrustKeys, org string,
	failures uint32, now time.Time, post func(ctx context.Context, body []byte) (status int, answer []byte, err error),
) (next time.Duration, outcome pulsetrust.RefreshOutcome, err error) {
	if post == nil {
		return 0, "", refused("post is nil: expected a function that asks the control plane")
	}
	refresh, err := dir.LeaseRefresh(runtime, keys, org, now)
	if err != nil || refresh == nil {
		return 0, "", contextOf("hosted entitlement refresh", err)
	}
	body, err := refresh.Request()
	if err != nil {
		return 0, "", err
	}
	outcome = pulsetrust.LeaseRetry
	var token string
	status, answer, err := post(ctx, body)
	if err == nil {
		outcome, token, err = refresh.Answered(keys, status, answer, now)
	}
	var saved pulsetrust.RefreshSaved
	switch outcome {
	case pulsetrust.LeaseRefreshed:
		saved, err = dir.SaveRefreshedLease(runtime, keys, org, refresh.RefreshToken, token, now)
	case pulsetrust.LeaseLost:
		saved, err = dir.ClearLostLease(org, refresh.RefreshToken)
		if err != nil || !saved.Superseded {
			return 0, outcome, contextOf("hosted entitlement refresh", err)
		}
	}
	if saved.Superseded {
		outcome = LeaseSuperseded
	}
	if err == nil && outcome != pulsetrust.LeaseRetry {
		current, err := dir.LeaseRefresh(runtime, keys, org, now)
		if err != nil || current == nil {
			return 0, outcome, err
		}
		next, err = pulsetrust.RefreshDelay(time.Unix(current.ExpiresAt, 0), now)
		return next, outcome, err
	}
	next, backoffErr := pulsetrust.RefreshBackoff(failures + 1)
	if err == nil {
		err = backoffErr
	}
	return next, outcome, contextOf("hosted entitlement refresh", err)
}
