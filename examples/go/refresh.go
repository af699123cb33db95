package pulsetrust

import (
	"encoding/json"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// DefaultOrg is the organization of a hosted tenant.
const DefaultOrg = "default"

// LeaseRefresh returns the settings for refreshing the lease of an organization ([DefaultOrg] for a hosted tenant), to be
// used in [InstanceSettings]; nil if the billing state holds no refresh token. The session then asks for a refresh with the
// event "refresh_due". A runtime without a session posts [RefreshSettings.Request], and passes the answer to
// [RefreshSettings.Answered].
func (d *DataDir) LeaseRefresh(config RuntimeConfig, keys *TrustKeys, org string, now time.Time) (refresh *RefreshSettings, err error) {
	err = d.withRuntime(config, keys, now, func(dir, runtime engine.Ref, seconds int64) error {
		bytes, err := engine.LeaseRefreshLoad(dir, runtime, org, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &refresh)
	})
	return refresh, err
}

// RefreshSaved is what came of a refresh, as it was saved in the billing state.
type RefreshSaved struct {
	// Superseded says that the billing state no longer holds the refresh token that was asked with, so nothing was changed:
	// the control plane has issued another lease meanwhile, or somebody has cleared this one. That is no fault. Make a new
	// session with what [DataDir.RegistrationCredential] and [DataDir.LeaseRefresh] return now.
	Superseded bool     `json:"superseded"`
	Warnings   []string `json:"warnings"`
}

// SaveRefreshedLease verifies the token of an event "lease_refreshed", or of [RefreshSettings.Answered], once more, and
// saves it in place of the organization's lease, which must be for the same host. refreshToken is the one that was asked
// with: that of the event, or of the settings. If the billing state no longer holds a lease, it fails with [ErrNoLease].
func (d *DataDir) SaveRefreshedLease(
	config RuntimeConfig, keys *TrustKeys, org, refreshToken, token string, now time.Time,
) (saved RefreshSaved, err error) {
	err = d.withRuntime(config, keys, now, func(dir, runtime engine.Ref, seconds int64) error {
		bytes, err := engine.RefreshedLeaseSave(dir, runtime, org, refreshToken, token, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &saved)
	})
	return saved, err
}

// ClearLostLease clears the organization's lease and refresh token and saves the state "expired", after an event
// "lease_lost" or a final answer. refreshToken is the one that was refused: that of the event, or of the settings. A billing
// state that holds another one has another lease, which stays.
func (d *DataDir) ClearLostLease(org, refreshToken string) (saved RefreshSaved, err error) {
	err = d.use(func(dir engine.Ref) error {
		bytes, err := engine.LostLeaseClear(dir, org, refreshToken)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &saved)
	})
	return saved, err
}

// Request is the body to post to the control plane. It holds the refresh token.
func (r *RefreshSettings) Request() ([]byte, error) {
	if r == nil {
		return nil, errNotMade
	}
	return marshal(struct {
		OrgID        string `json:"org_id"`
		InstanceHost string `json:"instance_host"`
		RefreshToken string `json:"entitlement_refresh_token"`
	}{r.OrgID, r.InstanceHost, r.RefreshToken})
}

// A RefreshOutcome is what the control plane's answer means.
type RefreshOutcome string

// The outcomes.
const (
	LeaseRefreshed RefreshOutcome = "refreshed" // there is a new lease: SaveRefreshedLease
	LeaseLost      RefreshOutcome = "final"     // the control plane refused for good: ClearLostLease
	LeaseRetry     RefreshOutcome = "retry"     // ask again after RefreshBackoff
)

// Answered takes the answer to [RefreshSettings.Request]: its HTTP status and its body. The token is a new lease, which was
// verified against the host and the organization. An error says why a lease in the answer does not verify; in that case
// too, ask again after [RefreshBackoff].
func (r *RefreshSettings) Answered(keys *TrustKeys, status int, body []byte, now time.Time) (outcome RefreshOutcome, token string, err error) {
	outcome = LeaseRetry
	if r == nil {
		return outcome, "", errNotMade
	}
	seconds, err := secondsOf(now)
	if err != nil {
		return outcome, "", err
	}
	err = keys.use(func(ref engine.Ref) error {
		bytes, err := engine.LeaseRefreshAnswer(ref, r.OrgID, r.InstanceHost, httpStatus(status), body, seconds)
		if err != nil {
			return err
		}
		var answer struct {
			Outcome RefreshOutcome `json:"outcome"`
			Token   string         `json:"token"`
		}
		err = json.Unmarshal(bytes, &answer)
		outcome, token = answer.Outcome, answer.Token
		return err
	})
	return outcome, token, err
}

// httpStatus is an HTTP status, or 0, which counts as an answer that says nothing.
func httpStatus(status int) uint32 {
	if status < 0 || status > 999 {
		return 0
	}
	return uint32(status)
}

// RefreshAnswered passes on the control plane's answer to the request of an event "refresh_due": its HTTP status and its
// body.
func (s *Session) RefreshAnswered(status int, body []byte) error {
	return s.tell(engine.FeedRefreshAnswer, httpStatus(status), body)
}

// RefreshFailed says that the control plane could not be asked. The session asks again later.
func (s *Session) RefreshFailed() error { return s.tell(engine.FeedRefreshFailure, 0, nil) }

// tell feeds the session from outside of Run, and wakes Run.
func (s *Session) tell(what int32, number uint32, data []byte) error {
	err := s.feed(what, number, data)
	s.rouse()
	return err
}
