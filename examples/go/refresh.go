package pulsetrust

import (
	"encoding/json"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// LeaseRefresh is what the directory's lease is refreshed with, for [InstanceSettings]; nil where the billing state
// holds no refresh token. The session then asks for a refresh by the event "refresh_due".
func (d *DataDir) LeaseRefresh(config RuntimeConfig, keys *TrustKeys, now time.Time) (refresh *RefreshSettings, err error) {
	err = d.withRuntime(config, keys, func(dir, runtime engine.Ref) error {
		bytes, err := engine.LeaseRefreshLoad(dir, runtime, now.Unix())
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &refresh)
	})
	return refresh, err
}

// SaveRefreshedLease saves the token of an event "lease_refreshed" in place of the directory's lease, after it was
// verified once more. Where the billing state holds no lease any more, it fails with [ErrNoLease].
func (d *DataDir) SaveRefreshedLease(config RuntimeConfig, keys *TrustKeys, token string, now time.Time) (warnings []string, err error) {
	err = d.withRuntime(config, keys, func(dir, runtime engine.Ref) error {
		bytes, err := engine.RefreshedLeaseSave(dir, runtime, token, now.Unix())
		if err != nil {
			return err
		}
		warnings, err = refreshWarnings(bytes)
		return err
	})
	return warnings, err
}

// ClearLostLease clears lease and refresh token and saves the state "expired", after an event "lease_lost". Where the
// billing state holds no lease any more, it fails with [ErrNoLease].
func (d *DataDir) ClearLostLease() (warnings []string, err error) {
	err = d.use(func(dir engine.Ref) error {
		bytes, err := engine.LostLeaseClear(dir)
		if err != nil {
			return err
		}
		warnings, err = refreshWarnings(bytes)
		return err
	})
	return warnings, err
}

func refreshWarnings(bytes []byte) ([]string, error) {
	var report struct {
		Warnings []string `json:"warnings"`
	}
	err := json.Unmarshal(bytes, &report)
	return report.Warnings, err
}

// RefreshAnswered hands on what the control plane has answered to the request of an event "refresh_due": its HTTP
// status and its body.
func (s *Session) RefreshAnswered(status int, body []byte) error {
	if status < 0 || status > 999 {
		status = 0 // no status of HTTP: it counts as an answer that says nothing
	}
	return s.tell(engine.FeedRefreshAnswer, uint32(status), body)
}

// RefreshFailed says that the control plane could not be asked. The session asks again later.
func (s *Session) RefreshFailed() error { return s.tell(engine.FeedRefreshFailure, 0, nil) }

// tell feeds the session from outside of Run, and wakes Run.
func (s *Session) tell(what int32, number uint32, data []byte) error {
	err := s.feed(what, number, data)
	s.rouse()
	return err
}
