package pulsetrust_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// Nothing, and nil for a payload, crashed the program.
func TestAPayloadThatIsNoneIsRefused(t *testing.T) {
	for _, payload := range []pulsetrust.ControlPayload{nil, (*pulsetrust.Register)(nil)} {
		if _, err := pulsetrust.EncodeControl(0, payload); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
			t.Errorf("encode %T: %v", payload, err)
		}
		if err := pulsetrust.DecodeControl(pulsetrust.Frame{Type: pulsetrust.FrameRegister}, payload); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
			t.Errorf("decode %T: %v", payload, err)
		}
	}
	frame := pulsetrust.Frame{Type: pulsetrust.FrameRegister, Payload: []byte("{}")}
	if err := pulsetrust.DecodeControl(frame, pulsetrust.Register{}); !errors.Is(err, pulsetrust.ErrInvalidArgument) {
		t.Errorf("decode into a value that is not a pointer: %v", err)
	}
}

// Every deployed control frame is read, and written again byte for byte.
func TestControlFramesAsDeployed(t *testing.T) {
	type vectors struct {
		Frames []struct {
			Name     string `json:"name"`
			Type     string `json:"type"`
			Channel  uint32 `json:"channel"`
			FrameHex string `json:"frame_hex"`
		} `json:"frames"`
	}
	payloads := map[string]func() pulsetrust.ControlPayload{
		"REGISTER":          func() pulsetrust.ControlPayload { return &pulsetrust.Register{} },
		"REGISTER_ACK":      func() pulsetrust.ControlPayload { return &pulsetrust.RegisterAck{} },
		"CONNECT":           func() pulsetrust.ControlPayload { return &pulsetrust.Connect{} },
		"CONNECT_ACK":       func() pulsetrust.ControlPayload { return &pulsetrust.ConnectAck{} },
		"CHANNEL_OPEN":      func() pulsetrust.ControlPayload { return &pulsetrust.ChannelOpen{} },
		"CHANNEL_CLOSE":     func() pulsetrust.ControlPayload { return &pulsetrust.ChannelClose{} },
		"ERROR":             func() pulsetrust.ControlPayload { return &pulsetrust.ErrorMessage{} },
		"DRAIN":             func() pulsetrust.ControlPayload { return &pulsetrust.Drain{} },
		"PUSH_NOTIFICATION": func() pulsetrust.ControlPayload { return &pulsetrust.PushNotification{} },
	}
	seen := map[string]bool{}
	for _, c := range read[vectors](t, "frames.json").Frames {
		empty := payloads[c.Type]
		if empty == nil {
			continue // not a control frame
		}
		seen[c.Type] = true
		raw := must[[]byte](t)(hex.DecodeString(c.FrameHex))
		payload := empty()
		if err := pulsetrust.DecodeControl(must[pulsetrust.Frame](t)(pulsetrust.DecodeFrame(raw)), payload); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if again := must[[]byte](t)(pulsetrust.EncodeControl(c.Channel, payload)); !bytes.Equal(again, raw) {
			t.Errorf("%s: encoded as %s", c.Name, again)
		}
	}
	if len(seen) != len(payloads) {
		t.Errorf("the vectors have only %v", seen)
	}
}

func TestControlFramesThatAreRefused(t *testing.T) {
	secret := "a-secret-token"
	for _, payload := range []string{``, `[]`, `{"session_token":"` + secret, `{"session_token":["` + secret + `"]}`} {
		frame := pulsetrust.Frame{Type: pulsetrust.FrameRegisterAck, Payload: []byte(payload)}
		err := pulsetrust.DecodeControl(frame, &pulsetrust.RegisterAck{})
		if !errors.Is(err, pulsetrust.ErrControlPayload) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", payload, err)
		}
	}
	frame := pulsetrust.Frame{Type: pulsetrust.FrameDrain, Payload: []byte("{}")}
	if err := pulsetrust.DecodeControl(frame, &pulsetrust.RegisterAck{}); !errors.Is(err, pulsetrust.ErrControlPayload) {
		t.Errorf("another type: %v", err)
	}
}

func TestProxiedMessagesAsDeployed(t *testing.T) {
	type vectors struct {
		Request  string `json:"proxy_request"`
		Response string `json:"proxy_response"`
		MaxBody  int    `json:"proxy_max_body"`
	}
	v := read[vectors](t, "frames.json")
	phone, instance := channelPair(t)
	request := must[pulsetrust.ProxyRequest](t)(instance.OpenRequest(must[[]byte](t)(phone.Seal([]byte(v.Request)))))
	sealed := must[[]byte](t)(phone.SealRequest(request))
	if text := must[[]byte](t)(instance.Open(sealed)); string(text) != v.Request {
		t.Errorf("%s", text)
	}
	response := must[pulsetrust.ProxyResponse](t)(phone.OpenResponse(must[[]byte](t)(instance.Seal([]byte(v.Response)))))
	sealed = must[[]byte](t)(instance.SealResponse(response))
	if text := must[[]byte](t)(phone.Open(sealed)); string(text) != v.Response {
		t.Errorf("%s", text)
	}
	if v.MaxBody != pulsetrust.MaxBody {
		t.Errorf("deployed %d", v.MaxBody)
	}
	response.Body = make([]byte, v.MaxBody+1)
	if _, err := instance.SealResponse(response); !errors.Is(err, pulsetrust.ErrBodyTooLarge) {
		t.Errorf("a body over the limit is sealed: %v", err)
	}
	tooLarge := must[[]byte](t)(json.Marshal(response))
	if _, err := phone.OpenResponse(must[[]byte](t)(instance.Seal(tooLarge))); !errors.Is(err, pulsetrust.ErrBodyTooLarge) {
		t.Errorf("a body over the limit is opened: %v", err)
	}
}

func channelPair(t *testing.T) (phone, instance *pulsetrust.Channel) {
	t.Helper()
	identity := must[*pulsetrust.Identity](t)(pulsetrust.GenerateIdentity())
	handshake := must[*pulsetrust.Handshake](t)(pulsetrust.StartHandshake())
	instance, answer, err := pulsetrust.AcceptKeyExchange(identity, must[[]byte](t)(handshake.Message()))
	if err != nil {
		t.Fatal(err)
	}
	return must[*pulsetrust.Channel](t)(handshake.Finish(answer, must[string](t)(identity.PublicKey()))), instance
}
