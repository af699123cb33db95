package compat

import (
	"encoding/base64"
	"fmt"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// A CryptoManager is internal/crypto.CryptoManager: it seals the runtime's other files under the directory's key.
type CryptoManager struct{ dir *pulsetrust.DataDir }

// NewCryptoManagerAt is internal/crypto.NewCryptoManagerAt: it makes the directory if it is missing, and takes over a key
// of older installations from [pulsetrust.LegacyKeyPath]. Close closes the directory.
func NewCryptoManagerAt(dataDir string) (*CryptoManager, error) {
	dir, err := pulsetrust.CreateDataDir(dataDir, pulsetrust.LegacyKeyPath())
	if err != nil {
		return nil, contextOf("failed to get encryption key", err)
	}
	// As in the deployed function, the key is made now, not when something is sealed for the first time.
	if _, err := dir.Seal(nil); err != nil {
		dir.Close()
		return nil, contextOf("failed to get encryption key", err)
	}
	return &CryptoManager{dir}, nil
}

// NewCryptoManager makes a manager for an open directory, which the caller still has to close.
func NewCryptoManager(dir *pulsetrust.DataDir) *CryptoManager { return &CryptoManager{dir} }

// Encrypt seals bytes in the form of the directory's *.enc files.
func (c *CryptoManager) Encrypt(plaintext []byte) ([]byte, error) {
	sealed, err := c.inner().Seal(plaintext)
	return sealed, contextOf("crypto.Encrypt", err)
}

// Decrypt opens what Encrypt or the deployed function has sealed.
func (c *CryptoManager) Decrypt(ciphertext []byte) ([]byte, error) {
	plaintext, err := c.inner().Unseal("ciphertext", ciphertext)
	return plaintext, contextOf("crypto.Decrypt: open ciphertext", err)
}

// EncryptString is Encrypt with its result in base64.
func (c *CryptoManager) EncryptString(plaintext string) (string, error) {
	sealed, err := c.Encrypt([]byte(plaintext))
	if err != nil {
		return "", contextOf("crypto.EncryptString: encrypt bytes", err)
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// DecryptString is Decrypt for base64.
func (c *CryptoManager) DecryptString(ciphertext string) (string, error) {
	sealed, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return "", fmt.Errorf("crypto.DecryptString: decode base64: %w", err)
	}
	plaintext, err := c.Decrypt(sealed)
	return string(plaintext), contextOf("crypto.DecryptString: decrypt bytes", err)
}

// DeriveKey derives a key of at most 32 bytes for one purpose.
func (c *CryptoManager) DeriveKey(purpose string, length int) ([]byte, error) {
	if length <= 0 || length > 32 {
		return nil, fmt.Errorf("invalid derived key length: %d, expected 1 to 32", length)
	}
	key, err := c.inner().DeriveKey(purpose)
	if err != nil {
		return nil, err
	}
	return key[:length:length], nil
}

// Close closes the directory if the manager opened it.
func (c *CryptoManager) Close() { c.inner().Close() }

// inner is nil for nil too, and refuses every call then.
func (c *CryptoManager) inner() *pulsetrust.DataDir {
	if c == nil {
		return nil
	}
	return c.dir
}
