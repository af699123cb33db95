package pulsetrust

import (
	"encoding/json"
	"sync"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A SigningKey signs tokens: a control plane's or a license server's.
type SigningKey struct{ handle *handle }

// GenerateSigningKey makes a new key.
func GenerateSigningKey() (*SigningKey, error) {
	made, err := ownOnAny(engine.SigningKeyFree, func(in *engine.Instance) (engine.Ref, error) { return engine.SigningKeyGenerate(in) })
	if err != nil {
		return nil, err
	}
	return &SigningKey{made}, nil
}

// SigningKeyFromBase64 reads a key: base64, in any variant, of 64 bytes (seed and public key) or 32 (seed).
func SigningKeyFromBase64(text string) (*SigningKey, error) {
	made, err := ownOnAny(engine.SigningKeyFree, func(in *engine.Instance) (engine.Ref, error) { return engine.SigningKeyFromBase64(in, text) })
	if err != nil {
		return nil, err
	}
	return &SigningKey{made}, nil
}

// PublicKey is the public key in standard base64, as settings have it.
func (k *SigningKey) PublicKey() (key string, err error) {
	err = k.held().use(func(ref engine.Ref) error {
		bytes, err := engine.SigningKeyPublicKey(ref)
		key = string(bytes)
		return err
	})
	return key, err
}

// SecretBase64 is the key itself, to be kept by the caller.
func (k *SigningKey) SecretBase64() (secret []byte, err error) {
	err = k.held().use(func(ref engine.Ref) error {
		secret, err = engine.SigningKeySecretBase64(ref)
		return err
	})
	return secret, err
}

// Close wipes the key.
func (k *SigningKey) Close() {
	k.held().close()
}

// PublicKeyNames are the names of a public key.
type PublicKeyNames struct {
	PublicKey      string `json:"public_key"`      // standard base64
	KeyID          string `json:"key_id"`          // what a token's kid says
	LogFingerprint string `json:"log_fingerprint"` // SHA256:...
	Fingerprint    string `json:"fingerprint"`     // hex pairs, which people compare
}

// DescribePublicKey checks a public key in base64 and returns its names.
func DescribePublicKey(key string) (names PublicKeyNames, err error) {
	in, err := anyInstance()
	if err != nil {
		return names, err
	}
	bytes, err := engine.PublicKeyDescribe(in, key)
	if err != nil {
		return names, wrap(err)
	}
	return names, json.Unmarshal(bytes, &names)
}

// TrustKeys are the public keys that are trusted to sign, by kind of token. Each instance of the engine has its own.
type TrustKeys struct {
	lease, license string
	tables         Tables
	mutex          sync.RWMutex
	handles        []*handle
	closed         bool
}

// NewTrustKeys trusts the keys of two settings, each comma-separated base64: one for leases, one for licenses and grants.
// An empty setting trusts none.
func NewTrustKeys(leaseKeys, licenseKeys string) (*TrustKeys, error) {
	keys := &TrustKeys{lease: leaseKeys, license: licenseKeys, tables: TablesDefault, handles: make([]*handle, engine.Size())}
	// The first instance shows whether the settings are valid.
	if _, err := keys.on(pick()); err != nil {
		return nil, err
	}
	return keys, nil
}

// Tables is the size of a key's precomputed tables: larger ones take more memory and verify faster.
type Tables int32

// The sizes of tables, for each key.
const (
	TablesDefault Tables = -1                  // built once a key has served a few dozen tokens
	TablesNone    Tables = engine.TablesNone   // for a tool that verifies a few tokens
	TablesSmall   Tables = engine.TablesSmall  // 101 KiB
	TablesMedium  Tables = engine.TablesMedium // 172 KiB
	TablesLarge   Tables = engine.TablesLarge  // 498 KiB, the default with cgo
	TablesHuge    Tables = engine.TablesHuge   // 5.5 MiB, for a relay whose processor has the cache for it
)

// WithTables returns the same keys with tables of this size, which are built before the first token.
func (k *TrustKeys) WithTables(tables Tables) (*TrustKeys, error) {
	if k == nil || k.handles == nil {
		return nil, errNotMade
	}
	keys := &TrustKeys{lease: k.lease, license: k.license, tables: tables, handles: make([]*handle, len(k.handles))}
	if _, err := keys.on(pick()); err != nil {
		return nil, err
	}
	return keys, nil
}

// on returns the keys of the instance in a slot.
func (k *TrustKeys) on(index int) (*handle, error) {
	if k == nil || index >= len(k.handles) {
		return nil, errNotMade
	}
	in, err := instanceAt(index)
	if err != nil {
		return nil, err
	}
	k.mutex.RLock()
	made, closed := k.handles[index], k.closed
	k.mutex.RUnlock()
	if closed {
		return nil, errClosed
	}
	if made.livesIn(in) {
		return made, nil
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.closed {
		return nil, errClosed
	}
	if k.handles[index].livesIn(in) {
		return k.handles[index], nil
	}
	made, err = own(in, engine.TrustKeysFree, func() (engine.Ref, error) {
		plain, err := engine.TrustKeysNew(in, k.lease, k.license)
		if err != nil || k.tables == TablesDefault {
			return plain, err
		}
		defer engine.TrustKeysFree(plain)
		return engine.TrustKeysWithTables(plain, int32(k.tables))
	})
	if err != nil {
		return nil, err
	}
	k.handles[index] = made
	return made, nil
}

// use calls job with the keys of a free instance.
func (k *TrustKeys) use(job func(engine.Ref) error) error {
	made, err := k.on(pick())
	if err != nil {
		return err
	}
	return made.use(job)
}

// Close frees the keys; values that were made with them keep their own copies.
func (k *TrustKeys) Close() {
	if k == nil {
		return
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.closed = true
	for _, made := range k.handles {
		if made != nil {
			made.close()
		}
	}
}
