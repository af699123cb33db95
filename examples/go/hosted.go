package pulsetrust

import (
	"encoding/json"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A RuntimeConfig is how a runtime is configured: what a tenant container gets from its environment.
type RuntimeConfig struct {
	Hosted       bool   // PULSE_HOSTED_MODE
	PublicURL    string // PULSE_PUBLIC_URL; empty: the lease's own host counts
	RelayEnabled string // PULSE_RELAY_ENABLED
	RelayServer  string // PULSE_RELAY_SERVER
}

// withRuntime makes a call with the directory, a runtime in the same instance as the directory, and a time in seconds.
func (d *DataDir) withRuntime(
	config RuntimeConfig, keys *TrustKeys, now time.Time, job func(dir, runtime engine.Ref, seconds int64) error,
) error {
	seconds, err := secondsOf(now)
	if err != nil {
		return err
	}
	return d.use(func(dir engine.Ref) error {
		trusted, err := keys.on(dir.Instance().Index())
		if err != nil {
			return err
		}
		mode := int32(engine.ModeSelfHosted)
		if config.Hosted {
			mode = engine.ModeHosted
		}
		return trusted.use(func(keys engine.Ref) error {
			runtime, err := engine.RuntimeNew(mode, keys, config.PublicURL, config.RelayEnabled, config.RelayServer)
			if err != nil {
				return err
			}
			defer engine.RuntimeFree(runtime)
			return job(dir, runtime, seconds)
		})
	})
}

// A Reason is an error inside a report.
type Reason struct {
	Code    Code   `json:"code"`
	Name    string `json:"name"`
	Message string `json:"message"`
}

// A Credential is what a runtime registers with, and says what became of every candidate.
type Credential struct {
	Token      string  `json:"token"`   // secret; empty where no candidate can be offered
	Offered    string  `json:"offered"` // which candidate
	Suspended  bool    `json:"suspended"`
	Blocked    *Reason `json:"blocked"` // why an activation blocks every credential
	Candidates []struct {
		Kind    string  `json:"kind"`
		Refused *Reason `json:"refused"`
	} `json:"candidates"`
}

// A BootstrapReport is what a runtime works with after its start.
type BootstrapReport struct {
	Outcome    string       `json:"outcome"` // "bootstrapped", "identity_made" or "unchanged"
	Reason     *Reason      `json:"reason"`  // why it was not bootstrapped
	Config     *RelayConfig `json:"config"`  // in effect
	Credential Credential   `json:"credential"`
	Warnings   []string     `json:"warnings"`
}

// Bootstrap prepares a runtime's directory so that the runtime can register. Running it again changes nothing.
func (d *DataDir) Bootstrap(config RuntimeConfig, keys *TrustKeys, now time.Time) (report BootstrapReport, err error) {
	err = d.withRuntime(config, keys, now, func(dir, runtime engine.Ref, seconds int64) error {
		bytes, err := engine.Bootstrap(dir, runtime, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &report)
	})
	return report, err
}

// RegistrationCredential picks the credential to register with. If none can be offered, the error says why for each
// candidate.
func (d *DataDir) RegistrationCredential(config RuntimeConfig, keys *TrustKeys, now time.Time) (credential Credential, err error) {
	err = d.withRuntime(config, keys, now, func(dir, runtime engine.Ref, seconds int64) error {
		bytes, err := engine.RegistrationCredential(dir, runtime, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &credential)
	})
	return credential, err
}

// A ReadinessReport says which link of the chain from "provisioned" to "can register" is broken.
type ReadinessReport struct {
	Ready bool `json:"ready"`
	Links []struct {
		Name  string  `json:"name"`
		State string  `json:"state"` // "holds", "will_be_made" or "broken"
		Seen  string  `json:"seen"`
		Error *Reason `json:"error"`
	} `json:"links"`
	Warnings []string `json:"warnings"`
}

// Readiness looks at a directory as Bootstrap would, but changes nothing.
func (d *DataDir) Readiness(config RuntimeConfig, keys *TrustKeys, now time.Time) (report ReadinessReport, err error) {
	err = d.withRuntime(config, keys, now, func(dir, runtime engine.Ref, seconds int64) error {
		bytes, err := engine.Readiness(dir, runtime, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &report)
	})
	return report, err
}

// A TenantOrder is what a tenant has ordered. An empty member was not given.
type TenantOrder struct {
	TenantID             string `json:"tenant_id"`
	BaseURL              string `json:"base_url"`
	Email                string `json:"email,omitempty"`
	PlanVersion          string `json:"plan_version,omitempty"`
	SubscriptionState    string `json:"subscription_state,omitempty"`
	TrialEndsAt          *int64 `json:"trial_ends_at,omitempty"`
	StripeCustomerID     string `json:"stripe_customer_id,omitempty"`
	StripeSubscriptionID string `json:"stripe_subscription_id,omitempty"`
	StripePriceID        string `json:"stripe_price_id,omitempty"`
}

// IssueBillingState is the control plane's side: it signs a lease and saves the billing state that holds it. It returns the
// tenant's host.
func (d *DataDir) IssueBillingState(order TenantOrder, signingKey string, now time.Time) (host string, err error) {
	text, err := marshal(order)
	if err != nil {
		return "", err
	}
	seconds, err := secondsOf(now)
	if err != nil {
		return "", err
	}
	err = d.use(func(dir engine.Ref) error {
		// The key has to live in the same instance as the directory.
		key, err := engine.SigningKeyFromBase64(dir.Instance(), signingKey)
		if err != nil {
			return err
		}
		defer engine.SigningKeyFree(key)
		bytes, err := engine.BillingStateIssue(dir, string(text), key, seconds)
		host = string(bytes)
		return err
	})
	return host, err
}
