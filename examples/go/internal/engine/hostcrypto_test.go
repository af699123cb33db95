//go:build !pulsetrust_cgo

package engine

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
)

// instancePair is one instance that has its primitives computed by Go, and one that computes its own.
func instancePair(t *testing.T) (hosted, own *Instance) {
	t.Helper()
	made := func(offered bool) *Instance {
		in, err := newInstance(0)
		if err != nil {
			t.Fatal(err)
		}
		in.computesOwn = !offered
		return in
	}
	return made(true), made(false)
}

// verdict is the code of an error, 0 for none.
func verdict(t *testing.T, err error) int32 {
	t.Helper()
	var fault *Fault
	if err != nil && !errors.As(err, &fault) {
		t.Fatal(err)
	}
	if fault == nil {
		return 0
	}
	return fault.Code
}

// The order of the group of the curve.
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// littleEndian is a number as 32 bytes.
func littleEndian(number *big.Int) []byte {
	bytes := number.FillBytes(make([]byte, 32))
	for i := range 16 {
		bytes[i], bytes[31-i] = bytes[31-i], bytes[i]
	}
	return bytes
}

func fromLittleEndian(bytes []byte) *big.Int {
	number := new(big.Int)
	for i := len(bytes) - 1; i >= 0; i-- {
		number.Add(number.Lsh(number, 8), big.NewInt(int64(bytes[i])))
	}
	return number
}

// A signature of a key exchange gets the same verdict of both: good ones, changed ones, and those that verifiers are
// known to differ on.
func TestSignaturesGetTheSameVerdict(t *testing.T) {
	hosted, own := instancePair(t)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ephemeral := bytes.Repeat([]byte{9}, 32)
	good := ed25519.Sign(private, ephemeral)
	signatures := map[string][]byte{"good": good}
	for bit := 0; bit < 512; bit += 7 {
		changed := bytes.Clone(good)
		changed[bit/8] ^= 1 << (bit % 8)
		signatures[fmt.Sprintf("bit %d", bit)] = changed
	}
	s := fromLittleEndian(good[32:])
	for times := range int64(9) {
		above := new(big.Int).Add(s, new(big.Int).Mul(order, big.NewInt(times)))
		signatures[fmt.Sprintf("S and %d times the order", times)] = append(bytes.Clone(good[:32]), littleEndian(above)...)
	}
	// Every y of a small-order point and every y that is not below the prime, with both signs, with S of 0 and the good one.
	for _, r := range oddPoints() {
		for _, s := range [][]byte{make([]byte, 32), good[32:]} {
			signatures[fmt.Sprintf("R %x S %x", r, s)] = append(bytes.Clone(r), s...)
		}
	}
	accepted := 0
	for name, signature := range signatures {
		var said []int32
		for _, in := range []*Instance{hosted, own} {
			handshake, err := HandshakeStart(in)
			if err != nil {
				t.Fatal(err)
			}
			message := append([]byte{32}, append(bytes.Clone(ephemeral), signature...)...)
			channel, err := HandshakeFinish(handshake, message, base64.StdEncoding.EncodeToString(public))
			if err == nil {
				ChannelFree(channel)
				accepted++
			}
			HandshakeFree(handshake)
			said = append(said, verdict(t, err))
		}
		if said[0] != said[1] {
			t.Errorf("%s: with the host's primitives %d, with its own %d", name, said[0], said[1])
		}
	}
	if accepted != 4 { // the good one, and S with 0 times the order
		t.Errorf("%d were accepted", accepted)
	}
}

// oddPoints are encodings of points of small order, and ones that are not canonical.
func oddPoints() (points [][]byte) {
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	ys := []*big.Int{new(big.Int).Sub(prime, big.NewInt(1))}
	for small := range int64(19) {
		ys = append(ys, big.NewInt(small), new(big.Int).Add(prime, big.NewInt(small)))
	}
	eighth, _ := new(big.Int).SetString("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7", 16)
	ys = append(ys, eighth, new(big.Int).Sub(prime, eighth))
	for _, y := range ys {
		plain := littleEndian(y)
		signed := bytes.Clone(plain)
		signed[31] |= 0x80
		points = append(points, plain, signed)
	}
	return points
}

// Keys of small order are refused by both, and what one seals the other opens.
func TestChannelsAreTheSame(t *testing.T) {
	hosted, own := instancePair(t)
	weak := map[string]bool{}
	for _, in := range []*Instance{hosted, own} {
		identity, err := IdentityGenerate(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, point := range oddPoints() {
			_, _, err := ChannelAccept(identity, append([]byte{32}, point...))
			isWeak := verdict(t, err) != 0
			if in == hosted {
				weak[string(point)] = isWeak
			} else if weak[string(point)] != isWeak {
				t.Errorf("%x: refused with its own primitives: %v", point, isWeak)
			}
		}
	}
	if !weak[string(make([]byte, 32))] || weak[string(littleEndian(big.NewInt(9)))] {
		t.Errorf("u of 0 is refused: %v, u of 9: %v", weak[string(make([]byte, 32))], weak[string(littleEndian(big.NewInt(9)))])
	}
	for _, pair := range [][2]*Instance{{hosted, own}, {own, hosted}, {hosted, hosted}} {
		identity, err := IdentityGenerate(pair[1])
		if err != nil {
			t.Fatal(err)
		}
		public, err := IdentityPublicKey(identity)
		if err != nil {
			t.Fatal(err)
		}
		handshake, err := HandshakeStart(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		message, err := HandshakeMessage(handshake)
		if err != nil {
			t.Fatal(err)
		}
		instance, answer, err := ChannelAccept(identity, message)
		if err != nil {
			t.Fatal(err)
		}
		phone, err := HandshakeFinish(handshake, answer, string(public))
		if err != nil {
			t.Fatal(err)
		}
		for _, length := range []int{0, 1, 15, 16, 17, 4096, 65_508} {
			text := make([]byte, length)
			rand.NewChaCha8([32]byte{byte(length)}).Read(text)
			for _, ends := range [][2]Ref{{phone, instance}, {instance, phone}} {
				sealed, err := ChannelSeal(ends[0], text)
				if err != nil {
					t.Fatal(err)
				}
				for _, place := range []int{12, len(sealed) - 1} {
					forged := bytes.Clone(sealed)
					forged[place] ^= 1
					if opened, err := ChannelOpen(ends[1], forged); err == nil {
						t.Errorf("%d bytes, changed at %d: opened %d", length, place, len(opened))
					}
				}
				opened, err := ChannelOpen(ends[1], sealed)
				if err != nil || !bytes.Equal(opened, text) {
					t.Fatalf("%d bytes: %v", length, err)
				}
			}
		}
	}
}

// The same seed signs the same, and belongs to the same public key.
func TestKeyPairsAreTheSame(t *testing.T) {
	hosted, own := instancePair(t)
	for attempt := range 8 {
		seed := make([]byte, 32)
		rand.NewChaCha8([32]byte{byte(attempt)}).Read(seed)
		private := ed25519.NewKeyFromSeed(seed)
		for _, in := range []*Instance{hosted, own} {
			for _, text := range [][]byte{seed, private} {
				identity, err := IdentityFromPrivateKey(in, base64.StdEncoding.EncodeToString(text))
				if err != nil {
					t.Fatal(err)
				}
				public, err := IdentityPublicKey(identity)
				if want := base64.StdEncoding.EncodeToString(private[32:]); err != nil || string(public) != want {
					t.Errorf("public key %s, %v", public, err)
				}
				secret, err := IdentitySecretPrivateKey(identity)
				if want := base64.StdEncoding.EncodeToString(private); err != nil || string(secret) != want {
					t.Errorf("private key: %v", err)
				}
				signature, err := IdentitySignKeyExchange(identity, seed)
				if err != nil || !bytes.Equal(signature, ed25519.Sign(private, seed)) {
					t.Errorf("signature %x, %v", signature, err)
				}
			}
		}
	}
}
