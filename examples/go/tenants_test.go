package pulsetrust_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

type tenantVectors struct {
	HostedPublicKey  string `json:"hosted_public_key"`
	LicensePublicKey string `json:"license_public_key"`
	Now              int64  `json:"now"`
	Cases            []struct {
		Name                   string         `json:"name"`
		HostedMode             bool           `json:"hosted_mode"`
		ExpectedHost           string         `json:"expected_host"`
		Config                 map[string]any `json:"config"`
		RelayEncWritten        bool           `json:"relay_enc_written"`
		Identity               string         `json:"identity"`
		RegistrationCredential string         `json:"registration_credential"`
		Ours                   *string        `json:"ours"` // why ours offers something else
		OursCredential         string         `json:"ours_credential"`
	} `json:"cases"`
}

// Every deployed tenant directory ends as the deployed runtime left it.
func TestTenantsAreBootstrappedAsDeployed(t *testing.T) {
	vectors := read[tenantVectors](t, "tenants.json")
	now := time.Unix(vectors.Now, 0)
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, vectors.LicensePublicKey))
	for _, c := range vectors.Cases {
		t.Run(c.Name, func(t *testing.T) {
			path := copied(t, filepath.Join("tenants", c.Name, "before"))
			before, _ := os.ReadFile(filepath.Join(path, "relay.enc"))
			dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
			defer dir.Close()
			config := pulsetrust.RuntimeConfig{Hosted: c.HostedMode, PublicURL: c.ExpectedHost}
			report := must[pulsetrust.BootstrapReport](t)(dir.Bootstrap(config, keys, now))
			want := c.RegistrationCredential
			if c.Ours != nil {
				want = c.OursCredential
			}
			if report.Credential.Token != want {
				t.Errorf("offers %q", report.Credential.Offered)
			}
			after, _ := os.ReadFile(filepath.Join(path, "relay.enc"))
			if written := !bytes.Equal(before, after); written != c.RelayEncWritten {
				t.Errorf("relay.enc written: %v, outcome %s", written, report.Outcome)
			}
			if enabled := c.Config["enabled"]; enabled != nil && report.Config.Enabled != enabled {
				t.Errorf("enabled: %v", report.Config.Enabled)
			}
			again := must[pulsetrust.BootstrapReport](t)(dir.Bootstrap(config, keys, now))
			if again.Outcome != "unchanged" || again.Config.IdentityFingerprint != report.Config.IdentityFingerprint {
				t.Errorf("a second start is %s", again.Outcome)
			}
		})
	}
}

// What each engine seals, the other opens: both are the same library on the same files.
func TestTheWholeJourney(t *testing.T) {
	path := t.TempDir()
	now := time.Unix(1_800_000_000, 0)
	signing := must[*pulsetrust.SigningKey](t)(pulsetrust.GenerateSigningKey())
	public := must[string](t)(signing.PublicKey())
	secret := must[[]byte](t)(signing.SecretBase64())
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
	order := pulsetrust.TenantOrder{TenantID: "t-go", BaseURL: "https://cloud.example.test"}
	host := must[string](t)(dir.IssueBillingState(order, string(secret), now))
	if host != "t-go.cloud.example.test" {
		t.Fatal(host)
	}
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(public, ""))
	runtime := pulsetrust.RuntimeConfig{Hosted: true, PublicURL: "https://" + host}
	if ready := must[pulsetrust.ReadinessReport](t)(dir.Readiness(runtime, keys, now)); !ready.Ready {
		t.Fatalf("%+v", ready)
	}
	started := must[pulsetrust.BootstrapReport](t)(dir.Bootstrap(runtime, keys, now))
	if started.Outcome != "bootstrapped" {
		t.Fatalf("%+v", started)
	}
	admission := must[*pulsetrust.Admission](t)(pulsetrust.NewAdmission(keys, 0))
	registration := must[pulsetrust.Registration](t)(admission.Admit(started.Credential.Token, "", now))
	if want := must[string](t)(pulsetrust.InstanceIDOfHost(host)); registration.InstanceID != want {
		t.Fatal(registration.InstanceID)
	}
	pairing := must[pulsetrust.Pairing](t)(pulsetrust.BuildPairing(started.Config, registration.InstanceID, "token", ""))
	code := must[pulsetrust.PairingCode](t)(pulsetrust.ParsePairingCode(pairing.CompactCode))
	if *code.IdentityFingerprint != started.Config.IdentityFingerprint {
		t.Fatal(*code.IdentityFingerprint)
	}
	for _, file := range []string{"relay.enc", "billing.json", ".encryption.key"} {
		info, err := os.Stat(filepath.Join(path, file))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
	if _, err := admission.Admit(started.Credential.Token, "", now.Add(48*time.Hour)); !errors.Is(err, pulsetrust.ErrExpired) {
		t.Errorf("an expired lease: %v", err)
	}
	var refusal *pulsetrust.Error
	if _, err := admission.Admit("no token", "", now); !errors.As(err, &refusal) || refusal.WireCode != "LICENSE_INVALID" {
		t.Errorf("no token: %+v", refusal)
	}
}

func TestRelayConfigsAreReadAsDeployed(t *testing.T) {
	type variants struct {
		Cases []struct {
			Name   string          `json:"name"`
			Error  bool            `json:"error"`
			Config json.RawMessage `json:"config"`
		} `json:"cases"`
	}
	for _, c := range read[variants](t, "relay_enc.json").Cases {
		t.Run(c.Name, func(t *testing.T) {
			path := copied(t, filepath.Join("relay_enc", c.Name))
			dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
			config, _, err := dir.RelayConfig()
			if c.Error != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			var want map[string]any
			if err := json.Unmarshal(c.Config, &want); err != nil {
				t.Fatal(err)
			}
			if want["server_url"] != config.ServerURL || want["enabled"] != config.Enabled {
				t.Errorf("%+v", config.ServerURL)
			}
			must[[]string](t)(dir.SaveRelayConfig(config))
			again, _, err := dir.RelayConfig()
			if err != nil || again.InstanceSecret != config.InstanceSecret {
				t.Errorf("saved and loaded: %v", err)
			}
		})
	}
}

// Files keep their guarantees whichever engine writes them.
// Whoever only looks leaves a directory as it is, on both engines: it made a lock file, and rewrote files of older forms.
func TestReadinessWritesNothing(t *testing.T) {
	vectors := read[tenantVectors](t, "tenants.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, vectors.LicensePublicKey))
	for _, name := range []string{"fresh-hosted", "already-bootstrapped"} {
		path := copied(t, filepath.Join("tenants", name, "before"))
		if err := os.WriteFile(filepath.Join(path, "relay.enc"), []byte(`{"enabled":true}`), 0o600); err != nil {
			t.Fatal(err)
		}
		before := filesOf(t, path)
		dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
		report := must[pulsetrust.ReadinessReport](t)(dir.Readiness(pulsetrust.RuntimeConfig{Hosted: true}, keys, time.Unix(vectors.Now, 0)))
		dir.Close()
		if after := filesOf(t, path); len(report.Links) == 0 || !maps.Equal(before, after) {
			t.Errorf("%s: %v\n%v", name, slices.Sorted(maps.Keys(after)), report.Links)
		}
	}
	absent := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(filepath.Join(t.TempDir(), "none")))
	defer absent.Close()
	if _, err := absent.Readiness(pulsetrust.RuntimeConfig{}, keys, time.Unix(vectors.Now, 0)); !errors.Is(err, pulsetrust.ErrFileMissing) {
		t.Errorf("%v", err)
	}
}

func filesOf(t *testing.T, path string) map[string]string {
	files := map[string]string{}
	for _, entry := range must[[]os.DirEntry](t)(os.ReadDir(path)) {
		if !entry.IsDir() {
			files[entry.Name()] = string(must[[]byte](t)(os.ReadFile(filepath.Join(path, entry.Name()))))
		}
	}
	return files
}

func TestLinksAreNotFollowed(t *testing.T) {
	path, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "target")
	if err := os.WriteFile(elsewhere, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(path, "relay.enc")); err != nil {
		t.Fatal(err)
	}
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
	if _, _, err := dir.RelayConfig(); !errors.Is(err, pulsetrust.ErrFileNotRegular) {
		t.Errorf("reading through a link: %v", err)
	}
	if _, err := dir.SaveRelayConfig(&pulsetrust.RelayConfig{}); !errors.Is(err, pulsetrust.ErrFileNotRegular) {
		t.Errorf("writing through a link: %v", err)
	}
	if text, err := os.ReadFile(elsewhere); err != nil || string(text) != "{}" {
		t.Errorf("the link's target is %q, %v", text, err)
	}
}
