package pulsetrust_test

import (
	"context"
	"errors"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// Values that were never made, and nil for one, crashed the program.
func TestWhatWasNeverMadeIsRefused(t *testing.T) {
	now := time.Now()
	identity := must[*pulsetrust.Identity](t)(pulsetrust.GenerateIdentity())
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(t.TempDir()))
	defer dir.Close()
	nothing := func(pulsetrust.SessionEvent) {}
	dial := func(context.Context, string) (pulsetrust.Conn, error) { return nil, errors.New("no network") }
	for name, call := range map[string]func() error{
		"keys": func() error {
			_, err := pulsetrust.VerifyToken(&pulsetrust.TrustKeys{}, "", pulsetrust.LeaseChecks{}, now)
			return err
		},
		"nil keys": func() error {
			_, err := pulsetrust.InspectToken(nil, "", pulsetrust.LeaseChecks{}, now)
			return err
		},
		"tables": func() error { _, err := new(pulsetrust.TrustKeys).WithTables(pulsetrust.TablesSmall); return err },
		"keys of an admission": func() error {
			_, err := pulsetrust.NewAdmission(&pulsetrust.TrustKeys{}, 0)
			return err
		},
		"keys of a session": func() error {
			_, err := pulsetrust.NewInstanceSession(pulsetrust.InstanceSettings{}, identity, &pulsetrust.TrustKeys{})
			return err
		},
		"identity of a session": func() error {
			_, err := pulsetrust.NewInstanceSession(pulsetrust.InstanceSettings{}, nil, nil)
			return err
		},
		"signing key":     func() error { _, err := new(pulsetrust.SigningKey).PublicKey(); return err },
		"nil signing key": func() error { _, err := pulsetrust.SignToken(nil, pulsetrust.KindLease, nil, false); return err },
		"identity":        func() error { _, err := new(pulsetrust.Identity).PublicKey(); return err },
		"nil identity":    func() error { _, _, err := pulsetrust.AcceptKeyExchange(nil, nil); return err },
		"token":           func() error { return new(pulsetrust.Token).Check("relay", now) },
		"admission":       func() error { return new(pulsetrust.Admission).Revoke(pulsetrust.RevokeHost, "x") },
		"handshake":       func() error { _, err := new(pulsetrust.Handshake).Message(); return err },
		"channel":         func() error { _, err := new(pulsetrust.Channel).Seal(nil); return err },
		"directory":       func() error { return new(pulsetrust.DataDir).Lock(0) },
		"session":         func() error { return new(pulsetrust.Session).Accept(1) },
		"run":             func() error { return new(pulsetrust.Session).Run(t.Context(), dial, nothing) },
		"nil config":      func() error { _, err := dir.SaveRelayConfig(nil); return err },
		"pairing of nil":  func() error { _, err := pulsetrust.BuildPairing(nil, "", "", ""); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := call(); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
				t.Errorf("%v", err)
			}
		})
	}
	for _, value := range []interface{ Close() }{
		&pulsetrust.TrustKeys{}, &pulsetrust.SigningKey{}, &pulsetrust.Identity{}, &pulsetrust.Token{}, &pulsetrust.Admission{},
		&pulsetrust.Handshake{}, &pulsetrust.Channel{}, &pulsetrust.DataDir{}, &pulsetrust.Session{},
	} {
		value.Close()
	}
}

// A deferred Close that comes before the error is looked at crashed the program.
func TestCloseOfNilDoesNothing(t *testing.T) {
	for _, value := range []interface{ Close() }{
		(*pulsetrust.TrustKeys)(nil), (*pulsetrust.SigningKey)(nil), (*pulsetrust.Identity)(nil), (*pulsetrust.Token)(nil),
		(*pulsetrust.Admission)(nil), (*pulsetrust.Handshake)(nil), (*pulsetrust.Channel)(nil), (*pulsetrust.DataDir)(nil),
		(*pulsetrust.Session)(nil),
	} {
		value.Close()
	}
}
