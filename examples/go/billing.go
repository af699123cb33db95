package pulsetrust

import (
	"encoding/json"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// BillingState loads the billing state of an organization as JSON, with its secrets in plain text; nil if there is no file.
// The revision identifies the state of the file, and a save has to name it.
func (d *DataDir) BillingState(org string) (billing json.RawMessage, revision string, warnings []string, err error) {
	err = d.use(func(ref engine.Ref) error {
		bytes, err := engine.BillingStateLoad(ref, org)
		if err != nil {
			return err
		}
		billing, revision, warnings, err = loadedFile(bytes)
		return err
	})
	return billing, revision, warnings, err
}

// loadedFile parses the result of loading a file: the file's JSON (nil if there is no file), its revision, and warnings.
func loadedFile(bytes []byte) (content json.RawMessage, revision string, warnings []string, err error) {
	var loaded struct {
		Billing  json.RawMessage `json:"billing"`
		Content  json.RawMessage `json:"content"`
		Revision string          `json:"revision"`
		Warnings []string        `json:"warnings"`
	}
	err = json.Unmarshal(bytes, &loaded)
	for _, value := range []json.RawMessage{loaded.Billing, loaded.Content} {
		if len(value) > 0 && string(value) != "null" {
			content = value
		}
	}
	return content, loaded.Revision, loaded.Warnings, err
}

// SavedBilling is the result of saving a billing state.
type SavedBilling struct {
	Revision  string   `json:"revision"`  // the state of the file now
	Integrity string   `json:"integrity"` // the code over it; empty in a directory without a key file
	Warnings  []string `json:"warnings"`
}

// SaveBillingState saves the billing state of an organization, with its secrets sealed and the whole signed. It replaces
// the state of the file that revision names (empty: there is no file yet). If the file was changed in the meantime, it
// fails with [ErrRevisionMismatch].
func (d *DataDir) SaveBillingState(org string, billing json.RawMessage, revision string) (done SavedBilling, err error) {
	err = d.use(func(ref engine.Ref) error {
		bytes, err := engine.BillingStateSave(ref, org, string(billing), revisionOrNone(revision))
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &done)
	})
	return done, err
}

// ResolvedBilling says what a billing state is worth once the lease in it has been verified.
type ResolvedBilling struct {
	Capabilities      []string         `json:"capabilities"` // those that it names, whatever its state is
	Granted           []string         `json:"granted"`      // those that count at the given time
	Limits            map[string]int64 `json:"limits"`
	MetersEnabled     []string         `json:"meters_enabled"`
	PlanVersion       string           `json:"plan_version"`
	SubscriptionState string           `json:"subscription_state"`
	TrialStartedAt    *int64           `json:"trial_started_at"`
	TrialEndsAt       *int64           `json:"trial_ends_at"`
	LeaseError        *Reason          `json:"lease_error"`
}

// ResolveBilling resolves a billing state as [DataDir.BillingState] returns it. The lease in it has to be for the
// organization org; an empty org accepts a lease for any organization, as the deployed runtime does. The file is not
// changed.
func (d *DataDir) ResolveBilling(config RuntimeConfig, keys *TrustKeys, org string, billing json.RawMessage, now time.Time) (resolved ResolvedBilling, err error) {
	err = d.withRuntime(config, keys, now, func(_, runtime engine.Ref, seconds int64) error {
		bytes, err := engine.BillingStateResolve(runtime, org, string(billing), seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &resolved)
	})
	return resolved, err
}
