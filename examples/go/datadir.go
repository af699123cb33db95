package pulsetrust

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A DataDir is a runtime's data directory. Every call that needs its lock takes and releases it, except between Lock and
// Unlock. While somebody else holds the lock, such a call waits for up to 30 s, then fails with [ErrLockTimeout].
type DataDir struct{ handle *handle }

// lockTimeout is how long a call waits for a directory's lock.
const lockTimeout = 30 * time.Second

// Lock takes the directory's lock and holds it until Unlock or Close, so that a load, a change and a save are one step. It
// excludes other processes, and every other DataDir of the same directory: it waits for them at most timeout, then fails
// with [ErrLockTimeout]. It does not exclude goroutines that share this DataDir, in which the lock is held for all of them:
// taking it twice changes nothing, and the first Unlock releases it. In a server, let each goroutine that locks open a DataDir
// of its own, or guard the shared one with a [sync.Mutex] from before Lock until after Unlock.
func (d *DataDir) Lock(timeout time.Duration) error {
	return waiting(timeout, func() error { return d.held().use(func(ref engine.Ref) error { return engine.DataDirLock(ref, 0) }) })
}

// Unlock releases the lock that Lock took; if no lock is held, it does nothing.
func (d *DataDir) Unlock() error { return d.held().use(engine.DataDirUnlock) }

// use makes a call that takes the lock by itself.
func (d *DataDir) use(job func(engine.Ref) error) error {
	return waiting(lockTimeout, func() error {
		return d.held().use(func(ref engine.Ref) error {
			if err := spare(ref.Instance()); err != nil {
				return err
			}
			return job(ref)
		})
	})
}

// waiting repeats a call for as long as somebody else holds the lock. The engine does not wait itself, because it takes no
// other call while it does. While waiting, this function holds nothing but what the caller holds.
func waiting(timeout time.Duration, call func() error) error {
	deadline := time.Now().Add(timeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 25*time.Millisecond) {
		err := call()
		if !errors.Is(err, ErrLockTimeout) {
			return err
		}
		if !time.Now().Before(deadline) {
			return waitedFor(timeout, err)
		}
		time.Sleep(pause)
	}
}

// waitedFor puts the time that was waited into the engine's message, because the engine itself was told not to wait.
func waitedFor(timeout time.Duration, err error) error {
	const engines = " after 0 ms"
	var refused *Error
	if !errors.As(err, &refused) {
		return err
	}
	if at := strings.LastIndex(refused.Message, engines); at >= 0 { // a path may say so too
		waited := fmt.Sprintf(" after %d ms", max(0, timeout).Milliseconds())
		refused.Message = refused.Message[:at] + waited + refused.Message[at+len(engines):]
	}
	return refused
}

// OpenDataDir opens the data directory at a path. Nothing is read yet: if there is no such directory, the calls on it fail
// with [ErrFileMissing]. Each call looks the path up anew, so a relative one leads elsewhere after [os.Chdir].
func OpenDataDir(path string) (*DataDir, error) {
	made, err := ownOnAny(engine.DataDirFree, func(in *engine.Instance) (engine.Ref, error) { return engine.DataDirOpen(in, path) })
	if err != nil {
		return nil, err
	}
	return &DataDir{made}, nil
}

// CreateDataDir opens the data directory at a path, and makes it with mode 0700 if it does not exist. If it has no key file
// of its own, it takes over the one at legacyKey, an absolute path: the key is copied, and the original stays. An empty
// legacyKey takes over none; [LegacyKeyPath] is the path that a runtime is configured with.
func CreateDataDir(path, legacyKey string) (*DataDir, error) {
	made, err := ownOnAny(engine.DataDirFree, func(in *engine.Instance) (engine.Ref, error) { return engine.DataDirCreate(in, path, legacyKey) })
	if err != nil {
		return nil, err
	}
	return &DataDir{made}, nil
}

// LegacyKeyPath is the path of the key file of older installations: the value of PULSE_LEGACY_KEY_PATH, or
// /etc/pulse/.encryption.key if that is not set. An empty value names none.
func LegacyKeyPath() string {
	if path, ok := os.LookupEnv("PULSE_LEGACY_KEY_PATH"); ok {
		return path
	}
	return "/etc/pulse/.encryption.key"
}

// Close frees the directory; its files stay.
func (d *DataDir) Close() {
	d.held().close()
}

// A RelayConfig is what relay.enc holds. Members that this version does not know are kept.
type RelayConfig struct {
	Enabled             bool
	ServerURL           string
	InstanceSecret      string // secret
	IdentityPrivateKey  string // secret
	IdentityPublicKey   string
	IdentityFingerprint string

	unknown map[string]json.RawMessage
	// The state of the file that it was loaded from or saved to; empty if there is no file yet.
	revision string
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

// UnmarshalJSON reads the members it knows and keeps the others. The revision of the file that the config comes from stays.
func (c *RelayConfig) UnmarshalJSON(text []byte) error {
	if c == nil {
		return errNotMade
	}
	*c = RelayConfig{revision: c.revision}
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
	return marshal(all)
}

type loadedConfig struct {
	Config   *RelayConfig `json:"config"`
	Revision string       `json:"revision"`
	Warnings []string     `json:"warnings"`
}

// RelayConfig loads relay.enc as the file has it, or the default if there is no file. The config remembers which state of
// the file it comes from.
func (d *DataDir) RelayConfig() (config *RelayConfig, warnings []string, err error) {
	err = d.use(func(ref engine.Ref) error {
		bytes, err := engine.RelayConfigLoad(ref)
		if err != nil {
			return err
		}
		var loaded loadedConfig
		if err := json.Unmarshal(bytes, &loaded); err != nil {
			return err
		}
		config, warnings = loaded.Config, loaded.Warnings
		config.revision = loaded.Revision
		return nil
	})
	return config, warnings, err
}

// SaveRelayConfig saves a relay config, sealed, over the state of the file that it was loaded from. If the file was changed
// in the meantime, it fails with [ErrRevisionMismatch]. A config that was not loaded is saved only if there is no file. A
// save that would replace or drop the file's identity fails with [ErrIdentityKept]. A file that cannot be read is not
// replaced.
func (d *DataDir) SaveRelayConfig(config *RelayConfig) (warnings []string, err error) {
	return d.saveRelayConfig(config, engine.IdentityKeep)
}

// SaveRelayConfigReplacingIdentity is like SaveRelayConfig, but it may replace or drop the file's identity. Every phone
// then has to be paired again.
func (d *DataDir) SaveRelayConfigReplacingIdentity(config *RelayConfig) (warnings []string, err error) {
	return d.saveRelayConfig(config, engine.IdentityReplace)
}

// revisionOrNone is a revision as the engine takes it. No revision means that there is no file yet.
func revisionOrNone(revision string) string {
	if revision == "" {
		return "absent"
	}
	return revision
}

type saved struct {
	Revision string   `json:"revision"`
	Warnings []string `json:"warnings"`
}

func (d *DataDir) saveRelayConfig(config *RelayConfig, identity int32) (warnings []string, err error) {
	if config == nil {
		return nil, errNotMade
	}
	text, err := marshal(config)
	if err != nil {
		return nil, err
	}
	var done saved
	err = d.use(func(ref engine.Ref) error {
		bytes, err := engine.RelayConfigSave(ref, string(text), revisionOrNone(config.revision), identity)
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &done)
	})
	if err == nil {
		config.revision = done.Revision
	}
	return done.Warnings, err
}

// WithEnvironment returns the config in effect: the values of PULSE_RELAY_ENABLED and PULSE_RELAY_SERVER, if not empty,
// override its own. Values that are not valid are ignored with a warning.
func (c *RelayConfig) WithEnvironment(enabled, server string) (config *RelayConfig, warnings []string, err error) {
	if c == nil {
		return nil, nil, errNotMade
	}
	in, err := anyInstance()
	if err != nil {
		return nil, nil, err
	}
	text, err := marshal(c)
	if err != nil {
		return nil, nil, err
	}
	bytes, err := engine.RelayConfigWithEnvironment(in, string(text), enabled, server)
	if err != nil {
		return nil, nil, wrap(err)
	}
	var loaded loadedConfig
	if err := json.Unmarshal(bytes, &loaded); err != nil {
		return nil, nil, err
	}
	loaded.Config.revision = c.revision
	return loaded.Config, loaded.Warnings, nil
}

// CheckServerURL says whether a relay server URL is valid: nil if it is.
func CheckServerURL(url string) error {
	in, err := anyInstance()
	if err != nil {
		return err
	}
	return wrap(engine.RelayServerURLCheck(in, url))
}
