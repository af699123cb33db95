package pulsetrust

import (
	"encoding/json"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// An Admission decides who may register at a relay.
type Admission struct{ handle *handle }

// A Revocation says what is revoked.
type Revocation int32

// What can be revoked.
const (
	RevokeLicense      Revocation = engine.RevokeLicense      // by license id
	RevokeInstallation Revocation = engine.RevokeInstallation // by installation id
	RevokeToken        Revocation = engine.RevokeToken        // by token id
	RevokeHost         Revocation = engine.RevokeHost         // by the host of a lease
	RevokeInstance     Revocation = engine.RevokeInstance     // by instance id
	RevokeSigningKey   Revocation = engine.RevokeSigningKey   // by the id of the key that signed
)

// NewAdmission makes an admission that trusts these keys. Leeway is how far the clocks may differ, 0 to 5 minutes;
// fractions of a second are dropped.
func NewAdmission(keys *TrustKeys, leeway time.Duration) (*Admission, error) {
	seconds, err := leewaySeconds(leeway)
	if err != nil {
		return nil, err
	}
	var admission *Admission
	err = keys.use(func(ref engine.Ref) error {
		made, err := own(ref.Instance(), engine.AdmissionFree, func() (engine.Ref, error) { return engine.AdmissionNew(ref, seconds) })
		if err == nil {
			admission = &Admission{made}
		}
		return err
	})
	return admission, err
}

// Revoke revokes whatever has this id. It takes effect from the next admission on.
func (a *Admission) Revoke(what Revocation, id string) error {
	return a.held().use(func(ref engine.Ref) error { return engine.AdmissionRevoke(ref, int32(what), id) })
}

// RevokeLicenseBelow revokes every grant of a license whose version is below the lowest that still counts. This floor can
// only be raised.
func (a *Admission) RevokeLicenseBelow(licenseID string, lowestVersion int64) error {
	return a.held().use(func(ref engine.Ref) error {
		return engine.AdmissionRevokeLicenseBelow(ref, licenseID, lowestVersion)
	})
}

// A Registration may be answered with an ACK.
type Registration struct {
	InstanceID   string
	Kind         Kind
	ExpiresAt    time.Time // zero for a lifetime license
	Capabilities []string  // those that count now
}

// Admit decides on one registration. The hint is the instance secret, which a license or grant needs. A refusal is an
// *[Error] with the WireCode for the ERROR frame.
func (a *Admission) Admit(token, hint string, now time.Time) (registration Registration, err error) {
	seconds, err := secondsOf(now)
	if err != nil {
		return registration, err
	}
	err = a.held().use(func(ref engine.Ref) error {
		made, err := engine.AdmissionAdmit(ref, token, hint, seconds)
		if err != nil {
			return err
		}
		defer engine.RegistrationFree(made)
		registration.InstanceID = engine.RegistrationInstanceID(made)
		registration.Kind = Kind(engine.RegistrationKind(made))
		if until := engine.RegistrationExpiresAt(made); until != engine.Never {
			registration.ExpiresAt = time.Unix(until, 0)
		}
		bytes, err := engine.RegistrationCapabilitiesJSON(made, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &registration.Capabilities)
	})
	return registration, err
}

// Close frees the admission.
func (a *Admission) Close() {
	a.held().close()
}
