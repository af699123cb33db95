package pulsetrust

import (
	"encoding/json"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A LicenseFile is one of the two files that are sealed under .license-key.
type LicenseFile int32

// The files.
const (
	ActivationFile LicenseFile = engine.LicenseFileActivation // activation.enc, with grant_jwt and paid_access_suspended
	LicenseKeyFile LicenseFile = engine.LicenseFileLicense    // license.enc, with license_key and grace_period_end
)

// LicenseFile loads one of the files: its whole JSON, which holds secrets; nil if there is no file. The revision identifies
// the state of the file, and a save has to name it.
func (d *DataDir) LicenseFile(file LicenseFile) (content json.RawMessage, revision string, warnings []string, err error) {
	err = d.use(func(ref engine.Ref) error {
		bytes, err := engine.LicenseFileLoad(ref, int32(file))
		if err != nil {
			return err
		}
		content, revision, warnings, err = loadedFile(bytes)
		return err
	})
	return content, revision, warnings, err
}

// SaveLicenseFile seals the JSON of one of the files as it is given, saves it over the state of the file that revision
// names (empty: there is no file yet), and returns the new revision. If the file was changed in the meantime, it fails with
// [ErrRevisionMismatch]. .license-key is made if it is missing and nothing is sealed under a lost one. To end an
// activation, remove the file between [DataDir.Lock] and [DataDir.Unlock].
func (d *DataDir) SaveLicenseFile(file LicenseFile, content json.RawMessage, revision string) (newRevision string, warnings []string, err error) {
	var done saved
	err = d.use(func(ref engine.Ref) error {
		bytes, err := engine.LicenseFileSave(ref, int32(file), string(content), revisionOrNone(revision))
		if err != nil {
			return err
		}
		return json.Unmarshal(bytes, &done)
	})
	return done.Revision, done.Warnings, err
}
