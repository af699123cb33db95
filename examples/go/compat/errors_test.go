package compat_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

// The runtime compares some errors with == and others with errors.Is, and logs their words.
func TestTheDeployedErrors(t *testing.T) {
	private, public, _, err := compat.GenerateIdentityKeyPair()
	if err != nil {
		t.Fatal(err)
	}
	handshake := must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake())
	instance, answer, err := compat.AcceptKeyExchange(must[[]byte](t)(handshake.Message()), private)
	if err != nil {
		t.Fatal(err)
	}
	phone := must[*pulsetrust.Channel](t)(handshake.Finish(answer, public))
	sealed := must[[]byte](t)(phone.Seal([]byte("x")))
	must[[]byte](t)(instance.Decrypt(sealed))
	_, replay := instance.Decrypt(sealed)
	_, short := instance.Decrypt(sealed[:27])
	_, _, noExchange := compat.AcceptKeyExchange(nil, private)
	wrongSignature := compat.VerifyKeyExchangeSignature(make([]byte, 32), make([]byte, 64), public)
	_, frameTooShort := compat.DecodeFrame([]byte{1, 2, 3})
	_, version := compat.DecodeFrame([]byte{2, 1, 0, 0, 0, 0})
	_, kind := compat.DecodeFrame([]byte{1, 99, 0, 0, 0, 0})
	_, tooLarge := compat.EncodeFrame(compat.NewFrame(7, 1, make([]byte, 65_537)))

	_, signing, _ := ed25519.GenerateKey(nil)
	now := time.Unix(1_800_000_000, 0)
	claims := leaseClaims{OrgID: "default", InstanceHost: "t-1.example.test", SubscriptionState: "active"}
	token := must[string](t)(compat.SignEntitlementLeaseToken(signing, claims, now))
	keys := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(signing.Public().(ed25519.PublicKey), nil))
	_, otherHost := compat.VerifyEntitlementLeaseToken[leaseClaims](token, keys, hostOf(t, "t-2.example.test"), now)
	_, otherHostParsed := compat.ParseEntitlementLeaseToken[leaseClaims](token, keys, hostOf(t, "t-2.example.test"), now)
	claims.OrgID = " "
	_, noOrg := compat.SignEntitlementLeaseToken(signing, claims, now)
	claims.OrgID, claims.InstanceHost = "default", " "
	_, noInstance := compat.SignEntitlementLeaseToken(signing, claims, now)
	_, noKey := compat.SignEntitlementLeaseToken(signing[:20], claims, now)
	_ = noKey

	for name, c := range map[string]struct {
		got, sentinel error
		same          bool // returned as it is, so that == finds it
		code          pulsetrust.Code
		words         string
	}{
		"a replay":            {replay, compat.ErrNonceReplay, true, pulsetrust.ErrMessageReplayed, "nonce replay or out-of-order"},
		"a short message":     {short, compat.ErrCiphertextTooShort, true, pulsetrust.ErrMessageMalformed, "ciphertext too short"},
		"no key exchange":     {noExchange, compat.ErrKeyExchangeTooShort, true, pulsetrust.ErrKeyExchangeMalformed, "key exchange payload too short"},
		"a wrong signature":   {wrongSignature, compat.ErrKeyExchangeSigCheck, true, pulsetrust.ErrKeyExchangeSignature, "key exchange signature verification failed"},
		"a short frame":       {frameTooShort, compat.ErrFrameTooShort, true, pulsetrust.ErrFrameTooShort, "frame too short"},
		"a large frame":       {tooLarge, compat.ErrPayloadTooLarge, true, pulsetrust.ErrFrameTooLarge, "payload exceeds maximum size"},
		"another version":     {version, compat.ErrUnsupportedVersion, false, pulsetrust.ErrFrameVersion, "unsupported protocol version"},
		"an unknown type":     {kind, compat.ErrUnknownFrameType, false, pulsetrust.ErrFrameType, ": 0x63"},
		"another host":        {otherHost, compat.ErrHostMismatch, true, pulsetrust.ErrHostMismatch, "trial activation token host mismatch"},
		"another host parsed": {otherHostParsed, compat.ErrHostMismatch, true, pulsetrust.ErrHostMismatch, "host mismatch"},
		"no organization":     {noOrg, compat.ErrLeaseOrgIDMissing, true, pulsetrust.ErrOrgMissing, "entitlement lease org_id is required"},
		"no instance":         {noInstance, compat.ErrLeaseInstanceMissing, true, pulsetrust.ErrHostMissing, "instance host is required"},
	} {
		if c.got == nil || (c.got == c.sentinel) != c.same || !errors.Is(c.got, c.sentinel) || !errors.Is(c.got, c.code) {
			t.Errorf("%s: %v", name, c.got)
			continue
		}
		var refused *pulsetrust.Error
		if !strings.Contains(c.got.Error(), c.words) || !errors.As(c.got, &refused) || refused.Code != c.code {
			t.Errorf("%s says %v", name, c.got)
		}
	}
	forged := append([]byte{}, must[[]byte](t)(phone.Seal([]byte("y")))...)
	forged[len(forged)-1] ^= 1
	if _, err := instance.Decrypt(forged); !errors.Is(err, pulsetrust.ErrMessageForged) || !strings.HasPrefix(err.Error(), "gcm open: ") {
		t.Errorf("a forged message: %v", err)
	}
}

// A function with the deployed shape asks for its keys at each call.
func TestTrustKeysAreMadeOncePerValue(t *testing.T) {
	public, _, _ := ed25519.GenerateKey(nil)
	other, _, _ := ed25519.GenerateKey(nil)
	first := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(public, other))
	if again := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(append(ed25519.PublicKey{}, public...), other)); again != first {
		t.Error("the same keys are prepared twice")
	}
	if swapped := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(other, public)); swapped == first {
		t.Error("a license key became a lease key")
	}
	alone := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(public, nil))
	if license := must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(nil, public)); license == alone {
		t.Error("a license key alone became a lease key")
	}
	for range 40 { // what is kept is bounded, and what is held stays usable
		fresh, _, _ := ed25519.GenerateKey(nil)
		must[*pulsetrust.TrustKeys](t)(compat.TrustKeys(fresh, nil))
	}
	if _, err := pulsetrust.VerifyToken(first, "x", pulsetrust.LeaseChecks{}, time.Now()); !errors.Is(err, pulsetrust.ErrTokenMalformed) {
		t.Errorf("%v", err)
	}
	if _, err := compat.TrustKeys(public[:31], nil); !errors.Is(err, pulsetrust.ErrKeyEncoding) {
		t.Errorf("a short key: %v", err)
	}
}
