package compat_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
	"github.com/rcourtman/pulse-trust/examples/go/compat"
)

func TestTheKeyExchangeAsDeployed(t *testing.T) {
	type vectors struct {
		PrivateKey     string `json:"identity_private_key"`
		PublicKey      string `json:"identity_public_key"`
		Fingerprint    string `json:"identity_fingerprint"`
		InstanceAnswer string `json:"instance_key_exchange_payload_hex"`
		AppHello       string `json:"app_key_exchange_payload_hex"`
	}
	v := read[vectors](t, "channel.json")
	if fingerprint := must[string](t)(compat.ComputeFingerprint(v.PublicKey)); fingerprint != v.Fingerprint {
		t.Error(fingerprint)
	}
	answer := must[[]byte](t)(hex.DecodeString(v.InstanceAnswer))
	ephemeral, signature := answer[1:33], answer[33:]
	// Ed25519 is deterministic: the same key signs the same bytes alike.
	if signed := must[[]byte](t)(compat.SignKeyExchange(ephemeral, v.PrivateKey)); string(signed) != string(signature) {
		t.Errorf("%x", signed)
	}
	if err := compat.VerifyKeyExchangeSignature(ephemeral, signature, v.PublicKey); err != nil {
		t.Error(err)
	}
	signature[0] ^= 1
	if err := compat.VerifyKeyExchangeSignature(ephemeral, signature, v.PublicKey); !errors.Is(err, pulsetrust.ErrKeyExchangeSignature) {
		t.Errorf("a changed signature: %v", err)
	}
	if _, err := compat.SignKeyExchange(ephemeral[1:], v.PrivateKey); !errors.Is(err, pulsetrust.ErrKeyExchangeMalformed) {
		t.Errorf("31 bytes: %v", err)
	}
	if _, _, err := compat.AcceptKeyExchange(must[[]byte](t)(hex.DecodeString(v.AppHello)), v.PrivateKey); err != nil {
		t.Errorf("the deployed app's hello: %v", err)
	}
}

func TestAChannelBothWays(t *testing.T) {
	private, public, fingerprint, err := compat.GenerateIdentityKeyPair()
	if err != nil {
		t.Fatal(err)
	}
	if computed := must[string](t)(compat.ComputeFingerprint(public)); computed != fingerprint {
		t.Error(computed)
	}
	handshake := must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake())
	instance, answer, err := compat.AcceptKeyExchange(must[[]byte](t)(handshake.Message()), private)
	if err != nil {
		t.Fatal(err)
	}
	phone := must[*pulsetrust.Channel](t)(handshake.Finish(answer, public))
	sealed := must[[]byte](t)(phone.Seal([]byte("request")))
	if opened := must[[]byte](t)(instance.Decrypt(sealed)); string(opened) != "request" {
		t.Errorf("%q", opened)
	}
	if _, err := instance.Decrypt(sealed); !errors.Is(err, pulsetrust.ErrMessageReplayed) {
		t.Errorf("again: %v", err)
	}
	if opened := must[[]byte](t)(phone.Open(must[[]byte](t)(instance.Encrypt([]byte("response"))))); string(opened) != "response" {
		t.Errorf("%q", opened)
	}
	instance.Close()
	if _, err := instance.Encrypt(nil); err == nil {
		t.Error("a closed channel seals")
	}
}

func TestFramesAsDeployed(t *testing.T) {
	type vectors struct {
		Frames []struct {
			Name        string  `json:"name"`
			Channel     uint32  `json:"channel"`
			PayloadText *string `json:"payload_text"`
			FrameHex    string  `json:"frame_hex"`
		} `json:"frames"`
		Decode []struct {
			Name  string `json:"name"`
			Hex   string `json:"hex"`
			Error string `json:"error"`
		} `json:"decode"`
	}
	v := read[vectors](t, "frames.json")
	for _, c := range v.Frames {
		raw := must[[]byte](t)(hex.DecodeString(c.FrameHex))
		frame := must[compat.Frame](t)(compat.DecodeFrame(raw))
		again := must[[]byte](t)(compat.EncodeFrame(compat.NewFrame(frame.Type, c.Channel, frame.Payload)))
		if string(again) != string(raw) || frame.Version != compat.ProtocolVersion {
			t.Errorf("%s: %x", c.Name, again)
		}
	}
	for _, c := range v.Decode {
		if _, err := compat.DecodeFrame(must[[]byte](t)(hex.DecodeString(c.Hex))); (err != nil) != (c.Error != "") {
			t.Errorf("%s: %v, deployed %q", c.Name, err, c.Error)
		}
	}
	control := must[compat.Frame](t)(compat.NewControlFrame(6, 7, map[string]any{"channel_id": 7}))
	var read struct {
		ChannelID uint32 `json:"channel_id"`
	}
	if err := compat.UnmarshalControlPayload(control.Payload, &read); err != nil || read.ChannelID != 7 || !json.Valid(control.Payload) {
		t.Errorf("%+v %v", read, err)
	}
	control.Version = 2
	if _, err := compat.EncodeFrame(control); !errors.Is(err, pulsetrust.ErrFrameVersion) {
		t.Errorf("version 2: %v", err)
	}
}
