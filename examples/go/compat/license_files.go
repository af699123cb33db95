package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A Persistence is pkg/licensing.Persistence: activation.enc and license.enc of a directory. Old installations sealed them
// under the machine's id, which is not used as a key here: such a file is an error that says so, and the runtime's own
// reader still opens it.
type Persistence struct {
	dir  *pulsetrust.DataDir
	path string
}

// NewPersistence is pkg/licensing.NewPersistence for an open directory and its path.
func NewPersistence(dir *pulsetrust.DataDir, path string) *Persistence {
	return &Persistence{dir, path}
}

// SaveActivationState is Persistence.SaveActivationState. State is the runtime's ActivationState; members of the file that
// it does not have are dropped, as in the deployed function.
func SaveActivationState[State any](p *Persistence, state *State) error {
	if state == nil {
		return errors.New("activation state cannot be nil")
	}
	return contextOf("write activation state file", p.save(pulsetrust.ActivationFile, state))
}

// LoadActivationState is Persistence.LoadActivationState: nil where there is no file.
func LoadActivationState[State any](p *Persistence) (*State, error) {
	content, _, _, err := p.inner().LicenseFile(pulsetrust.ActivationFile)
	if err != nil || content == nil {
		return nil, contextOf("read activation state file", err)
	}
	return decode[State](content)
}

// ClearActivationState is Persistence.ClearActivationState.
func (p *Persistence) ClearActivationState() error {
	return contextOf("delete activation state file", p.remove("activation.enc"))
}

// A PersistedLicense is pkg/licensing.PersistedLicense.
type PersistedLicense struct {
	LicenseKey     string `json:"license_key"`                // secret
	GracePeriodEnd *int64 `json:"grace_period_end,omitempty"` // Unix seconds
}

// Format prints what is not secret.
func (l PersistedLicense) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "PersistedLicense{LicenseKey:%d bytes}", len(l.LicenseKey))
}

// LogValue is what prints.
func (l PersistedLicense) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(l)) }

// SaveWithGracePeriod is Persistence.SaveWithGracePeriod.
func (p *Persistence) SaveWithGracePeriod(licenseKey string, gracePeriodEnd *int64) error {
	licenseKey = strings.TrimSpace(licenseKey)
	if licenseKey == "" {
		return errors.New("license key cannot be empty")
	}
	license := PersistedLicense{licenseKey, gracePeriodEnd}
	return contextOf("failed to write license file", p.save(pulsetrust.LicenseKeyFile, &license))
}

// LoadWithMetadata is Persistence.LoadWithMetadata: the zero value where there is no file.
func (p *Persistence) LoadWithMetadata() (license PersistedLicense, err error) {
	content, _, _, err := p.inner().LicenseFile(pulsetrust.LicenseKeyFile)
	if err != nil || content == nil {
		return license, contextOf("failed to read license file", err)
	}
	return license, json.Unmarshal(content, &license)
}

// Delete is Persistence.Delete.
func (p *Persistence) Delete() error {
	return contextOf("failed to delete license file", p.remove("license.enc"))
}

const lockTimeout = 30 * time.Second

// save replaces the file in whatever state it is, unless it cannot be read.
func (p *Persistence) save(file pulsetrust.LicenseFile, content any) error {
	text, err := marshal(content)
	if err != nil {
		return err
	}
	_, revision, _, err := p.inner().LicenseFile(file)
	if err != nil {
		return err
	}
	_, _, err = p.inner().SaveLicenseFile(file, text, revision)
	return err
}

func (p *Persistence) remove(name string) error {
	if err := p.inner().Lock(lockTimeout); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(p.path, name))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, p.inner().Unlock())
}

// inner is nil for nil too, and refuses every call then.
func (p *Persistence) inner() *pulsetrust.DataDir {
	if p == nil {
		return nil
	}
	return p.dir
}
