package pulsetrust_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// What ADOPTING.md compares, each with what the deployed runtime does today with Go's standard library:
//
//	go test -run '^$' -bench Adopting -count 6 .

const largestMessage = 65_508

// 65 KB sealed and opened.
func BenchmarkAdoptingMessage(b *testing.B) {
	message := make([]byte, largestMessage)
	b.Run("pulsetrust", func(b *testing.B) {
		phone, instance := benchmarkChannel(b)
		for b.Loop() {
			sealed := must[[]byte](b)(phone.Seal(message))
			must[[]byte](b)(instance.Open(sealed))
		}
	})
	b.Run("standard", func(b *testing.B) {
		block := must[cipher.Block](b)(aes.NewCipher(make([]byte, 32)))
		sealing, opening := must[cipher.AEAD](b)(cipher.NewGCM(block)), must[cipher.AEAD](b)(cipher.NewGCM(block))
		var counter uint64
		for b.Loop() {
			nonce := make([]byte, 12)
			binary.LittleEndian.PutUint64(nonce, counter)
			counter++
			sealed := append(nonce, sealing.Seal(nil, nonce, message, nil)...)
			must[[]byte](b)(opening.Open(nil, sealed[:12], sealed[12:], nil))
		}
	})
}

// The instance's side of a key exchange, to its channel.
func BenchmarkAdoptingKeyExchange(b *testing.B) {
	theirs := must[*ecdh.PrivateKey](b)(ecdh.X25519().GenerateKey(rand.Reader))
	message := append([]byte{32}, theirs.PublicKey().Bytes()...)
	b.Run("pulsetrust", func(b *testing.B) {
		identity := must[*pulsetrust.Identity](b)(pulsetrust.GenerateIdentity())
		for b.Loop() {
			channel, _, err := pulsetrust.AcceptKeyExchange(identity, message)
			if err != nil {
				b.Fatal(err)
			}
			channel.Close()
		}
	})
	b.Run("standard", func(b *testing.B) {
		_, identity, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			ephemeral := must[*ecdh.PrivateKey](b)(ecdh.X25519().GenerateKey(rand.Reader))
			public := must[*ecdh.PublicKey](b)(ecdh.X25519().NewPublicKey(message[1:]))
			shared := must[[]byte](b)(ephemeral.ECDH(public))
			for _, direction := range []string{"relay-e2e-app-to-instance", "relay-e2e-instance-to-app"} {
				key := must[[]byte](b)(hkdf.Key(sha256.New, shared, []byte("pulse-relay-e2e-channel-v1"), direction, 32))
				block := must[cipher.Block](b)(aes.NewCipher(key))
				must[cipher.AEAD](b)(cipher.NewGCM(block))
			}
			ed25519.Sign(identity, ephemeral.PublicKey().Bytes())
		}
	})
}

// A lease, from its text to claims that were checked; the standard library's part is the signature and the claims' JSON.
func BenchmarkAdoptingLease(b *testing.B) {
	vectors := read[leaseVectors](b, "leases.json")
	c := vectors.Cases[0]
	b.Run("pulsetrust", func(b *testing.B) {
		keys := must[*pulsetrust.TrustKeys](b)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, ""))
		_, _, _, host, now := benchmarkLease(b)
		for b.Loop() {
			must[*pulsetrust.Token](b)(pulsetrust.VerifyToken(keys, c.Token, checksFor(host), now)).Close()
		}
	})
	b.Run("standard", func(b *testing.B) {
		public := must[[]byte](b)(base64.StdEncoding.DecodeString(vectors.HostedPublicKey))
		for b.Loop() {
			end := strings.LastIndexByte(c.Token, '.')
			signature := must[[]byte](b)(base64.RawURLEncoding.DecodeString(c.Token[end+1:]))
			if !ed25519.Verify(public, []byte(c.Token[:end]), signature) {
				b.Fatal("refused")
			}
			_, payload, _ := strings.Cut(c.Token[:end], ".")
			var claims map[string]any
			if err := json.Unmarshal(must[[]byte](b)(base64.RawURLEncoding.DecodeString(payload)), &claims); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmarkChannel(b *testing.B) (phone, instance *pulsetrust.Channel) {
	b.Helper()
	identity := must[*pulsetrust.Identity](b)(pulsetrust.GenerateIdentity())
	handshake := must[*pulsetrust.Handshake](b)(pulsetrust.StartHandshake())
	instance, answer, err := pulsetrust.AcceptKeyExchange(identity, must[[]byte](b)(handshake.Message()))
	if err != nil {
		b.Fatal(err)
	}
	return must[*pulsetrust.Channel](b)(handshake.Finish(answer, must[string](b)(identity.PublicKey()))), instance
}
