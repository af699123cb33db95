//go:build !pulsetrust_cgo

package engine

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/sha256"
)

const (
	aesKeyLen   = 32
	aesNonceLen = 12
	aesTagLen   = 16
	x25519Len   = 32
)

// offersCrypto says whether the module lets its primitives be computed here (src/primitives/host.rs). In FIPS 140 mode Go
// may refuse some of them, so the module then computes them itself.
var offersCrypto = !fips140.Enabled()

func (h host) Xcrypto_offered() int32 { return answerOf(offersCrypto && !h.in.computesOwn) }

func (h host) Xaes_gcm_seal(key, nonceAt, textAt, length int32) int32 {
	aead, nonce, text := h.aesGCM(key, nonceAt, textAt, length)
	if len(text) < aesTagLen {
		return 0
	}
	aead.Seal(text[:0], nonce, text[:len(text)-aesTagLen], nil)
	return 1
}

func (h host) Xaes_gcm_open(key, nonceAt, textAt, length int32) int32 {
	aead, nonce, text := h.aesGCM(key, nonceAt, textAt, length)
	_, err := aead.Open(text[:0], nonce, text, nil)
	return answerOf(err == nil)
}

func (h host) aesGCM(key, nonce, text, length int32) (cipher.AEAD, []byte, []byte) {
	block, err := aes.NewCipher(h.bytes(key, aesKeyLen))
	if err != nil {
		panic(err) // 32 bytes are always a key of AES-256
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return aead, h.bytes(nonce, aesNonceLen), h.bytes(text, length)
}

// Xx25519 takes a secret, the other side's public key, and where to write its own public key and the shared secret.
func (h host) Xx25519(secretAt, theirsAt, outAt int32) {
	secret, err := ecdh.X25519().NewPrivateKey(h.bytes(secretAt, x25519Len))
	if err != nil {
		panic(err) // any 32 bytes are a secret
	}
	theirs, err := ecdh.X25519().NewPublicKey(h.bytes(theirsAt, x25519Len))
	if err != nil {
		panic(err) // any 32 bytes are a public key
	}
	out := h.bytes(outAt, 2*x25519Len)
	copy(out, secret.PublicKey().Bytes())
	shared, err := secret.ECDH(theirs)
	if err != nil {
		// Nothing is shared with a key of small order. The module refuses zero.
		clear(out[x25519Len:])
		return
	}
	copy(out[x25519Len:], shared)
	wipe(shared)
}

func (h host) Xhkdf_sha256(secret, secretLen, salt, saltLen, info, infoLen, outAt, outLen int32) int32 {
	out := h.bytes(outAt, outLen)
	derived, err := hkdf.Key(sha256.New, h.bytes(secret, secretLen), h.bytes(salt, saltLen), h.text(info, infoLen), len(out))
	if err != nil {
		return 0
	}
	copy(out, derived)
	wipe(derived)
	return 1
}

// Xed25519_equation checks the equation and that S is below the group's order; the module checks the other rules.
func (h host) Xed25519_equation(public, message, length, signature int32) int32 {
	return answerOf(ed25519.Verify(
		h.bytes(public, ed25519.PublicKeySize), h.bytes(message, length), h.bytes(signature, ed25519.SignatureSize)))
}

func (h host) Xed25519_sign(keyPair, message, length, out int32) {
	signature := ed25519.Sign(h.bytes(keyPair, ed25519.PrivateKeySize), h.bytes(message, length))
	copy(h.bytes(out, ed25519.SignatureSize), signature)
}

// Xed25519_key_pair completes a key pair that has its seed with the public key.
func (h host) Xed25519_key_pair(at int32) {
	keyPair := h.bytes(at, ed25519.PrivateKeySize)
	made := ed25519.NewKeyFromSeed(keyPair[:ed25519.SeedSize])
	copy(keyPair, made)
	wipe(made)
}

func answerOf(yes bool) int32 {
	if yes {
		return 1
	}
	return 0
}
