package pulsetrust

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A Kind of token.
type Kind int32

// The kinds.
const (
	KindLease   Kind = engine.KindLease
	KindLicense Kind = engine.KindLicense
	KindGrant   Kind = engine.KindGrant
)

// String is the name of the kind, such as "lease".
func (k Kind) String() string {
	switch k {
	case KindLease:
		return "lease"
	case KindLicense:
		return "license"
	case KindGrant:
		return "grant"
	default:
		return fmt.Sprintf("Kind(%d)", int32(k))
	}
}

// A HostBinding says which host a lease may be for. The zero value accepts no lease. Two of them may accept the same leases
// and still differ for ==, because the host is kept as it was given.
type HostBinding struct {
	host string
	any  bool
}

// RequireHost accepts only leases for this host, in any spelling that has the same normal form.
func RequireHost(host string) HostBinding { return HostBinding{host: host} }

// AnyHost accepts whatever host the lease names. It is for a relay, which derives the instance id from that host.
func AnyHost() HostBinding { return HostBinding{any: true} }

func (b HostBinding) number() int32 {
	if b.any {
		return engine.HostAny
	}
	return engine.HostRequire
}

// LeaseChecks are what a lease must satisfy besides its signature.
type LeaseChecks struct {
	Host   HostBinding
	Org    string        // empty: any
	Leeway time.Duration // how far the clocks may differ, 0 to 5 minutes; fractions of a second are dropped
}

// leewaySeconds checks a leeway while it is still a time.Duration. One that is too large gets the text of the library's own
// error.
func leewaySeconds(leeway time.Duration) (uint32, error) {
	const most = engine.MaxLeewaySeconds * time.Second
	if leeway < 0 {
		return 0, &Error{Code: ErrInvalidArgument, Message: fmt.Sprintf("clock leeway of %s: expected 0 to %s", leeway, most)}
	}
	if leeway > most {
		milliseconds := leeway.Milliseconds()
		if leeway%time.Millisecond != 0 {
			milliseconds++
		}
		message := fmt.Sprintf("clock leeway of %d ms, at most %d ms are allowed", milliseconds, most.Milliseconds())
		return 0, &Error{Code: ErrLeewayTooLarge, Message: message}
	}
	return uint32(leeway / time.Second), nil
}

// A Token is a lease, license or grant that verified. Keep the value: querying it again needs no signature check.
type Token struct{ handle *handle }

// VerifyToken verifies a token as the kind that its claims say.
func VerifyToken(keys *TrustKeys, token string, checks LeaseChecks, now time.Time) (*Token, error) {
	leeway, err := leewaySeconds(checks.Leeway)
	if err != nil {
		return nil, err
	}
	seconds, err := secondsOf(now)
	if err != nil {
		return nil, err
	}
	var verified *Token
	err = keys.use(func(ref engine.Ref) error {
		made, err := own(ref.Instance(), engine.TokenFree, func() (engine.Ref, error) {
			return engine.TokenVerify(ref, token, checks.Host.number(), checks.Host.host, checks.Org, leeway, seconds)
		})
		if err == nil {
			verified = &Token{made}
		}
		return err
	})
	return verified, err
}

// Kind is the token's kind.
func (t *Token) Kind() (kind Kind, err error) {
	err = t.held().use(func(ref engine.Ref) error {
		kind = Kind(engine.TokenKind(ref))
		return nil
	})
	return kind, err
}

// CountsUntil is when the token no longer counts, its grace included; ok is false for a lifetime license.
func (t *Token) CountsUntil() (at time.Time, ok bool, err error) {
	err = t.held().use(func(ref engine.Ref) error {
		seconds := engine.TokenCountsUntil(ref)
		at, ok = time.Unix(seconds, 0), seconds != engine.Never
		return nil
	})
	return at, ok, err
}

// Check says whether the token is in term and grants a capability: nil if so.
func (t *Token) Check(capability string, now time.Time) error {
	seconds, err := secondsOf(now)
	if err != nil {
		return err
	}
	return t.held().use(func(ref engine.Ref) error { return engine.TokenCheck(ref, capability, seconds) })
}

// CheckHost says whether the token is a lease for a host, in any spelling that has the same normal form: nil if it is.
func (t *Token) CheckHost(host string) error {
	return t.held().use(func(ref engine.Ref) error { return engine.TokenCheckHost(ref, host) })
}

// ClaimsJSON returns the claims as normalized JSON.
func (t *Token) ClaimsJSON() (claims []byte, err error) {
	err = t.held().use(func(ref engine.Ref) error {
		claims, err = engine.TokenClaimsJSON(ref)
		return err
	})
	return claims, err
}

// Capabilities returns the capabilities that count at a given time, sorted.
func (t *Token) Capabilities(now time.Time) (capabilities []string, err error) {
	seconds, err := secondsOf(now)
	if err != nil {
		return nil, err
	}
	err = t.held().use(func(ref engine.Ref) error {
		bytes, err := engine.TokenCapabilitiesJSON(ref, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &capabilities)
	})
	return capabilities, err
}

// Close frees the token.
func (t *Token) Close() {
	t.held().close()
}

// An InspectedToken has a signature that verifies, but its term may be over. It grants nothing: it is for display only.
type InspectedToken struct {
	Kind   string          `json:"kind"`
	State  string          `json:"state"`
	Claims json.RawMessage `json:"claims"`
}

// InspectToken verifies a token in everything but time.
func InspectToken(keys *TrustKeys, token string, checks LeaseChecks, now time.Time) (inspected InspectedToken, err error) {
	seconds, err := secondsOf(now)
	if err != nil {
		return inspected, err
	}
	err = keys.use(func(ref engine.Ref) error {
		bytes, err := engine.TokenInspect(ref, token, checks.Host.number(), checks.Host.host, checks.Org, seconds)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &inspected)
	})
	return inspected, err
}

// SignToken signs claims, given as JSON. With nameKey the header names the key's id. What is signed are the claims that the
// library knows for the kind, in their normal form: others are dropped.
func SignToken(key *SigningKey, kind Kind, claimsJSON []byte, nameKey bool) (token string, err error) {
	if key == nil {
		return "", errNotMade
	}
	err = key.held().use(func(ref engine.Ref) error {
		name := int32(0)
		if nameKey {
			name = 1
		}
		bytes, err := engine.TokenSign(ref, int32(kind), name, string(claimsJSON))
		token = string(bytes)
		return err
	})
	return token, err
}
