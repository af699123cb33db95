package compat

import (
	"encoding/json"
	"fmt"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

// ProtocolVersion is the only version of frames there is.
const ProtocolVersion = 0x01

// A Frame is internal/relay.Frame.
type Frame struct {
	Version byte
	Type    byte
	Channel uint32
	Payload []byte
}

// EncodeFrame is internal/relay.EncodeFrame.
func EncodeFrame(frame Frame) ([]byte, error) {
	if frame.Version != ProtocolVersion {
		message := fmt.Sprintf("expected version %d, received %d", ProtocolVersion, frame.Version)
		return nil, &pulsetrust.Error{Code: pulsetrust.ErrFrameVersion, Message: message}
	}
	return pulsetrust.EncodeFrame(pulsetrust.Frame{
		Type: pulsetrust.FrameType(frame.Type), Channel: frame.Channel, Payload: frame.Payload,
	})
}

// DecodeFrame is internal/relay.DecodeFrame; the payload is part of data.
func DecodeFrame(data []byte) (Frame, error) {
	frame, err := pulsetrust.DecodeFrame(data)
	if err != nil {
		return Frame{}, err
	}
	return Frame{ProtocolVersion, byte(frame.Type), frame.Channel, frame.Payload}, nil
}

// NewFrame is internal/relay.NewFrame.
func NewFrame(frameType byte, channel uint32, payload []byte) Frame {
	return Frame{ProtocolVersion, frameType, channel, payload}
}

// NewControlFrame is internal/relay.NewControlFrame; the payload is the runtime's own struct.
func NewControlFrame[T any](frameType byte, channel uint32, payload T) (Frame, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return Frame{}, err
	}
	return NewFrame(frameType, channel, text), nil
}

// UnmarshalControlPayload is internal/relay.UnmarshalControlPayload.
func UnmarshalControlPayload[T any](data []byte, out *T) error { return json.Unmarshal(data, out) }
