package compat

import (
	"crypto/ed25519"
	"encoding/base64"
	"sync"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// maxTrustKeys is how many pairs of keys are kept: a runtime has one pair, or a few while it rotates keys.
const maxTrustKeys = 16

var trusted = struct {
	mutex sync.Mutex
	keys  map[[2]string]*pulsetrust.TrustKeys
}{keys: map[[2]string]*pulsetrust.TrustKeys{}}

// TrustKeys returns the keys that the runtime verifies with: one for leases (TrialActivationPublicKey), one for licenses
// and grants. Either may be nil. The same keys give the same TrustKeys, which are prepared once, so a function with the
// deployed signature can ask for them at each call. They are shared: do not close them.
func TrustKeys(lease, license ed25519.PublicKey) (*pulsetrust.TrustKeys, error) {
	pair := [2]string{string(lease), string(license)}
	trusted.mutex.Lock()
	defer trusted.mutex.Unlock()
	if keys, ok := trusted.keys[pair]; ok {
		return keys, nil
	}
	keys, err := pulsetrust.NewTrustKeys(base64.StdEncoding.EncodeToString(lease), base64.StdEncoding.EncodeToString(license))
	if err != nil {
		return nil, err
	}
	if len(trusted.keys) >= maxTrustKeys {
		// TrustKeys that somebody still holds stay usable; the garbage collector frees the others.
		clear(trusted.keys)
	}
	trusted.keys[pair] = keys
	return keys, nil
}
