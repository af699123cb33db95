package pulsetrust

import (
	"encoding/binary"
	"fmt"

	"github.com/rcourtman/pulse-trust/examples/go/internal/engine"
)

// A FrameType is the type byte of a frame.
type FrameType uint8

// The frame types.
const (
	FrameRegister         FrameType = engine.FrameRegister
	FrameRegisterAck      FrameType = engine.FrameRegisterAck
	FrameConnect          FrameType = engine.FrameConnect
	FrameConnectAck       FrameType = engine.FrameConnectAck
	FrameChannelOpen      FrameType = engine.FrameChannelOpen
	FrameChannelClose     FrameType = engine.FrameChannelClose
	FrameData             FrameType = engine.FrameData
	FramePing             FrameType = engine.FramePing
	FramePong             FrameType = engine.FramePong
	FrameError            FrameType = engine.FrameError
	FrameDrain            FrameType = engine.FrameDrain
	FrameKeyExchange      FrameType = engine.FrameKeyExchange
	FramePushNotification FrameType = engine.FramePushNotification
)

// MaxPayload is the largest payload of a frame, in bytes.
const MaxPayload = engine.MaxPayloadLen

// A Frame is one message between an instance, the relay and a phone.
type Frame struct {
	Type    FrameType
	Channel uint32
	Payload []byte // secret in some frames
}

// EncodeFrame returns the frame's bytes: version, type, channel (big-endian) and payload (formats.md#frames).
//
// It is written in Go and calls no engine, because writing a header of six bytes is faster than a call; tests compare it
// with the library.
func EncodeFrame(frame Frame) ([]byte, error) {
	if err := checkFrame(frame.Type, len(frame.Payload)); err != nil {
		return nil, err
	}
	bytes := make([]byte, 0, engine.FrameHeaderLen+len(frame.Payload))
	bytes = append(bytes, engine.FrameVersion, byte(frame.Type))
	bytes = binary.BigEndian.AppendUint32(bytes, frame.Channel)
	return append(bytes, frame.Payload...), nil
}

// DecodeFrame reads a frame; its payload shares memory with bytes.
func DecodeFrame(bytes []byte) (Frame, error) {
	if len(bytes) < engine.FrameHeaderLen {
		return Frame{}, frameError(ErrFrameTooShort, "frame of %d bytes, at least %d are needed", len(bytes), engine.FrameHeaderLen)
	}
	if bytes[0] != engine.FrameVersion {
		return Frame{}, frameError(ErrFrameVersion, "frame version: expected %d, received %d", engine.FrameVersion, bytes[0])
	}
	payload := bytes[engine.FrameHeaderLen:]
	frame := Frame{FrameType(bytes[1]), binary.BigEndian.Uint32(bytes[2:]), payload}
	if err := checkFrame(frame.Type, len(payload)); err != nil {
		return Frame{}, err
	}
	return frame, nil
}

func checkFrame(kind FrameType, length int) error {
	if kind < FrameRegister || kind > FramePushNotification {
		return frameError(ErrFrameType, "unknown frame type 0x%02x", uint8(kind))
	}
	if length > MaxPayload {
		return frameError(ErrFrameTooLarge, "frame payload of %d bytes, at most %d are allowed", length, MaxPayload)
	}
	return nil
}

// frameError makes an error with the same text as the library's own.
func frameError(code Code, format string, arguments ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, arguments...), WireCode: engine.WireLicenseInvalid}
}
