//go:build !pulsetrust_cgo

package engine

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/sha256"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	aesKeyLen   = 32
	aesNonceLen = 12
	aesTagLen   = 16
	x25519Len   = 32
)

// A hostComputation is a primitive that Go's standard library computes in the module's place (src/primitives/host.rs).
// Its arguments are the i32s on the stack, pointers into the module's memory and lengths; what it answers goes there too.
type hostComputation func(memory api.Memory, arguments []uint64) uint32

// offersCrypto says whether the module is to have its primitives computed here. In a FIPS 140 mode Go may refuse some of
// them, so there the module computes its own.
var offersCrypto = !fips140.Enabled()

// isCompiled says whether wazero compiles for this processor. Compiled, a verification with the module's own tables is
// faster than Go's.
const isCompiled = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// exportCrypto gives the module the primitives.
func exportCrypto(host wazero.HostModuleBuilder) {
	export := func(name string, parameters int, answers bool, compute hostComputation) {
		types := make([]api.ValueType, parameters)
		for i := range types {
			types[i] = api.ValueTypeI32
		}
		var results []api.ValueType
		if answers {
			results = []api.ValueType{api.ValueTypeI32}
		}
		host.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) {
			answer := compute(m.Memory(), stack[:parameters])
			if answers {
				stack[0] = uint64(answer)
			}
		}), types, results).Export(name)
	}
	host.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
		switch {
		case !offersCrypto || ctx.Value(instanceKey{}).(*Instance).computesOwn:
			stack[0] = 0
		case isCompiled:
			stack[0] = 1
		default:
			stack[0] = 2
		}
	}), nil, []api.ValueType{api.ValueTypeI32}).Export("crypto_offered")
	export("aes_gcm_seal", 4, true, aesGCMSeal)
	export("aes_gcm_open", 4, true, aesGCMOpen)
	export("x25519", 3, false, x25519)
	export("hkdf_sha256", 8, true, hkdfSHA256)
	export("ed25519_equation", 4, true, ed25519Equation)
	export("ed25519_sign", 4, false, ed25519Sign)
	export("ed25519_key_pair", 1, false, ed25519KeyPair)
}

func aesGCMSeal(memory api.Memory, arguments []uint64) uint32 {
	aead, nonce, text := aesGCM(memory, arguments)
	if len(text) < aesTagLen {
		return 0
	}
	aead.Seal(text[:0], nonce, text[:len(text)-aesTagLen], nil)
	return 1
}

func aesGCMOpen(memory api.Memory, arguments []uint64) uint32 {
	aead, nonce, text := aesGCM(memory, arguments)
	_, err := aead.Open(text[:0], nonce, text, nil)
	return answerOf(err == nil)
}

// aesGCM gives the cipher, the nonce and the text of the arguments: key, nonce, text and its length.
func aesGCM(memory api.Memory, arguments []uint64) (cipher.AEAD, []byte, []byte) {
	block, err := aes.NewCipher(view(memory, arguments[0], aesKeyLen))
	if err != nil {
		panic(err) // a key of 32 bytes is one of AES-256
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return aead, view(memory, arguments[1], aesNonceLen), view(memory, arguments[2], arguments[3])
}

// x25519 takes a secret, another's public key, and where to write the own public key and what is shared.
func x25519(memory api.Memory, arguments []uint64) uint32 {
	secret, err := ecdh.X25519().NewPrivateKey(view(memory, arguments[0], x25519Len))
	if err != nil {
		panic(err) // any 32 bytes are a secret
	}
	theirs, err := ecdh.X25519().NewPublicKey(view(memory, arguments[1], x25519Len))
	if err != nil {
		panic(err) // any 32 bytes are a public key
	}
	out := view(memory, arguments[2], 2*x25519Len)
	copy(out, secret.PublicKey().Bytes())
	shared, err := secret.ECDH(theirs)
	if err != nil {
		// Nothing is shared with a key of small order. The module refuses zero.
		clear(out[x25519Len:])
		return 0
	}
	copy(out[x25519Len:], shared)
	wipe(shared)
	return 0
}

func hkdfSHA256(memory api.Memory, arguments []uint64) uint32 {
	secret, salt := view(memory, arguments[0], arguments[1]), view(memory, arguments[2], arguments[3])
	info, out := view(memory, arguments[4], arguments[5]), view(memory, arguments[6], arguments[7])
	derived, err := hkdf.Key(sha256.New, secret, salt, string(info), len(out))
	if err != nil {
		return 0
	}
	copy(out, derived)
	wipe(derived)
	return 1
}

// ed25519Equation is the equation and that S is below the group's order; the other rules are the module's.
func ed25519Equation(memory api.Memory, arguments []uint64) uint32 {
	public, message := view(memory, arguments[0], ed25519.PublicKeySize), view(memory, arguments[1], arguments[2])
	return answerOf(ed25519.Verify(public, message, view(memory, arguments[3], ed25519.SignatureSize)))
}

func ed25519Sign(memory api.Memory, arguments []uint64) uint32 {
	keyPair, message := view(memory, arguments[0], ed25519.PrivateKeySize), view(memory, arguments[1], arguments[2])
	copy(view(memory, arguments[3], ed25519.SignatureSize), ed25519.Sign(keyPair, message))
	return 0
}

func ed25519KeyPair(memory api.Memory, arguments []uint64) uint32 {
	keyPair := view(memory, arguments[0], ed25519.PrivateKeySize)
	made := ed25519.NewKeyFromSeed(keyPair[:ed25519.SeedSize])
	copy(keyPair, made)
	wipe(made)
	return 0
}

// view is a part of the module's memory. A pointer outside of it is a bug of the module's, which traps.
func view(memory api.Memory, pointer, length uint64) []byte {
	bytes, ok := memory.Read(uint32(pointer), uint32(length))
	if !ok {
		panic("the module gave a pointer outside of its memory")
	}
	return bytes
}

func answerOf(yes bool) uint32 {
	if yes {
		return 1
	}
	return 0
}
