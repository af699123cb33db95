package compat

import (
	"encoding/json"
	"maps"
	"reflect"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// LoadRelayConfig is internal/config.ConfigPersistence.LoadRelayConfig: relay.enc as the file has it, or the default if
// there is no file. Config is relay.Config.
func LoadRelayConfig[Config any](dir *pulsetrust.DataDir) (config *Config, warnings []string, err error) {
	loaded, warnings, err := dir.RelayConfig()
	if err != nil {
		return nil, nil, err
	}
	config, err = convert[Config](loaded)
	return config, warnings, err
}

// SaveRelayConfig is internal/config.ConfigPersistence.SaveRelayConfig. Members of the file stay that Config does not
// have by their JSON names; of a map or of a Config that writes its own JSON, the members that the library does not know. A
// file that cannot be read is not replaced. Stricter than the deployed function, a save that would replace or drop the
// file's identity fails with [pulsetrust.ErrIdentityKept].
func SaveRelayConfig[Config any](dir *pulsetrust.DataDir, config *Config) (warnings []string, err error) {
	return save(dir, config, dir.SaveRelayConfig)
}

// SaveRelayConfigReplacingIdentity is like SaveRelayConfig, but it may replace or drop the file's identity, as the deployed
// function does. Every phone then has to be paired again.
func SaveRelayConfigReplacingIdentity[Config any](dir *pulsetrust.DataDir, config *Config) (warnings []string, err error) {
	return save(dir, config, dir.SaveRelayConfigReplacingIdentity)
}

func save(dir *pulsetrust.DataDir, config any, write func(*pulsetrust.RelayConfig) ([]string, error)) ([]string, error) {
	stored, _, err := dir.RelayConfig()
	if err != nil {
		return nil, err
	}
	merged, err := over(stored, config)
	if err != nil {
		return nil, err
	}
	return write(merged)
}

// ApplyEnvOverrides is internal/relay.ApplyEnvOverrides with the values of PULSE_RELAY_ENABLED and PULSE_RELAY_SERVER.
func ApplyEnvOverrides[Config any](config *Config, enabled, server string) (warnings []string, err error) {
	if config == nil {
		return nil, refused("the config is nil: expected one to override")
	}
	plain, err := convert[pulsetrust.RelayConfig](config)
	if err != nil {
		return nil, err
	}
	effective, warnings, err := plain.WithEnvironment(enabled, server)
	if err != nil {
		return nil, err
	}
	changed, err := convert[Config](effective)
	if err != nil {
		return nil, err
	}
	*config = *changed
	return warnings, nil
}

// LoadRelayConfigForRuntime is internal/api.Router.loadRelayConfigForRuntime with what it calls, ensureHostedRelayConfig
// and ensureEnabledRelayIdentityConfig. It returns the config in effect. It makes and saves one if a hosted runtime has
// none, or if an enabled config lacks its identity. The reason says why a hosted runtime's config was not made; it is nil
// if the config was made or already existed.
func LoadRelayConfigForRuntime[Config any](dir *pulsetrust.DataDir, runtime pulsetrust.RuntimeConfig, keys *pulsetrust.TrustKeys, now time.Time) (config *Config, reason *pulsetrust.Reason, warnings []string, err error) {
	report, err := dir.Bootstrap(runtime, keys, now)
	if err != nil {
		return nil, nil, nil, err
	}
	config, err = convert[Config](report.Config)
	return config, report.Reason, report.Warnings, err
}

// RelayRegistrationToken is internal/api.Router.relayRegistrationToken: the token to register with at the relay, or an
// empty one if there is none.
func RelayRegistrationToken(dir *pulsetrust.DataDir, runtime pulsetrust.RuntimeConfig, keys *pulsetrust.TrustKeys, now time.Time) string {
	credential, err := dir.RegistrationCredential(runtime, keys, now)
	if err != nil {
		return ""
	}
	return credential.Token
}

// knownMembers are the members that the library knows.
var knownMembers = []string{
	"enabled", "server_url", "instance_secret", "identity_private_key", "identity_public_key", "identity_fingerprint",
}

// over is the stored config with another one's members over it.
func over(stored *pulsetrust.RelayConfig, config any) (*pulsetrust.RelayConfig, error) {
	members, err := membersOf(stored)
	if err != nil {
		return nil, err
	}
	own, err := membersOf(config)
	if err != nil {
		return nil, err
	}
	drop(members, reflect.TypeOf(config), knownMembers)
	maps.Copy(members, own)
	text, err := marshal(members)
	if err != nil {
		return nil, err
	}
	// Written into the loaded config, because that one remembers which state of the file it comes from.
	return stored, json.Unmarshal(text, stored)
}

func convert[T any](from any) (*T, error) {
	text, err := marshal(from)
	if err != nil {
		return nil, err
	}
	return decode[T](text)
}
