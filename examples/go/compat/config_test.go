package compat_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

// relayConfig is a struct such as the runtime's relay.Config.
type relayConfig struct {
	Enabled             bool   `json:"enabled"`
	ServerURL           string `json:"server_url"`
	InstanceSecret      string `json:"instance_secret"`
	IdentityPrivateKey  string `json:"identity_private_key,omitempty"`
	IdentityPublicKey   string `json:"identity_public_key,omitempty"`
	IdentityFingerprint string `json:"identity_fingerprint,omitempty"`
}

func open(t *testing.T, path string) *pulsetrust.DataDir {
	t.Helper()
	dir := must[*pulsetrust.DataDir](t)(pulsetrust.OpenDataDir(path))
	t.Cleanup(dir.Close)
	return dir
}

func TestRelayConfigsAsDeployed(t *testing.T) {
	type vectors struct {
		Cases []struct {
			Name   string      `json:"name"`
			Error  bool        `json:"error"`
			Config relayConfig `json:"config"`
		} `json:"cases"`
	}
	for _, c := range read[vectors](t, "relay_enc.json").Cases {
		t.Run(c.Name, func(t *testing.T) {
			path := copied(t, filepath.Join("relay_enc", c.Name))
			dir := open(t, path)
			config, _, err := compat.LoadRelayConfig[relayConfig](dir)
			if (err != nil) != c.Error {
				t.Fatal(err)
			}
			if err != nil {
				before, _ := os.ReadFile(filepath.Join(path, "relay.enc"))
				if _, err := compat.SaveRelayConfig(dir, &relayConfig{}); err == nil {
					t.Error("a file that cannot be read is replaced")
				}
				if after, _ := os.ReadFile(filepath.Join(path, "relay.enc")); string(after) != string(before) {
					t.Error("the file is another one")
				}
				return
			}
			if *config != c.Config {
				t.Errorf("%+v, deployed %+v", config, c.Config)
			}
			config.ServerURL, config.IdentityPublicKey = "wss://other.example.test/ws/instance", ""
			if c.Config.IdentityPublicKey != "" {
				if _, err := compat.SaveRelayConfig(dir, config); !errors.Is(err, pulsetrust.ErrIdentityKept) {
					t.Errorf("a save that drops the identity: %v", err)
				}
			}
			must[[]string](t)(compat.SaveRelayConfigReplacingIdentity(dir, config))
			again, _, err := compat.LoadRelayConfig[relayConfig](dir)
			if err != nil || *again != *config {
				t.Errorf("saved %+v, loaded %+v %v", config, again, err)
			}
		})
	}
}

// What a newer runtime wrote is not lost by an older one's struct.
func TestUnknownMembersSurvive(t *testing.T) {
	dir := open(t, copied(t, "relay_enc/unknown-member"))
	stored := must[*map[string]any](t)(first(compat.LoadRelayConfig[map[string]any](dir)))
	config := must[*relayConfig](t)(first(compat.LoadRelayConfig[relayConfig](dir)))
	config.InstanceSecret = "changed"
	must[[]string](t)(compat.SaveRelayConfig(dir, config))
	after := must[*map[string]any](t)(first(compat.LoadRelayConfig[map[string]any](dir)))
	unknown := 0
	for name, value := range *stored {
		if strings.HasPrefix(name, "identity_") || name == "instance_secret" || name == "enabled" || name == "server_url" {
			continue
		}
		unknown++
		if (*after)[name] != value {
			t.Errorf("%s: %v", name, (*after)[name])
		}
	}
	if unknown == 0 || (*after)["instance_secret"] != "changed" {
		t.Errorf("%d unknown members, %v", unknown, *after)
	}
}

func first[T any](value T, _ []string, err error) (T, error) { return value, err }

func TestEnvironmentOverFileAsDeployed(t *testing.T) {
	type vectors struct {
		Default     relayConfig `json:"default_config"`
		Environment []struct {
			Enabled   string      `json:"PULSE_RELAY_ENABLED"`
			Server    string      `json:"PULSE_RELAY_SERVER"`
			File      relayConfig `json:"file"`
			Effective relayConfig `json:"effective"`
		} `json:"environment"`
	}
	v := read[vectors](t, "relay_config.json")
	for _, c := range v.Environment {
		config := c.File
		must[[]string](t)(compat.ApplyEnvOverrides(&config, c.Enabled, c.Server))
		if config != c.Effective {
			t.Errorf("%q %q: %+v, deployed %+v", c.Enabled, c.Server, config, c.Effective)
		}
	}
	if len(v.Environment) == 0 {
		t.Error("no cases")
	}
	if config, _, err := compat.LoadRelayConfig[relayConfig](open(t, t.TempDir())); err != nil || *config != v.Default {
		t.Errorf("the default is %+v %v", config, err)
	}
}

func TestTenantsAsTheDeployedRuntimeStartsThem(t *testing.T) {
	type vectors struct {
		HostedPublicKey  string `json:"hosted_public_key"`
		LicensePublicKey string `json:"license_public_key"`
		Now              int64  `json:"now"`
		Cases            []struct {
			Name           string      `json:"name"`
			HostedMode     bool        `json:"hosted_mode"`
			ExpectedHost   string      `json:"expected_host"`
			Config         relayConfig `json:"config"`
			Identity       string      `json:"identity"`
			Credential     string      `json:"registration_credential"`
			Ours           *string     `json:"ours"`
			OursCredential string      `json:"ours_credential"`
		} `json:"cases"`
	}
	v := read[vectors](t, "tenants.json")
	keys := must[*pulsetrust.TrustKeys](t)(pulsetrust.NewTrustKeys(v.HostedPublicKey, v.LicensePublicKey))
	now := time.Unix(v.Now, 0)
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			dir := open(t, copied(t, filepath.Join("tenants", c.Name, "before")))
			runtime := pulsetrust.RuntimeConfig{Hosted: c.HostedMode, PublicURL: c.ExpectedHost}
			config, _, _, err := compat.LoadRelayConfigForRuntime[relayConfig](dir, runtime, keys, now)
			if err != nil {
				t.Fatal(err)
			}
			if c.Identity == "made" { // at random
				fingerprint, err := compat.ComputeFingerprint(config.IdentityPublicKey)
				if err != nil || fingerprint != config.IdentityFingerprint {
					t.Errorf("%s %v", fingerprint, err)
				}
				config.IdentityPrivateKey, config.IdentityPublicKey = c.Config.IdentityPrivateKey, c.Config.IdentityPublicKey
				config.IdentityFingerprint = c.Config.IdentityFingerprint
			}
			if *config != c.Config {
				t.Errorf("%+v, deployed %+v", config, c.Config)
			}
			want := c.Credential
			if c.Ours != nil {
				want = c.OursCredential
			}
			if token := compat.RelayRegistrationToken(dir, runtime, keys, now); token != want {
				t.Errorf("registers with %d bytes, expected %d", len(token), len(want))
			}
		})
	}
}
