package pulsetrust

import (
	"encoding/json"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A DataDir is a runtime's data directory. Every call takes and releases its lock.
type DataDir struct{ handle *handle }

// OpenDataDir is the data directory at a path, which exists. Nothing is read yet.
func OpenDataDir(path string) (*DataDir, error) {
	in, err := anyInstance()
	if err != nil {
		return nil, err
	}
	ref, err := engine.DataDirOpen(in, path)
	if err != nil {
		return nil, wrap(err)
	}
	return &DataDir{newHandle(ref, engine.DataDirFree)}, nil
}

// Close frees the directory; its files stay.
func (d *DataDir) Close() { d.handle.close() }

// A RelayConfig is what relay.enc holds. Members that this version does not know are kept.
type RelayConfig struct {
	Enabled             bool
	ServerURL           string
	InstanceSecret      string // secret
	IdentityPrivateKey  string // secret
	IdentityPublicKey   string
	IdentityFingerprint string

	unknown map[string]json.RawMessage
}

func (c *RelayConfig) members() map[string]any {
	return map[string]any{
		"enabled":              &c.Enabled,
		"server_url":           &c.ServerURL,
		"instance_secret":      &c.InstanceSecret,
		"identity_private_key": &c.IdentityPrivateKey,
		"identity_public_key":  &c.IdentityPublicKey,
		"identity_fingerprint": &c.IdentityFingerprint,
	}
}

// UnmarshalJSON reads the members it knows and keeps the others.
func (c *RelayConfig) UnmarshalJSON(text []byte) error {
	*c = RelayConfig{}
	if err := json.Unmarshal(text, &c.unknown); err != nil {
		return err
	}
	for name, member := range c.members() {
		if value, ok := c.unknown[name]; ok {
			if err := json.Unmarshal(value, member); err != nil {
				return err
			}
			delete(c.unknown, name)
		}
	}
	return nil
}

// MarshalJSON writes the members it knows and those it kept.
func (c RelayConfig) MarshalJSON() ([]byte, error) {
	all := c.members()
	for name, value := range c.unknown {
		all[name] = value
	}
	return json.Marshal(all)
}

type loadedConfig struct {
	Config   *RelayConfig `json:"config"`
	Warnings []string     `json:"warnings"`
}

// RelayConfig loads relay.enc as the file has it, the default where there is none.
func (d *DataDir) RelayConfig() (config *RelayConfig, warnings []string, err error) {
	err = d.handle.use(func(ref engine.Ref) error {
		bytes, err := engine.RelayConfigLoad(ref)
		if err != nil {
			return err
		}
		var loaded loadedConfig
		err = json.Unmarshal(bytes, &loaded)
		config, warnings = loaded.Config, loaded.Warnings
		return err
	})
	return config, warnings, err
}

// SaveRelayConfig saves a relay config, sealed. A file that cannot be read is not replaced.
func (d *DataDir) SaveRelayConfig(config *RelayConfig) (warnings []string, err error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	err = d.handle.use(func(ref engine.Ref) error {
		bytes, err := engine.RelayConfigSave(ref, string(text))
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &warnings)
	})
	return warnings, err
}

// WithEnvironment is the config in effect: the values of PULSE_RELAY_ENABLED and PULSE_RELAY_SERVER, where they are not
// empty, over it. Values that are not valid are ignored with a warning.
func (c *RelayConfig) WithEnvironment(enabled, server string) (config *RelayConfig, warnings []string, err error) {
	in, err := anyInstance()
	if err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	bytes, err := engine.RelayConfigWithEnvironment(in, string(text), enabled, server)
	if err != nil {
		return nil, nil, wrap(err)
	}
	var loaded loadedConfig
	err = json.Unmarshal(bytes, &loaded)
	return loaded.Config, loaded.Warnings, err
}

// CheckServerURL says whether a relay server URL is valid: nil if it is.
func CheckServerURL(url string) error {
	in, err := anyInstance()
	if err != nil {
		return err
	}
	return wrap(engine.RelayServerURLCheck(in, url))
}

// BillingState loads the billing state of an organization as JSON, secrets in plain; nil where there is no file.
func (d *DataDir) BillingState(org string) (billing json.RawMessage, warnings []string, err error) {
	err = d.handle.use(func(ref engine.Ref) error {
		bytes, err := engine.BillingStateLoad(ref, org)
		if err != nil {
			return err
		}
		var loaded struct {
			Billing  json.RawMessage `json:"billing"`
			Warnings []string        `json:"warnings"`
		}
		err = json.Unmarshal(bytes, &loaded)
		if string(loaded.Billing) != "null" {
			billing = loaded.Billing
		}
		warnings = loaded.Warnings
		return err
	})
	return billing, warnings, err
}

// SaveBillingState saves the billing state of an organization: secrets sealed, the whole signed.
func (d *DataDir) SaveBillingState(org string, billing json.RawMessage) (warnings []string, err error) {
	err = d.handle.use(func(ref engine.Ref) error {
		bytes, err := engine.BillingStateSave(ref, org, string(billing))
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &warnings)
	})
	return warnings, err
}
