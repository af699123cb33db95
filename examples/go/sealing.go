package pulsetrust

import (
	"fmt"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// maxSealed is the most that Unseal takes in the default engine.
const maxSealed = 16 << 20

// Seal seals bytes under the directory's key, in the form of its *.enc files: a nonce, then AES-256-GCM ciphertext and tag.
// The key file is made if it is missing and nothing is sealed under a lost one; nothing else is written. It takes at most
// 16 MiB less 28 bytes, so that what is sealed can be unsealed.
func (d *DataDir) Seal(plaintext []byte) (sealed []byte, err error) {
	if most := maxSealed - engine.SealedOverhead; len(plaintext) > most {
		return nil, &Error{Code: ErrInvalidArgument, Message: fmt.Sprintf("a plaintext of %d bytes is too large: at most %d", len(plaintext), most)}
	}
	err = d.use(func(ref engine.Ref) error {
		sealed, err = engine.DataDirSeal(ref, plaintext)
		return err
	})
	return sealed, err
}

// Unseal opens what was sealed under the directory's key. The name of the file is only for errors.
func (d *DataDir) Unseal(name string, sealed []byte) (plaintext []byte, err error) {
	err = d.use(func(ref engine.Ref) error {
		plaintext, err = engine.DataDirUnseal(ref, name, sealed)
		return err
	})
	return plaintext, err
}

// DeriveKey returns a secret key of 32 bytes for one purpose, derived from the directory's key by HKDF-SHA256 without a
// salt. A shorter key is a prefix of this one. If the directory has no key, it is made as Seal makes it.
func (d *DataDir) DeriveKey(purpose string) (key []byte, err error) {
	err = d.use(func(ref engine.Ref) error {
		key, err = engine.DataDirDeriveKey(ref, purpose)
		return err
	})
	return key, err
}
