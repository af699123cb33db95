package main

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A tenant is a runtime that was bootstrapped and can register.
type tenant struct {
	settings settings
	events   *events
	dir      *pulsetrust.DataDir
	keys     *pulsetrust.TrustKeys
	config   *pulsetrust.RelayConfig // in effect
	identity *pulsetrust.Identity
	api      http.Handler
	times    *pulsetrust.SessionTimes // nil: as deployed
	session  atomic.Pointer[pulsetrust.Session]
}

// start does what a runtime does before it connects to the relay.
func start(path string, settings settings, events *events) (started *tenant, err error) {
	t := &tenant{settings: settings, events: events}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.keys, err = pulsetrust.NewTrustKeys(settings.leaseKeys, settings.licenseKeys); err != nil {
		return nil, fmt.Errorf("trust keys: %w", err)
	}
	if t.dir, err = pulsetrust.OpenDataDir(path); err != nil {
		return nil, err
	}
	report, err := t.dir.Bootstrap(settings.runtime, t.keys, time.Now())
	if err != nil {
		return nil, err
	}
	events.warn(report.Warnings)
	t.config = report.Config
	if !t.config.Enabled {
		return nil, notEnabled(report.Reason)
	}
	if t.identity, err = pulsetrust.IdentityFromPrivateKey(t.config.IdentityPrivateKey); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	t.api = newAPI(t.config.InstanceSecret, t.push)
	events.write(event{
		"event":       "bootstrapped",
		"outcome":     report.Outcome,
		"fingerprint": t.config.IdentityFingerprint,
		"credential":  report.Credential.Offered,
		"relay_url":   t.config.ServerURL,
		"engine":      pulsetrust.Engine,
	})
	return t, nil
}

// notEnabled says why there is nothing to register with.
func notEnabled(reason *pulsetrust.Reason) error {
	if reason == nil {
		return &pulsetrust.Error{Code: pulsetrust.ErrRelayDisabled, Message: "the relay is disabled in relay.enc, which this program does not override"}
	}
	return &pulsetrust.Error{Code: reason.Code, Message: reason.Message}
}

// credential picks what to register with now: a lease in billing.json may have been refreshed in the meantime.
func (t *tenant) credential() (string, error) {
	picked, err := t.dir.RegistrationCredential(t.settings.runtime, t.keys, time.Now())
	if err != nil {
		return "", err
	}
	if picked.Token == "" {
		return "", noCredential(picked)
	}
	return picked.Token, nil
}

func noCredential(picked pulsetrust.Credential) error {
	var reasons []error
	for _, candidate := range picked.Candidates {
		if refused := candidate.Refused; refused != nil {
			reasons = append(reasons, fmt.Errorf("%s: %w", candidate.Kind,
				&pulsetrust.Error{Code: refused.Code, Message: refused.Message}))
		}
	}
	return errors.Join(append(reasons, &pulsetrust.Error{Code: pulsetrust.ErrNoCredential, Message: "no credential to register with"})...)
}

// pairingCode is what the phone scans, once the relay has said which instance this is.
func (t *tenant) pairingCode(instanceID string) (pulsetrust.Pairing, error) {
	return pulsetrust.BuildPairing(t.config, instanceID, t.settings.authToken, t.settings.runtime.PublicURL)
}

// push asks the relay to notify the phones. Nothing is kept for later: without a registration it fails.
func (t *tenant) push(notification pulsetrust.PushNotification) error {
	session := t.session.Load()
	if session == nil {
		return &pulsetrust.Error{Code: pulsetrust.ErrSessionNotOpen, Message: "there is no session with a relay"}
	}
	return session.Push(notification)
}

func (t *tenant) close() {
	if t.identity != nil {
		t.identity.Close()
	}
	if t.dir != nil {
		t.dir.Close()
	}
	if t.keys != nil {
		t.keys.Close()
	}
}
