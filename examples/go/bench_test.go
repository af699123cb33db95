package pulsetrust_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

func benchmarkLease(b *testing.B) (keys *pulsetrust.TrustKeys, public ed25519.PublicKey, token, host string, now time.Time) {
	vectors := read[leaseVectors](b, "leases.json")
	c := vectors.Cases[0]
	raw := must[[]byte](b)(base64.StdEncoding.DecodeString(vectors.HostedPublicKey))
	keys = must[*pulsetrust.TrustKeys](b)(pulsetrust.NewTrustKeys(vectors.HostedPublicKey, ""))
	keys = must[*pulsetrust.TrustKeys](b)(keys.WithTables(pulsetrust.TablesLarge))
	return keys, raw, c.Token, c.ExpectedHost, time.Unix(c.Now, 0)
}

// A full check: token text to verified claims. cmd/jwt has the same with golang-jwt.
func BenchmarkLeasePulseTrust(b *testing.B) {
	keys, _, token, host, now := benchmarkLease(b)
	b.ReportAllocs()
	for b.Loop() {
		lease, err := pulsetrust.VerifyToken(keys, token, checksFor(host), now)
		if err != nil {
			b.Fatal(err)
		}
		lease.Close()
	}
}

// The signature alone.
func BenchmarkSignatureStdlib(b *testing.B) {
	_, public, token, _, _ := benchmarkLease(b)
	end := strings.LastIndexByte(token, '.')
	signature := must[[]byte](b)(base64.RawURLEncoding.DecodeString(token[end+1:]))
	for b.Loop() {
		if !ed25519.Verify(public, []byte(token[:end]), signature) {
			b.Fatal("refused")
		}
	}
}

// What a runtime asks on every request.
func BenchmarkCachedLeaseQuery(b *testing.B) {
	keys, _, token, host, now := benchmarkLease(b)
	lease := must[*pulsetrust.Token](b)(pulsetrust.VerifyToken(keys, token, checksFor(host), now))
	b.ReportAllocs()
	for b.Loop() {
		if err := lease.Check("relay", now); err != nil {
			b.Fatal(err)
		}
	}
}

// The cost of crossing the boundary, with the least work behind it.
func BenchmarkOneCall(b *testing.B) {
	keys, _, token, host, now := benchmarkLease(b)
	lease := must[*pulsetrust.Token](b)(pulsetrust.VerifyToken(keys, token, checksFor(host), now))
	for b.Loop() {
		if kind, err := lease.Kind(); err != nil || kind != pulsetrust.KindLease {
			b.Fatal(err)
		}
	}
}

func BenchmarkChannel(b *testing.B) {
	phone, instance := benchmarkChannel(b)
	message := make([]byte, 4096)
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		sealed := must[[]byte](b)(phone.Seal(message))
		if _, err := instance.Open(sealed); err != nil {
			b.Fatal(err)
		}
	}
}
