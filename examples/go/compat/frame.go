package compat

import (
	"encoding/json"
	"errors"
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
		return nil, versionError(frame.Version)
	}
	bytes, err := pulsetrust.EncodeFrame(pulsetrust.Frame{
		Type: pulsetrust.FrameType(frame.Type), Channel: frame.Channel, Payload: frame.Payload,
	})
	return bytes, frameError(err, frame.Version, frame.Type)
}

// DecodeFrame is internal/relay.DecodeFrame; the payload shares memory with data.
func DecodeFrame(data []byte) (Frame, error) {
	frame, err := pulsetrust.DecodeFrame(data)
	if err != nil {
		version, frameType := byte(0), byte(0)
		if len(data) > 1 {
			version, frameType = data[0], data[1]
		}
		return Frame{}, frameError(err, version, frameType)
	}
	return Frame{ProtocolVersion, byte(frame.Type), frame.Channel, frame.Payload}, nil
}

// frameError is the deployed error; in two cases it says more.
func frameError(err error, version, frameType byte) error {
	switch {
	case errors.Is(err, pulsetrust.ErrFrameVersion):
		return versionError(version)
	case errors.Is(err, pulsetrust.ErrFrameType):
		return fmt.Errorf("%w: 0x%02X", ErrUnknownFrameType, frameType)
	}
	return sentinel(err, ErrFrameTooShort, ErrPayloadTooLarge)
}

func versionError(version byte) error {
	return fmt.Errorf("%w: got %d, want %d", ErrUnsupportedVersion, version, ProtocolVersion)
}

// NewFrame is internal/relay.NewFrame.
func NewFrame(frameType byte, channel uint32, payload []byte) Frame {
	return Frame{ProtocolVersion, frameType, channel, payload}
}

// NewControlFrame is internal/relay.NewControlFrame; the payload is the runtime's own struct.
func NewControlFrame[T any](frameType byte, channel uint32, payload T) (Frame, error) {
	text, err := marshal(payload)
	if err != nil {
		return Frame{}, err
	}
	return NewFrame(frameType, channel, text), nil
}

// UnmarshalControlPayload is internal/relay.UnmarshalControlPayload.
func UnmarshalControlPayload[T any](data []byte, out *T) error { return json.Unmarshal(data, out) }
