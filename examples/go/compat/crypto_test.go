package compat_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

// gcmOf is the deployed cipher of a directory, without the library.
func gcmOf(t *testing.T, path string) (cipher.AEAD, []byte) {
	t.Helper()
	text := must[[]byte](t)(os.ReadFile(filepath.Join(path, ".encryption.key")))
	key := must[[]byte](t)(base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))))
	return must[cipher.AEAD](t)(cipher.NewGCM(must[cipher.Block](t)(aes.NewCipher(key)))), key
}

func TestTheCryptoManagerReadsAndWritesAsDeployed(t *testing.T) {
	t.Setenv("PULSE_LEGACY_KEY_PATH", "")
	path := filepath.Join(t.TempDir(), "made")
	manager := must[*compat.CryptoManager](t)(compat.NewCryptoManagerAt(path))
	defer manager.Close()
	gcm, key := gcmOf(t, path)
	sealed := must[[]byte](t)(manager.Encrypt([]byte(`[{"name":"pve"}]`)))
	if opened, err := gcm.Open(nil, sealed[:12], sealed[12:], nil); err != nil || string(opened) != `[{"name":"pve"}]` {
		t.Errorf("%s %v", opened, err)
	}
	nonce := make([]byte, 12)
	if opened, err := manager.Decrypt(gcm.Seal(nonce, nonce, []byte("deployed"), nil)); err != nil || string(opened) != "deployed" {
		t.Errorf("%s %v", opened, err)
	}
	text := must[string](t)(manager.EncryptString("ä"))
	if plain, err := manager.DecryptString(text); err != nil || plain != "ä" {
		t.Errorf("%s %v", plain, err)
	}
	expected := must[[]byte](t)(hkdf.Key(sha256.New, key, nil, "audit", 32))
	for _, length := range []int{32, 16, 1} {
		if derived := must[[]byte](t)(manager.DeriveKey("audit", length)); !reflect.DeepEqual(derived, expected[:length]) {
			t.Errorf("%d bytes: %x", length, derived)
		}
	}
	sealed[20] ^= 1
	if _, err := manager.Decrypt(sealed); !errors.Is(err, pulsetrust.ErrUnsealFailed) || !strings.HasPrefix(err.Error(), "crypto.Decrypt: ") {
		t.Errorf("%v", err)
	}
	if _, err := manager.DecryptString("!"); err == nil {
		t.Error("what is not base64 is opened")
	}
	if _, err := manager.DeriveKey("", 32); err == nil {
		t.Error("a key without a purpose")
	}
	// A key that is gone while the runtime runs is not made anew over what is sealed under it.
	if err := os.WriteFile(filepath.Join(path, "nodes.enc"), sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(path, ".encryption.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := manager.Encrypt([]byte("x")); !errors.Is(err, pulsetrust.ErrKeyFileLost) {
		t.Errorf("%v", err)
	}
}

func TestTheLegacyKeyIsTakenOver(t *testing.T) {
	old := filepath.Join(t.TempDir(), ".encryption.key")
	text := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	if err := os.WriteFile(old, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PULSE_LEGACY_KEY_PATH", old)
	path := t.TempDir()
	manager := must[*compat.CryptoManager](t)(compat.NewCryptoManagerAt(path))
	defer manager.Close()
	if _, key := gcmOf(t, path); string(key) != "0123456789abcdef0123456789abcdef" {
		t.Errorf("%x", key)
	}
	if kept, err := os.ReadFile(old); err != nil || string(kept) != text+"\n" {
		t.Errorf("the original: %s %v", kept, err)
	}
	t.Setenv("PULSE_LEGACY_KEY_PATH", "relative/.encryption.key")
	if _, err := compat.NewCryptoManagerAt(t.TempDir()); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("a relative path: %v", err)
	}
	os.Unsetenv("PULSE_LEGACY_KEY_PATH")
	if path := pulsetrust.LegacyKeyPath(); path != "/etc/pulse/.encryption.key" {
		t.Error(path)
	}
}

type activationState struct {
	InstallationID      string `json:"installation_id"`
	GrantJWT            string `json:"grant_jwt"`
	PaidAccessSuspended bool   `json:"paid_access_suspended,omitempty"`
}

func TestLicenseFilesAsDeployed(t *testing.T) {
	path := t.TempDir()
	dir := open(t, path)
	files := compat.NewPersistence(dir, path)
	if state, err := compat.LoadActivationState[activationState](files); state != nil || err != nil {
		t.Errorf("%v %v", state, err)
	}
	if license, err := files.LoadWithMetadata(); license != (compat.PersistedLicense{}) || err != nil {
		t.Errorf("%v %v", license, err)
	}
	for range 2 { // made, then replaced
		state := activationState{"i-1", "a.b.c", true}
		if err := compat.SaveActivationState(files, &state); err != nil {
			t.Fatal(err)
		}
		if loaded := must[*activationState](t)(compat.LoadActivationState[activationState](files)); *loaded != state {
			t.Errorf("%+v", loaded)
		}
		ends := int64(5)
		if err := files.SaveWithGracePeriod(" d.e.f\n", &ends); err != nil {
			t.Fatal(err)
		}
		if license := must[compat.PersistedLicense](t)(files.LoadWithMetadata()); license.LicenseKey != "d.e.f" || *license.GracePeriodEnd != 5 {
			t.Errorf("%+v", license)
		}
	}
	// What the file holds is what formats.md says.
	line := must[[]byte](t)(os.ReadFile(filepath.Join(path, ".license-key")))
	key := must[[]byte](t)(hkdf.Key(sha256.New, line, []byte("pulse-license-persistence-v2"), "license-encryption", 32))
	gcm := must[cipher.AEAD](t)(cipher.NewGCM(must[cipher.Block](t)(aes.NewCipher(key))))
	sealed := must[[]byte](t)(base64.StdEncoding.DecodeString(string(must[[]byte](t)(os.ReadFile(filepath.Join(path, "license.enc"))))))
	if plain, err := gcm.Open(nil, sealed[:12], sealed[12:], nil); err != nil || string(plain) != `{"license_key":"d.e.f","grace_period_end":5}` {
		t.Errorf("%s %v", plain, err)
	}
	if err := files.SaveWithGracePeriod(" ", nil); err == nil {
		t.Error("an empty license is saved")
	}
	for range 2 { // what is gone stays gone
		if err := errors.Join(files.ClearActivationState(), files.Delete()); err != nil {
			t.Error(err)
		}
	}
	if state, err := compat.LoadActivationState[activationState](files); state != nil || err != nil {
		t.Errorf("%v %v", state, err)
	}
}

func TestTheTablesAsDeployed(t *testing.T) {
	v := read[struct {
		Plans []struct{ In, Out string } `json:"plans"`
		Tiers []struct {
			Tier         string   `json:"tier"`
			Features     []string `json:"features"`
			Capabilities []string `json:"capabilities"`
		} `json:"tiers"`
		Limits []struct {
			Plan    string           `json:"plan_version"`
			In, Out map[string]int64 `json:",omitempty"`
		} `json:"lease_limits"`
	}](t, "tables.json")
	for _, c := range v.Plans {
		if plan := compat.CanonicalizePlanVersion(c.In); plan != c.Out {
			t.Errorf("%q: %q, deployed %q", c.In, plan, c.Out)
		}
	}
	for _, c := range v.Tiers {
		capabilities := must[[]string](t)(compat.DeriveCapabilitiesFromTier(c.Tier, c.Features))
		if !reflect.DeepEqual(append([]string{}, capabilities...), append([]string{}, c.Capabilities...)) {
			t.Errorf("%s %v: %v, deployed %v", c.Tier, c.Features, capabilities, c.Capabilities)
		}
	}
	for _, c := range v.Limits {
		limits := must[map[string]int64](t)(compat.ScrubLimits(c.Plan, c.In))
		if len(limits)+len(c.Out) > 0 && !reflect.DeepEqual(limits, c.Out) {
			t.Errorf("%q: %v, deployed %v", c.Plan, limits, c.Out)
		}
	}
	if len(v.Plans) < 30 || len(v.Tiers) < 20 || len(v.Limits) < 40 {
		t.Errorf("%d plans, %d tiers, %d limits", len(v.Plans), len(v.Tiers), len(v.Limits))
	}
}
