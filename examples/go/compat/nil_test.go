package compat_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

// A nil state erased the lease and its refresh token, and a nil config the identity.
func TestNilIsNotSaved(t *testing.T) {
	path := t.TempDir()
	dir := open(t, path)
	if _, err := dir.Seal(nil); err != nil { // makes the key
		t.Fatal(err)
	}
	state := billingState{EntitlementJWT: "a lease", EntitlementRefreshToken: "a refresh token"}
	if _, _, err := compat.SaveBillingState(dir, "default", &state); err != nil {
		t.Fatal(err)
	}
	config := relayConfig{Enabled: true, ServerURL: "wss://relay.example.test/ws/instance"}
	if _, err := compat.SaveRelayConfig(dir, &config); err != nil {
		t.Fatal(err)
	}
	files := func() (all []byte) {
		for _, name := range []string{"billing.json", "relay.enc"} {
			content, err := os.ReadFile(filepath.Join(path, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, content...)
		}
		return all
	}
	before := files()
	var noMap map[string]any
	for name, save := range map[string]func() error{
		"billing":   func() error { _, _, err := compat.SaveBillingState[billingState](dir, "default", nil); return err },
		"map":       func() error { _, _, err := compat.SaveBillingState(dir, "default", &noMap); return err },
		"config":    func() error { _, err := compat.SaveRelayConfig[relayConfig](dir, nil); return err },
		"replacing": func() error { _, err := compat.SaveRelayConfigReplacingIdentity[relayConfig](dir, nil); return err },
	} {
		if err := save(); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(before, files()) {
			t.Fatalf("%s: a file has changed", name)
		}
	}
}

// A runtime of before a member came dropped it with each save.
func TestMembersThatAStructLacksStay(t *testing.T) {
	dir := open(t, t.TempDir())
	full := billingState{EntitlementJWT: "a lease", EntitlementRefreshToken: "a refresh token", StripeCustomerID: "cus_1", PlanVersion: "pro"}
	if _, _, err := compat.SaveBillingState(dir, "default", &full); err != nil {
		t.Fatal(err)
	}
	type base struct {
		PlanVersion string `json:"plan_version"`
	}
	type olderState struct {
		base
		EntitlementJWT string `json:"entitlement_jwt,omitempty"`
		Ignored        string `json:"-"`
	}
	older := must[*olderState](t)(loaded[olderState](dir))
	older.EntitlementJWT, older.PlanVersion = "", "free"
	if _, _, err := compat.SaveBillingState(dir, "default", older); err != nil {
		t.Fatal(err)
	}
	kept := must[*billingState](t)(loaded[billingState](dir))
	if kept.EntitlementRefreshToken != "a refresh token" || kept.StripeCustomerID != "cus_1" {
		t.Errorf("members that it does not have are gone: %+v", kept)
	}
	if kept.EntitlementJWT != "" || kept.PlanVersion != "free" {
		t.Errorf("members that it has are not saved: %+v", kept)
	}

	config := relayConfig{Enabled: true, ServerURL: "wss://relay.example.test/ws/instance", InstanceSecret: "t.example.test"}
	if _, err := compat.SaveRelayConfig(dir, &config); err != nil {
		t.Fatal(err)
	}
	type olderConfig struct {
		Enabled bool `json:"enabled"`
	}
	if _, err := compat.SaveRelayConfig(dir, &olderConfig{}); err != nil {
		t.Fatal(err)
	}
	if now, _, err := compat.LoadRelayConfig[relayConfig](dir); err != nil || now.Enabled || now.InstanceSecret != "t.example.test" {
		t.Errorf("%+v, %v", now, err)
	}
}

func loaded[State any](dir *pulsetrust.DataDir) (*State, error) {
	state, _, err := compat.LoadBillingState[State](dir, "default")
	return state, err
}

// Zero and nil values crashed the program.
func TestWhatWasNeverMadeIsRefused(t *testing.T) {
	dir := open(t, t.TempDir())
	now := time.Now()
	for name, call := range map[string]func() error{
		"channel":     func() error { _, err := new(compat.ChannelEncryption).Encrypt(nil); return err },
		"nil channel": func() error { _, err := (*compat.ChannelEncryption)(nil).Decrypt(make([]byte, 40)); return err },
		"crypto":      func() error { _, err := new(compat.CryptoManager).EncryptString("x"); return err },
		"nil crypto":  func() error { _, err := (*compat.CryptoManager)(nil).DeriveKey("x", 8); return err },
		"license":     func() error { _, err := new(compat.Persistence).LoadWithMetadata(); return err },
		"nil license": func() error { return (*compat.Persistence)(nil).SaveWithGracePeriod("x", nil) },
		"delete":      func() error { return new(compat.Persistence).Delete() },
		"nil delete":  func() error { return (*compat.Persistence)(nil).Delete() },
		"activation":  func() error { return compat.SaveActivationState(nil, &struct{}{}) },
		"claims": func() error {
			_, err := compat.SignEntitlementLeaseToken(make(ed25519.PrivateKey, 64), nil, now)
			return err
		},
		"resolved": func() error {
			_, _, err := compat.ResolveBillingState[billingState](dir, pulsetrust.RuntimeConfig{}, nil, "", nil, now)
			return err
		},
		"environment":  func() error { _, err := compat.ApplyEnvOverrides[relayConfig](nil, "", ""); return err },
		"no directory": func() error { _, _, err := compat.LoadRelayConfig[relayConfig](nil); return err },
		"no post": func() error {
			_, _, err := compat.RefreshLease(context.Background(), dir, pulsetrust.RuntimeConfig{}, nil, "default", 0, now, nil)
			return err
		},
		"no time": func() error {
			claims := map[string]any{"org_id": "default", "instance_host": "t.example.test"}
			_, err := compat.SignEntitlementLeaseToken(make(ed25519.PrivateKey, 64), claims, time.Time{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := call(); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
				t.Errorf("%v", err)
			}
		})
	}
	new(compat.ChannelEncryption).Close()
	(*compat.CryptoManager)(nil).Close()
}

func TestAPrintedLicenseShowsNoKey(t *testing.T) {
	license := compat.PersistedLicense{LicenseKey: "canary-of-a-test"}
	var shown bytes.Buffer
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("", "license", license)
	fmt.Fprintf(&shown, "%v %+v %#v %q", license, &license, license, license)
	if strings.Contains(shown.String(), "canary") {
		t.Error(shown.String())
	}
	if text, err := json.Marshal(license); err != nil || !strings.Contains(string(text), "canary") {
		t.Errorf("its JSON has changed: %v", err)
	}
}
