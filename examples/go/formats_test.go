package pulsetrust_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

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
		frame := must[pulsetrust.Frame](t)(pulsetrust.DecodeFrame(raw))
		if frame.Channel != c.Channel || c.PayloadText != nil && string(frame.Payload) != *c.PayloadText {
			t.Errorf("%s: %+v", c.Name, frame)
		}
		if again := must[[]byte](t)(pulsetrust.EncodeFrame(frame)); !bytes.Equal(again, raw) {
			t.Errorf("%s: encoded as %x", c.Name, again)
		}
	}
	for _, c := range v.Decode {
		raw := must[[]byte](t)(hex.DecodeString(c.Hex))
		_, err := pulsetrust.DecodeFrame(raw)
		if c.Error != "" && err == nil {
			t.Errorf("%s: decoded", c.Name)
		}
	}
	if _, err := pulsetrust.EncodeFrame(pulsetrust.Frame{Type: pulsetrust.FrameData, Payload: make([]byte, 65537)}); !errors.Is(err, pulsetrust.ErrFrameTooLarge) {
		t.Errorf("65537 bytes: %v", err)
	}
}

func TestTablesAsDeployed(t *testing.T) {
	type table struct {
		Hosts []struct {
			In   string  `json:"in"`
			Out  string  `json:"out"`
			Ours *string `json:"ours"`
		} `json:"hosts"`
	}
	for _, c := range read[table](t, "tables.json").Hosts {
		host, err := pulsetrust.NormalizeHost(c.In)
		switch {
		case c.Ours == nil && (err != nil || host != c.Out):
			t.Errorf("%q: %q %v, deployed %q", c.In, host, err, c.Out)
		case c.Ours != nil && strings.HasPrefix(*c.Ours, "error") && err == nil:
			t.Errorf("%q: accepted, %s", c.In, *c.Ours)
		}
	}
	type onboarding struct {
		Backoff []struct {
			Failures uint32 `json:"failures"`
			Seconds  int    `json:"backoff_seconds"`
		} `json:"refresh_backoff"`
		URLs []struct {
			In     string `json:"in"`
			AppURL string `json:"app_url"`
		} `json:"relay_urls"`
	}
	v := read[onboarding](t, "onboarding.json")
	for _, c := range v.Backoff {
		if wait := must[time.Duration](t)(pulsetrust.RefreshBackoff(c.Failures)); wait != time.Duration(c.Seconds)*time.Second {
			t.Errorf("%d failures: %v", c.Failures, wait)
		}
	}
	for _, c := range v.URLs {
		if url := must[string](t)(pulsetrust.RelayURLForApp(c.In)); url != c.AppURL {
			t.Errorf("%q: %q, deployed %q", c.In, url, c.AppURL)
		}
	}
}

func TestPairingCodesAsDeployed(t *testing.T) {
	type vectors struct {
		Cases []struct {
			Name        string                 `json:"name"`
			InstanceURL string                 `json:"instance_url"`
			Config      pulsetrust.RelayConfig `json:"relay_config"`
			InstanceID  string                 `json:"instance_id"`
			AuthToken   string                 `json:"auth_token"`
			Ready       bool                   `json:"ready"`
			Payload     struct {
				DeepLink string `json:"deep_link"`
			} `json:"payload"`
		} `json:"cases"`
	}
	for _, c := range read[vectors](t, "onboarding.json").Cases {
		pairing, err := pulsetrust.BuildPairing(&c.Config, c.InstanceID, c.AuthToken, c.InstanceURL)
		if c.Ready != (err == nil) {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if err != nil {
			var refusal *pulsetrust.Error
			if !errors.As(err, &refusal) || len(refusal.Diagnostics()) == 0 {
				t.Errorf("%s: no diagnostics in %v", c.Name, err)
			}
			continue
		}
		if pairing.DeepLink != c.Payload.DeepLink {
			t.Errorf("%s: %s\ndeployed %s", c.Name, pairing.DeepLink, c.Payload.DeepLink)
		}
		if !json.Valid(pairing.Payload) {
			t.Errorf("%s: payload", c.Name)
		}
	}
	if svg, err := pulsetrust.QRSVG("pulse://connect"); err != nil || !strings.Contains(svg, "<svg") {
		t.Errorf("%v", err)
	}
}

func TestTheChannel(t *testing.T) {
	type vectors struct {
		PrivateKey     string `json:"identity_private_key"`
		PublicKey      string `json:"identity_public_key"`
		Fingerprint    string `json:"identity_fingerprint"`
		AppMessage     string `json:"app_key_exchange_payload_hex"`
		InstanceAnswer string `json:"instance_key_exchange_payload_hex"`
	}
	v := read[vectors](t, "channel.json")
	identity := must[*pulsetrust.Identity](t)(pulsetrust.IdentityFromPrivateKey(v.PrivateKey))
	if fingerprint := must[string](t)(identity.Fingerprint()); fingerprint != v.Fingerprint {
		t.Error(fingerprint)
	}
	handshake := must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake())
	hello := must[[]byte](t)(handshake.Message())
	instance, answer, err := pulsetrust.AcceptKeyExchange(identity, hello)
	if err != nil {
		t.Fatal(err)
	}
	phone := must[*pulsetrust.Channel](t)(handshake.Finish(answer, v.PublicKey))
	for _, message := range []string{"", "GET", strings.Repeat("x", pulsetrust.MaxPayload-28)} {
		sealed := must[[]byte](t)(phone.Seal([]byte(message)))
		if opened := must[[]byte](t)(instance.Open(sealed)); string(opened) != message {
			t.Errorf("%d bytes come out as %d", len(message), len(opened))
		}
		if _, err := instance.Open(sealed); !errors.Is(err, pulsetrust.ErrMessageReplayed) {
			t.Errorf("again: %v", err)
		}
	}
	if _, err := handshake.Finish(answer, v.PublicKey); err == nil {
		t.Error("a handshake is finished twice")
	}
	// The deployed instance's answer belongs to another handshake, but its signature is right.
	deployed := must[[]byte](t)(hex.DecodeString(v.InstanceAnswer))
	must[*pulsetrust.Channel](t)(must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake()).Finish(deployed, v.PublicKey))
	deployed[40] ^= 1
	if _, err := must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake()).Finish(deployed, v.PublicKey); !errors.Is(err, pulsetrust.ErrKeyExchangeSignature) {
		t.Errorf("a changed signature: %v", err)
	}
}
